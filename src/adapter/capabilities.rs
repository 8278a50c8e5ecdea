//! What a target claims to be able to do (`docs/adapter-protocol.md`, "Capabilities").

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{domain::fits_pattern, model::Sight};

/// A target's claims. What it does not claim is not judged, and the report says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("additionalProperties" = false)))]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Capabilities {
    /// Optional fields that it reports.
    pub observes: Vec<Observable>,
    /// Event types that it asks the provider to send, `*` allowed at the end; everything if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribes: Option<Vec<String>>,
    /// Statuses that it cannot tell apart.
    pub equivalent_statuses: Vec<Vec<String>>,
    /// It checks the signature header with the secret from `hello`.
    pub verifies_signatures: bool,
    /// Its state survives a kill and a restart.
    pub durable: bool,
    /// It may acknowledge first and apply later.
    pub asynchronous: bool,
    /// It can be told of refunds that the shop made itself.
    pub initiates_refunds: bool,
    /// Deliveries that it accepts at the same time, at least one.
    pub concurrency: u32,
    /// It takes "now" from `advance`, and does by then what its own jobs would do.
    pub clock: bool,
    /// It looks things up at the provider's API, and makes refunds through it.
    pub calls_back: bool,
    /// It is registered for the provider's older API version, where there is one: it is sent bodies of that version, and no
    /// event that the version does not have.
    pub older_api_version: bool,
}

/// An optional field of the order refund state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Observable {
    /// The currency.
    Currency,
    /// The refund objects.
    Refunds,
    /// What is still available.
    AvailableToRefundAmount,
    /// What was charged back.
    ChargedBackAmount,
}

impl Default for Capabilities {
    fn default() -> Capabilities {
        Capabilities {
            observes: Vec::new(),
            subscribes: None,
            equivalent_statuses: Vec::new(),
            verifies_signatures: false,
            durable: false,
            asynchronous: false,
            initiates_refunds: false,
            concurrency: 1,
            clock: false,
            calls_back: false,
            older_api_version: false,
        }
    }
}

impl Capabilities {
    /// The names of all claims, as targets write them.
    #[doc(hidden)]
    pub const NAMES: [&str; 11] = [
        "observes",
        "subscribes",
        "equivalentStatuses",
        "verifiesSignatures",
        "durable",
        "asynchronous",
        "initiatesRefunds",
        "concurrency",
        "clock",
        "callsBack",
        "olderApiVersion",
    ];

    /// No claims: only what everybody must show is judged, and one delivery comes at a time.
    pub fn new() -> Capabilities {
        Capabilities::default()
    }

    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Capabilities)) -> Capabilities {
        change(&mut self);
        self
    }

    /// The claims of a target of which everything can be asked, several deliveries at the same time included.
    #[doc(hidden)]
    pub fn everything() -> Capabilities {
        Capabilities {
            observes: vec![Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount],
            verifies_signatures: true,
            durable: true,
            initiates_refunds: true,
            concurrency: 4,
            ..Capabilities::default()
        }
    }

    /// Whether the provider would send it events of this type.
    pub fn is_subscribed(&self, kind: &str) -> bool {
        self.subscribes.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| fits_pattern(pattern, kind)))
    }

    /// Whether a capability that a requirement needs is claimed; `concurrency` means more than one.
    #[doc(hidden)]
    pub fn has(&self, capability: &str) -> bool {
        match capability {
            "verifiesSignatures" => self.verifies_signatures,
            "durable" => self.durable,
            "asynchronous" => self.asynchronous,
            "initiatesRefunds" => self.initiates_refunds,
            "concurrency" => self.concurrency > 1,
            "clock" => self.clock,
            "callsBack" => self.calls_back,
            "olderApiVersion" => self.older_api_version,
            _ => false,
        }
    }

    /// What the target can show, for judging.
    #[doc(hidden)]
    pub fn sight(&self) -> Sight {
        Sight {
            currency: self.observes.contains(&Observable::Currency),
            refunds: self.observes.contains(&Observable::Refunds),
            available: self.observes.contains(&Observable::AvailableToRefundAmount),
            charged_back: self.observes.contains(&Observable::ChargedBackAmount),
            equivalent: self.equivalent_statuses.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_has_its_name() {
        let all = Capabilities { subscribes: Some(Vec::new()), ..Capabilities::default() };
        let value = crate::json::to_value(&all).expect("JSON");
        let names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, Capabilities::NAMES);
    }
}
