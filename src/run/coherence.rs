//! What a report says twice, or what follows from it and from the suite, must be the same wherever it stands. A digest says
//! only that nobody changed a report after it was made; whoever makes one up makes its digest too.
//!
//! Nothing here knows whether a target did what the report says: that can be seen only by running it again.

use std::collections::{BTreeMap, BTreeSet};

use super::{campaign::inapplicable, frozen::comparable, investigate::likeness, redact::HIDDEN};
use crate::{
    adapter::Capabilities,
    check::snapshot_fingerprint,
    corpus::{Level, RequirementSet, RequirementText},
    drive::claims_problem,
    provider::Provider,
    reference::Fault,
    search::{EXTRA_DRAWS, SNAPSHOTS, Selection},
    verdict::{FindingReport, Report, RequirementResult, Shard, Trail, Verdict, link, settle},
};

/// One thing that cannot be as the report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contradiction {
    /// What the report says, and where.
    pub(super) stated: String,
    /// What is so.
    pub(super) found: String,
    /// Whether that follows from the report itself; otherwise from this suite.
    pub(super) is_of_the_report: bool,
}

/// Whether a target with these claims can be judged as one that claims everything.
fn hides_nothing(capabilities: &Capabilities) -> bool {
    let all = Capabilities::everything();
    all.observes.iter().all(|observed| capabilities.observes.contains(observed))
        && capabilities.subscribes.is_none()
        && capabilities.equivalent_statuses.is_empty()
        && capabilities.verifies_signatures
        && capabilities.durable
        && capabilities.initiates_refunds
        && !capabilities.asynchronous
        // What such a target has missed it may fetch, and bodies of the older version tell other things.
        && !capabilities.calls_back
        && !capabilities.older_api_version
        && capabilities.concurrency >= all.concurrency
}

/// How many findings a report may have; a run stops looking much earlier, and shards find the same.
const MOST_FINDINGS: usize = 1000;
/// How many entries other lists may have, and how long the patterns of a selection may be in all.
const MOST_ENTRIES: usize = 10_000;

/// What is longer in a report than in any that a run wrote. Nothing else is to be asked of such a report: whatever looks at it
/// would take as long as whoever made it up likes.
pub(super) fn excess(report: &Report, provider: &dyn Provider) -> Option<Contradiction> {
    let corpus = provider.corpus();
    let (requirements, snapshots) = (corpus.requirements.len(), corpus.snapshots.len());
    let capabilities = &report.target.capabilities;
    let patterns = || report.options.only.iter().chain(&report.options.skip);
    let trail = |result: &RequirementResult| result.trail.as_ref().map_or(0, |trail| trail.ran.len());
    let most_cases = usize::try_from(u64::from(report.options.cases) * u64::from(1 + EXTRA_DRAWS)).unwrap_or(usize::MAX);
    let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let lists = [
        ("requirements", report.requirements.len(), requirements),
        ("items", report.items.len(), requirements),
        ("findings", report.findings.len(), MOST_FINDINGS),
        ("findings of a requirement", longest(&mut report.requirements.iter().map(|result| result.findings.len())), MOST_FINDINGS),
        ("cases of a requirement", longest(&mut report.requirements.iter().map(trail)), most_cases),
        ("requirements of a finding", longest(&mut report.findings.iter().map(|finding| finding.also_fails.len())), requirements),
        ("masked requirements of a finding", longest(&mut report.findings.iter().map(|finding| finding.masks.len())), requirements),
        ("snapshots of a finding", longest(&mut report.findings.iter().map(|finding| finding.snapshots.len())), snapshots),
        ("differing snapshots", report.snapshots.differing.len(), snapshots),
        (
            "findings of a snapshot",
            longest(&mut report.snapshots.differing.iter().map(|difference| difference.because_of.len())),
            MOST_FINDINGS,
        ),
        ("saved cases", report.saved.len(), MOST_ENTRIES),
        ("failing imported cases", report.imported.as_ref().map_or(0, |imported| imported.failing.len()), MOST_FINDINGS),
        ("patterns", patterns().map(|pattern| pattern.len() + 1).fold(0, usize::saturating_add), MOST_ENTRIES),
        ("items that were left out", report.options.without.len(), requirements),
        ("subscriptions", capabilities.subscribes.as_ref().map_or(0, Vec::len), MOST_FINDINGS),
        ("equivalent statuses", capabilities.equivalent_statuses.iter().map(|group| group.len() + 1).sum(), MOST_FINDINGS),
    ];
    let (what, length, most) = lists.into_iter().find(|(_, length, most)| length > most)?;
    Some(Contradiction { stated: format!("{what}: {length}"), found: format!("at most {most}"), is_of_the_report: false })
}

/// Everything that cannot be as the report says.
pub(super) fn contradictions(report: &Report, provider: &dyn Provider) -> Vec<Contradiction> {
    let mut reader = Reader { report, provider, found: Vec::new() };
    reader.of_the_run();
    // What a revision asks that this suite does not have nobody can say here; its digest differs in any case.
    if let Ok(set) = provider.corpus().requirement_set(Some(report.suite.requirements)) {
        reader.rows(&set);
        reader.snapshots(&set);
    }
    reader.findings();
    reader.saved();
    reader.sums();
    reader.found
}

struct Reader<'r> {
    report: &'r Report,
    provider: &'r dyn Provider,
    found: Vec<Contradiction>,
}

impl Reader<'_> {
    /// It says one thing, and another follows from what else it says.
    fn against_itself(&mut self, stated: String, found: impl Into<String>) {
        self.found.push(Contradiction { stated, found: found.into(), is_of_the_report: true });
    }

    /// It says one thing, and this suite another.
    fn against_the_suite(&mut self, stated: String, found: impl Into<String>) {
        self.found.push(Contradiction { stated, found: found.into(), is_of_the_report: false });
    }

    fn shard(&self) -> Option<Shard> {
        self.report.shard.as_ref()?.parse().ok()
    }

    fn of_the_run(&mut self) {
        let report = self.report;
        if let Some(why) = report.interrupted.as_deref().filter(|why| !["interrupted", "time limit"].contains(why)) {
            self.against_the_suite(format!("interrupted: {why}"), "a run is cut short by somebody or by its time limit");
        }
        if let (Some(shard), None) = (&report.shard, self.shard()) {
            self.against_the_suite(format!("shard: {shard}"), "a shard is K/N with K from 1 to N");
        }
        for item in report.options.without.iter().filter(|item| !self.provider.corpus().checklist.contains(item)) {
            self.against_the_suite(format!("options.without: {item}"), "it is no item of the checklist");
        }
        if let Some(why) = claims_problem(self.provider, &report.target.capabilities) {
            self.against_the_suite("target.capabilities: such claims were certified".to_owned(), format!("they are refused: {why}"));
        }
        let waived = report.findings.iter().any(|finding| finding.waived.is_some())
            || report.snapshots.differing.iter().any(|difference| difference.waived.is_some());
        if waived && report.known_failing.is_none() {
            self.against_itself("something is accepted".to_owned(), "there is no list of known failures");
        }
    }

    /// Whether the requirements are those that were selected, and each by itself.
    fn rows(&mut self, set: &RequirementSet) {
        let report = self.report;
        if let Ok(selection) = Selection::new(&report.options.only, &report.options.skip) {
            let selected = set.requirements.iter().map(|(_, text)| text.id.as_str()).filter(|id| selection.includes(id));
            let selected: Vec<&str> = selected.collect();
            let there: Vec<&str> = report.requirements.iter().map(|result| result.id.as_str()).collect();
            if selected != there {
                let differs = |list: &[&str], other: &[&str]| list.iter().find(|id| !other.contains(id)).map(|id| (*id).to_owned());
                let stated = match (differs(&selected, &there), differs(&there, &selected)) {
                    (Some(missing), _) => format!("requirements: without {missing}"),
                    (None, Some(stranger)) => format!("requirements: with {stranger}"),
                    (None, None) => "requirements: some twice, or in another order".to_owned(),
                };
                let count = selected.len();
                self.against_the_suite(stated, format!("{count} are selected, each once and in the order of the catalogue"));
            }
        }
        for result in &report.requirements {
            if let Some((_, text)) = set.requirements.iter().find(|(_, text)| text.id == result.id) {
                self.row(result, text);
            }
        }
    }

    fn row(&mut self, result: &RequirementResult, text: &RequirementText) {
        let options = &self.report.options;
        let verdict = result.verdict;
        let stated = |what: &str| format!("{}: {}{what}", result.id, verdict.as_str());
        if (&result.item, result.level) != (&text.item, text.level) || result.source != text.source() {
            self.against_the_suite(stated(" with another item, level or source"), format!("{} {}", text.item, text.level.as_str()));
        }
        if result.judged != text.recipe.is_some() {
            self.against_the_suite(stated(&format!(", judged: {}", result.judged)), format!("judged: {}", text.recipe.is_some()));
        }
        let floor = (u64::from(options.cases) * u64::from(text.floor)).div_ceil(100);
        let floor = if text.recipe.is_some() { floor } else { 0 };
        // What could not be judged may have ended before anybody asked for its floor.
        if u64::from(result.floor) != floor && !(verdict == Verdict::Error && result.floor == 0) {
            self.against_the_suite(stated(&format!(", floor {}", result.floor)), format!("its floor is {floor}"));
        }
        match inapplicable(text, &self.report.target.capabilities) {
            Some(why) if !matches!(verdict, Verdict::NotApplicable | Verdict::Error | Verdict::NotExercised) => {
                self.against_itself(stated(""), format!("it does not apply: {why}"));
            }
            None if verdict == Verdict::NotApplicable => self.against_itself(stated(""), "it applies to what the target claims"),
            _ => {}
        }
        let most = u64::from(options.cases) * u64::from(1 + EXTRA_DRAWS);
        if result.exercised > result.cases || u64::from(result.cases) > most {
            self.against_itself(
                stated(&format!(", {} of {} cases exercised", result.exercised, result.cases)),
                format!("at most {most} are"),
            );
        }
        if let Some(problem) = self.verdict_problem(result) {
            self.against_itself(stated(""), problem);
        }
        self.trail(result);
    }

    /// Why the verdict on a requirement cannot be what it is.
    fn verdict_problem(&self, result: &RequirementResult) -> Option<String> {
        let report = self.report;
        let must = result.level == Level::Must || report.options.strict;
        let behind: Vec<&FindingReport> = report.findings.iter().filter(|finding| result.findings.contains(&finding.id)).collect();
        let about: Vec<&&FindingReport> = behind.iter().filter(|finding| finding.about == result.id).collect();
        let none_came_again = |findings: &[&FindingReport]| !findings.is_empty() && !findings.iter().any(|finding| finding.came_again());
        let fails = !matches!(result.verdict, Verdict::Pass | Verdict::NotExercised | Verdict::NotApplicable | Verdict::Error);
        if !result.judged && result.verdict != Verdict::NotExercised {
            return Some("this version does not judge it".to_owned());
        }
        if result.by_claims && result.verdict != Verdict::NotExercised {
            return Some("its cases are said to show nothing, because of what the target claims".to_owned());
        }
        if result.by_claims && hides_nothing(&report.target.capabilities) {
            return Some("its cases are said to show nothing because of what the target claims, and it claims everything".to_owned());
        }
        if matches!(result.verdict, Verdict::NotApplicable) && (result.cases > 0 || result.deliveries > 0) {
            return Some(format!("{} cases of it were run", result.cases));
        }
        if !result.findings.is_empty() && !fails && result.verdict != Verdict::Error {
            return Some(format!("it has findings: {}", result.findings.join(", ")));
        }
        if (fails || result.verdict == Verdict::Pass) && result.cases == 0 {
            return Some("no case of it was run".to_owned());
        }
        match result.verdict {
            Verdict::Pass if report.shard.is_none() && result.exercised == 0 => Some("no case of it could have shown a mistake".to_owned()),
            Verdict::Pass if report.shard.is_none() && result.exercised < result.floor => {
                Some(format!("{} cases could have shown a mistake, and its floor is {}", result.exercised, result.floor))
            }
            Verdict::Pass if result.deliveries == 0 => Some("nothing was delivered".to_owned()),
            Verdict::Pass if Reader::covered(result) > result.deliveries => {
                Some(format!("its coverage counts {} deliveries, of which {} were sent", Reader::covered(result), result.deliveries))
            }
            Verdict::Pass if report.findings.iter().any(|finding| finding.about == result.id) => Some("a finding is about it".to_owned()),
            Verdict::Fail if !must => Some("it is a SHOULD, of which a failure is a warning".to_owned()),
            Verdict::Fail if none_came_again(&behind) => Some("nothing because of which it fails came again".to_owned()),
            Verdict::Warn if must => Some("it is a MUST, and fails".to_owned()),
            Verdict::Affected | Verdict::Masked if behind.is_empty() => Some("there is no finding because of which it fails".to_owned()),
            Verdict::Affected | Verdict::Masked if !about.is_empty() => Some(format!("finding {} is about it", about[0].id)),
            Verdict::Waived if about.is_empty() => Some("there is no finding about it that could be accepted".to_owned()),
            Verdict::Waived => {
                about.iter().find(|finding| finding.waived.is_none()).map(|finding| format!("finding {} is not accepted", finding.id))
            }
            _ => None,
        }
    }

    /// How many deliveries the coverage of a requirement counts.
    fn covered(result: &RequirementResult) -> u64 {
        let counts = result.coverage.iter().flat_map(|coverage| coverage.events.values());
        counts.fold(0, |sum, count| u64::saturating_add(sum, *count))
    }

    /// Whether a shard's row follows from its cases.
    fn trail(&mut self, result: &RequirementResult) {
        let stated = || format!("{}: {}", result.id, result.verdict.as_str());
        let (trail, shard) = match (&result.trail, self.shard()) {
            (None, Some(_)) if result.cases > 0 => {
                return self.against_itself(stated(), "none of its cases is named, and a shard names them");
            }
            (None, _) => return,
            (Some(_), None) => return self.against_itself(stated(), "its cases are named, so this is a shard, and does not say which"),
            (Some(trail), Some(shard)) => (trail, shard),
        };
        let numbers: Vec<u32> = trail.ran.iter().map(|case| case.case).collect();
        let strange = numbers.iter().find(|number| !shard.has(&result.id, u64::from(**number)));
        if !numbers.is_sorted_by(|one, next| one < next) {
            self.against_itself(stated(), "its cases are not in order, or one is there twice");
        }
        if let Some(number) = strange {
            self.against_itself(stated(), format!("its case {number} is another shard's"));
        }
        if let Some(problem) = self.share_problem(result, trail) {
            self.against_itself(stated(), problem);
        }
    }

    fn share_problem(&self, result: &RequirementResult, trail: &Trail) -> Option<String> {
        let mut settled = result.clone();
        if result.verdict != Verdict::Error {
            settled.verdict = Verdict::NotExercised;
        }
        settled.findings.clear();
        settle(&mut settled, trail, &self.report.findings, self.report.options.strict);
        let sums = |result: &RequirementResult| (result.cases, result.exercised, result.deliveries);
        if settled.refused_first != result.refused_first {
            return Some(format!("by its cases {} valid events were refused first", settled.refused_first));
        }
        if sums(&settled) != sums(result) {
            let (cases, exercised, deliveries) = sums(&settled);
            return Some(format!("its cases add up to {cases}, {exercised} of them exercised, with {deliveries} deliveries"));
        }
        if trail.ran.iter().rev().skip(1).any(|case| case.last) {
            return Some("cases of it were run after the last".to_owned());
        }
        let failed = trail.ran.iter().any(|case| case.failed.is_some());
        match result.verdict {
            Verdict::Error => None,
            Verdict::Pass if !trail.finished || trail.ran.is_empty() => Some("not all of its cases were run".to_owned()),
            verdict if failed && verdict == Verdict::Waived && matches!(settled.verdict, Verdict::Fail | Verdict::Warn) => None,
            verdict if failed && (verdict != settled.verdict || settled.findings != result.findings) => {
                Some(format!("its cases come to {}", settled.verdict.as_str()))
            }
            verdict if !failed && !matches!(verdict, Verdict::Pass | Verdict::NotExercised) => Some("no case of it failed".to_owned()),
            _ => None,
        }
    }

    fn findings(&mut self) {
        let report = self.report;
        let mut linked = report.findings.clone();
        link(&report.requirements, &mut linked);
        let mut ids = BTreeSet::new();
        let mut differing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for difference in &report.snapshots.differing {
            difference.because_of.iter().for_each(|id| {
                differing.entry(id).or_default().insert(&difference.name);
            });
        }
        for (finding, linked) in report.findings.iter().zip(&linked) {
            let stated = |what: &str| format!("finding {}{what}", finding.id);
            if !ids.insert(&finding.id) {
                self.against_itself(stated(""), "another has the same id");
            }
            let Some(text) = self.provider.corpus().requirements.iter().find(|text| text.id == finding.about) else {
                self.against_the_suite(stated(&format!(": is about {}", finding.about)), "there is no such requirement");
                continue;
            };
            if !report.requirements.iter().any(|result| result.findings.contains(&finding.id)) {
                self.against_itself(stated(""), "no requirement fails because of it");
            }
            if (&finding.also_fails, &finding.masks) != (&linked.also_fails, &linked.masks) {
                self.against_itself(stated(": what else fails because of it"), "the requirements say otherwise");
            }
            let weighs = linked.level == Level::Must || text.level == Level::Must;
            if weighs && finding.level != Level::Must {
                self.against_itself(stated(&format!(": {}", finding.level.as_str())), "a MUST cannot hold because of it");
            }
            let explained: BTreeSet<&str> = finding.snapshots.iter().map(String::as_str).collect();
            if explained != differing.get(finding.id.as_str()).cloned().unwrap_or_default() {
                self.against_itself(stated(": the snapshots that differ because of it"), "the snapshots say otherwise");
            }
            if finding.chance.is_some_and(|chance| chance.failed > chance.runs || chance.runs == 0) {
                self.against_itself(stated(": in how many runs it came"), "it came more often than it was run");
            }
            if finding.like.as_ref().is_some_and(|like| Fault::from_name(&like.fault).and_then(likeness).as_ref() != Some(like)) {
                self.against_the_suite(stated(": what it is like"), "the bank has no such fault");
            }
        }
        let strangers = report.requirements.iter().flat_map(|result| result.findings.iter().map(move |id| (&result.id, id)));
        let strangers = strangers.filter(|(_, id)| !ids.contains(id)).map(|(place, id)| (place.clone(), id.clone()));
        for (place, id) in strangers.collect::<Vec<_>>() {
            self.against_itself(format!("{place}: fails because of finding {id}"), "there is no such finding");
        }
        if let Some(id) = differing.keys().find(|id| !report.findings.iter().any(|finding| finding.id == **id)) {
            self.against_itself(format!("snapshots differ because of finding {id}"), "there is no such finding");
        }
    }

    fn snapshots(&mut self, set: &RequirementSet) {
        let (report, corpus) = (self.report, self.provider.corpus());
        let snapshots = &report.snapshots;
        let mut names = BTreeSet::new();
        for difference in &snapshots.differing {
            let stated = || format!("snapshot {} differs", difference.name);
            if !names.insert(&difference.name) {
                self.against_itself(stated(), "it is there twice");
            }
            if !corpus.snapshots.contains_key(&difference.name) {
                self.against_the_suite(stated(), "there is no such snapshot");
            }
            if !difference.diff.lines().any(|line| line.starts_with(['+', '-'])) {
                self.against_itself(stated(), "nothing in it does");
            }
            let is_whole = !difference.diff.contains(HIDDEN);
            if is_whole && difference.fingerprint != snapshot_fingerprint(&difference.name, &difference.diff) {
                self.against_itself(format!("{} in the way {}", stated(), difference.fingerprint), "it differs in another way");
            }
        }
        let selected = Selection::new(&report.options.only, &report.options.skip).map_or(true, |selection| selection.includes(SNAPSHOTS));
        let capabilities = &report.target.capabilities;
        let shown = comparable(corpus, set, capabilities, self.shard()).filter(|(name, _)| corpus.snapshots.contains_key(*name)).count();
        let all = if selected && !report.options.live_mode { shown } else { 0 };
        let stated = || {
            let note = snapshots.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            format!("{} snapshots compared, {} differ{note}", snapshots.compared, snapshots.differing.len())
        };
        if snapshots.compared > all || snapshots.compared < all && !snapshots.cut_short {
            self.against_the_suite(stated(), format!("{all} are to be compared with such a target"));
        }
        if snapshots.differing.len() > snapshots.compared {
            self.against_itself(stated(), "no more can differ than are compared");
        }
        if snapshots.cut_short && snapshots.note.is_none() || !snapshots.cut_short && snapshots.note.is_some() && snapshots.compared > 0 {
            self.against_itself(stated(), "the note is there where not all were compared");
        }
    }

    fn saved(&mut self) {
        for saved in &self.report.saved {
            if saved.waived.is_some() && (saved.fails.is_none() || saved.finding.is_some()) {
                self.against_itself(format!("saved case {}: is accepted", saved.file), "only what fails without a finding of this run is");
            }
            let Some(id) = &saved.finding else { continue };
            let is_there = self.report.findings.iter().any(|finding| finding.id == *id);
            if !is_there || saved.fails.is_none() {
                let found = if is_there { "it does not fail" } else { "there is no such finding" };
                self.against_itself(format!("saved case {}: belongs to finding {id}", saved.file), found);
            }
        }
        if let Some(imported) = self.report.imported.as_ref().filter(|imported| imported.failing.len() > imported.plays) {
            let stated = format!("imported cases: {} fail and {} were played", imported.failing.len(), imported.plays);
            self.against_itself(stated, "no more can fail than were played");
        }
    }

    /// Whether the sums can be made at all: what they are [`conclude`](crate::verdict::conclude) says.
    fn sums(&mut self) {
        let deliveries = self.report.requirements.iter().try_fold(0_u64, |sum, result| sum.checked_add(result.deliveries));
        if deliveries.is_none() {
            self.against_itself("so many deliveries".to_owned(), "they cannot be counted");
        }
    }
}
