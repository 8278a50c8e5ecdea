//! How much memory a target has over a run: one that keeps something of every request it ever got grows without end.
//!
//! It is looked at now and then when a case is over. A process has a while before the first look, in which it loads what it needs;
//! one that was started anew is looked at anew.

/// After so many cases it is looked again.
#[cfg(all(unix, feature = "stdio"))]
const EVERY: u64 = 32;

/// How much a process grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// What it had at the first look, in KiB.
    pub from: u64,
    /// What it had at a later one, in KiB.
    pub to: u64,
    /// How many cases were over between the two.
    pub cases: u64,
}

impl Growth {
    /// Whether it is worth telling: twice as much, and more than programs take that clean up when it suits them.
    pub fn is_much(self) -> bool {
        const MUCH: u64 = 200 << 10;
        self.to >= self.from * 2 && self.to - self.from >= MUCH
    }

    /// What a report says of it: no figures, as those of the next run of the same seed are others.
    pub fn text() -> String {
        "its memory more than doubled over some cases, by more than 200 MiB".to_owned()
    }

    /// By how many KiB.
    pub fn by(self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// What was seen of one target's processes.
#[cfg(all(unix, feature = "stdio"))]
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// How many cases of the process that runs are over.
    cases: u64,
    /// What it had at the first look, and how many cases were over then.
    first: Option<(u64, u64)>,
    most: Option<Growth>,
}

#[cfg(all(unix, feature = "stdio"))]
impl Memory {
    /// A process was started.
    pub(super) fn begins(&mut self) {
        (self.cases, self.first) = (0, None);
    }

    /// A case is over; `read` says how many KiB the process has, where the system tells.
    pub(super) fn case_is_over(&mut self, read: impl FnOnce() -> Option<u64>) {
        self.cases += 1;
        if !self.cases.is_multiple_of(EVERY) {
            return;
        }
        let Some(now) = read() else { return };
        let (from, at) = *self.first.get_or_insert((now, self.cases));
        let growth = Growth { from, to: now, cases: self.cases - at };
        if self.most.is_none_or(|most| most.by() < growth.by()) {
            self.most = Some(growth);
        }
    }

    /// The most that a process grew.
    pub(super) fn growth(&self) -> Option<Growth> {
        self.most
    }
}

#[cfg(all(test, unix, feature = "stdio"))]
mod tests {
    use super::*;

    fn grown(readings: &[u64]) -> Option<Growth> {
        let mut memory = Memory::default();
        memory.begins();
        for reading in readings {
            (0..EVERY).for_each(|_| memory.case_is_over(|| Some(*reading)));
        }
        memory.growth()
    }

    #[test]
    fn nothing_is_said_before_the_second_look() {
        assert_eq!(grown(&[]), None);
        assert_eq!(grown(&[700_000]), Some(Growth { from: 700_000, to: 700_000, cases: 0 }));
    }

    #[test]
    fn the_most_counts() {
        assert_eq!(grown(&[100, 900, 300]), Some(Growth { from: 100, to: 900, cases: EVERY }));
    }

    #[test]
    fn a_new_process_begins_anew() {
        let mut memory = Memory::default();
        for reading in [100, 900] {
            memory.begins();
            (0..EVERY).for_each(|_| memory.case_is_over(|| Some(reading)));
        }
        assert_eq!(memory.growth(), Some(Growth { from: 100, to: 100, cases: 0 }));
    }

    #[test]
    fn much_is_twice_and_many() {
        let is_much = |from: u64, to: u64| Growth { from: from << 10, to: to << 10, cases: 64 }.is_much();
        assert_eq!([is_much(50, 240), is_much(50, 250), is_much(300, 550), is_much(300, 600)], [false, true, false, true]);
    }
}
