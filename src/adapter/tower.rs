//! A target that is a `tower::Service` of HTTP requests, an axum `Router` for instance, called in process.
//!
//! It has a runtime of its own with several threads: deliveries at the same time really are, and what handlers leave to tasks
//! of their own goes on after they answered. A panic in a handler is the target's crash, and one that does not end is not
//! waited for longer than the limit. No socket is opened.

mod begun;
mod service;

use std::{
    collections::BTreeMap,
    fmt::Display,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use serde::Serialize;
use tokio::{
    runtime::{Builder, Runtime},
    sync::Barrier,
};
use tower_service::Service;

use begun::{Begun, Ended, begun, wait};
use service::{Answer, Handler, Later, answered, handler, json, request, taken};

use super::{
    Amid, Amidst, Capabilities, Hello, Introduction, Request, Sealed, Target, TargetError, TargetErrorKind, Transport, WAIT_FOR_REQUEST,
    endpoint::{CaseBegun, ORDER_ID, TimePassed, refused},
    wire::read_bare_state,
    without_network,
};
use crate::{
    case::{Mishap, OrderSetup, OwnRefund},
    domain::OrderState,
};

/// How long a handler runs until its client hangs up: long enough to have begun.
const UNTIL_HANGING_UP: Duration = Duration::from_millis(1);

type Maker = Box<dyn Fn(Hello) -> Later<Handler> + Send>;
type Shower = Box<dyn Fn(String) -> Later<Option<OrderState>> + Send>;
type SetterUp = Box<dyn Fn(Vec<OrderSetup>) -> Later<()> + Send>;
type Advancer = Box<dyn Fn(Duration) -> Later<()> + Send>;
type Initiator = Box<dyn Fn(OwnRefund) -> Later<()> + Send>;

enum Source {
    /// Always this one. It cannot be started again.
    Fixed(Handler),
    /// Made at every start.
    Made(Maker),
}

/// How something is done: by a request to a path, or by calling something.
enum Way<F> {
    At(String),
    By(F),
}

/// A `tower::Service` as a target. It says nothing of itself but its name until it is told what to claim; deliveries go to `/`.
///
/// ```
/// # use refundproof::adapter::TowerTarget;
/// # use axum::{Router, routing::{get, post}};
/// # async fn webhook() {} async fn show() {} async fn set_up() {}
/// let shop = Router::new()
///     .route("/webhooks", post(webhook))
///     .route("/orders/{id}", get(show))
///     .route("/test/orders", post(set_up));
/// let target = TowerTarget::new(shop).webhook("/webhooks").shown_at("/orders/{orderId}").set_up_at("/test/orders");
/// ```
pub struct TowerTarget {
    source: Source,
    introduction: Introduction,
    webhook: String,
    endpoints: BTreeMap<String, String>,
    shows: Way<Shower>,
    set_up: Option<Way<SetterUp>>,
    initiates: Option<Way<Initiator>>,
    advances: Option<Way<Advancer>>,
    limit: Duration,
    patience: Duration,
    runtime: Option<Runtime>,
    handler: Option<Handler>,
}

impl TowerTarget {
    /// This service. It cannot be started again, so it cannot be durable.
    pub fn new<S, B>(service: S) -> TowerTarget
    where
        S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>, Error: Display, Future: Send> + Clone + Send + 'static,
        B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        TowerTarget::from(Source::Fixed(handler(service)))
    }

    /// A service that is made whenever it is started, inside the runtime that it will run on: it is told the secret that
    /// deliveries are signed with, and whatever it keeps elsewhere it finds again.
    pub fn started_by<F, L, S, B>(start: F) -> TowerTarget
    where
        F: Fn(Hello) -> L + Send + 'static,
        L: Future<Output = S> + Send + 'static,
        S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>, Error: Display, Future: Send> + Clone + Send + 'static,
        B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        TowerTarget::from(Source::Made(Box::new(move |hello| {
            let starting = start(hello);
            Box::pin(async move { handler(starting.await) })
        })))
    }

    fn from(source: Source) -> TowerTarget {
        TowerTarget {
            source,
            introduction: Introduction { name: "tower service".to_owned(), ..Introduction::default() },
            webhook: "/".to_owned(),
            endpoints: BTreeMap::new(),
            shows: Way::At(format!("/orders/{ORDER_ID}")),
            set_up: None,
            initiates: None,
            advances: None,
            limit: Duration::from_secs(3),
            patience: Duration::ZERO,
            runtime: None,
            handler: None,
        }
    }

    /// Its name and its version, for reports.
    #[must_use]
    pub fn named(mut self, name: &str, version: &str) -> TowerTarget {
        (self.introduction.name, self.introduction.version) = (name.to_owned(), version.to_owned());
        self
    }

    /// What it can do.
    #[must_use]
    pub fn claiming(mut self, capabilities: Capabilities) -> TowerTarget {
        self.introduction.capabilities = capabilities;
        self
    }

    /// The path that deliveries are posted to.
    #[must_use]
    pub fn webhook(mut self, path: &str) -> TowerTarget {
        path.clone_into(&mut self.webhook);
        self
    }

    /// The path of an endpoint of this name, for a provider that delivers to several.
    #[must_use]
    pub fn webhook_of(mut self, endpoint: &str, path: &str) -> TowerTarget {
        self.endpoints.insert(endpoint.to_owned(), path.to_owned());
        self
    }

    /// The path where an order is shown, in which `{orderId}` stands for its id: `200` with the state as JSON, `404` if it is
    /// not known. Without this it is `/orders/{orderId}`.
    #[must_use]
    pub fn shown_at(mut self, path: &str) -> TowerTarget {
        self.shows = Way::At(path.to_owned());
        self
    }

    /// What shows an order instead of a path.
    #[must_use]
    pub fn shown_by<L: Future<Output = Option<OrderState>> + Send + 'static>(
        mut self,
        show: impl Fn(String) -> L + Send + 'static,
    ) -> TowerTarget {
        self.shows = Way::By(Box::new(move |order| Box::pin(show(order))));
        self
    }

    /// The path that `{"case":…,"orders":[…]}` is posted to when a case begins. Without this, and without
    /// [`TowerTarget::set_up_by`], it is told nothing.
    #[must_use]
    pub fn set_up_at(mut self, path: &str) -> TowerTarget {
        self.set_up = Some(Way::At(path.to_owned()));
        self
    }

    /// What makes the orders of a case known, instead of a path.
    #[must_use]
    pub fn set_up_by<L: Future<Output = ()> + Send + 'static>(
        mut self,
        set_up: impl Fn(Vec<OrderSetup>) -> L + Send + 'static,
    ) -> TowerTarget {
        self.set_up = Some(Way::By(Box::new(move |orders| Box::pin(set_up(orders)))));
        self
    }

    /// The path that `{"orderId":…,"refund":{…}}` is posted to when the shop made a refund itself.
    #[must_use]
    pub fn initiated_at(mut self, path: &str) -> TowerTarget {
        self.initiates = Some(Way::At(path.to_owned()));
        self
    }

    /// What tells it of refunds that the shop made itself, instead of a path.
    #[must_use]
    pub fn initiated_by<L: Future<Output = ()> + Send + 'static>(
        mut self,
        initiate: impl Fn(OwnRefund) -> L + Send + 'static,
    ) -> TowerTarget {
        self.initiates = Some(Way::By(Box::new(move |own| Box::pin(initiate(own)))));
        self
    }

    /// The path that `{"seconds":…}` is posted to when time passes, for a service that claims `clock`.
    #[must_use]
    pub fn advanced_at(mut self, path: &str) -> TowerTarget {
        self.advances = Some(Way::At(path.to_owned()));
        self
    }

    /// What lets time pass for it, instead of a path.
    #[must_use]
    pub fn advanced_by<L: Future<Output = ()> + Send + 'static>(mut self, advance: impl Fn(Duration) -> L + Send + 'static) -> TowerTarget {
        self.advances = Some(Way::By(Box::new(move |time| Box::pin(advance(time)))));
        self
    }

    /// How long it may take for an answer; three seconds without this.
    #[must_use]
    pub fn answering_within(mut self, limit: Duration) -> TowerTarget {
        self.limit = limit;
        self
    }

    fn runtime(&mut self, operation: &str) -> Result<&Runtime, TargetError> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => {
                let threads = usize::try_from(self.introduction.capabilities.concurrency).unwrap_or(usize::MAX).clamp(2, 16);
                let built = Builder::new_multi_thread().worker_threads(threads).thread_name("target").enable_all().build();
                built.map_err(|error| TargetError::new(operation, TargetErrorKind::NotStarted(error.to_string())))?
            }
        };
        Ok(self.runtime.insert(runtime))
    }

    /// Runs something of the target's to its end, or until it takes too long.
    fn run<T: Send + 'static>(
        &mut self,
        operation: &str,
        limit: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TargetError> {
        wait(operation, limit, begun(self.runtime(operation)?, work))
    }

    fn handler(&self, operation: &str) -> Result<Handler, TargetError> {
        let not_started = || TargetError::new(operation, TargetErrorKind::NotStarted("it is not running; `hello` starts it".to_owned()));
        self.handler.clone().ok_or_else(not_started)
    }

    fn ask(&mut self, operation: &str, method: http::Method, path: &str, body: Vec<u8>) -> Result<Answer, TargetError> {
        let headers = [(String::from("content-type"), String::from("application/json"))];
        let request = request(operation, method, path, &headers, body)?;
        let answering = self.handler(operation)?(request);
        answered(operation, self.run(operation, self.limit, answering)?)
    }

    /// Posts something that must be answered with 2xx.
    fn tell(&mut self, operation: &str, path: &str, body: &impl Serialize) -> Result<(), TargetError> {
        let answer = self.ask(operation, http::Method::POST, path, json(operation, body)?)?;
        taken(operation, path, &answer)
    }

    /// The shop's own refund, under way.
    fn initiating(&mut self, own: &OwnRefund) -> Result<Begun<Result<(), TargetError>>, TargetError> {
        const OPERATION: &str = "initiate";
        match &self.initiates {
            None => Err(TargetError::unsupported(OPERATION)),
            Some(Way::At(path)) => {
                let path = path.clone();
                let headers = [(String::from("content-type"), String::from("application/json"))];
                let request = request(OPERATION, http::Method::POST, &path, &headers, json(OPERATION, own)?)?;
                let answering = self.handler(OPERATION)?(request);
                let told = async move { answered(OPERATION, answering.await).and_then(|answer| taken(OPERATION, &path, &answer)) };
                Ok(begun(self.runtime(OPERATION)?, told))
            }
            Some(Way::By(initiate)) => {
                let initiating = initiate(own.clone());
                Ok(begun(self.runtime(OPERATION)?, async move {
                    initiating.await;
                    Ok(())
                }))
            }
        }
    }

    /// What a delivery comes to, when it is waited for.
    fn delivering(&self, delivery: &Request<'_>) -> Result<Later<Result<Answer, String>>, TargetError> {
        let path = match delivery.endpoint() {
            None => &self.webhook,
            Some(name) => self.endpoints.get(name).ok_or_else(|| {
                TargetError::new("deliver", TargetErrorKind::Declined(format!("no path is named for the endpoint `{name}`")))
            })?,
        };
        let request = request("deliver", http::Method::POST, path, delivery.headers, delivery.body.to_vec())?;
        Ok(self.handler("deliver")?(request))
    }

    fn stop(&mut self) {
        self.handler = None;
        if let Some(runtime) = self.runtime.take() {
            // A handler may be stuck; it is not waited for.
            runtime.shutdown_background();
        }
    }

    fn answer_limit(&self) -> Duration {
        self.limit.max(self.patience)
    }
}

impl Target for TowerTarget {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        if self.handler.is_none() {
            let handler = match &self.source {
                Source::Fixed(handler) => Arc::clone(handler),
                Source::Made(make) => {
                    let making = make(hello.clone());
                    self.run("hello", self.limit, making)?
                }
            };
            self.handler = Some(handler);
        }
        Ok(self.introduction.clone())
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        match &self.set_up {
            None => Ok(()),
            Some(Way::At(path)) => {
                let path = path.clone();
                self.tell("begin", &path, &CaseBegun { case, orders })
            }
            Some(Way::By(set_up)) => {
                let setting_up = set_up(orders.to_vec());
                self.run("begin", self.limit, setting_up)
            }
        }
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let delivering = self.delivering(request)?;
        let answer = self.run("deliver", self.answer_limit(), delivering)?;
        Ok(answered("deliver", answer)?.status)
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let limit = self.limit;
        self.initiating(own).and_then(|begun| wait("initiate", limit, begun)?)
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        match &self.advances {
            None => Err(TargetError::unsupported("advance")),
            Some(Way::At(path)) => {
                let path = path.clone();
                self.tell("advance", &path, &TimePassed::of(time))
            }
            Some(Way::By(advance)) => {
                let advancing = advance(time);
                self.run("advance", self.limit, advancing)
            }
        }
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        let path = match &self.shows {
            Way::By(show) => {
                let showing = show(order_id.to_owned());
                return self.run("observe", self.limit, showing);
            }
            Way::At(path) => path.replace(ORDER_ID, order_id),
        };
        let answer = self.ask("observe", http::Method::GET, &path, Vec::new())?;
        match answer.status {
            404 => Ok(None),
            200 => read_bare_state(&answer.body).map(Some).map_err(|what| TargetError::new("observe", TargetErrorKind::Nonsense(what))),
            _ => Err(TargetError::new("observe", refused(&path, answer.status, &answer.body))),
        }
    }

    fn bye(&mut self) {
        self.stop();
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        if matches!(self.source, Source::Fixed(_)) {
            return Err(TargetError::unsupported("restart"));
        }
        self.stop();
        Ok(())
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for TowerTarget {}

impl Transport for TowerTarget {
    fn wait_at_least(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// All handlers begin when the last of them is ready to.
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        let limit = self.answer_limit();
        let all: Result<Vec<_>, TargetError> = requests.iter().map(|request| self.delivering(request)).collect();
        let begun = all.and_then(|all| {
            let together = Arc::new(Barrier::new(all.len()));
            let runtime = self.runtime("deliver")?;
            let begin = |delivering| {
                let together = Arc::clone(&together);
                begun(runtime, async move {
                    together.wait().await;
                    delivering.await
                })
            };
            Ok(all.into_iter().map(begin).collect::<Vec<_>>())
        });
        match begun {
            Ok(begun) => begun
                .into_iter()
                .map(|begun| wait("deliver", limit, begun).and_then(|answer| answered("deliver", answer)).map(|answer| answer.status))
                .collect(),
            Err(error) => vec![Err(error); requests.len()],
        }
    }

    fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        let begun = match self.initiating(own) {
            Ok(begun) => begun,
            Err(error) => return (Err(error.clone()), vec![Err(error); requests.len()]),
        };
        // A handler that fails before it asks the provider need not be waited for.
        let asked_at = Instant::now();
        while !amid.wait(WAIT_FOR_REQUEST) && !begun.abort.is_finished() && asked_at.elapsed() < self.limit {}
        let answers = self.deliver_together(requests);
        amid.go_on();
        let limit = self.limit;
        (wait("initiate", limit, begun).and_then(|made| made), answers)
    }

    /// A client that hangs up ends the handler where it stands, as servers do it.
    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match mishap {
            Mishap::AnswerUnread => self.deliver(request).map(|_| None),
            Mishap::Reset => {
                let delivering = self.delivering(request)?;
                let begun = begun(self.runtime("deliver")?, delivering);
                std::thread::sleep(UNTIL_HANGING_UP);
                begun.abort.abort();
                match begun.hear.recv_timeout(self.answer_limit()) {
                    Ok(Err(Ended::Panicked(how))) => Err(TargetError::new("deliver", TargetErrorKind::Crashed(how))),
                    _ => Ok(None),
                }
            }
            Mishap::Killed { after_ms } => {
                let delivering = self.delivering(request)?;
                let _begun = begun(self.runtime("deliver")?, delivering);
                std::thread::sleep(Duration::from_millis(after_ms.into()));
                self.restart().map(|()| None)
            }
            Mishap::HalfSent | Mishap::SlowReading | Mishap::StandsStill { .. } | Mishap::DiskFull => {
                without_network(self, request, mishap)
            }
        }
    }
}

impl Drop for TowerTarget {
    fn drop(&mut self) {
        self.stop();
    }
}
