//! The HTTP transport against servers in the test's own process, most of which misbehave.

mod answers;
mod connections;
mod ends;
mod orders;
mod whole;

use std::{
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use refundproof::{
    adapter::{HttpSettings, HttpTarget, Introduction, Request, Target, TargetError, TargetErrorKind},
    domain::Clock,
    drive::{Launch, Secrets},
    provider::Provider,
    run::{Options, certify},
    verdict::{Conformance, Report, Verdict},
};

use crate::common::{
    provider,
    server::{Asked, Reply, SECRET, Server, greeted, hello, introduction},
};

const SHORT: Duration = Duration::from_millis(200);
/// Long for a test, and short for something that hangs.
const LONG: Duration = Duration::from_secs(60);

/// Certifies what is reached with these settings.
fn certified(settings: &HttpSettings, options: &Options) -> Result<Report, TargetError> {
    certified_by(provider(), settings, options)
}

fn certified_by(provider: &dyn Provider, settings: &HttpSettings, options: &Options) -> Result<Report, TargetError> {
    let settings = settings.clone();
    let make = move || Ok(Box::new(HttpTarget::new(&settings)?) as Box<dyn Target>);
    let launch = Launch::new("http", "", Clock::system(), make).signing(Secrets::of(Some(SECRET.into())));
    certify(provider, &launch, options, &AtomicBool::new(false), &mut |_| {})
}

/// The reference's claims, except for those that need a process of its own.
fn claims() -> Introduction {
    let mut claims = introduction();
    claims.capabilities = claims.capabilities.with(|claims| {
        claims.durable = false;
        claims.concurrency = 4;
    });
    claims
}

fn salted(options: Options) -> Options {
    options.with(|options| options.salt = Some(7))
}

#[track_caller]
fn conforms(report: &Report) {
    let wrong = |verdict| !matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
    let failed: Vec<_> = report.requirements.iter().filter(|requirement| requirement.judged && wrong(requirement.verdict)).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(report.verdict, Conformance::Conformant, "{:?}", report.snapshots);
}

fn post(body: &[u8]) -> Request<'_> {
    Request::new(&[], body)
}

/// What comes of a delivery to a server that does this with it.
fn delivery(odd: impl Fn(&Asked, &mut TcpStream) -> Reply + Send + Sync + 'static) -> Result<u16, TargetError> {
    delivery_within(Duration::from_secs(20), odd)
}

fn delivery_within(limit: Duration, odd: impl Fn(&Asked, &mut TcpStream) -> Reply + Send + Sync + 'static) -> Result<u16, TargetError> {
    let server = Server::new(odd);
    let mut target = greeted(&HttpSettings { answer_limit: Some(limit), ..server.settings() });
    let answer = target.deliver(&post(b"{}"));
    assert_eq!(server.deliveries(), 1, "it was sent once");
    answer
}

fn raw(text: &str) -> Reply {
    Reply::Raw(text.as_bytes().to_vec())
}

#[track_caller]
fn crashed(answer: Result<u16, TargetError>, part: &str) {
    let error = answer.expect_err("an answer came");
    assert!(matches!(&error.kind, TargetErrorKind::Crashed(how) if how.contains(part)), "{error:?}");
}

#[track_caller]
fn not_started(settings: &HttpSettings, parts: &[&str]) {
    let started = HttpTarget::new(settings).and_then(|mut target| target.hello(&hello()));
    let error = started.expect_err("it started").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

/// A port on which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn what_passes_is_posted_in_seconds() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let server = Server::new(move |asked, _| {
        heard.lock().expect("nobody panics").push((asked.path.clone(), String::from_utf8_lossy(&asked.body).into_owned()));
        Reply::Answer(204, String::new())
    });
    let two_days = Duration::from_secs(172_800);
    greeted(&server.settings()).advance(two_days).expect("it is told");
    let unsaid = HttpSettings { advance_url: None, ..server.settings() };
    assert_eq!(greeted(&unsaid).advance(two_days).expect_err("nobody says where").kind, TargetErrorKind::Unsupported);
    let told = told.lock().expect("nobody panics").clone();
    assert_eq!(told.last(), Some(&("/test/clock".to_owned(), r#"{"seconds":172800}"#.to_owned())));
}
