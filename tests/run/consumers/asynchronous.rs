//! Acknowledges into a queue; a thread of its own applies what is in it, some milliseconds later.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use refundproof::{adapter::Capabilities, case::OrderSetup, domain::OrderState};

use super::{
    Consumer, Facts,
    parse::{Event, Manner},
};

pub(crate) struct Asynchronous<C> {
    inner: Arc<Mutex<C>>,
    queue: Sender<Event>,
}

impl<C: Consumer + Default + 'static> Default for Asynchronous<C> {
    fn default() -> Asynchronous<C> {
        let inner = Arc::new(Mutex::new(C::default()));
        let (queue, events) = channel::<Event>();
        let books = Arc::clone(&inner);
        thread::spawn(move || {
            // It ends with the consumer that fills the queue.
            for (number, event) in (0..).zip(events) {
                thread::sleep(Duration::from_millis(1 + number % 3));
                books.lock().expect("nobody panics").book(event);
            }
        });
        Asynchronous { inner, queue }
    }
}

impl<C> Asynchronous<C> {
    fn inner(&self) -> MutexGuard<'_, C> {
        self.inner.lock().expect("nobody panics")
    }
}

impl<C: Consumer> Consumer for Asynchronous<C> {
    fn claims(&self) -> Capabilities {
        self.inner().claims().with(|claims| {
            claims.asynchronous = true;
            claims.concurrency = 4;
        })
    }

    fn manner(&self) -> Manner {
        self.inner().manner()
    }

    fn open(&mut self, order: &OrderSetup) {
        self.inner().open(order);
    }

    fn facts(&self, order_id: &str) -> Option<Facts> {
        self.inner().facts(order_id)
    }

    fn book(&mut self, event: Event) {
        self.queue.send(event).expect("the worker is alive");
    }

    fn show(&self, order_id: &str) -> Option<OrderState> {
        self.inner().show(order_id)
    }
}
