//! Stripe's own: shops that must conform, Stripe's library and types held against what is generated, the sample with that
//! library, and a library that others wrote.

#[path = "../common/mod.rs"]
mod common;
mod proof;
mod sample;
mod shops;
mod third_party;
mod wrong;
