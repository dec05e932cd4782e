//! What the witness is told.

use jiff::{SignedDuration, Timestamp};
use protocol::ports::Powers;
use protocol::rotation::Step;
use protocol::task::Task;

use crate::in_process::kind::VenueKind;
use crate::in_process::powers;
use crate::secrets_manager;
use crate::venue::{self, By, KeyId, Settings, Uid};

/// An invocation of the function, for as long as anything of it can still have an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its request id.
    pub request_id: String,
    /// The secret's ARN; empty for an operation that is about several.
    pub secret: String,
    /// The step or operation.
    pub task: Task,
    /// The version that its rotation builds; empty for an operation.
    pub token: String,
    /// When its process should be gone, by the true clock.
    pub ends: Timestamp,
    /// Its `EGRESS_IPS`.
    pub egress: Vec<String>,
    /// How long it was told to leave a replaced key alive.
    pub grace: SignedDuration,
    /// The same for a key that was made by hand, in whichever version: it may sit in a file somewhere.
    pub adoption_grace: SignedDuration,
    /// Whether it is a person's order that a leaked key dies first.
    pub revokes_first: bool,
}

impl Actor {
    /// No invocation at all.
    pub(super) fn nobody() -> Self {
        let none = String::new;
        let task = Task::Step(Step::Create);
        let (grace, adoption_grace) = (SignedDuration::ZERO, SignedDuration::ZERO);
        let ends = Timestamp::MAX;
        Self {
            request_id: none(),
            secret: none(),
            task,
            token: none(),
            ends,
            egress: Vec::new(),
            grace,
            adoption_grace,
            revokes_first: false,
        }
    }
}

/// What a call asks for, as far as a promise depends on it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The secret's labels.
    Labels,
    /// The value of a version of the actor's secret.
    Value(String),
    /// The current value of a secret.
    Current(String),
    /// All versions of the actor's secret.
    Versions,
    /// Anything else that only reads.
    Other,
    /// To store a value with this digest as the token's.
    Store(u64),
    /// To make the token current.
    Promote,
    /// To put a label on a version.
    Label(Labelled),
    /// To take a label off a version.
    Unlabel(Labelled),
    /// To begin a rotation.
    Rotate,
    /// To tag a secret.
    Tag,
    /// What a key is, signed by itself.
    Inspect(KeyId),
    /// An account's keys.
    List(Uid),
    /// A new key.
    Issue,
    /// To set what a key may do.
    Edit(KeyId),
    /// To delete a key.
    Revoke(KeyId),
}

impl Asked {
    /// Whether it changes anything.
    pub(crate) fn writes(&self) -> bool {
        use Asked::{Current, Inspect, Labels, List, Other, Value, Versions};
        !matches!(
            self,
            Labels | Value(_) | Current(_) | Versions | Other | Inspect(_) | List(_)
        )
    }
}

/// A label, and the version of which secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The secret's ARN.
    pub secret: String,
    /// The version.
    pub version: String,
    /// The label.
    pub label: String,
}

/// A call at the moment of its effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) asked: &'a Asked,
    /// When the run decided on it.
    pub(crate) decided: Timestamp,
    /// Whether it was done.
    pub(crate) done: bool,
    /// Whether the run is shown the truth, or nothing. A stale read is not fair, nor is a refusal of what
    /// was done.
    pub(crate) fair: bool,
}

/// The truth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) secrets: &'a secrets_manager::Model,
    pub(crate) venue: &'a venue::Model,
    pub(crate) kind: &'static VenueKind,
    pub(crate) now: Timestamp,
}

impl Scene<'_> {
    /// Whether nobody knows the passphrase that a key's deletion asks for: it follows from the master
    /// credential that issued the key, and that one is gone.
    pub(super) fn is_undeletable(&self, key: &KeyId) -> bool {
        let is_gone = |master: &KeyId| {
            let truth = self.venue.key(master);
            truth.is_none_or(|master| !master.alive(self.now))
        };
        self.kind.profile.manages_by_passphrase
            && self
                .venue
                .key(key)
                .is_some_and(|truth| matches!(&truth.created_by, By::Key(master) if is_gone(master)))
    }

    /// What a key with these settings may do.
    pub(super) fn powers(&self, settings: &Settings) -> Powers {
        powers(&self.venue.profile().vocabulary, settings)
    }

    /// What a key may do that none may, in the venue's words.
    pub(super) fn forbidden(&self, settings: &Settings) -> Vec<String> {
        let powers = self.powers(settings);
        powers.moves_funds.into_iter().chain(powers.unknown).collect()
    }
}
