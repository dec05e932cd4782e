//! Stand-ins to rotate against without an AWS account: Secrets Manager with its rotation scheduler, the
//! Lambda runtime API, and the venues. Never part of the Lambda's zip.

pub mod bench;
pub mod bybit;
pub mod clock;
pub mod conformance;
mod connection;
pub mod fault;
pub mod function;
pub mod in_process;
pub mod invariants;
pub mod leak;
pub mod local;
pub mod okx;
pub mod proxy;
mod random;
pub mod report;
pub mod rotate;
pub mod scheduler;
pub mod secrets_manager;
pub mod serve;
pub mod simulation;
pub mod story;
pub mod venue;
