//! So many requests at the same time and no more, whoever sends them.
//!
//! A target claims how many deliveries it takes at once. Cases that are under way at the same time have one request each, or
//! several where deliveries are to race; together they keep to the claim. Who came first is served first, so that a group
//! that needs many is not passed over for ever.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is handed out.
pub(super) struct Permits {
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    most: usize,
    free: usize,
    /// The number of who comes next, and of who is served next.
    next: u64,
    serving: u64,
}

/// Some permits, given back when this is dropped.
pub(super) struct Held<'p> {
    permits: &'p Permits,
    count: usize,
}

impl Permits {
    /// So many; at least one.
    pub(super) fn new(most: usize) -> Permits {
        let most = most.max(1);
        Permits { state: Mutex::new(State { most, free: most, next: 0, serving: 0 }), news: Condvar::new() }
    }

    /// Makes it so many, while none is held.
    pub(super) fn allow(&self, most: usize) {
        let mut state = self.lock();
        (state.most, state.free) = (most.max(1), most.max(1));
    }

    /// Waits until so many are free; all of them where there are not so many.
    pub(super) fn take(&self, count: usize) -> Held<'_> {
        let mut state = self.lock();
        let count = count.clamp(1, state.most);
        let number = state.next;
        state.next += 1;
        while state.serving != number || state.free < count {
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.serving += 1;
        state.free -= count;
        drop(state);
        // The next one may need less.
        self.news.notify_all();
        Held { permits: self, count }
    }

    /// Nobody panics while it is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.permits.lock().free += self.count;
        self.permits.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    /// How many were held at once at most, of so many, by threads that each take so many a few times.
    fn most_held(permits: usize, takes: &[usize]) -> usize {
        let (permits, held, most) = (Permits::new(permits), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for &count in takes {
                let (permits, held, most) = (&permits, &held, &most);
                scope.spawn(move || {
                    for _ in 0..50 {
                        let taken = permits.take(count);
                        most.fetch_max(held.fetch_add(taken.count, Ordering::SeqCst) + taken.count, Ordering::SeqCst);
                        thread::yield_now();
                        held.fetch_sub(taken.count, Ordering::SeqCst);
                    }
                });
            }
        });
        most.load(Ordering::SeqCst)
    }

    #[test]
    fn no_more_are_held_than_there_are() {
        assert!(most_held(3, &[1, 1, 1, 1, 2, 3]) <= 3);
        assert_eq!(most_held(1, &[1, 1, 1]), 1);
    }

    #[test]
    fn who_wants_more_than_there_are_gets_all() {
        assert_eq!(most_held(2, &[5]), 2);
        assert_eq!(most_held(0, &[1]), 1);
    }
}
