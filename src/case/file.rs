//! Case files: reading and writing `refundproof-case/1`.

use std::{fmt, fs, io::Read, path::Path};

use super::Case;
use crate::{domain::cut, json::values};

/// The format's name and version.
pub const SCHEMA: &str = "refundproof-case/1";

/// How large a case file may be, in bytes, and how many values it may hold, each of which takes much more memory than room.
pub(crate) const LARGEST: u64 = 8 << 20;
pub(crate) const MOST_VALUES: usize = 400_000;

/// Why a text is not a case; says where and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseError {
    /// The file or a name for it.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

impl std::error::Error for CaseError {}

impl Case {
    /// Reads a case; `name` stands in errors for where the text came from.
    ///
    /// # Errors
    /// When the text is not JSON, is another version's file, or does not hold together.
    pub fn from_json(name: &str, text: &str) -> Result<Case, CaseError> {
        let fail = |problem: String| CaseError { file: name.to_owned(), problem: cut(&problem).into_owned() };
        let read = serde_json::from_str::<Case>(text);
        if read.as_ref().map_or(true, |case| case.schema != SCHEMA) {
            // What is wrong is said of the whole before it is said of a part.
            let value: crate::json::Value = serde_json::from_str(text)
                .map_err(|error| fail(format!("line {}, column {}: not JSON: {error}", error.line(), error.column())))?;
            match value.get("schema").and_then(crate::json::Value::as_str) {
                Some(SCHEMA) => {}
                Some(other) => return Err(fail(format!("field `schema`: is `{other}`; this version reads `{SCHEMA}`"))),
                None => return Err(fail(format!("field `schema`: is missing; a case file has \"schema\": \"{SCHEMA}\""))),
            }
        }
        let case = read.map_err(|error| fail(locate(&error)))?;
        case.holds_together().map_err(fail)?;
        Ok(case)
    }

    /// Reads a case file of 8 MiB and 400,000 values at most.
    ///
    /// # Errors
    /// When the file cannot be read or is not a case.
    pub fn from_file(path: &Path) -> Result<Case, CaseError> {
        let name = path.display().to_string();
        let fail = |problem: String| CaseError { file: name.clone(), problem: format!("cannot be read: {problem}") };
        // Opening a pipe would wait for somebody to write into it, so it is looked at first.
        let metadata = fs::metadata(path).map_err(|error| fail(error.to_string()))?;
        if !metadata.is_file() {
            return Err(fail("it is no file".to_owned()));
        }
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        read.map_err(|error| fail(error.to_string()))?;
        if bytes.len() as u64 > LARGEST || values(&bytes) > MOST_VALUES {
            return Err(fail(format!("it is larger than {} MiB or holds more than {MOST_VALUES} values", LARGEST >> 20)));
        }
        let text = String::from_utf8(bytes).map_err(|_| fail("it is no UTF-8".to_owned()))?;
        Case::from_json(&name, &text)
    }

    /// The canonical text: pretty-printed, ending with a newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn locate(error: &serde_json::Error) -> String {
    // serde_json's own text ends with the place it read to; a flattened member has none.
    if error.line() == 0 { error.to_string() } else { format!("line {}, column {}: {error}", error.line(), error.column()) }
}
