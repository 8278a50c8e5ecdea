//! A conforming consumer of refund webhooks, and the faults that can be put into it.
//!
//! It is what a shop would write from the providers' documents and the adapter contract: it is handed bytes
//! and headers and shows an order refund state. It knows no plan, no model and no expectation, so that it and
//! the model check each other, and each [`Fault`] proves that some requirement can fail.

mod bank;
mod canary;
mod dialect;
mod fault;
mod json;
mod ledger;
mod misread;
mod money;
mod objects;
mod parse;
mod refusal;
mod shop;
mod signature;
mod slips;

pub use bank::Fault;
pub use canary::{Ignorer, WrongShop, canaries};
pub use fault::{FaultInfo, faults};
pub use shop::ReferenceShop;

#[cfg(test)]
mod tests;
