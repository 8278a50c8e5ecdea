//! The same reading, with and without the development dependency.

#[path = "../../reading.rs"]
mod reading;
