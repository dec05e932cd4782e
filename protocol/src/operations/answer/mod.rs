//! What an operation answers: one envelope that a person can read at night and a program can act on. Its
//! fields are a contract: one may be added, none removed or given another meaning. Nothing in it is secret.

pub(crate) mod builder;
pub(crate) mod fingerprint;
pub(crate) mod table;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::error::RUNBOOK;
use crate::task::Operation;

/// The envelope.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Which operation answers.
    pub operation: Operation,
    /// How it went.
    pub outcome: Outcome,
    /// The version of this program.
    pub version: &'static str,
    /// The invocation.
    pub request_id: String,
    /// Whether it only says what it would have done.
    pub dry_run: bool,
    /// How many of what.
    pub counts: BTreeMap<&'static str, u64>,
    /// What somebody should know, the worst first.
    pub findings: Vec<Finding>,
    /// The secrets that something was done to or found at; in an audit, all of them.
    pub secrets: Vec<Row>,
    /// An emergency from the order on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Moment>,
    /// How long a leaked key lived after the order, where it is proven dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_seconds: Option<i64>,
    /// The rows as a table of comma-separated values, where they were asked for as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<String>,
    /// Where the next answer begins, where this one could not hold everything: to be given back as `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One moment of an emergency.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// How many seconds after the order.
    pub seconds: i64,
    /// What happened.
    pub what: String,
}

/// How an operation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All is as it should be.
    Ok,
    /// It was done, and somebody has to look at what it found.
    Attention,
    /// It was not done: the findings say why, and what was changed all the same.
    Failed,
}

/// Something that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How urgent it is.
    pub severity: Severity,
    /// The fixed word.
    pub code: Code,
    /// The secret's name; empty where it is about none.
    pub secret: String,
    /// The first twelve hex digits of the SHA-256 of the secret's ARN, once that is known: log lines bear it
    /// beside the masked name.
    pub arn_digest: Option<String>,
    /// The account that the secret stands for, as the venue names it, once that is known.
    pub account: Option<String>,
    /// What was found.
    pub say: String,
    /// What to do about it: the next command where there is one.
    pub r#do: String,
    /// The section of the runbook about findings of this kind, from the root of this project.
    pub runbook: String,
}

/// How urgent a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Wake somebody up.
    Page,
    /// Somebody has to do something during the day.
    Ticket,
    /// Good to know.
    Info,
}

impl Severity {
    /// The word as it is reported.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
            Self::Info => "info",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal $severity:ident,)+) => {
        /// What a finding is about. The words are a contract: programs match them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it is reported.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// How urgent findings of this kind are.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// The section of the runbook about such findings, from the root of this project.
            pub fn runbook(self) -> String {
                let heading = format!("{}-{}", self.as_str(), self.severity().as_str());
                format!("{RUNBOOK}#{}", heading.to_lowercase())
            }
        }
    };
}

codes! {
    /// The venue rejects the key that consumers use.
    CurrentDead = "CURRENT_DEAD" Page,
    /// The current key was rejected: for the first time, or where nothing proves yet what that means.
    CurrentSuspect = "CURRENT_SUSPECT" Ticket,
    /// The current key is good, but may not be used from the function's addresses.
    CurrentDenied = "CURRENT_DENIED" Ticket,
    /// The venue gave no answer about the current key.
    CurrentUnchecked = "CURRENT_UNCHECKED" Info,
    /// The current value was not made by us, though a rotation has been: a hand or infrastructure code put a
    /// key back.
    CurrentOverwritten = "CURRENT_OVERWRITTEN" Ticket,
    /// The current key belongs to another account than the secret stands for.
    AccountMismatch = "ACCOUNT_MISMATCH" Page,
    /// The current key may withdraw or transfer, or has a power that is not known.
    CanMoveFunds = "CAN_MOVE_FUNDS" Page,
    /// The current key may be used from anywhere, and no policy says so.
    Unbound = "UNBOUND" Ticket,
    /// The current key may do more, or from more addresses, than its policy says.
    MorePowerThanPolicy = "MORE_POWER_THAN_POLICY" Ticket,
    /// The current key may do less, or from fewer addresses, than its policy says: what consumers need may be
    /// refused to them.
    LessPowerThanPolicy = "LESS_POWER_THAN_POLICY" Ticket,
    /// A key that is compromised is held by a version that consumers may read.
    CompromisedHeld = "COMPROMISED_HELD" Page,
    /// A version that may hold a key cannot be read: no named key of its venue is revoked meanwhile.
    HolderUnreadable = "HOLDER_UNREADABLE" Page,
    /// The venue ends the master credential within a week: after that nothing of its accounts can be issued,
    /// listed or revoked.
    MasterExpiring = "MASTER_EXPIRING" Page,
    /// The secret is scheduled for deletion: consumers cannot read it, and its keys live on.
    SecretDeleted = "SECRET_DELETED" Ticket,
    /// The KMS key of the secret cannot be used: what cannot be decrypted here, consumers may not be able to
    /// read either.
    KmsKeyUnusable = "KMS_KEY_UNUSABLE" Page,
    /// The master credential cannot be used: nothing of its accounts can be issued, listed or revoked.
    MasterUnusable = "MASTER_UNUSABLE" Page,
    /// The master's value does not say whom it serves, or not this secret for what it needs: what rests on a
    /// secret's own word is refused.
    MasterUnscoped = "MASTER_UNSCOPED" Ticket,
    /// A value cannot be read as a credential.
    ValueInvalid = "VALUE_INVALID" Ticket,
    /// A replaced key whose grace is over is alive, since it could not be revoked.
    GraceOverrun = "GRACE_OVERRUN" Ticket,
    /// A key that was revoked still answers, or nothing proves that it does not.
    NotProvenDead = "NOT_PROVEN_DEAD" Info,
    /// A hand-made key that was replaced stays alive for longer than one of ours: it may sit in a file
    /// somewhere.
    AdoptionGrace = "ADOPTION_GRACE" Info,
    /// ROLLBACK is on a version and no rotation is open: the next one goes back to it.
    RollbackWaits = "ROLLBACK_WAITS" Info,
    /// A replica is not in sync: replaced keys stay alive until it is.
    ReplicaBehind = "REPLICA_BEHIND" Ticket,
    /// A key of ours that no version is known to name, and whose version may have been purged: a person has
    /// to decide.
    OrphanUndecided = "ORPHAN_UNDECIDED" Ticket,
    /// The secret has no room for a stamp.
    LabelsFull = "LABELS_FULL" Ticket,
    /// Something could not be done or read; it is tried again in the next pass.
    NotDone = "NOT_DONE" Ticket,
    /// The pass ran out of time: the next one goes on elsewhere.
    Unfinished = "UNFINISHED" Ticket,
    /// A rotation should have been over by now.
    Overdue = "OVERDUE" Ticket,
    /// A rotation has been open for too long: it fails again and again, and blocks every other.
    StuckPending = "STUCK_PENDING" Ticket,
    /// Rotation is switched off.
    RotationOff = "ROTATION_OFF" Ticket,
    /// A secret is named like the others, and nothing rotates it.
    Unrotated = "UNROTATED" Ticket,
    /// Two secrets name one key: it can be revoked for neither.
    SharedKey = "SHARED_KEY" Ticket,
    /// Keys live on the account that no secret of ours names.
    ForeignKeys = "FOREIGN_KEYS" Ticket,
    /// The secret's versions name more accounts than the audit has looked at.
    AccountsUnseen = "ACCOUNTS_UNSEEN" Ticket,
    /// Keys that were issued and are in no version are alive: maintain revokes them.
    Orphans = "ORPHANS" Info,
    /// The venue ends the key before it is rotated and its grace is over.
    ExpiresBeforeRotation = "EXPIRES_BEFORE_ROTATION" Ticket,
    /// So many keys were issued on an account within a day that somebody should ask why.
    ManyKeysIssued = "MANY_KEYS_ISSUED" Page,
    /// The account has hardly any room for another key.
    SlotsLow = "SLOTS_LOW" Ticket,
    /// The key that was looked for.
    KeyFound = "KEY_FOUND" Info,
    /// No version names the key that was looked for.
    KeyNotFound = "KEY_NOT_FOUND" Info,
    /// There is more than one answer holds: ask for what is next.
    More = "MORE" Info,
    /// A rotation would fail.
    Blocker = "BLOCKER" Ticket,
    /// A rotation would succeed, and something should be known before.
    Warning = "WARNING" Info,
    /// The secret names its KMS key by an alias: whether that is the key that the functions may use is not
    /// told.
    KmsKeyUntold = "KMS_KEY_UNTOLD" Info,
    /// A leaked key is still alive.
    Exposed = "EXPOSED" Page,
    /// A master credential is leaked: it comes before the keys it can issue.
    MasterLeaked = "MASTER_LEAKED" Page,
    /// The operation was refused, and nothing was changed.
    Refused = "REFUSED" Ticket,
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A secret that something was done to or found at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// The secret's name.
    pub secret: String,
    /// Its ARN.
    pub arn: String,
    /// What was done, or with a dry run would have been, in order.
    pub did: Vec<String>,
    /// The keys of its versions that were looked at.
    pub keys: Vec<KeyRow>,
    /// What an audit says of the secret.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Box<Audited>>,
    /// What a plan says of its next rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<Planned>>,
}

/// What an audit says of a secret.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Audited {
    /// The venue.
    pub venue: Option<String>,
    /// The account that the secret stands for.
    pub account: Option<String>,
    /// Where its next key comes from: `issued` by us, or `supplied` by a person.
    pub strategy: Option<&'static str>,
    /// How its rotation stands.
    pub rotation: RotationState,
    /// Its copies in other Regions.
    pub replicas: Vec<ReplicaRow>,
    /// The living keys on the account that no secret of ours names and nobody here issued; nothing where
    /// that is not known.
    pub foreign_keys: Option<Vec<KeyOnAccount>>,
    /// The living keys that were issued for this secret and are in none of its versions; nothing where that
    /// is not known.
    pub orphans: Option<Vec<KeyOnAccount>>,
    /// The living keys that bear a marker of ours, are in no version, and are so young that a rotation may
    /// be about to store them.
    pub young_keys: Option<Vec<KeyOnAccount>>,
    /// The account's room for keys; nothing where that is not known.
    pub slots: Option<Slots>,
    /// When a rotation last completed.
    pub last_rotated: Option<Timestamp>,
    /// When the next one is over at the latest.
    pub next_rotation: Option<Timestamp>,
}

/// How a secret's rotation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationState {
    /// Nothing is open.
    #[default]
    Idle,
    /// A rotation is in flight.
    InFlight,
    /// A rotation has been open for too long.
    Stuck,
    /// Rotation is switched off.
    SwitchedOff,
    /// The secret is scheduled for deletion.
    Deleted,
}

impl RotationState {
    /// The word as it is reported.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::InFlight => "in_flight",
            Self::Stuck => "stuck",
            Self::SwitchedOff => "switched_off",
            Self::Deleted => "deleted",
        }
    }
}

/// A copy in another Region.
#[derive(Clone, Debug, Serialize)]
pub struct ReplicaRow {
    /// The Region.
    pub region: String,
    /// Whether it has what the primary has.
    pub in_sync: bool,
    /// What Secrets Manager says of it.
    pub status: String,
}

/// A key as an account's list shows it.
#[derive(Clone, Debug, Serialize)]
pub struct KeyOnAccount {
    /// Its fingerprint.
    pub fingerprint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it may do, in words.
    pub powers: Vec<String>,
    /// From where.
    pub addresses: String,
}

/// An account's room for keys.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Slots {
    /// How many keys it has.
    pub used: usize,
    /// How many more it can have, as far as anybody says.
    pub left: Option<usize>,
}

/// What a plan says of a secret's next rotation.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Planned {
    /// Whether it would succeed, as far as that can be known before.
    pub would_succeed: bool,
    /// Where its key would come from: `issued`, `candidate`, `rollback`.
    pub source: Option<&'static str>,
    /// The account.
    pub account: Option<String>,
    /// What the new key would be allowed to do.
    pub permissions: Vec<String>,
    /// The addresses it would be bound to.
    pub addresses: Option<String>,
    /// The hours that the replaced key would stay alive.
    pub grace_hours: Option<u64>,
    /// The longest that a client keeps a value that it has read, in seconds.
    pub client_cache_seconds: Option<u64>,
    /// The calls it would make, in order; those of one step that go out together stand together.
    pub calls: Vec<&'static str>,
}

/// A version and the key that it names.
#[derive(Clone, Debug, Serialize)]
pub struct KeyRow {
    /// The version.
    pub version: String,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// Whether the venue accepts it; nothing where it gave no definite answer.
    pub alive: Option<bool>,
    /// When it was asked.
    pub checked_at: Timestamp,
    /// Where the key stands, in words.
    pub state: String,
    /// What an audit says of it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Box<AuditedKey>>,
}

/// What an audit says of a key.
#[derive(Clone, Debug, Serialize)]
pub struct AuditedKey {
    /// The labels on its version.
    pub labels: Vec<String>,
    /// `issued` by us, or `hand_made`.
    pub origin: &'static str,
    /// When its value was built.
    pub created_at: Option<Timestamp>,
    /// How old it is since then.
    pub age_days: Option<i64>,
    /// When the venue lets it expire, where it does.
    pub expires_at: Option<Timestamp>,
    /// What it may do, in words; nothing where it does not answer.
    pub powers: Option<Vec<String>>,
    /// From where.
    pub addresses: Option<String>,
    /// Whether that is within its policy.
    pub within_policy: Option<bool>,
}
