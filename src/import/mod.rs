//! Cases from logs of real traffic.
//!
//! A log is read once, delivery by delivery, and never as a whole: what is personal in a body is replaced, what is left is
//! put aside into a few files by its order (`spill`), and then one such file after the other becomes cases. So memory does
//! not grow with the log. Both are done on several threads (`threads`), and come out as if there were one. What an event says the provider's reader says ([`EventReader`]); `order` puts the events of an
//! order in order and rebuilds its truth; orders of the same story become one case. Nothing is lost silently: whatever is not
//! used is told, with its place in the log and why.
//! Source: `docs/importing.md`.

mod entries;
mod formats;
mod har;
mod order;
mod private;
mod scramble;
mod spill;
mod story;
mod threads;

pub use formats::{FORMATS, Format, LogLine, LoggedBody, recognise};
pub use private::Kind;

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
};

use order::{Event, Rebuilt};
use private::Veil;
use spill::{Kept, Reading, Spill};
use threads::in_order;

use crate::{
    case::Case,
    json::Value,
    provider::{EventReader, Provider, Unread},
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
        let format = match self.format {
            Some(format) => format,
            None => recognise(log)?,
        };
        self.read(&|take| format.read(log, take), tell, take)
    }

    /// Imports a log that is in memory and no folder.
    ///
    /// # Errors
    /// When it is in no format that is known; those of `take`.
    pub fn run_on(
        &self,
        log: &[u8],
        tell: &mut dyn FnMut(Told),
        take: &mut dyn FnMut(Case) -> io::Result<()>,
    ) -> Result<Imported, ImportError> {
        let format = self.format.or_else(|| Format::of_beginning(log));
        let format = format.ok_or_else(|| ImportError::Unknown("is in no format that is known".to_owned()))?;
        self.read(&|take| format.read_text(log, take), tell, take)
    }

    fn read(
        &self,
        read: &dyn Fn(&mut formats::Take<'_>) -> io::Result<()>,
        tell: &mut dyn FnMut(Told),
        take: &mut dyn FnMut(Case) -> io::Result<()>,
    ) -> Result<Imported, ImportError> {
        let reader = self.provider.reader().ok_or_else(|| ImportError::NoReader(self.provider.name().to_owned()))?;
        let mut running = Running { imported: Imported::default(), alike: HashMap::new(), most_alike: self.most_alike, tell };
        let mut spill = Spill::new();
        let veils = in_order(
            || Veil::new(self.provider.corpus(), reader.words(), self.seed),
            |veil, batch: Batch| batch.into_iter().map(|(place, logged)| self.prepared(reader, veil, place, logged)).collect::<Vec<_>>(),
            |give| {
                let (mut batch, mut size) = (Batch::new(), 0);
                read(&mut |place, logged| {
                    size += logged.as_ref().map_or(0, |logged| logged.body.len());
                    batch.push((place, logged));
                    if batch.len() < IN_BATCH && size < BATCH_SIZE {
                        return Ok(());
                    }
                    size = 0;
                    give(std::mem::take(&mut batch))
                })?;
                give(batch)
            },
            |batch| batch.into_iter().try_for_each(|prepared| running.put(prepared, &mut spill)),
        )?;
        for (kind, count) in veils.into_iter().flat_map(Veil::counts) {
            *running.imported.replaced.entry(kind).or_default() += count;
        }
        let mut parts = spill.parts();
        in_order(
            || (),
            |(), part: Reading| self.rebuilt(part),
            |give| {
                while let Some(part) = parts.next()? {
                    give(part)?;
                }
                Ok(())
            },
            |part| part?.into_iter().try_for_each(|came| running.came(came, take)),
        )?;
        Ok(running.imported)
    }

    /// What a delivery of the log says, with nothing personal in it.
    fn prepared(&self, reader: &dyn EventReader, veil: &mut Veil, place: String, logged: Result<Logged, String>) -> Prepared {
        let logged = match logged {
            Ok(logged) => logged,
            Err(why) => return Prepared::Unused { place, why },
        };
        let content_type = header(&logged, "content-type").map(str::to_owned);
        let text = match readable(&logged) {
            Ok(text) => text,
            Err(why) => return Prepared::Unused { place, why },
        };
        let body = veil.body(text);
        let Ok(value) = serde_json::from_str::<Value>(&body) else {
            let why = "its body is no longer JSON when what is personal is replaced; please report this".to_owned();
            return Prepared::Unused { place, why };
        };
        match reader.read(&value) {
            Err(unread) => Prepared::Unread { place, unread },
            Ok(mut said) => {
                // A consumer need not know what a type means that is in no document, whatever it is about.
                said.is_doubtful |= !said.tells.is_empty() && !self.provider.corpus().catalogue.iter().any(|known| known.kind == said.kind);
                match &said.order {
                    None => Prepared::Unused { why: format!("{} names no order or payment", said.kind), place },
                    Some(order) => Prepared::Kept(Box::new(Kept { key: order.key.clone(), place, content_type, said, body })),
                }
            }
        }
    }

    /// The orders of a part. Of orders of the same story only as many cases are made as may be kept.
    fn rebuilt(&self, part: Reading) -> io::Result<Vec<Came>> {
        let mut orders: HashMap<String, Vec<Event>> = HashMap::new();
        // Where each event was met first, by its order and id.
        let mut met: HashMap<(u64, String), String> = HashMap::new();
        // Orders are made into cases in the order in which the log first names them.
        let mut keys: Vec<String> = Vec::new();
        let mut all = Vec::new();
        for kept in part {
            let Kept { key, place, content_type, said, body } = kept?;
            let of_order = scramble::hash(0, 4, key.as_bytes());
            if let Some(first) = met.get(&(of_order, said.id.clone())) {
                let why = format!("the event of {first} once more; it counts once");
                all.push(Came::Unused { place, why });
                continue;
            }
            met.insert((of_order, said.id.clone()), place.clone());
            let events = orders.entry(key.clone()).or_insert_with(|| {
                keys.push(key);
                Vec::new()
            });
            events.push(Event { place, said, content_type, body });
        }
        let mut alike: HashMap<u64, u64> = HashMap::new();
        for key in keys {
            let events = orders.remove(&key).unwrap_or_default();
            let count = events.len();
            let mut rebuilt = order::rebuild(self.provider, events);
            let so_many = alike.entry(rebuilt.story).or_insert(0);
            *so_many += u64::from(rebuilt.case.is_some());
            let is_one_more = rebuilt.case.is_some() && *so_many > self.most_alike;
            let case = rebuilt.case.take().filter(|_| !is_one_more);
            all.push(Came::Order(Box::new(Order { count, case, is_one_more, rebuilt })));
        }
        Ok(all)
    }
}

/// Deliveries that are looked at together, so many and so many bytes at most.
type Batch = Vec<(String, Result<Logged, String>)>;
const IN_BATCH: usize = 256;
const BATCH_SIZE: usize = 1024 * 1024;

/// What came of one delivery.
enum Prepared {
    /// It is about an order.
    Kept(Box<Kept>),
    /// It cannot be used.
    Unused { place: String, why: String },
    /// It says nothing, or what it may not.
    Unread { place: String, unread: Unread },
}

/// What came of a part of the log.
enum Came {
    Unused { place: String, why: String },
    Order(Box<Order>),
}

struct Order {
    /// How many events it has.
    count: usize,
    case: Option<Case>,
    /// Whether it has no case because enough others tell the same.
    is_one_more: bool,
    rebuilt: Rebuilt,
}

struct Running<'a> {
    imported: Imported,
    /// Each story that was met: which case tells it, and of how many orders.
    alike: HashMap<u64, (Option<usize>, u64)>,
    most_alike: u64,
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

    /// Takes note of one delivery of the log.
    fn put(&mut self, prepared: Prepared, spill: &mut Spill) -> io::Result<()> {
        self.imported.read += 1;
        match prepared {
            Prepared::Kept(kept) => spill.put(&kept)?,
            Prepared::Unused { place, why } => self.unused(place, why),
            Prepared::Unread { place, unread } => self.unread(place, unread),
        }
        Ok(())
    }

    fn came(&mut self, came: Came, take: &mut dyn FnMut(Case) -> io::Result<()>) -> io::Result<()> {
        match came {
            Came::Unused { place, why } => self.unused(place, why),
            Came::Order(order) => self.order(*order, take)?,
        }
        Ok(())
    }

    fn order(&mut self, order: Order, take: &mut dyn FnMut(Case) -> io::Result<()>) -> io::Result<()> {
        let Order { count, case, is_one_more, rebuilt: Rebuilt { id, story, notes, left_out, .. } } = order;
        let rest = (count - left_out.len()) as u64;
        for (place, unread) in left_out {
            self.unread(place, unread);
        }
        if case.is_none() && !is_one_more {
            self.imported.with_order += rest;
            notes.into_iter().for_each(|what| (self.tell)(Told::Note { order: id.clone(), what }));
            return Ok(());
        }
        self.imported.orders += 1;
        self.imported.used += rest;
        let (number, so_many) = self.alike.entry(story).or_insert((None, 0));
        *so_many += 1;
        let Some(case) = case.filter(|_| *so_many <= self.most_alike) else {
            if let Some(number) = number {
                self.imported.cases[*number].1 += 1;
            }
            return Ok(());
        };
        number.get_or_insert(self.imported.cases.len());
        self.imported.cases.push((case.title.clone(), 1));
        notes.into_iter().for_each(|what| (self.tell)(Told::Note { order: id.clone(), what }));
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
