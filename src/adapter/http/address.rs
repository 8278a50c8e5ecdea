//! URLs of a target, and whether it may be spoken to at all.

use std::{
    borrow::Cow,
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
};

use hyper::Uri;

use crate::adapter::endpoint::{ENDPOINT, ORDER_ID};

/// An `http://` URL, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// As written.
    text: String,
    /// What the `host` header says.
    pub(super) host: String,
    /// Where to connect to, in the order in which to try.
    pub(super) sockets: Vec<SocketAddr>,
    /// Path and query, percent-encoded; may hold the placeholder of an order id or of an endpoint.
    pub(super) path: String,
}

impl Address {
    /// Reads a URL. The error says what is wrong with it.
    pub(super) fn read(text: &str, allow_remote: bool) -> Result<Address, String> {
        let fail = |why: &str| format!("`{text}`: {why}");
        // The braces of placeholders are no characters of a URL.
        const STAND_INS: [(&str, &str); 2] = [(ORDER_ID, "refundproof-order-id"), (ENDPOINT, "refundproof-endpoint")];
        let plain = STAND_INS.iter().fold(text.to_owned(), |text, (placeholder, stand_in)| text.replace(placeholder, stand_in));
        let uri: Uri = plain.parse().map_err(|error| fail(&format!("is no URL: {error}")))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(fail("https is not spoken; name an http:// address of the service itself, behind what ends TLS")),
            _ => return Err(fail("is no http:// URL")),
        }
        let authority = uri.authority().ok_or_else(|| fail("names no host"))?;
        if authority.as_str().contains('@') {
            return Err("names a user, whom nobody would be told of; leave out what stands before the `@`".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        // `Authority::port` passes over what is written as a port and is none.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            None | Some("") => 80,
            Some(port) => port.trim_start_matches(':').parse().map_err(|_| fail("has a port that is none"))?,
        };
        let sockets = resolve(host, port).map_err(|error| fail(&format!("the host cannot be found: {error}")))?;
        if !allow_remote && !sockets.iter().all(|socket| socket.ip().to_canonical().is_loopback()) {
            return Err(fail(
                "is not on this machine (127.0.0.1, [::1] or localhost); deliveries go to other machines only with --allow-remote",
            ));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let path = STAND_INS.iter().fold(path, |path, (placeholder, stand_in)| path.replace(stand_in, placeholder));
        Ok(Address { text: text.to_owned(), host: authority.as_str().to_owned(), sockets, path })
    }

    /// The path of an order's URL.
    pub(super) fn path_of(&self, order_id: &str) -> String {
        self.path.replace(ORDER_ID, &encoded(order_id))
    }

    /// The URL of an endpoint; the same for all of them where it does not hold the placeholder.
    pub(super) fn of(&self, endpoint: Option<&str>) -> Cow<'_, Address> {
        if !self.path.contains(ENDPOINT) {
            return Cow::Borrowed(self);
        }
        let path = self.path.replace(ENDPOINT, &encoded(endpoint.unwrap_or_default()));
        Cow::Owned(Address { path, ..self.clone() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let sockets: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    if sockets.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(sockets) }
}

/// Order ids are harmless, but a case may be written by hand.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = Address::read(text, false).expect_err("is not taken");
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn urls_are_taken_apart() {
        let address = Address::read("http://127.0.0.1:4004/orders/{orderId}?full=1", false).expect("a URL");
        assert_eq!(address.host, "127.0.0.1:4004");
        assert_eq!(address.path_of("23/5"), "/orders/23%2F5?full=1");
        assert_eq!(Address::read("http://[::1]:80", false).expect("a URL").path, "/");
        assert!(Address::read("http://localhost:1/x", false).is_ok());
    }

    #[test]
    fn each_endpoint_has_its_url() {
        let address = Address::read("http://127.0.0.1:4004/hooks/{endpoint}", false).expect("a URL");
        assert_eq!(address.of(Some("disputes")).path, "/hooks/disputes");
        let address = Address::read("http://127.0.0.1:4004/hooks", false).expect("a URL");
        assert_eq!(*address.of(Some("disputes")), address);
    }

    #[test]
    fn what_is_not_here_is_refused() {
        refused("http://192.0.2.7/x", "--allow-remote");
        assert!(Address::read("http://192.0.2.7/x", true).is_ok());
    }

    #[test]
    fn passwords_are_not_shown() {
        assert!(!Address::read("http://me:hush@127.0.0.1/", false).expect_err("is not taken").contains("hush"));
    }

    #[test]
    fn other_things_are_refused() {
        refused("https://127.0.0.1/x", "https is not spoken");
        refused("127.0.0.1:80/x", "is no");
        refused("ftp://127.0.0.1/x", "is no http:// URL");
        refused("http://127.0.0.1:99999/", "port that is none");
        refused("http://127.0.0.1:/", "port that is none");
        refused("", "is no URL");
        refused("http://me:pass@127.0.0.1/", "names a user");
    }
}
