//! Targets in this process, which panic with anything and everywhere.

use std::{
    any::Any,
    panic::{panic_any, resume_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use refundproof::{
    adapter::{Target, TargetError},
    domain::Clock,
    drive::Launch,
    run::certify,
    verdict::Report,
};
use rstest::rstest;

use crate::{
    common::{
        only, provider, quick,
        reached::{At, Reached},
        shop, silence_targets,
    },
    texts::EVIL,
};

/// What somebody panics with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Number,
    Nothing,
    Box,
    HugeText,
    Commands,
    /// No hook is called.
    Resumed,
    /// Panics when it is dropped, and what it panics with then does as well.
    Again,
    Arithmetic,
    PoisonedLock,
}

struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Bomb(self.0 - 1));
        }
    }
}

/// Panics somewhere, so often.
struct Panicky {
    at: At,
    with: With,
    left: Arc<AtomicUsize>,
    /// All targets of a run have it in common.
    lock: Arc<Mutex<u32>>,
}

impl Panicky {
    fn reach(&self, at: At) {
        let takes = |left: usize| left.checked_sub(1);
        if self.at != at || self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes).is_err() {
            return;
        }
        let payload: Box<dyn Any + Send> = match self.with {
            With::Number => panic_any(7_u64),
            With::Nothing => panic_any(()),
            With::Box => panic_any(Box::new(Box::new("boxed"))),
            With::HugeText => panic!("{}", "x".repeat(10_000_000)),
            With::Commands => panic!("{EVIL}"),
            With::Again => panic_any(Bomb(3)),
            With::Arithmetic => panic!("{}", 1 / (self.left.load(Ordering::SeqCst) / usize::MAX)),
            With::PoisonedLock => {
                let _held = self.lock.lock().expect("nobody panicked with it");
                panic!("with a lock")
            }
            With::Resumed => Box::new("resumed"),
        };
        resume_unwind(payload)
    }
}

fn certified(at: At, with: With, times: usize, jobs: usize) -> Result<Report, TargetError> {
    silence_targets();
    let (left, lock) = (Arc::new(AtomicUsize::new(times)), Arc::default());
    let make = move || {
        let shop = shop(None, &Clock::system());
        let panicky = Panicky { at, with, left: Arc::clone(&left), lock: Arc::clone(&lock) };
        Ok(Box::new(Reached { shop, first: move |at| panicky.reach(at) }) as Box<dyn Target>)
    };
    let launch = Launch::new("in-process", "", Clock::system(), make);
    let options = quick(3, 1).with(|options| {
        options.selection = only(&["refund-complete-*", "survives-*"]);
        options.jobs = jobs;
    });
    certify(provider(), &launch, &options, &AtomicBool::new(false), &mut |_| {})
}

#[rstest]
fn whatever_it_panics_with(
    #[values(
        With::Number,
        With::Nothing,
        With::Box,
        With::HugeText,
        With::Commands,
        With::Resumed,
        With::Again,
        With::Arithmetic,
        With::PoisonedLock
    )]
    with: With,
    #[values(At::Hello, At::Begin, At::Deliver, At::Observe, At::Restart, At::End, At::Drop)] at: At,
    #[values(1, usize::MAX)] times: usize,
) {
    for jobs in [1, 3] {
        let text = match certified(at, with, times, jobs) {
            Ok(report) => serde_json::to_string(&report).expect("JSON"),
            Err(error) => error.to_string(),
        };
        assert!(!text.contains("the harness itself"), "{text}");
        assert!(text.len() < 500_000, "{} bytes", text.len());
        if at != At::Drop {
            assert!(text.contains("panicked: "), "{text}");
        }
    }
}

/// Services panic in places that a plain target does not have.
#[cfg(feature = "tower")]
mod services {
    use std::{
        future::{Ready, ready},
        task::{Context, Poll},
    };

    use axum::body::Bytes;
    use http_body_util::{BodyExt, Full, combinators::BoxBody};
    use refundproof::{adapter::TowerTarget, domain::OrderState};

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum In {
        Clone,
        Ready,
        Call,
        Body,
        Start,
        SetUp,
        Shown,
    }

    /// It acknowledges everything.
    struct Service(In);

    impl Service {
        fn reach(&self, place: In) {
            assert!(self.0 != place, "in a service");
        }
    }

    impl Clone for Service {
        fn clone(&self) -> Service {
            self.reach(In::Clone);
            Service(self.0)
        }
    }

    impl tower_service::Service<http::Request<Full<Bytes>>> for Service {
        type Response = http::Response<BoxBody<Bytes, std::convert::Infallible>>;
        type Error = &'static str;
        type Future = Ready<Result<Self::Response, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            self.reach(In::Ready);
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<Full<Bytes>>) -> Self::Future {
            self.reach(In::Call);
            let place = self.0;
            let body = Full::from("taken").map_frame(move |frame| {
                assert!(place != In::Body, "in a service");
                frame
            });
            ready(Ok(http::Response::new(body.boxed())))
        }
    }

    #[rstest]
    fn wherever_a_service_panics(
        #[values(In::Clone, In::Ready, In::Call, In::Body, In::Start, In::SetUp, In::Shown)] place: In,
        #[values(1, 3)] jobs: usize,
    ) {
        silence_targets();
        let make = move || {
            let target = TowerTarget::started_by(move |_| {
                Service(place).reach(In::Start);
                async move { Service(place) }
            });
            let target = target.webhook("/").shown_by(move |_| {
                Service(place).reach(In::Shown);
                async { None::<OrderState> }
            });
            let target = target.set_up_by(move |_| {
                Service(place).reach(In::SetUp);
                async {}
            });
            Ok(Box::new(target) as Box<dyn Target>)
        };
        let launch = Launch::new("in-process", "", Clock::system(), make);
        let options = quick(3, 1).with(|options| {
            options.selection = only(&["refund-complete-*"]);
            options.jobs = jobs;
        });
        let text = match certify(provider(), &launch, &options, &AtomicBool::new(false), &mut |_| {}) {
            Ok(report) => serde_json::to_string(&report).expect("JSON"),
            Err(error) => error.to_string(),
        };
        assert!(text.contains("panicked: in a service") && !text.contains("the harness itself"), "{text}");
    }
}
