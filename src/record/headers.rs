//! Which headers are written, and of which only the name.

use std::collections::BTreeMap;

use hyper::HeaderMap;

/// What stands in the place of a value that is not written.
pub(super) const LEFT_OUT: &str = "(not written)";

/// Parts of the names of headers that let somebody in, or that follow from what does.
const SECRET: [&str; 12] =
    ["auth", "cookie", "token", "secret", "signature", "password", "passwd", "session", "api-key", "apikey", "credential", "-key"];

/// The headers as they are written. A signature is left out, too: nobody could check it once what is personal is replaced.
pub(super) fn written(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = if is_secret(name.as_str()) { LEFT_OUT.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
        match written.get_mut(name.as_str()) {
            Some(before) if before == LEFT_OUT => {}
            Some(before) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            None => _ = written.insert(name.as_str().to_owned(), value),
        }
    }
    written
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|part| name.contains(part))
}
