//! The clock of a run, which tests can set: signatures are dated, answers are timed and waivers expire by it. How long a whole run
//! took, and whether its time is over, is read from a clock of its own, so that a target whose time passes ends no run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A source of time. Clones of one clock show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { started: Instant },
    Manual { nanos: Arc<AtomicU64> },
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Clock {
        Clock(Kind::System { started: Instant::now() })
    }

    /// A clock that moves only when somebody sleeps by it: an in-process target can be slow at no cost.
    pub fn manual(unix_seconds: u64) -> Clock {
        Clock(Kind::Manual { nanos: Arc::new(AtomicU64::new(unix_seconds.saturating_mul(1_000_000_000))) })
    }

    /// A manual clock that starts now.
    pub fn manual_from_now() -> Clock {
        Clock::manual(system_seconds())
    }

    /// Seconds after 1970.
    pub fn unix_seconds(&self) -> u64 {
        match &self.0 {
            Kind::System { .. } => system_seconds(),
            Kind::Manual { nanos } => nanos.load(Ordering::SeqCst) / 1_000_000_000,
        }
    }

    /// The date in UTC.
    pub fn today(&self) -> jiff::civil::Date {
        let seconds = i64::try_from(self.unix_seconds()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX).to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// Time since some fixed moment; differences of two readings are durations.
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Kind::System { started } => started.elapsed(),
            Kind::Manual { nanos } => Duration::from_nanos(nanos.load(Ordering::SeqCst)),
        }
    }

    /// Lets the time pass: sleeps, or moves a manual clock on.
    pub fn sleep(&self, time: Duration) {
        match &self.0 {
            Kind::System { .. } => std::thread::sleep(time),
            Kind::Manual { nanos } => {
                nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
            }
        }
    }
}

fn system_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
