//! What the endpoints of a web service are told and how they refuse, over HTTP and in process alike.

use std::time::Duration;

use serde::Serialize;

use super::{TargetErrorKind, shown};
use crate::case::OrderSetup;

/// What stands for the order's id where an order is shown.
pub(super) const ORDER_ID: &str = "{orderId}";
/// What stands for the name of an endpoint where deliveries are posted, with a provider that has several.
#[cfg(all(unix, feature = "http"))]
pub(super) const ENDPOINT: &str = "{endpoint}";

/// What is posted when a case begins.
#[derive(Serialize)]
pub(super) struct CaseBegun<'a> {
    pub(super) case: &'a str,
    pub(super) orders: &'a [OrderSetup],
}

/// What is posted when time passes.
#[derive(Serialize)]
pub(super) struct TimePassed {
    seconds: u64,
}

impl TimePassed {
    pub(super) fn of(time: Duration) -> TimePassed {
        TimePassed { seconds: time.as_secs() }
    }
}

/// An answer that says that it could not be done.
pub(super) fn refused(place: &str, status: u16, body: &[u8]) -> TargetErrorKind {
    let body = if body.is_empty() { String::new() } else { format!(": `{}`", shown(body)) };
    TargetErrorKind::Refused(format!("{place} answered {status}{body}"))
}
