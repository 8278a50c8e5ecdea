//! The target: an implementation under test, and the operations that drive it.
//!
//! One trait serves a Rust integrator's own type, a process on stdio and an HTTP service. A target knows
//! no requirement and no expectation; it is told what the provider would tell and asked what it shows.
//! Source: `docs/adapter-protocol.md`, "Operations".

mod api;
mod capabilities;
mod error;
// What starts processes and kills groups of them is for Unix.
#[cfg(all(unix, feature = "stdio"))]
mod ending;
#[cfg(any(all(unix, feature = "http"), feature = "tower"))]
mod endpoint;
#[cfg(all(unix, feature = "stdio"))]
mod folder;
#[cfg(all(unix, feature = "stdio"))]
mod group;
#[cfg(all(unix, feature = "http"))]
mod http;
#[cfg(all(unix, feature = "stdio"))]
mod leftovers;
mod memory;
#[cfg(all(unix, feature = "stdio"))]
mod permits;
#[cfg(all(unix, feature = "stdio"))]
mod pipes;
#[cfg(all(unix, feature = "stdio"))]
mod process;
#[cfg(any(feature = "stdio", feature = "tower"))]
mod shown;
#[cfg(all(unix, feature = "stdio"))]
mod stdio;
#[cfg(feature = "tower")]
mod tower;
mod transport;
#[cfg(all(unix, feature = "stdio"))]
mod watchdog;
#[cfg(any(feature = "stdio", feature = "tower"))]
#[cfg_attr(not(feature = "stdio"), expect(dead_code, reason = "a tower service only shows orders as the wire has them"))]
mod wire;

#[cfg(any(feature = "stdio", feature = "tower"))]
use shown::shown;

pub use api::{Api, ApiCall, ApiMethod, ApiReply};
pub use capabilities::{Capabilities, Observable};
#[cfg(all(unix, feature = "cli"))]
pub(crate) use ending::end_soon;
pub(crate) use error::panicked;
pub use error::{TargetError, TargetErrorKind};
#[cfg(all(unix, feature = "http", feature = "arbitrary"))]
pub use http::OWN_JSON;
#[cfg(all(unix, feature = "http"))]
pub use http::{AmountUnit, HttpSettings, HttpTarget, Mapping, Pointer, RefundsMapping, ServiceSettings, Setup};
#[cfg(all(unix, feature = "cli"))]
pub(crate) use leftovers::{adopt_orphans, clean_up};
pub use memory::Growth;
#[cfg(all(unix, feature = "cli"))]
pub(crate) use stdio::names_folder;
#[cfg(all(unix, feature = "stdio", feature = "arbitrary"))]
pub use stdio::{Readings, heard};
#[cfg(all(unix, feature = "stdio"))]
pub use stdio::{StdioSettings, StdioTarget};
#[cfg(feature = "tower")]
pub use tower::TowerTarget;
#[cfg(feature = "tower")]
use transport::WAIT_FOR_REQUEST;
pub(crate) use transport::without_network;
pub use transport::{Amid, Amidst, Endpoints, Link, Sealed, Transport};
#[cfg(all(feature = "stdio", feature = "schema"))]
pub use wire::protocol_schemas;

use std::{collections::BTreeMap, fmt, time::Duration};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    case::{OrderSetup, OwnRefund},
    domain::OrderState,
};

/// The version of the adapter contract that this harness speaks.
pub const PROTOCOL: u32 = 1;

/// How long an answer may be that shows an order, or a line, in bytes. An order of thousands of refunds is shorter.
#[cfg(any(feature = "stdio", feature = "tower"))]
const LONGEST_ANSWER: usize = 1 << 20;

/// An implementation under test. Amounts are decimal major units throughout.
pub trait Target: Send {
    /// The first call: what is spoken and the secret that deliveries are signed with. The target says who it is.
    ///
    /// # Errors
    /// When it cannot be started or does not speak this protocol.
    fn hello(&mut self, hello: &Hello) -> Result<Introduction, TargetError>;

    /// A case begins: these orders exist and are captured.
    ///
    /// # Errors
    /// When the adapter cannot do it.
    fn begin(&mut self, case: &str, orders: &[OrderSetup]) -> Result<(), TargetError>;

    /// One webhook delivery. The answer is the HTTP status that the webhook endpoint answers.
    ///
    /// # Errors
    /// When the target crashes or does not answer in time, or the adapter cannot do it.
    fn deliver(&mut self, request: &Request<'_>) -> Result<u16, TargetError>;

    /// The shop itself asked the provider for this refund and got its id back.
    ///
    /// # Errors
    /// When the target does not claim `initiatesRefunds`, or the adapter cannot do it.
    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let _ = own;
        Err(TargetError::unsupported("initiate"))
    }

    /// So much time passes, in whole seconds: from now on the target takes for now what its clock shows and all that has passed
    /// since `hello`, and it has done what its own jobs do in that time. A target that was started anew is told again, after
    /// `hello`, of all that passed before.
    ///
    /// # Errors
    /// When the target does not claim `clock`, or the adapter cannot do it.
    fn advance(&mut self, time: Duration) -> Result<(), TargetError> {
        let _ = time;
        Err(TargetError::unsupported("advance"))
    }

    /// The refund state of an order, or `None` if the target does not know the order.
    ///
    /// # Errors
    /// When the target crashes or does not answer in time, or shows something that is no order refund state.
    fn observe(&mut self, order_id: &str) -> Result<Option<OrderState>, TargetError>;

    /// The case is over.
    ///
    /// # Errors
    /// When the adapter cannot do it.
    fn end(&mut self, case: &str) -> Result<(), TargetError> {
        let _ = case;
        Ok(())
    }

    /// The run is over; nothing is answered.
    fn bye(&mut self) {}

    /// The target is killed without warning and started again; whatever it acknowledged must still be there if
    /// it claims to be durable. `hello` is said again by the caller.
    ///
    /// # Errors
    /// When it cannot be restarted.
    fn restart(&mut self) -> Result<(), TargetError> {
        Err(TargetError::unsupported("restart"))
    }

    /// What it can do beyond this, of a target that is a transport. No integrator needs it.
    #[doc(hidden)]
    fn as_transport(&mut self) -> Option<&mut dyn Transport> {
        None
    }
}

/// What `hello` says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Hello {
    /// The version of the contract, [`PROTOCOL`].
    pub protocol: u32,
    /// The provider whose events will be delivered.
    pub provider: String,
    /// What deliveries are signed with.
    pub secret: String,
    /// Where the provider's API is served for this run, without a path; absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_base_url: Option<String>,
    /// What else a signature is verified with, by the provider's names; empty where the secret is all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, String>,
    /// Whether all events of the run are of the provider's live mode; absent where they are of its test mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live_mode: bool,
}

impl Hello {
    /// The greeting of this version of the contract, for a provider by its name.
    pub fn new(provider: impl Into<String>, secret: impl Into<String>) -> Hello {
        Hello {
            protocol: PROTOCOL,
            provider: provider.into(),
            secret: secret.into(),
            api_base_url: None,
            keys: BTreeMap::new(),
            live_mode: false,
        }
    }

    /// The same with the address of the provider's API.
    #[must_use]
    pub fn with_api(mut self, base_url: Option<String>) -> Hello {
        self.api_base_url = base_url;
        self
    }

    /// The same with what a signature is verified with beside the secret.
    #[must_use]
    pub fn with_keys(mut self, keys: BTreeMap<String, String>) -> Hello {
        self.keys = keys;
        self
    }

    /// The same for a run of the provider's live mode, or of its test mode.
    #[must_use]
    pub fn with_live_mode(mut self, live_mode: bool) -> Hello {
        self.live_mode = live_mode;
        self
    }
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hello { protocol, provider, secret: _, api_base_url, keys: _, live_mode: _ } = self;
        let mut shown = f.debug_struct("Hello");
        shown.field("protocol", protocol).field("provider", provider).field("api_base_url", api_base_url).finish_non_exhaustive()
    }
}

/// What a target answers to `hello`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[non_exhaustive]
pub struct Introduction {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Capabilities,
}

impl Introduction {
    /// What a target of this name and version, which claims this, answers.
    pub fn new(name: impl Into<String>, version: impl Into<String>, capabilities: Capabilities) -> Introduction {
        Introduction { name: name.into(), version: version.into(), capabilities }
    }

    /// The same with something about it changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Introduction)) -> Introduction {
        change(&mut self);
        self
    }
}

/// One request of a webhook delivery.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Header names in lower case, and their values.
    pub headers: &'a [(String, String)],
    /// The bytes that were signed.
    pub body: &'a [u8],
    endpoint: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// A request with these headers, their names in lower case, and this body.
    pub fn new(headers: &'a [(String, String)], body: &'a [u8]) -> Request<'a> {
        Request { headers, body, endpoint: None }
    }

    /// The same for one of several endpoints of a provider that has more than one.
    #[must_use]
    pub fn to(self, endpoint: &'a str) -> Request<'a> {
        Request { endpoint: Some(endpoint), ..self }
    }

    /// The name of the endpoint that it goes to; absent where the provider has only one.
    pub fn endpoint(&self) -> Option<&'a str> {
        self.endpoint
    }

    /// The value of the first header of this name, which is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
