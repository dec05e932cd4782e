//! The stand-in for AWS Secrets Manager: one pure model of the documented service with its rotation
//! scheduler, and an HTTP front that the AWS SDKs can talk to.
//!
//! The model does no I/O and has no clock: every call takes the time. It is `Clone` and deterministic, so
//! that a simulation can snapshot it and replay a history. What it does follows AWS's API reference and user
//! guide; a fact that AWS doesn't publish is a field of [`Knobs`], or is marked "unverified" where it is
//! decided.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a failing test may panic; the build without tests still denies it"
    )
)]

mod error;
mod http;
mod journal;
mod knobs;
mod labels;
mod lifecycle;
mod list;
mod metadata;
mod model;
mod random;
mod read;
mod reply;
mod request;
mod rotate;
mod rotation;
mod schedule;
mod scheduler;
mod secret;
mod secrets;
mod sensitive;
mod service;
#[cfg(test)]
mod testing;
mod values;
mod versions;
mod wire;
mod write;

pub use error::{Error, ErrorKind};
pub use http::{ACCESS_KEY_ID, serve};
pub use journal::{Call, Event, EventKind, Operation, Outcome};
pub use knobs::{Knobs, TestLeftover};
pub use model::{Model, Place, RotationSeed, Seed};
pub use reply::{
    Deletion, Description, Replica, ReplicaStatus, SecretPage, SecretRef, SecretSummary, StagedRef, Value,
    VersionPage, VersionSummary,
};
pub use request::{
    CancelRotateSecret, CreateSecret, DeleteSecret, DescribeSecret, Filter, GetSecretValue,
    ListSecretVersionIds, ListSecrets, PutSecretValue, RestoreSecret, RotateSecret, SortBy, SortOrder, Tag,
    TagResource, UntagResource, UpdateSecret, UpdateSecretVersionStage,
};
pub use rotation::{Invocation, Rotation, Step};
pub use schedule::RotationRules;
pub use secret::{Secret, TokenCheck, Version};
pub use sensitive::{SecretValue, Sensitive};
pub use service::{Service, State};

/// The label of the version that consumers read.
pub const AWSCURRENT: &str = "AWSCURRENT";
/// The label of the version that a rotation is building.
pub const AWSPENDING: &str = "AWSPENDING";
/// The label of the version that was current before.
pub const AWSPREVIOUS: &str = "AWSPREVIOUS";
