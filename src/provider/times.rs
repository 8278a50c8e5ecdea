//! When events come into being: they follow the steps of a plan, and no clock is asked.

use super::Mint;
use crate::{
    domain::{EventTime, RefundState},
    model::Change,
};

/// The next creation time of an order. Steps and digits vary; what is written strictly increases.
pub(super) fn next_time(now: &mut i64, look: u32, moment: u64, event: usize) -> EventTime {
    const DIGITS: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let draw = Mint::new(u64::from(look)).number("time", moment * 64 + event as u64);
    // A consumer that keeps times to the millisecond must be able to order them.
    let (step, grain) = if look == 0 {
        (1_000_000, 1_000_000)
    } else {
        let step = [1_000, 9_000, 700_000, 4_000_000, 75_000_000][usize::try_from(draw % 5).unwrap_or(0)];
        (step, DIGITS[usize::try_from((draw >> 8) % 7).unwrap_or(0)])
    };
    // Rounded up to the grain, so that fewer digits never mean an earlier time.
    let raw = *now + step + i64::try_from((draw >> 16) % 37).unwrap_or(0);
    *now = if look == 0 { *now + step } else { (raw / grain + 1) * grain };
    EventTime::from_micros(*now)
}

/// Whether a change may bear the second of the one before: the states of the refund must tell which came first, and nothing
/// else may be told of it that they do not.
pub(super) fn may_tie(change: &Change) -> bool {
    match change {
        Change::Moved { from, to, .. } => from.is_open() && *to == RefundState::Succeeded,
        Change::MetadataUpdated { .. } => true,
        _ => false,
    }
}

/// The next creation time of an order whose provider writes whole seconds: a change has a second of its own unless it is tied
/// to the one before, and the events of a change come in the same second or in the next.
pub(super) fn next_second(now: &mut i64, look: u32, moment: u64, event: usize, is_tied: bool) -> EventTime {
    const STEPS: [i64; 5] = [1, 2, 14, 75, 86_400];
    let draw = Mint::new(u64::from(look)).number("second", moment * 64 + event as u64);
    let seconds = match (event, look) {
        (0, _) if is_tied => 0,
        (0, 0) => 1,
        (0, _) => STEPS[usize::try_from(draw % 5).unwrap_or(0)],
        (_, 0) => 0,
        _ => i64::from(draw.is_multiple_of(4)),
    };
    *now += seconds * 1_000_000;
    EventTime::from_micros(*now)
}
