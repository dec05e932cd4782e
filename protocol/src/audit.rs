//! The audit line: one for every effect at the venue or on the secret, done or failed; and the line of every
//! finding.

use jiff::Timestamp;
use serde::Serialize;

use crate::class::ErrorClass;
use crate::task::{Operation, Task};

/// One audit line. Its fields are a contract: a field may be added, none removed or given another meaning.
/// Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// When the effect's outcome was known, by the function's clock.
    pub time: Timestamp,
    /// The ARN of the function that acted.
    pub actor: String,
    /// The invocation it acted in.
    pub request_id: String,
    /// The step or operation it acted in.
    pub step: Task,
    /// What was done or tried.
    pub action: Action,
    /// The secret's name, masked.
    pub secret: String,
    /// The first twelve hex digits of the SHA-256 of the secret's ARN, once that is known.
    pub arn_digest: Option<String>,
    /// The account that the secret stands for, as the venue names it, once that is known.
    pub account: Option<String>,
    /// The version it was about.
    pub version: String,
    /// The key's fingerprint, where the effect was about one.
    pub key: Option<String>,
    /// The marker in the key's note, where one was to be issued: what to look for at the venue when no
    /// answer came.
    pub marker: Option<String>,
    /// The label, where the effect was about one.
    pub label: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why not, where it did not succeed: the class of the error.
    pub class: Option<&'static str>,
    /// The person's order that it was done on, where there was one.
    #[serde(flatten)]
    pub order: Option<Order>,
}

/// What a person says of an emergency, for the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// What happened.
    pub reason: String,
    /// The number under which it is known elsewhere.
    pub incident: String,
}

/// What an operation found, as it is logged. Its fields are a contract too: alarms match them. Names are
/// masked in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingRecord {
    /// When, by the function's clock.
    pub time: Timestamp,
    /// The ARN of the function that found it.
    pub actor: String,
    /// The invocation it was found in.
    pub request_id: String,
    /// The operation.
    pub operation: Operation,
    /// How urgent it is: `page`, `ticket`, `info`.
    pub severity: &'static str,
    /// The finding's fixed word.
    pub code: &'static str,
    /// The secret's name, masked; empty where it is about none.
    pub secret: String,
    /// The first twelve hex digits of the SHA-256 of the secret's ARN, once that is known.
    pub arn_digest: Option<String>,
    /// The account that the secret stands for, as the venue names it, once that is known.
    pub account: Option<String>,
    /// What was found.
    pub say: String,
    /// The section of the runbook about it, from the root of this project.
    pub runbook: String,
    /// The person's order that it was found on, where there was one.
    #[serde(flatten)]
    pub order: Option<Order>,
}

/// What was done or tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A key was issued at the venue.
    IssueKey,
    /// A key's powers or addresses were set at the venue.
    EditKey,
    /// A key was revoked at the venue.
    RevokeKey,
    /// A value was stored as AWSPENDING.
    PutValue,
    /// AWSCURRENT was moved.
    MoveCurrent,
    /// A label was put on a version.
    AddLabel,
    /// A label was taken off a version.
    RemoveLabel,
    /// A revoked key was proven to be dead.
    ProveDead,
    /// A rotation was begun.
    StartRotation,
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done.
    Failed,
    /// No answer came that says.
    Unknown,
}

impl From<ErrorClass> for Outcome {
    fn from(class: ErrorClass) -> Self {
        if class == ErrorClass::UnknownOutcome {
            Self::Unknown
        } else {
            Self::Failed
        }
    }
}
