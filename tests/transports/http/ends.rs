//! Whatever a server does, a run ends.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use refundproof::{
    adapter::{HttpSettings, Setup},
    run::{Options, Selection},
    verdict::{Conformance, Report},
};

use super::{LONG, SHORT, certified, claims, conforms, salted};
use crate::common::{
    only, quick,
    server::{Reply, Server, settings_for},
};

#[track_caller]
fn ends(settings: &HttpSettings, options: Options) -> Report {
    let started = Instant::now();
    // Whoever does not answer at all is not waited for any longer than that.
    let settings = HttpSettings { answer_limit: Some(SHORT / 5), other_limit: SHORT, ..settings.clone() };
    let report = certified(&settings, &salted(options)).expect("a report");
    assert!(started.elapsed() < LONG, "it took {:?}", started.elapsed());
    assert_ne!(report.verdict, Conformance::Conformant);
    report
}

#[test]
fn a_server_that_never_answers() {
    for setup in [Setup::Events, Setup::Url("/test/orders".to_owned())] {
        let server = Server::new(|_, _| {
            thread::sleep(LONG * 3);
            Reply::Close
        });
        let setup = if setup == Setup::Events { Setup::Events } else { server.settings().setup };
        ends(&HttpSettings { setup, introduction: claims(), ..server.settings() }, Options::new().with(|options| options.cases = 5));
    }
}

#[test]
fn a_server_that_answers_no_delivery() {
    let server = Server::shop_but(|asked, _| {
        asked.is_delivery().then(|| {
            thread::sleep(LONG * 3);
            Reply::Close
        })
    });
    let report = ends(&HttpSettings { introduction: claims(), ..server.settings() }, Options::new().with(|options| options.cases = 5));
    assert_eq!(report.verdict, Conformance::NotConformant);
}

#[test]
fn one_late_answer_is_no_failure() {
    let is_late = AtomicBool::new(false);
    let server = Server::shop_but(move |asked, _| {
        if asked.is_delivery() && !is_late.swap(true, Ordering::SeqCst) {
            thread::sleep(SHORT * 2);
        }
        None
    });
    let settings = HttpSettings { answer_limit: Some(SHORT), ..server.settings() };
    let options = quick(3, 1).with(|options| options.selection = only(&["refund-*", "acknowledges-*"]));
    let report = certified(&settings, &salted(options)).expect("a report");
    conforms(&report);
}

#[test]
fn the_time_of_an_answer_is_measured_whatever_is_waited_for() {
    for answer_limit in [None, Some(SHORT)] {
        let server = Server::shop_but(move |asked, _| {
            if asked.is_delivery() {
                thread::sleep(Duration::from_millis(3100));
            }
            None
        });
        let settings = HttpSettings { answer_limit, ..server.settings() };
        let options = quick(1, 1).with(|options| options.selection = only(&["acknowledges-in-time"]));
        let report = certified(&settings, &salted(options)).expect("a report");
        let failure = report.findings.first().expect("it is too slow");
        assert_eq!(failure.message, "deliver: no answer within 3000 ms", "{answer_limit:?}");
    }
}

#[test]
fn a_server_that_takes_no_connections() {
    // Nobody accepts: after some connections the system takes no more.
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let settings = settings_for(&format!("http://{}", listener.local_addr().expect("an address")));
    ends(&HttpSettings { introduction: claims(), ..settings }, Options::new().with(|options| options.cases = 5));
}

#[test]
fn a_server_that_breaks_off_is_judged() {
    let server = Server::shop_but(|asked, _| asked.is_delivery().then_some(Reply::Close));
    let options = Options::new().with(|options| {
        options.cases = 3;
        options.selection = Selection::new(&["refund-*".to_owned()], &[]).expect("globs");
    });
    let report = ends(&HttpSettings { introduction: claims(), ..server.settings() }, options);
    assert_eq!(report.verdict, Conformance::NotConformant);
    let failure = report.findings.first().expect("a failure");
    assert!(failure.message.contains("broke off without an answer"), "{}", failure.message);
}

/// What a server may answer to anything.
const ODD: &[&[u8]] = &[
    b"",
    b"\r\n",
    b"\r\n\r\n",
    b"HTTP/1.1 200",
    b"HTTP/1.1 200\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nnull",
    b"HTTP/0.9 200 OK\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 000 OK\r\n\r\n",
    b"HTTP/1.1 99 OK\r\n\r\n",
    b"HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 70000 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx",
    b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe\0\0",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: nameless\r\ncontent-length: 0\r\n\r\n",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\r\n\r\n",
];

#[test]
fn odd_answers_neither_stop_nor_confuse_it() {
    for (number, odd) in ODD.iter().enumerate() {
        for only_deliveries in [false, true] {
            let server = Server::shop_but(move |asked, _| (asked.is_delivery() || !only_deliveries).then(|| Reply::Raw(odd.to_vec())));
            let options = quick(3, number as u64).with(|options| options.selection = only(&["redelivery-*", "duplicate-*"]));
            let report = ends(&HttpSettings { introduction: claims(), ..server.settings() }, options);
            let text = serde_json::to_string(&report).expect("JSON");
            assert!(!text.contains("panicked"), "{number}: {text}");
        }
    }
}
