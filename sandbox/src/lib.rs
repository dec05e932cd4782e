//! Stand-ins to rotate against without an AWS account: Secrets Manager with its rotation scheduler, and the venues. Never part of
//! the Lambda's zip.

pub mod bybit;
pub mod clock;
mod connection;
pub mod fault;
pub mod secrets_manager;
