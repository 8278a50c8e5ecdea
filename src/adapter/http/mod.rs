//! A target that is an HTTP service: its own webhook endpoint, its own way to show an order.
//!
//! The service is either started, killed and stopped here, or runs already. Connections are kept and driven by hyper;
//! what a client library would rather not do (`mishap`) is done on plain sockets.
//! Source: `docs/adapter-protocol.md`, "HTTP".

mod address;
mod client;
mod mapping;
mod mishap;
mod service;
mod settings;
mod turns;

use mapping::Known;
#[cfg(feature = "arbitrary")]
pub use mapping::OWN_JSON;
pub use mapping::{AmountUnit, Mapping, Pointer, RefundsMapping};
pub use service::ServiceSettings;
pub use settings::{HttpSettings, Setup};

use std::{
    collections::HashMap,
    ffi::OsString,
    io, iter,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::Method;
use serde::Serialize;

use address::Address;
use client::{Client, Outgoing, Patience, Reply, Trouble, outgoing};
use service::{Service, free_port};
use settings::{API, PORT};

use super::{
    Endpoints, Growth, Hello, Introduction, LONGEST_ANSWER, Request, Sealed, Target, TargetError, TargetErrorKind, Transport,
    ending::{Ending, FAR_AWAY, LOOK},
    endpoint::{CaseBegun, TimePassed, refused},
    folder::{FOLDER, Folder},
    group::standing_still,
    permits::Permits,
    process::{Process, SUCCESS},
    shown,
    wire::{NO_STATE, check_size, read_bare_state},
};
use crate::{
    case::{Mishap, OrderSetup, OwnRefund},
    domain::{Currency, OrderState},
};

/// How much of an answer to anything but the question for an order is read; the rest is cut off and the connection closed.
const LONGEST_REPLY: usize = 64 << 10;
/// How long a service that takes one delivery at a time has to finish one whose sender hung up.
const SHORTEST_REST: Duration = Duration::from_millis(5);
const LONGEST_REST: Duration = Duration::from_secs(3);

/// A target over HTTP. A service that it started itself is killed when it is dropped, and everyone beside it.
pub struct HttpTarget {
    common: Arc<Common>,
    /// Whether it came beside another one, which lets the service go.
    is_guest: bool,
    client: Client,
    /// How long the answer to a delivery is waited for at least, whatever the settings say.
    patience: Duration,
    /// The longest that an answer to a delivery took so far.
    slowest: Duration,
    /// The currencies of the orders of the cases that are open.
    currencies: HashMap<String, Currency>,
    cases: HashMap<String, Vec<String>>,
    /// The JSON of the order that was shown last.
    last_state: Vec<u8>,
}

/// What all have in common who speak to one service.
struct Common {
    settings: HttpSettings,
    webhook: Address,
    state: Address,
    setup: Option<Address>,
    initiate: Option<Address>,
    advance: Option<Address>,
    ready: Option<Address>,
    service: Option<Mutex<Service>>,
    /// No more requests are under way than the service claims to take.
    permits: Permits,
    /// What was put in the place of a placeholder, and differs from run to run.
    chosen: Vec<(String, &'static str)>,
    /// Removed last.
    _folder: Option<Folder>,
}

impl Common {
    /// The service, if it is ours. Whoever panicked left it whole.
    fn service(&self) -> Option<MutexGuard<'_, Service>> {
        self.service.as_ref().map(|service| service.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An error in the words of the settings: it stands in reports, and those of the same seed are the same.
    fn failed(&self, operation: &str, kind: TargetErrorKind) -> TargetError {
        let mut error = TargetError::new(operation, kind);
        error.each_text(|text| *text = self.as_written(text));
        error
    }

    /// A text with the placeholders that stand in the settings.
    fn as_written(&self, text: &str) -> String {
        self.chosen.iter().fold(text.to_owned(), |text, (value, placeholder)| text.replace(value, placeholder))
    }

    /// What is to blame for an answer that did not come.
    fn blamed(&self, operation: &str, trouble: Trouble) -> TargetError {
        let ended = self.service().and_then(|mut service| service.ending());
        let kind = match (trouble, ended) {
            (Trouble::TimedOut(limit), _) => TargetErrorKind::TimedOut(limit),
            (Trouble::Interrupted, _) => TargetErrorKind::Interrupted,
            (Trouble::NoHttp(what), _) => TargetErrorKind::Nonsense(format!("the answer is no HTTP: {what}")),
            (_, Some(how)) => TargetErrorKind::Crashed(how),
            (Trouble::Unreachable(why), None) => TargetErrorKind::Crashed(format!("does not take connections: {why}")),
            (Trouble::Broken(why), None) => TargetErrorKind::Crashed(format!("broke off without an answer: {why}")),
        };
        self.failed(operation, kind)
    }

    fn others(&self, longest: usize) -> Patience {
        Patience { limit: Some(self.settings.other_limit), longest }
    }

    fn declined(&self, operation: &str, address: &Address, reply: &Reply) -> TargetError {
        self.failed(operation, refused(&address.to_string(), reply.status, &reply.body))
    }
}

impl HttpTarget {
    /// A target with these settings. Nothing is started before `hello`.
    ///
    /// # Errors
    /// When [`HttpSettings::check`] fails, or there is no port or folder to be had.
    pub fn new(settings: &HttpSettings) -> Result<HttpTarget, TargetError> {
        let fail = |why: String| TargetError::new("hello", TargetErrorKind::NotStarted(why));
        settings.check().map_err(fail)?;
        let mut settings = settings.clone();
        let mut chosen = Vec::new();
        if settings.mentions(PORT) {
            let port = free_port().map_err(fail)?;
            settings = settings.with(PORT, &port.to_string());
            chosen.push((format!(":{port}"), ":{port}"));
        }
        if settings.mentions(API) {
            let Some(api) = settings.api.clone() else {
                return Err(fail(format!("{API} stands in the target file, and no API of this provider is served")));
            };
            settings = settings.with(API, &api);
            chosen.push((api, API));
        }
        let folder = settings.mentions(FOLDER).then(Folder::new).transpose().map_err(fail)?;
        if let Some(folder) = &folder {
            let path = folder.path().display().to_string();
            settings = settings.with(FOLDER, &path);
            chosen.push((path, FOLDER));
        }
        let [Some(webhook), Some(state), setup, initiate, advance, ready] = settings.addresses().map_err(fail)? else {
            return Err(fail("a URL is missing".to_owned()));
        };
        let service = settings.service.clone().map(|service| Mutex::new(Service::new(service)));
        let permits = Permits::new(usize::try_from(settings.introduction.capabilities.concurrency).unwrap_or(usize::MAX));
        let common = Common { settings, webhook, state, setup, initiate, advance, ready, service, permits, chosen, _folder: folder };
        HttpTarget::of(Arc::new(common), false).map_err(|error| fail(error.to_string()))
    }

    fn of(common: Arc<Common>, is_guest: bool) -> io::Result<HttpTarget> {
        let (patience, slowest) = (Duration::ZERO, Duration::ZERO);
        let (currencies, cases, last_state) = (HashMap::new(), HashMap::new(), Vec::new());
        Ok(HttpTarget { common, is_guest, client: Client::new()?, patience, slowest, currencies, cases, last_state })
    }

    /// Sends a request so many times over so many connections as fast as it is answered, and gives the statuses; for
    /// measuring. As with other measuring clients, the request is made once.
    pub fn deliver_in_bulk(&mut self, request: &Request<'_>, times: usize, connections: usize) -> Vec<Result<u16, TargetError>> {
        let request = post(&self.common.webhook, request.headers, request.body);
        self.send_together(request.map(|request| iter::repeat_n(Arc::new(request), times).collect()), times, connections)
    }

    /// Sends so many requests, unless one of them could not be made.
    fn send_together(
        &mut self,
        requests: Result<Vec<Arc<Outgoing>>, String>,
        count: usize,
        connections: usize,
    ) -> Vec<Result<u16, TargetError>> {
        let requests = match requests {
            Ok(requests) => requests,
            Err(problem) => return vec![Err(unsendable("deliver", problem)); count],
        };
        let patience = Patience { limit: self.answer_limit(), longest: LONGEST_REPLY };
        let statuses = self.client.send_together(&self.common.webhook, requests, connections, patience);
        statuses.into_iter().map(|status| status.map_err(|trouble| self.common.blamed("deliver", trouble))).collect()
    }

    /// Starts the service if it is ours and does not run, and waits until it is ready.
    fn start(&mut self, operation: &str) -> Result<(), TargetError> {
        let HttpTarget { common, client, .. } = self;
        let Common { settings, webhook, ready, .. } = &**common;
        client.forget();
        let mut is_ready = |limit: Duration| {
            client.is_ready(ready.as_ref(), webhook, Patience { limit: Some(limit.min(settings.other_limit)), longest: LONGEST_REPLY })
        };
        let started = match common.service() {
            Some(mut service) => service.start(&webhook.sockets, is_ready),
            None => is_ready(settings.other_limit)
                .map_err(|problem| TargetErrorKind::NotStarted(format!("{problem}; start the service first, or let [server] start it"))),
        };
        started.map_err(|kind| common.failed(operation, kind))
    }

    /// Posts JSON that must be answered 2xx.
    fn tell(&mut self, operation: &str, address: &Address, body: &impl Serialize) -> Result<(), TargetError> {
        let HttpTarget { common, client, .. } = self;
        let body = serde_json::to_vec(body).map_err(|error| unsendable(operation, error.to_string()))?;
        let headers = common.settings.with_own_headers("content-type");
        let request = post(address, &headers, &body).map_err(|problem| unsendable(operation, problem))?;
        let _held = common.permits.take(1);
        let sent = client.send(address, request, common.others(LONGEST_REPLY));
        let reply = sent.map_err(|trouble| common.blamed(operation, trouble))?;
        if (200..300).contains(&reply.status) { Ok(()) } else { Err(common.declined(operation, address, &reply)) }
    }

    fn run_setup(&mut self, command: &[String], body: &[u8]) -> Result<(), TargetError> {
        // The command may speak to the service, which may serve one connection at a time.
        self.client.forget();
        let Common { settings, permits, .. } = &*self.common;
        let _held = permits.take(1);
        let fail = |why: String| self.common.failed("begin", TargetErrorKind::Declined(format!("`{}` {why}", command.join(" "))));
        let words: Vec<OsString> = command.iter().map(OsString::from).collect();
        let mut process =
            Process::start_in(&words, &settings.directory).map_err(|why| TargetError::new("begin", TargetErrorKind::Declined(why)))?;
        let deadline = Instant::now() + settings.other_limit;
        process.write(body, deadline);
        process.close_stdin();
        let mut ending = Ending::default();
        let how = loop {
            if let Some(how) = process.wait_for_ending(deadline.min(Instant::now() + LOOK)) {
                break how;
            }
            if Instant::now() >= deadline {
                return Err(fail(format!("did not end within {} s", settings.other_limit.as_secs())));
            }
            if ending.is_over() {
                return Err(TargetError::new("begin", TargetErrorKind::Interrupted));
            }
        };
        if how == SUCCESS {
            return Ok(());
        }
        let last = process.last_words().map(|line| format!("; its last line on standard error: `{line}`")).unwrap_or_default();
        Err(fail(format!("{how}{last}")))
    }

    /// Who hangs up does not see when a request has been dealt with. Where one delivery is taken at a time, the next one waits
    /// for longer than any took so far.
    fn let_it_finish(&self) {
        if self.common.settings.introduction.capabilities.concurrency <= 1 {
            std::thread::sleep((self.slowest * 2).clamp(SHORTEST_REST, LONGEST_REST));
        }
    }

    fn answer_limit(&self) -> Option<Duration> {
        self.common.settings.answer_limit.map(|limit| limit.max(self.patience))
    }
}

impl Target for HttpTarget {
    fn hello(&mut self, _: &Hello) -> Result<Introduction, TargetError> {
        let runs = self.common.service().is_some_and(|service| service.is_running());
        if !runs {
            self.start("hello")?;
        }
        Ok(self.common.settings.introduction.clone())
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        for order in orders {
            if let Some(currency) = Currency::from_code(&order.currency) {
                self.currencies.insert(order.order_id.clone(), currency);
            }
            self.cases.entry(case.to_owned()).or_default().push(order.order_id.clone());
        }
        let begun = CaseBegun { case, orders };
        match self.common.settings.setup.clone() {
            Setup::Events => Ok(()),
            Setup::Url(_) => match self.common.setup.clone() {
                Some(address) => self.tell("begin", &address, &begun),
                None => Ok(()),
            },
            Setup::Command(command) => {
                let body = serde_json::to_vec(&begun).map_err(|error| unsendable("begin", error.to_string()))?;
                self.run_setup(&command, &body)
            }
        }
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let patience = Patience { limit: self.answer_limit(), longest: LONGEST_REPLY };
        let HttpTarget { common, client, .. } = self;
        let outgoing = post(&common.webhook.of(request.endpoint()), request.headers, request.body)
            .map_err(|problem| unsendable("deliver", problem))?;
        let _held = common.permits.take(1);
        let started = Instant::now();
        let reply = client.send(&common.webhook, outgoing, patience).map_err(|trouble| common.blamed("deliver", trouble))?;
        self.slowest = self.slowest.max(started.elapsed());
        Ok(reply.status)
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let Some(address) = self.common.initiate.clone() else { return Err(TargetError::unsupported("initiate")) };
        self.tell("initiate", &address, own)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        let Some(address) = self.common.advance.clone() else { return Err(TargetError::unsupported("advance")) };
        self.tell("advance", &address, &TimePassed::of(time))
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let HttpTarget { common, client, currencies, .. } = self;
        let path = common.state.path_of(order_id);
        let headers = common.settings.with_own_headers("accept");
        let request = outgoing(Method::GET, &common.state, &path, &headers, b"").map_err(|problem| unsendable("observe", problem))?;
        let reply = {
            let _held = common.permits.take(1);
            client.send(&common.state, request, common.others(LONGEST_ANSWER)).map_err(|trouble| common.blamed("observe", trouble))?
        };
        let nonsense = |what: String| common.failed("observe", TargetErrorKind::Nonsense(what));
        match reply.status {
            404 => Ok(None),
            200 if reply.is_cut => Err(nonsense(format!("the order's JSON breaks off, or is longer than {} MiB", LONGEST_ANSWER >> 20))),
            200 => {
                let read = common.read(order_id, &reply.body, currencies.get(order_id).copied()).map(Some).map_err(nonsense);
                self.last_state = reply.body;
                read
            }
            _ => Err(common.declined("observe", &common.state, &reply)),
        }
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        for order in self.cases.remove(case).unwrap_or_default() {
            self.currencies.remove(&order);
        }
        self.common.service().iter_mut().for_each(|service| service.case_is_over());
        Ok(())
    }

    fn bye(&mut self) {
        self.client.forget();
        if let Some(mut service) = self.common.service().filter(|_| !self.is_guest) {
            service.stop();
        }
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        let killed = self.common.service().map(|mut service| service.kill());
        killed.map_or_else(|| Err(TargetError::unsupported("restart")), |()| self.start("restart"))
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for HttpTarget {}

impl Transport for HttpTarget {
    fn beside(&mut self) -> Option<Box<dyn Target>> {
        Some(Box::new(HttpTarget::of(Arc::clone(&self.common), true).ok()?))
    }

    fn learns_of_orders_from_events(&self) -> bool {
        self.common.settings.setup == Setup::Events
    }

    fn wait_at_least(&mut self, patience: Duration) {
        self.patience = patience;
    }

    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        let common = Arc::clone(&self.common);
        let outgoing = requests
            .iter()
            .map(|request| post(&common.webhook.of(request.endpoint()), request.headers, request.body).map(Arc::new))
            .collect();
        let _held = common.permits.take(requests.len());
        self.send_together(outgoing, requests.len(), requests.len())
    }

    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        let limit = self.answer_limit().unwrap_or(FAR_AWAY);
        // A service that serves one connection at a time would wait for the next request on the one that is kept.
        self.client.forget();
        let common = Arc::clone(&self.common);
        let webhook = &*common.webhook.of(request.endpoint());
        let held = common.permits.take(1);
        let result = match mishap {
            Mishap::AnswerUnread => mishap::leave_unread(webhook, request, limit).map(|()| None),
            Mishap::Reset => mishap::reset(webhook, request, limit).map(|()| {
                self.let_it_finish();
                None
            }),
            Mishap::HalfSent => mishap::half_send(webhook, request, limit).map(|()| None),
            Mishap::SlowReading => mishap::read_slowly(webhook, request, limit).map(Some),
            Mishap::Killed { after_ms } => match mishap::only_send(webhook, request, limit) {
                Ok(stream) => {
                    std::thread::sleep(Duration::from_millis(after_ms.into()));
                    let restarted = self.restart();
                    drop(stream);
                    return restarted.map(|()| None);
                }
                Err(trouble) => Err(trouble),
            },
            Mishap::DiskFull => {
                drop(held);
                common.service().iter().for_each(|service| service.fill_disk());
                let status = self.deliver(request).ok();
                return self.restart().map(|()| status);
            }
            Mishap::StandsStill { for_ms } => {
                drop(held);
                let stop = || common.service().and_then(|service| service.stand_still());
                return standing_still(stop, Duration::from_millis(for_ms.into()), || self.deliver(request).map(Some));
            }
        };
        result.map_err(|trouble| common.blamed("deliver", trouble))
    }

    fn readings(&mut self, order_id: &str) -> Vec<String> {
        let Some(mapping) = &self.common.settings.mapping else { return Vec::new() };
        let known = self.common.known(self.currencies.get(order_id).copied());
        match serde_json::from_slice(&self.last_state) {
            Ok(document) => mapping.readings(&document, order_id, known),
            Err(_) => Vec::new(),
        }
    }

    fn endpoints(&self) -> Option<Endpoints> {
        let Common { settings, webhook, state, setup, .. } = &*self.common;
        Some(Endpoints {
            start: settings.service.as_ref().map(|service| service.command.clone()),
            webhook: webhook.to_string(),
            state: state.to_string(),
            setup: setup.as_ref().map(Address::to_string),
            headers: settings.headers.iter().map(|(name, _)| name.clone()).collect(),
        })
    }

    fn growth(&self) -> Option<Growth> {
        self.common.service().and_then(|service| service.growth())
    }

    fn complaints(&mut self) -> String {
        let complaints = self.common.service().map(|mut service| service.complaints()).unwrap_or_default();
        self.common.as_written(&complaints)
    }
}

impl Common {
    fn read(&self, order_id: &str, body: &[u8], currency: Option<Currency>) -> Result<OrderState, String> {
        let Some(mapping) = &self.settings.mapping else { return read_bare_state(body) };
        check_size(body)?;
        let document = serde_json::from_slice(body).map_err(|error| format!("the order is not JSON: {error}: `{}`", shown(body)))?;
        if document == crate::json::Value::Null {
            return Err(NO_STATE.to_owned());
        }
        mapping.read(&document, order_id, self.known(currency))
    }

    fn known(&self, currency: Option<Currency>) -> Known {
        Known { currency, digits_sent: self.settings.digits_sent }
    }
}

fn post(address: &Address, headers: &[(String, String)], body: &[u8]) -> Result<Outgoing, String> {
    outgoing(Method::POST, address, &address.path, headers, body)
}

fn unsendable(operation: &str, problem: String) -> TargetError {
    TargetError::new(operation, TargetErrorKind::Nonsense(problem))
}
