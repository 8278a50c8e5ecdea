//! A shop certified from outside the workspace, without any feature.

#[path = "../../../../examples/event_log_shop.rs"]
#[expect(dead_code, reason = "as a program it has a main function, which nobody calls here")]
mod shop;
