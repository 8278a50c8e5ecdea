//! The program as people and CI use it: its commands, what it reads and writes, what its reports look like, and whether README,
//! documents and schemas say what it does.

mod action;
mod cli;
#[path = "../common/mod.rs"]
mod common;
mod documents;
mod formats;
mod gates;
mod import;
mod page;
mod providers;
mod readme;
mod report;
mod secrets;
mod target_schema;
mod watch;
