//! Fresh ids for targets that outlive a run, and secrets that are not printed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use refundproof::{
    adapter::{Hello, Introduction, Request, Sealed, ServiceSettings, Target, TargetError, Transport},
    case::{Act, Body, Case, Entry, OrderSetup},
    domain::{Clock, OrderState},
    drive::{Conditions, Secrets, with_fresh_ids},
    findings::ShrinkLimits,
    reference::Fault,
    run::Options,
};

use super::{Maker, certified, certified_as, lock, one_case};
use crate::common::{only, place::Place, provider, quick, root, sample::python, shop};

// ---- Secrets

#[test]
fn secrets_are_not_printed() {
    let secrets = Secrets::of(Some("hush".into()));
    let conditions = Conditions { secrets: secrets.clone(), ..Conditions::default() };
    let options = Options::new().with(|options| options.secrets = secrets.clone());
    let hello = Hello::new("x".to_owned(), "hush".to_owned());
    let service = ServiceSettings { environment: [("SECRET".to_owned(), "hush".to_owned())].into(), ..ServiceSettings::default() };
    let text = format!("{secrets:?} {conditions:?} {options:?} {hello:?} {service:?}");
    assert!(!text.contains("hush") && text.contains("SECRET"), "{text}");
}

// ---- Fresh ids

#[test]
fn short_ids_stay() {
    let case = r#"{"schema":"refundproof-case/1","title":"by hand","provider":"digital-river",
        "orders":[{"orderId":"17","currency":"USD","capturedAmount":"17.00","items":[{"itemId":"1","quantity":1,"amount":"17.00"}]}],
        "entries":[],"expect":[]}"#;
    let mut case: Case = serde_json::from_str(case).expect("a case");
    let mut delivery = provider().corpus().sequences().values().find_map(|case| case.all_deliveries().next()).expect("a delivery").clone();
    delivery.event.order_id = Some("17".to_owned());
    delivery.event.tells.clear();
    delivery.body = Body::new(r#"{"order":"17","item":"1","amount":17.00,"id":"evt_12345678"}"#);
    delivery.event.id = "evt_12345678".to_owned();
    case.entries = vec![Entry { act: Act::Deliver(Box::new(delivery)), expect: Vec::new(), expect_if_refused: Vec::new() }];
    let sent = with_fresh_ids(&case, 5);
    assert_eq!(sent.orders, case.orders);
    let text = sent.all_deliveries().next().and_then(|delivery| delivery.body.text().map(str::to_owned)).expect("text");
    assert!(text.starts_with(r#"{"order":"17","item":"1","amount":17.00,"id":"evt_"#) && !text.contains("12345678"), "{text}");
}

/// Notes the ids that it is told.
struct Noting {
    shop: Box<dyn Target>,
    log: String,
    told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>>,
}

impl Noting {
    fn note(&self, what: &'static str, id: Option<String>) {
        lock(&self.told).entry(what).or_default().extend(id);
    }
}

impl Target for Noting {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        self.shop.hello(hello)
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        for order in orders {
            self.log = format!("the last order is {}", order.order_id);
            self.note("order", Some(order.order_id.clone()));
            order.charges.iter().for_each(|charge| self.note("charge", Some(charge.id.clone())));
        }
        self.shop.begin(case, orders)
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let event: serde_json::Value = serde_json::from_slice(request.body).unwrap_or_default();
        self.note("event", event["id"].as_str().map(str::to_owned));
        let object = &event["data"]["object"];
        if object["id"].as_str().is_some_and(|id| id.starts_with("re_")) {
            self.note("refund", object["id"].as_str().map(str::to_owned));
        }
        self.shop.deliver(request)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.shop.advance(time)
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        self.shop.observe(order_id)
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for Noting {}

impl Transport for Noting {
    fn complaints(&mut self) -> String {
        std::mem::take(&mut self.log)
    }
}

/// The ids that a target with a fault was told, and the report without its times.
fn run_with(salt: Option<u64>) -> (HashMap<&'static str, HashSet<String>>, serde_json::Value, Vec<String>) {
    let told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>> = Arc::default();
    let noted = Arc::clone(&told);
    let fault = Fault::from_name("books-redeliveries").expect("a fault");
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(Some(fault), &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    let options = quick(10, 1).with(|options| {
        options.cases = 10;
        options.salt = salt;
        options.selection = only(&["refund-*", "duplicate-*", "partial-*", "snapshots"]);
    });
    let report = certified_as("http", &options.with(|options| options.shrink = ShrinkLimits::default()), make);
    let cases = report.findings.iter().filter_map(|failure| failure.shrunk.as_ref()).map(|case| case.to_json()).collect();
    let mut report = serde_json::to_value(&report).expect("JSON");
    without_times(&mut report);
    (std::mem::take(&mut *lock(&told)), report, cases)
}

fn without_times(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.remove("durationMs");
            members.values_mut().for_each(without_times);
        }
        serde_json::Value::Array(elements) => elements.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn ids_are_fresh_and_nobody_reads_of_it() {
    let (plain, plain_report, plain_cases) = run_with(None);
    let (first, first_report, first_cases) = run_with(Some(1));
    let (second, second_report, _) = run_with(Some(2));
    for what in ["order", "charge", "event", "refund"] {
        assert!(!plain[what].is_empty(), "no {what}");
        assert!(plain[what].is_disjoint(&first[what]) && plain[what].is_disjoint(&second[what]), "{what}");
        assert!(first[what].is_disjoint(&second[what]), "{what}");
        assert_eq!(plain[what].len(), first[what].len(), "two {what}s became one");
    }
    assert!(!plain_cases.is_empty(), "nothing failed");
    assert!(plain_report.to_string().contains("the last order is "), "nothing was said");
    assert_eq!(first_cases, plain_cases);
    assert_eq!(first_report, plain_report);
    assert_eq!(second_report, plain_report);
}

#[test]
fn ids_are_as_they_are_for_who_forgets_them() {
    let told: Arc<Mutex<HashMap<&'static str, HashSet<String>>>> = Arc::default();
    let noted = Arc::clone(&told);
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(None, &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    certified(&one_case().with(|options| options.salt = Some(1)), make);
    let salted = std::mem::take(&mut *lock(&told));
    let noted = Arc::clone(&told);
    let make: Maker =
        Box::new(move || Box::new(Noting { shop: shop(None, &Clock::system()), log: String::new(), told: Arc::clone(&noted) }));
    certified(&one_case(), make);
    assert_eq!(*lock(&told), salted);
}

// ---- A store that is there again in the next run

#[test]
fn a_store_of_an_earlier_run_is_no_trouble() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let sample = root().join("samples/python-stdio/shop.py").display().to_string();
    let args = ["certify", "--cases", "3", "--", &python, &sample, "--store", "shop.db"];
    place.exits(&args, 0);
    place.exits(&args, 0);
}
