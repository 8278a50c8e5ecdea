//! Cases from logs of real traffic.
//!
//! A log is read once, delivery by delivery, and never as a whole: what is personal in a body is replaced, what is left is
//! put aside into a few files by its order ([`spill`]), and then one such file after the other becomes cases. So memory does
//! not grow with the log. What an event says the provider's reader says ([`EventReader`]); [`order`] puts the events of an
//! order in order and rebuilds its truth; orders of the same story become one case. Nothing is lost silently: whatever is not
//! used is told, with its place in the log and why.
//! Source: `docs/importing.md`.

mod formats;
mod har;
mod order;
mod private;
mod scramble;
mod spill;
mod story;

pub use formats::{FORMATS, Format, LogLine, LoggedBody, recognise};
pub use private::Kind;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
};

use order::{Event, Rebuilt};
use private::Veil;
use spill::{Kept, Spill};

use crate::{
    case::Case,
    json::Value,
    provider::{EventReader, Provider, Said, Unread},
};

/// One delivery in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its headers, with names as they were written.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Something of a log that is told to whoever imports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A delivery, or what was to be one, that is in no case.
    Unused {
        /// Where it stands in the log.
        place: String,
        /// Why it is not used.
        why: String,
    },
    /// A delivery that is in no case because it is against what the provider documents.
    Finding {
        /// Where it stands in the log.
        place: String,
        /// What it is against.
        what: String,
    },
    /// Something about an order that was assumed or could not be rebuilt.
    Note {
        /// The order, under its new id.
        order: String,
        /// What.
        what: String,
    },
}

/// What came of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many deliveries it holds, whatever became of them.
    pub read: u64,
    /// How many of them stand in a case, or in one that was left out because another tells the same story.
    pub used: u64,
    /// How many were told as unused, findings included.
    pub unused: u64,
    /// How many are of orders that were told to be left out, and are in no case for no other reason.
    pub with_order: u64,
    /// How many were told as findings.
    pub findings: u64,
    /// How many orders were rebuilt.
    pub orders: u64,
    /// For each case in the order in which they were made: its title, and how many orders it stands for.
    pub cases: Vec<(String, u64)>,
    /// What was replaced, and how often.
    pub replaced: BTreeMap<Kind, u64>,
}

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct Import<'a> {
    /// Whose events they are.
    pub provider: &'a dyn Provider,
    /// The format; what is recognised if absent.
    pub format: Option<Format>,
    /// What replacements follow from. Whoever knows it could try out which phone number became which.
    pub seed: u64,
    /// How many orders that tell the same story become cases.
    pub most_alike: u64,
}

impl std::fmt::Debug for dyn Provider + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a log gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nobody has written what this provider's events say.
    #[error("events of {0} cannot be read from a log")]
    NoReader(String),
    /// It is in none of the formats.
    #[error("{0}")]
    Unknown(String),
    /// It cannot be read, or what was put aside cannot.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Import<'_> {
    /// Imports a log. `tell` gets what is told on the way, `take` each case.
    ///
    /// # Errors
    /// When the log cannot be read or is in no format that is known; those of `take`.
    pub fn run(
        &self,
        log: &Path,
        tell: &mut dyn FnMut(Told),
        take: &mut dyn FnMut(Case) -> io::Result<()>,
    ) -> Result<Imported, ImportError> {
        let reader = self.provider.reader().ok_or_else(|| ImportError::NoReader(self.provider.name().to_owned()))?;
        let format = match self.format {
            Some(format) => format,
            None => recognise(log)?,
        };
        let mut import = Running {
            import: self,
            reader,
            veil: Veil::new(self.provider.corpus(), reader.words(), self.seed),
            spill: Spill::new(),
            imported: Imported::default(),
            alike: HashMap::new(),
            tell,
        };
        format.read(log, &mut |place, logged| import.take(place, logged))?;
        import.make_cases(take)?;
        let Running { veil, mut imported, .. } = import;
        imported.replaced = veil.counts();
        Ok(imported)
    }
}

struct Running<'a> {
    import: &'a Import<'a>,
    reader: &'static dyn EventReader,
    veil: Veil,
    spill: Spill,
    imported: Imported,
    /// Each story that was met: which case tells it, and of how many orders.
    alike: HashMap<u64, (Option<usize>, u64)>,
    tell: &'a mut dyn FnMut(Told),
}

impl Running<'_> {
    fn unused(&mut self, place: String, why: String) {
        self.imported.unused += 1;
        (self.tell)(Told::Unused { place, why });
    }

    fn unread(&mut self, place: String, unread: Unread) {
        if let Unread::Against(what) = unread {
            self.imported.unused += 1;
            self.imported.findings += 1;
            (self.tell)(Told::Finding { place, what });
        } else {
            self.unused(place, unread.to_string());
        }
    }

    /// Takes in one delivery of the log.
    fn take(&mut self, place: String, logged: Result<Logged, String>) -> io::Result<()> {
        self.imported.read += 1;
        let logged = match logged {
            Ok(logged) => logged,
            Err(why) => {
                self.unused(place, why);
                return Ok(());
            }
        };
        let content_type = header(&logged, "content-type").map(str::to_owned);
        let text = match readable(&logged) {
            Ok(text) => text,
            Err(why) => {
                self.unused(place, why);
                return Ok(());
            }
        };
        let body = self.veil.body(text);
        let Ok(value) = serde_json::from_str::<Value>(&body) else {
            self.unused(place, "its body is no longer JSON when what is personal is replaced; please report this".to_owned());
            return Ok(());
        };
        match self.reader.read(&value) {
            Err(unread) => self.unread(place, unread),
            Ok(Said { order: None, kind, .. }) => self.unused(place, format!("{kind} names no order or payment")),
            Ok(Said { order: Some(order), .. }) => self.spill.put(&Kept { key: order.key, place, content_type, body })?,
        }
        Ok(())
    }

    fn make_cases(&mut self, take: &mut dyn FnMut(Case) -> io::Result<()>) -> io::Result<()> {
        for part in std::mem::take(&mut self.spill).parts() {
            let mut orders: HashMap<String, Vec<Event>> = HashMap::new();
            // Where each event was met first, by its order and id.
            let mut met: HashMap<(u64, String), String> = HashMap::new();
            // Orders are made into cases in the order in which the log first names them.
            let mut keys: Vec<String> = Vec::new();
            for kept in part? {
                let Kept { key, place, content_type, body } = kept?;
                let read = serde_json::from_str::<Value>(&body).ok().and_then(|value| self.reader.read(&value).ok());
                let Some(said) = read else { continue };
                let of_order = scramble::hash(0, 4, key.as_bytes());
                if let Some(first) = met.get(&(of_order, said.id.clone())) {
                    let why = format!("the event of {first} once more; it counts once");
                    self.unused(place, why);
                    continue;
                }
                met.insert((of_order, said.id.clone()), place.clone());
                let events = orders.entry(key.clone()).or_insert_with(|| {
                    keys.push(key);
                    Vec::new()
                });
                events.push(Event { place, said, content_type, body });
            }
            for key in keys {
                let events = orders.remove(&key).unwrap_or_default();
                self.order(events, take)?;
            }
        }
        Ok(())
    }

    fn order(&mut self, events: Vec<Event>, take: &mut dyn FnMut(Case) -> io::Result<()>) -> io::Result<()> {
        let all = events.len();
        let Rebuilt { case, id, story, notes, left_out } = order::rebuild(self.import.provider, events);
        let rest = (all - left_out.len()) as u64;
        for (place, unread) in left_out {
            self.unread(place, unread);
        }
        let (told, order) = (notes, id);
        let Some(case) = case else {
            self.imported.with_order += rest;
            told.into_iter().for_each(|what| (self.tell)(Told::Note { order: order.clone(), what }));
            return Ok(());
        };
        self.imported.orders += 1;
        self.imported.used += rest;
        let (number, so_many) = self.alike.entry(story).or_insert((None, 0));
        *so_many += 1;
        if *so_many > self.import.most_alike {
            if let Some(number) = number {
                self.imported.cases[*number].1 += 1;
            }
            return Ok(());
        }
        number.get_or_insert(self.imported.cases.len());
        self.imported.cases.push((case.title.clone(), 1));
        told.into_iter().for_each(|what| (self.tell)(Told::Note { order: order.clone(), what }));
        take(case)
    }
}

fn header<'l>(logged: &'l Logged, name: &str) -> Option<&'l str> {
    logged.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The body as text, if all of it is there.
fn readable(logged: &Logged) -> Result<&str, String> {
    if logged.body.is_empty() {
        return Err("it has no body".to_owned());
    }
    if let Some(coding) = header(logged, "content-encoding").filter(|coding| *coding != "identity") {
        return Err(format!("its body is packed ({coding})"));
    }
    let length = header(logged, "content-length").and_then(|length| length.trim().parse::<usize>().ok());
    if let Some(length) = length.filter(|length| *length > logged.body.len()) {
        return Err(format!("its body is cut short: {} of {length} bytes are there", logged.body.len()));
    }
    let text = std::str::from_utf8(&logged.body).map_err(|_| "its body is no UTF-8".to_owned())?;
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) if text.trim_start().starts_with('{') => Ok(text),
        Ok(_) => Err("its body is no JSON object".to_owned()),
        Err(error) if error.is_eof() => Err(format!("its body is cut short: {error}")),
        Err(error) => Err(format!("its body is not JSON: {error}")),
    }
}
