//! A whole certification over HTTP, and the addresses that are taken.

use std::{collections::HashSet, net::TcpListener, sync::Mutex, thread, time::Duration};

use refundproof::{
    adapter::{Hello, HttpSettings, Setup, Target},
    domain::Clock,
    provider::{Registered, registered},
    reference::ReferenceShop,
    verdict::{Conformance, Verdict},
};
use serde_json::{Value, json};

use super::{certified, certified_by, claims, conforms, not_started, salted};
use crate::common::{
    only, quick,
    server::{Asked, Reply, SECRET, Server, reference, serve_one_by_one, settings_for, shop_handler},
};

// ---- A whole certification

#[test]
fn the_reference_conforms() {
    let server = Server::shop();
    let settings = HttpSettings { introduction: claims(), ..server.settings() };
    let report = certified(&settings, &salted(quick(4, 1))).expect("a report");
    conforms(&report);
    assert_eq!(report.target.transport, "http");
    assert!(
        report.requirements.iter().any(|requirement| requirement.id == "concurrent-deliveries" && requirement.verdict == Verdict::Pass)
    );
}

#[test]
fn everything_but_deliveries_may_be_behind_a_token() {
    let server = Server::shop_but(|asked, _| {
        let has_token = asked.header("x-token") == Some("let-me-in");
        (asked.is_delivery() == has_token).then(|| Reply::Answer(401, String::new()))
    });
    let headers = vec![("X-Token".to_owned(), "let-me-in".into())];
    let settings = HttpSettings { headers, introduction: claims(), ..server.settings() };
    conforms(&certified(&settings, &salted(quick(2, 1))).expect("a report"));
    not_started(&HttpSettings { headers: vec![("host".to_owned(), "x".into())], ..server.settings() }, &["http.headers: `host`"]);
    not_started(&HttpSettings { headers: vec![("x".to_owned(), "a\nb".into())], ..server.settings() }, &["http.headers.x"]);
}

/// A shop may be registered for an older version of the provider's API, whatever it is reached by.
#[test]
fn a_shop_of_an_older_version_conforms() {
    const OLDER: &str = "older-api-version";
    let has_older =
        |registered: &&Registered| registered.embedded().corpus().requirements.iter().any(|requirement| requirement.id == OLDER);
    let registered = registered().iter().find(has_older).expect("a provider with several versions");
    let mut shop = ReferenceShop::new(Clock::system()).registered_for_older_version();
    let mut introduction = shop.hello(&Hello::new(registered.name, SECRET)).expect("it starts");
    introduction.capabilities = introduction.capabilities.with(|claims| (claims.durable, claims.clock) = (false, false));
    let shop = shop_handler(Box::new(shop));
    let server = Server::new(move |asked, _| {
        let (status, body) = shop(asked);
        Reply::Answer(status, body)
    });
    let settings = HttpSettings { introduction, ..server.settings() };
    let options = quick(4, 1).with(|options| options.selection = only(&[OLDER, "charge-refunded-*", "refund-fails-*"]));
    let report = certified_by(registered.embedded(), &settings, &salted(options)).expect("a report");
    conforms(&report);
    let passed = |id| report.requirements.iter().any(|requirement| requirement.id == id && requirement.verdict == Verdict::Pass);
    assert!(passed(OLDER) && passed("charge-refunded-updates-order"));
}

/// Tells the reference of an order that an event introduces.
fn introduced(asked: &Asked) -> Option<Asked> {
    let event: Value = serde_json::from_slice(&asked.body).ok()?;
    if event["type"] != "order.accepted" {
        return None;
    }
    let order = &event["data"]["object"];
    let charge = |charge: &Value| json!({"id": charge["id"], "capturedAmount": charge["amount"].to_string()});
    let charges: Vec<Value> = order["payment"]["charges"].as_array()?.iter().map(charge).collect();
    let captured = order["totalAmount"].to_string();
    let setup = json!({"orderId": order["id"], "currency": order["currency"], "capturedAmount": captured, "charges": charges});
    let body = json!({"case": order["id"], "orders": [setup]}).to_string().into_bytes();
    Some(Asked { method: "POST".to_owned(), path: "/test/orders".to_owned(), headers: Vec::new(), body })
}

#[test]
fn orders_may_be_known_from_events_alone() {
    let shop = shop_handler(reference());
    let begun = Mutex::new(HashSet::new());
    let server = Server::new(move |asked, _| {
        let introduction = introduced(asked).filter(|_| asked.is_delivery());
        if let Some(introduction) = introduction.filter(|told| begun.lock().expect("nobody panics").insert(told.body.clone())) {
            shop(&introduction);
        }
        let (status, body) = shop(asked);
        Reply::Answer(status, body)
    });
    let settings = HttpSettings { setup: Setup::Events, introduction: claims(), ..server.settings() };
    let options = quick(5, 1).with(|options| options.selection = only(&["refund-*", "several-charges", "duplicate-*"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    let failed = report.requirements.iter().filter(|requirement| requirement.verdict != Verdict::Pass).collect::<Vec<_>>();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(server.asked().iter().all(|asked| asked.path != "/test/orders"));
}

#[test]
fn who_refuses_the_event_that_introduces_an_order_is_not_judged() {
    let server = Server::new(|_, _| Reply::Answer(400, String::new()));
    let settings = HttpSettings { setup: Setup::Events, introduction: claims(), ..server.settings() };
    let options = quick(1, 1).with(|options| options.selection = only(&["refund-complete-updates-order"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    assert_eq!(report.verdict, Conformance::NotJudged);
    let note = report.requirements[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("`order.accepted`, which introduces order ") && note.contains("answered 400"), "{note}");
}

#[test]
fn one_connection_at_a_time_is_enough() {
    // Whoever is served by a single thread waits for the next request on a kept connection.
    let shop = shop_handler(reference());
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || serve_one_by_one(&listener, &shop));
    let settings = HttpSettings {
        introduction: claims().with(|told| told.capabilities = claims().capabilities.with(|claims| claims.concurrency = 1)),
        answer_limit: Some(Duration::from_secs(3)),
        ..settings_for(&base)
    };
    let options = quick(12, 3).with(|options| options.selection = only(&["redelivery*", "duplicate*"]));
    conforms(&certified(&settings, &salted(options)).expect("a report"));
}

// ---- Addresses

#[test]
fn only_this_machine() {
    not_started(&settings_for("http://192.0.2.1:80"), &["http.webhook_url", "192.0.2.1", "--allow-remote"]);
    not_started(&settings_for("https://127.0.0.1:1"), &["https is not spoken"]);
}

#[test]
fn the_port_of_a_service_that_runs_already_is_no_secret() {
    not_started(&settings_for("http://127.0.0.1:{port}"), &["{port}", "runs already"]);
}

#[test]
fn an_order_needs_a_place_in_the_url() {
    let settings = HttpSettings { state_url: "http://127.0.0.1:1/orders".to_owned(), ..settings_for("http://127.0.0.1:1") };
    not_started(&settings, &["http.state_url", "{orderId}"]);
}
