//! How a service is reached, started and read, and whether that makes sense.

use std::{path::PathBuf, time::Duration};

use hyper::header::{HeaderName, HeaderValue};

use super::{Mapping, ServiceSettings, address::Address};
use crate::{
    adapter::{Introduction, endpoint::ORDER_ID, folder::FOLDER},
    domain::{Currency, Secret},
};

/// What stands for a free port that the harness chooses, in commands, environments and URLs.
pub(super) const PORT: &str = "{port}";
/// What stands for the address of the provider's API, in commands and environments.
pub(super) const API: &str = "{api}";

/// How a service is reached, started and read. `{port}`, `{folder}` and `{api}` may stand in URLs, commands and environments.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where deliveries are posted.
    pub webhook_url: String,
    /// Where an order is shown; `{orderId}` stands for its id.
    pub state_url: String,
    /// How the service is told of orders.
    pub setup: Setup,
    /// Where it is told of refunds that the shop made itself.
    pub initiate_url: Option<String>,
    /// Where it is told how much time passes.
    pub advance_url: Option<String>,
    /// What every request but a delivery carries besides, such as a token: names of headers in any case, and their values.
    pub headers: Vec<(String, Secret)>,
    /// Where the set-up command runs; the harness's own folder if empty.
    pub directory: PathBuf,
    /// How to start it; without this it runs already.
    pub service: Option<ServiceSettings>,
    /// What answers 2xx when it is ready; without this a connection is enough.
    pub ready_url: Option<String>,
    /// Where its own JSON shows what; without this it shows the contract's.
    pub mapping: Option<Mapping>,
    /// How many digits the provider's whole numbers have behind the point, for a mapping of amounts in its unit.
    pub digits_sent: fn(Currency) -> u32,
    /// What it would answer to `hello`.
    pub introduction: Introduction,
    /// For the answer to a delivery; `None` waits for ever.
    pub answer_limit: Option<Duration>,
    /// For every other answer.
    pub other_limit: Duration,
    /// Whether it may be on another machine.
    pub allow_remote: bool,
    /// Where the provider's API is served for services that call it.
    pub api: Option<String>,
}

/// How a service is told of the orders of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setup {
    /// Nobody tells it: the provider's own order events introduce them.
    #[default]
    Events,
    /// `{"case":…,"orders":[…]}` is posted here.
    Url(String),
    /// This command gets the same on its standard input.
    Command(Vec<String>),
}

impl HttpSettings {
    /// A service that runs already, claims nothing and shows orders as the contract has them, with so much time for each answer.
    pub fn new(webhook_url: String, state_url: String, limit: Duration) -> HttpSettings {
        HttpSettings {
            webhook_url,
            state_url,
            setup: Setup::Events,
            initiate_url: None,
            advance_url: None,
            headers: Vec::new(),
            directory: PathBuf::new(),
            service: None,
            ready_url: None,
            mapping: None,
            digits_sent: Currency::digits,
            introduction: Introduction::default(),
            answer_limit: Some(limit),
            other_limit: limit,
            allow_remote: false,
            api: None,
        }
    }

    /// Whether the settings make sense. The error names the setting and says what is wrong with it.
    ///
    /// # Errors
    /// When a URL cannot be used, or something that is claimed is not possible.
    pub fn check(&self) -> Result<(), String> {
        let plain = self.with(PORT, "1").with(FOLDER, "folder");
        plain.addresses()?;
        let claims = &self.introduction.capabilities;
        if self.service.is_none() && self.mentions(PORT) {
            return Err(format!("{PORT}: is chosen for a service that is started; name the port of one that runs already"));
        }
        if self.answer_limit.is_some_and(|limit| limit.is_zero()) {
            return Err("the limit for answers is 0; nothing answers in no time".to_owned());
        }
        if !self.state_url.contains(ORDER_ID) {
            return Err(format!("http.state_url: `{}` does not say where {ORDER_ID} goes", self.state_url));
        }
        if claims.durable && self.service.is_none() {
            return Err("capabilities.durable: needs [server], so that the service can be killed and started again".to_owned());
        }
        if claims.initiates_refunds && self.initiate_url.is_none() {
            return Err("capabilities.initiatesRefunds: needs http.initiate_url".to_owned());
        }
        if claims.clock && self.advance_url.is_none() {
            return Err("capabilities.clock: needs http.advance_url".to_owned());
        }
        if claims.clock && self.service.is_none() {
            return Err("capabilities.clock: needs [server], so that each run begins with a service whose time is the real one".to_owned());
        }
        if claims.calls_back && !self.service.as_ref().is_some_and(|service| service.mentions(API)) {
            return Err(format!("capabilities.callsBack: needs {API} in [server], so that the service knows where the provider's API is"));
        }
        if let Some(name) = self.mapping.as_ref().and_then(|mapping| mapping.unmapped(&claims.observes)) {
            return Err(format!("capabilities.observes: names `{name}`, and [mapping] does not say where it stands"));
        }
        for (name, value) in &self.headers {
            let refused = ["host", "content-length", "transfer-encoding", "connection"];
            if name.parse::<HeaderName>().is_err() || refused.iter().any(|other| name.eq_ignore_ascii_case(other)) {
                return Err(format!("http.headers: `{name}` is no name of a header that can be added"));
            }
            if HeaderValue::from_str(value.expose()).is_err() {
                return Err(format!("http.headers.{name}: its value cannot be sent; a header is one line of visible characters"));
            }
        }
        let is_empty = |command: &[String]| command.first().is_none_or(String::is_empty);
        if self.service.as_ref().is_some_and(|service| is_empty(&service.command)) {
            return Err("server.command: is empty; name the program and its arguments".to_owned());
        }
        if matches!(&self.setup, Setup::Command(command) if is_empty(command)) {
            return Err("http.setup_command: is empty; name the program and its arguments".to_owned());
        }
        Ok(())
    }

    /// The headers of a request that is no delivery: `name` says that JSON is spoken, the others are the integrator's.
    pub(super) fn with_own_headers(&self, name: &str) -> Vec<(String, String)> {
        let own = self.headers.iter().filter(|(own, _)| !own.eq_ignore_ascii_case(name));
        let json = (name.to_owned(), "application/json".to_owned());
        std::iter::once(json).chain(own.map(|(name, value)| (name.to_lowercase(), value.expose().to_owned()))).collect()
    }

    /// Whether the harness chooses the port, so that several services can run side by side.
    pub fn has_own_port(&self) -> bool {
        self.mentions(PORT)
    }

    pub(super) fn addresses(&self) -> Result<[Option<Address>; 6], String> {
        let read = |name: &str, url: Option<&str>| {
            url.map(|url| Address::read(url, self.allow_remote).map_err(|problem| format!("{name}: {problem}"))).transpose()
        };
        let setup = if let Setup::Url(url) = &self.setup { Some(url.as_str()) } else { None };
        Ok([
            read("http.webhook_url", Some(&self.webhook_url))?,
            read("http.state_url", Some(&self.state_url))?,
            read("http.setup_url", setup)?,
            read("http.initiate_url", self.initiate_url.as_deref())?,
            read("http.advance_url", self.advance_url.as_deref())?,
            read("server.ready_url", self.ready_url.as_deref())?,
        ])
    }

    pub(super) fn mentions(&self, word: &str) -> bool {
        let mut texts = vec![&self.webhook_url, &self.state_url];
        texts.extend(&self.initiate_url);
        texts.extend(&self.advance_url);
        texts.extend(&self.ready_url);
        match &self.setup {
            Setup::Events => {}
            Setup::Url(url) => texts.push(url),
            Setup::Command(command) => texts.extend(command),
        }
        texts.iter().any(|text| text.contains(word)) || self.service.as_ref().is_some_and(|service| service.mentions(word))
    }

    pub(super) fn with(&self, word: &str, value: &str) -> HttpSettings {
        let mut settings = self.clone();
        let replace = |text: &mut String| *text = text.replace(word, value);
        replace(&mut settings.webhook_url);
        replace(&mut settings.state_url);
        settings.initiate_url.iter_mut().chain(&mut settings.advance_url).chain(&mut settings.ready_url).for_each(replace);
        match &mut settings.setup {
            Setup::Events => {}
            Setup::Url(url) => replace(url),
            Setup::Command(command) => command.iter_mut().for_each(replace),
        }
        if let Some(service) = &mut settings.service {
            service.command.iter_mut().chain(service.environment.values_mut()).for_each(replace);
        }
        settings
    }
}
