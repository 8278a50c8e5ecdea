//! `attribution`: how well a run tells the mistakes of a target apart, measured with the bank: single faults, pairs, triples.
//!
//! The page that it writes is committed; `--check` says whether it is what is measured now. The bank is what likenesses are
//! looked up in, so what is said of them here says nothing of mistakes outside of it; the tests have such.

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use refundproof::{
    adapter::{Amid, Amidst, Api, Hello, Introduction, Request, Sealed, Target, TargetError, Transport},
    case::{Mishap, OrderSetup, OwnRefund},
    corpus::Level,
    domain::{Clock, OrderState},
    drive::Launch,
    provider::{Mint, Provider, named},
    reference::{Fault, ReferenceShop, faults},
    run::{Book, Options, certify},
    verdict::Report,
};

/// What is measured.
pub(crate) struct Terms {
    /// The provider.
    pub(crate) provider: String,
    /// Cases for each requirement.
    pub(crate) cases: u32,
    /// What they, and the pairs and triples, are drawn from.
    pub(crate) seed: u64,
    /// How many pairs.
    pub(crate) pairs: usize,
    /// How many triples.
    pub(crate) triples: usize,
    /// With how many seeds the ids of single faults are compared.
    pub(crate) seeds: u64,
    /// Only says whether the page is up to date.
    pub(crate) check: bool,
}

/// What came of one target.
struct Told {
    faults: Vec<Fault>,
    report: Report,
    deliveries: u64,
}

impl Told {
    fn name(&self) -> String {
        self.faults.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(" + ")
    }

    fn likes(&self) -> Vec<&str> {
        self.report.findings.iter().filter_map(|finding| Some(finding.like.as_ref()?.fault.as_str())).collect()
    }

    /// The faults of the target that no finding names.
    fn untold(&self) -> Vec<&'static str> {
        self.faults.iter().map(|fault| fault.name()).filter(|name| !self.likes().contains(name)).collect()
    }

    fn ids(&self) -> BTreeSet<&str> {
        self.report.findings.iter().map(|finding| finding.id.as_str()).collect()
    }

    /// What the findings are about, and what they are like.
    fn findings(&self) -> String {
        let finding = |finding: &refundproof::verdict::FindingReport| {
            let like = finding.like.as_ref().map_or("nothing", |like| like.fault.as_str());
            format!("{} (like {like}, {} deliveries)", finding.about, finding.deliveries)
        };
        self.report.findings.iter().map(finding).collect::<Vec<_>>().join("; ")
    }
}

/// Measures, and writes the page or compares it.
pub(crate) fn measure(root: &Path, terms: &Terms) -> anyhow::Result<String> {
    let Some(registered) = named(&terms.provider) else { bail!("provider `{}` is unknown", terms.provider) };
    let provider = registered.embedded();
    // A panic of a fault is a finding; its trace would only be noise.
    std::panic::set_hook(Box::new(|_| {}));
    let page = page(provider, terms)?;
    let path = root.join(format!("docs/attribution/{}.txt", terms.provider));
    if terms.check {
        let before = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        if before != page {
            bail!("{}: is not what is measured; `cargo xtask attribution --provider {}` writes it", path.display(), terms.provider);
        }
        return Ok(format!("{}: up to date", path.display()));
    }
    fs::create_dir_all(root.join("docs/attribution"))?;
    fs::write(&path, &page).with_context(|| path.display().to_string())?;
    Ok(page)
}

fn page(provider: &'static dyn Provider, terms: &Terms) -> anyhow::Result<String> {
    let aimed: Vec<(Fault, &str)> =
        faults().iter().filter_map(|info| Some((info.fault, info.aimed_at(provider.name(), provider.corpus())?))).collect();
    let alone = || aimed.iter().map(|(fault, _)| vec![*fault]).collect::<Vec<_>>();
    let singles = run_all(provider, terms, terms.seed, alone())?;
    let mut moved: Vec<(usize, u64)> = Vec::new();
    for seed in (terms.seed + 1)..(terms.seed + terms.seeds.max(1)) {
        let others = run_all(provider, terms, seed, alone())?;
        let differ = singles.iter().zip(&others).enumerate().filter(|(_, (told, other))| told.ids() != other.ids());
        moved.extend(differ.map(|(place, _)| (place, seed)));
    }
    let pairs = run_all(provider, terms, terms.seed, drawn(&aimed, 2, terms.pairs, terms.seed))?;
    let triples = run_all(provider, terms, terms.seed, drawn(&aimed, 3, terms.triples, terms.seed))?;
    let mut page = format!("{}: {} cases for each requirement, seed {}\n\n", provider.name(), terms.cases, terms.seed);
    single_figures(&mut page, &aimed, &singles);
    let runs = singles.len() * usize::try_from(terms.seeds.max(1) - 1).unwrap_or(0);
    let _ = writeln!(page, "ids of other seeds         {} the same ({} more)", share(runs - moved.len(), runs), terms.seeds.max(1) - 1);
    several_figures(&mut page, "pairs", &pairs);
    several_figures(&mut page, "triples", &triples);
    let _ = writeln!(page, "\nsingle faults that are not told once, or not as what they are");
    for (told, (fault, aim)) in singles.iter().zip(&aimed) {
        let right = told.report.findings.len() == 1 && told.report.findings[0].about == *aim && told.untold().is_empty();
        if !right {
            let _ = writeln!(page, "  {} (aimed at {aim}): {}", fault.name(), told.findings());
        }
    }
    if !moved.is_empty() {
        let _ = writeln!(page, "\nsingle faults whose findings have other ids");
    }
    for (place, seed) in &moved {
        let _ = writeln!(page, "  {} with seed {seed}", singles[*place].name());
    }
    for (what, all) in [("pairs", &pairs), ("triples", &triples)] {
        let _ = writeln!(page, "\n{what} of which something is not told");
        for told in all.iter().filter(|told| !told.untold().is_empty()) {
            let _ = writeln!(page, "  {}: without {}; {}", told.name(), told.untold().join(" and "), told.findings());
        }
    }
    Ok(page)
}

fn single_figures(page: &mut String, aimed: &[(Fault, &str)], singles: &[Told]) {
    let mut stories: Vec<usize> = singles.iter().map(|told| told.report.findings.len()).collect();
    let total: usize = stories.iter().sum();
    stories.sort_unstable();
    let median = stories.get(stories.len() / 2).copied().unwrap_or(0);
    let _ = writeln!(page, "single faults              {}", singles.len());
    let _ = writeln!(page, "findings                   median {median}, mean {}", hundredths(total, singles.len()));
    let first = |told: &Told| told.report.findings.first().map(|finding| finding.about.clone());
    let owned = singles.iter().zip(aimed).filter(|(told, (_, aim))| first(told).as_deref() == Some(*aim)).count();
    let _ = writeln!(page, "about what they aim at     {}", share(owned, singles.len()));
    let named = singles.iter().filter(|told| told.untold().is_empty()).count();
    let _ = writeln!(page, "likeness right             {}", share(named, singles.len()));
    let deliveries: u64 = singles.iter().map(|told| told.deliveries).sum();
    let _ = writeln!(page, "deliveries for each        {}", deliveries / singles.len().max(1) as u64);
}

fn several_figures(page: &mut String, what: &str, all: &[Told]) {
    let told = all.iter().filter(|told| told.untold().is_empty()).count();
    let _ = writeln!(page, "{:<27}{}", format!("{what} all told"), share(told, all.len()));
    // A list of known failures only marks findings, so with one of them on it the run fails if another one must be mended.
    let fails = |told: &&Told| {
        let must = told.report.findings.iter().filter(|finding| finding.level == Level::Must).count();
        told.untold().is_empty() && must >= 2 || told.report.findings.iter().any(|finding| finding.level == Level::Should)
    };
    let exits = all.iter().filter(|told| told.untold().is_empty()).filter(fails).count();
    let _ = writeln!(page, "{:<27}{}", format!("{what}, one known: fail"), share(exits, told));
}

fn share(part: usize, whole: usize) -> String {
    let thousandths = (part * 1000).checked_div(whole).unwrap_or(0);
    format!("{part} of {whole} ({}.{} %)", thousandths / 10, thousandths % 10)
}

fn hundredths(sum: usize, count: usize) -> String {
    let hundredths = (sum * 100).checked_div(count).unwrap_or(0);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Different faults together, drawn from the seed.
fn drawn(aimed: &[(Fault, &str)], together: usize, count: usize, seed: u64) -> Vec<Vec<Fault>> {
    let mint = Mint::new(seed);
    let mut sets: Vec<Vec<Fault>> = Vec::new();
    let mut number = 0;
    while sets.len() < count {
        let mut set: Vec<Fault> = Vec::new();
        while set.len() < together {
            let place = usize::try_from(mint.number("together", number) % aimed.len() as u64).unwrap_or(0);
            number += 1;
            if !set.contains(&aimed[place].0) {
                set.push(aimed[place].0);
            }
        }
        set.sort_by_key(|fault| *fault as usize);
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

fn run_all(provider: &'static dyn Provider, terms: &Terms, seed: u64, sets: Vec<Vec<Fault>>) -> anyhow::Result<Vec<Told>> {
    // All faults claim the same, so their cases are made once.
    let options = Options::new().with(|options| {
        options.cases = terms.cases;
        options.seed = seed;
        options.book = Some(Book::new());
    });
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, anyhow::Result<Told>)>> = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((place, set)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|place| Some((place, sets.get(place)?)))
                {
                    let told = run(provider, &options, set);
                    if let Ok(mut done) = done.lock() {
                        done.push((place, told));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, told)| told).collect()
}

fn run(provider: &dyn Provider, options: &Options, faults: &[Fault]) -> anyhow::Result<Told> {
    let clock = Clock::manual_from_now();
    let count = Arc::new(AtomicU64::new(0));
    let (set, shop, counter) = (faults.to_vec(), clock.clone(), Arc::clone(&count));
    let make = move || {
        let shop = ReferenceShop::with_faults(&set, shop.clone());
        Ok(Box::new(Counting { shop, count: Arc::clone(&counter) }) as Box<dyn Target>)
    };
    let launch = Launch::new("in-process", "", clock, make);
    let report = certify(provider, &launch, options, &AtomicBool::new(false), &mut |_| {})?;
    Ok(Told { faults: faults.to_vec(), report, deliveries: count.load(Ordering::Relaxed) })
}

/// A shop whose deliveries are counted.
struct Counting {
    shop: ReferenceShop,
    count: Arc<AtomicU64>,
}

impl Target for Counting {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.shop.hello(hello)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.shop.deliver(request)
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        self.shop.initiate(own)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.shop.observe(order_id)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.shop.end(case)
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.shop.restart()
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for Counting {}

/// Everything that the shop has its own way for is the shop's: what it made of a full disk must not depend on being counted.
impl Transport for Counting {
    fn given_api(&mut self, api: &Arc<dyn Api>) {
        self.shop.given_api(api);
    }

    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.shop.deliver_badly(request, mishap)
    }

    fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        self.count.fetch_add(requests.len() as u64, Ordering::Relaxed);
        self.shop.initiate_amid(own, requests, amid)
    }

    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        self.count.fetch_add(requests.len() as u64, Ordering::Relaxed);
        self.shop.deliver_together(requests)
    }

    fn complaints(&mut self) -> String {
        self.shop.complaints()
    }
}
