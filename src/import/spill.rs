//! Deliveries put aside by their order, in files that vanish with the program.
//!
//! A log may be larger than memory, and the events of one order may stand anywhere in it. What has the same key gets into the
//! same file, and one file at a time is read back.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write},
};

use serde::{Deserialize, Serialize};

use super::scramble::hash;

/// How many files there are. Each is open until it is read back, and systems allow a few hundred.
const PARTS: usize = 64;

/// A delivery that was put aside.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) key: String,
    pub(super) place: String,
    pub(super) content_type: Option<String>,
    pub(super) body: String,
}

/// The files.
#[derive(Default)]
pub(super) struct Spill {
    parts: Vec<Option<BufWriter<File>>>,
}

impl Spill {
    pub(super) fn new() -> Spill {
        Spill { parts: (0..PARTS).map(|_| None).collect() }
    }

    pub(super) fn put(&mut self, kept: &Kept) -> io::Result<()> {
        let part = usize::try_from(hash(0, 5, kept.key.as_bytes()) % PARTS as u64).unwrap_or(0);
        let part = &mut self.parts[part];
        let file = match part {
            Some(file) => file,
            None => part.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        serde_json::to_writer(&mut *file, kept)?;
        file.write_all(b"\n")
    }

    /// What was put aside, file after file.
    pub(super) fn parts(self) -> impl Iterator<Item = io::Result<impl Iterator<Item = io::Result<Kept>>>> {
        self.parts.into_iter().flatten().map(|file| {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            let lines = BufReader::new(file).lines();
            Ok(lines.map(|line| Ok(serde_json::from_str(&line?)?)))
        })
    }
}
