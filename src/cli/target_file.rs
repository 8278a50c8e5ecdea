//! The target file, `refundproof.toml`: what is certified and how it is reached.
//!
//! A name that is not known is an error with its line, so that nothing that was meant is left out in silence.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use hyper::header::HeaderName;
use serde::Deserialize;

use super::{Stop, args::parse_time};
use crate::{
    adapter::{Capabilities, HttpSettings, Introduction, Mapping, ServiceSettings, Setup},
    domain::{Secret, did_you_mean},
};

/// A target file, read.
pub(super) struct TargetFile {
    pub(super) transport: Transport,
    /// Items of the checklist that are knowingly left out.
    pub(super) without: Vec<String>,
    /// What deliveries are signed with; over HTTP nothing is signed without it.
    pub(super) secret: Option<Secret>,
    /// The header that carries the signature, where it is another than the provider's own.
    pub(super) signature_header: Option<String>,
}

pub(super) enum Transport {
    /// The command that speaks the stdio transport.
    Stdio(Vec<String>),
    Http(Box<HttpSettings>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default)]
    without: Vec<String>,
    target: TargetTable,
    #[serde(default)]
    capabilities: Option<toml::Table>,
    #[serde(default)]
    server: Option<ServerTable>,
    #[serde(default)]
    http: Option<HttpTable>,
    #[serde(default)]
    mapping: Option<Mapping>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    secret: Option<Secret>,
    #[serde(default)]
    secret_env: Option<String>,
    #[serde(default)]
    signature_header: Option<String>,
    #[serde(default)]
    command: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTable {
    command: Vec<String>,
    #[serde(default)]
    directory: Option<PathBuf>,
    #[serde(default)]
    ready_url: Option<String>,
    #[serde(default)]
    ready_within: Option<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTable {
    webhook_url: String,
    state_url: String,
    #[serde(default)]
    setup_url: Option<String>,
    #[serde(default)]
    setup_command: Option<Vec<String>>,
    #[serde(default)]
    initiate_url: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
}

/// How long a service may take to be ready, and to answer anything but a delivery.
const READY_WITHIN: Duration = Duration::from_secs(30);
pub(super) const OTHER_LIMIT: Duration = Duration::from_secs(10);
/// Who looks at a service in a debugger has all the time there is.
pub(super) const NO_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a target file. `answer_limit` and `allow_remote` are what the command line says.
pub(super) fn read(path: &Path, answer_limit: Option<Duration>, allow_remote: bool) -> Result<TargetFile, Stop> {
    let fail = |problem: String| Stop::usage(format!("{}: {problem}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| {
        fail(format!(
            "cannot be read: {error}; a target is builtin:reference, builtin:fault/NAME, a refundproof.toml, or a command after `--`"
        ))
    })?;
    let form: Form = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        fail(format!("line {line}: {}", error.message()))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    form.into_file(folder, answer_limit, allow_remote).map_err(fail)
}

impl Form {
    fn into_file(self, folder: &Path, answer_limit: Option<Duration>, allow_remote: bool) -> Result<TargetFile, String> {
        let Form { mut without, target, capabilities, server, http, mapping } = self;
        let signature_header = target.signature_header.as_ref().map(|name| name.to_lowercase());
        if let Some(name) = signature_header.as_ref().filter(|name| name.parse::<HeaderName>().is_err()) {
            return Err(format!("target.signature_header: `{name}` is no name of a header"));
        }
        let secret = match (target.secret, target.secret_env) {
            (Some(_), Some(_)) => return Err("target.secret and target.secret_env: give one of them".to_owned()),
            (None, Some(name)) => {
                let secret =
                    std::env::var(&name).map_err(|_| format!("target.secret_env: the environment variable `{name}` is not set"))?;
                Some(secret.into())
            }
            (secret, None) => secret,
        };
        if secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
            return Err("target.secret: is empty; leave it out if nothing is to be signed".to_owned());
        }
        let transport = match (target.command, http) {
            (Some(_), Some(_)) => return Err("target.command and [http]: give one of them".to_owned()),
            (None, None) => return Err("neither target.command (a command that speaks the stdio transport) nor [http] is there".to_owned()),
            (Some(command), None) => {
                if command.first().is_none_or(String::is_empty) {
                    return Err("field `target.command`: is empty; name the program and its arguments".to_owned());
                }
                let stray = [(capabilities.is_some(), "[capabilities]"), (server.is_some(), "[server]"), (mapping.is_some(), "[mapping]")];
                if let Some((_, name)) = stray.iter().find(|(is_there, _)| *is_there) {
                    return Err(format!("{name}: is for [http]; a stdio adapter says such things itself"));
                }
                Transport::Stdio(command)
            }
            (None, Some(http)) => {
                let mut capabilities = read_capabilities(capabilities)?;
                // Nothing is signed without a secret, so nothing can be judged of it.
                capabilities.verifies_signatures &= secret.is_some();
                let settings = HttpSettings {
                    webhook_url: http.webhook_url,
                    state_url: http.state_url,
                    setup: match (http.setup_url, http.setup_command) {
                        (Some(_), Some(_)) => return Err("http.setup_url and http.setup_command: give one of them".to_owned()),
                        (Some(url), None) => Setup::Url(url),
                        (None, Some(command)) => Setup::Command(command),
                        (None, None) => Setup::Events,
                    },
                    initiate_url: http.initiate_url,
                    headers: http.headers.into_iter().map(header).collect::<Result<_, _>>()?,
                    directory: folder.join(server.as_ref().and_then(|server| server.directory.clone()).unwrap_or_default()),
                    ready_url: server.as_ref().and_then(|server| server.ready_url.clone()),
                    service: server.map(|server| server.into_settings(folder)).transpose()?,
                    mapping,
                    introduction: Introduction { name: target.name, version: target.version, capabilities },
                    answer_limit,
                    other_limit: OTHER_LIMIT,
                    allow_remote,
                };
                settings.check()?;
                Transport::Http(Box::new(settings))
            }
        };
        without.extend(target.without);
        Ok(TargetFile { transport, without, secret, signature_header })
    }
}

/// A header whose value may stand in the environment: `env:NAME`.
fn header((name, value): (String, Secret)) -> Result<(String, Secret), String> {
    let Some(variable) = value.expose().strip_prefix("env:") else { return Ok((name, value)) };
    match std::env::var(variable) {
        Ok(value) => Ok((name, value.into())),
        Err(_) => Err(format!("http.headers.{name}: the environment variable `{variable}` is not set")),
    }
}

impl ServerTable {
    fn into_settings(self, folder: &Path) -> Result<ServiceSettings, String> {
        let ready_within = match &self.ready_within {
            Some(text) => parse_time(text).map_err(|problem| format!("server.ready_within: `{text}`: {problem}"))?,
            None => READY_WITHIN,
        };
        let directory = folder.join(self.directory.unwrap_or_default());
        Ok(ServiceSettings { command: self.command, directory, environment: self.environment, ready_within })
    }
}

/// Capabilities as the adapter contract names them. An unknown one is a slip of the pen.
fn read_capabilities(table: Option<toml::Table>) -> Result<Capabilities, String> {
    let table = table.unwrap_or_default();
    if let Some(unknown) = table.keys().find(|name| !Capabilities::NAMES.contains(&name.as_str())) {
        let hint = did_you_mean(unknown, Capabilities::NAMES.into_iter());
        return Err(format!("capabilities.{unknown}: is unknown{hint} (known: {})", Capabilities::NAMES.join(", ")));
    }
    let capabilities: Capabilities = table.try_into().map_err(|error: toml::de::Error| format!("capabilities: {}", error.message()))?;
    if capabilities.concurrency == 0 {
        return Err("capabilities.concurrency: is 0; it is at least 1".to_owned());
    }
    Ok(capabilities)
}
