//! The target file, `refundproof.toml`: what is certified and how it is reached.
//!
//! A name that is not known is an error with its line, so that nothing that was meant is left out in silence.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use hyper::header::HeaderName;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Deserialize;

use super::{Stop, args::parse_time, files};
use crate::{
    adapter::{Capabilities, HttpSettings, Introduction, Mapping, ServiceSettings, Setup},
    domain::{Secret, did_you_mean},
};

/// A target file, read.
pub(super) struct TargetFile {
    pub(super) transport: Transport,
    /// Items of the checklist that are knowingly left out.
    pub(super) without: Vec<String>,
    /// Whether it is registered for the provider's live mode.
    pub(super) live_mode: bool,
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

/// What is certified and how it is reached: a stdio command in `[target]`, or a web service in `[http]`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Form {
    /// Items of the checklist that are knowingly left out; every report repeats them.
    #[serde(default)]
    without: Vec<String>,
    /// Whether it is registered for the provider's live mode: all events say that they are of it then.
    #[serde(default)]
    live_mode: bool,
    /// What is certified.
    #[schemars(with = "TargetTable")]
    target: Option<TargetTable>,
    /// What a web service can do; a stdio adapter says this itself.
    #[serde(default)]
    #[schemars(with = "Option<Capabilities>")]
    capabilities: Option<toml::Table>,
    /// How the web service is started; without this it runs already.
    #[serde(default)]
    server: Option<ServerTable>,
    /// How the web service is reached.
    #[serde(default)]
    http: Option<HttpTable>,
    /// Where the service's own JSON shows what; without this it shows the adapter contract's.
    #[serde(default)]
    mapping: Option<Mapping>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table [target]")]
struct TargetTable {
    /// Items of the checklist that are knowingly left out; every report repeats them.
    #[serde(default)]
    without: Vec<String>,
    /// Whether it is registered for the provider's live mode: all events say that they are of it then.
    #[serde(default)]
    live_mode: bool,
    /// Its name in reports.
    #[serde(default)]
    name: String,
    /// Its version in reports.
    #[serde(default)]
    version: String,
    /// What deliveries are signed with; over HTTP nothing is signed without it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    secret: Option<Secret>,
    /// The environment variable that holds the secret.
    #[serde(default)]
    secret_env: Option<String>,
    /// The header that carries the signature, where it is another than the provider's own.
    #[serde(default)]
    signature_header: Option<String>,
    /// The command that speaks the stdio transport: the program and its arguments. `{folder}` is a folder of each worker's own.
    #[serde(default)]
    command: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table [server]")]
struct ServerTable {
    /// The program and its arguments. `{port}` is a free port, `{folder}` an empty folder.
    command: Vec<String>,
    /// Where it runs, from the folder of this file.
    #[serde(default)]
    directory: Option<PathBuf>,
    /// What answers 2xx when it is ready; without this a connection is enough.
    #[serde(default)]
    ready_url: Option<String>,
    /// How long it may take to be ready, such as `30s`.
    #[serde(default)]
    ready_within: Option<String>,
    /// Its environment, besides the harness's own.
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table [http]")]
struct HttpTable {
    /// Where deliveries are posted.
    webhook_url: String,
    /// Where an order is shown; `{orderId}` stands for its id. 200 with JSON, or 404 for an unknown order.
    state_url: String,
    /// What gets the orders of a case before it begins.
    #[serde(default)]
    setup_url: Option<String>,
    /// The command that gets the same on its standard input.
    #[serde(default)]
    setup_command: Option<Vec<String>>,
    /// What gets the refunds that the shop makes itself.
    #[serde(default)]
    initiate_url: Option<String>,
    /// What is told how many seconds pass; for services that claim `clock`.
    #[serde(default)]
    advance_url: Option<String>,
    /// Headers of every request but deliveries; `env:NAME` is the environment variable of that name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    headers: BTreeMap<String, Secret>,
}

/// The JSON Schema (2020-12) of a target file, for editors.
pub fn target_file_schema() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Form>()
}

/// How long a service may take to be ready, and to answer anything but a delivery.
const READY_WITHIN: Duration = Duration::from_secs(30);
pub(super) const OTHER_LIMIT: Duration = Duration::from_secs(10);
/// Who looks at a service in a debugger has all the time there is.
pub(super) const NO_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a target file. `answer_limit` and `allow_remote` are what the command line says.
pub(super) fn read(path: &Path, answer_limit: Option<Duration>, allow_remote: bool) -> Result<TargetFile, Stop> {
    let fail = |problem: String| Stop::usage(format!("{}: {problem}", path.display()));
    let text = files::read(path, files::SETTINGS).map_err(|error| {
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
        let Form { mut without, live_mode, target, capabilities, server, http, mapping } = self;
        let target = target.ok_or("there is no table [target]; `refundproof init` writes a target file to begin with")?;
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
                    setup: match (http.setup_url, http.setup_command) {
                        (Some(_), Some(_)) => return Err("http.setup_url and http.setup_command: give one of them".to_owned()),
                        (Some(url), None) => Setup::Url(url),
                        (None, Some(command)) => Setup::Command(command),
                        (None, None) => Setup::Events,
                    },
                    initiate_url: http.initiate_url,
                    advance_url: http.advance_url,
                    headers: http.headers.into_iter().map(header).collect::<Result<_, _>>()?,
                    directory: folder.join(server.as_ref().and_then(|server| server.directory.clone()).unwrap_or_default()),
                    ready_url: server.as_ref().and_then(|server| server.ready_url.clone()),
                    service: server.map(|server| server.into_settings(folder)).transpose()?,
                    mapping,
                    introduction: Introduction { name: target.name, version: target.version, capabilities },
                    answer_limit,
                    allow_remote,
                    ..HttpSettings::new(http.webhook_url, http.state_url, OTHER_LIMIT)
                };
                settings.check()?;
                Transport::Http(Box::new(settings))
            }
        };
        without.extend(target.without);
        let live_mode = live_mode || target.live_mode;
        Ok(TargetFile { transport, without, live_mode, secret, signature_header })
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
