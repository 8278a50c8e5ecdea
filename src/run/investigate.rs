//! After all requirements had their cases: those of which some fail are looked into, one after the other in the order of the
//! catalogue, so that neither the number of workers nor who was quicker changes what is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use super::{
    campaign::{Campaign, Judged, Pending, inapplicable, show},
    events::RunEvent,
    workbench::{Workbench, shown},
};
use crate::{
    adapter::Capabilities,
    check::{Rules, unexamined_fingerprint},
    corpus::{RequirementText, bug_classes},
    findings::{Besides, Examined, Failing, Inquiry, Mistake, Requirement, Stage},
    plan::Plan,
    reference::Fault,
    search::{Canaries, Progress},
    verdict::{Chance, FindingReport, Likeness, RequirementResult, SnapshotResult, Trail, link, settle, settle_share},
};

/// How many failing cases of one requirement the target is asked about; those that were foretold cost it nothing.
const MOST_ASKED_ABOUT: u32 = 6;

/// How many failing cases of a requirement are tried without what findings need, to see whether the rest is right.
const MOST_FREED: usize = 6;

/// After so many cases of a requirement that are right by themselves no further one is asked whether it is.
const ENOUGH: usize = 2;

/// How many links to real bugs are shown with a finding.
const LINKS: usize = 3;

/// A requirement of which cases fail, looked into.
struct LookedInto {
    pending: Pending,
    /// By the number of the case, the mistakes because of which it fails.
    because: BTreeMap<u32, Vec<usize>>,
}

impl<'a> Campaign<'a> {
    /// Looks into what failed, and gives every requirement its verdict.
    pub(super) fn investigate(
        &self,
        judged: Vec<Judged>,
        snapshots: &mut SnapshotResult,
        capabilities: &Capabilities,
        emit: &mut dyn FnMut(&RunEvent<'_>),
    ) -> (Vec<RequirementResult>, Vec<FindingReport>) {
        let mut done: Vec<(usize, RequirementResult)> = Vec::new();
        let mut pending: Vec<Pending> = Vec::new();
        for judged in judged {
            match judged {
                Judged::Done(index, result) => done.push((index, *result)),
                Judged::Failing(failing) => pending.push(*failing),
                // Nobody's last turn ends so.
                Judged::Begun(_) => {}
            }
        }
        pending.sort_by_key(|pending| pending.index);
        let requirements = self.requirements();
        let asked: BTreeSet<usize> = done.iter().map(|(index, _)| *index).chain(pending.iter().map(|one| one.index)).collect();
        let texts = &self.provider.corpus().requirements;
        let is_unasked = |index: &usize| !asked.contains(index) && inapplicable(&texts[*index], capabilities).is_none();
        let unasked: BTreeSet<usize> = requirements.keys().copied().filter(is_unasked).collect();
        let (mistakes, looked_into, owners, ids): (Vec<Mistake>, Vec<LookedInto>, Vec<Option<usize>>, Vec<String>) =
            if self.options.shrink.attempts == 0 {
                let (mistakes, looked_into) = without_looking(pending, texts);
                let owners = mistakes.iter().map(|mistake| mistake.hits.first().copied()).collect();
                let ids = mistakes.iter().map(|mistake| mistake.id.clone()).collect();
                (mistakes, looked_into, owners, ids)
            } else {
                let id = |index: usize| requirements.get(&index).map_or("", |requirement: &Requirement| requirement.id.as_str());
                let mut shrinking = |index: usize, deliveries| emit(&RunEvent::Shrinking { id: id(index), deliveries });
                let bench = Workbench::new(self, capabilities.clone(), &mut shrinking);
                let mut inquiry = Inquiry::new(bench, &requirements);
                let looked_into = pending.into_iter().map(|pending| self.look_into(pending, &mut inquiry)).collect();
                inquiry.unite();
                self.explain_snapshots(snapshots, &mut inquiry);
                let ids: Vec<String> = inquiry.mistakes().iter().map(|mistake| mistake.id.clone()).collect();
                let mistakes = united(inquiry.mistakes());
                self.notice_late_work(&mistakes);
                let owners = mistakes.iter().map(|mistake| inquiry.owner(mistake, &unasked)).collect();
                (mistakes, looked_into, owners, ids)
            };
        let mut findings = self.told(&mistakes, owners);
        for LookedInto { pending, because } in looked_into {
            let Pending { index, mut result, mut progress, .. } = pending;
            for case in &mut progress.trail.ran {
                if let (Some(failed), Some(because)) = (&mut case.failed, because.get(&case.case)) {
                    *failed = because.iter().map(|place| ids[*place].clone()).collect();
                }
            }
            self.settle(&mut result, progress.trail, progress.planned, &findings);
            done.push((index, result));
        }
        done.sort_by_key(|(index, _)| *index);
        let mut results: Vec<RequirementResult> = done.into_iter().map(|(_, result)| result).collect();
        link(&results, &mut findings);
        // What must not be missed is told first.
        findings.sort_by_key(|finding| finding.level);
        for finding in &mut findings {
            let of = snapshots.differing.iter().filter(|difference| difference.because_of.contains(&finding.id));
            finding.snapshots = of.map(|difference| difference.name.clone()).collect();
        }
        let redactor = super::Redactor::of(self.options, self.factory);
        for result in results.iter_mut().filter(|result| !result.findings.is_empty()) {
            redactor.requirement(result);
            emit(&RunEvent::RequirementFinished(result));
        }
        (results, findings)
    }

    /// Gives the verdict that the trail comes to.
    pub(super) fn settle(
        &self,
        result: &mut RequirementResult,
        trail: Trail,
        planned: crate::verdict::Planned,
        findings: &[FindingReport],
    ) {
        settle(result, &trail, findings, self.options.strict);
        if self.options.shard.is_some() {
            settle_share(result, &trail, planned);
            result.trail = Some(trail);
        }
    }

    /// Every requirement that cases can be drawn for, selected or not: what tells mistakes apart must not depend on that.
    fn requirements(&self) -> BTreeMap<usize, Requirement> {
        let all = self.provider.corpus().requirements.iter().enumerate();
        let drawn = all.filter_map(|(index, requirement)| {
            let recipe = requirement.recipe?;
            Some((index, Requirement { id: requirement.id.clone(), recipe }))
        });
        drawn.collect()
    }

    fn look_into(&self, mut pending: Pending, inquiry: &mut Inquiry<'_, Workbench<'_, '_>>) -> LookedInto {
        let mut because: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut plans: Vec<Plan> = Vec::new();
        let mut asked_about = 0;
        let is_over = || self.is_over();
        let index = pending.index;
        let requirement = &self.provider.corpus().requirements[index];
        let is_enough = |_: &Progress| self.is_spent();
        let work = self.work(index, requirement, pending.recipe, None, &is_over, &is_enough);
        let capabilities = inquiry.stage().capabilities().clone();
        let mut queue = std::mem::take(&mut pending.failed);
        let mut left_by = Vec::new();
        while !queue.is_empty() {
            for failed in queue.drain(..) {
                let before = inquiry.stage().played;
                inquiry.stage().whole = capabilities.asynchronous && failed.case.is_sent_whole();
                let shown = shown(failed.outcome, failed.complaints);
                let failing = Failing { host: index, number: Some(failed.number), plan: failed.plan, case: failed.case, shown };
                let known = inquiry.foretold(&failing).or_else(|| {
                    let by = besides_of_last(&because, inquiry.mistakes())?;
                    Some(inquiry.hit(&failing, by))
                });
                let known = known.or_else(|| left_over(&failing, &left_by, inquiry));
                let by = known.unwrap_or_else(|| inquiry.attribute(&failing));
                left_by.clone_from(&by);
                because.insert(failed.number, by);
                asked_about += u32::from(inquiry.stage().played > before);
                if plans.len() < MOST_FREED {
                    plans.push(failing.plan);
                }
            }
            let is_beside = besides_of_last(&because, inquiry.mistakes()).is_some();
            if pending.progress.ended || asked_about >= MOST_ASKED_ABOUT || is_beside {
                break;
            }
            inquiry.stage().renew();
            let Some(driver) = inquiry.stage().driver() else { break };
            queue = work.go_on(driver, &mut [], &mut pending.progress, &mut pending.result);
            if !driver.is_usable() {
                inquiry.stage().is_gone();
            }
        }
        // One that needs far longer is taken to be the reason without being played for so long.
        if because.values().any(|by| all_depend(by, inquiry.mistakes(), |besides| besides != Besides::Patience)) {
            pending.progress.trail.freed = true;
        } else if !pending.progress.trail.has_passed() {
            let mut found = Vec::new();
            pending.progress.trail.freed = self.is_freed(&pending, &plans, inquiry, &mut found);
            // What its cases show once something was taken out of them is of the first of them.
            if let Some(first) = because.values_mut().next() {
                found.retain(|place| !first.contains(place));
                first.append(&mut found);
            }
        }
        LookedInto { pending, because }
    }

    /// Whether some case that is about the requirement passes once what the findings need is taken out of it.
    fn is_freed(&self, pending: &Pending, plans: &[Plan], inquiry: &mut Inquiry<'_, Workbench<'_, '_>>, found: &mut Vec<usize>) -> bool {
        let host = pending.index;
        let hits = inquiry.mistakes().iter().enumerate().filter(|(_, mistake)| mistake.hits.contains(&host));
        if inquiry.is_whatever(hits.map(|(place, _)| place)) {
            return false;
        }
        let palette = self.provider.palette();
        let id = &self.provider.corpus().requirements[host].id;
        let Ok(mut canaries) =
            Canaries::new(self.provider, id, Rules::of(id, self.provider.answer_limit()), inquiry.stage().capabilities())
        else {
            return false;
        };
        for plan in plans {
            let hits = inquiry.mistakes().iter().filter(|mistake| mistake.hits.contains(&host));
            let trigger: Vec<_> = hits.flat_map(|mistake| mistake.trigger.clone()).collect();
            let mut edits = inquiry.edits(plan, &trigger);
            edits.extend(palette.views.iter().map(|view| Plan { only: vec![view.clone()], ..plan.clone() }));
            let assumed: Vec<Fault> = inquiry.mistakes().iter().filter_map(|mistake| mistake.like.first().copied()).collect();
            for edit in edits {
                let case = inquiry.stage().case(host, &edit);
                if !canaries.exercises(&case) || inquiry.stage().foretell(host, &case, &assumed).failure.is_some() {
                    continue;
                }
                let Some(shown) = inquiry.stage().play(host, &case, None) else { return false };
                if shown.failure.is_none() {
                    return true;
                }
                found.extend(inquiry.attribute(&Failing { host, number: None, plan: edit, case, shown }));
            }
        }
        false
    }

    /// Notices that a target works on after it has answered and does not claim so: what it shows is right a moment later.
    fn notice_late_work(&self, mistakes: &[Mistake]) {
        if mistakes.iter().any(|mistake| mistake.besides == Some(Besides::Moment)) {
            self.is_late.store(true, Ordering::Relaxed);
        }
    }

    /// The findings, in the order of the requirements that they are about; those last of their level that nobody looked into.
    fn told(&self, mistakes: &[Mistake], owners: Vec<Option<usize>>) -> Vec<FindingReport> {
        let told = mistakes.iter().zip(owners).filter_map(|(mistake, owner)| {
            let about = owner?;
            Some((is_too_late(mistake), about, self.tell(mistake, &self.provider.corpus().requirements[about])))
        });
        let mut told: Vec<(bool, usize, FindingReport)> = told.collect();
        // The order stays when they are told by level.
        told.sort_by_key(|(is_too_late, about, finding)| (*is_too_late, *about, finding.id.clone()));
        told.into_iter().map(|(.., finding)| finding).collect()
    }

    fn tell(&self, mistake: &Mistake, asked: &RequirementText) -> FindingReport {
        let about = asked.id.as_str();
        let Failing { case, shown, .. } = &mistake.smallest;
        let failure = shown.failure.clone();
        let text = |of: fn(crate::check::Failure) -> String| failure.clone().map(of).unwrap_or_default();
        let message = text(|failure| failure.message);
        let mut case = case.clone();
        case.requirement = Some(about.to_owned()).filter(|_| self.rules(about) == self.rules_of(mistake)).or(case.requirement);
        case.title = format!("{about}: {message}");
        let answers = shown.answers.iter().map(|answers| answers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")).collect();
        FindingReport {
            id: mistake.id.clone(),
            about: about.to_owned(),
            level: asked.level,
            also_fails: Vec::new(),
            masks: Vec::new(),
            case: self.name_of(mistake),
            deliveries: case.deliveries(),
            kind: mistake.kind,
            entry: failure.as_ref().and_then(|failure| failure.entry),
            message: message + mistake.besides.map_or("", besides_words) + if is_too_late(mistake) { TOO_LATE } else { "" },
            expected: text(|failure| failure.expected),
            observed: text(|failure| failure.observed),
            diff: text(|failure| failure.diff),
            like: mistake.like.first().and_then(|fault| likeness(*fault)),
            chance: mistake.chance.map(|(failed, runs)| Chance { failed, runs }),
            cut_short: mistake.examined == Examined::Yes && !mistake.is_smallest,
            file: String::new(),
            reproduce: String::new(),
            answers,
            stderr: shown.complaints.clone(),
            snapshots: Vec::new(),
            waived: None,
            shrunk: Some(Box::new(case)),
        }
    }

    /// The name of the first case that failed because of it.
    fn name_of(&self, mistake: &Mistake) -> String {
        let (host, number) = mistake.first.unwrap_or((mistake.smallest.host, 0));
        format!("{}-{number:04}", self.provider.corpus().requirements[host].id)
    }

    fn rules_of(&self, mistake: &Mistake) -> Rules {
        self.rules(&self.provider.corpus().requirements[mistake.smallest.host].id)
    }

    fn rules(&self, id: &str) -> Rules {
        Rules::of(id, self.provider.answer_limit())
    }

    /// Says which findings explain that a frozen sequence differs: their faults show the very same.
    fn explain_snapshots(&self, snapshots: &mut SnapshotResult, inquiry: &mut Inquiry<'_, Workbench<'_, '_>>) {
        let mistakes: Vec<Mistake> = inquiry.mistakes().to_vec();
        let assumed: Vec<Fault> = mistakes.iter().filter_map(|mistake| mistake.like.first().copied()).collect();
        let corpus = self.provider.corpus();
        for difference in &mut snapshots.differing {
            let Some(case) = corpus.sequences().get(&difference.name) else { continue };
            let mut shows = |faults: &[Fault]| -> bool {
                let Some(mut driver) = inquiry.stage().reference(faults) else { return false };
                let (Ok(shown), _) = show(&mut driver, &difference.name, case) else { return false };
                super::campaign::snapshot_difference(corpus, &difference.name, &shown).is_some_and(|diff| diff == difference.diff)
            };
            let alone = mistakes.iter().filter(|mistake| mistake.like.first().is_some_and(|fault| shows(&[*fault])));
            let mut because: BTreeSet<String> = alone.map(|mistake| mistake.id.clone()).collect();
            if because.is_empty() && assumed.len() > 1 && shows(&assumed) {
                because = mistakes.iter().filter(|mistake| !mistake.like.is_empty()).map(|mistake| mistake.id.clone()).collect();
            }
            if because.is_empty() {
                because.extend(self.without_trigger(case, &mistakes, inquiry));
            }
            difference.because_of = because.into_iter().collect();
        }
    }

    /// The first finding without whose trigger the plan of a sequence shows nothing wrong, although with it something is.
    fn without_trigger(
        &self,
        case: &crate::case::Case,
        mistakes: &[Mistake],
        inquiry: &mut Inquiry<'_, Workbench<'_, '_>>,
    ) -> Option<String> {
        let plan = case.plan.as_ref()?;
        for (place, mistake) in mistakes.iter().enumerate().filter(|(_, mistake)| mistake.like.is_empty()) {
            if inquiry.is_whatever([place].into_iter()) {
                return Some(mistake.id.clone());
            }
            let host = mistake.smallest.host;
            if let Some(besides) = mistake.besides {
                if inquiry.stage().passes(host, plan, besides.ease())? {
                    return Some(mistake.id.clone());
                }
                continue;
            }
            let whole = inquiry.stage().case(host, plan);
            let kind = inquiry.stage().play(host, &whole, None)?.failure.map(|failure| failure.kind);
            if kind != Some(mistake.kind) {
                continue;
            }
            for edit in inquiry.edits(plan, &mistake.trigger) {
                let case = inquiry.stage().case(host, &edit);
                if case.deliveries() > 0 && inquiry.stage().play(host, &case, kind)?.failure.is_none() {
                    return Some(mistake.id.clone());
                }
            }
        }
        None
    }
}

/// What the last cases of a requirement depended on besides themselves, where that is why they failed. To see it each is played anew,
/// and with the time that it needs, so it is not asked about each, and no further case is sent.
fn besides_of_last(because: &BTreeMap<u32, Vec<usize>>, mistakes: &[Mistake]) -> Option<Vec<usize>> {
    let last: Vec<&Vec<usize>> = because.values().rev().take(ENOUGH).collect();
    (last.len() == ENOUGH && last.iter().all(|by| all_depend(by, mistakes, |_| true))).then(|| last[0].clone())
}

/// The mistakes because of which an earlier case failed, if this one, which nothing foretells, fails only on the target that that case
/// left behind, and not on one that was started anew. A new start costs far more than a case, so it is spent where a case is to be
/// asked about anyway.
fn left_over(failing: &Failing, left_by: &[usize], inquiry: &mut Inquiry<'_, Workbench<'_, '_>>) -> Option<Vec<usize>> {
    let Failing { host, plan, case, shown, .. } = failing;
    let is_costly = shown.failure.as_ref().is_some_and(|failure| inquiry.stage().is_costly(failure.kind));
    if left_by.is_empty() || is_costly {
        return None;
    }
    inquiry.stage().is_gone();
    if case.is_chancy() {
        return None;
    }
    let again = inquiry.stage().case(*host, plan);
    let passes = inquiry.stage().play(*host, &again, None).is_some_and(|shown| shown.failure.is_none());
    passes.then(|| inquiry.hit(failing, left_by.to_vec()))
}

/// Whether there are any, and each depends on something of this kind that is not in its case.
fn all_depend(by: &[usize], mistakes: &[Mistake], on: fn(Besides) -> bool) -> bool {
    !by.is_empty() && by.iter().all(|place| mistakes[*place].besides.is_some_and(on))
}

/// What is said of a case that was still to be looked into when the run was over.
const TOO_LATE: &str = "; this and whatever else fails so was not looked into, because the run was over: give it more time";

fn is_too_late(mistake: &Mistake) -> bool {
    mistake.examined == Examined::TooLate
}

/// What is said of a mistake that shows only together with something that is not in its case.
fn besides_words(besides: Besides) -> &'static str {
    match besides {
        Besides::Others => "; alone, on a target that was started anew, it is right: it depends on what came before or at the same time",
        Besides::Haste => "; it is right where each delivery waits until the one before has been applied",
        Besides::Moment => "; it is right a moment later",
        Besides::Patience => "; it is right where it has far longer to settle: give it more with `--settle`",
    }
}

/// Those that fail some case of a requirement, each once.
fn united(mistakes: &[Mistake]) -> Vec<Mistake> {
    let mut united: Vec<Mistake> = Vec::new();
    for mistake in mistakes.iter().filter(|mistake| !mistake.hits.is_empty()) {
        match united.iter_mut().find(|other| other.id == mistake.id) {
            Some(other) => {
                other.hits.extend(&mistake.hits);
                other.first = other.first.into_iter().chain(mistake.first).min();
            }
            None => united.push(mistake.clone()),
        }
    }
    united
}

/// Each requirement tells its first failing case as it is.
fn without_looking(pending: Vec<Pending>, requirements: &[RequirementText]) -> (Vec<Mistake>, Vec<LookedInto>) {
    let mut mistakes: Vec<Mistake> = Vec::new();
    let mut looked_into = Vec::new();
    for mut pending in pending {
        let mut because = BTreeMap::new();
        for failed in pending.failed.drain(..) {
            let Some(failure) = failed.outcome.failure.clone() else { continue };
            let id = unexamined_fingerprint(&requirements[pending.index].id, failure.kind, &failure.diff);
            let place = mistakes.iter().position(|mistake| mistake.id == id).unwrap_or(mistakes.len());
            if place == mistakes.len() {
                let kind = failure.kind;
                let shown = shown(failed.outcome, failed.complaints);
                let number = Some(failed.number);
                let smallest = Failing { host: pending.index, number, plan: failed.plan, case: failed.case, shown };
                mistakes.push(Mistake::unexamined(id, smallest, kind));
            }
            mistakes[place].hits.insert(pending.index);
            mistakes[place].first = mistakes[place].first.or(Some((pending.index, failed.number)));
            because.insert(failed.number, vec![place]);
        }
        looked_into.push(LookedInto { pending, because });
    }
    (mistakes, looked_into)
}

/// What is told of a fault that a mistake is like.
pub(super) fn likeness(fault: Fault) -> Option<Likeness> {
    let info = fault.info();
    let class = bug_classes().iter().find(|known| known.id == info.class)?;
    let links = info.link.into_iter().map(str::to_owned).chain(class.links.iter().cloned());
    let mut shown: Vec<String> = Vec::new();
    for link in links {
        if shown.len() < LINKS && !shown.contains(&link) {
            shown.push(link);
        }
    }
    Some(Likeness { fault: info.name.to_owned(), class: class.id.clone(), name: class.name.clone(), links: shown })
}
