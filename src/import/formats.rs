//! The formats of logs, read one delivery at a time.
//!
//! Whatever is no delivery, or only a part of one, is handed on with its place and the reason, so that nothing is lost
//! silently. A line that is longer than any delivery is passed over without being kept.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::{
    ImportError, Logged,
    entries::{self, Place},
    har,
};
use crate::json::Value;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON Lines, each with the headers and the body of a delivery: what `record` writes.
    Lines,
    /// HTTP Archive 1.2, as browsers and proxies write it.
    Har,
    /// Bodies one after the other and nothing else, each beginning on a line of its own: what command line tools of
    /// providers print.
    Bodies,
    /// One JSON list of bodies, or an object with one in `data`: what providers' APIs answer who asks for past events.
    List,
    /// A folder of which each file holds a body.
    Folder,
}

/// Every format with its name.
pub const FORMATS: [(&str, Format); 5] =
    [("jsonl", Format::Lines), ("har", Format::Har), ("bodies", Format::Bodies), ("list", Format::List), ("folder", Format::Folder)];

/// What takes deliveries: their place in the log, and the delivery or why it is none.
pub(super) type Take<'a> = dyn FnMut(String, Result<Logged, String>) -> io::Result<()> + 'a;

/// The longest line and the largest body that is read.
const LONGEST: usize = 16 * 1024 * 1024;

/// How much of a log is read at once.
const AT_ONCE: usize = 256 * 1024;

/// How much of a log is looked at to recognise its format.
const BEGINNING: u64 = 256 * 1024;

/// One line of a log in JSON Lines (`docs/importing.md`, "The log").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// When the request arrived, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path, without what follows a question mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The headers; one that came several times has its values joined by commas.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// The body.
    #[serde(flatten)]
    pub body: Option<LoggedBody>,
    /// What the service answered; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// A body in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoggedBody {
    /// As text.
    #[serde(rename = "body")]
    Text(String),
    /// In base64, where it is no UTF-8.
    #[serde(rename = "bodyBase64")]
    Base64(String),
}

impl LoggedBody {
    /// A body of these bytes.
    pub fn of(bytes: &[u8]) -> LoggedBody {
        match std::str::from_utf8(bytes) {
            Ok(text) => LoggedBody::Text(text.to_owned()),
            Err(_) => LoggedBody::Base64(STANDARD.encode(bytes)),
        }
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            LoggedBody::Text(text) => Ok(text.into_bytes()),
            LoggedBody::Base64(text) => STANDARD.decode(text).map_err(|error| format!("`bodyBase64` is no base64: {error}")),
        }
    }
}

/// Where a list of bodies stands.
const LIST: Place = Place { members: &["data"], or_alone: true, name: "the list" };

/// A body of which the headers are not known.
fn alone(body: Vec<u8>) -> Logged {
    Logged { headers: Vec::new(), body }
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The byte order marks of UTF-16.
const WIDE_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    pub(super) fn read(self, log: &Path, take: &mut Take<'_>) -> io::Result<()> {
        match self {
            Format::Folder => folder(log, take),
            Format::Lines | Format::Har | Format::Bodies | Format::List => {
                self.read_text(BufReader::with_capacity(AT_ONCE, open(log)?), take)
            }
        }
    }

    /// Reads a log that is no folder.
    pub(super) fn read_text(self, mut log: impl BufRead, take: &mut Take<'_>) -> io::Result<()> {
        // Some programs begin what they write with a byte order mark.
        if log.fill_buf()?.starts_with(MARK) {
            log.consume(MARK.len());
        }
        match self {
            Format::Lines => lines(log, take),
            Format::Har => har::read(log, take),
            Format::Bodies => bodies(log, take),
            Format::List => entries::read(log, LIST, |body| Ok(alone(body.as_bytes().to_vec())), take),
            Format::Folder => Err(io::Error::other("a folder is no text")),
        }
    }

    /// The format of a log that begins like this.
    pub(super) fn of_beginning(beginning: &[u8]) -> Option<Format> {
        let text = String::from_utf8_lossy(beginning);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let first_member = text.strip_prefix('{').map(str::trim_start).unwrap_or_default();
        if first_member.starts_with("\"log\"") {
            return Some(Format::Har);
        }
        let first_entry = text.strip_prefix('[').map(str::trim_start);
        if first_entry.is_some_and(|entry| entry.starts_with(['{', ']'])) || is_list(first_member) {
            return Some(Format::List);
        }
        for line in text.lines() {
            if let Ok(members @ Value::Object(_)) = serde_json::from_str::<Value>(line) {
                let is_line = ["headers", "body", "bodyBase64"].iter().any(|name| members.get(name).is_some());
                return Some(if is_line { Format::Lines } else { Format::Bodies });
            }
            if line.starts_with('{') && line.trim_end().len() <= 2 {
                return Some(Format::Bodies);
            }
        }
        None
    }
}

/// Whether the first member says that the object holds a list.
fn is_list(first_member: &str) -> bool {
    let says = |name: &str, value: &str| {
        let rest = first_member.strip_prefix('"').and_then(|rest| rest.strip_prefix(name)).and_then(|rest| rest.strip_prefix('"'));
        rest.and_then(|rest| rest.trim_start().strip_prefix(':')).is_some_and(|rest| rest.trim_start().starts_with(value))
    };
    says("object", "\"list\"") || says("data", "[") || ["hasMore", "has_more"].iter().any(|name| says(name, ""))
}

fn open(log: &Path) -> io::Result<File> {
    let file = File::open(log)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a folder; --format folder reads one"));
    }
    Ok(file)
}

/// The format of a log, by what is in it.
///
/// # Errors
/// When it cannot be read, or begins like none of the formats.
pub fn recognise(log: &Path) -> Result<Format, ImportError> {
    if log.is_dir() {
        return Ok(Format::Folder);
    }
    let mut beginning = Vec::new();
    File::open(log)?.take(BEGINNING).read_to_end(&mut beginning)?;
    if let Some(format) = Format::of_beginning(&beginning) {
        return Ok(format);
    }
    if WIDE_MARKS.iter().any(|mark| beginning.starts_with(mark)) {
        return Err(ImportError::Unknown("is UTF-16, as some shells write what they redirect; write it as UTF-8".to_owned()));
    }
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    Err(ImportError::Unknown(format!("is in no format that is known; if it is, name it with --format ({})", names.join(", "))))
}

fn lines(mut log: impl BufRead, take: &mut Take<'_>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0_u64;
    while let Some(is_whole) = next_line(&mut log, &mut line)? {
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let logged = if is_whole { logged(&line) } else { Err(too_long()) };
        take(format!("line {number}"), logged)?;
    }
    Ok(())
}

/// As much of a line as is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadLine {
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
}

fn logged(line: &[u8]) -> Result<Logged, String> {
    let ReadLine { headers, body, body_base64 } = serde_json::from_slice(line.trim_ascii()).map_err(|error| {
        // What it says of its own quotes values, and what stands in headers may be secret.
        let what = match error.classify() {
            Category::Eof => "the line is cut short",
            Category::Syntax | Category::Io => "it is no line of a log: no JSON",
            Category::Data => "it is no line of a log: `headers` is an object of texts, `body` or `bodyBase64` a text",
        };
        format!("{what} (column {})", error.column())
    })?;
    let body = match (body, body_base64) {
        (Some(text), _) => LoggedBody::Text(text),
        (None, Some(text)) => LoggedBody::Base64(text),
        (None, None) => return Err("it has neither `body` nor `bodyBase64`".to_owned()),
    };
    Ok(Logged { headers: headers.into_iter().collect(), body: body.bytes()? })
}

/// Bodies one after the other. Where one begins before the last one ended, that was cut short.
fn bodies(mut log: impl BufRead, take: &mut Take<'_>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut open: Option<Open> = None;
    let mut number = 0_u64;
    while let Some(is_whole) = next_line(&mut log, &mut line)? {
        number += 1;
        if line.first() == Some(&b'{') {
            if let Some(cut) = open.take() {
                take(format!("line {}", cut.line), Err(format!("its body is cut short: another begins in line {number}")))?;
            }
            open = Some(Open { line: number, depth: 0, in_string: false, escaped: false, body: Vec::new() });
        }
        let Some(current) = &mut open else {
            if !line.trim_ascii().is_empty() {
                take(format!("line {number}"), Err("it is no part of a body".to_owned()))?;
            }
            continue;
        };
        let fits = is_whole && current.body.len() + line.len() <= LONGEST;
        if !fits || current.ends_with(&line) {
            let ended = open.take();
            let place = ended.as_ref().map_or(number, |ended| ended.line);
            take(
                format!("line {place}"),
                if fits { Ok(alone(ended.map(|ended| ended.body).unwrap_or_default())) } else { Err(too_long()) },
            )?;
        }
    }
    match open {
        Some(cut) => take(format!("line {}", cut.line), Err("its body is cut short: the log ends in it".to_owned())),
        None => Ok(()),
    }
}

/// A body that has begun.
struct Open {
    line: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
    body: Vec<u8>,
}

impl Open {
    /// Adds a line; whether the body ends with it.
    fn ends_with(&mut self, line: &[u8]) -> bool {
        for byte in line {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        self.body.extend_from_slice(line);
        self.depth == 0
    }
}

fn folder(log: &Path, take: &mut Take<'_>) -> io::Result<()> {
    let mut names: Vec<std::ffi::OsString> =
        std::fs::read_dir(log)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    names.sort();
    for name in names {
        let path = log.join(&name);
        let place = format!("file {}", name.to_string_lossy());
        let metadata = std::fs::metadata(&path)?;
        let logged = if !metadata.is_file() {
            Err("it is no file".to_owned())
        } else if metadata.len() > LONGEST as u64 {
            Err(too_long())
        } else {
            let without_mark = |body: Vec<u8>| body.strip_prefix(MARK).map(<[u8]>::to_vec).unwrap_or(body);
            std::fs::read(&path).map(|body| alone(without_mark(body))).map_err(|error| format!("it cannot be read: {error}"))
        };
        take(place, logged)?;
    }
    Ok(())
}

fn too_long() -> String {
    format!("it is longer than {} MiB", LONGEST / 1024 / 1024)
}

/// Reads the next line with its end; whether all of it was kept. `None` at the end of the log.
fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let (mut is_whole, mut is_there) = (true, false);
    loop {
        let rest = log.fill_buf()?;
        if rest.is_empty() {
            return Ok(is_there.then_some(is_whole));
        }
        is_there = true;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(rest.len(), |end| end + 1);
        if line.len() + length <= LONGEST {
            line.extend_from_slice(&rest[..length]);
        } else {
            is_whole = false;
        }
        log.consume(length);
        if end.is_some() {
            return Ok(Some(is_whole));
        }
    }
}
