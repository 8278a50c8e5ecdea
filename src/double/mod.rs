//! The double: a provider's API for targets that call it, served from the same truth as the webhooks.
//!
//! It holds the objects of the cases under way and knows, of each order, how far its events have been sent: what it shows is
//! the truth at that moment. Which paths there are and how errors look is the provider's
//! ([`ProviderApi`]). Over HTTP it is served by [`serve`]; a consumer in this process calls it
//! directly. What is deliberately left out: anything that no case holds, such as other customers and their payments.
//! Source: `docs/adapter-protocol.md`, "Targets that call back".

mod order;
#[cfg(all(unix, feature = "http"))]
mod server;

#[cfg(all(unix, feature = "http"))]
pub use server::serve;

#[cfg(all(unix, feature = "http"))]
use std::time::Duration;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock},
};

use crate::{
    adapter::{Api, ApiCall, ApiMethod, ApiReply},
    case::{ApiFault, ApiObject, Case, OwnRefund, moment_of},
    model::EventFacts,
    provider::{Provider, ProviderApi},
};
use order::Order;

/// How many different calls of what is not served are told.
const MOST_STRANGE: usize = 20;

/// The API of a provider, for all cases that are under way.
pub struct Double {
    api: &'static dyn ProviderApi,
    /// Orders by every id that names one of their objects.
    orders: RwLock<HashMap<String, Arc<Entry>>>,
    /// Calls of what is not served, and how often.
    strange: Mutex<BTreeSet<String>>,
    /// Where it is served.
    address: OnceLock<String>,
    /// Ends the server when it is dropped.
    #[cfg(all(unix, feature = "http"))]
    server: Mutex<Option<tokio::sync::oneshot::Sender<()>>>,
}

/// An order, and who waits for something of it.
#[derive(Default)]
struct Entry {
    order: Mutex<Order>,
    #[cfg(all(unix, feature = "http"))]
    gate: server::Gate,
}

/// A case whose objects are there.
#[derive(Debug, Default)]
pub struct Ticket {
    orders: Vec<String>,
    /// What its objects tell.
    telling: Vec<ApiObject>,
}

impl Ticket {
    /// By which place everything has happened that an event tells.
    pub fn moment_of(&self, event: &EventFacts) -> u32 {
        moment_of(event, self.telling.iter())
    }
}

/// What became of the calls of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many there were.
    pub made: u64,
    /// How many of them the API failed on purpose.
    pub failed: u64,
    /// What the target did that the shop was not asked for, in order.
    pub wrong: Vec<String>,
}

/// How a call is to be answered.
#[cfg_attr(not(all(unix, feature = "http")), expect(dead_code, reason = "in this process nobody waits"))]
enum Answer {
    /// At once.
    Now(ApiReply),
    /// Late.
    Late(ApiReply),
    /// Not at all: the connection is lost.
    Lost,
    /// When what is to arrive before it has arrived; without a reply the connection is lost then.
    Held(Option<ApiReply>, Arc<Entry>),
}

impl Double {
    /// The API of a provider, in which nothing is known yet.
    pub fn of(api: &'static dyn ProviderApi) -> Arc<Double> {
        Arc::new(Double {
            api,
            orders: RwLock::default(),
            strange: Mutex::default(),
            address: OnceLock::new(),
            #[cfg(all(unix, feature = "http"))]
            server: Mutex::default(),
        })
    }

    /// The API of a provider that has one, served where that can be done. Without it no target can call back, and nothing else
    /// is missing.
    pub fn served(provider: &dyn Provider) -> Option<Arc<Double>> {
        let double = Double::of(provider.api()?);
        #[cfg(all(unix, feature = "http"))]
        let _ = serve(&double);
        Some(double)
    }

    /// Where it is served, without a path; nothing where it is not.
    pub fn address(&self) -> Option<&str> {
        self.address.get().map(String::as_str)
    }

    /// The objects of a case are there from now on, as they are before anything has happened. [`Double::end`] takes the ticket.
    pub fn begin(&self, case: &Case) -> Ticket {
        let mut entries: HashMap<&str, Arc<Entry>> = HashMap::new();
        let mut orders = self.orders.write().unwrap_or_else(PoisonError::into_inner);
        for order in &case.orders {
            let entry = Arc::new(Entry::default());
            held(&entry.order).currency.clone_from(&order.currency);
            entries.insert(&order.order_id, Arc::clone(&entry));
            orders.insert(order.order_id.clone(), entry);
        }
        for object in &case.api {
            let Some(entry) = entries.get(object.order_id.as_str()) else { continue };
            for id in std::iter::once(object.id.as_str()).chain(self.api.also_named(&object.body)) {
                if !orders.contains_key(id) {
                    orders.insert(id.to_owned(), Arc::clone(entry));
                    held(&entry.order).names.push(id.to_owned());
                }
            }
            held(&entry.order).add(object);
        }
        let telling = case.api.iter().filter(|object| !object.tells.is_empty());
        Ticket {
            orders: case.orders.iter().map(|order| order.order_id.clone()).collect(),
            telling: telling.map(|object| ApiObject { body: String::new(), ..object.clone() }).collect(),
        }
    }

    /// The case is over; what became of its calls.
    pub fn end(&self, ticket: Ticket) -> Calls {
        let mut calls = Calls::default();
        let mut orders = self.orders.write().unwrap_or_else(PoisonError::into_inner);
        for order_id in ticket.orders {
            let Some(entry) = orders.remove(&order_id) else { continue };
            let mut order = held(&entry.order);
            calls.made += order.calls.made;
            calls.failed += order.calls.failed;
            calls.wrong.append(&mut order.calls.wrong);
            order.names.drain(..).for_each(|id| _ = orders.remove(&id));
        }
        calls
    }

    /// Everything has happened up to this place, whose event has been sent or is about to be.
    pub fn advance(&self, ticket: &Ticket, moment: u32) {
        for order_id in &ticket.orders {
            self.with(order_id, |order| order.moment = order.moment.max(moment));
        }
    }

    /// So many of the next calls about the order are answered like this.
    pub fn fail(&self, order_id: &str, fault: ApiFault, calls: u32) {
        self.with(order_id, |order| order.fault = Some((fault, calls)));
    }

    /// Calls about the order are answered rightly again.
    pub fn mend(&self, order_id: &str) {
        self.with(order_id, |order| order.fault = None);
    }

    /// The shop is asked to make a refund. If the answer is to wait, it does so until [`Double::release`].
    pub fn expect(&self, own: &OwnRefund, waits: bool) {
        self.with(&own.order_id, |order| {
            order.asked.push(own.clone());
            (order.waits, order.loses) = (waits, own.answer_lost);
        });
        #[cfg(all(unix, feature = "http"))]
        if let Some(entry) = self.entry(&own.order_id) {
            entry.gate.close(waits);
        }
    }

    /// Whether the refund that the shop was asked to make was made.
    pub fn was_made(&self, own: &OwnRefund) -> bool {
        self.with(&own.order_id, |order| order.asked.iter().all(|asked| asked.refund.id != own.refund.id)).unwrap_or(true)
    }

    /// Waits until the request for the refund is there, and says whether it is.
    #[cfg(all(unix, feature = "http"))]
    pub fn wait_for_request(&self, order_id: &str, limit: Duration) -> bool {
        self.entry(order_id).is_some_and(|entry| entry.gate.wait_for_request(limit))
    }

    /// The answer to the shop's own request need not wait any longer.
    pub fn release(&self, order_id: &str) {
        self.with(order_id, |order| order.waits = false);
        #[cfg(all(unix, feature = "http"))]
        if let Some(entry) = self.entry(order_id) {
            entry.gate.open();
        }
    }

    /// The first thing that the target did so far that the shop was not asked for.
    pub fn wrong(&self, ticket: &Ticket) -> Option<String> {
        ticket.orders.iter().find_map(|order_id| self.with(order_id, |order| order.calls.wrong.first().cloned())?)
    }

    /// Calls of what is not served, without the ids in them: each case has others.
    pub fn strange(&self) -> Vec<String> {
        held(&self.strange).iter().cloned().collect()
    }

    fn entry(&self, id: &str) -> Option<Arc<Entry>> {
        self.orders.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn with<T>(&self, order_id: &str, work: impl FnOnce(&mut Order) -> T) -> Option<T> {
        self.entry(order_id).map(|entry| work(&mut held(&entry.order)))
    }

    /// How a call is to be answered.
    fn answer(&self, call: &ApiCall) -> Answer {
        let entry = self.api.subjects(call).into_iter().find_map(|id| self.entry(id));
        let Some(entry) = entry else {
            let mut nobody = order::Nobody { strange: &mut |call| self.note(call) };
            return Answer::Now(self.api.answer(call, &mut nobody));
        };
        let mut order = held(&entry.order);
        order.calls.made += 1;
        let fault = order.next_fault();
        if matches!(fault, Some(ApiFault::Broken | ApiFault::TooMany | ApiFault::Lost)) {
            order.calls.failed += 1;
        }
        match fault {
            Some(ApiFault::Broken) => return Answer::Now(self.api.trouble(500)),
            Some(ApiFault::TooMany) => return Answer::Now(self.api.trouble(429)),
            Some(ApiFault::Lost) => return Answer::Lost,
            Some(ApiFault::Slow) | None => {}
        }
        if let Some((reply, is_same)) = order.replayed(call) {
            return Answer::Now(if is_same { reply } else { self.api.other_parameters() });
        }
        let reply = {
            let mut store = order::Store { order: &mut order, api: self.api, strange: &mut |call| self.note(call) };
            self.api.answer(call, &mut store)
        };
        let is_made = call.method == ApiMethod::Post && reply.status < 300;
        if is_made {
            order.remember(call, &reply);
            let loses = std::mem::take(&mut order.loses);
            if order.waits {
                drop(order);
                return Answer::Held((!loses).then_some(reply), entry);
            }
            if loses {
                return Answer::Lost;
            }
        }
        if fault == Some(ApiFault::Slow) { Answer::Late(reply) } else { Answer::Now(reply) }
    }

    fn note(&self, call: &ApiCall) {
        // A collection is a plain word, and so is a version.
        let is_id = |part: &str| part.len() > 3 && part.contains(|letter: char| letter.is_ascii_digit());
        let parts: Vec<&str> = call.path.split('/').map(|part| if is_id(part) { "{id}" } else { part }).collect();
        let mut strange = held(&self.strange);
        if strange.len() < MOST_STRANGE {
            strange.insert(format!("{} {}", call.method.as_str(), parts.join("/")));
        }
    }
}

/// In this process nobody waits: who calls is who would have to go on.
impl Api for Double {
    fn call(&self, call: &ApiCall) -> Option<ApiReply> {
        match self.answer(call) {
            Answer::Now(reply) | Answer::Late(reply) => Some(reply),
            Answer::Held(reply, _) => reply,
            Answer::Lost => None,
        }
    }
}

/// Nothing that a panic could leave behind is worse than what was there before.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Double").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
