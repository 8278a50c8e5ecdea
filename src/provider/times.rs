//! When events come into being: they follow the steps of a plan, and no clock is asked.

use super::Mint;
use crate::{
    domain::{EventTime, RefundState},
    model::Change,
};

/// Moments, in seconds after 1970, at which those who take the wrong zone or the wrong day for the right one go wrong: the
/// text of a time falls into an hour that summer time skips (if it is taken for a local time), a local time is repeated, a
/// day, a month or a year ends.
const EDGES: [i64; 10] = [
    // 2022-03-27T03:00 as a time of Central Europe: the hour before it is skipped there.
    1_648_350_000,
    // 2022-10-30T01:00Z: in Europe the hour that begins then is told by the same local times as the one before.
    1_667_091_600,
    // 2022-03-27T02:00 as a time of Western Europe.
    1_648_346_400,
    // 2022-03-13T03:00 as a time of North America, in any of its zones.
    1_647_140_400,
    // 2022-11-06T06:00Z and 09:00Z: local times are repeated in New York, in Los Angeles.
    1_667_714_400,
    1_667_725_200,
    // The end of a day, of a month, of February and of a year.
    1_655_337_600,
    1_659_312_000,
    1_646_092_800,
    1_672_531_200,
];

/// When an order is made that plans put at an edge, in microseconds after 1970: so shortly before it that its events come on
/// both sides. Nothing for the moment zero.
pub(super) fn start(moment: u8, draw: u64) -> Option<i64> {
    const BEFORE: [i64; 4] = [400_000, 1_500_000, 1_500_000, 9_000_000];
    let edge = EDGES[usize::from(moment.checked_sub(1)?) % EDGES.len()];
    Some(edge * 1_000_000 - BEFORE[usize::try_from(draw % 4).unwrap_or(0)])
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_made_just_before_an_edge() {
        assert_eq!(start(0, 7), None);
        for moment in 1..=u8::MAX {
            for draw in 0..8 {
                let made = start(moment, draw).expect("a time");
                let edge = EDGES[usize::from(moment - 1) % EDGES.len()] * 1_000_000;
                assert!((1..10_000_000).contains(&(edge - made)), "{moment} {draw}");
            }
        }
    }

    #[test]
    fn edges_are_what_they_are_said_to_be() {
        let texts: Vec<String> = EDGES.iter().map(|edge| EventTime::from_micros(edge * 1_000_000).to_string()).collect();
        assert!(texts.iter().all(|text| text.ends_with(":00:00Z")), "{texts:?}");
        assert_eq!(texts[..2], ["2022-03-27T03:00:00Z", "2022-10-30T01:00:00Z"]);
    }
}
