//! Deliveries put aside by their order, in files that vanish with the program.
//!
//! A log may be larger than memory, and the events of one order may stand anywhere in it. What has the same key gets into the
//! same file, and one file at a time is read back; one that is too large for that is put aside once more into several. What is
//! small stays in memory.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};
use tempfile::{SpooledTempFile, spooled_tempfile};

use super::scramble::hash;
use crate::provider::Said;

/// How many files there are. Each is open until it is read back, and systems allow a few hundred.
const PARTS: u64 = 64;

/// How much of each is kept in memory before there is a file of it.
const IN_MEMORY: usize = 128 * 1024;

/// How much is read back at a time.
const LARGEST: u64 = if cfg!(test) { 4096 } else { 8 * 1024 * 1024 };

/// How often a file is put aside into several. What is larger still is of very few orders.
const MOST_OFTEN: u8 = 3;

/// A delivery that was put aside.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) key: String,
    pub(super) place: String,
    pub(super) content_type: Option<String>,
    pub(super) said: Said,
    pub(super) body: String,
}

/// What stands in a line before the body, which is as many bytes as it says.
#[derive(Serialize, Deserialize)]
struct Head<S, K> {
    key: K,
    place: K,
    content_type: Option<K>,
    said: S,
    length: usize,
}

/// The files.
pub(super) struct Spill {
    level: u8,
    parts: Vec<Option<Part>>,
}

struct Part {
    level: u8,
    length: u64,
    file: BufWriter<SpooledTempFile>,
}

impl Spill {
    pub(super) fn new() -> Spill {
        Spill::at(0)
    }

    fn at(level: u8) -> Spill {
        Spill { level, parts: (0..PARTS).map(|_| None).collect() }
    }

    pub(super) fn put(&mut self, kept: &Kept) -> io::Result<()> {
        let Kept { key, place, content_type, said, body } = kept;
        let number = usize::try_from(hash(u64::from(self.level), 5, key.as_bytes()) % PARTS).unwrap_or(0);
        let new = || Part { level: self.level, length: 0, file: BufWriter::new(spooled_tempfile(IN_MEMORY)) };
        let Part { length, file, .. } = self.parts[number].get_or_insert_with(new);
        let content_type = content_type.as_deref();
        serde_json::to_writer(&mut *file, &Head { key: key.as_str(), place: place.as_str(), content_type, said, length: body.len() })?;
        file.write_all(b"\n")?;
        file.write_all(body.as_bytes())?;
        *length += body.len() as u64;
        Ok(())
    }

    /// What was put aside, part after part.
    pub(super) fn parts(self) -> Parts {
        let mut parts = Parts { rest: Vec::new() };
        parts.add(self);
        parts
    }
}

/// The parts that are still to be read back.
pub(super) struct Parts {
    /// The next one last.
    rest: Vec<Part>,
}

impl Parts {
    fn add(&mut self, spill: Spill) {
        self.rest.extend(spill.parts.into_iter().rev().flatten());
    }

    /// The next part.
    pub(super) fn next(&mut self) -> io::Result<Option<Reading>> {
        while let Some(part) = self.rest.pop() {
            let (level, length) = (part.level, part.length);
            let read = Reading::from(part)?;
            if length <= LARGEST || level >= MOST_OFTEN {
                return Ok(Some(read));
            }
            let mut several = Spill::at(level + 1);
            for kept in read {
                several.put(&kept?)?;
            }
            self.add(several);
        }
        Ok(None)
    }
}

/// A part that is read back.
pub(super) struct Reading {
    file: BufReader<SpooledTempFile>,
    line: Vec<u8>,
}

impl Reading {
    fn from(part: Part) -> io::Result<Reading> {
        let mut file = part.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Reading { file: BufReader::new(file), line: Vec::new() })
    }

    fn read(&mut self) -> io::Result<Option<Kept>> {
        self.line.clear();
        if self.file.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let Head { key, place, content_type, said, length } = serde_json::from_slice::<Head<Said, String>>(&self.line)?;
        let mut body = vec![0; length];
        self.file.read_exact(&mut body)?;
        let body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(Some(Kept { key, place, content_type, said, body }))
    }
}

impl Iterator for Reading {
    type Item = io::Result<Kept>;

    fn next(&mut self) -> Option<io::Result<Kept>> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn kept(number: usize, keys: usize) -> Kept {
        let said = r#"{"id":"e","kind":"x","created":"2024-05-06T07:08:09Z","order":null,"tells":[],"rank":0,"is_doubtful":false}"#;
        Kept {
            key: format!("order {}", number % keys),
            place: number.to_string(),
            content_type: number.is_multiple_of(2).then(|| "text/plain".to_owned()),
            said: serde_json::from_str(said).unwrap(),
            body: format!("{{\"number\":\n{number}}}"),
        }
    }

    /// Whatever is put aside comes back once, that of one key from one part and in its order.
    #[track_caller]
    fn check(count: usize, keys: usize, splits: bool) {
        let mut spill = Spill::new();
        (0..count).for_each(|number| spill.put(&kept(number, keys)).unwrap());
        let (mut parts, mut part, mut numbers) = (spill.parts(), 0, Vec::new());
        let mut at: HashMap<String, (usize, usize)> = HashMap::new();
        while let Some(read) = parts.next().unwrap() {
            part += 1;
            for one in read {
                let one = one.unwrap();
                let number: usize = one.place.parse().unwrap();
                let same = kept(number, keys);
                assert_eq!((&one.key, &one.content_type, &one.body), (&same.key, &same.content_type, &same.body));
                if let Some((of, before)) = at.insert(one.key, (part, number)) {
                    assert!(of == part && before < number, "{before} in part {of}, {number} in part {part}");
                }
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        assert_eq!(part > usize::try_from(PARTS).unwrap(), splits, "{part} parts");
    }

    #[test]
    fn all_of_one_order_come_together() {
        check(0, 1, false);
        check(300, 40, false);
    }

    #[test]
    fn what_is_too_large_is_put_aside_once_more() {
        check(30_000, 3000, true);
    }

    #[test]
    fn one_order_that_is_too_large_stays_one() {
        check(1000, 1, false);
    }
}
