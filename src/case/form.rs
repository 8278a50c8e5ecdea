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
            expect: entry.expect,
            expect_if_refused: entry.expect_if_refused,
        };
        match entry.act {
            Act::Deliver(delivery) => form.deliver = Some(delivery),
            Act::Together(deliveries) => form.together = Some(deliveries),
            Act::Initiate(own) => form.initiate = Some(own),
            Act::Meanwhile(own, deliveries) => (form.initiate, form.meanwhile) = (Some(own), Some(deliveries)),
            Act::Restart => form.restart = Some(true),
        }
        form
    }
}

impl TryFrom<EntryForm> for Entry {
    type Error = &'static str;

    fn try_from(form: EntryForm) -> Result<Entry, &'static str> {
        let act = match (form.deliver, form.together, form.initiate, form.meanwhile, form.restart) {
            (Some(delivery), None, None, None, None) => Act::Deliver(delivery),
            (None, Some(deliveries), None, None, None) => Act::Together(deliveries),
            (None, None, Some(own), None, None) => Act::Initiate(own),
            (None, None, Some(own), Some(deliveries), None) => Act::Meanwhile(own, deliveries),
            (None, None, None, None, Some(true)) => Act::Restart,
            (None, None, None, Some(_), None) => return Err("`meanwhile` goes with `initiate`"),
            _ => return Err("an entry has exactly one of `deliver`, `together`, `initiate` and `restart: true`"),
        };
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
    #[serde(default, skip_serializing_if = "is_plain")]
    effect: Effect,
    #[serde(default, skip_serializing_if = "is_valid")]
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

fn is_plain(effect: &Effect) -> bool {
    *effect == Effect::Accept
}

fn is_valid(signature: &Signature) -> bool {
    *signature == Signature::Valid
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
