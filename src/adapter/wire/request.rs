//! The lines that the harness writes.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    adapter::Request,
    case::{OrderSetup, OwnRefundDetails},
};

/// One line that the harness writes: a request.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Request"))]
pub(in crate::adapter) struct RequestLine<'a> {
    /// The number of the request; the answer repeats it.
    pub(in crate::adapter) id: u64,
    /// What is to be done.
    #[serde(flatten)]
    pub(in crate::adapter) operation: Operation<'a>,
}

/// What a target is asked to do.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(in crate::adapter) enum Operation<'a> {
    /// The first request, and the first after every start. The target says who it is.
    Hello {
        /// The version of the contract.
        protocol: u32,
        /// The provider whose events will be delivered.
        provider: &'a str,
        /// What deliveries are signed with.
        secret: &'a str,
        /// Where the provider's API is served for this run, without a path; absent where it is not.
        #[serde(skip_serializing_if = "Option::is_none")]
        api_base_url: Option<&'a str>,
        /// What else a signature is verified with, by the provider's names; absent where the secret is all.
        #[serde(skip_serializing_if = "Option::is_none")]
        keys: Option<&'a BTreeMap<String, String>>,
        /// Whether all events of the run are of the provider's live mode; absent where they are of its test mode.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        live_mode: bool,
    },
    /// A case begins: these orders exist and are captured.
    Begin {
        /// The case's name.
        case: &'a str,
        /// Its orders. Their ids are never used again.
        orders: &'a [OrderSetup],
    },
    /// One webhook delivery. The body comes either as `body` or as `bodyBase64`.
    Deliver {
        /// The headers; names are lower case.
        #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, String>"))]
        headers: Headers<'a>,
        /// The body, where it is UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        body: Option<&'a str>,
        /// The body in base64, where it is not UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        body_base64: Option<String>,
        /// The endpoint that it goes to; absent where the provider has only one.
        #[serde(skip_serializing_if = "Option::is_none")]
        endpoint: Option<&'a str>,
    },
    /// The shop itself asked the provider for this refund and got its id back. Only with `initiatesRefunds`.
    Initiate {
        /// The order.
        order_id: &'a str,
        /// The refund.
        refund: &'a OwnRefundDetails,
    },
    /// So many seconds pass. Only with `clock`.
    Advance {
        /// How many.
        seconds: u64,
    },
    /// Show the refund state of an order.
    Observe {
        /// The order.
        order_id: &'a str,
    },
    /// The case is over.
    End {
        /// The case's name.
        case: &'a str,
    },
    /// The run is over. Nothing is answered; the target exits.
    Bye,
}

impl<'a> Operation<'a> {
    /// The delivery of a webhook request.
    pub(in crate::adapter) fn deliver(request: &Request<'a>) -> Operation<'a> {
        let (headers, endpoint) = (Headers(request.headers), request.endpoint());
        match std::str::from_utf8(request.body) {
            Ok(text) => Operation::Deliver { headers, body: Some(text), body_base64: None, endpoint },
            Err(_) => Operation::Deliver { headers, body: None, body_base64: Some(STANDARD.encode(request.body)), endpoint },
        }
    }

    /// The word on the wire.
    pub(in crate::adapter) fn name(&self) -> &'static str {
        match self {
            Operation::Hello { .. } => "hello",
            Operation::Begin { .. } => "begin",
            Operation::Deliver { .. } => "deliver",
            Operation::Initiate { .. } => "initiate",
            Operation::Advance { .. } => "advance",
            Operation::Observe { .. } => "observe",
            Operation::End { .. } => "end",
            Operation::Bye => "bye",
        }
    }
}

impl RequestLine<'_> {
    /// Appends the line with its end.
    pub(in crate::adapter) fn write_to(&self, buffer: &mut Vec<u8>) {
        serde_json::to_writer(&mut *buffer, self).expect("names are strings and a buffer in memory takes everything");
        buffer.push(b'\n');
    }
}

/// Headers as a JSON object.
#[derive(Debug)]
pub(in crate::adapter) struct Headers<'a>(&'a [(String, String)]);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let is_same = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
            if self.0[..index].iter().any(|header| is_same(&header)) {
                continue;
            }
            // HTTP lets headers of one name be joined, and a JSON object has each name once.
            let mut value = Cow::Borrowed(value.as_str());
            for (_, more) in self.0[index + 1..].iter().filter(is_same) {
                value.to_mut().push_str(", ");
                value.to_mut().push_str(more);
            }
            map.serialize_entry(&*in_lower_case(name), &value)?;
        }
        map.end()
    }
}

fn in_lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}
