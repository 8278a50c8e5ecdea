#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| refundproof::testing::fuzz_targets::bodies(bytes));
