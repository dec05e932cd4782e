//! What the protocol needs of the world: a store for secrets, a venue, time, and a journal for what it did.
//! The function implements them over AWS and HTTP, the sandbox over its models.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use thiserror::Error;

use crate::audit::{FindingRecord, Record};
pub use crate::class::ErrorClass;
use crate::label::{Label, VersionId};
use crate::marker::Marker;
use crate::name::{SecretId, SecretName, VenueId};
use crate::secret::{AccountId, Addresses, Credential, KeyId, Permission, Permissions, Word};
use crate::shown;
use crate::wrong::{self, Wrong};

/// Everything of the world that one invocation may touch.
#[derive(Clone, Copy, Debug)]
pub struct Ports<'a> {
    /// Secrets Manager.
    pub store: &'a dyn Store,
    /// The exchanges.
    pub venues: &'a dyn Venues,
    /// Clock, sleep, randomness and the invocation's deadline.
    pub time: &'a dyn Time,
    /// Where effects are recorded.
    pub journal: &'a dyn Journal,
}

/// Clock, sleep, randomness, and how long this invocation may live.
#[async_trait]
pub trait Time: Send + Sync + Debug {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// When the invocation is ended from outside.
    fn deadline(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, time: Duration);
    /// Sixty-four random bits.
    fn random(&self) -> u64;
}

/// Takes the audit line of every effect, and the line of every finding.
pub trait Journal: Send + Sync + Debug {
    /// Records one effect, done or failed. Never fails: an audit line must not stop a rescue.
    fn record(&self, record: &Record);
    /// Notes what an operation found.
    fn found(&self, found: &FindingRecord);
}

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

/// A version as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Which.
    pub id: VersionId,
    /// When it was made, by Secrets Manager's clock.
    pub created_at: Option<Timestamp>,
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

/// How often a secret is to be rotated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// AutomaticallyAfterDays.
    pub days: Option<u32>,
    /// ScheduleExpression: `rate(…)` or `cron(…)`. Where there is one it decides, and the days are what
    /// Secrets Manager made of it.
    pub expression: Option<String>,
    /// Duration, in hours: how long the rotation window stays open.
    pub window_hours: Option<u32>,
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
        format!("{} ({})", shown(&self.region), shown(&self.status))
    }
}

impl Schedule {
    /// The time from one rotation to the next; `None` where a `cron(…)` decides.
    /// Source: AWS user guide, "Rotation schedules": `rate(n hours)` or `rate(n days)`.
    pub fn interval(&self) -> Option<Duration> {
        match &self.expression {
            Some(expression) => {
                rate(expression).map(|(count, hours)| Duration::from_hours(u64::from(count) * hours))
            }
            None => self.days.map(|days| Duration::from_hours(DAY * u64::from(days))),
        }
    }

    /// How long the rotation window stays open: an hour where a rate is in hours and nothing else is said,
    /// else the rest of the day. Source: AWS user guide, "Rotation schedules".
    pub fn window(&self) -> Duration {
        let hourly = self
            .expression
            .as_deref()
            .and_then(rate)
            .is_some_and(|(_, hours)| hours == 1);
        Duration::from_hours(self.window_hours.map_or(if hourly { 1 } else { DAY }, u64::from))
    }
}

/// A day, in hours.
const DAY: u64 = 24;

/// How many of how many hours a `rate(…)` says.
fn rate(expression: &str) -> Option<(u32, u64)> {
    let rate = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = rate.trim().split_once(' ')?;
    let hours = match unit.trim() {
        "hour" | "hours" => 1,
        "day" | "days" => DAY,
        _ => return None,
    };
    Some((count.parse().ok()?, hours))
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

    /// The labels on a version.
    pub fn labels(&self, version: &VersionId) -> impl Iterator<Item = &Label> {
        self.versions.get(version).into_iter().flatten()
    }
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

/// Finds a venue.
pub trait Venues: Send + Sync + Debug {
    /// The venue of this id.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    fn venue(&self, id: &VenueId) -> Result<Arc<dyn Venue>, String>;
}

/// One exchange in one environment. Implementations retry what is safe to retry, inside what is left of the
/// invocation.
#[async_trait]
pub trait Venue: Send + Sync + Debug {
    /// Which venue this is.
    fn id(&self) -> &VenueId;
    /// What is known of the venue's ways.
    fn facts(&self) -> VenueFacts;
    /// Whether a key like this may issue and revoke the keys of sub-accounts.
    ///
    /// # Errors
    /// What it lacks, in words for the operator.
    fn may_issue(&self, master: &KeyState) -> Result<(), String>;
    /// Asks what a key may do, signed by that key.
    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError>;
    /// All keys of an account, over all pages.
    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError>;
    /// Issues a key with these powers from its first second on.
    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError>;
    /// Sets a key's powers and addresses to exactly these, where a list has shown what it has.
    async fn edit(
        &self,
        master: &Signer,
        account: &AccountId,
        key: &ListedKey,
        grant: &Grant,
    ) -> Result<(), VenueError>;
    /// Deletes a key.
    async fn revoke(&self, master: &Signer, account: &AccountId, key: &KeyId) -> Result<(), VenueError>;
}

/// A venue's ways, from its documentation where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueFacts {
    /// How long after a key was made a rejection may still mean "not yet".
    pub propagation: Duration,
    /// How long after it was signed a request may still take effect.
    pub signature_window: Duration,
    /// The least time between two calls of one address, so that a pass over many keys stays below the
    /// venue's limits.
    pub spacing: Duration,
    /// The same for two calls of one master credential.
    pub master_spacing: Duration,
    /// How long a key lives that is bound to no address, where the venue ends it.
    pub unbound_life: Option<Duration>,
    /// How many keys an account can have, as far as anybody says: never a reason to refuse.
    pub most_keys: Option<usize>,
}

/// A credential and whose it is, so that every error can say which credential failed.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Whose.
    pub whose: Whose,
    /// The credential.
    pub credential: Credential,
}

/// Whose credential signed a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The master credential.
    Master,
    /// The one consumers use.
    Current,
    /// The one a rotation is building.
    Pending,
    /// One a person labelled CANDIDATE or ROLLBACK.
    Offered,
    /// One that a version which is not current any more names.
    Replaced,
}

impl Whose {
    /// As in "the pending key".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Current => "current",
            Self::Pending => "pending",
            Self::Offered => "offered",
            Self::Replaced => "replaced",
        }
    }
}

/// What a key may do, from where, and on which account.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// The account it belongs to.
    pub account: AccountId,
    /// Whether that account is a master account.
    pub is_master: bool,
    /// What it may do.
    pub powers: Powers,
    /// From where.
    pub addresses: Addresses,
    /// When the venue lets it expire, where it does.
    pub expires_at: Option<Timestamp>,
    /// Whether it may only read.
    pub read_only: bool,
    /// What kind of key it is, where it is of one that not every caller can use, in words: as in "a key of a
    /// third-party app".
    pub kind: Option<&'static str>,
}

/// What a key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// In our vocabulary.
    pub permissions: Permissions,
    /// What moves funds, in the venue's words.
    pub moves_funds: Vec<String>,
    /// What is known, moves no funds, and is no word of ours, in the venue's words: more than any policy
    /// allows, and no danger.
    pub others: Vec<String>,
    /// What we do not know, in the venue's words: it counts as forbidden.
    pub unknown: Vec<String>,
}

impl Powers {
    /// What goes beyond the allowed, in words; empty where nothing does. Reading is implied by every
    /// permission and never counts.
    pub fn beyond(&self, allowed: &Permissions) -> Vec<String> {
        let more = self
            .permissions
            .iter()
            .filter(|held| held.word != Word::Read && !allowed.iter().any(|allowed| allowed.covers(held)))
            .map(ToString::to_string);
        self.not_granted().into_iter().chain(more).collect()
    }

    /// What no rotated key may have, in the venue's words.
    pub fn forbidden(&self) -> Vec<String> {
        let unknown = if wrong::is(Wrong::UnknownGroupTrusted) {
            &[][..]
        } else {
            &self.unknown
        };
        self.moves_funds.iter().chain(unknown).cloned().collect()
    }

    /// What no key gets that is issued, in the venue's words.
    pub fn not_granted(&self) -> Vec<String> {
        self.forbidden()
            .into_iter()
            .chain(self.others.iter().cloned())
            .collect()
    }

    /// What is demanded and not held. Reading as such is held by every key that may do anything.
    pub fn lacks(&self, demanded: &Permissions) -> Vec<String> {
        let reads = Permission::whole(Word::Read);
        demanded
            .iter()
            .filter(|demanded| {
                !self
                    .permissions
                    .iter()
                    .any(|held| held.covers(demanded) || **demanded == reads)
            })
            .map(ToString::to_string)
            .collect()
    }
}

/// What a key is to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it may do.
    pub permissions: Permissions,
    /// From where.
    pub addresses: Addresses,
}

/// All keys of an account at one moment.
#[derive(Clone, Debug)]
pub struct KeyList {
    /// The keys.
    pub keys: Vec<ListedKey>,
    /// The venue's own time when it answered.
    pub as_of: Timestamp,
}

/// One key of a list.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Which key.
    pub key_id: KeyId,
    /// The marker in its note, where there is one of ours.
    pub marker: Option<Marker>,
    /// What it may do.
    pub powers: Powers,
    /// From where.
    pub addresses: Addresses,
    /// When it was made, by the venue's clock.
    pub created_at: Timestamp,
    /// Whether the venue itself says that it has expired.
    pub expired: bool,
    /// As in [`KeyState`].
    pub kind: Option<&'static str>,
}

/// A key as issued: the only time the venue shows its secret.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// The credential.
    pub credential: Credential,
}

/// What became of a call to a venue that did not succeed.
#[derive(Clone, Debug, Error)]
#[error("{say}")]
pub struct VenueError {
    /// What it means.
    pub class: ErrorClass,
    /// Whose credential signed the call.
    pub whose: Whose,
    /// What happened and what to do, in words for the operator; never a text the venue sent that could hold
    /// a key.
    pub say: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(
        days: Option<u32>,
        expression: Option<&str>,
        window_hours: Option<u32>,
    ) -> (Option<u64>, u64) {
        let schedule = Schedule {
            days,
            expression: expression.map(str::to_owned),
            window_hours,
        };
        (
            schedule.interval().map(|interval| interval.as_secs() / 3600),
            schedule.window().as_secs() / 3600,
        )
    }

    #[test]
    fn the_expression_decides_and_the_days_are_what_aws_made_of_it() {
        assert_eq!(schedule(Some(1), Some("rate(4 hours)"), None), (Some(4), 1));
        assert_eq!(schedule(Some(1), Some("rate(36 hours)"), None), (Some(36), 1));
        assert_eq!(schedule(Some(1), Some("rate(1 hour)"), Some(2)), (Some(1), 2));
        assert_eq!(schedule(Some(10), Some("rate(10 days)"), None), (Some(240), 24));
        assert_eq!(schedule(Some(30), None, Some(3)), (Some(720), 3));
        assert_eq!(schedule(Some(7), Some("cron(0 8 1 * ? *)"), None), (None, 24));
        assert_eq!(schedule(None, Some("rate(many days)"), None), (None, 24));
        assert_eq!(schedule(None, None, None), (None, 24));
    }
}
