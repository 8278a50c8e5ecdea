//! Case files, for cargo-fuzz: `refundproof::testing::fuzz_targets::cases` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| refundproof::testing::fuzz_targets::cases(bytes));
