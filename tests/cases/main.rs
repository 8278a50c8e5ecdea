//! Cases, without any run: what is drawn and what must hold of it, what every mutation must lead to, what may be shown after each
//! event, the frozen sequences, and what is read back from bodies.

#[path = "../common/mod.rs"]
mod common;
mod documented;
mod exhaustive;
mod fuzz;
mod import_logs;
mod kept_inputs;
mod labels;
mod laws;
mod sequences;
mod vary;
