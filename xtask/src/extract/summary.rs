//! What an extraction did, for the person who started it.

use std::collections::BTreeMap;
use std::fmt;

use super::catalogue::Entry;
use super::examples::Example;
use super::synthesize::Composed;

/// What an extraction wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Documented examples.
    pub(crate) examples: usize,
    /// Those of them that are not valid JSON and were repaired.
    pub(crate) defects: usize,
    /// Composed examples.
    pub(crate) synthesized: usize,
    /// Event types in the catalogue.
    pub(crate) types: usize,
    /// Types by document: how many it names, and how many only it names.
    pub(crate) by_document: BTreeMap<String, (usize, usize)>,
}

impl Summary {
    pub(crate) fn new(examples: &[Example], composed: &[Composed], entries: &[Entry]) -> Self {
        let mut by_document: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for entry in entries {
            for document in &entry.named_by {
                let (all, alone) = by_document.entry((*document).to_owned()).or_default();
                *all += 1;
                *alone += usize::from(entry.named_by.len() == 1);
            }
        }
        Self {
            examples: examples.len(),
            defects: examples.iter().filter(|example| example.defect.is_some()).count(),
            synthesized: composed.len(),
            types: entries.len(),
            by_document,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { examples, defects, synthesized, types, by_document } = self;
        writeln!(f, "{examples} documented examples, {defects} of them repaired; {synthesized} composed")?;
        writeln!(f, "{types} event types")?;
        for (document, (all, alone)) in by_document {
            writeln!(f, "  {document}: names {all}, {alone} of them alone")?;
        }
        Ok(())
    }
}
