//! What the page's template shows, as it stands there.

pub(super) struct VerdictView {
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) words: &'static str,
}

pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) wide: bool,
}

/// A button that shows one verdict only.
pub(super) struct Chip {
    pub(super) verdict: &'static str,
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) words: String,
}

pub(super) struct ItemView {
    pub(super) id: String,
    pub(super) verdict: VerdictView,
    pub(super) counts: String,
    pub(super) requirements: Vec<RequirementView>,
}

pub(super) struct RequirementView {
    pub(super) id: String,
    /// The findings that break it.
    pub(super) findings: Vec<Place>,
    pub(super) verdict: &'static str,
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) words: &'static str,
    pub(super) level: &'static str,
    pub(super) asks: String,
    pub(super) note: String,
    pub(super) numbers: String,
    /// What its cases held; nothing where not all of them were run.
    pub(super) coverage: Vec<CoverageLine>,
}

/// How often each thing of one kind was in the cases of a requirement.
pub(super) struct CoverageLine {
    pub(super) what: &'static str,
    pub(super) counts: String,
}

pub(super) struct Snapshots {
    pub(super) class: &'static str,
    pub(super) words: String,
    pub(super) note: String,
}

pub(super) struct FindingView {
    pub(super) anchor: String,
    pub(super) number: usize,
    pub(super) open: bool,
    pub(super) id: String,
    pub(super) verdict: &'static str,
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) level: String,
    pub(super) message: String,
    pub(super) asks: String,
    /// Why it is accepted, where it is.
    pub(super) known: String,
    pub(super) source: String,
    pub(super) like: Option<LikeView>,
    /// What else fails because of it, in words; empty where nothing does.
    pub(super) breaks: String,
    /// What that is.
    pub(super) others: Vec<String>,
    pub(super) orders: Vec<String>,
    /// Empty where the report does not hold the case.
    pub(super) steps: Vec<Step>,
    pub(super) deliveries: String,
    pub(super) answers: String,
    /// What went wrong when everything had been delivered.
    pub(super) end: String,
    pub(super) rows: Vec<StateRow>,
    /// Where there are no rows.
    pub(super) diff: Vec<DiffLine>,
    pub(super) stderr: String,
    pub(super) reproduce: String,
}

/// Another place on the page.
pub(super) struct Place {
    pub(super) anchor: String,
    pub(super) number: usize,
}

/// The fault that a finding behaves like.
pub(super) struct LikeView {
    pub(super) fault: String,
    pub(super) name: String,
    pub(super) links: Vec<Link>,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) url: String,
    pub(super) name: String,
}

/// One thing that was done.
pub(super) struct Step {
    /// Empty for what is no delivery.
    pub(super) number: String,
    pub(super) kind: String,
    pub(super) tags: Vec<String>,
    pub(super) answer: String,
    pub(super) tells: Vec<String>,
    pub(super) payload: Option<Payload>,
    /// Whether it failed here.
    pub(super) here: bool,
    pub(super) went: String,
}

impl Step {
    /// Something that is no delivery.
    pub(super) fn act(kind: String) -> Step {
        Step {
            number: String::new(),
            kind,
            tags: Vec::new(),
            answer: String::new(),
            tells: Vec::new(),
            payload: None,
            here: false,
            went: String::new(),
        }
    }
}

pub(super) struct Payload {
    pub(super) anchor: String,
    pub(super) headers: Vec<Header>,
    pub(super) body: String,
    /// What is not shown of it, and why.
    pub(super) note: String,
}

pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

pub(super) struct StateRow {
    pub(super) differs: bool,
    pub(super) name: String,
    pub(super) expected: String,
    pub(super) shown: String,
}

pub(super) struct DiffLine {
    pub(super) class: &'static str,
    pub(super) text: String,
}

pub(super) struct SnapshotView {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) verdict: &'static str,
    /// Why it is accepted, where it is.
    pub(super) note: String,
    pub(super) diff: Vec<DiffLine>,
}
