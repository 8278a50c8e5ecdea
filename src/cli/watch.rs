//! `refundproof certify --watch`: certifies, and again whenever the target has changed.
//!
//! A run plays the cases that earlier ones saved first, so what was just repaired shows at once. Changes while a run is under way
//! lead to another one after it. What a run itself writes (saved cases, reports), what build tools and version control write, and
//! what services keep (databases, logs) is no change of the target; nor is a file that changes in one run after the other, which
//! the target writes itself.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::Duration,
};

use notify::{Event, EventKind, RecursiveMode, Watcher};

use super::{Exit, Stop, args::Certify, certify, files::whole, interrupt, output::Output, text::one_line};
use crate::report::style::{Tone, paint};

/// How long nothing must change before it begins again: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(200);

/// Folders that tools fill.
const FOLDERS: [&str; 8] = [".git", ".hg", "target", "node_modules", "__pycache__", ".venv", "build", "dist"];

/// Ends of names of files that services and tools write while they run.
const ENDS: [&str; 10] = [".db", ".sqlite", ".sqlite3", "-wal", "-shm", "-journal", ".log", ".pyc", ".swp", "~"];

pub(super) fn run(args: Certify, output: &mut Output) -> Result<Exit, Stop> {
    let paths = watched(&args)?;
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Nobody listens any more when the program ends.
        let _ = sender.send(event);
    })
    .map_err(|error| Stop::usage(format!("--watch: {error}")))?;
    for path in &paths {
        let watch = watcher.watch(path, RecursiveMode::Recursive);
        watch.map_err(|error| Stop::usage(format!("--watch: {}: {error}; name an existing path with --watch-path", path.display())))?;
    }
    let own: Vec<PathBuf> =
        std::iter::once(&args.failures).chain(args.report.iter().map(|(_, path)| path)).map(|path| whole(path)).collect();
    let stop = interrupt::stop();
    let mut seen = Changes { own, named: files(&args).collect(), ..Changes::default() };
    loop {
        match certify::once(&args, &stop, output) {
            Ok(Exit::Interrupted) => return Ok(Exit::Interrupted),
            // Nobody watches any more.
            Ok(exit) if output.is_lost() => return Ok(exit),
            Ok(_) => {}
            Err(problem) if output.is_lost() => return Err(problem),
            // A target file that cannot be read, or a target that does not start, is repaired as anything else is.
            Err(problem) => output.complain(&problem.message),
        }
        if seen.during_the_run(&changes) {
            continue;
        }
        let names: Vec<String> = paths.iter().map(|path| one_line(&path.display().to_string())).collect();
        writeln!(output.out(), "{}", paint(Tone::Faint, &format!("waits for changes in {}; Ctrl-C ends it", names.join(", "))))?;
        output.out().flush()?;
        if !seen.wait(&changes, || stop.load(Ordering::Relaxed)) {
            return Ok(Exit::Interrupted);
        }
    }
}

/// What changes, and what of it is of no interest.
#[derive(Default)]
struct Changes {
    /// What a run writes.
    own: Vec<PathBuf>,
    /// The files that the command line names, which no run changes.
    named: Vec<PathBuf>,
    /// What changed during the last run.
    last: BTreeSet<PathBuf>,
    /// What changed during the last two.
    habits: BTreeSet<PathBuf>,
}

impl Changes {
    /// Whether something changed during a run, now that it has ended, that did not change during the run before.
    fn during_the_run(&mut self, changes: &Receiver<notify::Result<Event>>) -> bool {
        let mut during = BTreeSet::new();
        while let Ok(event) = changes.recv_timeout(QUIET) {
            during.extend(self.changed(event));
        }
        self.habits = during.intersection(&self.last).filter(|path| !self.named.contains(path)).cloned().collect();
        let has_changed = during.iter().any(|path| !self.habits.contains(path));
        self.last = during;
        has_changed
    }

    /// Waits until something has changed and then nothing for a moment; false where the end came first.
    fn wait(&self, changes: &Receiver<notify::Result<Event>>, is_over: impl Fn() -> bool) -> bool {
        let mut has_changed = false;
        loop {
            if is_over() {
                return false;
            }
            match changes.recv_timeout(QUIET) {
                Ok(event) => has_changed |= self.changed(event).iter().any(|path| !self.habits.contains(path)),
                Err(RecvTimeoutError::Timeout) if has_changed => return true,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn changed(&self, event: notify::Result<Event>) -> Vec<PathBuf> {
        match event {
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => Vec::new(),
            Ok(event) => event.paths.into_iter().filter(|path| !is_beside(path, &self.own)).collect(),
            // What could not be seen may have been a change.
            Err(_) => vec![PathBuf::new()],
        }
    }
}

/// Whether a path is none that the target's behaviour depends on.
fn is_beside(path: &Path, own: &[PathBuf]) -> bool {
    let is_tools = |part: &OsStr| FOLDERS.iter().any(|folder| part == *folder);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    own.iter().any(|own| path.starts_with(own))
        || path.iter().any(is_tools)
        || ENDS.iter().any(|end| name.ends_with(end))
        || name.starts_with('.')
        || name.starts_with("refundproof-failures")
}

/// What is watched: what was named, or else where the target's file, program and scripts are.
fn watched(args: &Certify) -> Result<Vec<PathBuf>, Stop> {
    let mut paths: Vec<PathBuf> = args.watch_path.iter().map(|path| whole(path)).collect();
    if paths.is_empty() {
        for folder in files(args).filter_map(|file| file.parent().map(Path::to_owned)) {
            if !paths.iter().any(|known| folder.starts_with(known)) {
                paths.retain(|known| !known.starts_with(&folder));
                paths.push(folder);
            }
        }
    }
    if paths.is_empty() {
        return Err(Stop::usage("--watch: nothing of the target is a file here; name what is to be watched with --watch-path"));
    }
    Ok(paths)
}

/// The files that the command line names: a target file, a program, a script.
fn files(args: &Certify) -> impl Iterator<Item = PathBuf> {
    let words = args.target.command.iter().map(Path::new).chain(args.target.target.as_deref().map(Path::new));
    words.filter(|word| word.is_file()).map(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: bool) {
        assert_eq!(
            is_beside(Path::new(path), &[PathBuf::from("/shop/refundproof-failures"), PathBuf::from("/shop/report.html")]),
            expected,
            "{path}"
        );
    }

    #[test]
    fn what_a_run_writes_is_no_change() {
        check("/shop/refundproof-failures/a.json", true);
        check("/shop/report.html", true);
        check("/shop/orders.db", true);
        check("/shop/orders.db-wal", true);
        check("/shop/target/debug/shop", true);
        check("/shop/.git/index", true);
        check("/shop/__pycache__/shop.cpython-311.pyc", true);
    }

    #[test]
    fn what_somebody_edits_is_a_change() {
        check("/shop/shop.py", false);
        check("/shop/refundproof.toml", false);
        check("/shop/src/main.rs", false);
    }
}
