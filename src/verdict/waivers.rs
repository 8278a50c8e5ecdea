//! The list of known failures: what may fail for now, why, and until when.
//!
//! A known failure still runs. The list fails the run as soon as it no longer says the truth: an entry that passes now,
//! that fails differently, that matches nothing, that has no reason or has expired is a [`Problem`]. What could not be
//! judged cannot be waived. Source: `docs/reports.md`, "Known-failing file".

use std::fmt;

use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::outcome::SavedResult;
use crate::domain::hex;

/// A list of known failures on some day.
#[derive(Clone, Debug)]
pub struct KnownFailures {
    /// Where it was read from, for messages.
    pub file: String,
    /// SHA-256 of the file, as hex.
    pub digest: String,
    /// Its entries, in the order of the file.
    pub entries: Vec<KnownFailure>,
    today: Date,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFailure {
    /// What fails.
    pub subject: Subject,
    /// How it fails: the id of a finding, or the fingerprint of a difference.
    pub fingerprint: String,
    /// Why that is accepted for now; empty where nobody said it.
    pub reason: String,
    /// The last day on which it is accepted; `None` where nobody said it.
    pub expires: Option<Date>,
    line: usize,
    fingerprint_line: usize,
    reason_line: usize,
    expires_line: usize,
}

/// What an entry is about: the requirement that its finding is about, or a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The requirement with this id.
    Requirement(String),
    /// The snapshot of the frozen sequence with this name.
    Snapshot(String),
}

impl Subject {
    /// The field that says in which way it fails.
    fn field(&self) -> &'static str {
        match self {
            Subject::Requirement(_) => "finding",
            Subject::Snapshot(_) => "fingerprint",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Requirement(id) => f.write_str(id),
            Subject::Snapshot(name) => write!(f, "snapshot {name}"),
        }
    }
}

/// What a run found of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was not run, or not to its end; nothing can be said of the entry.
    NotJudged,
    /// It passed.
    Passed,
    /// It failed, with these fingerprints.
    Failed(Vec<String>),
    /// It is not asked of this target; why.
    NotAsked(String),
    /// There is no such thing.
    Unknown,
}

/// What is wrong with an entry. One line: the file, the line, the field, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: line {}: field `{}`: {}", self.file, self.line, self.field, self.what)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    known: Vec<Spanned<RawEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    requirement: Option<Spanned<String>>,
    snapshot: Option<Spanned<String>>,
    finding: Option<Spanned<String>>,
    fingerprint: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    expires: Option<Spanned<toml::Value>>,
}

impl KnownFailures {
    /// The empty list.
    pub fn none() -> KnownFailures {
        KnownFailures { file: String::new(), digest: String::new(), entries: Vec::new(), today: Date::MIN }
    }

    /// Reads a list; `file` names it in messages. A missing reason or expiry is no error here but a [`Problem`] later.
    ///
    /// # Errors
    /// When the text is not such a list: one line with the file, the line and what is wrong.
    pub fn parse(file: &str, text: &str, today: Date) -> Result<KnownFailures, String> {
        let line_at = |place: usize| text[..place.min(text.len())].matches('\n').count() + 1;
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(span.start));
            format!("{file}: line {line}: {}", error.message())
        })?;
        let mut entries: Vec<KnownFailure> = Vec::new();
        for entry in raw.known {
            let entry = read_entry(file, entry, &line_at)?;
            let twin = entries.iter().find(|other| other.subject == entry.subject && other.fingerprint == entry.fingerprint);
            if let Some(twin) = twin {
                return Err(format!("{file}: line {}: the same entry stands at line {}; delete one of them", entry.line, twin.line));
            }
            entries.push(entry);
        }
        let digest = hex(&Sha256::digest(text));
        Ok(KnownFailures { file: file.to_owned(), digest, entries, today })
    }

    /// The entry that accepts a failure today.
    pub fn accepting(&self, subject: &Subject, fingerprint: &str) -> Option<&KnownFailure> {
        self.entry(subject, fingerprint).filter(|entry| self.is_valid(entry))
    }

    /// The entry that accepts a finding today, whichever requirement it is said to be about.
    pub fn accepting_finding(&self, id: &str) -> Option<&KnownFailure> {
        let is_it = |entry: &&KnownFailure| matches!(entry.subject, Subject::Requirement(_)) && entry.fingerprint == id;
        self.entries.iter().find(is_it).filter(|entry| self.is_valid(entry))
    }

    /// The entry that accepts today the finding for which a case was saved.
    pub(super) fn accepting_saved(&self, saved: &SavedResult) -> Option<&KnownFailure> {
        let is_it = |entry: &&KnownFailure| matches!(entry.subject, Subject::Requirement(_)) && saved.is_of(&entry.fingerprint);
        self.entries.iter().find(is_it).filter(|entry| self.is_valid(entry))
    }

    /// Whether the list names this failure, with a good reason or not.
    pub fn names(&self, subject: &Subject, fingerprint: &str) -> bool {
        self.entry(subject, fingerprint).is_some()
    }

    fn entry(&self, subject: &Subject, fingerprint: &str) -> Option<&KnownFailure> {
        self.entries.iter().find(|entry| entry.subject == *subject && entry.fingerprint == fingerprint)
    }

    fn is_valid(&self, entry: &KnownFailure) -> bool {
        !entry.reason.is_empty() && entry.expires.is_some_and(|expires| self.today <= expires)
    }

    /// Everything that is wrong with the list, in the order of the file. `seen` says what the run found.
    pub fn problems(&self, seen: impl Fn(&KnownFailure) -> Seen) -> Vec<Problem> {
        self.entries.iter().filter_map(|entry| self.problem(entry, &seen(entry))).collect()
    }

    fn problem(&self, entry: &KnownFailure, seen: &Seen) -> Option<Problem> {
        let problem = |line, field, what| Some(Problem { file: self.file.clone(), line, field, what });
        let subject = &entry.subject;
        let subject_field = match subject {
            Subject::Requirement(_) => "requirement",
            Subject::Snapshot(_) => "snapshot",
        };
        if entry.reason.is_empty() {
            return problem(entry.reason_line, "reason", format!("is missing; say why {subject} may fail for now"));
        }
        let Some(expires) = entry.expires else {
            let what = format!("is missing; say until when {subject} may fail, for example expires = {}", self.today);
            return problem(entry.expires_line, "expires", what);
        };
        if self.today > expires {
            let what = format!("{subject} was accepted until {expires}; mend it, or agree on a new date");
            return problem(entry.expires_line, "expires", what);
        }
        match seen {
            Seen::NotJudged => None,
            Seen::Failed(fingerprints) if fingerprints.contains(&entry.fingerprint) => None,
            Seen::Failed(fingerprints) => {
                let others: Vec<&str> = fingerprints.iter().map(String::as_str).filter(|other| !self.names(subject, other)).collect();
                let what = if others.is_empty() {
                    format!("{subject} no longer fails like this; delete the entry")
                } else {
                    format!("{subject} fails differently now ({}); look at it, then mend it or change the entry", others.join(", "))
                };
                problem(entry.fingerprint_line, subject.field(), what)
            }
            Seen::Passed => problem(entry.line, subject_field, format!("{subject} passes now; delete the entry")),
            Seen::NotAsked(why) => problem(entry.line, subject_field, format!("{subject} was not judged: {why}; delete the entry")),
            Seen::Unknown => problem(entry.line, subject_field, format!("there is no {subject}; delete the entry")),
        }
    }
}

fn read_entry(file: &str, entry: Spanned<RawEntry>, line_at: &dyn Fn(usize) -> usize) -> Result<KnownFailure, String> {
    let own_line = line_at(entry.span().start);
    let entry = entry.into_inner();
    let place = |span: Option<std::ops::Range<usize>>| span.map_or(own_line, |span| line_at(span.start));
    let fail = |line: usize, what: String| Err(format!("{file}: line {line}: {what}"));
    let (subject, line) = match (entry.requirement, entry.snapshot) {
        (Some(id), None) => (Subject::Requirement(id.get_ref().clone()), place(Some(id.span()))),
        (None, Some(name)) => (Subject::Snapshot(name.get_ref().clone()), place(Some(name.span()))),
        (Some(_), Some(_)) => {
            return fail(own_line, "field `snapshot`: an entry is about a requirement or a snapshot, not both".to_owned());
        }
        (None, None) => return fail(own_line, "field `requirement`: is missing; name what fails".to_owned()),
    };
    let field = subject.field();
    let (named, other) = match subject {
        Subject::Requirement(_) => (entry.finding, entry.fingerprint),
        Subject::Snapshot(_) => (entry.fingerprint, entry.finding),
    };
    if let Some(other) = other {
        let wrong = if field == "finding" { "fingerprint" } else { "finding" };
        let what = format!("field `{wrong}`: does not go with {subject}; what is accepted of it is named by `{field}`");
        return fail(place(Some(other.span())), what);
    }
    let fingerprint_line = place(named.as_ref().map(Spanned::span));
    let fingerprint = named.map(Spanned::into_inner).unwrap_or_default();
    if fingerprint.is_empty() {
        let what = match subject {
            Subject::Requirement(_) => format!("field `finding`: is missing; the report of a run has the ids of findings about {subject}"),
            Subject::Snapshot(_) => format!("field `fingerprint`: is missing; the report of a run names that of {subject}"),
        };
        return fail(fingerprint_line, what);
    }
    let expires_line = place(entry.expires.as_ref().map(Spanned::span));
    let expires = match entry.expires.map(Spanned::into_inner) {
        None => None,
        Some(value) => match as_date(&value) {
            Some(date) => Some(date),
            None => return fail(expires_line, "field `expires`: is not a date such as 2026-12-31".to_owned()),
        },
    };
    Ok(KnownFailure {
        subject,
        fingerprint,
        reason_line: place(entry.reason.as_ref().map(Spanned::span)),
        reason: entry.reason.map(|reason| reason.into_inner().trim().to_owned()).unwrap_or_default(),
        expires,
        line,
        fingerprint_line,
        expires_line,
    })
}

fn as_date(value: &toml::Value) -> Option<Date> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return None,
    };
    // A date and nothing more: a time would say less than it seems to.
    text.parse().ok().filter(|date: &Date| date.to_string() == text)
}

/// How long a new entry is accepted, in days.
const DAYS: i32 = 60;

/// The text of a list with these failures. Reasons and dates of entries that are already known are kept; new ones have
/// no reason yet, so that the list fails until a person has given one. Each failure comes with a remark. The entries of which
/// `not_judged` says so stay as they are.
pub fn write(
    failures: &[(Subject, String, String)],
    before: &KnownFailures,
    not_judged: impl Fn(&KnownFailure) -> bool,
    today: Date,
) -> String {
    let fails = |entry: &KnownFailure| failures.iter().any(|(_, fingerprint, _)| *fingerprint == entry.fingerprint);
    let kept = before.entries.iter().filter(|entry| !fails(entry) && not_judged(entry));
    let kept = kept.map(|entry| (&entry.subject, &entry.fingerprint, "The run that wrote this did not judge it."));
    let failures = failures.iter().map(|(subject, fingerprint, remark)| (subject, fingerprint, remark.as_str()));
    let mut out = String::from(
        "# Failures that are known and accepted for now. Each still runs; an entry that passes, fails differently, matches\n\
         # nothing, has no reason or has expired fails the run. Written by `refundproof certify --write-known-failing`.\n",
    );
    for (subject, fingerprint, remark) in failures.chain(kept) {
        let old = before.entry(subject, fingerprint);
        let expires = old.and_then(|old| old.expires).unwrap_or_else(|| today.saturating_add(jiff::Span::new().days(DAYS)));
        let (field, name) = match subject {
            Subject::Requirement(id) => ("requirement", id),
            Subject::Snapshot(name) => ("snapshot", name),
        };
        let quoted = |text: &str| toml::Value::from(text).to_string();
        out.push_str("\n[[known]]\n");
        for line in remark.lines() {
            out.push_str(&format!("# {line}\n"));
        }
        out.push_str(&format!("{field} = {}\n", quoted(name)));
        out.push_str(&format!("{} = {}\n", subject.field(), quoted(fingerprint)));
        out.push_str(&format!("reason = {}\n", quoted(old.map_or("", |old| &old.reason))));
        out.push_str(&format!("expires = {expires}\n"));
    }
    out
}
