//! Any bytes as a reply of OKX's.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::okx_reply(bytes));
