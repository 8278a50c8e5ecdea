//! Plain data that every other room speaks: money, currencies, times, order refund states.
//!
//! Nothing here does I/O, knows a provider or draws a random number.

mod amount;
mod clock;
mod currency;
mod state;
mod time;

pub use amount::{Amount, AmountError};
pub use clock::Clock;
pub use currency::Currency;
pub use state::{OrderState, RefundState, RefundView, Status};
pub use time::EventTime;
