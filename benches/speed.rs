//! How fast plans are lowered, the reference works, and a whole certification runs.
//!
//! `cargo bench` prints deliveries a second for the first two.

use std::{hint::black_box, sync::atomic::AtomicBool};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use refundproof::{
    adapter::{Hello, Request, Target},
    case::Case,
    domain::Clock,
    drive::Launch,
    plan::{Plan, Recipe, for_recipe},
    provider::{Provider, digital_river::DigitalRiver, lower, registered},
    reference::ReferenceShop,
    run::{Options, certify, sample},
};

const SECRET: &str = "whsec_bench";

fn plans(provider: &dyn Provider) -> Vec<Plan> {
    [Recipe::Plain, Recipe::OutOfOrder, Recipe::SeveralOrders, Recipe::MixedTraffic]
        .iter()
        .flat_map(|recipe| {
            let strategy = for_recipe(*recipe, provider.palette());
            (0..25).filter_map(move |seed| sample(&strategy, seed)).collect::<Vec<_>>()
        })
        .collect()
}

fn lowering(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lowering");
    for provider in registered().iter().map(|provider| provider.embedded()) {
        let plans = plans(provider);
        let deliveries: usize = plans.iter().map(|plan| lower(provider, plan, 1).case.deliveries()).sum();
        group.throughput(Throughput::Elements(deliveries as u64));
        group.bench_function(provider.name(), |bench| {
            bench.iter(|| {
                for plan in &plans {
                    black_box(lower(provider, plan, 1));
                }
            });
        });
    }
    group.finish();
}

/// A delivery as the reference gets it: headers and body.
type Signed = (Vec<(String, String)>, Vec<u8>);

fn signed(case: &Case, clock: &Clock) -> Vec<Signed> {
    let provider = DigitalRiver::embedded();
    case.all_deliveries()
        .map(|delivery| (provider.sign(&[SECRET], clock.unix_seconds(), delivery.body.bytes()), delivery.body.bytes().to_vec()))
        .collect()
}

fn reference(criterion: &mut Criterion) {
    let provider = DigitalRiver::embedded();
    let clock = Clock::manual(1_700_000_000);
    let cases: Vec<Case> = plans(provider).iter().enumerate().map(|(serial, plan)| lower(provider, plan, serial as u64).case).collect();
    let traffic: Vec<Vec<Signed>> = cases.iter().map(|case| signed(case, &clock)).collect();
    let deliveries: usize = traffic.iter().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("reference");
    group.throughput(Throughput::Elements(deliveries as u64));
    group.bench_function("100 cases", |bench| {
        bench.iter(|| {
            let mut shop = ReferenceShop::new(clock.clone());
            let hello = Hello::new(provider.name().to_owned(), SECRET.to_owned());
            let _ = black_box(shop.hello(&hello));
            for (case, signed) in cases.iter().zip(&traffic) {
                let _ = shop.begin("bench", &case.orders);
                for (headers, body) in signed {
                    let _ = black_box(shop.deliver(&Request::new(headers, body)));
                    let _ = black_box(shop.observe(&case.orders[0].order_id));
                }
            }
        });
    });
    group.finish();
}

fn certification(criterion: &mut Criterion) {
    let provider = DigitalRiver::embedded();
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options::new().with(|options| options.jobs = jobs);
    let run = || {
        let clock = Clock::manual_from_now();
        let shop = clock.clone();
        let launch = Launch::new("in-process", "", clock, move || Ok(Box::new(ReferenceShop::new(shop.clone())) as Box<dyn Target>));
        certify(provider, &launch, &options, &AtomicBool::new(false), &mut |_| {})
    };
    let deliveries = run().map_or(0, |report| report.totals.deliveries);
    let mut group = criterion.benchmark_group("certification");
    group.sample_size(10);
    group.throughput(Throughput::Elements(deliveries));
    group.bench_function("default", |bench| bench.iter(|| black_box(run())));
    group.finish();
}

criterion_group!(benches, lowering, reference, certification);
criterion_main!(benches);
