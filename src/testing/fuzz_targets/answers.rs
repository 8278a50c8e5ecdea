//! What targets answer, over standard output and over HTTP.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use super::{ORDER, assert_told, order};
use crate::{
    adapter::{HttpSettings, HttpTarget, Introduction, OWN_JSON, Readings, Request, Target, heard},
    domain::OrderState,
};

/// How long is waited for the service below, which answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers of targets over stdio: what is read is something that may be, and what is wrong is told in a few words.
pub fn stdio(bytes: &[u8]) {
    let Readings { introductions, statuses, states, problems } = heard(bytes);
    problems.iter().for_each(|problem| assert_told(problem));
    assert!(statuses.iter().all(|status| (100..=599).contains(status)), "{statuses:?}");
    for Introduction { capabilities, .. } in &introductions {
        assert!(capabilities.concurrency > 0);
    }
    states.iter().flatten().for_each(assert_shown);
}

/// Answers of services: whatever arrives over HTTP is an answer or is told, for a delivery as for an order, in the contract's JSON and in a
/// service's own.
pub fn responses(bytes: &[u8]) {
    // One after the other: there is one service, with one answer.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let service = service();
    *service.answer.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
    for mapping in [None, Some(toml::from_str(OWN_JSON).expect("a mapping"))] {
        let (webhook, order_url) =
            (format!("http://{}/webhook", service.address), format!("http://{}/orders/{{orderId}}", service.address));
        let settings = HttpSettings { mapping, ..HttpSettings::new(webhook, order_url, PATIENCE) };
        let mut target = HttpTarget::new(&settings).expect("the settings make sense");
        target.begin("fuzz", &[order()]).expect("nobody is told");
        match target.deliver(&Request::new(&[], b"{}")) {
            Ok(status) => assert!((100..1000).contains(&status), "{status}"),
            Err(error) => assert_told(&error.to_string()),
        }
        match target.observe(ORDER) {
            Ok(state) => state.iter().for_each(assert_shown),
            Err(error) => assert_told(&error.to_string()),
        }
        if let Some(transport) = target.as_transport() {
            transport.readings(ORDER).iter().for_each(|line| assert_told(line));
        }
    }
}

/// What was read as a state is written and read as the same.
#[track_caller]
fn assert_shown(state: &OrderState) {
    let text = serde_json::to_string(state).expect("a state is JSON");
    let again: OrderState = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(&again, state, "{text}");
}

/// A service that answers every request with the same bytes and hangs up.
struct Service {
    address: SocketAddr,
    answer: Mutex<Vec<u8>>,
}

fn service() -> &'static Arc<Service> {
    static SERVICE: OnceLock<Arc<Service>> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let service = Arc::new(Service { address, answer: Mutex::default() });
        let own = Arc::clone(&service);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let answer = own.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // Whoever asked may be gone already.
                let _ = answer_with(&stream, &answer);
            }
        });
        service
    })
}

fn answer_with(mut stream: &TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    // What is left unread would reset the connection, and the answer might be lost.
    io::copy(&mut request.take(length), &mut io::sink())?;
    stream.write_all(answer)?;
    stream.shutdown(Shutdown::Write)
}
