//! What several test binaries share.
#![allow(dead_code, reason = "each test binary uses its own part of this")]

pub(crate) mod around;
pub(crate) mod place;
pub(crate) mod reached;
pub(crate) mod sample;
pub(crate) mod server;
pub(crate) mod stranger;

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use mimalloc::MiMalloc;
use refundproof::{
    adapter::Target,
    corpus::Corpus,
    domain::Clock,
    drive::Launch,
    findings::ShrinkLimits,
    provider::{Provider, registered},
    reference::{Fault, ReferenceShop},
    run::{Options, Selection, certify},
    verdict::Report,
};

/// The program's: certifications are most of what these binaries do.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The provider that is meant where none is named.
pub(crate) fn provider() -> &'static dyn Provider {
    registered()[0].embedded()
}

/// Every provider.
pub(crate) fn providers() -> impl Iterator<Item = &'static dyn Provider> {
    registered().iter().map(|provider| provider.embedded())
}

pub(crate) fn corpus() -> &'static Corpus {
    provider().corpus()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The reference, or one of its faults, on a clock that can be moved.
pub(crate) fn shop(fault: Option<Fault>, clock: &Clock) -> Box<dyn Target> {
    match fault {
        Some(fault) => Box::new(ReferenceShop::with_fault(fault, clock.clone())),
        None => Box::new(ReferenceShop::new(clock.clone())),
    }
}

/// Certifies the reference or a fault.
pub(crate) fn certified(fault: Option<Fault>, options: &Options) -> Report {
    certified_for(provider(), fault, options)
}

/// Certifies the reference or a fault for a provider.
pub(crate) fn certified_for(provider: &dyn Provider, fault: Option<Fault>, options: &Options) -> Report {
    certified_target(provider, &|clock| shop(fault, clock), options)
}

/// Certifies whatever is made on a clock that can be moved.
pub(crate) fn certified_target(provider: &dyn Provider, make: &(dyn Fn(&Clock) -> Box<dyn Target> + Sync), options: &Options) -> Report {
    certified_over("in-process", provider, make, options)
}

/// The same, as if it were reached over such a transport.
pub(crate) fn certified_over(
    transport: &'static str,
    provider: &dyn Provider,
    make: &(dyn Fn(&Clock) -> Box<dyn Target> + Sync),
    options: &Options,
) -> Report {
    silence_targets();
    let clock = Clock::manual(1_750_000_000);
    let maker = clock.clone();
    let launch = Launch::new(transport, "", clock, move || Ok(make(&maker)));
    certify(provider, &launch, options, &AtomicBool::new(false), &mut |_| {}).expect("the reference starts")
}

/// Certifies with so many cases, and without shrinking. With one worker: a faulty shop that mixes up its cases shows other
/// things when others come before, and what is committed must not depend on who was quicker.
pub(crate) fn quick(cases: u32, seed: u64) -> Options {
    let shrink = ShrinkLimits { attempts: 0, ..ShrinkLimits::default() };
    Options::new().with(|options| {
        options.cases = cases;
        options.seed = seed;
        options.shrink = shrink;
        options.jobs = 1;
    })
}

pub(crate) fn only(ids: &[&str]) -> Selection {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    Selection::new(&ids, &[]).expect("globs")
}

/// Panics of in-process faults are findings; their traces would only be noise.
pub(crate) fn silence_targets() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !refundproof::drive::is_in_target() {
                usual(info);
            }
        }));
    });
}
