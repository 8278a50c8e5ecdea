//! A service that the harness starts, kills and stops itself.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs,
    hash::{BuildHasher, RandomState},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use rustix::process::Pid;

use crate::adapter::{
    TargetErrorKind,
    ending::Ending,
    memory::{Growth, Memory},
    pipes::Tail,
    process::{Process, SUCCESS},
};

/// How long a service may take to go away when it is asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait for an answer when looking whether a port is taken.
const LOOK: Duration = Duration::from_millis(200);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// How a service is started.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ServiceSettings {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs; the harness's own folder if empty.
    pub directory: PathBuf,
    /// What is added to its environment.
    pub environment: BTreeMap<String, String>,
    /// How long it may take until it is ready.
    pub ready_within: Duration,
}

/// Environments hold secrets, so only the names of what is in it are shown.
impl fmt::Debug for ServiceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServiceSettings { command, directory, environment, ready_within } = self;
        let names: Vec<&String> = environment.keys().collect();
        f.debug_struct("ServiceSettings")
            .field("command", command)
            .field("directory", directory)
            .field("environment", &names)
            .field("ready_within", ready_within)
            .finish()
    }
}

impl ServiceSettings {
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.command.iter().chain(self.environment.values()).any(|text| text.contains(word))
    }
}

/// A service of our own; its process group is killed when this is dropped.
pub(super) struct Service {
    settings: ServiceSettings,
    process: Option<Process>,
    complaints: Tail,
    memory: Memory,
}

impl Service {
    pub(super) fn new(settings: ServiceSettings) -> Service {
        Service { settings, process: None, complaints: Tail::default(), memory: Memory::default() }
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.ending().is_none())
    }

    /// Starts it and waits until `is_ready` says so, which is given so much time for it, or why it is not. The error says which
    /// command and why.
    pub(super) fn start(
        &mut self,
        sockets: &[SocketAddr],
        mut is_ready: impl FnMut(Duration) -> Result<(), String>,
    ) -> Result<(), TargetErrorKind> {
        self.kill();
        let fail = |why: String| Err(TargetErrorKind::NotStarted(why));
        if let Some(port) = taken(sockets) {
            return fail(format!(
                "port {port} is in use already{}; stop that, or write {{port}} in place of the port to have a free one chosen",
                holder(port)
            ));
        }
        let command: Vec<OsString> = self.settings.command.iter().map(OsString::from).collect();
        let words = self.settings.command.join(" ");
        let process = Process::start_service(&command, &self.settings.directory, &self.settings.environment);
        self.memory.begins();
        let process = self.process.insert(process.map_err(TargetErrorKind::NotStarted)?);
        let deadline = Instant::now() + self.settings.ready_within;
        let mut pause = SHORTEST_PAUSE;
        let mut ending = Ending::default();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = is_ready(left.max(LOOK));
            if let Some(how) = process.ending() {
                let hint = if how == SUCCESS { "; it must stay in the foreground" } else { "" };
                return fail(format!("`{words}` {how}{hint}{}", last_line(process)));
            }
            let Err(why) = ready else { return Ok(()) };
            if left.is_zero() {
                let (within, last) = (self.settings.ready_within, last_line(process));
                return fail(format!("`{words}` was not ready within {within:?} (`server.ready_within`): {why}{last}"));
            }
            if ending.is_over() {
                return Err(TargetErrorKind::Interrupted);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// SIGKILL to the whole group.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.close();
            process.take_complaints(&mut self.complaints);
        }
    }

    /// Lets it and all that it has started stand still, until they are told to go on.
    pub(super) fn stand_still(&self) -> Option<Pid> {
        self.process.as_ref().and_then(Process::stop)
    }

    /// From now on it cannot write to files, until it is started again.
    pub(super) fn fill_disk(&self) {
        self.process.iter().for_each(Process::fill_disk);
    }

    /// A case is over, which is when it is looked how much memory it has.
    pub(super) fn case_is_over(&mut self) {
        self.memory.case_is_over(|| self.process.as_ref().and_then(Process::memory));
    }

    pub(super) fn growth(&self) -> Option<Growth> {
        self.memory.growth()
    }

    /// Asks it to go, and kills it if it does not.
    pub(super) fn stop(&mut self) {
        if let Some(process) = &self.process {
            process.terminate(Instant::now() + GRACE);
        }
        self.kill();
    }

    /// How it ended and what it wrote last, if it has ended.
    pub(super) fn ending(&mut self) -> Option<String> {
        let how = self.process.as_ref()?.wait_for_ending(Instant::now() + LONGEST_PAUSE * 5)?;
        let mut process = self.process.take()?;
        let last = last_line(&mut process);
        process.take_complaints(&mut self.complaints);
        Some(format!("{how}{last}"))
    }

    pub(super) fn complaints(&mut self) -> String {
        if let Some(process) = &self.process {
            process.take_complaints(&mut self.complaints);
        }
        self.complaints.take()
    }
}

/// The last line of a service that is over, to be added to what became of it.
fn last_line(process: &mut Process) -> String {
    process.last_words().map(|line| format!("; the last line that it wrote: `{line}`")).unwrap_or_default()
}

/// The port, if somebody takes connections there. One who was killed a moment ago may need another to let go of it.
fn taken(sockets: &[SocketAddr]) -> Option<u16> {
    const LOOKS: u32 = 10;
    let mut taken = None;
    for _ in 0..LOOKS {
        taken = sockets.iter().find(|socket| TcpStream::connect_timeout(socket, LOOK).is_ok()).map(SocketAddr::port);
        if taken.is_none() {
            break;
        }
        std::thread::sleep(LONGEST_PAUSE);
    }
    taken
}

/// A port that was free a moment ago. It lies below those that systems give to whoever asks for any, so that nobody is given it while
/// a service starts; where none of some is free there, it is one of those.
pub(super) fn free_port() -> Result<u16, String> {
    const FIRST: u16 = 20_000;
    const PORTS: u64 = 12_000;
    const LOOKS: u8 = 50;
    let chance = RandomState::new();
    let below = |look: u8| u16::try_from(chance.hash_one(look) % PORTS).map_or(FIRST, |place| FIRST + place);
    let bound = (0..LOOKS).find_map(|look| TcpListener::bind(("127.0.0.1", below(look))).ok());
    let listener = bound.map_or_else(|| TcpListener::bind(("127.0.0.1", 0)), Ok).map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

/// Who holds a port, as far as the system tells.
fn holder(port: u16) -> String {
    find_holder(port).map(|(pid, name)| format!(" by process {pid} ({name})")).unwrap_or_default()
}

/// Linux tells which socket listens where, and which process has it open.
fn find_holder(port: u16) -> Option<(u32, String)> {
    const LISTENING: &str = "0A";
    let hex = format!(":{port:04X}");
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let text = fs::read_to_string(table).ok()?;
        text.lines().skip(1).find_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let fits = columns.get(1)?.ends_with(&hex) && *columns.get(3)? == LISTENING;
            fits.then(|| columns.get(9).map(|inode| (*inode).to_owned()))?
        })
    })?;
    let socket = format!("socket:[{inode}]");
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(entry.path().join("fd")).ok()?.flatten();
        files.find(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == socket.as_str()))?;
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        Some((pid, name.trim().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks the system for any port is given a higher one.
    #[test]
    fn nobody_is_given_the_port_of_a_service_that_starts() {
        for _ in 0..20 {
            let port = free_port().expect("a port");
            assert!((20_000..32_000).contains(&port), "{port}");
        }
    }
}
