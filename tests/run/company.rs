//! Cases that are under way at the same time on one target: how many there are, who is blamed when one of them goes wrong, and
//! that none of it changes what is found. The service is this test binary.

use std::{
    collections::{BTreeMap, VecDeque},
    ffi::OsString,
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc, Condvar, LazyLock, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use refundproof::{
    adapter::{Hello, HttpSettings, HttpTarget, Introduction, Request, ServiceSettings, StdioSettings, StdioTarget, Target, TargetError},
    case::OrderSetup,
    domain::{Clock, OrderState},
    drive::{Factory, Launch, Secrets},
    reference::Fault,
    run::{Options, certify},
    verdict::{Report, Verdict},
};
use rstest::rstest;

use crate::common::{
    self, certified_target, only, provider, quick, root,
    sample::is_there,
    server::{Reply, SECRET, Server, introduction, serve_for_ever, settings_for, shop_handler},
    shop,
};

const LONG: Duration = Duration::from_secs(60);

/// The reference's claims, of which it keeps nothing when it is killed.
fn claims(concurrency: u32) -> Introduction {
    introduction().with(|told| {
        told.capabilities.durable = false;
        told.capabilities.concurrency = concurrency;
    })
}

fn report_of(launch: &dyn Factory, options: &Options) -> Report {
    certify(provider(), launch, options, &AtomicBool::new(false), &mut |_| {}).expect("it starts")
}

fn certified(settings: &HttpSettings, options: &Options) -> Report {
    let settings = settings.clone();
    let make = move || Ok(Box::new(HttpTarget::new(&settings)?) as Box<dyn Target>);
    report_of(&Launch::new("http", "", Clock::system(), make).with_workers(1).signing(Secrets::of(Some(SECRET.into()))), options)
}

fn salted(options: Options) -> Options {
    options.with(|options| options.salt = Some(7))
}

/// One case after the other, as for people who step through deliveries.
fn in_turn(options: Options) -> Options {
    options.with(|options| options.before = Some(|_, _| ()))
}

#[track_caller]
fn nothing_failed(report: &Report) {
    let wrong = |verdict| !matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
    let failed: Vec<_> = report.requirements.iter().filter(|result| result.judged && wrong(result.verdict)).collect();
    assert!(failed.is_empty() && report.snapshots.differing.is_empty(), "{failed:#?}");
}

// ---- How many

/// How many requests are under way.
#[derive(Default)]
struct UnderWay {
    /// Now, and at most so far.
    count: Mutex<(usize, usize)>,
    more: Condvar,
}

impl UnderWay {
    /// Stays until so many have been under way at once, or for a while if that never happens.
    fn pass(&self, awaited: usize) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.0 += 1;
        count.1 = count.1.max(count.0);
        self.more.notify_all();
        let too_few = |count: &mut (usize, usize)| count.1 < awaited;
        let mut count = self.more.wait_timeout_while(count, LONG, too_few).unwrap_or_else(PoisonError::into_inner).0;
        count.0 -= 1;
    }

    fn most(&self) -> usize {
        self.count.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[rstest]
#[case(1)]
#[case(3)]
#[case(8)]
fn as_many_cases_are_under_way_as_are_claimed(#[case] claimed: u32) {
    let (under_way, awaited) = (Arc::new(UnderWay::default()), usize::try_from(claimed).expect("a few"));
    let seen = Arc::clone(&under_way);
    let server = Server::shop_but(move |_, _| {
        seen.pass(awaited);
        None
    });
    let settings = HttpSettings { introduction: claims(claimed), ..server.settings() };
    nothing_failed(&certified(&settings, &salted(quick(2, 1))));
    assert_eq!(under_way.most(), awaited);
}

// ---- What is found

/// What was found, a line for each requirement, finding and snapshot. Some deliveries are cut off on their way, and whether those were
/// seen is chance: so is how a snapshot differs and how often something was sent again, but not what follows from it.
fn comparable(report: &Report) -> String {
    let requirements = report.requirements.iter().map(|result| format!("{} {} {:?}", result.id, result.verdict.as_str(), result.findings));
    // Of redeliveries that are refused, whichever was seen is told of.
    let findings = report.findings.iter().map(|finding| format!("{} {} {:?}", finding.id, finding.about, finding.kind));
    // Whether deliveries at the same time meet is chance too.
    let snapshots = report.snapshots.differing.iter().map(|differing| differing.name.clone()).filter(|name| !name.ends_with("-concurrent"));
    requirements.chain(findings).chain(snapshots).collect::<Vec<_>>().join("\n")
}

/// The reference, perhaps with a fault, as a service of its own. A panic in it ends it.
#[test]
#[ignore = "is started by the other tests"]
#[expect(clippy::exit, reason = "this is how a service ends, and no way in which a test does")]
fn service_process() {
    let Ok(port) = std::env::var("SERVICE_PORT") else { return };
    let fault = std::env::var("SERVICE_FAULT").ok().and_then(|name| Fault::from_name(&name));
    let mut target = shop(fault, &Clock::system());
    target.hello(&common::server::hello()).expect("the reference starts");
    let handler = shop_handler(target);
    let listener = TcpListener::bind(("127.0.0.1", port.parse().expect("a port"))).expect("the port is free");
    serve_for_ever(&listener, move |asked| catch_unwind(AssertUnwindSafe(|| handler(asked))).unwrap_or_else(|_| std::process::exit(7)));
}

fn service(fault: &str) -> HttpSettings {
    let program = std::env::current_exe().expect("a path").display().to_string();
    let service = ServiceSettings {
        command: [program.as_str(), "company::service_process", "--exact", "--ignored", "--nocapture"].map(str::to_owned).to_vec(),
        directory: PathBuf::new(),
        environment: BTreeMap::from(
            [("SERVICE_PORT", "{port}"), ("SERVICE_FAULT", fault)].map(|(name, value)| (name.into(), value.into())),
        ),
        ready_within: LONG,
    };
    HttpSettings { service: Some(service), introduction: claims(8), ..settings_for("http://127.0.0.1:{port}") }
}

/// The fault with which the service goes down.
const CRASHES: &str = "panics-on-malformed";

/// What is found in company of a service that goes down. It is started over and over, so several tests look at one report.
static CRASHED: LazyLock<Arc<Report>> = LazyLock::new(|| Arc::new(certified(&service(CRASHES), &salted(quick(4, 1)))));

/// A fault that shows in the answers, one that shows in states, and one that takes everybody down.
#[rstest]
#[case("duplicate-refused")]
#[case("first-item-only")]
#[case(CRASHES)]
fn the_same_is_found_in_company(#[case] fault: &str) {
    let settings = service(fault);
    let options = || salted(quick(4, 1));
    let alone = certified(&settings, &in_turn(options()));
    let together = if fault == CRASHES { Arc::clone(&CRASHED) } else { Arc::new(certified(&settings, &options())) };
    assert!(!alone.findings.is_empty(), "{fault} is not found");
    let (together, alone) = (comparable(&together), comparable(&alone));
    let differing: Vec<_> = together.lines().zip(alone.lines()).filter(|(one, other)| one != other).take(10).collect();
    assert!(together == alone, "{differing:#?}\n{together}\n\n{alone}");
}

/// The innocent are not blamed for a crash, and the last words of a service are not told of them.
#[test]
fn a_crash_is_blamed_on_who_caused_it() {
    let report = &CRASHED;
    let blamed: Vec<&str> = report.findings.iter().map(|finding| finding.about.as_str()).collect();
    assert!(blamed.contains(&"malformed-body-rejected"), "{blamed:?}");
    for finding in &report.findings {
        assert!(finding.stderr.contains("panicked"), "{}: {:?}", finding.about, finding.stderr);
    }
    let errors: Vec<_> = report.requirements.iter().filter(|result| result.verdict == Verdict::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What fails only when others are under way is nobody's fault, and is not passed over.
#[test]
fn what_no_case_shows_alone_is_said() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let refused = Arc::new(AtomicBool::new(false));
    let gate = Arc::new(UnderWay::default());
    let server = Server::shop_but(move |asked, _| {
        gate.pass(2);
        let others = under_way.fetch_add(1, Ordering::SeqCst);
        let is_first = others == 0 && asked.is_delivery() && !refused.swap(true, Ordering::SeqCst);
        under_way.fetch_sub(1, Ordering::SeqCst);
        is_first.then(|| Reply::Raw(b"nonsense\r\n".to_vec()))
    });
    let settings = HttpSettings { introduction: claims(2), ..server.settings() };
    let options = quick(2, 1).with(|options| options.selection = only(&["refund-*", "partial-*", "full-*"]));
    let report = certified(&settings, &salted(options));
    let notes: Vec<&str> = report.requirements.iter().filter_map(|result| result.note.as_deref()).collect();
    assert!(notes.len() == 1 && notes[0].contains("none of them fails alone") && notes[0].contains("no HTTP"), "{notes:?}");
}

/// Sequences that are wrong in company are delivered again alone, under ids that the target has not met, also where all are wrong.
#[test]
fn snapshots_are_delivered_again_under_other_ids() {
    let begun = Arc::new(Mutex::new(Vec::<Vec<u8>>::new()));
    let seen = Arc::clone(&begun);
    // It takes everything and knows nothing.
    let server = Server::shop_but(move |asked, _| {
        if asked.path == "/test/orders" {
            let orders = asked.body.windows(10).position(|part| part == b"\"orders\":[").map_or(&[][..], |place| &asked.body[place..]);
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(orders.to_vec());
        }
        let status = if asked.is_delivery() { Some(200) } else { asked.path.starts_with("/orders/").then_some(404) };
        status.map(|status| Reply::Answer(status, String::new()))
    });
    let settings = HttpSettings { introduction: claims(4), ..server.settings() };
    let options = quick(1, 1).with(|options| options.selection = only(&["snapshots"]));
    let report = certified(&settings, &salted(options));
    assert!(report.snapshots.compared > 0 && report.snapshots.differing.len() == report.snapshots.compared, "{:?}", report.snapshots.note);
    let begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
    let twice = (0..begun.len()).find(|place| !begun[*place].is_empty() && begun[..*place].contains(&begun[*place]));
    assert!(begun.len() > report.snapshots.compared && twice.is_none(), "{:?}", twice.map(|place| String::from_utf8_lossy(&begun[place])));
}

// ---- Over stdio

/// The Python sample, claiming to take several requests at once.
#[test]
fn cases_share_a_process_over_stdio() {
    if !is_there("python3") {
        return;
    }
    let sample = root().join("samples/python-stdio/shop.py").display().to_string();
    let claiming = r#"import sys
for line in sys.stdin:
    sys.stdout.write(line.replace('"durable"', '"concurrency": 6, "durable"'))
    sys.stdout.flush()
"#;
    let command: Vec<OsString> = ["sh", "-c", r#"python3 -u "$1" | python3 -c "$2""#, "sh", &sample, claiming].map(OsString::from).to_vec();
    let settings = StdioSettings::default().with(|settings| (settings.answer_limit, settings.other_limit) = (LONG, LONG));
    let make = move || Ok(Box::new(StdioTarget::new(command.clone(), settings)) as Box<dyn Target>);
    let report = report_of(&Launch::new("stdio", "", Clock::system(), make), &quick(2, 1));
    assert_eq!(report.target.capabilities.concurrency, 6);
    nothing_failed(&report);
}

// ---- Asynchronous targets

/// The headers and the body of a delivery.
type Delivered = (Vec<(String, String)>, Vec<u8>);

/// Acknowledges, and applies one delivery after the other, each so long after the one before.
struct Slowly {
    shop: Box<dyn Target>,
    queue: VecDeque<Delivered>,
    clock: Clock,
    takes: Duration,
    next: Duration,
    /// What was done, an `o` for each look and a `d` for each delivery.
    done: Arc<Mutex<String>>,
}

impl Slowly {
    fn note(&self, done: char) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
    }
}

impl Target for Slowly {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let told = self.shop.hello(hello)?;
        Ok(told.with(|told| told.capabilities.asynchronous = true))
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        self.note('\n');
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        self.note('d');
        if self.queue.is_empty() {
            self.next = self.clock.monotonic() + self.takes;
        }
        self.queue.push_back((request.headers.to_vec(), request.body.to_vec()));
        Ok(202)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.note('o');
        while self.clock.monotonic() >= self.next
            && let Some((headers, body)) = self.queue.pop_front()
        {
            self.shop.deliver(&Request::new(&headers, &body))?;
            self.next += self.takes;
        }
        self.shop.observe(order_id)
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        self.shop.end(case)
    }
}

/// Certifies a target that needs so long for each delivery; what it was asked to do, a line for each case.
fn slowly(takes: Duration, ids: &[&str]) -> (Report, String) {
    let done = Arc::<Mutex<String>>::default();
    let make = |clock: &Clock| {
        let (shop, clock, done) = (shop(None, clock), clock.clone(), Arc::clone(&done));
        Box::new(Slowly { shop, queue: VecDeque::new(), clock, takes, next: Duration::ZERO, done }) as Box<dyn Target>
    };
    let options = quick(5, 1).with(|options| options.selection = only(ids));
    let report = certified_target(provider(), &make, &options);
    let done = done.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (report, done)
}

#[test]
fn who_is_at_work_has_time() {
    let (report, _) = slowly(Duration::from_millis(400), &["refund-complete-*", "partial-*", "several-charges"]);
    nothing_failed(&report);
}

#[test]
fn who_is_at_rest_and_wrong_has_failed() {
    let (report, _) = slowly(Duration::from_secs(3600), &["refund-complete-*"]);
    assert!(report.findings.iter().any(|finding| finding.message.contains("to settle")), "{:#?}", report.findings);
}

#[test]
fn cases_are_sent_whole() {
    let (_, done) = slowly(Duration::from_millis(1), &["refund-complete-*"]);
    let cases: Vec<&str> = done.lines().filter(|case| case.contains('d')).collect();
    let looks_on_the_way = cases.iter().filter(|case| case.contains("od")).count();
    assert!(cases.len() >= 5 && looks_on_the_way == 0, "{done}");
}
