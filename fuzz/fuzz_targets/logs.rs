//! Logs of real traffic, for cargo-fuzz: `refundproof::testing::fuzz_targets::logs` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| refundproof::testing::fuzz_targets::logs(bytes));
