//! The parts of a plan.

#[cfg(feature = "arbitrary")]
use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};

use super::{extra::Extra, mutation::Mutation};

/// What happens to a few orders, and how the deliveries that tell of it are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The orders; an empty list means one plain order.
    pub orders: Vec<OrderPlan>,
    /// What happens, in the order in which it happens.
    pub steps: Vec<Step>,
    /// Only event types that fit one of these patterns (`*` allowed at the end) are sent; an empty list sends all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Chooses identifiers, digits of times and optional members; zero is the plainest look.
    #[serde(default)]
    pub look: u32,
}

/// One order as it stands before the first step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderPlan {
    /// Index into the provider's currencies.
    pub currency: u8,
    /// What was captured, in minor units; at least one for each charge.
    pub captured: u64,
    /// How many charges paid for it, from one to three.
    pub charges: u8,
    /// How many items it has, from one to three.
    pub items: u8,
    /// Chooses when it was made: zero is some day of a year, others are just before a day, month or year ends, or summer time
    /// begins or ends somewhere.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub moment: u8,
    /// What it has that a plain order has not; a provider that does not have such orders passes over it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<Extra>,
    /// After how many of its deliveries, from one to eight, the target hears of it; any other number is before all of them.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub known_after: u8,
}

impl Default for OrderPlan {
    fn default() -> OrderPlan {
        OrderPlan { currency: 0, captured: 1000, charges: 1, items: 1, moment: 0, extras: Vec::new(), known_after: 0 }
    }
}

/// One thing that happens to one order, and the faults that its deliveries meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Which order, modulo how many there are.
    #[serde(default)]
    pub order: u8,
    /// What happens.
    pub action: Action,
    /// Whether it happens in the same second as the step before, with providers that write whole seconds and where the
    /// states of a refund still tell which came first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tied: bool,
    /// What its deliveries meet on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

impl Step {
    /// A step of the first order whose deliveries meet no fault.
    pub fn plain(action: Action) -> Step {
        Step { order: 0, action, tied: false, faults: Vec::new() }
    }
}

/// What happens to an order. Refunds are named by counting back from the newest that can still do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// A refund is asked for.
    Refund {
        /// How much of what is available.
        amount: Pick,
        /// For the order as a whole or for its items.
        #[serde(default)]
        level: Level,
        /// Joins the newest pending refund in one charge refund, as the provider's aggregation does.
        #[serde(default)]
        joins: bool,
        /// The shop made it itself and is told its id (`initiate`).
        #[serde(default)]
        own: bool,
        /// Chooses type and reason; zero for a plain product refund without a reason.
        #[serde(default)]
        kind: u8,
        /// In which state it begins.
        #[serde(default, skip_serializing_if = "crate::json::is_default")]
        opens: Opening,
    },
    /// A pending refund waits for information.
    NeedInformation {
        /// Which pending refund.
        #[serde(default)]
        refund: u8,
    },
    /// The information came; the refund is pending again.
    GiveInformation {
        /// Which waiting refund.
        #[serde(default)]
        refund: u8,
    },
    /// An open refund is paid back.
    Succeed {
        /// Which open refund.
        #[serde(default)]
        refund: u8,
        /// How much of what was requested.
        paid: Pick,
    },
    /// An open refund fails.
    Fail {
        /// Which open refund.
        #[serde(default)]
        refund: u8,
        /// Whether a reason is given.
        #[serde(default)]
        reason: bool,
        /// What object the charge-level event carries.
        #[serde(default)]
        shape: FailureShape,
    },
    /// An open refund is withdrawn.
    Cancel {
        /// Which open refund.
        #[serde(default)]
        refund: u8,
    },
    /// The shopper's bank takes money back.
    Chargeback {
        /// How much of what is available.
        amount: Pick,
        /// Whether as fraud.
        #[serde(default)]
        fraud: bool,
    },
    /// A dispute is opened.
    Dispute,
    /// A dispute ends without a chargeback.
    ResolveDispute,
    /// The shopper disputes the charge: an inquiry, in which no money moves, or a chargeback that takes it at once.
    OpenDispute {
        /// How much of what was captured.
        amount: Pick,
        /// Whether it begins as an inquiry.
        #[serde(default)]
        inquiry: bool,
        /// So many minor units more than that, at most a tenth of what was captured: exchange rates move.
        #[serde(default, skip_serializing_if = "crate::json::is_default")]
        over: u16,
        /// Whether it is prevented before it begins: no money moves, and nothing becomes of it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        prevented: bool,
    },
    /// A dispute goes on.
    MoveDispute {
        /// Which of the disputes that can.
        #[serde(default)]
        dispute: u8,
        /// What becomes of it.
        to: DisputeMove,
    },
    /// A refund's metadata changes.
    UpdateMetadata {
        /// Which refund.
        #[serde(default)]
        refund: u8,
    },
    /// Something that has nothing to do with refunds.
    Other {
        /// Index into the provider's other event types.
        event: u16,
    },
    /// So many refunds of other orders, of which nothing else is said, are asked for and paid back. Only a case that is planned to
    /// be long has them.
    #[cfg_attr(feature = "arbitrary", arbitrary(skip))]
    OtherOrders {
        /// How many refunds.
        refunds: u8,
    },
}

impl Action {
    /// The plainest refund of so much.
    pub(crate) fn refund(amount: Pick) -> Action {
        Action::Refund { amount, level: Level::Order, joins: false, own: false, kind: 0, opens: Opening::Pending }
    }
}

/// In which state a refund begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase")]
pub enum Opening {
    /// It is under way.
    #[default]
    Pending,
    /// It is paid back at once.
    Succeeded,
    /// It waits for information from the shopper.
    Information,
}

/// What becomes of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase")]
pub enum DisputeMove {
    /// An inquiry becomes a chargeback: the money is taken.
    Escalate,
    /// The shop sends evidence.
    Answer,
    /// The shop wins: the money comes back, also after it had lost.
    Win,
    /// The shop loses: the money stays where it is.
    Lose,
    /// An inquiry ends without a chargeback.
    End,
}

/// How much of what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase")]
pub enum Pick {
    /// All of it.
    All,
    /// So many minor units; at least one, at most all of it.
    Units(u64),
    /// All of it but so many minor units; at least one is left to take.
    AllBut(u64),
}

impl Pick {
    /// What is picked of `available` minor units, of which there is at least one.
    pub fn of(self, available: u64) -> u64 {
        match self {
            Pick::All => available,
            Pick::Units(units) => units.clamp(1, available.max(1)),
            Pick::AllBut(rest) => available.saturating_sub(rest).max(1),
        }
    }
}

/// What a refund is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The order: the refund has an amount.
    #[default]
    Order,
    /// Items: the refund has items with amounts and no amount of its own.
    Items,
}

/// What object a charge-level failure carries; both shapes occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase")]
pub enum FailureShape {
    /// The charge.
    #[default]
    Charge,
    /// The order, as in the documented example.
    Order,
}

/// Something that befalls one delivery of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Which event of the step's family, modulo how many there are.
    pub event: u8,
    /// What befalls it.
    pub kind: FaultKind,
}

/// What at-least-once delivery may do to an event (`docs/expectations.md`, "Delivery").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(Arbitrary))]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FaultKind {
    /// It is not sent (yet).
    Omit,
    /// It is sent again, so many deliveries later; zero is at once.
    Again {
        /// How many other deliveries come between.
        after: u8,
    },
    /// It is overtaken by so many deliveries.
    Late {
        /// How many deliveries overtake it.
        by: u8,
    },
    /// The same fact comes in a second event under another id, so many deliveries later.
    Twin {
        /// How many other deliveries come between.
        after: u8,
    },
    /// The event that a refund was made is sent only when the refund was paid back, so many deliveries later, and shows how it
    /// stands then.
    Newer {
        /// How many other deliveries come between.
        after: u8,
    },
    /// The answer is lost on the way back, and the event is sent again so many deliveries later.
    AnswerLost {
        /// How many other deliveries come between.
        after: u8,
        /// How the connection is lost, modulo the ways there are; zero loses nothing but the answer.
        #[serde(default)]
        how: u8,
    },
    /// The body arrives broken, is answered with an error, and the event is sent again so many deliveries later.
    BrokenFirst {
        /// Where the body breaks off, modulo its length.
        at: u16,
        /// How many other deliveries come between.
        after: u8,
    },
    /// The target is killed and started again after it.
    RestartAfter,
    /// The target is killed while it handles it and started again, and the event is sent again so many deliveries later.
    KilledDuring {
        /// How many other deliveries come between.
        after: u8,
        /// How long the target has before it is killed, modulo the choices there are; zero is not at all.
        patience: u8,
    },
    /// It is sent at the same time as so many that follow it.
    Together {
        /// How many others.
        with: u8,
    },
    /// Of a step in which the shop makes a refund itself: it hears what the provider's API answers only after so many of the
    /// deliveries that follow.
    AnswerLate {
        /// How many.
        by: u8,
    },
    /// Of a step in which the shop makes a refund itself: so many of the deliveries that follow arrive before the provider's API
    /// has answered.
    BeforeAnswer {
        /// How many.
        with: u8,
        /// Whether that answer is lost then.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
    },
    /// While it is handled for the first time, the provider's API does not do what it should.
    ApiFails {
        /// What it does instead, modulo the ways there are.
        how: u8,
    },
    /// A documented example that is not valid JSON arrives just before it.
    DefectBefore {
        /// Which defect, modulo how many the provider documents.
        defect: u8,
    },
    /// Its body, headers or signature are not as they were. What means the same takes its place; anything else
    /// comes before it, and it follows so many deliveries later. Only what is not authentic and carries its event id comes so
    /// many deliveries after it, when it is known.
    Mutated {
        /// What is done to it.
        mutation: Mutation,
        /// Whether what comes besides carries its event id.
        #[serde(default)]
        same_id: bool,
        /// How many other deliveries come between.
        after: u8,
    },
    /// It is written as no provider writes it, and must be read as what it means; any mutation that does something else
    /// does nothing here.
    Unusual {
        /// How it is written.
        mutation: Mutation,
    },
    /// An event of a type that nobody has heard of arrives just before it.
    UnknownBefore {
        /// Which of the made-up types, modulo how many there are.
        name: u8,
    },
    /// It is sent again when everything else has been sent and so many hours have passed, at most as many as the provider goes
    /// on sending for. Does nothing with a target for which no time can pass, unless none is to.
    MuchLater {
        /// How many hours; zero is at the end, without a wait.
        hours: u8,
        /// Whether it has not arrived before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        first: bool,
    },
    /// The target's disk is full while it handles it; then it is killed and started again, and has room. The event is sent again if
    /// it was not acknowledged.
    DiskFull,
    /// The target stands still for a while when it has been sent, as on a machine that is moved or overloaded.
    StandsStill {
        /// How long, modulo the choices there are.
        long: u8,
    },
}

impl FaultKind {
    /// Whether the target is killed.
    pub fn kills(&self) -> bool {
        matches!(self, FaultKind::RestartAfter | FaultKind::KilledDuring { .. } | FaultKind::DiskFull)
    }

    /// Whether somebody who is not the provider imitates an event that is known.
    pub fn imitates(&self) -> bool {
        matches!(self, FaultKind::Mutated { mutation, same_id: true, .. } if mutation.kind.group().is_forged())
    }

    /// The name that reports use.
    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Omit => "not sent",
            FaultKind::Again { .. } => "redelivery",
            FaultKind::Late { .. } => "out of order",
            FaultKind::Twin { .. } => "the same fact under another event id",
            FaultKind::Newer { .. } => "a snapshot newer than its event",
            FaultKind::AnswerLost { .. } => "redelivery after a lost answer",
            FaultKind::BrokenFirst { .. } => "redelivery after a broken body",
            FaultKind::RestartAfter => "restart",
            FaultKind::KilledDuring { .. } => "redelivery after a kill",
            FaultKind::Together { .. } => "at the same time",
            FaultKind::AnswerLate { .. } => "the shop's own request is answered late",
            FaultKind::BeforeAnswer { .. } => "before the shop's own request is answered",
            FaultKind::ApiFails { .. } => "the provider's API fails",
            FaultKind::DefectBefore { .. } => "documented defect",
            FaultKind::Mutated { .. } | FaultKind::Unusual { .. } => "mutation",
            FaultKind::UnknownBefore { .. } => "unknown event type",
            FaultKind::MuchLater { hours: 0, first: false } => "redelivery at the end",
            FaultKind::MuchLater { hours: 0, first: true } => "out of order",
            FaultKind::MuchLater { first: false, .. } => "redelivery much later",
            FaultKind::MuchLater { first: true, .. } => "much later",
            FaultKind::DiskFull => "a full disk",
            FaultKind::StandsStill { .. } => "a target that stands still",
        }
    }
}
