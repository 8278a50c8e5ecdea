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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        case::by_hand::{case, deliver, paid, told},
        domain::{RefundState, RefundView, Status},
    };

    fn pending() -> OrderState {
        OrderState::new("o1", Status::Pending, Amount::ZERO)
    }

    #[test]
    fn what_was_shown_is_text() {
        let case = case(&["o1"], vec![deliver(told("o1", "a", RefundState::Pending)), deliver(paid("o1", "a"))]);
        let seen = Sightings { after: vec![vec![Some(pending())], vec![Some(pending())]], end: vec![None] };
        let answers = |entry| if entry == 0 { "500, 200".to_owned() } else { String::new() };
        let expected = "\
order o1 USD 100.00 captured on 0 charge(s)

 1 refund.a → 500, 200
   o1
     status                  pending
     refundedAmount          0

 2 refund.a
   o1 as before

end
   o1
     unknown order
   it ended
";
        assert_eq!(render(&case, &seen, &answers, Some("it ended")), expected);
    }

    #[test]
    fn every_member_that_is_shown_is_in_it() {
        let ten = Amount::from_minor(1000, 2);
        let refund = |id: &str, amount| RefundView { id: id.to_owned(), state: RefundState::Succeeded, amount, refunded_amount: ten };
        let state = pending().with(|state| {
            state.currency = Some("USD".to_owned());
            state.available_to_refund_amount = Some(ten);
            state.charged_back_amount = Some(Amount::ZERO);
            state.refunds = Some(vec![refund("b", None), refund("a", Some(ten))]);
        });
        let expected = "     status                  pending
     refundedAmount          0
     currency                USD
     availableToRefundAmount 10.00
     chargedBackAmount       0
     refund                  a succeeded 10.00 of 10.00
     refund                  b succeeded 10.00
";
        assert_eq!(lines(&state), expected);
    }

    fn shown(pairs: &[(&str, &str)]) -> BTreeMap<String, OwnState> {
        let state = |text: &str| OwnState { title: "a title".to_owned(), text: text.to_owned() };
        pairs.iter().map(|(name, text)| ((*name).to_owned(), state(text))).collect()
    }

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), file("a title", text))).collect()
    }

    /// One sequence is new, one differs, one is the same with a pending file of old.
    #[rstest]
    #[case::review(Update::New, &["a.snap.new", "b.snap.new"], true)]
    #[case::auto(Update::Auto, &["a.snap.new", "b.snap.new"], true)]
    #[case::unseen(Update::Unseen, &["a.snap", "b.snap.new"], true)]
    #[case::always(Update::Always, &["a.snap", "b.snap"], false)]
    #[case::no(Update::No, &[], true)]
    fn updates(#[case] update: Update, #[case] written: &[&str], #[case] fails: bool) {
        let before = files(&[("b.snap", "old"), ("c.snap", "same"), ("c.snap.new", "pending")]);
        let found = compare(&shown(&[("a", "1"), ("b", "2"), ("c", "same")]), &BTreeMap::new(), &before, update);
        assert_eq!(found.write.keys().map(String::as_str).collect::<Vec<_>>(), written);
        assert_eq!(found.differences.values().any(Difference::fails), fails);
        assert_eq!(found.same, 1);
        assert_eq!(found.remove, if update == Update::No { vec![] } else { vec!["c.snap.new".to_owned()] });
    }

    #[rstest]
    #[case::of_all(Update::Auto, Difference::Recorded, "a.snap")]
    #[case::that_is_to_be_reviewed(Update::New, Difference::New, "a.snap.new")]
    fn the_first_run(#[case] update: Update, #[case] difference: Difference, #[case] written: &str) {
        let found = compare(&shown(&[("a", "1")]), &BTreeMap::new(), &BTreeMap::new(), update);
        assert_eq!(found.differences, [("a".to_owned(), difference)].into());
        assert_eq!(found.write.keys().collect::<Vec<_>>(), [written]);
    }

    #[test]
    fn a_renamed_sequence_is_told_from_an_orphan() {
        let before = files(&[("old-name.snap", "text"), ("gone.snap", "other"), ("kept.snap", "kept")]);
        let found = compare(&shown(&[("new-name", "text"), ("kept", "kept")]), &BTreeMap::new(), &before, Update::Auto);
        assert_eq!(found.differences["old-name.snap"], Difference::Renamed("new-name".to_owned()));
        assert_eq!(found.differences["gone.snap"], Difference::Orphaned);
        assert_eq!(found.differences["new-name"], Difference::New);
        assert_eq!(found.differences.len(), 3);
    }

    #[rstest]
    #[case::plain(&[], Some(Update::Auto))]
    #[case::ci(&[("CI", "true")], Some(Update::No))]
    #[case::no_ci(&[("CI", "false")], Some(Update::Auto))]
    #[case::azure(&[("TF_BUILD", "True")], Some(Update::No))]
    #[case::asked_in_ci(&[("CI", "1"), ("INSTA_UPDATE", "always")], Some(Update::Always))]
    #[case::auto_in_ci(&[("CI", "1"), ("INSTA_UPDATE", "auto")], Some(Update::No))]
    #[case::new(&[("INSTA_UPDATE", "new")], Some(Update::New))]
    #[case::unseen(&[("INSTA_UPDATE", "unseen")], Some(Update::Unseen))]
    #[case::no(&[("INSTA_UPDATE", "no")], Some(Update::No))]
    #[case::force(&[("INSTA_UPDATE", "force")], Some(Update::Always))]
    #[case::misspelt(&[("INSTA_UPDATE", "allways")], None)]
    fn environment(#[case] variables: &[(&str, &str)], #[case] expected: Option<Update>) {
        let get = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Update::from_environment(get).ok(), expected);
    }
}
