//! The events of disputes.
//!
//! What is charged back at the moment is minus the sum of a dispute's balance transactions, in every one of its events.

use std::fmt::Write;

use super::{
    code,
    events::{DISPUTE_CLOSED, DISPUTE_CREATED, DISPUTE_UPDATED, FUNDS_REINSTATED, FUNDS_WITHDRAWN, Family, charge, is_seldom, seconds},
    money::sent,
    places::Place,
};
use crate::{
    domain::EventTime,
    model::{DisputeEvent, DisputeStage, Tell},
    plan::DisputeMove,
};

/// Why shoppers dispute what they paid by card, and how the card's network says it.
const REASONS: [(&str, &str); 7] = [
    ("fraudulent", "10.3"),
    ("product_not_received", "13.1"),
    ("duplicate", "12.6.1"),
    ("credit_not_processed", "13.6"),
    ("product_unacceptable", "13.3"),
    ("subscription_canceled", "13.2"),
    ("general", "12.1"),
];

/// By when the disputes of Stripe's examples may be answered, in seconds after 1970. A date that lies after all events.
const DUE_BY: u64 = 1_795_651_199;

impl Family<'_> {
    /// A dispute was opened or goes on.
    pub(super) fn disputed(&mut self, dispute: usize, to: Option<DisputeMove>) {
        use DisputeEvent::{Money, Status};
        let holds_money = self.scene.truth.disputes[dispute].stage.holds_money();
        let answered = ["needs_response", "warning_needs_response"][usize::from(!holds_money)];
        match to {
            None => {
                self.dispute(DISPUTE_CREATED, dispute, Status, None);
                if holds_money {
                    self.dispute(FUNDS_WITHDRAWN, dispute, Money, None);
                }
            }
            Some(DisputeMove::Escalate) => {
                self.dispute(DISPUTE_UPDATED, dispute, Status, Some("warning_needs_response"));
                self.dispute(FUNDS_WITHDRAWN, dispute, Money, None);
            }
            Some(DisputeMove::Answer) => self.dispute(DISPUTE_UPDATED, dispute, Status, Some(answered)),
            Some(DisputeMove::Win) if self.is_paid_after_its_end(dispute) => {
                self.dispute(DISPUTE_CLOSED, dispute, Status, Some("under_review"));
                // What the two say of the money is not the same, so each has a second of its own.
                let after = self.messages.last().map(|closed| closed.facts.created_time.micros() + 1_000_000);
                self.earliest = after.map(EventTime::from_micros);
                self.dispute(FUNDS_REINSTATED, dispute, Money, None);
            }
            Some(DisputeMove::Win) => {
                self.dispute(FUNDS_REINSTATED, dispute, Money, None);
                self.dispute(DISPUTE_CLOSED, dispute, Status, Some("under_review"));
            }
            Some(DisputeMove::Lose) => self.dispute(DISPUTE_CLOSED, dispute, Status, Some("under_review")),
            Some(DisputeMove::End) => self.dispute(DISPUTE_CLOSED, dispute, Status, Some("warning_needs_response")),
        }
    }

    /// Whether the money of a won dispute comes back after its end and not before. Both are known
    /// (`docs/expectations.md`, "Stripe").
    fn is_paid_after_its_end(&self, dispute: usize) -> bool {
        is_seldom(self.scene, "reinstated last", dispute)
    }

    /// One event of a dispute; `before` is the status that it had before, where that changed.
    pub(super) fn dispute(&mut self, kind: &str, dispute: usize, by: DisputeEvent, before: Option<&str>) {
        let scene = self.scene;
        let truth = &scene.truth.disputes[dispute];
        let id = &scene.names.disputes[dispute];
        let number = (scene.order * 1000 + dispute) as u64;
        let is_won = truth.stage == DisputeStage::Won;
        // The money is back and the object has still the state of before, or the other way round.
        let is_paid_first = is_won && kind == FUNDS_REINSTATED && !self.is_paid_after_its_end(dispute);
        let is_closed_first = is_won && kind == DISPUTE_CLOSED && self.is_paid_after_its_end(dispute);
        let still = (is_paid_first || is_closed_first).then(|| self.amount(truth.amount));
        let tell = Tell::Dispute { id: id.clone(), taken_amount: self.amount(truth.taken()), by, still };
        let inquiry = matches!(truth.stage, DisputeStage::Inquiry | DisputeStage::InquiryAnswered | DisputeStage::InquiryEnded);
        let status = if is_paid_first { "under_review" } else { word(truth.stage) };
        let by_shop = kind == DISPUTE_UPDATED && matches!(truth.stage, DisputeStage::Answered | DisputeStage::InquiryAnswered);
        let withdrawn = transaction_id(scene, number, 0);
        let created = seconds(&scene.dispute_times[dispute]);
        let time = seconds(&self.time());
        let (reason, network_code) = REASONS[scene.lasting("dispute reason", dispute, REASONS.len())];
        self.push(kind, by_shop, vec![tell], &|place, out| {
            // Writing to a string cannot fail.
            _ = match place {
                Place::Id => write!(out, r#""{id}""#),
                Place::Amount => write!(out, "{}", sent(truth.amount, scene.currency)),
                Place::BalanceTransaction if truth.withdrawn => write!(out, r#""{withdrawn}""#),
                Place::BalanceTransaction => write!(out, "null"),
                Place::BalanceTransactions => {
                    let back = is_won && !is_closed_first;
                    let entries = [(truth.withdrawn, 0), (back, 1)].into_iter().filter(|(has, _)| *has);
                    let when = |entry: u64| if entry == 0 { created } else { time };
                    let entries: Vec<String> =
                        entries.map(|(_, entry)| transaction(scene, id, number, truth.amount, entry, when(entry))).collect();
                    write!(out, "[{}]", entries.join(","))
                }
                Place::Created => write!(out, "{created}"),
                Place::IsRefundable => write!(out, "{inquiry}"),
                Place::CaseType => write!(out, r#""{}""#, case_type(truth.stage)),
                Place::DueBy if is_seldom(scene, "date", dispute) => write!(out, "null"),
                Place::DueBy => write!(out, "{DUE_BY}"),
                Place::Reason => write!(out, r#""{reason}""#),
                Place::NetworkCode => write!(out, r#""{network_code}""#),
                Place::Status => write!(out, r#""{status}""#),
                Place::Previous => match before.filter(|before| *before != status) {
                    Some(before) => write!(out, r#"{{"status":"{before}"}}"#),
                    None => Ok(()),
                },
                _ => Ok(()),
            };
        });
    }
}

/// What a bank calls such a case.
fn case_type(stage: DisputeStage) -> &'static str {
    match stage {
        DisputeStage::Inquiry | DisputeStage::InquiryAnswered | DisputeStage::InquiryEnded => "inquiry",
        DisputeStage::Prevented => "block",
        _ => "chargeback",
    }
}

/// Stripe's word for a stage.
fn word(stage: DisputeStage) -> &'static str {
    match stage {
        DisputeStage::Inquiry => "warning_needs_response",
        DisputeStage::InquiryAnswered => "warning_under_review",
        DisputeStage::InquiryEnded => "warning_closed",
        DisputeStage::Open => "needs_response",
        DisputeStage::Answered => "under_review",
        DisputeStage::Won => "won",
        DisputeStage::Lost => "lost",
        DisputeStage::Prevented => "prevented",
    }
}

fn transaction_id(scene: &crate::provider::Scene<'_>, number: u64, entry: u64) -> String {
    format!("txn_1{}", code(&scene.mint, "dispute transaction", number * 2 + entry, super::LENGTH))
}

/// The withdrawal, or what is given back of it. The fee is Stripe's own and no part of what the shopper gets.
fn transaction(scene: &crate::provider::Scene<'_>, dispute: &str, number: u64, amount: u64, entry: u64, created: i64) -> String {
    let id = transaction_id(scene, number, entry);
    let (amount, charge) = (i128::from(sent(amount, scene.currency)), charge(scene));
    let currency = scene.currency.code().to_lowercase();
    let (amount, fee, what, category) = match entry {
        0 => (-amount, 1500, "Chargeback withdrawal", "dispute"),
        _ => (amount, 0, "Chargeback reversal", "dispute_reversal"),
    };
    let net = amount - fee;
    let available = created + 7 * 86_400;
    let fees = match fee {
        0 => String::new(),
        _ => format!(r#"{{"amount":{fee},"application":null,"currency":"{currency}","description":"Dispute fee","type":"stripe_fee"}}"#),
    };
    format!(
        r#"{{"id":"{id}","object":"balance_transaction","amount":{amount},"available_on":{available},"balance_type":"payments","created":{created},"currency":"{currency}","description":"{what} for {charge}","exchange_rate":null,"fee":{fee},"fee_details":[{fees}],"net":{net},"reporting_category":"{category}","source":"{dispute}","status":"pending","type":"adjustment"}}"#
    )
}
