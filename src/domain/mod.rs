//! Plain data that every other room speaks: money, currencies, times, order refund states.
//!
//! Nothing here does I/O, knows a provider or draws a random number.

mod amount;
mod clock;
mod currency;
mod lifecycle;
mod secret;
mod state;
mod time;
mod words;

pub use amount::{Amount, AmountError};
pub use clock::Clock;
pub use currency::Currency;
pub use lifecycle::Lifecycle;
pub use secret::Secret;
pub use state::{OrderState, RefundState, RefundView, Status};
pub use time::EventTime;
pub(crate) use words::cut;
pub use words::{did_you_mean, nearest};

/// Bytes as hexadecimal digits, two for each, in small letters.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether an event type fits a pattern: the type itself, or its beginning with `*` at the end.
pub fn fits_pattern(pattern: &str, kind: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == kind, |prefix| kind.starts_with(prefix))
}
