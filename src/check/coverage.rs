//! What the cases of a requirement held: event types, mutations, delivery faults and transitions, counted.
//!
//! Whether they could show a mistake is another question, which the canaries answer.

use std::collections::{BTreeMap, HashMap};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Act, Case, Delivery, Mishap},
    domain::RefundState,
    model::Tell,
};

/// How often each thing was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Coverage {
    /// Deliveries by event type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub events: BTreeMap<String, u64>,
    /// Deliveries by what was done to their bodies, headers or signatures.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mutations: BTreeMap<String, u64>,
    /// Deliveries by what befell them on the way, and kills between them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// States of refunds after other states of the same refund, in the order in which they were told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub transitions: BTreeMap<String, u64>,
}

/// How deliveries are counted that arrive before the shop's own request is answered.
const BEFORE_ANSWER: &str = "before the shop's own request is answered";

impl Coverage {
    /// Counts what a case holds.
    pub fn count(&mut self, case: &Case) {
        let mut states: HashMap<&str, RefundState> = HashMap::new();
        for entry in &case.entries {
            match &entry.act {
                Act::Deliver(delivery) => self.count_delivery(delivery, &mut states),
                Act::Together(deliveries) => {
                    bump(&mut self.faults, "at the same time", deliveries.len() as u64);
                    deliveries.iter().for_each(|delivery| self.count_delivery(delivery, &mut states));
                }
                Act::Initiate(_) => bump(&mut self.faults, "own refund", 1),
                Act::Meanwhile(_, deliveries) => {
                    bump(&mut self.faults, "own refund", 1);
                    bump(&mut self.faults, BEFORE_ANSWER, deliveries.len() as u64);
                    deliveries.iter().for_each(|delivery| self.count_delivery(delivery, &mut states));
                }
                Act::Restart => bump(&mut self.faults, "restart", 1),
                Act::Begin(_) => bump(&mut self.faults, "an order becomes known later", 1),
                Act::Advance(_) => bump(&mut self.faults, "time passes", 1),
            }
        }
    }

    fn count_delivery<'c>(&mut self, delivery: &'c Delivery, states: &mut HashMap<&'c str, RefundState>) {
        bump(&mut self.events, &delivery.event.kind, 1);
        if let Some(mutation) = &delivery.mutation {
            bump(&mut self.mutations, mutation, 1);
        }
        if let Some(fault) = &delivery.fault {
            bump(&mut self.faults, fault, 1);
        }
        if let Some(api) = delivery.api {
            bump(&mut self.faults, api.as_str(), 1);
        }
        if let Some(mishap) = delivery.mishap {
            bump(&mut self.faults, Mishap::as_str(mishap), 1);
        }
        for tell in &delivery.event.tells {
            if let Tell::Refund { id, state, .. } = tell {
                let before = states.insert(id, *state);
                let before = before.map_or("new", RefundState::as_str);
                bump(&mut self.transitions, &format!("{before} → {state}"), 1);
            }
        }
    }

    /// Adds what another part of the same cases held.
    pub fn add(&mut self, other: &Coverage) {
        let tables = [
            (&mut self.events, &other.events),
            (&mut self.mutations, &other.mutations),
            (&mut self.faults, &other.faults),
            (&mut self.transitions, &other.transitions),
        ];
        for (table, more) in tables {
            more.iter().for_each(|(name, count)| bump(table, name, *count));
        }
    }
}

fn bump(table: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    // Most names are there already, and need no memory of their own.
    match table.get_mut(name) {
        Some(count) => *count = count.saturating_add(by),
        None => {
            table.insert(name.to_owned(), by);
        }
    }
}
