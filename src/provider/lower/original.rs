//! The event itself: how it arrives, and when again.

use crate::{
    case::{Body, Delivery, Effect, Mishap},
    mutate::significant,
    plan::{FaultKind, MutationKind},
};

/// Puts the original in line, with its redeliveries.
pub(super) fn deliver(
    line: &mut Vec<(u32, Delivery)>,
    original: Delivery,
    place: u32,
    befalls: &[&FaultKind],
    later: impl Fn(u32, u8) -> u32,
) {
    let again = |fault: &str| Delivery { fault: Some(fault.to_owned()), api: None, ..original.clone() };
    let (mut mishap, mut is_broken) = (original.mishap, false);
    for kind in befalls {
        match **kind {
            FaultKind::Again { after } => line.push((later(place, after), again("redelivery"))),
            FaultKind::AnswerLost { after, how } => {
                line.push((later(place, after), again("redelivery after a lost answer")));
                mishap = loss(how);
            }
            FaultKind::KilledDuring { after, patience } => {
                line.push((later(place, after), again("redelivery after a kill")));
                mishap = Some(Mishap::Killed { after_ms: PATIENCE[usize::from(patience) % PATIENCE.len()] });
            }
            FaultKind::DiskFull => mishap = Some(Mishap::DiskFull),
            FaultKind::StandsStill { long } => mishap = Some(Mishap::StandsStill { for_ms: STILL[usize::from(long) % STILL.len()] }),
            FaultKind::BrokenFirst { at, after } if !is_broken => {
                is_broken = true;
                line.push((place, broken_off(&original, at)));
                line.push((later(place, after), again("redelivery after a broken body")));
            }
            _ => {}
        }
    }
    if !is_broken {
        line.push((place, Delivery { mishap, ..original }));
    }
}

/// The ways to lose an answer; the first loses nothing else.
fn loss(how: u8) -> Option<Mishap> {
    const WAYS: [Mishap; 4] = [Mishap::AnswerUnread, Mishap::Reset, Mishap::HalfSent, Mishap::SlowReading];
    Some(WAYS[usize::from(how) % WAYS.len()])
}

/// How many milliseconds a target has before it is killed: nothing, or about what handling a delivery takes.
const PATIENCE: [u16; 5] = [0, 1, 2, 4, 8];

/// How many milliseconds a target stands still: less and more than what its own timers are set to, and less than anybody waits for
/// its answer. Nobody who shares the target does anything meanwhile, so that the longest is rare.
const STILL: [u16; 8] = [50, 250, 50, 50, 250, 50, 50, 1250];

fn broken_off(whole: &Delivery, at: u16) -> Delivery {
    let bytes = whole.body.bytes();
    // An empty body is its own kind of broken; at least one byte that is no white space is missing.
    let end = usize::from(at) % significant(bytes).max(1);
    Delivery {
        body: Body::new(&bytes[..end]),
        mutation: Some(MutationKind::Truncate.name().to_owned()),
        mutation_kind: Some(MutationKind::Truncate),
        fault: None,
        effect: Effect::Reject,
        ..whole.clone()
    }
}
