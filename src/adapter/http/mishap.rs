//! Deliveries that go wrong on the way, on a connection of their own: a client library would rather not do this.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::net::sockopt::set_socket_linger;

use super::{address::Address, client::Trouble};
use crate::adapter::Request;

/// A pause between two bytes that are read slowly, and how many bytes that goes on for.
const SLOW: Duration = Duration::from_millis(1);
const SLOW_BYTES: usize = 40;
/// An answer is not read further than this.
const LONGEST_HEAD: usize = 64 << 10;

/// Sends the request and closes the connection when the answer is there.
pub(super) fn leave_unread(address: &Address, request: &Request<'_>, limit: Duration) -> Result<(), Trouble> {
    let mut stream = sent(address, request, limit, request.body.len())?;
    match uninterrupted(|| stream.peek(&mut [0])) {
        Ok(0) => Err(Trouble::Broken("connection closed before message completed".to_owned())),
        Ok(_) => {
            abort(&mut stream);
            Ok(())
        }
        Err(error) => Err(trouble(&error, limit)),
    }
}

/// Sends the request and resets the connection at once.
pub(super) fn reset(address: &Address, request: &Request<'_>, limit: Duration) -> Result<(), Trouble> {
    let mut stream = sent(address, request, limit, request.body.len())?;
    abort(&mut stream);
    Ok(())
}

/// Sends the request with half of its body and closes the connection.
pub(super) fn half_send(address: &Address, request: &Request<'_>, limit: Duration) -> Result<(), Trouble> {
    sent(address, request, limit, request.body.len() / 2).map(drop)
}

/// Sends the request and leaves the connection open: somebody is killed next.
pub(super) fn only_send(address: &Address, request: &Request<'_>, limit: Duration) -> Result<TcpStream, Trouble> {
    sent(address, request, limit, request.body.len())
}

/// Sends the request and reads the answer byte by byte.
pub(super) fn read_slowly(address: &Address, request: &Request<'_>, limit: Duration) -> Result<u16, Trouble> {
    let mut stream = sent(address, request, limit, request.body.len())?;
    let deadline = Instant::now() + limit;
    let mut answer = Vec::new();
    let mut byte = [0];
    loop {
        match uninterrupted(|| stream.read(&mut byte)) {
            Ok(0) => break,
            Ok(_) => answer.push(byte[0]),
            Err(error) => return Err(trouble(&error, limit)),
        }
        if answer.ends_with(b"\r\n\r\n") && status(&answer).is_ok_and(|status| (100..200).contains(&status)) {
            // Only that the answer is still to come.
            answer.clear();
        } else if answer.ends_with(b"\r\n\r\n") || answer.len() > LONGEST_HEAD {
            break;
        }
        if Instant::now() > deadline {
            return Err(Trouble::TimedOut(limit));
        }
        if answer.len() < SLOW_BYTES {
            std::thread::sleep(SLOW);
        }
    }
    status(&answer)
}

fn status(answer: &[u8]) -> Result<u16, Trouble> {
    if answer.is_empty() {
        return Err(Trouble::Broken("connection closed before message completed".to_owned()));
    }
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let is_http = words.next().is_some_and(|word| word.starts_with(b"HTTP/1."));
    let status = words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(|word| word.trim().parse().ok());
    status.filter(|_| is_http).ok_or_else(|| Trouble::NoHttp("the first line of the answer is no HTTP".to_owned()))
}

/// Connects and sends the head and so much of the body.
fn sent(address: &Address, request: &Request<'_>, limit: Duration, body: usize) -> Result<TcpStream, Trouble> {
    let mut stream = connect(&address.sockets, limit).map_err(|error| Trouble::Unreachable(error.to_string()))?;
    let mut bytes = format!("POST {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", address.path, address.host);
    for (name, value) in request.headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(&request.body[..body]);
    match stream.write_all(&bytes) {
        Ok(()) => Ok(stream),
        Err(error) => Err(trouble(&error, limit)),
    }
}

fn connect(sockets: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for socket in sockets {
        match TcpStream::connect_timeout(socket, limit) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A signal is no end: where there is a time limit, the system does not go on by itself.
fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Makes that closing the connection resets it.
fn abort(stream: &mut TcpStream) {
    // If that is not possible it is only closed, which is as bad for the target.
    let _ = set_socket_linger(stream, Some(Duration::ZERO));
}

fn trouble(error: &io::Error, limit: Duration) -> Trouble {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Trouble::TimedOut(limit),
        _ => Trouble::Broken(error.to_string()),
    }
}
