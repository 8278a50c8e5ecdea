//! How entries and deliveries are written in a case file: flat objects in which a misspelt member is an error.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Act, ApiFault, Body, Delivery, Effect, Entry, Mishap, OwnRefund, Signature};
use crate::{
    model::{EventFacts, Expectation},
    plan::MutationKind,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EntryForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deliver: Option<Box<Delivery>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    together: Option<Vec<Delivery>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    initiate: Option<OwnRefund>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    meanwhile: Option<Vec<Delivery>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restart: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advance: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begin: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expect: Vec<Expectation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expect_if_refused: Vec<Expectation>,
}

impl From<Entry> for EntryForm {
    fn from(entry: Entry) -> EntryForm {
        let mut form = EntryForm {
            deliver: None,
            together: None,
            initiate: None,
            meanwhile: None,
            restart: None,
            advance: None,
            begin: None,
            expect: entry.expect,
            expect_if_refused: entry.expect_if_refused,
        };
        match entry.act {
            Act::Deliver(delivery) => form.deliver = Some(delivery),
            Act::Together(deliveries) => form.together = Some(deliveries),
            Act::Initiate(own) => form.initiate = Some(own),
            Act::Meanwhile(own, deliveries) => (form.initiate, form.meanwhile) = (Some(own), Some(deliveries)),
            Act::Restart => form.restart = Some(true),
            Act::Advance(seconds) => form.advance = Some(seconds),
            Act::Begin(order_id) => form.begin = Some(order_id),
        }
        form
    }
}

/// How much time may pass at once, in seconds. No provider sends again for so long.
const LONGEST_TIME: u64 = 366 * 24 * 60 * 60;

impl TryFrom<EntryForm> for Entry {
    type Error = &'static str;

    fn try_from(form: EntryForm) -> Result<Entry, &'static str> {
        const ONE: &str = "an entry has exactly one of `deliver`, `together`, `initiate`, `restart: true`, `advance` and `begin`";
        let own = match (form.initiate, form.meanwhile) {
            (Some(own), Some(deliveries)) => Some(Act::Meanwhile(own, deliveries)),
            (Some(own), None) => Some(Act::Initiate(own)),
            (None, Some(_)) => return Err("`meanwhile` goes with `initiate`"),
            (None, None) => None,
        };
        if form.advance.is_some_and(|seconds| seconds > LONGEST_TIME) {
            return Err("`advance` is at most a year, in seconds");
        }
        if form.restart == Some(false) {
            return Err(ONE);
        }
        let acts = [
            form.deliver.map(Act::Deliver),
            form.together.map(Act::Together),
            own,
            form.restart.map(|_| Act::Restart),
            form.advance.map(Act::Advance),
            form.begin.map(Act::Begin),
        ];
        let mut acts = acts.into_iter().flatten();
        let (Some(act), None) = (acts.next(), acts.next()) else { return Err(ONE) };
        Ok(Entry { act, expect: form.expect, expect_if_refused: form.expect_if_refused })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DeliveryForm {
    event: EventFacts,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mutation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mutation_kind: Option<MutationKind>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    readings: Vec<EventFacts>,
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    effect: Effect,
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    signature: Signature,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mishap: Option<Mishap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<ApiFault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

impl From<Delivery> for DeliveryForm {
    fn from(delivery: Delivery) -> DeliveryForm {
        let (body, body_base64) = delivery.body.to_members();
        let Delivery { event, headers, fault, mutation, mutation_kind, readings, effect, signature, mishap, api, .. } = delivery;
        let headers = Arc::unwrap_or_clone(headers);
        DeliveryForm { event, headers, fault, mutation, mutation_kind, readings, effect, signature, mishap, api, body, body_base64 }
    }
}

impl TryFrom<DeliveryForm> for Delivery {
    type Error = String;

    fn try_from(form: DeliveryForm) -> Result<Delivery, String> {
        let DeliveryForm { event, headers, fault, mutation, mutation_kind, readings, effect, signature, mishap, api, body, body_base64 } =
            form;
        let (headers, body) = (Arc::new(headers), Body::from_members(body, body_base64)?);
        Ok(Delivery { event, headers, body, fault, mutation, mutation_kind, readings, effect, signature, mishap, api })
    }
}
