//! The function's real binary, run as Lambda runs it: a process of its own that asks a runtime API for work.

mod build;
mod process;
mod runtime_api;

pub(crate) use build::build_package;
pub use build::{BuildError, build, build_release};
pub use process::{
    CLOCK_AHEAD, EMERGENCY_ARN, Environment, Function, Killer, LAMBDA_ARN, OPERATIONS_ARN, REGION,
};
pub use runtime_api::Failed;
