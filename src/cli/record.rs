//! `refundproof record`.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Exit, Stop, args, interrupt, output::Output};
use crate::{
    record::{Forward, Recorder, listen},
    report::many,
};

pub(super) fn run(args: &args::Record, output: &mut Output) -> Result<Exit, Stop> {
    let forward = Forward::parse(&args.forward).map_err(Stop::usage)?;
    let to = args.to.display();
    let log = opened(&args.to).map_err(|error| Stop::usage(format!("{to}: cannot be written: {error}")))?;
    let (listener, address) = listen(&args.listen).map_err(Stop::usage)?;
    let recorder = Recorder::new(forward, Box::new(log));
    let asked = Arc::clone(&recorder);
    let before = AtomicBool::new(false);
    interrupt::when_asked(move || {
        asked.stop();
        before.swap(true, Ordering::Relaxed)
    });
    output.note(&format!("listens on http://{address} and passes on to {}; Ctrl-C ends it", args.forward));
    recorder.serve(listener).map_err(|error| Stop::not_judged(format!("--listen {}: {error}", args.listen)))?;
    let recorded = recorder.recorded();
    let requests = many(recorded, "request", "requests");
    output.note(&format!("recorded {requests} into {to}; personal data is in it until it is imported"));
    match recorder.unwritten() {
        Some(error) => Err(Stop::not_judged(format!("{to}: not everything could be written: {error}"))),
        None => Ok(Exit::Conformant),
    }
}

/// The log, to be added to. It holds what shoppers told the shop: nobody else reads it, also where it was there before. A last line
/// that was not ended is.
fn opened(path: &Path) -> io::Result<File> {
    let mut log = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
    let metadata = log.metadata()?;
    if !metadata.is_file() {
        return Ok(log);
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        log.set_permissions(Permissions::from_mode(0o600))?;
    }
    if metadata.len() > 0 {
        let mut last = [0];
        log.seek(SeekFrom::End(-1))?;
        log.read_exact(&mut last)?;
        if last != *b"\n" {
            log.write_all(b"\n")?;
        }
    }
    Ok(log)
}
