//! Any bytes as the venue's reply.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::reply(bytes));
