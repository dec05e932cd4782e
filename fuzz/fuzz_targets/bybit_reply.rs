//! Any bytes as a reply of Bybit's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::bybit_reply(bytes));
