//! Case files: reading and writing `refundproof-case/1`.

use std::{fmt, fs, io::Read, path::Path};

use super::{Act, Case};
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
        case.check().map_err(fail)?;
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

    fn check(&self) -> Result<(), String> {
        if self.orders.is_empty() {
            return Err("field `orders`: is empty; a case needs an order".to_owned());
        }
        let known = |id: &str| self.orders.iter().any(|order| order.order_id == id);
        for (index, order) in self.orders.iter().enumerate() {
            if self.orders[..index].iter().any(|other| other.order_id == order.order_id) {
                return Err(format!("field `orders[{index}].orderId`: `{}` is there twice", order.order_id));
            }
        }
        for (index, entry) in self.entries.iter().enumerate() {
            for (member, expected) in [("expect", &entry.expect), ("expectIfRefused", &entry.expect_if_refused)] {
                if let Some(stranger) = expected.iter().find(|expected| !known(&expected.order_id)) {
                    return Err(format!("field `entries[{index}].{member}`: order `{}` is not among `orders`", stranger.order_id));
                }
            }
            let own = match &entry.act {
                Act::Initiate(own) => Some(("initiate", own)),
                Act::Meanwhile(own, _) => Some(("meanwhile", own)),
                _ => None,
            };
            if let Some((act, own)) = own.filter(|(_, own)| !known(&own.order_id)) {
                return Err(format!("field `entries[{index}].{act}`: order `{}` is not among `orders`", own.order_id));
            }
        }
        let mut begun: Vec<&str> = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let Act::Begin(order_id) = &entry.act else { continue };
            if !known(order_id) || begun.contains(&order_id.as_str()) {
                let why = if known(order_id) { "became known before" } else { "is not among `orders`" };
                return Err(format!("field `entries[{index}].begin`: order `{order_id}` {why}"));
            }
            let is_it = |own: &str| own == order_id.as_str();
            let before = self.entries[..index].iter().position(|entry| match &entry.act {
                Act::Initiate(own) | Act::Meanwhile(own, _) if is_it(&own.order_id) => true,
                _ => entry.expect.iter().chain(&entry.expect_if_refused).any(|expected| is_it(&expected.order_id)),
            });
            if let Some(before) = before {
                return Err(format!("field `entries[{before}]`: order `{order_id}` is not known yet; entries[{index}] makes it so"));
            }
            begun.push(order_id);
        }
        for (member, expected) in [("expect", &self.expect), ("expectIfApplied", &self.expect_if_applied)] {
            if let Some(stranger) = expected.iter().find(|expected| !known(&expected.order_id)) {
                return Err(format!("field `{member}`: order `{}` is not among `orders`", stranger.order_id));
            }
        }
        Ok(())
    }
}

fn locate(error: &serde_json::Error) -> String {
    // serde_json's own text ends with the place it read to; a flattened member has none.
    if error.line() == 0 { error.to_string() } else { format!("line {}, column {}: {error}", error.line(), error.column()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        case::by_hand::{case, own},
        model::Expectation,
    };

    #[track_caller]
    fn check(change: impl FnOnce(&mut Case), problem: &str) {
        let mut case = case(&["one"], vec![Act::Restart]);
        change(&mut case);
        let error = Case::from_json("case.json", &case.to_json()).expect_err("an order is unknown");
        assert_eq!(error.to_string(), format!("case.json: field `{problem}`: order `other` is not among `orders`"));
    }

    /// What is said of an order that is not there would never be looked at.
    #[test]
    fn orders_that_are_not_there() {
        let stranger = |case: &Case| Expectation { order_id: "other".to_owned(), ..case.expect[0].clone() };
        check(|case| case.entries[0].act = Act::Initiate(own("other", "re")), "entries[0].initiate");
        check(|case| case.entries[0].act = Act::Meanwhile(own("other", "re"), Vec::new()), "entries[0].meanwhile");
        check(|case| case.entries[0].expect = vec![stranger(case)], "entries[0].expect");
        check(|case| case.entries[0].expect_if_refused = vec![stranger(case)], "entries[0].expectIfRefused");
        check(|case| case.expect = vec![stranger(case)], "expect");
        check(|case| case.expect_if_applied = vec![stranger(case)], "expectIfApplied");
    }
}
