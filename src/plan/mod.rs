//! Plans: what happens to a few orders and how the news of it travels.
//!
//! A plan is a flat list of small steps and total by construction: every list means something, indices
//! count modulo what exists, a step that cannot happen does nothing, and removing any step leaves a
//! plan. One type serves proptest, fuzzers, the frozen corpus and shrinking. A plan knows no provider's
//! payloads and no target.

mod adapt;
mod draw;
mod extra;
mod mutation;
mod others;
mod shrink;
mod step;
mod strategy;

pub use draw::draw;
pub use extra::Extra;
pub use mutation::{Group, Mutation, MutationKind};
pub use shrink::simpler_plans;
pub use step::{Action, DisputeMove, FailureShape, Fault, FaultKind, Level, Opening, OrderPlan, Pick, Plan, Step};
pub use strategy::{Afterwards, Palette, PlanStrategy, Recipe, for_recipe};
