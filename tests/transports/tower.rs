//! Targets that are a `tower::Service`: what goes wrong in a router is told as the router's.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use refundproof::{
    adapter::{Capabilities, Hello, Request, Target, TargetError, TargetErrorKind, TowerTarget, Transport},
    case::{Mishap, OrderSetup, OwnRefund},
    domain::Clock,
    drive::Launch,
    provider::{Registered, registered},
    reference::ReferenceShop,
    run::{Options, Selection, certify},
    verdict::Verdict,
};
use rstest::rstest;
use serde_json::{Value, json};

/// Long enough to write down where a panic came from.
const LIMIT: Duration = Duration::from_secs(1);

/// A shop with correct books, which it writes anew with every delivery.
#[derive(Clone, Default)]
struct Books {
    orders: Vec<OrderSetup>,
    log: Vec<(Vec<(String, String)>, Bytes)>,
}

type Shared = Arc<Mutex<Books>>;

/// Another provider than the first.
fn other() -> &'static Registered {
    &registered()[1]
}

impl Books {
    fn shop(&self) -> ReferenceShop {
        let mut shop = ReferenceShop::new(Clock::system());
        shop.hello(&Hello::new(other().name, Options::new().secrets.current().unwrap_or_default())).expect("it takes these");
        shop.begin("c", &self.orders).expect("it takes these");
        for (headers, body) in &self.log {
            shop.deliver(&Request::new(headers, body)).expect("it answered before");
        }
        shop
    }
}

/// Between reading the books and writing them, a shop that is not careful lets another delivery do the same.
async fn take(State((books, careful)): State<(Shared, bool)>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let mut read = books.lock().expect("nobody panics").clone();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let status = read.shop().deliver(&Request::new(&headers, &body)).expect("an answer");
    let mut books = books.lock().expect("nobody panics");
    if careful {
        books.log.push((headers, body));
    } else {
        read.log.push((headers, body));
        books.log = read.log;
    }
    StatusCode::from_u16(status).expect("a status")
}

fn shop(careful: bool) -> TowerTarget {
    let books = Shared::default();
    let (shown, set_up) = (Arc::clone(&books), Arc::clone(&books));
    TowerTarget::new(Router::new().route("/hooks", post(take)).with_state((books, careful)))
        .claiming(Capabilities::new().with(|claims| claims.concurrency = 4))
        .webhook("/hooks")
        .shown_by(move |id| {
            let state = shown.lock().expect("nobody panics").shop().observe(&id).expect("it shows it");
            async { state }
        })
        .set_up_by(move |orders| {
            *set_up.lock().expect("nobody panics") = Books { orders, log: Vec::new() };
            async {}
        })
}

#[rstest]
#[case::lost_updates(false, Verdict::Fail)]
#[case::none_lost(true, Verdict::Pass)]
fn deliveries_at_the_same_time_really_are(#[case] careful: bool, #[case] expected: Verdict) {
    let launch = Launch::new("in-process", "", Clock::system(), || Ok(Box::new(shop(careful)) as Box<dyn Target>));
    let options = Options::new().with(|options| {
        options.cases = 20;
        options.selection = Selection::new(&["concurrent-deliveries".to_owned()], &[]).expect("a glob");
    });
    let report = certify(other().embedded(), &launch, &options, &Default::default(), &mut |_| {}).expect("it starts");
    assert_eq!(report.requirements[0].verdict, expected, "{:?}", report.findings.first().map(|finding| &finding.message));
}

fn started(target: TowerTarget) -> TowerTarget {
    let mut target = target.answering_within(LIMIT);
    target.hello(&Hello::new(other().name, "whsec")).expect("it starts");
    target
}

#[test]
fn time_passes_by_a_path_or_a_call() {
    async fn moved(body: Bytes) -> StatusCode {
        if body == r#"{"seconds":3600}"#.as_bytes() { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST }
    }
    let hour = Duration::from_secs(3600);
    let mut by_path = started(TowerTarget::new(Router::new().route("/clock", post(moved))).advanced_at("/clock"));
    by_path.advance(hour).expect("it is told");
    assert!(by_path.advance(hour * 2).is_err());
    let passed = Arc::new(Mutex::new(Duration::ZERO));
    let told = Arc::clone(&passed);
    let by_call = TowerTarget::new(Router::<()>::new()).advanced_by(move |time| {
        *told.lock().expect("nobody panics") += time;
        async {}
    });
    started(by_call).advance(hour).expect("it is told");
    assert_eq!(*passed.lock().expect("nobody panics"), hour);
}

/// A refund that the shop made itself, of this order.
fn own(order_id: &str) -> OwnRefund {
    let own = json!({"orderId": order_id, "refund": {"id": "re_1", "amount": "5.00", "currency": "USD"}});
    serde_json::from_value(own).expect("a refund")
}

#[test]
fn own_refunds_are_told_by_a_path_or_a_call() {
    async fn made(Json(own): Json<Value>) -> StatusCode {
        if own["orderId"] == "o1" && own["refund"]["id"] == "re_1" { StatusCode::CREATED } else { StatusCode::NOT_FOUND }
    }
    let mut by_path = started(TowerTarget::new(Router::new().route("/refunds", post(made))).initiated_at("/refunds"));
    assert_eq!(by_path.initiate(&own("o1")), Ok(()));
    let error = by_path.initiate(&own("o2")).expect_err("it knows no such order");
    assert!(error.to_string().contains("/refunds answered 404"), "{error}");
    let (made, told) = (Arc::new(Mutex::new(Vec::new())), TowerTarget::new(Router::<()>::new()));
    let noted = Arc::clone(&made);
    let mut by_call = started(told.initiated_by(move |own| {
        noted.lock().expect("nobody panics").push(own.order_id);
        async {}
    }));
    assert_eq!(by_call.initiate(&own("o1")), Ok(()));
    assert_eq!(*made.lock().expect("nobody panics"), ["o1"]);
    let error = started(TowerTarget::new(Router::<()>::new())).initiate(&own("o1")).expect_err("nobody takes it");
    assert_eq!(error.kind, TargetErrorKind::Unsupported);
}

#[test]
fn an_order_is_shown_at_a_path() {
    async fn state(Path(order): Path<String>) -> (StatusCode, String) {
        let shown = json!({"orderId": order, "status": "not_refunded", "refundedAmount": "0.00"});
        match order.as_str() {
            "known" => (StatusCode::OK, shown.to_string()),
            "unknown" => (StatusCode::NOT_FOUND, String::new()),
            "odd" => (StatusCode::OK, "[]".to_owned()),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "lost its books".to_owned()),
        }
    }
    let router = Router::new().route("/state/{order}", get(state));
    let mut target = started(TowerTarget::new(router).named("books", "2").shown_at("/state/{orderId}"));
    let introduction = target.hello(&Hello::new(other().name, "whsec")).expect("it is there");
    assert_eq!((introduction.name.as_str(), introduction.version.as_str()), ("books", "2"));
    assert_eq!(target.observe("known").map(|state| state.map(|state| state.order_id)), Ok(Some("known".to_owned())));
    assert_eq!(target.observe("unknown"), Ok(None));
    assert!(matches!(target.observe("odd"), Err(TargetError { kind: TargetErrorKind::Nonsense(_), .. })));
    let error = target.observe("broken").expect_err("its books are lost");
    assert!(error.to_string().contains("answered 500: `lost its books`"), "{error}");
}

fn router(handler: axum::routing::MethodRouter) -> TowerTarget {
    started(TowerTarget::new(Router::new().route("/", handler)))
}

#[track_caller]
fn check(mut target: TowerTarget, expected: Result<u16, TargetErrorKind>) {
    let request = Request::new(&[], b"{}");
    let told = |result: Result<u16, TargetError>| result.map_err(|error| error.kind);
    assert_eq!(told(target.deliver(&request)), expected);
    let together = target.deliver_together(&[request; 3]);
    assert_eq!(together.into_iter().map(told).collect::<Vec<_>>(), vec![expected; 3]);
}

#[test]
fn an_answer_is_its_status() {
    check(router(post(async || StatusCode::IM_A_TEAPOT)), Ok(418));
}

#[test]
fn a_panic_is_a_crash() {
    async fn handler() -> StatusCode {
        panic!("lost its head")
    }
    check(router(post(handler)), Err(TargetErrorKind::Crashed("panicked: lost its head".to_owned())));
}

#[test]
fn what_never_ends_is_not_waited_for() {
    check(router(post(std::future::pending::<StatusCode>)), Err(TargetErrorKind::TimedOut(LIMIT)));
}

#[test]
fn neither_is_what_blocks_all_threads() {
    async fn handler() -> StatusCode {
        std::thread::sleep(LIMIT * 3);
        StatusCode::OK
    }
    check(router(post(handler)), Err(TargetErrorKind::TimedOut(LIMIT)));
}

#[test]
fn an_error_of_the_service_is_no_answer() {
    #[derive(Clone)]
    struct Broken;
    impl tower_service::Service<http::Request<http_body_util::Full<Bytes>>> for Broken {
        type Response = http::Response<http_body_util::Full<Bytes>>;
        type Error = &'static str;
        type Future = std::future::Ready<Result<Self::Response, &'static str>>;
        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), &'static str>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: http::Request<http_body_util::Full<Bytes>>) -> Self::Future {
            std::future::ready(Err("no room"))
        }
    }
    check(started(TowerTarget::new(Broken)), Err(TargetErrorKind::Crashed("did not answer: no room".to_owned())));
}

/// The handler stops where it stands, as under a server whose client went away.
#[test]
fn who_hangs_up_ends_the_handler() {
    let done = Arc::new(Mutex::new(0));
    let count = Arc::clone(&done);
    let handler = move || {
        let count = Arc::clone(&count);
        async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            *count.lock().expect("nobody panics") += 1;
            Ok::<_, Infallible>(StatusCode::OK)
        }
    };
    let mut target = router(post(handler));
    let request = Request::new(&[], b"{}");
    assert_eq!(target.deliver_badly(&request, Mishap::Reset), Ok(None));
    assert_eq!(target.deliver(&request), Ok(200));
    assert_eq!(*done.lock().expect("nobody panics"), 1);
}

#[test]
fn headers_and_endpoints_arrive() {
    let secret = async |headers: HeaderMap| {
        if headers.get("x-seal").is_some_and(|seal| seal == "whsec") { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    };
    let mut target = started(TowerTarget::new(Router::new().route("/disputes", post(secret))).webhook_of("disputes", "/disputes"));
    let headers = [("x-seal".to_owned(), "whsec".to_owned())];
    assert_eq!(target.deliver(&Request::new(&headers, b"").to("disputes")), Ok(200));
    assert_eq!(target.deliver(&Request::new(&[], b"").to("disputes")), Ok(401));
    assert_eq!(target.deliver(&Request::new(&[], b"")), Ok(404));
    let error = target.deliver(&Request::new(&[], b"").to("payouts")).expect_err("no such endpoint");
    assert_eq!(error.kind, TargetErrorKind::Declined("no path is named for the endpoint `payouts`".to_owned()));
}

#[test]
fn what_is_started_by_a_function_is_told_the_secret_and_started_again() {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&starts);
    let target = TowerTarget::started_by(move |hello| {
        told.lock().expect("nobody panics").push(hello.secret);
        async { Router::new().route("/", post(async || StatusCode::OK)) }
    });
    let mut target = started(target);
    assert_eq!(target.restart(), Ok(()));
    assert!(target.deliver(&Request::new(&[], b"")).is_err());
    let mut target = started(target);
    assert_eq!(target.deliver(&Request::new(&[], b"")), Ok(200));
    assert_eq!(*starts.lock().expect("nobody panics"), ["whsec", "whsec"]);
}

#[test]
fn what_is_there_already_cannot_be_started_again() {
    assert_eq!(router(post(async || ())).restart().map_err(|error| error.kind), Err(TargetErrorKind::Unsupported));
}
