//! The target: an implementation under test, and the operations that drive it.
//!
//! One trait serves a Rust integrator's own type, a process on stdio and an HTTP service. A target knows
//! no requirement and no expectation; it is told what the provider would tell and asked what it shows.
//! Source: `docs/adapter-protocol.md`, "Operations".

mod capabilities;
mod error;
// What starts processes and kills groups of them is for Unix.
#[cfg(all(unix, feature = "stdio"))]
mod folder;
#[cfg(all(unix, feature = "http"))]
mod http;
#[cfg(all(unix, feature = "stdio"))]
mod leftovers;
#[cfg(all(unix, feature = "stdio"))]
mod process;
#[cfg(all(unix, feature = "stdio"))]
mod stdio;
#[cfg(all(unix, feature = "stdio"))]
mod wire;

pub use capabilities::{Capabilities, Observable};
pub use error::{TargetError, TargetErrorKind};
#[cfg(all(unix, feature = "http"))]
pub use http::{AmountUnit, HttpSettings, HttpTarget, Mapping, Pointer, RefundsMapping, ServiceSettings, Setup};
#[cfg(all(unix, feature = "cli"))]
pub(crate) use leftovers::clean_up;
#[cfg(all(unix, feature = "cli"))]
pub(crate) use stdio::names_folder;
#[cfg(all(unix, feature = "stdio"))]
pub use stdio::{StdioSettings, StdioTarget};
#[cfg(all(unix, feature = "stdio", feature = "schema"))]
pub use wire::protocol_schemas;

use std::{fmt, time::Duration};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Mishap, OrderSetup, OwnRefund},
    domain::OrderState,
};

/// The version of the adapter contract that this harness speaks.
pub const PROTOCOL: u32 = 1;

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

    /// How long the answers to the deliveries from now on are waited for at least, before a call gives up with
    /// [`TargetErrorKind::TimedOut`]. How long they take is measured by the caller; whoever never gives up need not care.
    fn wait_at_least(&mut self, patience: Duration) {
        let _ = patience;
    }

    /// Several deliveries under way at the same time. One after the other where the target has no better way.
    fn deliver_together(&mut self, requests: &[Request<'_>]) -> Vec<Result<u16, TargetError>> {
        requests.iter().map(|request| self.deliver(request)).collect()
    }

    /// One delivery that something befalls on the way; `None` where no answer is to be had. Whether the event was taken in
    /// is not known then, and it will be sent again. After [`Mishap::Killed`] the target has been started again, and
    /// `hello` is said again by the caller. Without a network only the kill can be real.
    ///
    /// # Errors
    /// When the target crashes by itself or does not answer in time, or the adapter cannot do it.
    fn deliver_badly(&mut self, request: &Request<'_>, mishap: Mishap) -> Result<Option<u16>, TargetError> {
        match mishap {
            Mishap::HalfSent => Ok(None),
            Mishap::AnswerUnread | Mishap::Reset | Mishap::SlowReading => self.deliver(request).map(Some),
            Mishap::Killed { .. } => {
                self.deliver(request)?;
                self.restart().map(|()| None)
            }
        }
    }

    /// The shop itself asked the provider for this refund and got its id back.
    ///
    /// # Errors
    /// When the target does not claim `initiatesRefunds`, or the adapter cannot do it.
    fn initiate(&mut self, own: &OwnRefund) -> Result<(), TargetError> {
        let _ = own;
        Err(TargetError::unsupported("initiate"))
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

    /// Whether nothing but the provider's own order events can tell it of orders, so that `begin` tells it nothing.
    fn learns_of_orders_from_events(&self) -> bool {
        false
    }

    /// How its own JSON of an order was read last, a line for each member; empty where it shows the contract's.
    fn readings(&mut self, order_id: &str) -> Vec<String> {
        let _ = order_id;
        Vec::new()
    }

    /// Where it is reached by hand, for a target that is a service.
    fn endpoints(&self) -> Option<Endpoints> {
        None
    }

    /// What the target wrote to its standard error since it was last asked, shortened.
    fn complaints(&mut self) -> String {
        String::new()
    }
}

/// Where a service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The command that starts it, where the harness does that.
    pub start: Option<Vec<String>>,
    /// Where deliveries are posted.
    pub webhook: String,
    /// Where an order is shown; `{orderId}` stands for its id.
    pub state: String,
    /// Where it is told of orders, if by a request.
    pub setup: Option<String>,
}

/// What `hello` says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Hello {
    /// The version of the contract, [`PROTOCOL`].
    pub protocol: u32,
    /// The provider whose events will be delivered.
    pub provider: String,
    /// What deliveries are signed with.
    pub secret: String,
}

impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hello { protocol, provider, secret: _ } = self;
        f.debug_struct("Hello").field("protocol", protocol).field("provider", provider).finish_non_exhaustive()
    }
}

/// What a target answers to `hello`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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

/// One request of a webhook delivery.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Header names in lower case, and their values.
    pub headers: &'a [(String, String)],
    /// The bytes that were signed.
    pub body: &'a [u8],
}
