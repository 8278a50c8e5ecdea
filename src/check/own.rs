//! Snapshots of a target's own states: what it showed while the frozen sequences were delivered, compared with what it
//! showed last time.
//!
//! Conforming targets may differ, for instance in statuses that they cannot tell apart. What one target shows is its
//! own affair until it changes by mistake. So everything is kept as it was shown, and nothing is judged. Files are in
//! insta's format, and what differs is written as `NAME.snap.new`, which `cargo insta review` takes.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    show::diff,
    snapshot::{Sightings, act_line, content, file, order_lines},
};
use crate::{
    case::Case,
    domain::{Amount, OrderState},
};

/// What a target showed while a frozen sequence was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnState {
    /// What the sequence is about.
    pub title: String,
    /// What was shown, as text.
    pub text: String,
}

/// The text of what was shown. `answers` has those to each entry; `end` is why the sequence ended before its end.
pub fn render(case: &Case, seen: &Sightings, answers: &dyn Fn(usize) -> String, end: Option<&str>) -> String {
    let mut out = order_lines(case);
    let mut before: BTreeMap<&str, String> = BTreeMap::new();
    for (index, entry) in case.entries.iter().enumerate() {
        let answers = answers(index);
        let arrow = if answers.is_empty() { String::new() } else { format!(" → {answers}") };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n{:>2} {}{arrow}", index + 1, act_line(&entry.act));
        let states = seen.after.get(index).map_or(&[][..], Vec::as_slice);
        for (expected, state) in entry.expect.iter().zip(states) {
            order(&mut out, &expected.order_id, state.as_ref(), &mut before);
        }
    }
    let _ = writeln!(out, "\nend");
    for (expected, state) in case.expect.iter().zip(&seen.end) {
        order(&mut out, &expected.order_id, state.as_ref(), &mut before);
    }
    if let Some(end) = end {
        let _ = writeln!(out, "   {end}");
    }
    out
}

fn order<'c>(out: &mut String, id: &'c str, state: Option<&OrderState>, before: &mut BTreeMap<&'c str, String>) {
    let lines = state.map_or("     unknown order\n".to_owned(), lines);
    let _ = if before.get(id) == Some(&lines) { writeln!(out, "   {id} as before") } else { write!(out, "   {id}\n{lines}") };
    before.insert(id, lines);
}

/// Every member that was shown.
fn lines(state: &OrderState) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "     {name:<23} {value}");
    };
    let amount = |amount: Amount| amount.to_string();
    line("status", state.status.as_str());
    line("refundedAmount", &amount(state.refunded_amount));
    if let Some(currency) = &state.currency {
        line("currency", currency);
    }
    if let Some(available) = state.available_to_refund_amount {
        line("availableToRefundAmount", &amount(available));
    }
    if let Some(charged_back) = state.charged_back_amount {
        line("chargedBackAmount", &amount(charged_back));
    }
    let mut refunds: Vec<_> = state.refunds.iter().flatten().collect();
    refunds.sort_by(|one, other| one.id.cmp(&other.id));
    for refund in refunds {
        let of = refund.amount.map(|of| format!(" of {of}")).unwrap_or_default();
        line("refund", &format!("{} {} {}{of}", refund.id, refund.state, refund.refunded_amount));
    }
    out
}

/// What is done with what is new or differs; insta's words, by which `INSTA_UPDATE` chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Records everything in a folder that has no snapshots yet, and is otherwise like [`Update::New`].
    Auto,
    /// Writes `.snap.new` files for review.
    New,
    /// Takes what is new, and writes `.snap.new` files for what differs.
    Unseen,
    /// Takes everything.
    Always,
    /// Writes nothing.
    No,
}

impl Update {
    /// What the environment asks for: `INSTA_UPDATE`, and nothing is written where `CI` or `TF_BUILD` says that this is CI.
    ///
    /// # Errors
    /// When `INSTA_UPDATE` has another value than insta knows.
    pub fn from_environment(get: impl Fn(&str) -> Option<String>) -> Result<Update, String> {
        let is_ci = match get("CI").as_deref() {
            Some("" | "0" | "false") => false,
            Some(_) => true,
            None => get("TF_BUILD").is_some(),
        };
        match get("INSTA_UPDATE").as_deref() {
            None | Some("" | "auto") => Ok(if is_ci { Update::No } else { Update::Auto }),
            Some("new") => Ok(Update::New),
            Some("unseen") => Ok(Update::Unseen),
            Some("always" | "1" | "force") => Ok(Update::Always),
            Some("no") => Ok(Update::No),
            Some(other) => Err(format!("INSTA_UPDATE is `{other}`; it is auto, new, unseen, always, force or no")),
        }
    }
}

/// What the comparison found of one sequence or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// There is no snapshot of it.
    New,
    /// It is recorded now: there was no snapshot of it.
    Recorded,
    /// The target shows something else; the difference, `-` for the snapshot.
    Differs(String),
    /// The snapshot was written anew; the difference.
    Rewritten(String),
    /// The snapshot is of a sequence that has another name now.
    Renamed(String),
    /// The snapshot is of no sequence at all.
    Orphaned,
    /// The target is no longer compared with it; why.
    LeftOut(String),
}

impl Difference {
    /// Whether it fails the run.
    pub fn fails(&self) -> bool {
        !matches!(self, Difference::Recorded | Difference::Rewritten(_))
    }
}

/// What the comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many sequences were compared and are as recorded.
    pub same: usize,
    /// What differs, by the name of the sequence or file.
    pub differences: BTreeMap<String, Difference>,
    /// Files to write, by their names.
    pub write: BTreeMap<String, String>,
    /// Files to delete: pending ones that are overtaken.
    pub remove: Vec<String>,
}

/// Compares what was shown with the files of a folder, names and texts. `left_out` says which sequences this target was
/// not shown, and why.
pub fn compare(
    shown: &BTreeMap<String, OwnState>,
    left_out: &BTreeMap<String, String>,
    files: &BTreeMap<String, String>,
    update: Update,
) -> Comparison {
    let mut found = Comparison::default();
    let is_first = !files.keys().any(|file| file.ends_with(".snap"));
    for (name, state) in shown {
        let (snap, pending) = (format!("{name}.snap"), format!("{name}.snap.new"));
        let text = file(&state.title, &state.text);
        let before = files.get(&snap).map(|text| content(text));
        if before == Some(state.text.trim_matches('\n')) {
            found.same += 1;
            if files.contains_key(&pending) && update != Update::No {
                found.remove.push(pending);
            }
            continue;
        }
        let takes = match (update, before) {
            (Update::Always, _) | (Update::Unseen, None) => true,
            (Update::Auto, None) => is_first,
            _ => false,
        };
        let difference = match before {
            None if takes => Difference::Recorded,
            None => Difference::New,
            Some(before) => {
                let diff = diff(&format!("{before}\n"), &format!("{}\n", state.text.trim_matches('\n')));
                if takes { Difference::Rewritten(diff) } else { Difference::Differs(diff) }
            }
        };
        found.differences.insert(name.clone(), difference);
        if takes {
            found.write.insert(snap, text);
            if files.contains_key(&pending) {
                found.remove.push(pending);
            }
        } else if update != Update::No {
            found.write.insert(pending, text);
        }
    }
    for (file, text) in files {
        let Some(name) = file.strip_suffix(".snap").or_else(|| file.strip_suffix(".snap.new")) else { continue };
        if shown.contains_key(name) {
            continue;
        }
        let twin = || shown.iter().find(|(_, state)| state.text.trim_matches('\n') == content(text)).map(|(name, _)| name.clone());
        let difference = match (left_out.get(name), twin()) {
            (Some(why), _) => Difference::LeftOut(why.clone()),
            (None, Some(twin)) => Difference::Renamed(twin),
            (None, None) => Difference::Orphaned,
        };
        found.differences.insert(file.clone(), difference);
    }
    found
}
