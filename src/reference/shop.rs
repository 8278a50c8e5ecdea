//! The shop: a [`Target`] in the harness's own process.
//!
//! A delivery is verified, read, checked against the order and only then booked, so that whatever is refused
//! leaves no trace. Orders are stored at the moment they change: a restart loses nothing, and needs no more
//! than to be told the secret again.

mod careless;
mod fetch;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use careless::{beginning, key};
use fetch::{Calls, FETCHING, OLDER};

use super::{
    bank::Fault,
    dialect::{self, Dialect, Form},
    fault::Faults,
    ledger::Ledger,
    parse::{Envelope, Event},
    refusal::{Refusal, RefusalKind},
    signature::Verifier,
    slips::ShopSlips,
};
use crate::{
    adapter::{
        Amid, Amidst, Api, Capabilities, Hello, Introduction, Observable, PROTOCOL, Request, Sealed, Target, TargetError, TargetErrorKind,
        Transport, without_network,
    },
    case::{Mishap, OrderSetup, OwnRefund},
    domain::{Clock, Currency, OrderState},
};

/// How long a slow shop takes for an answer; the provider waits 3 seconds.
const SLOW: Duration = Duration::from_millis(3500);

/// The log is cut at this length.
const LONGEST_LOG: usize = 4096;

/// A conforming consumer of a provider's webhooks, or one with deliberate faults. Which provider's, `hello` says.
pub struct ReferenceShop {
    clock: Clock,
    dialect: &'static Dialect,
    faults: Faults,
    verifier: Option<Verifier>,
    orders: HashMap<String, Ledger>,
    cases: HashMap<String, Vec<String>>,
    /// Orders by their payments and charges, with providers whose events name only those.
    payments: HashMap<String, String>,
    log: String,
    slips: ShopSlips,
    /// Takes whatever comes for authentic: for a canary that plays cases in which nothing is forged.
    trusts: bool,
    /// How it uses the provider's API, where there is one.
    calls: Calls,
    api: Option<Arc<dyn Api>>,
    /// How often something was fetched, and a refund asked for.
    fetches: i64,
    requests: u64,
    /// Registered for the provider's older API version.
    older: bool,
    /// Registered for the provider's live mode.
    live_mode: bool,
    /// How many seconds it was told have passed since it was greeted.
    passed: u64,
}

/// What it holds of the provider's API shows nothing.
impl fmt::Debug for ReferenceShop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceShop").field("orders", &self.orders).field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl ReferenceShop {
    /// A shop that does everything right.
    pub fn new(clock: Clock) -> ReferenceShop {
        ReferenceShop::with(Faults::default(), clock)
    }

    /// A shop that makes this mistake and no other.
    pub fn with_fault(fault: Fault, clock: Clock) -> ReferenceShop {
        ReferenceShop::with_faults(&[fault], clock)
    }

    /// A shop that makes all of these mistakes and no other.
    pub fn with_faults(faults: &[Fault], clock: Clock) -> ReferenceShop {
        ReferenceShop::with(Faults::of(faults.iter().copied()), clock)
    }

    fn with(faults: Faults, clock: Clock) -> ReferenceShop {
        ReferenceShop {
            clock,
            dialect: dialect::FIRST,
            faults,
            verifier: None,
            orders: HashMap::new(),
            cases: HashMap::new(),
            payments: HashMap::new(),
            log: String::new(),
            slips: ShopSlips::default(),
            trusts: false,
            calls: if FETCHING.iter().any(|fault| faults.has(*fault)) { Calls::Always } else { Calls::Never },
            api: None,
            fetches: 0,
            requests: 0,
            // Who makes a mistake with that version is registered for it.
            older: OLDER.iter().any(|fault| faults.has(*fault)),
            live_mode: false,
            passed: 0,
        }
    }

    /// The same shop as one that calls the provider's API, where the provider has one: an event only says what to look at.
    #[must_use]
    pub fn calling_back(mut self) -> ReferenceShop {
        self.calls = Calls::Always;
        self
    }

    /// Makes its own refunds through the provider's API, and looks at events alone unless its mistake is in fetching.
    pub(super) fn make_refunds(&mut self) {
        if self.calls == Calls::Never {
            self.calls = Calls::ToMake;
        }
    }

    fn fetches(&self) -> bool {
        self.calls == Calls::Always && self.api.is_some()
    }

    /// The same, registered for the provider's older API version.
    #[must_use]
    pub fn registered_for_older_version(self) -> ReferenceShop {
        ReferenceShop { older: true, ..self }
    }

    /// From now on signatures are looked at, or not.
    pub(super) fn trust(&mut self, trusts: bool) {
        self.trusts = trusts;
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.has(fault)
    }

    /// What it takes for now.
    fn now(&self) -> u64 {
        self.clock.unix_seconds().saturating_add(self.passed)
    }

    /// What stands in the orders' column of ids.
    fn key<'a>(&self, order_id: &'a str) -> &'a str {
        key(order_id, self.faults)
    }

    fn order(&mut self, order_id: &str) -> Option<&mut Ledger> {
        let order_id = self.payments.get(order_id).map_or(order_id, String::as_str);
        self.orders.get_mut(key(order_id, self.faults))
    }

    /// One delivery, from the signature to the books.
    fn receive(&mut self, request: &Request<'_>) -> Result<(), Refusal> {
        let header = |name: &str| request.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
        if self.slips.is_broken {
            return Err(Refusal { kind: RefusalKind::Unavailable, why: "the queue is blocked" });
        }
        if header("content-type").is_some_and(|value| value.contains("charset")) && self.has(Fault::CharsetRefused) {
            return Err(Refusal { kind: RefusalKind::MediaType, why: "only application/json is taken" });
        }
        if self.has(Fault::KnownEventUnchecked) && self.knows(request.body) {
            return Ok(());
        }
        if self.has(Fault::UnhandledUnchecked) && self.is_unhandled(request.body) {
            return Ok(());
        }
        let signature = header(self.dialect.header);
        if self.dialect.form != Form::Flat && !self.trusts {
            self.verifier()?.check_dated(signature, request.body, self.now(), self.dialect.form)?;
        }
        if std::mem::take(&mut self.slips.is_locked) {
            return Ok(());
        }
        let text = self.decode(request.body)?;
        if text.trim().is_empty() && self.has(Fault::EmptyBodyAcknowledged) {
            return Ok(());
        }
        let envelope = Envelope::open(&text, self.dialect, self.faults)?;
        if self.dialect.form == Form::Flat && !self.trusts {
            // What is signed stands in the body, so the body is read before it is believed.
            self.verifier()?.check_named(signature, &envelope.id().unwrap_or_default(), request.body, &envelope.literal_time())?;
        }
        if self.has(Fault::RemembersFailedEvents) && beginning(request.body).is_some_and(|beginning| self.slips.burnt.contains(&beginning))
        {
            return Ok(());
        }
        if self.faults.any() && envelope.id().is_some_and(|id| self.slips.burnt.contains(&*id)) {
            return Ok(());
        }
        match envelope.read() {
            Ok(Some(event)) => self.take_in(event),
            Ok(None) => self.pass_over(&envelope),
            Err(refusal) => {
                self.leave_traces(&envelope);
                Err(refusal)
            }
        }
    }

    fn verifier(&self) -> Result<&Verifier, Refusal> {
        self.verifier.as_ref().ok_or(Refusal::unsigned("there is no secret"))
    }

    fn decode<'a>(&self, body: &'a [u8]) -> Result<Cow<'a, str>, Refusal> {
        if self.has(Fault::BadTextReplaced) {
            return Ok(String::from_utf8_lossy(body));
        }
        std::str::from_utf8(body).map(Cow::Borrowed).map_err(|_| Refusal::malformed("the body is not UTF-8"))
    }

    fn take_in(&mut self, event: Event<'_>) -> Result<(), Refusal> {
        if self.has(Fault::SlowAnswer) && event.told.is_paid() {
            self.clock.sleep(SLOW);
        }
        let faults = self.faults;
        let payment = event.order_id.clone();
        let event = self.readdressed(event);
        if self.has(Fault::OrderIdPattern) && self.dialect.form.is_odd(&event.order_id) {
            return Ok(());
        }
        if self.fetches() && self.order(&event.order_id).is_some() {
            return self.take_in_fetched(&event, &payment);
        }
        let is_old_news = |order: &mut Ledger| order.slips.acted.is_some_and(|acted| event.time.micros() < acted);
        if self.faults.any() && self.order(&event.order_id).is_some_and(is_old_news) {
            return Ok(());
        }
        let turns_to_another = self.slips.last_order.as_ref().is_some_and(|last| *last != event.order_id);
        if turns_to_another && faults.has(Fault::ForgetsOtherOrdersEvents) {
            self.orders.values_mut().for_each(Ledger::forget_event_ids);
        }
        let an_hour_ago = i64::try_from(self.now()).unwrap_or(i64::MAX) - 3600;
        if faults.has(Fault::LocalClockFence) && event.time.micros() < an_hour_ago.saturating_mul(1_000_000) {
            return Ok(());
        }
        if faults.has(Fault::DropsLiveEvents) && event.live == Some("true") {
            return Ok(());
        }
        let live_mode = self.live_mode;
        let order = match self.order(&event.order_id) {
            Some(order) => order,
            None if faults.has(Fault::PanicsOnUnknownOrder) => panic!("order {} was not found", event.order_id),
            None if faults.drop_unknown_orders() || event.told.is_dropped_early(faults) => return Ok(()),
            None if faults.has(Fault::UnknownOrderFails) => return Err(Refusal::failed("there is no such order")),
            None => return Err(Refusal::unknown_order()),
        };
        if let Err(refusal) = order.check(&event, live_mode) {
            if faults.has(Fault::AppliedThoughRefused) && refusal.kind == RefusalKind::Doubtful {
                order.learn(event);
            } else if faults.has(Fault::RemembersRejectedEvents) {
                self.slips.burnt.insert(event.id.into_owned());
            }
            return Err(refusal);
        }
        if !order.remember(&event.id) {
            return self.meet_again(&event);
        }
        if let Some(under_way) = &mut self.slips.under_way {
            under_way.insert(event.id.to_string());
        }
        if faults.any() {
            self.slips.last_order = Some(event.order_id.to_string());
            self.slips.keep_event_id(&event.id, faults);
        }
        if let Some(order) = self.order(&event.order_id) {
            order.learn(event);
        }
        Ok(())
    }

    // ---- refusing

    fn refuse(&mut self, refusal: Refusal, body: &[u8]) -> u16 {
        if self.log.len() < LONGEST_LOG {
            self.log.push_str(refusal.why);
            self.log.push('\n');
        }
        let is_unreadable = matches!(refusal.kind, RefusalKind::Malformed | RefusalKind::Invalid);
        if (is_unreadable || refusal.kind == RefusalKind::Doubtful) && self.has(Fault::StaysBrokenAfterRejection) {
            self.slips.is_broken = true;
        }
        if refusal.kind == RefusalKind::UnknownOrder && self.has(Fault::UnknownOrderBlocksQueue) {
            self.slips.is_broken = true;
        }
        if is_unreadable && self.has(Fault::LockLeftByRejection) {
            self.slips.is_locked = true;
        }
        match refusal.kind {
            RefusalKind::Malformed if self.has(Fault::PanicsOnMalformed) => panic!("{}", refusal.why),
            RefusalKind::Malformed if self.has(Fault::MalformedAcknowledged) => return 200,
            RefusalKind::Malformed if self.has(Fault::MalformedIsServerError) => return 500,
            RefusalKind::Malformed if self.has(Fault::RemembersFailedEvents) => self.slips.burnt.extend(beginning(body)),
            RefusalKind::Invalid if self.has(Fault::InvalidAcknowledged) => return 200,
            RefusalKind::Invalid if self.has(Fault::InvalidIsServerError) => return 500,
            RefusalKind::Unsigned if self.has(Fault::BadSignatureFails) => return 500,
            _ => {}
        }
        refusal.status()
    }
}

impl Target for ReferenceShop {
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError> {
        let declined = |why: String| TargetError::new("hello", TargetErrorKind::Declined(why));
        if hello.protocol != PROTOCOL {
            return Err(declined(format!("protocol {} is not spoken here", hello.protocol)));
        }
        let Some(dialect) = dialect::of(&hello.provider) else {
            return Err(declined(format!("webhooks of {} are not taken here", hello.provider)));
        };
        self.dialect = dialect;
        self.passed = 0;
        self.live_mode = hello.live_mode;
        self.verifier = Verifier::new(&hello.secret, self.faults);
        let observes = vec![Observable::Currency, Observable::Refunds, Observable::AvailableToRefundAmount, Observable::ChargedBackAmount];
        let capabilities = Capabilities {
            observes,
            verifies_signatures: true,
            durable: true,
            initiates_refunds: true,
            concurrency: 4,
            clock: true,
            calls_back: self.calls != Calls::Never && self.api.is_some(),
            older_api_version: self.older,
            ..Capabilities::default()
        };
        Ok(Introduction { name: self.faults.name_of_shop(), version: env!("CARGO_PKG_VERSION").to_owned(), capabilities })
    }

    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError> {
        for setup in orders {
            let Some(currency) = Currency::from_code(&setup.currency) else {
                return Err(TargetError::new("begin", TargetErrorKind::Declined(format!("`{}` is no currency", setup.currency))));
            };
            let key = self.key(&setup.order_id).to_owned();
            self.cases.entry(case.to_owned()).or_default().push(key.clone());
            self.slips.newest_order = Some(setup.order_id.clone());
            for payment in setup.payment_intent_id.iter().chain(setup.charges.iter().map(|charge| &charge.id)) {
                self.payments.insert(payment.clone(), setup.order_id.clone());
                self.cases.entry(case.to_owned()).or_default().push(payment.clone());
            }
            let (dialect, faults) = (self.dialect, self.faults);
            self.orders.entry(key).or_insert_with(|| Ledger::new(setup, currency, dialect, faults));
        }
        for (headers, body) in std::mem::take(&mut self.slips.early) {
            self.deliver(&Request::new(&headers, &body))?;
        }
        Ok(())
    }

    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError> {
        let always = [(Fault::AcknowledgesOnly, 200), (Fault::RefusesEverything, 400), (Fault::FailsEverything, 503)];
        if let Some((_, status)) = always.into_iter().find(|(fault, _)| self.has(*fault)) {
            return Ok(status);
        }
        let is_new = (self.has(Fault::FirstAnswerFails) || self.has(Fault::BusyFirst)) && self.slips.answered.insert(request.body.to_vec());
        if is_new && self.has(Fault::BusyFirst) {
            return Ok(429);
        }
        Ok(match self.receive(request) {
            Ok(()) if is_new => 500,
            Ok(()) => {
                self.note_acknowledged(request.body);
                200
            }
            Err(refusal) if refusal.kind == RefusalKind::UnknownOrder && self.has(Fault::EarlyEventsInMemory) => {
                self.slips.early.push((request.headers.to_vec(), request.body.to_vec()));
                200
            }
            Err(refusal) => self.refuse(refusal, request.body),
        })
    }

    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        if self.has(Fault::OwnRefundInLocalTime) {
            let local = i64::try_from(self.now()).unwrap_or(i64::MAX).saturating_add(2 * 3600);
            self.order(&own.order_id).into_iter().for_each(|order| order.slips.acted = Some(local.saturating_mul(1_000_000)));
        }
        if self.calls != Calls::Never && self.api.is_some() {
            let made = self.request(own)?;
            return self.book_made(own, &made);
        }
        let Some(order) = self.order(&own.order_id) else {
            let why = format!("there is no order {}", own.order_id);
            return Err(TargetError::new("initiate", TargetErrorKind::Declined(why)));
        };
        order.learn_own(own);
        Ok(())
    }

    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        self.passed = self.passed.saturating_add(time.as_secs());
        self.orders.values_mut().for_each(|order| order.grow_older(time));
        Ok(())
    }

    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError> {
        Ok(self.order(order_id).map(|order| order.state(order_id)))
    }

    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        for order in self.cases.remove(case).unwrap_or_default() {
            self.orders.remove(&order);
            self.payments.remove(&order);
        }
        // Nothing of one case may show in the next, not even a mistake.
        self.slips = ShopSlips::default();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), TargetError> {
        self.verifier = None;
        self.slips = ShopSlips { kept: std::mem::take(&mut self.slips.kept), ..ShopSlips::default() };
        self.orders.values_mut().for_each(Ledger::restart);
        Ok(())
    }

    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        Some(self)
    }
}

impl Sealed for ReferenceShop {}

impl Transport for ReferenceShop {
    fn given_api(&mut self, api: &Arc<dyn Api>) {
        self.api = Some(Arc::clone(api));
    }

    /// What it stores is as good as on a disk: when that is full nothing is booked.
    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match mishap {
            Mishap::DiskFull => {
                let before = self.orders.clone();
                let status = self.deliver(request)?;
                self.orders = before;
                let is_for_nobody = self.faults.any() && self.is_for_nobody(request.body);
                let cannot_write = (200..300).contains(&status) && !self.has(Fault::AcksUnwritten) && !is_for_nobody;
                self.restart().map(|()| Some(if cannot_write { 503 } else { status }))
            }
            Mishap::StandsStill { .. } if self.has(Fault::AcksAfterTimeout) => Ok(Some(200)),
            _ => without_network(self, request, mishap),
        }
    }

    /// Nobody waits in this process: the answer is there at once, and is looked at when the deliveries have been handled.
    fn initiate_amid(&mut self, own: &OwnRefund, requests: &[Request<'_>], amid: &dyn Amid) -> Amidst {
        amid.go_on();
        let made = self.request(own);
        let answers = requests.iter().map(|request| self.deliver(request)).collect();
        (made.and_then(|made| self.book_made(own, &made)), answers)
    }

    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        if self.has(Fault::CheckThenInsert) {
            self.slips.under_way = Some(HashSet::new());
        }
        // With this fault each delivery finds the orders as they were before all of them.
        let before = self.has(Fault::LostUpdate).then(|| self.orders.clone());
        let mut saved = HashMap::new();
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            answers.push(self.deliver(request));
            if let Some(before) = &before
                && let Some(last) = self.slips.last_order.take()
                && let Some(order) = std::mem::replace(&mut self.orders, before.clone()).remove(&last)
            {
                saved.insert(last, order);
            }
        }
        self.orders.extend(saved);
        self.slips.under_way = None;
        answers
    }

    fn complaints(&mut self) -> String {
        std::mem::take(&mut self.log)
    }
}
