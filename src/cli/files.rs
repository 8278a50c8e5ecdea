//! The files that are read and written for arguments: only what is a file, only so much of it, and never by half.
//!
//! What is read may come from anybody: a pipe that nobody writes to would be waited for without end, and a device or a
//! huge file would fill the memory. What is written is whole or not there: it is written beside under another name, and
//! then renamed.

use std::{
    fmt,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Seek, Write},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::OFlags,
    process::{Resource, getrlimit},
};

use super::certify::drawn_seed;
use crate::{
    case::{self, Case, CaseError},
    json::values,
};

const MEBI: u64 = 1024 * 1024;

/// How much of a file is read, in bytes, and how many values of JSON it may hold: each takes much more memory than room in the
/// file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit(u64, usize);

/// Target files and lists of known failures, which people write.
pub(super) const SETTINGS: Limit = Limit(MEBI / 4, usize::MAX);
/// Recorded states, which people read.
pub(super) const SNAPSHOT: Limit = Limit(MEBI, usize::MAX);
/// Case files.
pub(super) const CASE: Limit = Limit(case::LARGEST, case::MOST_VALUES);
/// Reports. The one of a shard names each case that was run, in about 120 bytes and four values: so many are there of thousands
/// of cases of each requirement.
pub(super) const REPORT: Limit = Limit(32 * MEBI, 1_000_000);
/// A whole corpus.
const CORPUS: Limit = Limit(32 * MEBI, usize::MAX);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 / MEBI {
            0 => write!(f, "{} KiB", self.0 / 1024),
            mebi => write!(f, "{mebi} MiB"),
        }
    }
}

/// Reads a file to its end.
///
/// # Errors
/// When it is no file, is larger than the limit, is no UTF-8, or cannot be read.
pub(super) fn read(path: &Path, limit: Limit) -> io::Result<String> {
    // Opening a pipe would wait for somebody to write into it, so it is looked at first.
    check_is_file(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    check_is_file(&metadata)?;
    let too_large = || other(&format!("it is larger than {limit}, which is the most that is read"));
    if metadata.len() > limit.0 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read, or be one of those files that have no length.
    file.take(limit.0 + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit.0 {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|_| other("it is no UTF-8"))
}

/// Reads a file in a folder of which it is not known who else writes there: no link is followed out of it.
///
/// # Errors
/// Those of [`read`], and when it is a link.
pub(super) fn read_own(path: &Path, limit: Limit) -> io::Result<String> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.is_file() { read_json(path, limit) } else { Err(other(&format!("it is {}, and is left alone", kind(&metadata)))) }
}

/// Reads a file of JSON. Whether it is JSON is for others to see.
///
/// # Errors
/// Those of [`read`], and when it holds too many values.
pub(super) fn read_json(path: &Path, limit: Limit) -> io::Result<String> {
    let text = read(path, limit)?;
    let most = limit.1;
    if values(text.as_bytes()) > most {
        Err(other(&format!("it holds more than {most} values, which is the most that is read")))
    } else {
        Ok(text)
    }
}

/// How deep the folders of a corpus lie in each other at most.
const DEEPEST: usize = 8;

/// Looks whether a folder holds nothing but files that are small enough, and folders of these, before all of it is read.
///
/// # Errors
/// The first path at which it does not, and why.
pub(super) fn check_tree(folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    let mut room = CORPUS.0;
    check_below(folder, DEEPEST, &mut room)
}

fn check_below(folder: &Path, depth: usize, room: &mut u64) -> Result<(), (PathBuf, io::Error)> {
    let fail = |error: io::Error| (folder.to_owned(), error);
    // A link may lead to a folder above it.
    let depth = depth.checked_sub(1).ok_or_else(|| fail(other("its folders lie too deep in each other")))?;
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let metadata = fs::metadata(&path).map_err(|error| (path.clone(), error))?;
        if metadata.is_dir() {
            check_below(&path, depth, room)?;
            continue;
        }
        check_is_file(&metadata).map_err(|error| (path.clone(), error))?;
        *room = room
            .checked_sub(metadata.len())
            .ok_or_else(|| (path.clone(), other(&format!("with it the folder is larger than {CORPUS}, which is the most that is read"))))?;
    }
    Ok(())
}

/// Reads a case file.
///
/// # Errors
/// When it cannot be read or is no case.
pub(super) fn read_case(path: &Path) -> Result<Case, CaseError> {
    let name = path.display().to_string();
    let text = read_json(path, CASE).map_err(|error| CaseError { file: name.clone(), problem: format!("cannot be read: {error}") })?;
    Case::from_json(&name, &text)
}

fn other(problem: &str) -> io::Error {
    io::Error::other(problem.to_owned())
}

fn check_is_file(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(other(&format!("it is {}, and a file is needed", kind(metadata)))) }
}

/// What something is that is no file.
fn kind(metadata: &fs::Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_symlink() => "a symbolic link",
        () => "a device",
    }
}

/// Writes a file that an argument names. An existing one is replaced, where a symbolic link leads to; what is written to a
/// terminal or to a pipe that somebody reads goes there.
///
/// # Errors
/// When it cannot be written; what was there is then as it was.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = &followed(path);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => replace(path, content, Some(metadata.permissions())),
        Ok(metadata) => write_through(path, &metadata, content),
        Err(error) if error.kind() == ErrorKind::NotFound => replace(path, content, None),
        Err(error) => Err(error),
    }
}

/// Writes a file into a folder of which it is not known who else writes there: no link leads out of it, and what is no
/// file is not replaced by one.
///
/// # Errors
/// When it cannot be written; what was there is then as it was.
pub(super) fn write_own(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => replace(path, content, Some(metadata.permissions())),
        Ok(metadata) => Err(other(&format!("it is {}, and is left alone", kind(&metadata)))),
        Err(error) if error.kind() == ErrorKind::NotFound => replace(path, content, None),
        Err(error) => Err(error),
    }
}

/// Writes a file that must not be there yet.
///
/// # Errors
/// When it is there, or cannot be written; then it is not.
pub(super) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    check_room(0, content.len())?;
    let written = File::create_new(path)?.write_all(content);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Whether [`write`] would find a place to write to; nothing is changed.
///
/// # Errors
/// Why it would not.
pub(super) fn check_writable(path: &Path) -> io::Result<()> {
    let path = &followed(path);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            // Who took the right to write from a file does not want it replaced.
            OpenOptions::new().append(true).open(path)?;
            Beside::of(path, None).map(drop)
        }
        // Whoever reads a pipe would take it for the end if it was opened and closed again.
        Ok(metadata) => check_takes(&metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => Beside::of(path, None).map(drop),
        Err(error) => Err(error),
    }
}

/// Adds to the end of a file, which is made if it is not there.
///
/// # Errors
/// When it is no file or cannot be written; what was there is then as it was.
pub(super) fn append(path: &Path, content: &[u8]) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(metadata) => check_is_file(&metadata).map(|()| Some(metadata.len()))?,
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let written = check_room(before.unwrap_or(0), content.len()).and_then(|()| file.write_all(content));
    if written.is_err() {
        let _ = match before {
            Some(length) => file.set_len(length),
            None => fs::remove_file(path),
        };
    }
    written
}

/// Whether a file that has so many bytes may get more. Whoever writes beyond the limit (`ulimit -f`) is killed by a signal,
/// and would have no time to say so.
///
/// # Errors
/// When it may not.
fn check_room(length: u64, more: usize) -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if length.saturating_add(more as u64) > limit => {
            Err(other(&format!("it would be larger than {limit} bytes, and the limit for files (`ulimit -f`) is that")))
        }
        _ => Ok(()),
    }
}

/// How much room there is for standard output, where that is a file.
#[derive(Debug)]
pub(super) struct Room {
    file: Option<File>,
    /// How long it was, and what was added.
    length: u64,
}

impl Room {
    /// Of what this stands for, which is written to elsewhere.
    pub(super) fn of(file: Option<File>) -> Room {
        let mut file = file.filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()));
        let place = |file: &mut File| file.stream_position().unwrap_or(0);
        let length = file.as_mut().map_or(0, place);
        Room { file, length }
    }

    /// Takes room for so many bytes.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn take(&mut self, more: usize) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        // Others may write to it too, such as standard error.
        let length = file.metadata().map_or(0, |metadata| metadata.len()).max(self.length);
        check_room(length, more)?;
        self.length = self.length.saturating_add(more as u64);
        Ok(())
    }
}

/// Where a path leads to, if it is a link to something.
fn followed(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    // What is behind `/dev/stdout` has no path that could be opened again.
    let target = if is_link { path.canonicalize().ok().filter(|target| target.exists()) } else { None };
    target.unwrap_or_else(|| path.to_owned())
}

fn check_takes(metadata: &fs::Metadata) -> io::Result<()> {
    let kind_of = metadata.file_type();
    let takes = kind_of.is_fifo() || kind_of.is_char_device();
    if takes { Ok(()) } else { Err(other(&format!("it is {}, and a file is needed", kind(metadata)))) }
}

/// Writes to a terminal, `/dev/null` or a pipe.
fn write_through(path: &Path, metadata: &fs::Metadata, content: &[u8]) -> io::Result<()> {
    check_takes(metadata)?;
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().write(true).custom_flags(flags).open(path);
    let mut file = opened.map_err(|error| match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::NXIO) => other("it is a pipe that nobody reads"),
        _ => error,
    })?;
    // Nobody was waited for; from here on whoever reads may take their time.
    rustix::io::ioctl_fionbio(&file, false)?;
    file.write_all(content)
}

fn replace(path: &Path, content: &[u8], permissions: Option<Permissions>) -> io::Result<()> {
    check_room(0, content.len())?;
    let mut beside = Beside::of(path, permissions)?;
    beside.file.write_all(content)?;
    fs::rename(&beside.path, path)
}

/// A file beside the one that it is to become; gone unless it was renamed.
struct Beside {
    file: File,
    path: PathBuf,
}

impl Beside {
    fn of(path: &Path, permissions: Option<Permissions>) -> io::Result<Beside> {
        // A path such as `..` names no file.
        if path.file_name().is_none() {
            return Err(other("it names no file"));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let path = folder.join(format!(".refundproof-{:016x}.tmp", drawn_seed()));
        let file = File::create_new(&path)?;
        let beside = Beside { file, path };
        if let Some(permissions) = permissions {
            beside.file.set_permissions(permissions)?;
        }
        Ok(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After the renaming it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// One path for all names of the same file, so that two can be compared.
pub(super) fn whole(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = absolute.canonicalize().ok();
    // What is not there yet stands in a folder that is.
    let beside = || Some(absolute.parent()?.canonicalize().ok()?.join(absolute.file_name()?));
    there.or_else(beside).unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        write(&path, b"one").expect("written");
        write(&path, b"two").expect("written again");
        assert_eq!(read(&path, SNAPSHOT).expect("read"), "two");
        check_writable(&path).expect("writable");
        append(&path, b" three").expect("added");
        assert_eq!(read(&path, SNAPSHOT).expect("read"), "two three");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing stays beside it");
    }

    #[test]
    fn links_lead_where_an_argument_says_and_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "before").expect("a file");
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        assert!(write_own(&link, b"own").is_err_and(|error| error.to_string().contains("a symbolic link")));
        write(&link, b"after").expect("written");
        assert_eq!(fs::read_to_string(&target).expect("a file"), "after");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(whole(&link), whole(&target));
    }

    #[test]
    fn too_much_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        File::create(&path).and_then(|file| file.set_len(SNAPSHOT.0 + 1)).expect("a file with a hole");
        assert!(read(&path, SNAPSHOT).is_err_and(|error| error.to_string().contains("larger than 1 MiB")));
        assert_eq!(read(&path, CASE).expect("read").len() as u64, SNAPSHOT.0 + 1);
        assert!(read(folder.path(), SNAPSHOT).is_err_and(|error| error.to_string().contains("a folder")));
        assert!(read(Path::new("/dev/zero"), SNAPSHOT).is_err_and(|error| error.to_string().contains("a device")));
    }
}
