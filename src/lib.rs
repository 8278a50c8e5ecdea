//! placeholder

pub mod adapter;
pub mod case;
pub mod corpus;
pub mod domain;
pub mod model;
pub mod plan;
pub mod provider;
