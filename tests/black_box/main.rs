//! The function's real binary, run as Lambda runs it, against the sandbox's stand-ins over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod authority;
mod aws_configuration;
mod bad_input;
mod chaos;
mod faults;
mod okx;
mod operations;
mod pages;
mod repeats;
mod rotation;
mod silence;
mod story;
mod world;
