//! A connection and whoever uses it take turns, in one task.
//!
//! Each wakes the other for every step. Handed on to the runtime, that would put the task, which is running, into the
//! queue once more for nothing; so while they are worked off it is only noted that there is more to do.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// How many turns are taken before anyone else, a timer for one, has a turn.
const MOST_TURNS: usize = 32;

/// Rings when the connection or its user has something to do.
#[derive(Default)]
struct Bell {
    is_working: AtomicBool,
    has_rung: AtomicBool,
    sleeper: Mutex<Option<Waker>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        if !self.is_working.load(Ordering::Acquire)
            && let Some(sleeper) = &*self.sleeper.lock().unwrap_or_else(PoisonError::into_inner)
        {
            sleeper.wake_by_ref();
        }
    }
}

/// What belongs to one connection. The runtime has one thread, so nothing rings between the last look at the bell and
/// falling asleep.
pub(super) struct Turns {
    bell: Arc<Bell>,
    waker: Waker,
    /// Whom the bell wakes.
    sleeper: Option<Waker>,
}

impl Turns {
    pub(super) fn new() -> Turns {
        let bell = Arc::new(Bell::default());
        Turns { waker: Waker::from(Arc::clone(&bell)), bell, sleeper: None }
    }

    /// Polls the work, and the connection that it needs unless that has ended, until both wait for the other end.
    pub(super) fn take<T>(
        &mut self,
        context: &mut Context<'_>,
        mut work: Pin<&mut impl Future<Output = T>>,
        mut connection: Pin<&mut impl Future>,
        has_ended: &mut bool,
    ) -> Poll<T> {
        let Turns { bell, waker, sleeper } = self;
        if !sleeper.as_ref().is_some_and(|sleeper| sleeper.will_wake(context.waker())) {
            *sleeper = Some(context.waker().clone());
            bell.sleeper.lock().unwrap_or_else(PoisonError::into_inner).clone_from(sleeper);
        }
        let mut inner = Context::from_waker(waker);
        bell.is_working.store(true, Ordering::Release);
        let mut done = work.as_mut().poll(&mut inner);
        let mut turns = 0;
        while done.is_pending() && !*has_ended {
            bell.has_rung.store(false, Ordering::Release);
            *has_ended = connection.as_mut().poll(&mut inner).is_ready();
            if !bell.has_rung.load(Ordering::Acquire) && !*has_ended {
                break;
            }
            turns += 1;
            if turns == MOST_TURNS {
                context.waker().wake_by_ref();
                break;
            }
            done = work.as_mut().poll(&mut inner);
        }
        bell.is_working.store(false, Ordering::Release);
        done
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, sync::atomic::AtomicUsize};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Takes turns once with a connection that rings so often, and says what came of it and how often the task was woken.
    fn turns(rings: usize, needed: usize) -> (Poll<()>, usize) {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let polls = AtomicUsize::new(0);
        let connection = pin!(poll_fn(|context| {
            if polls.fetch_add(1, Ordering::SeqCst) < rings {
                context.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        }));
        let work = pin!(poll_fn(|_| if polls.load(Ordering::SeqCst) < needed { Poll::Pending } else { Poll::Ready(()) }));
        let done = Turns::new().take(&mut Context::from_waker(&waker), work, connection, &mut false);
        (done, woken.0.load(Ordering::SeqCst))
    }

    #[test]
    fn nobody_is_woken_who_is_awake() {
        assert_eq!(turns(5, 5), (Poll::Ready(()), 0));
    }

    #[test]
    fn who_waits_for_the_other_end_sleeps() {
        assert_eq!(turns(2, 5), (Poll::Pending, 0));
    }

    #[test]
    fn others_have_a_turn() {
        assert_eq!(turns(usize::MAX, usize::MAX), (Poll::Pending, 1));
    }

    #[test]
    fn the_sleeper_is_woken() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let kept = Mutex::new(None);
        let connection = pin!(poll_fn(|context| {
            *kept.lock().expect("no panic") = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        let work = pin!(std::future::pending::<()>());
        assert!(Turns::new().take(&mut Context::from_waker(&waker), work, connection, &mut false).is_pending());
        kept.lock().expect("no panic").take().expect("it was polled").wake();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_a_connection_left_is_taken() {
        let connection = pin!(std::future::ready(()));
        let mut polls = 0;
        let work = pin!(poll_fn(|_| {
            polls += 1;
            if polls < 2 { Poll::Pending } else { Poll::Ready(()) }
        }));
        let mut has_ended = false;
        assert!(Turns::new().take(&mut Context::from_waker(Waker::noop()), work, connection, &mut has_ended).is_ready());
        assert!(has_ended);
    }
}
