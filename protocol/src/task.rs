//! What an invocation is about.

use std::fmt;

use serde::Serialize;

use crate::step::Step;

/// What a person or a schedule asks for beside rotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Stamp, condemn, revoke, reap, verify: what rotations leave to do.
    Maintain,
    /// Give up a stuck rotation.
    Abandon,
    /// Rotate back to an earlier credential.
    Rollback,
    /// A key is leaked: replace it, revoke it, prove it dead.
    BreakGlass,
    /// Say what every key is.
    Audit,
    /// Say whether a rotation would succeed.
    Plan,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 6] = [
        Self::Maintain,
        Self::Abandon,
        Self::Rollback,
        Self::BreakGlass,
        Self::Audit,
        Self::Plan,
    ];

    /// The operation as events spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maintain => "maintain",
            Self::Abandon => "abandon",
            Self::Rollback => "rollback",
            Self::BreakGlass => "break_glass",
            Self::Audit => "audit",
            Self::Plan => "plan",
        }
    }
}

/// Which of the two functions performs an operation. They are two, so that a storm of events at the one does
/// not keep a person's order at the other waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// The operations function: maintain, audit and plan. Schedules and moved labels call it.
    Operations,
    /// The emergency function: break_glass, rollback and abandon. People alone call it.
    Emergency,
}

/// What can be asked of an operation without knowing more.
impl Operation {
    /// Which function performs it, and so who may ask for it.
    pub fn duty(self) -> Duty {
        match self {
            Self::Maintain | Self::Audit | Self::Plan => Duty::Operations,
            Self::Abandon | Self::Rollback | Self::BreakGlass => Duty::Emergency,
        }
    }

    /// Whether it reads and asks, and changes nothing.
    pub fn only_reads(self) -> bool {
        match self {
            Self::Audit | Self::Plan => true,
            Self::Maintain | Self::Abandon | Self::Rollback | Self::BreakGlass => false,
        }
    }

    /// Which fields the event may have that asks for it.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Maintain => &["operation", "shard", "secret", "dry_run"],
            Self::Abandon | Self::Plan => &["operation", "secret"],
            Self::Rollback => &["operation", "secret", "version"],
            Self::BreakGlass => &[
                "operation",
                "secret",
                "version",
                "mode",
                "fingerprint",
                "no_successor",
                "reason",
                "incident",
            ],
            Self::Audit => &["operation", "shard", "secret", "match", "after", "format"],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step of a rotation, or an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Task {
    /// A step of a rotation.
    Step(Step),
    /// An operation.
    Operation(Operation),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            Self::Operation(operation) => operation.fmt(f),
        }
    }
}
