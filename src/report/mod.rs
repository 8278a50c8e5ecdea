//! Reports: what people and machines read of a run.
//!
//! Each report writes to a writer that it is given, and knows nothing but run events, the report and cases.

pub mod json;
pub mod style;
pub mod terminal;
pub mod timeline;
