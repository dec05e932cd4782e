//! What an invocation is about.

use std::fmt;

use serde::Serialize;

use crate::step::Step;

/// A step of a rotation, or an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Task {
    /// A step of a rotation.
    Step(Step),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
        }
    }
}
