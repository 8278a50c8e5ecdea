//! What the deliveries of a case told so far, whatever became of the doubtful ones, and what may be shown then.

use crate::{
    case::{ApiObject, Delivery, Effect, OrderSetup, OwnRefund, moment_of},
    domain::Amount,
    model::{AmountRange, EventFacts, Expectation, Fetched, Knowledge, TakenBack, Tell},
    plan::MutationKind,
};

/// What the deliveries so far told of each order.
pub(super) struct Told<'a> {
    ids: Vec<String>,
    orders: Vec<ToldOrder>,
    /// What the provider's API shows, of which the first so many are shown already.
    api: Vec<&'a ApiObject>,
    shown: usize,
}

/// What was told of one order: for certain, and with every choice of doubtful deliveries that may have been applied.
struct ToldOrder {
    certain: Knowledge,
    possible: Vec<Knowledge>,
    /// What was told where doubtful deliveries were read literally; it only says how far amounts may go.
    literal: Vec<Knowledge>,
    /// Every reading of every doubtful delivery; a consumer may keep the largest amount that it was told.
    readings: Vec<EventFacts>,
    /// What was told in a word that nobody knows. The event that it was made from has the same time, and a consumer that keeps the
    /// first of two events of one moment drops that.
    strange: Vec<EventFacts>,
    /// What those readings take back that was told before; a consumer may believe the last word.
    taken_back: Vec<TakenBack>,
    /// What the provider's API shows, to those who call it.
    fetched: Option<Fetched>,
    /// What may be shown now, until something else is told: most events say nothing new of an order.
    expected: Option<Expectation>,
}

/// How many choices are kept apart; a doubtful delivery doubles them, or more. Plans have fewer, a case written by hand may
/// have more, and is then judged as if the further ones had not come.
const MOST_CHOICES: usize = 63;

/// How many readings are kept apart beside them.
const MOST_READINGS: usize = 240;

impl ToldOrder {
    fn all(&self) -> impl Iterator<Item = &Knowledge> {
        std::iter::once(&self.certain).chain(&self.possible)
    }

    fn each(&mut self, learn: impl Fn(&mut Knowledge)) {
        self.expected = None;
        learn(&mut self.certain);
        self.possible.iter_mut().chain(&mut self.literal).for_each(learn);
    }

    fn accept(&mut self, event: &EventFacts) {
        self.taken_back.retain(|taken_back| !taken_back.is_outdated_by(event));
        let dropped = self.dropping(event);
        self.each(|known| known.learn(event));
        self.possible.extend(dropped);
        // It comes late, and what it tells is outdated for a consumer that goes by time and believed a later word.
        let later = self.readings.iter().filter(|reading| reading.created_time > event.created_time && reading.is_about_same(event));
        self.taken_back.extend(later.flat_map(|reading| self.certain.taken_back(reading)));
    }

    /// What is known to those who keep what a strange word told and drop this event, as one of the same moment.
    fn dropping(&self, event: &EventFacts) -> Vec<Knowledge> {
        // Delivered again it leaves the same choices.
        if self.strange.is_empty() || self.certain.knows(&event.id) || self.possible.len() >= MOST_CHOICES {
            return Vec::new();
        }
        let of_one_moment = |strange: &&EventFacts| {
            (&strange.created_time, strange.sequence) == (&event.created_time, event.sequence) && strange.is_about_same(event)
        };
        let unheard = EventFacts { tells: Vec::new(), ..event.clone() };
        let kept: Vec<&EventFacts> = self.strange.iter().filter(of_one_moment).collect();
        self.all().flat_map(|known| kept.iter().map(|strange| learnt(&learnt(known, strange), &unheard))).collect()
    }

    fn doubt(&mut self, delivery: &Delivery) {
        let event = &delivery.event;
        // Delivered again it leaves the same choices.
        let ways = if event.tells.is_empty() { &delivery.readings[..] } else { std::slice::from_ref(event) };
        let is_known = self.all().chain(&self.literal).any(|known| known.knows(&event.id));
        if ways.is_empty() || is_known || self.possible.len() >= MOST_CHOICES {
            return;
        }
        self.expected = None;
        let is_strange = delivery.mutation_kind == Some(MutationKind::UnknownState);
        let every: Vec<&EventFacts> = std::iter::once(event).filter(|event| !event.tells.is_empty()).chain(&delivery.readings).collect();
        // A strange word is taken for what it may mean; other readings only say how far amounts may go.
        let whole = if is_strange { &every[..] } else { &every[..every.len() - delivery.readings.len()] };
        let taken: Vec<Knowledge> = self.all().flat_map(|known| whole.iter().map(|event| learnt(known, event))).collect();
        if is_strange {
            self.strange.extend(delivery.readings.iter().cloned());
        }
        let of_literal = self.literal.iter().flat_map(|known| every.iter().map(|event| learnt(known, event)));
        let of_others = self.all().flat_map(|known| delivery.readings.iter().map(|event| learnt(known, event)));
        let mut literal: Vec<Knowledge> = of_literal.chain(of_others).collect();
        literal.truncate(MOST_READINGS.saturating_sub(self.literal.len()));
        self.literal.append(&mut literal);
        self.taken_back.extend(every.iter().flat_map(|event| self.certain.taken_back(event)));
        self.readings.extend(every.into_iter().cloned());
        self.possible.extend(taken);
    }

    /// What may be shown by those who know this, and may have fetched some of what the provider's API shows.
    fn with_fetched(&self, known: &Knowledge, expected: Expectation) -> Expectation {
        match &self.fetched {
            Some(fetched) => known.up_to(fetched, expected),
            None => expected,
        }
    }

    /// How far the amount may go while it is not known what became of doubtful deliveries.
    fn in_doubt(&self) -> Option<AmountRange> {
        let others: Vec<&Knowledge> = self.possible.iter().chain(&self.literal).collect();
        let ranges = std::iter::once(&self.certain).chain(others.iter().copied()).map(|known| known.expectation().refunded_amount);
        let fetched = self.fetched.iter().map(|fetched| self.certain.up_to(fetched, self.certain.expectation()).refunded_amount);
        let ranges = ranges.chain(fetched);
        let range = (!others.is_empty()).then(|| ranges.reduce(AmountRange::and_between)).flatten()?;
        let least = (range.least - TakenBack::most(&self.taken_back)).max(Amount::ZERO).min(range.least);
        Some(AmountRange { least, most: range.most.max(self.certain.most_told(&self.readings)) })
    }
}

/// What is known once an event is known too.
fn learnt(from: &Knowledge, event: &EventFacts) -> Knowledge {
    let mut known = from.clone();
    known.learn(event);
    known
}

impl<'a> Told<'a> {
    pub(super) fn new(orders: &[OrderSetup], api: &'a [ApiObject]) -> Told<'a> {
        let nothing = |order: &OrderSetup| Knowledge::new(&order.order_id, &order.currency, order.captured_amount);
        let told = |order: &OrderSetup| ToldOrder {
            certain: nothing(order),
            possible: Vec::new(),
            literal: Vec::new(),
            readings: Vec::new(),
            strange: Vec::new(),
            taken_back: Vec::new(),
            fetched: (!api.is_empty()).then(Fetched::default),
            expected: None,
        };
        let mut api: Vec<&ApiObject> = api.iter().filter(|object| !object.tells.is_empty()).collect();
        api.sort_by_key(|object| object.since);
        Told { ids: orders.iter().map(|order| order.order_id.clone()).collect(), orders: orders.iter().map(told).collect(), api, shown: 0 }
    }

    fn order(&self, id: Option<&str>) -> Option<usize> {
        self.ids.iter().position(|order| Some(order.as_str()) == id)
    }

    pub(super) fn order_of(&self, delivery: &Delivery) -> Option<usize> {
        self.order(delivery.event.order_id.as_deref())
    }

    /// From now on the provider's API shows what had happened by then.
    fn show(&mut self, moment: u32) {
        while let Some(object) = self.api.get(self.shown).filter(|object| object.since <= moment) {
            self.shown += 1;
            let Some(order) = self.order(Some(&object.order_id)) else { continue };
            let told = &mut self.orders[order];
            told.expected = None;
            told.fetched.iter_mut().for_each(|fetched| fetched.learn(object.since, &object.tells));
        }
    }

    pub(super) fn deliver(&mut self, delivery: &Delivery) -> Option<usize> {
        self.show(moment_of(&delivery.event, self.api.iter().copied()));
        let order = self.order_of(delivery)?;
        match delivery.effect {
            Effect::Accept => self.orders[order].accept(&delivery.event),
            Effect::Tolerate => self.orders[order].doubt(delivery),
            Effect::Ignore | Effect::Reject | Effect::Refuse => {}
        }
        Some(order)
    }

    pub(super) fn initiate(&mut self, own: &OwnRefund) -> Option<usize> {
        let order = self.order(Some(&own.order_id))?;
        let is_it = |tell: &Tell| matches!(tell, Tell::Refund { id, .. } if *id == own.refund.id);
        let made = self.api.iter().find(|object| object.tells.iter().any(is_it)).map(|object| object.since);
        made.into_iter().for_each(|moment| self.show(moment));
        self.orders[order].each(|known| known.learn_own(&own.refund.id, own.refund.amount));
        Some(order)
    }

    pub(super) fn expectation(&mut self, order: usize) -> Option<Expectation> {
        let told = self.orders.get_mut(order)?;
        if told.expected.is_none() {
            let expected = told.all().map(|known| told.with_fetched(known, known.expectation())).reduce(Expectation::or);
            told.expected = expected.map(|expected| Expectation { in_doubt: told.in_doubt(), ..expected });
        }
        told.expected.clone()
    }

    /// What may be shown at the end, and what else if doubtful deliveries were applied.
    pub(super) fn final_expectation(&self, order: usize, complete: bool) -> (Expectation, Vec<Expectation>) {
        let told = &self.orders[order];
        let of = |known: &Knowledge| {
            // Where all was told, what is fetched is the same.
            told.with_fetched(known, known.final_expectation(complete))
        };
        let certain = of(&told.certain);
        let mut others: Vec<Expectation> = Vec::new();
        for possible in &told.possible {
            let other = of(possible);
            if other != certain && !others.contains(&other) {
                others.push(other);
            }
        }
        (Expectation { in_doubt: told.in_doubt(), ..certain }, others)
    }
}
