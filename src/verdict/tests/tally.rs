//! From the cases of a requirement to its verdict.

use rstest::rstest;

use super::by_hand::{finding, findings, result, trail};
use crate::{
    corpus::Level,
    verdict::{
        Trail, Verdict,
        tally::{Planned, link, settle, settle_share, until_the_end},
    },
};

#[rstest]
#[case::all_pass("ok ok ok", "MUST", 3, Verdict::Pass)]
#[case::too_few_could_fail("ok missed missed", "MUST", 2, Verdict::NotExercised)]
#[case::none_ran("", "MUST", 1, Verdict::NotExercised)]
#[case::nobody_asks_for_one("missed", "MUST", 0, Verdict::NotExercised)]
#[case::one_fails("ok f1 ok", "MUST", 1, Verdict::Fail)]
#[case::one_fails_by_two_mistakes("ok f1+g1", "MUST", 1, Verdict::Fail)]
#[case::a_should_fails("ok f1", "SHOULD", 1, Verdict::Warn)]
#[case::another_mistake_and_one_case_without("ok g1", "MUST", 1, Verdict::Affected)]
#[case::another_mistake_and_a_case_that_says_nothing("missed g1", "MUST", 1, Verdict::Masked)]
#[case::another_mistake_everywhere("g1 g1", "MUST", 1, Verdict::Masked)]
#[case::nobody_saw_it_again("ok f1?", "MUST", 1, Verdict::Error)]
#[case::nobody_saw_it_again_though_another("f1?+g1", "MUST", 1, Verdict::Error)]
#[case::one_was_seen_again("f1? f2", "MUST", 1, Verdict::Fail)]
fn a_requirement_comes_to(#[case] text: &str, #[case] level: &str, #[case] floor: u32, #[case] expected: Verdict) {
    let (mut result, trail) = (result(level, floor), trail(text));
    settle(&mut result, &trail, &findings(&trail), false);
    assert_eq!(result.verdict, expected, "{:?}", result.note);
    assert_eq!(result.deliveries, 2 * u64::from(result.cases));
}

/// An adapter that fails later takes no finding back.
#[test]
fn what_was_found_before_an_error_stays() {
    let (mut result, trail) = (result("MUST", 1), trail("f1 ok!"));
    result.verdict = Verdict::Error;
    settle(&mut result, &trail, &findings(&trail), false);
    assert_eq!((result.verdict, &result.findings[..]), (Verdict::Error, &["f1".to_owned()][..]));
}

#[test]
fn strictly_a_should_is_a_must() {
    let (mut result, trail) = (result("SHOULD", 1), trail("f1"));
    settle(&mut result, &trail, &findings(&trail), true);
    assert_eq!(result.verdict, Verdict::Fail);
}

#[test]
fn who_does_nothing_must_fail_a_case() {
    let (mut result, trail) = (result("MUST", 1), Trail { refuted: false, ..trail("ok ok") });
    settle(&mut result, &trail, &[], false);
    assert_eq!(result.verdict, Verdict::NotExercised);
}

#[rstest]
#[case::all("missed missed", "under the claims of this target no case can show a mistake in it")]
#[case::most("ok missed missed", "under the claims of this target 1 of 3 cases can show a mistake in it; 2 must")]
fn claims_that_hide_mistakes_are_said(#[case] ran: &str, #[case] note: &str) {
    let (mut result, trail) = (result("MUST", 2), Trail { blinded: 2, ..trail(ran) });
    settle(&mut result, &trail, &[], false);
    assert_eq!((result.verdict, result.by_claims, result.note.as_deref()), (Verdict::NotExercised, true, Some(note)));
}

#[test]
fn claims_that_hide_nothing_are_not_to_blame() {
    let (mut result, trail) = (result("MUST", 0), trail("missed missed"));
    settle(&mut result, &trail, &[], false);
    assert_eq!((result.verdict, result.by_claims), (Verdict::NotExercised, false));
}

#[test]
fn claims_are_to_blame_in_a_shard_only_where_all_shards_have_too_few() {
    let by_claims = |exercised: u32| {
        let mut planned = Planned::default();
        (0..4).for_each(|case| planned.count(case < exercised));
        let (mut result, trail) = (result("MUST", 3), Trail { blinded: 9, finished: true, ..trail("ok") });
        settle(&mut result, &trail, &[], false);
        settle_share(&mut result, &trail, planned);
        (result.verdict, result.by_claims)
    };
    assert_eq!((by_claims(4), by_claims(1)), ((Verdict::Pass, false), (Verdict::NotExercised, true)));
}

#[test]
fn an_error_stays_one() {
    let (mut result, trail) = (result("MUST", 1), trail("ok f1"));
    result.verdict = Verdict::Error;
    settle(&mut result, &trail, &findings(&trail), false);
    assert_eq!(result.verdict, Verdict::Error);
}

#[test]
fn a_must_that_cannot_hold_makes_a_finding_a_must() {
    let mut own = result("MUST", 1);
    own.findings = vec!["g1".to_owned()];
    own.verdict = Verdict::Masked;
    let mut findings = [finding("g1")];
    link(&[own], &mut findings);
    let [finding] = findings;
    assert_eq!((finding.level, finding.also_fails, finding.masks), (Level::Must, vec!["own".to_owned()], vec!["own".to_owned()]));
}

#[test]
fn shards_put_together_end_where_one_run_would_have() {
    let mut ran = trail("ok f1 ok ok").ran;
    ran[1].last = true;
    until_the_end(&mut ran);
    assert_eq!(ran.len(), 2);
}

/// `planned` says how many cases of all shards there are, and how many of them could show a mistake.
#[rstest]
#[case::its_share_passed("ok", (4, 4), true, Verdict::Pass)]
#[case::it_has_no_share("", (4, 4), true, Verdict::NotExercised)]
#[case::it_was_cut_short("ok", (4, 4), false, Verdict::NotExercised)]
#[case::all_shards_have_too_few("ok", (4, 1), true, Verdict::NotExercised)]
#[case::its_share_failed("f1", (4, 4), true, Verdict::Fail)]
fn a_shard_comes_to(#[case] text: &str, #[case] (cases, exercised): (u32, u32), #[case] finished: bool, #[case] expected: Verdict) {
    let mut planned = Planned::default();
    (0..cases).for_each(|case| planned.count(case < exercised));
    let (mut result, trail) = (result("MUST", 3), Trail { finished, ..trail(text) });
    settle(&mut result, &trail, &findings(&trail), false);
    settle_share(&mut result, &trail, planned);
    assert_eq!(result.verdict, expected, "{:?}", result.note);
}

#[test]
fn more_cases_are_drawn_until_enough_could_show_a_mistake() {
    let mut planned = Planned::default();
    (0..10).for_each(|case| planned.count(case < 2));
    assert!(planned.wants_more(10, 10, 5, 0), "too few can");
    assert!(!planned.wants_more(10, 24, 5, 3), "the claims hide the others");
    assert!(planned.wants_more(10, 25, 5, 3), "the claims hide some, and there will be enough");
    assert!(!planned.wants_more(10, 40, 2, 0), "there are enough");
    assert!(planned.wants_more(11, 40, 2, 0), "more were asked for");
    assert_eq!(planned.cases(), 10);
    let mut planned = Planned::default();
    planned.count(true);
    assert!(!planned.wants_more(1, 4, 5, 4), "the claims hide the others");
}
