//! What an operation answers: one envelope that a person can read at night and a program can act on. Its fields are a contract: one
//! may be added, none removed or given another meaning. Nothing in it is secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

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
    /// The secrets that something was done to or found at.
    pub secrets: Vec<Row>,
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
    /// What was found.
    pub say: String,
    /// What to do about it: the next command where there is one.
    pub r#do: String,
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
        }
    };
}

codes! {
    /// The venue rejects the key that consumers use.
    CurrentDead = "CURRENT_DEAD" Page,
    /// The current key was rejected for the first time.
    CurrentSuspect = "CURRENT_SUSPECT" Ticket,
    /// The current key is good, but may not be used from the function's addresses.
    CurrentDenied = "CURRENT_DENIED" Ticket,
    /// The venue gave no answer about the current key.
    CurrentUnchecked = "CURRENT_UNCHECKED" Info,
    /// The current value was not made by us, though a rotation has been: a hand or infrastructure code put a key back.
    CurrentOverwritten = "CURRENT_OVERWRITTEN" Ticket,
    /// The current key belongs to another account than the secret stands for.
    AccountMismatch = "ACCOUNT_MISMATCH" Page,
    /// The current key may withdraw or transfer, or has a power that is not known.
    CanMoveFunds = "CAN_MOVE_FUNDS" Page,
    /// The current key may be used from anywhere, and no policy says so.
    Unbound = "UNBOUND" Ticket,
    /// The current key may do more, or from more addresses, than its policy says.
    MorePowerThanPolicy = "MORE_POWER_THAN_POLICY" Ticket,
    /// A key that is compromised is held by a version that consumers may read.
    CompromisedHeld = "COMPROMISED_HELD" Page,
    /// A version that may hold a key cannot be read: no named key of its venue is revoked meanwhile.
    HolderUnreadable = "HOLDER_UNREADABLE" Page,
    /// The master credential cannot be used: nothing of its accounts can be issued, listed or revoked.
    MasterUnusable = "MASTER_UNUSABLE" Page,
    /// A value cannot be read as a credential.
    ValueInvalid = "VALUE_INVALID" Ticket,
    /// A replaced key whose grace is over is alive, since it could not be revoked.
    GraceOverrun = "GRACE_OVERRUN" Ticket,
    /// A key that was revoked still answers, or nothing proves that it does not.
    NotProvenDead = "NOT_PROVEN_DEAD" Info,
    /// A hand-made key that was replaced stays alive for longer than one of ours: it may sit in a file somewhere.
    AdoptionGrace = "ADOPTION_GRACE" Info,
    /// A replica is not in sync: replaced keys stay alive until it is.
    ReplicaBehind = "REPLICA_BEHIND" Ticket,
    /// A key of ours that no version is known to name, and whose version may have been purged: a person has to decide.
    OrphanUndecided = "ORPHAN_UNDECIDED" Ticket,
    /// The secret has no room for a stamp.
    LabelsFull = "LABELS_FULL" Ticket,
    /// Something could not be done or read; it is tried again in the next pass.
    NotDone = "NOT_DONE" Ticket,
    /// The pass ran out of time: the next one goes on elsewhere.
    Unfinished = "UNFINISHED" Ticket,
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
}
