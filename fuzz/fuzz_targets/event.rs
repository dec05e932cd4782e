//! Any bytes as an invocation's payload.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::event(bytes));
