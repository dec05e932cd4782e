//! The rotation function for the API keys of cryptocurrency exchanges: bootstrap and nothing else.

mod audit;
mod config;
mod event;
mod exchange;
mod invocation;
mod logging;
mod start;
mod store;
mod time;

use std::process::ExitCode;

fn main() -> ExitCode {
    start::start()
}
