//! Secrets Manager: what is read of it, what is written, and what became of a call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use thiserror::Error;

use crate::class::ErrorClass;
use crate::label::{Label, VersionId};
use crate::name::{SecretId, SecretName};
use crate::ports::schedule::Schedule;
use crate::secret::{DocumentError, KeyId, SecretValue};
use crate::{sentence, shown};

/// Secrets Manager, as far as the protocol needs it. Reads may be retried by the implementation. Writes may
/// not: what became of each attempt matters, and a run that was frozen must not write again when it thaws.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// DescribeSecret.
    async fn describe(&self, secret: &SecretId) -> Result<Description, StoreError>;
    /// GetSecretValue, by version id or by label. `None` where there is no such version or it has no value:
    /// AWS does not tell which, and right after a write it may not know yet.
    async fn read(&self, secret: &SecretId, which: Which<'_>) -> Result<Option<StoredValue>, StoreError>;
    /// ListSecretVersionIds with the deprecated ones: every version there is.
    async fn versions(&self, secret: &SecretId) -> Result<Vec<ListedVersion>, StoreError>;
    /// PutSecretValue: write-once for each version id.
    async fn put(&self, secret: &SecretId, put: &Put<'_>) -> Result<(), StoreError>;
    /// UpdateSecretVersionStage: takes a label off one version, puts it on one, or both.
    async fn move_label(&self, secret: &SecretId, change: &LabelMove) -> Result<(), StoreError>;
}

/// What operations need of Secrets Manager beyond one secret's rotation: the secrets there are, and what sets
/// a rotation off.
#[async_trait]
pub trait Fleet: Send + Sync + Debug {
    /// One page of ListSecrets, those scheduled for deletion among them. `after` is the page before's `next`.
    async fn list(&self, after: Option<&str>) -> Result<SecretPage, StoreError>;
    /// RotateSecret, at once and by the rules that the secret has. `token` becomes the version that the
    /// rotation builds; the same token again begins no second one.
    async fn start_rotation(&self, secret: &SecretId, token: &VersionId) -> Result<(), StoreError>;
    /// TagResource.
    async fn tag(&self, secret: &SecretId, tags: &BTreeMap<String, String>) -> Result<(), StoreError>;
}

/// A page of the secrets there are.
#[derive(Clone, Debug, Default)]
pub struct SecretPage {
    /// The secrets. What a list says may be minutes old: it is for finding work, not for deciding on it.
    pub secrets: Vec<Description>,
    /// Where the next page begins, where there is one.
    pub next: Option<String>,
}

/// What DescribeSecret says, or ListSecrets of one secret.
#[derive(Clone, Debug)]
pub struct Description {
    /// The secret's full ARN.
    pub arn: String,
    /// Its name.
    pub name: SecretName,
    /// Whether rotation is switched on.
    pub rotation_enabled: bool,
    /// The function that rotates it, qualified where rotation was attached to an alias.
    pub rotation_function: Option<String>,
    /// Whether it is scheduled for deletion.
    pub deleted: bool,
    /// The labelled versions, each with its labels.
    pub versions: BTreeMap<VersionId, BTreeSet<Label>>,
    /// When a rotation last completed; Secrets Manager does not tell while rotation is switched off.
    pub last_rotated: Option<Timestamp>,
    /// When the next scheduled rotation is over at the latest.
    pub next_rotation: Option<Timestamp>,
    /// How often it is to be rotated, where that is set.
    pub schedule: Option<Schedule>,
    /// Its copies in other Regions; a list does not tell.
    pub replicas: Vec<Replica>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The KMS key that its values are encrypted with, as an ARN, an id or an alias; `None` for the
    /// account's own.
    pub kms_key: Option<String>,
}

impl Description {
    /// Whether a label had better not be moved now, where that can wait. It is reported, and not proven, that
    /// a replica gets stuck whose primary changes while it is brought up to date.
    pub fn is_being_replicated(&self) -> bool {
        self.replicas.iter().any(|replica| replica.in_progress)
    }

    /// The version that holds a label.
    pub fn holder(&self, label: &Label) -> Option<&VersionId> {
        self.versions
            .iter()
            .find(|(_, labels)| labels.contains(label))
            .map(|(version, _)| version)
    }

    /// Whether a version bears a label.
    pub fn bears(&self, version: &VersionId, label: &Label) -> bool {
        self.holder(label) == Some(version)
    }

    /// The version that consumers read.
    pub fn current(&self) -> Option<&VersionId> {
        self.holder(&Label::current())
    }

    /// Whether consumers read this version.
    pub fn is_current(&self, version: &VersionId) -> bool {
        self.current() == Some(version)
    }

    /// The version that is AWSPENDING: the one that a rotation is building, or has made current.
    pub fn pending(&self) -> Option<&VersionId> {
        self.holder(&Label::pending())
    }

    /// The version that a rotation is building.
    pub fn open_rotation(&self) -> Option<&VersionId> {
        self.pending().filter(|pending| !self.is_current(pending))
    }

    /// The version that is labelled as leaked.
    pub fn compromised(&self) -> Option<&VersionId> {
        self.holder(&Label::compromised())
    }

    /// The labels on a version.
    pub fn labels(&self, version: &VersionId) -> impl Iterator<Item = &Label> {
        self.versions.get(version).into_iter().flatten()
    }
}

/// A secret's copy in another Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The Region.
    pub region: String,
    /// Whether it has what the primary has.
    pub in_sync: bool,
    /// Whether it is being brought there now.
    pub in_progress: bool,
    /// What Secrets Manager says of it: its status, and the message where there is one.
    pub status: String,
}

impl Replica {
    /// As in "eu-west-1 (Failed: …)".
    pub fn said(&self) -> String {
        format!("{} ({})", shown(&self.region), sentence(&self.status))
    }
}

/// A version as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Which.
    pub id: VersionId,
    /// When it was made, by Secrets Manager's clock.
    pub created_at: Option<Timestamp>,
}

/// Which version's value to read.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The one of this id.
    Version(&'a VersionId),
    /// The one AWSCURRENT is on.
    Current,
}

/// A version's value as read.
#[derive(Clone, Debug)]
pub struct StoredValue {
    /// The version it belongs to.
    pub version: VersionId,
    /// The value; cannot be printed, and is wiped on drop.
    pub text: SecretString,
}

impl StoredValue {
    /// What the value says.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn value(&self) -> Result<SecretValue, DocumentError> {
        SecretValue::parse(&self.text)
    }

    /// Whether the value names a key: one that cannot be read may.
    pub fn may_name(&self, key: &KeyId) -> bool {
        self.value().map_or(true, |value| value.names(key))
    }

    /// Whether the value names a key, and can be read.
    pub fn surely_names(&self, key: &KeyId) -> bool {
        self.value().is_ok_and(|value| value.names(key))
    }
}

/// A value to store under a version id.
#[derive(Clone, Debug)]
pub struct Put<'a> {
    /// The rotation's ClientRequestToken.
    pub token: &'a VersionId,
    /// The value.
    pub text: &'a SecretString,
    /// The labels to put on the version. Without any, Secrets Manager would promote it to AWSCURRENT at
    /// once.
    pub labels: &'a [Label],
    /// The event's RotationToken, which proves to Secrets Manager that the caller is its rotation function.
    pub rotation_token: Option<&'a SecretString>,
}

/// A change of one label.
#[derive(Clone, Debug)]
pub struct LabelMove {
    /// The label.
    pub label: Label,
    /// The version to put it on.
    pub to: Option<VersionId>,
    /// The version to take it off; for AWSCURRENT the comparison of a compare-and-swap.
    pub from: Option<VersionId>,
}

/// What became of a call to Secrets Manager that did not succeed.
#[derive(Clone, Debug, Error)]
#[error("{operation} failed: {code}")]
pub struct StoreError {
    /// What it means for the caller.
    pub kind: StoreErrorKind,
    /// The operation's name in Secrets Manager's API.
    pub operation: &'static str,
    /// Secrets Manager's own word for the error, or ours where no answer came. Never a message: those quote
    /// names.
    pub code: String,
}

/// What a failed call to Secrets Manager means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// No such secret.
    NotFound,
    /// The version id already holds another value.
    Exists,
    /// The function's role may not do this.
    Denied,
    /// AWS does not take the credentials that the function signs with.
    Credentials,
    /// AWS does not take the time that the request was signed at.
    Clock,
    /// The KMS key cannot be used.
    Kms,
    /// Throttled; nothing was done.
    Busy,
    /// The request does not fit the secret's state; nothing was done.
    Invalid,
    /// A limit of the secret is reached; nothing was done.
    Limit,
    /// No answer came, or none that says whether it was done.
    UnknownOutcome,
}

impl StoreErrorKind {
    /// Whether the same call may succeed a moment later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::UnknownOutcome)
    }

    /// The word in audit lines: the same classes as a venue's errors have.
    pub fn class(self) -> ErrorClass {
        match self {
            Self::Denied | Self::Credentials | Self::Kms => ErrorClass::Denied,
            Self::Clock => ErrorClass::Clock,
            Self::NotFound | Self::Exists | Self::Invalid | Self::Limit => ErrorClass::Refused,
            Self::Busy => ErrorClass::Busy,
            Self::UnknownOutcome => ErrorClass::UnknownOutcome,
        }
    }
}
