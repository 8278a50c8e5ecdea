//! `attribution`: how well a run tells the mistakes of a target apart.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::bail;
use refundproof::{
    adapter::{Hello, Introduction, Request, Target, TargetError},
    domain::Clock,
    provider::named,
    reference::{ReferenceShop, faults},
    run::{Launch, Options, certify},
};

pub(crate) fn measure(provider: &str, cases: u32, seed: u64) -> anyhow::Result<String> {
    let Some(registered) = named(provider) else { bail!("provider `{provider}` is unknown") };
    let provider = registered.embedded();
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = String::new();
    for fault in faults() {
        if fault.aimed_at(provider.name(), provider.corpus()).is_none() {
            continue;
        }
        let clock = Clock::manual_from_now();
        let shop = clock.clone();
        let count = std::sync::Arc::new(AtomicU64::new(0));
        let kind = fault.fault;
        let c2 = count.clone();
        let make = move || Ok(Box::new(Counting(ReferenceShop::with_fault(kind, shop.clone()), c2.clone())) as Box<dyn Target>);
        let launch = Launch::new("in-process", "", clock, make);
        let options = Options { cases, seed, ..Options::default() };
        let started = std::time::Instant::now();
        let report = certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {})?;
        let told: Vec<String> = report
            .findings
            .iter()
            .map(|f| {
                format!(
                    "[{} like {} d{} also{} masks{}]",
                    f.about,
                    f.like.as_ref().map_or("-", |l| l.fault.as_str()),
                    f.deliveries,
                    f.also_fails.len(),
                    f.masks.len()
                )
            })
            .collect();
        let aim = fault.aimed_at(provider.name(), provider.corpus()).unwrap_or("");
        let line = format!(
            "{} n{} {} ms{} {} {}\n",
            fault.name,
            report.findings.len(),
            count.load(Ordering::Relaxed),
            started.elapsed().as_millis(),
            if report.findings.first().is_some_and(|f| f.about == aim) { "OK" } else { aim },
            told.join(" ")
        );
        eprint!("{line}");
        out.push_str(&line);
    }
    Ok(out)
}

struct Counting(ReferenceShop, std::sync::Arc<AtomicU64>);

impl Target for Counting {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.0.hello(hello)
    }
    fn begin(&mut self, case: &str, orders: &[refundproof::case::OrderSetup]) -> Result<(), TargetError> {
        self.0.begin(case, orders)
    }
    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.deliver(request)
    }
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        self.1.fetch_add(requests.len() as u64, Ordering::Relaxed);
        self.0.deliver_together(requests)
    }
    fn initiate(&mut self, own: &refundproof::case::OwnRefund) -> Result<(), TargetError> {
        self.0.initiate(own)
    }
    fn observe(&mut self, order_id: &str) -> Result<Option<refundproof::domain::OrderState>, TargetError> {
        self.0.observe(order_id)
    }
    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.0.end(case)
    }
    fn restart(&mut self) -> Result<(), TargetError> {
        self.0.restart()
    }
    fn complaints(&mut self) -> String {
        self.0.complaints()
    }
}
