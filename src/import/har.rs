//! HTTP Archives.
//! Source: <http://www.softwareishard.com/blog/har-12-spec/>.

use std::io;

use serde::Deserialize;

use super::{
    Logged,
    entries::{self, Place},
    formats::Take,
};

/// Reads an archive.
pub(super) fn read(log: impl io::BufRead, take: &mut Take<'_>) -> io::Result<()> {
    entries::read(log, Place { members: &["log", "entries"], or_alone: false, name: "the archive" }, logged, take)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    #[serde(default)]
    text: Option<String>,
}

fn logged(entry: &str) -> Result<Logged, String> {
    let Entry { request } = serde_json::from_str(entry)
        // What it says of its own quotes values, and what stands in headers may be secret.
        .map_err(|_| "it is no entry of an archive: `request` with a method, headers and what was posted".to_owned())?;
    if request.method != "POST" {
        return Err(format!("it is a {} request, and webhooks are posted", request.method));
    }
    let text = request.post_data.and_then(|data| data.text).ok_or_else(|| "it has no body".to_owned())?;
    let headers = request.headers.into_iter().map(|Header { name, value }| (name, value)).collect();
    Ok(Logged { headers, body: text.into_bytes() })
}
