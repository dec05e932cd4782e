//! What happens after a promotion, and what a person asks for: the operations. They keep nothing of their
//! own: labels, values and the venue's lists of keys tell what there is to do.
//!
//! | question | room |
//! | --- | --- |
//! | what an operation answers, how an answer grows, its table | `answer` |
//! | which secrets there are, at which pace, and which keys are held by whom | `pass` |
//! | what there is to do for one secret: its current key, orphans, tags | `maintain` |
//! | when a replaced key dies, what the labels say of its end, and the proof | `retire` |
//! | what every key is | `audit` |
//! | what is done about a leaked key | `emergency` |
//! | whether a rotation would succeed | `plan` |
//! | giving up a stuck rotation, and going back to an earlier credential | `abandon`, `rollback` |
//! | when a secret is rotated next | `schedule` |
//! | what is wrong with a current key that answers | `faults` |
//! | the commands that findings tell a person to type | `commands` |

mod abandon;
mod answer;
mod audit;
mod commands;
mod emergency;
mod faults;
mod maintain;
mod pass;
mod plan;
mod retire;
mod rollback;
mod schedule;

use std::collections::BTreeSet;
use std::time::Duration;

pub use answer::fingerprint::{Fingerprint, NoFingerprint};
pub use answer::{
    Answer, Audited, AuditedKey, Code, Finding, KeyOnAccount, KeyRow, Moment, Outcome, Planned, ReplicaRow,
    RotationState, Row, Severity, Slots,
};
use pass::Pass;
pub use pass::holders::HolderCache;
pub use pass::secret_pages::Shard;

pub use crate::audit::Order;
use crate::label::VersionId;
use crate::name::SecretId;
use crate::ports::{Fleet, Ports};
use crate::secret::Address;
use crate::session::Caller;
pub use crate::task::{Duty, Operation};

/// What an operation is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationRequest {
    /// Look after every secret of a shard, or after some.
    Maintain {
        /// Which part of all secrets.
        shard: Shard,
        /// These secrets alone, where there are any.
        secrets: Vec<SecretId>,
        /// Whether labels that were moved name them: one that this stack does not rotate is passed over
        /// then.
        moved: bool,
        /// Say what would be done, and do nothing.
        dry_run: bool,
    },
    /// Give up a stuck rotation.
    Abandon {
        /// Of which secret.
        secret: SecretId,
    },
    /// Rotate back to an earlier credential.
    Rollback {
        /// Of which secret.
        secret: SecretId,
        /// To which version; to the one that was current last where none is named.
        version: Option<VersionId>,
    },
    /// A key is leaked.
    BreakGlass {
        /// Of which secret.
        secret: SecretId,
        /// Which version names it; the current one where none is named.
        version: Option<VersionId>,
        /// What comes first.
        mode: Mode,
        /// The key itself, as the person who orders it knows it.
        fingerprint: Option<Fingerprint>,
        /// Revoke it first though no successor can be issued then.
        no_successor: bool,
        /// What happened, for the trail.
        order: Order,
    },
    /// Say what every key is.
    Audit {
        /// Of which part of all secrets.
        shard: Shard,
        /// Of one secret alone.
        secret: Option<SecretId>,
        /// Only what names the key with this fingerprint.
        fingerprint: Option<Fingerprint>,
        /// Where the answer before left off.
        after: Option<String>,
        /// What the answer holds.
        form: Form,
    },
    /// Say whether a rotation would succeed now.
    Plan {
        /// Of which secret.
        secret: SecretId,
    },
}

/// What the answer to an audit holds beside counts and findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A row a secret.
    #[default]
    Json,
    /// The rows as a table of comma-separated values.
    Csv,
    /// No rows: one answer has room for a whole fleet.
    Findings,
}

/// What comes first where a key is leaked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// A successor: the leaked key dies the moment that is current.
    #[default]
    ReplaceFirst,
    /// The leaked key's death, where stopping is the lesser evil.
    RevokeFirst,
}

impl OperationRequest {
    /// Which operation it is.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Maintain { .. } => Operation::Maintain,
            Self::Abandon { .. } => Operation::Abandon,
            Self::Rollback { .. } => Operation::Rollback,
            Self::BreakGlass { .. } => Operation::BreakGlass,
            Self::Audit { .. } => Operation::Audit,
            Self::Plan { .. } => Operation::Plan,
        }
    }

    /// The person's order that it carries.
    pub fn order(&self) -> Option<&Order> {
        if let Self::BreakGlass { order, .. } = self {
            Some(order)
        } else {
            None
        }
    }
}

/// What the function's configuration says to the operations.
#[derive(Clone, Debug)]
pub struct OperationSettings {
    /// The addresses the function's own calls leave from.
    pub egress: BTreeSet<Address>,
    /// The ARN of the function that rotates: its secrets are the ones to look after.
    pub rotation_function: String,
    /// The ARN of the function for the operations that this one refuses: commands name it.
    pub other_function: String,
    /// How long a replaced key stays alive.
    pub grace: Duration,
    /// The same for a key that was made by hand: it may sit in a file somewhere.
    pub adoption_grace: Duration,
    /// The KMS key that the roles of the functions may use, where there is one.
    pub kms_key: Option<String>,
}

impl OperationSettings {
    /// `GRACE_HOURS` where it is not set.
    pub const GRACE: Duration = Duration::from_hours(24);
    /// `ADOPTION_GRACE_HOURS` where it is not set.
    pub const ADOPTION_GRACE: Duration = Duration::from_hours(168);
    /// The longest that a client keeps what it has read. Source: AWS's caching clients, which refresh every
    /// hour if not told otherwise, and its Secrets Manager Agent, whose `ttl_seconds` goes up to that.
    pub const LONGEST_CLIENT_CACHE: Duration = Duration::from_hours(1);
    /// Less is refused: a client may have read the replaced key just before it was replaced.
    pub const LEAST_GRACE: Duration = Self::LONGEST_CLIENT_CACHE;
}

/// Performs an operation. It always answers: what could not be done is a finding.
pub async fn operate(
    ports: Ports<'_>,
    fleet: &dyn Fleet,
    caller: &Caller,
    settings: &OperationSettings,
    cache: &HolderCache,
    request: &OperationRequest,
) -> Answer {
    let pass = Pass::new(ports, fleet, caller, settings, cache, request);
    match request {
        OperationRequest::Maintain {
            shard,
            secrets,
            moved,
            ..
        } => maintain::maintain(&pass, *shard, secrets, *moved).await,
        OperationRequest::Abandon { secret } => abandon::abandon(&pass, secret).await,
        OperationRequest::Rollback { secret, version } => {
            rollback::rollback(&pass, secret, version.as_ref()).await
        }
        OperationRequest::BreakGlass {
            secret,
            version,
            mode,
            ..
        } => emergency::break_glass(&pass, secret, version.as_ref(), *mode).await,
        OperationRequest::Audit {
            shard,
            secret,
            fingerprint,
            after,
            form,
        } => {
            let audit = audit::Audit {
                secret: secret.as_ref(),
                fingerprint: fingerprint.as_ref(),
                form: *form,
            };
            audit.of(&pass, *shard, after.clone()).await
        }
        OperationRequest::Plan { secret } => plan::plan(&pass, secret).await,
    }
}
