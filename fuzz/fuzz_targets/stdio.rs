//! What targets write to standard output, for cargo-fuzz: `refundproof::testing::fuzz_targets::stdio` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| refundproof::testing::fuzz_targets::stdio(bytes));
