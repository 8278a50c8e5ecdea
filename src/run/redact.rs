//! Keeping secrets out of whatever is written: reports, saved cases, what a terminal shows.
//!
//! A target is told the secret in `hello` and may say it again anywhere: in its name, a state, an error, its standard
//! error. Signatures are made when a delivery is sent and are in no case.

use super::spelling::Needles;
use crate::{
    adapter::{Capabilities, Introduction, TargetError},
    drive::Factory,
    search::Options,
    verdict::{
        FindingReport, ImportedFailure, ImportedResult, KnownFailing, Report, RequirementResult, SavedResult, SnapshotDifference,
        SnapshotResult, SuiteInfo, TargetInfo,
    },
};

/// What stands where a secret stood.
pub const HIDDEN: &str = "[secret]";

/// Hides known secrets in texts.
#[derive(Clone, Default)]
pub struct Redactor {
    needles: Needles,
}

impl Redactor {
    /// Hides the secrets with which these targets are run.
    pub fn of(options: &Options, factory: &dyn Factory) -> Redactor {
        Redactor::new(factory.secrets().unwrap_or(&options.secrets).all())
    }

    /// Hides these secrets; an empty one is none.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Redactor {
        Redactor { needles: Needles::of(secrets) }
    }

    /// The text without the secrets, however they are spelt, and without what a cut (`…`) left of one.
    pub fn hide(&self, text: &str) -> String {
        self.needles.replaced(text, HIDDEN).unwrap_or_else(|| text.to_owned())
    }

    /// Hides the secrets in place.
    pub fn clean(&self, text: &mut String) {
        *text = self.hide(text);
    }

    fn clean_all<'t>(&self, texts: impl IntoIterator<Item = &'t mut String>) {
        texts.into_iter().for_each(|text| self.clean(text));
    }

    /// Hides the secrets in what a target said of itself.
    pub fn introduction(&self, introduction: &mut Introduction) {
        let Introduction { name, version, capabilities } = introduction;
        self.clean_all([name, version]);
        self.capabilities(capabilities);
    }

    fn capabilities(&self, capabilities: &mut Capabilities) {
        self.clean_all(capabilities.subscribes.iter_mut().flatten());
        self.clean_all(capabilities.equivalent_statuses.iter_mut().flatten());
    }

    /// Hides the secrets in an error.
    #[must_use]
    pub fn error(&self, mut error: TargetError) -> TargetError {
        error.each_text(|text| self.clean(text));
        error
    }

    /// Hides the secrets in everything that a target or a command line may have brought into a report. Every member is
    /// named here, so that a new one is not forgotten.
    pub fn report(&self, report: &mut Report) {
        let Report {
            schema: _,
            suite: SuiteInfo { version: _, digest: _, requirements: _, checklist: _ },
            provider: _,
            seed: _,
            target: TargetInfo { name, version, transport: _, capabilities, remarks },
            verdict: _,
            interrupted,
            items,
            requirements,
            findings,
            saved,
            imported,
            snapshots: SnapshotResult { compared: _, differing, note, cut_short: _ },
            totals: _,
            shard: _,
            options: _,
            known_failing,
            digests: _,
        } = report;
        self.clean_all([name, version]);
        self.clean_all(remarks);
        self.clean_all(items.iter_mut().filter_map(|item| item.note.as_mut()));
        self.capabilities(capabilities);
        self.clean_all(interrupted.iter_mut().chain(note));
        requirements.iter_mut().for_each(|requirement| self.requirement(requirement));
        findings.iter_mut().for_each(|finding| self.finding(finding));
        for SavedResult { file, fails, finding: _, advice: _, waived } in saved {
            self.clean(file);
            self.clean_all(fails.iter_mut().chain(waived));
        }
        let failing = imported.iter_mut().flat_map(|ImportedResult { cases: _, plays: _, passed_over: _, cut_short: _, failing }| failing);
        for ImportedFailure { case, way: _, fails, alike: _, file, shrunk: _ } in failing {
            self.clean_all([case, fails, file]);
        }
        for SnapshotDifference { name: _, diff, fingerprint: _, because_of: _, waived } in differing {
            self.clean(diff);
            self.clean_all(waived);
        }
        if let Some(KnownFailing { file: _, digest: _, problems }) = known_failing {
            self.clean_all(problems);
        }
    }

    /// Hides the secrets in what was found of one requirement.
    pub fn requirement(&self, result: &mut RequirementResult) {
        let RequirementResult {
            id: _,
            item: _,
            level: _,
            verdict: _,
            note,
            judged: _,
            cases: _,
            exercised: _,
            floor: _,
            by_claims: _,
            coverage: _,
            deliveries: _,
            refused_first: _,
            duration_ms: _,
            source: _,
            findings: _,
            trail: _,
        } = result;
        self.clean_all(note);
    }

    /// Hides the secrets in a finding.
    pub fn finding(&self, finding: &mut FindingReport) {
        let FindingReport {
            id: _,
            about: _,
            level: _,
            also_fails: _,
            masks: _,
            case: _,
            deliveries: _,
            kind: _,
            entry: _,
            message,
            expected,
            observed,
            diff,
            like: _,
            chance: _,
            cut_short: _,
            file,
            reproduce,
            answers,
            stderr,
            snapshots: _,
            waived,
            shrunk,
        } = finding;
        self.clean_all([message, expected, observed, diff, file, reproduce, stderr]);
        self.clean_all(answers.iter_mut().chain(waived));
        if let Some(case) = shrunk {
            // The rest was written before the target was asked anything.
            self.clean(&mut case.title);
        }
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secret: &str, text: &str, hidden: &str) {
        assert_eq!(Redactor::new([secret]).hide(text), hidden);
    }

    #[test]
    fn whole_secrets() {
        check("whsec_1", "whsec_1 and whsec_1", "[secret] and [secret]");
        check("whsec_1", "nothing", "nothing");
        check("", "nothing", "nothing");
    }

    #[test]
    fn secrets_in_other_spellings() {
        check("a\"b\\c", r#"{"secret":"a\"b\\c"}"#, r#"{"secret":"[secret]"}"#);
        check("tab\there", r"said `tab\there`", "said `[secret]`");
    }

    #[test]
    fn secrets_that_were_cut_through() {
        check("whsec_123456", "not JSON: `whsec_12…`", "not JSON: `[secret]…`");
        check("whsec_123456", "…c_123456\nnext", "…[secret]\nnext");
        check("whsec_123456", "a whse… b", "a [secret]… b");
        check("whsec_123456", "whs… 456", "whs… 456");
    }

    #[test]
    fn a_longer_secret_goes_first() {
        assert_eq!(Redactor::new(["abc", "abcdef"]).hide("abcdef abc"), "[secret] [secret]");
    }
}
