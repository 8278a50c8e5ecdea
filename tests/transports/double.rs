//! The double over HTTP, as a target in another process meets it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    thread,
    time::Duration,
};

use refundproof::{
    case::{Act, ApiFault, Case, OwnRefund},
    double::{Double, Ticket, serve},
    plan::{Action, Level, Opening, Pick, Plan, Step},
    provider::{Audience, Provider, lower_for, registered},
};

/// A provider whose API is served.
fn provider() -> &'static dyn Provider {
    registered().iter().map(|provider| provider.embedded()).find(|provider| provider.api().is_some()).expect("one has an API")
}

/// A case in which the shop makes a refund, and the double that serves it.
struct Stage {
    case: Case,
    double: Arc<Double>,
    _ticket: Ticket,
}

impl Stage {
    fn new() -> Stage {
        let ask =
            Action::Refund { amount: Pick::Units(200), level: Level::Order, joins: false, own: true, kind: 0, opens: Opening::Succeeded };
        let plan = Plan { orders: Vec::new(), steps: vec![Step::plain(ask)], only: Vec::new(), look: 0 };
        let case = lower_for(provider(), &plan, 7, Audience { calls_back: true, ..Audience::EVERYBODY }).case;
        let double = Double::of(provider().api().expect("it has one"));
        serve(&double).expect("a port of loopback");
        let ticket = double.begin(&case);
        Stage { case, double, _ticket: ticket }
    }

    fn own(&self) -> OwnRefund {
        let own = |act: &Act| if let Act::Initiate(own) = act { Some(own.clone()) } else { None };
        self.case.entries.iter().find_map(|entry| own(&entry.act)).expect("the shop makes one")
    }

    fn payment(&self) -> &str {
        self.case.orders[0].payment_intent_id.as_deref().expect("it has one")
    }

    /// What a request gets; nothing where the connection ends without an answer.
    fn asked(&self, method: &str, path: &str, headers: &str, body: &str) -> Option<(u16, String)> {
        let address = self.double.address().expect("it is served").strip_prefix("http://").expect("a URL");
        let mut stream = TcpStream::connect(address).expect("it takes connections");
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let status = answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
    }

    fn refunded(&self, key: &str) -> Option<(u16, String)> {
        let form = format!("payment_intent={}&amount=200&metadata%5Border_id%5D=x+y", self.payment());
        self.asked("POST", "/v1/refunds", &format!("{BEARER}idempotency-key: {key}\r\n"), &form)
    }
}

const BEARER: &str = "authorization: Bearer sk_test_x\r\n";

#[test]
fn an_object_with_a_bearers_key_or_a_users() {
    let stage = Stage::new();
    let path = format!("/v1/payment_intents/{}?expand[]=latest_charge", stage.payment());
    // `sk_test_x:` in base64.
    for headers in [BEARER, "authorization: Basic c2tfdGVzdF94Og==\r\n"] {
        let (status, body) = stage.asked("GET", &path, headers, "").expect("an answer");
        assert_eq!(status, 200, "{body}");
        assert!(body.contains(r#""latest_charge":{"id":"ch_"#), "{body}");
    }
    assert_eq!(stage.asked("GET", &path, "", "").expect("an answer").0, 401);
}

#[test]
fn other_methods_and_long_bodies() {
    let stage = Stage::new();
    assert_eq!(stage.asked("DELETE", "/v1/refunds", BEARER, "").expect("an answer").0, 405);
    assert_eq!(stage.asked("POST", "/v1/refunds", BEARER, &"x".repeat(70_000)).expect("an answer").0, 413);
}

#[test]
fn a_lost_connection_has_no_answer() {
    let stage = Stage::new();
    let path = format!("/v1/payment_intents/{}", stage.payment());
    stage.double.fail(&stage.case.orders[0].order_id, ApiFault::Lost, 1);
    assert_eq!(stage.asked("GET", &path, BEARER, ""), None);
    assert_eq!(stage.asked("GET", &path, BEARER, "").expect("an answer").0, 200);
}

#[test]
fn the_answer_waits_until_it_is_released() {
    let stage = Stage::new();
    let own = stage.own();
    stage.double.expect(&own, true);
    thread::scope(|scope| {
        let request = scope.spawn(|| stage.refunded("a"));
        assert!(stage.double.wait_for_request(&own.order_id, Duration::from_secs(60)), "the request arrives");
        assert!(stage.double.was_made(&own));
        assert!(!request.is_finished());
        // Meanwhile others are answered, the same refund included.
        let path = format!("/v1/refunds/{}", own.refund.id);
        assert_eq!(stage.asked("GET", &path, BEARER, "").expect("an answer").0, 200);
        stage.double.release(&own.order_id);
        let (status, body) = request.join().expect("no panic").expect("an answer");
        assert_eq!(status, 200);
        assert!(body.contains(&own.refund.id), "{body}");
    });
}

#[test]
fn nobody_waits_for_a_request_that_does_not_come() {
    let stage = Stage::new();
    stage.double.expect(&stage.own(), true);
    assert!(!stage.double.wait_for_request(&stage.own().order_id, Duration::ZERO));
}
