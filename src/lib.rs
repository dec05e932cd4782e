//! The rotation function for the API keys of cryptocurrency exchanges. Its program is [`start()`]. What else
//! is public reads what comes from outside, so that it can be given any bytes without a process or a socket.

mod audit;
mod config;
pub mod event;
pub mod exchange;
mod invocation;
mod logging;
mod operation;
mod reach;
mod start;
mod store;
mod time;
mod tls;

pub use start::start;
