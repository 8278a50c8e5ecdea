//! Disputes that are objects of their own: they are opened, answered, won and lost, and several may be about one order.

use super::truth::{Change, OrderTruth, from_newest};
use crate::plan::{DisputeMove, Pick};

/// A dispute that is an object of its own.
#[derive(Clone, Debug)]
pub struct DisputeTruth {
    /// What is disputed; it may be more than was captured.
    pub amount: u64,
    /// Whether it began as an inquiry.
    pub inquiry: bool,
    /// How it stands.
    pub stage: DisputeStage,
    /// Whether the money was ever taken.
    pub withdrawn: bool,
}

/// How a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeStage {
    /// The bank only asks; no money has moved.
    Inquiry,
    /// The bank only asks, and the shop has answered.
    InquiryAnswered,
    /// The inquiry is over.
    InquiryEnded,
    /// The money is taken, and the shop may answer.
    Open,
    /// The money is taken, and the shop has answered.
    Answered,
    /// The money is back.
    Won,
    /// The money is gone.
    Lost,
    /// It was stopped before any money moved, and is over.
    Prevented,
}

impl DisputeStage {
    /// Whether the money is with the shopper's bank.
    pub fn holds_money(self) -> bool {
        matches!(self, DisputeStage::Open | DisputeStage::Answered | DisputeStage::Lost)
    }

    /// What becomes of it by a move; nothing where it cannot be made.
    pub fn after(self, to: DisputeMove) -> Option<DisputeStage> {
        use DisputeStage::*;
        match (self, to) {
            (Inquiry | InquiryAnswered, DisputeMove::Escalate) => Some(Open),
            (Inquiry, DisputeMove::Answer) => Some(InquiryAnswered),
            (Inquiry | InquiryAnswered, DisputeMove::End) => Some(InquiryEnded),
            (Open, DisputeMove::Answer) => Some(Answered),
            (Open | Answered | Lost, DisputeMove::Win) => Some(Won),
            (Open | Answered, DisputeMove::Lose) => Some(Lost),
            _ => None,
        }
    }
}

impl DisputeTruth {
    /// What it takes at the moment.
    pub fn taken(&self) -> u64 {
        if self.stage.holds_money() { self.amount } else { 0 }
    }
}

impl OrderTruth {
    pub(super) fn open_dispute(&mut self, amount: Pick, over: u16, stage: DisputeStage) -> Option<Change> {
        // A charge that is refunded in full cannot be disputed.
        if self.paid_back() == self.captured {
            return None;
        }
        let amount = amount.of(self.captured) + u64::from(over).min(self.captured / 10);
        let (inquiry, withdrawn) = (stage == DisputeStage::Inquiry, stage.holds_money());
        self.disputes.push(DisputeTruth { amount, inquiry, stage, withdrawn });
        let fails = if withdrawn { self.fail_open_refunds() } else { Vec::new() };
        Some(Change::Dispute { dispute: self.disputes.len() - 1, to: None, fails })
    }

    pub(super) fn move_dispute(&mut self, back: u8, to: DisputeMove) -> Option<Change> {
        let can: Vec<usize> = (0..self.disputes.len()).filter(|&index| self.disputes[index].stage.after(to).is_some()).collect();
        let dispute = from_newest(can.len(), back).map(|index| can[index])?;
        let moved = &mut self.disputes[dispute];
        moved.stage = moved.stage.after(to)?;
        moved.withdrawn |= moved.stage.holds_money();
        let fails = if to == DisputeMove::Escalate { self.fail_open_refunds() } else { Vec::new() };
        Some(Change::Dispute { dispute, to: Some(to), fails })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Status, plan::Action};

    const OPEN: Action = Action::OpenDispute { amount: Pick::Units(30), inquiry: false, over: 0, prevented: false };
    const ASK: Action = Action::OpenDispute { amount: Pick::All, inquiry: true, over: 0, prevented: false };

    fn moved(to: DisputeMove) -> Action {
        Action::MoveDispute { dispute: 0, to }
    }

    #[track_caller]
    fn check(actions: &[Action], status: Status, charged_back: u64) {
        let mut order = OrderTruth::new(100, 1, 1);
        for action in actions {
            order.apply(action);
        }
        assert_eq!((order.status(), order.charged_back()), (status, charged_back));
    }

    #[test]
    fn money_is_taken_and_comes_back() {
        check(&[OPEN], Status::ChargedBack, 30);
        check(&[OPEN, OPEN], Status::ChargedBack, 60);
        check(&[OPEN, moved(DisputeMove::Win)], Status::NotRefunded, 0);
        check(&[OPEN, moved(DisputeMove::Lose)], Status::ChargedBack, 30);
        check(&[OPEN, moved(DisputeMove::Lose), moved(DisputeMove::Win)], Status::NotRefunded, 0);
    }

    #[test]
    fn more_than_was_captured_may_be_taken() {
        let large = |over| Action::OpenDispute { amount: Pick::All, inquiry: false, over, prevented: false };
        check(&[large(3)], Status::ChargedBack, 103);
        check(&[large(900)], Status::ChargedBack, 110);
        check(&[large(3), moved(DisputeMove::Win)], Status::NotRefunded, 0);
    }

    #[test]
    fn nothing_becomes_of_a_dispute_that_was_prevented() {
        let prevented = Action::OpenDispute { amount: Pick::All, inquiry: false, over: 0, prevented: true };
        check(std::slice::from_ref(&prevented), Status::NotRefunded, 0);
        for to in [DisputeMove::Escalate, DisputeMove::Answer, DisputeMove::Win, DisputeMove::Lose, DisputeMove::End] {
            check(&[prevented.clone(), moved(to)], Status::NotRefunded, 0);
        }
    }

    #[test]
    fn an_inquiry_moves_no_money_until_it_becomes_a_chargeback() {
        check(&[ASK], Status::NotRefunded, 0);
        check(&[ASK, moved(DisputeMove::End), moved(DisputeMove::Escalate)], Status::NotRefunded, 0);
        check(&[ASK, moved(DisputeMove::Escalate)], Status::ChargedBack, 100);
    }
    #[test]
    fn every_move_from_every_stage() {
        use DisputeStage::*;
        let becomes = |stage: DisputeStage| {
            [DisputeMove::Escalate, DisputeMove::Answer, DisputeMove::Win, DisputeMove::Lose, DisputeMove::End].map(|to| stage.after(to))
        };
        assert_eq!(becomes(Inquiry), [Some(Open), Some(InquiryAnswered), None, None, Some(InquiryEnded)]);
        assert_eq!(becomes(InquiryAnswered), [Some(Open), None, None, None, Some(InquiryEnded)]);
        assert_eq!(becomes(Open), [None, Some(Answered), Some(Won), Some(Lost), None]);
        assert_eq!(becomes(Answered), [None, None, Some(Won), Some(Lost), None]);
        assert_eq!(becomes(Lost), [None, None, Some(Won), None, None]);
        for over in [InquiryEnded, Won, Prevented] {
            assert_eq!(becomes(over), [None; 5]);
        }
    }

    fn refund(amount: u64) -> Action {
        Action::refund(Pick::Units(amount))
    }

    /// What becomes of an order of 100 by the last of these: which dispute it is about, and how many open refunds fail.
    fn last(actions: &[Action]) -> Option<(usize, usize)> {
        let mut order = OrderTruth::new(100, 1, 1);
        match actions.iter().map(|action| order.apply(action)).last()?? {
            Change::Dispute { dispute, fails, .. } => Some((dispute, fails.len())),
            _ => None,
        }
    }

    #[test]
    fn what_was_paid_back_in_full_is_not_disputed() {
        let paid = |amount: u64| [refund(amount), Action::Succeed { refund: 0, paid: Pick::All }, OPEN];
        assert_eq!((last(&paid(100)), last(&paid(60)), last(&[OPEN])), (None, Some((0, 0)), Some((0, 0))));
    }

    #[test]
    fn each_dispute_has_its_number() {
        assert_eq!(last(&[OPEN, OPEN]), Some((1, 0)));
        assert_eq!(last(&[OPEN, ASK, OPEN]), Some((2, 0)));
        // The newest that can be moved so.
        assert_eq!(last(&[OPEN, ASK, moved(DisputeMove::Lose)]), Some((0, 0)));
        assert_eq!(last(&[ASK, OPEN, moved(DisputeMove::Win), moved(DisputeMove::Escalate)]), Some((0, 0)));
        assert_eq!(last(&[OPEN, moved(DisputeMove::Escalate)]), None);
    }

    #[test]
    fn open_refunds_fail_when_the_money_is_taken() {
        assert_eq!(last(&[refund(10), refund(20), OPEN]), Some((0, 2)));
        assert_eq!(last(&[refund(10), ASK]), Some((0, 0)));
        assert_eq!(last(&[refund(10), ASK, moved(DisputeMove::Answer)]), Some((0, 0)));
        assert_eq!(last(&[refund(10), ASK, moved(DisputeMove::Escalate)]), Some((0, 1)));
    }

    #[test]
    fn it_is_known_whether_money_was_ever_taken() {
        let withdrawn = |actions: &[Action]| {
            let mut order = OrderTruth::new(100, 1, 1);
            actions.iter().for_each(|action| drop(order.apply(action)));
            (order.disputes[0].withdrawn, order.disputes[0].inquiry)
        };
        assert_eq!(withdrawn(&[OPEN]), (true, false));
        assert_eq!(withdrawn(&[OPEN, moved(DisputeMove::Win)]), (true, false));
        assert_eq!(withdrawn(&[ASK, moved(DisputeMove::End)]), (false, true));
        assert_eq!(withdrawn(&[ASK, moved(DisputeMove::Escalate)]), (true, true));
    }
}
