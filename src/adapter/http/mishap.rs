//! Deliveries that go wrong on the way, on a connection of their own: a client library would rather not do this.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use rustix::net::sockopt::set_socket_linger;

use super::{address::Address, client::Trouble};
use crate::adapter::{
    Request,
    ending::{Ending, LOOK},
};

/// A pause between two bytes that are read slowly, and how many bytes that goes on for.
const SLOW: Duration = Duration::from_millis(1);
const SLOW_BYTES: usize = 40;
/// An answer is not read further than this.
const LONGEST_HEAD: usize = 64 << 10;
/// How long one attempt to connect takes at most: it cannot be broken off. A system asks again after a second if its first
/// request was lost.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(2);

/// Sends the request and closes the connection when the answer is there.
pub(super) fn leave_unread(address: &Address, request: &Request<'_>, limit: Duration) -> Result<(), Trouble> {
    let mut line = sent(address, request, limit, request.body.len())?;
    match line.patiently(|stream| stream.peek(&mut [0]))? {
        0 => Err(closed()),
        _ => {
            line.abort();
            Ok(())
        }
    }
}

/// Sends the request and resets the connection at once.
pub(super) fn reset(address: &Address, request: &Request<'_>, limit: Duration) -> Result<(), Trouble> {
    sent(address, request, limit, request.body.len())?.abort();
    Ok(())
}

/// Sends the request with half of its body and closes the connection.
pub(super) fn half_send(address: &Address, request: &Request<'_>, limit: Duration) -> Result<(), Trouble> {
    sent(address, request, limit, request.body.len() / 2).map(drop)
}

/// Sends the request and leaves the connection open: somebody is killed next.
pub(super) fn only_send(address: &Address, request: &Request<'_>, limit: Duration) -> Result<TcpStream, Trouble> {
    sent(address, request, limit, request.body.len()).map(|line| line.stream)
}

/// Sends the request and reads the answer byte by byte.
pub(super) fn read_slowly(address: &Address, request: &Request<'_>, limit: Duration) -> Result<u16, Trouble> {
    let mut line = sent(address, request, limit, request.body.len())?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while line.patiently(|stream| stream.read(&mut byte))? > 0 {
        answer.push(byte[0]);
        if answer.ends_with(b"\r\n\r\n") && status(&answer).is_ok_and(|status| (100..200).contains(&status)) {
            // Only that the answer is still to come.
            answer.clear();
        } else if answer.ends_with(b"\r\n\r\n") || answer.len() > LONGEST_HEAD {
            break;
        }
        if answer.len() < SLOW_BYTES {
            std::thread::sleep(SLOW);
        }
    }
    status(&answer)
}

fn status(answer: &[u8]) -> Result<u16, Trouble> {
    if answer.is_empty() {
        return Err(closed());
    }
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let is_http = words.next().is_some_and(|word| word.starts_with(b"HTTP/1."));
    let status = words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(|word| word.trim().parse().ok());
    status.filter(|_| is_http).ok_or_else(|| Trouble::NoHttp("the first line of the answer is no HTTP".to_owned()))
}

/// Connects and sends the head and so much of the body.
fn sent(address: &Address, request: &Request<'_>, limit: Duration, body: usize) -> Result<Line, Trouble> {
    let mut bytes = format!("POST {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", address.path, address.host);
    for (name, value) in request.headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(&request.body[..body]);
    let mut line = Line::connect(address, limit)?;
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let count = line.patiently(|stream| stream.write(rest))?;
        rest = &rest[count..];
    }
    Ok(line)
}

/// A connection that has a time limit, and is given up when the program is to end.
struct Line {
    stream: TcpStream,
    patience: Patience,
}

struct Patience {
    limit: Duration,
    deadline: Instant,
    ending: Ending,
}

impl Patience {
    /// How much is left; an error if nothing is.
    fn left(&mut self) -> Result<Duration, Trouble> {
        if self.ending.is_over() {
            return Err(Trouble::Interrupted);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Trouble::TimedOut(self.limit)) } else { Ok(left) }
    }
}

impl Line {
    fn connect(address: &Address, limit: Duration) -> Result<Line, Trouble> {
        let mut patience = Patience { limit, deadline: Instant::now() + limit, ending: Ending::default() };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        let mut sockets = address.sockets.iter();
        let mut socket = sockets.next();
        while let Some(at) = socket {
            match TcpStream::connect_timeout(at, patience.left()?.min(LONGEST_ATTEMPT)) {
                Ok(stream) => {
                    let ready = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(LOOK)));
                    ready.and_then(|()| stream.set_write_timeout(Some(LOOK))).map_err(|error| Trouble::Unreachable(error.to_string()))?;
                    return Ok(Line { stream, patience });
                }
                // Nobody said no yet.
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                Err(error) => {
                    last = error;
                    socket = sockets.next();
                }
            }
        }
        Err(Trouble::Unreachable(last.to_string()))
    }

    /// What a call gives that may take until the limit.
    fn patiently<T>(&mut self, mut call: impl FnMut(&mut TcpStream) -> io::Result<T>) -> Result<T, Trouble> {
        loop {
            // Also when something comes all the time: it may come for ever.
            self.patience.left()?;
            match call(&mut self.stream) {
                Ok(done) => return Ok(done),
                // A signal is no end, and neither is a moment in which nothing comes.
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(error) => return Err(Trouble::Broken(error.to_string())),
            }
        }
    }

    /// Makes that closing the connection resets it.
    fn abort(&mut self) {
        // If that is not possible it is only closed, which is as bad for the target.
        let _ = set_socket_linger(&self.stream, Some(Duration::ZERO));
    }
}

fn closed() -> Trouble {
    Trouble::Broken("connection closed before message completed".to_owned())
}
