//! An owned child process that speaks in lines.
//!
//! It runs in a process group of its own, and the group is killed whenever the owner lets go of it, in a
//! panic too: a run leaves no process behind. Nothing here waits without a limit, whatever the child does: it
//! may never read, never stop writing, or leave a process behind that keeps its pipes open.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process_group, waitid, waitpid},
};

use super::{
    group, leftovers,
    pipes::{Complaints, Inbox, Pause, Tail},
};

/// How long a killed group may take to let go of its pipes. Then whoever still holds them has left the group.
const DYING: Duration = Duration::from_millis(250);
/// How long a killed process may take to be reaped here; after that a thread does it.
const REAPING: Duration = Duration::from_secs(1);

/// How a process ended that has nothing to complain about.
#[cfg(feature = "http")]
pub(super) const SUCCESS: &str = "ended with exit status: 0";

/// A running child and everything that runs in its process group.
pub(super) struct Process {
    child: Child,
    group: Pid,
    stdin: Option<ChildStdin>,
    inbox: Arc<Inbox>,
    complaints: Arc<Complaints>,
    closed: bool,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The pipe took everything.
    Everything,
    /// The pipe was still full at the deadline.
    Stuck,
    /// Nobody reads any more.
    Unread,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line that is not blank, without its end.
    Line(Vec<u8>),
    /// No further line will come.
    End(End),
    /// No line came in time.
    Nothing,
}

/// Why no further line will come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The standard output was closed.
    Closed,
    /// More was written than anyone wants to read; what it was.
    Flood(&'static str),
}

impl Process {
    /// Starts a command in a process group of its own. The error says which command and why.
    pub(super) fn start(command: &[OsString]) -> Result<Process, String> {
        Process::start_in(command, Path::new(""))
    }

    /// The same in a folder; an empty path is this process's own.
    pub(super) fn start_in(command: &[OsString], directory: &Path) -> Result<Process, String> {
        let Some((program, arguments)) = command.split_first() else {
            return Err("no command is given".to_owned());
        };
        let mut starting = Command::new(program);
        starting.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        if !directory.as_os_str().is_empty() {
            starting.current_dir(directory);
        }
        let mut child = leftovers::spawn(&mut starting).map_err(|error| cannot_start(program, &error))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let group = Pid::from_child(&child);
        // From here on the guard is there: whatever fails below, the group is killed.
        let process = Process { child, group, stdin, inbox: Arc::default(), complaints: Arc::default(), closed: false };
        process.attend(stdout, stderr.map(OwnedFd::from)).map_err(|error| format!("`{}`: {error}", program.display()))?;
        Ok(process)
    }

    /// Starts a command that is spoken to in other ways. What it writes is all kept as complaints.
    #[cfg(feature = "http")]
    pub(super) fn start_service(
        command: &[OsString],
        directory: &Path,
        environment: &std::collections::BTreeMap<String, String>,
    ) -> Result<Process, String> {
        let Some((program, arguments)) = command.split_first() else {
            return Err("no command is given".to_owned());
        };
        let (said, writer) = io::pipe().map_err(|error| format!("no pipe: {error}"))?;
        let also = writer.try_clone().map_err(|error| format!("no pipe: {error}"))?;
        let mut started = Command::new(program);
        started.args(arguments).envs(environment).stdin(Stdio::null()).stdout(writer).stderr(also).process_group(0);
        if !directory.as_os_str().is_empty() {
            started.current_dir(directory);
        }
        let child = leftovers::spawn(&mut started).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if !directory.as_os_str().is_empty() && !directory.is_dir() => {
                format!("the folder `{}` to run it in is not there", directory.display())
            }
            _ => cannot_start(program, &error),
        })?;
        // Its ends of the pipe are closed with this.
        drop(started);
        let group = Pid::from_child(&child);
        let process = Process { child, group, stdin: None, inbox: Arc::default(), complaints: Arc::default(), closed: false };
        process.inbox.close();
        process.attend(None, Some(said.into())).map_err(|error| format!("`{}`: {error}", program.display()))?;
        Ok(process)
    }

    /// Asks the group to end, and waits for it until the deadline.
    #[cfg(feature = "http")]
    pub(super) fn terminate(&self, deadline: Instant) {
        if !self.closed && kill_process_group(self.group, Signal::TERM).is_ok() {
            self.wait_for_ending(deadline);
        }
    }

    /// Stops the whole group, until it is told to go on; which group that is, if it is there.
    pub(super) fn stop(&self) -> Option<Pid> {
        let is_stopped = !self.closed && kill_process_group(self.group, Signal::STOP).is_ok();
        is_stopped.then_some(self.group)
    }

    /// From now on nothing that it writes to files is kept, where the system lets us.
    pub(super) fn fill_disk(&self) {
        if !self.closed {
            group::fill_disk(self.group);
        }
    }

    /// How many KiB of memory the whole group has, where the system tells.
    pub(super) fn memory(&self) -> Option<u64> {
        if self.closed { None } else { group::memory(self.group) }
    }

    fn attend(&self, stdout: Option<ChildStdout>, stderr: Option<OwnedFd>) -> io::Result<()> {
        if let Some(stdin) = &self.stdin {
            // Only our end of the pipe: the child's end has its own flags.
            rustix::io::ioctl_fionbio(stdin, true)?;
        }
        if let Some(stdout) = stdout {
            let inbox = Arc::clone(&self.inbox);
            thread::Builder::new().name("target stdout".to_owned()).spawn(move || inbox.read_from(stdout))?;
        }
        if let Some(stderr) = stderr.map(Arc::new) {
            let complaints = Arc::clone(&self.complaints);
            complaints.lock().source = Some(Arc::clone(&stderr));
            thread::Builder::new().name("target stderr".to_owned()).spawn(move || complaints.read_from(&stderr))?;
        }
        Ok(())
    }

    /// Writes to the standard input, until the deadline at most.
    pub(super) fn write(&mut self, mut bytes: &[u8], deadline: Instant) -> Written {
        let Some(stdin) = &mut self.stdin else {
            return Written::Unread;
        };
        let mut pause = Pause::default();
        while !bytes.is_empty() {
            match stdin.write(bytes) {
                Ok(0) => return Written::Unread,
                Ok(count) => {
                    bytes = &bytes[count..];
                    pause = Pause::default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.inbox.has_ended() {
                        return Written::Unread;
                    }
                    if !pause.rest(deadline) {
                        return Written::Stuck;
                    }
                }
                Err(_) => return Written::Unread,
            }
        }
        Written::Everything
    }

    /// What was read of the standard output.
    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Closes the standard input, which tells a well-behaved child to go.
    pub(super) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// How the child ended, if it has. It is not reaped: its process id stays taken, so that killing its group
    /// cannot hit anyone else.
    pub(super) fn ending(&self) -> Option<String> {
        if self.closed {
            return Some("was killed".to_owned());
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = match waitid(WaitId::Pid(self.group), options) {
            Ok(Some(status)) => status,
            Ok(None) | Err(Errno::INTR) => return None,
            // Where SIGCHLD is ignored, the system reaps children without telling.
            Err(_) => return Some("ended; its exit status is not known".to_owned()),
        };
        let text = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => format!("ended with exit status: {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}{}", signal_name(signal)),
            (None, None) => "ended".to_owned(),
        };
        Some(text)
    }

    /// The same, after waiting for the end until the deadline.
    pub(super) fn wait_for_ending(&self, deadline: Instant) -> Option<String> {
        let mut pause = Pause::default();
        loop {
            let ending = self.ending();
            if ending.is_some() || !pause.rest(deadline) {
                return ending;
            }
        }
    }

    /// Kills the group and reaps the child. Complaints can still be asked for.
    pub(super) fn close(&mut self) {
        if self.closed {
            return;
        }
        // An error means that nothing is left to kill. The pipes are still open: the child sees no end of input
        // before the kill.
        let _ = kill_process_group(self.group, Signal::KILL);
        leftovers::is_killed(self.group);
        self.closed = true;
        self.stdin = None;
        let deadline = Instant::now() + DYING;
        // The pipes close when the last process of the group has let go of its files, locks and sockets, which
        // the next process may want.
        self.inbox.wait_for_end(deadline);
        self.complaints.wait_for_end(deadline);
        self.inbox.abandon();
        self.complaints.abandon();
        self.reap();
    }

    fn reap(&mut self) {
        let deadline = Instant::now() + REAPING;
        let mut pause = Pause::default();
        while matches!(self.child.try_wait(), Ok(None)) {
            if !pause.rest(deadline) {
                // It hangs in the kernel. Somebody has to reap it some day, but nobody has to wait for that.
                let pid = self.group;
                let reaper = move || waitpid(Some(pid), WaitOptions::empty()).is_ok();
                let _ = thread::Builder::new().name("target reaper".to_owned()).spawn(reaper);
                return;
            }
        }
    }

    /// Moves what was written to the standard error to `tail`.
    pub(super) fn take_complaints(&self, tail: &mut Tail) {
        self.complaints.catch_up();
        let mut state = self.complaints.lock();
        tail.append(&mut state.tail);
    }

    /// The last complaint that is not blank and was not taken away yet. Only when the process is closed has everything been
    /// read that it wrote, so this closes it.
    pub(super) fn last_words(&mut self) -> Option<String> {
        self.close();
        self.complaints.lock().tail.last_line()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
    }
}

fn cannot_start(program: &OsString, error: &io::Error) -> String {
    let program_text = program.display();
    // The system says the same of a program that is not there and of one whose interpreter is not there.
    let is_there = std::path::Path::new(program).is_file();
    match error.kind() {
        io::ErrorKind::NotFound if is_there => format!("the interpreter that `{program_text}` names in its first line was not found"),
        io::ErrorKind::NotFound => format!("the command `{program_text}` was not found"),
        io::ErrorKind::PermissionDenied => format!("the command `{program_text}` is not executable: {error}"),
        _ => format!("the command `{program_text}` cannot be run: {error}"),
    }
}

fn signal_name(signal: i32) -> &'static str {
    const NAMES: [(Signal, &str); 11] = [
        (Signal::HUP, " (SIGHUP)"),
        (Signal::INT, " (SIGINT)"),
        (Signal::ILL, " (SIGILL)"),
        (Signal::ABORT, " (SIGABRT)"),
        (Signal::BUS, " (SIGBUS)"),
        (Signal::FPE, " (SIGFPE)"),
        (Signal::KILL, " (SIGKILL)"),
        (Signal::SEGV, " (SIGSEGV)"),
        (Signal::PIPE, " (SIGPIPE)"),
        (Signal::TERM, " (SIGTERM)"),
        (Signal::XFSZ, " (SIGXFSZ)"),
    ];
    NAMES.iter().find(|(known, _)| known.as_raw() == signal).map_or("", |(_, name)| name)
}
