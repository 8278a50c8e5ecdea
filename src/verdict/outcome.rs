//! What a run found: the report, `refundproof-report/2`.
//!
//! Times are the only members that differ between two runs with the same seed, suite and target.
//! Source: `docs/reports.md`, "JSON".

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conformance, Verdict, shard::Trail};
use crate::{
    adapter::Capabilities,
    case::Case,
    check::{Coverage, FailureKind},
    corpus::Level,
};

/// The report format's name and version.
pub const REPORT_SCHEMA: &str = "refundproof-report/2";

/// Everything that a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Always [`REPORT_SCHEMA`].
    pub schema: String,
    /// What was run.
    pub suite: SuiteInfo,
    /// The provider.
    pub provider: String,
    /// What the cases were drawn from.
    pub seed: u64,
    /// What else decides which cases are run and how they are judged.
    pub options: RunOptions,
    /// Who was certified.
    pub target: TargetInfo,
    /// The verdict on the whole run.
    pub verdict: Conformance,
    /// Whether the run was cut short, and by what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupted: Option<String>,
    /// The verdict on each checklist item.
    pub items: Vec<ItemResult>,
    /// What was found of each requirement.
    pub requirements: Vec<RequirementResult>,
    /// What the target does wrong: each mistake once.
    pub findings: Vec<FindingReport>,
    /// What became of cases that earlier runs saved; they were played first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saved: Vec<SavedResult>,
    /// What became of cases that were imported from real traffic, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportedResult>,
    /// The comparison with the committed snapshots.
    pub snapshots: SnapshotResult,
    /// The list of known failures, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_failing: Option<KnownFailing>,
    /// Sums.
    pub totals: Totals,
    /// By which the report can be checked.
    pub digests: Digests,
    /// Which shard this is, `K/N`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
}

/// What decides, beside suite, seed and target, which cases are run and how they are judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunOptions {
    /// How many cases each requirement gets.
    pub cases: u32,
    /// Whether four times as many were drawn, and only the most telling of them sent: so many at most.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chosen: bool,
    /// How long cases were sent, in milliseconds, where that was limited: the most telling first, in turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_ms: Option<u64>,
    /// The patterns of `--only`.
    pub only: Vec<String>,
    /// The patterns of `--skip`.
    pub skip: Vec<String>,
    /// How long an asynchronous target may take, in milliseconds.
    pub settle_ms: u64,
    /// How long it must then stay right, in milliseconds.
    pub quiet_ms: u64,
    /// How long an answer may take, in milliseconds; absent where that was not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_ms: Option<u64>,
    /// Whether a SHOULD counted as a MUST.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// Whether all events were of the provider's live mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live_mode: bool,
    /// Items of the checklist that were knowingly left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

/// The list of known failures of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct KnownFailing {
    /// The file.
    pub file: String,
    /// Its SHA-256, as hex.
    pub digest: String,
    /// What is wrong with it: each fails the run.
    pub problems: Vec<String>,
}

/// The harness and its corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SuiteInfo {
    /// The version of the harness.
    pub version: String,
    /// SHA-256 of the version and of all data, as hex.
    pub digest: String,
    /// The revision of the requirements.
    pub requirements: u32,
    /// The items of the provider's own checklist: without them nothing is conformant.
    #[serde(default)]
    pub checklist: Vec<String>,
}

/// SHA-256 digests, as hex, of what was run and of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Digests {
    /// Of the provider's corpus.
    pub corpus: String,
    /// Of the snapshots.
    pub snapshots: String,
    /// Of what the revision of the requirements asks.
    pub requirements: String,
    /// Of what the target claims.
    pub capabilities: String,
    /// Of this report but for its times and these digests; made when it is written.
    pub results: String,
}

/// The target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TargetInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `in-process`, `stdio` or `http`.
    pub transport: String,
    /// What it claims.
    pub capabilities: Capabilities,
    /// What is odd about it and no mistake: claims that fit nothing, calls of what is not served, memory that grows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// The verdict on one checklist item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ItemResult {
    /// The item.
    pub id: String,
    /// Its verdict.
    pub verdict: Conformance,
    /// Whether it is of the provider's own checklist.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checklist: bool,
    /// Why it is not certified, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was found of one requirement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RequirementResult {
    /// Its id.
    pub id: String,
    /// The item that it belongs to.
    pub item: String,
    /// MUST or SHOULD.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub level: Level,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where the verdict alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether this version judges it at all.
    pub judged: bool,
    /// How many cases were run.
    pub cases: u32,
    /// How many of them would have failed a wrong consumer with the same claims.
    pub exercised: u32,
    /// How many had to.
    pub floor: u32,
    /// Too few were, because of what the target claims.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_claims: bool,
    /// What its cases held, where all of them were run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// How many deliveries were sent, without those of shrinking.
    pub deliveries: u64,
    /// How many valid events were answered with an error first and acknowledged when they were sent again.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub refused_first: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// The document and heading that it rests on.
    pub source: String,
    /// The ids of the findings because of which cases of it fail: those that are about it first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// What a shard ran, case by case; absent in a whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
}

/// One mistake, with the smallest case that shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingReport {
    /// The same for the same mistake in every run; what a list of known failures names.
    pub id: String,
    /// The requirement that it is about.
    pub about: String,
    /// MUST if a MUST cannot hold because of it.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub level: Level,
    /// Other requirements of which cases fail because of it.
    pub also_fails: Vec<String>,
    /// Those of them that cannot be judged before it is mended.
    pub masks: Vec<String>,
    /// The name of the case.
    pub case: String,
    /// How many deliveries it has.
    pub deliveries: usize,
    /// In what way the target is wrong.
    pub kind: FailureKind,
    /// The entry of the case after which it showed, from 0; absent where it showed at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<usize>,
    /// One line that says it.
    pub message: String,
    /// What would have been right.
    pub expected: String,
    /// What was seen.
    pub observed: String,
    /// Line by line, `-` for expected and `+` for seen.
    pub diff: String,
    /// The fault of the bank that did the same with this case and with others, and real bugs of its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<Likeness>,
    /// How often it failed, where that depends on chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<Chance>,
    /// Whether a smaller case may show it too: looking for the smallest ended at a limit of attempts or of time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
    /// Where the case was saved.
    pub file: String,
    /// The command that runs it again.
    pub reproduce: String,
    /// What the target answered to each delivery of the case, until it failed.
    pub answers: Vec<String>,
    /// What the target wrote to its standard error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
    /// Frozen sequences that differ from their snapshots because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<String>,
    /// Why and until when it is accepted, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
    /// The case itself; it goes into its own file.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub shrunk: Option<Box<Case>>,
}

impl FindingReport {
    /// Whether it came again when its case was run again; also if nobody tried.
    pub fn came_again(&self) -> bool {
        self.chance.is_none_or(|chance| chance.failed > 0)
    }

    /// Whether it fails the run: something that must be does not hold because of it, it was seen again and nobody accepted it.
    pub(crate) fn fails_the_run(&self) -> bool {
        self.level == Level::Must && self.waived.is_none() && self.came_again()
    }

    /// The name of the file that its case is saved under.
    pub fn file_name(&self) -> String {
        format!("{}{}", self.about, file_ending(&self.id))
    }
}

/// How the name of a saved case's file ends, by which it is known for which finding it was saved.
fn file_ending(finding: &str) -> String {
    format!("-{}.json", finding.get(..8).unwrap_or(finding))
}

/// How often a case fails whose end depends on chance, because deliveries race with each other or with a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Chance {
    /// In so many runs.
    pub failed: u32,
    /// Of so many.
    pub runs: u32,
}

/// A fault of the bank that does the same, and its class of real bugs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Likeness {
    /// The fault; of several that nothing tells apart, the first of the bank.
    pub fault: String,
    /// The id of the class.
    pub class: String,
    /// What goes wrong, in a few words.
    pub name: String,
    /// Real bugs of this class.
    pub links: Vec<String>,
}

/// The comparison with the committed snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SnapshotResult {
    /// How many were compared.
    pub compared: usize,
    /// Which differ.
    pub differing: Vec<SnapshotDifference>,
    /// Why not all were compared, where not all were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Some that should have been compared were not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
}

/// A snapshot that differs from what the target showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SnapshotDifference {
    /// The frozen sequence.
    pub name: String,
    /// Line by line, `-` for the snapshot and `+` for what was shown.
    pub diff: String,
    /// The same for the same difference in every run; what a list of known failures names.
    pub fingerprint: String,
    /// The findings that explain the difference; empty where it stands for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because_of: Vec<String>,
    /// Why and until when it is accepted, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

/// A case that an earlier run saved, played again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SavedResult {
    /// Its file.
    pub file: String,
    /// What is still wrong; absent where the target shows what it must now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
    /// The finding of this run that it belongs to, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Whether it is about what is recommended only.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub advice: bool,
    /// Why and until when the finding that it was saved for is accepted, where it is and this run did not come to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

impl SavedResult {
    /// Whether it was saved for this finding, whatever that was said to be about then.
    pub(crate) fn is_of(&self, finding: &str) -> bool {
        self.file.ends_with(&file_ending(finding))
    }

    /// Whether it fails the run by itself: for something that must be, that no finding of this run tells and nobody accepted.
    pub fn stands_alone(&self, strict: bool) -> bool {
        self.fails.is_some() && self.finding.is_none() && self.waived.is_none() && (!self.advice || strict)
    }
}

/// What became of cases that were imported from real traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ImportedResult {
    /// How many there are.
    pub cases: usize,
    /// In how many variations they were played.
    pub plays: usize,
    /// How many variations were passed over: nothing of them is sent to this target, or its adapter failed.
    #[serde(default)]
    pub passed_over: usize,
    /// Whether not all were played.
    #[serde(default)]
    pub cut_short: bool,
    /// What fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<ImportedFailure>,
}

/// An imported case of which the target does not show what it must.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ImportedFailure {
    /// The file of the case.
    pub case: String,
    /// In which way its deliveries arrived.
    pub way: String,
    /// What is wrong.
    pub fails: String,
    /// In how many other variations the same events show the same.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub alike: usize,
    /// Where the smallest case that still fails was saved.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// That case.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub shrunk: Option<Case>,
}

/// Sums over the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Cases run.
    pub cases: u64,
    /// Deliveries sent.
    pub deliveries: u64,
    /// Valid events that were answered with an error first and acknowledged when they were sent again.
    #[serde(default, skip_serializing_if = "crate::json::is_default")]
    pub refused_first: u64,
    /// How long the run took.
    pub duration_ms: u64,
}
