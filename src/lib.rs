//! placeholder

pub mod adapter;
pub mod case;
pub mod check;
pub mod cli;
pub mod corpus;
pub mod domain;
pub mod findings;
pub mod model;
pub mod mutate;
pub mod plan;
pub mod provider;
pub mod reference;
pub mod report;
pub mod run;
pub mod testing;
