//! A client of Stripe's API as small as it can be: requests of HTTP/1.1 one after the other on a connection that is kept.
//!
//! It knows no objects. What a shop makes of a failure is the shop's business.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// Longer than any answer takes that still comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API at one address, with the connection to it while there is one.
#[derive(Default)]
pub(crate) struct Api {
    host: String,
    connection: Option<BufReader<TcpStream>>,
}

/// Why there is no object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing is wrong with the question: no answer came, or one that says to ask again.
    Later,
    /// The API knows no such object, or takes no such question.
    Refused(u16),
}

impl Api {
    pub(crate) fn at(base_url: &str) -> Api {
        Api { host: base_url.trim_start_matches("http://").trim_end_matches('/').to_owned(), connection: None }
    }

    pub(crate) fn get(&mut self, path: &str, query: &[(&str, &str)]) -> std::result::Result<Value, Failure> {
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", form(query)) };
        read(self.ask("GET", &path, "", ""))
    }

    /// A `POST` that can be repeated: the API does once what has one key.
    pub(crate) fn post(&mut self, path: &str, key: &str, fields: &[(&str, &str)]) -> std::result::Result<Value, Failure> {
        let body = form(fields);
        let headers = format!("idempotency-key: {key}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
        read(self.ask("POST", path, &headers, &body))
    }

    /// Every page of a list. Pages are so small that there are several.
    pub(crate) fn list(&mut self, path: &str, query: &[(&str, &str)]) -> std::result::Result<Vec<Value>, Failure> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let last = all.last().and_then(|object| object["id"].as_str()).map(str::to_owned);
            let after = last.as_deref().map(|last| ("starting_after", last));
            let page = self.get(path, &query.iter().copied().chain([("limit", "2")]).chain(after).collect::<Vec<_>>())?;
            all.extend(page["data"].as_array().into_iter().flatten().cloned());
            if page["has_more"] != true {
                return Ok(all);
            }
        }
    }

    /// A kept connection may have been closed meanwhile, and then the question was not heard.
    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<(u16, String)> {
        let host = &self.host;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer sk_test_outsider\r\nuser-agent: shop/1\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        if let Some(kept) = self.connection.take() {
            match self.talk(kept, &request) {
                Err(error) if is_stale(&error) => {}
                answer => return answer,
            }
        }
        let stream = TcpStream::connect(&self.host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.talk(BufReader::new(stream), &request)
    }

    fn talk(&mut self, mut connection: BufReader<TcpStream>, request: &str) -> Result<(u16, String)> {
        connection.get_mut().write_all(request.as_bytes())?;
        let first = line(&mut connection)?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(ErrorKind::InvalidData)?;
        let (mut length, mut is_chunked, mut is_kept) = (0, false, true);
        loop {
            let header = line(&mut connection)?.to_ascii_lowercase();
            let Some((name, value)) = header.split_once(':') else { break };
            match (name, value.trim()) {
                ("content-length", value) => length = value.parse().map_err(|_| ErrorKind::InvalidData)?,
                ("transfer-encoding", value) => is_chunked = value == "chunked",
                ("connection", value) => is_kept = value != "close",
                _ => {}
            }
        }
        let mut body = Vec::new();
        if is_chunked {
            loop {
                let size = usize::from_str_radix(&line(&mut connection)?, 16).map_err(|_| ErrorKind::InvalidData)?;
                let start = body.len();
                body.resize(start + size, 0);
                connection.read_exact(&mut body[start..])?;
                line(&mut connection)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            body.resize(length, 0);
            connection.read_exact(&mut body)?;
        }
        self.connection = is_kept.then_some(connection);
        Ok((status, String::from_utf8(body).map_err(|_| ErrorKind::InvalidData)?))
    }
}

fn line(connection: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Err(Error::from(ErrorKind::UnexpectedEof));
    }
    Ok(line.trim_end().to_owned())
}

fn is_stale(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted)
}

fn read(answer: Result<(u16, String)>) -> std::result::Result<Value, Failure> {
    match answer {
        Ok((200, body)) => serde_json::from_str(&body).map_err(|_| Failure::Later),
        Ok((409 | 429 | 500.., _)) | Err(_) => Err(Failure::Later),
        Ok((status, _)) => Err(Failure::Refused(status)),
    }
}

/// Fields as a form writes them.
fn form(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (place, (name, value)) in fields.iter().enumerate() {
        if place > 0 {
            text.push('&');
        }
        escape(&mut text, name);
        text.push('=');
        escape(&mut text, value);
    }
    text
}

fn escape(text: &mut String, plain: &str) {
    for byte in plain.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("text takes text");
        }
    }
}
