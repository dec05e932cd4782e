//! Any bytes as a version's value.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::document(bytes));
