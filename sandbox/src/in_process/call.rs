//! The calls that an invocation makes of its ports, and what may go wrong with each.

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use protocol::name::SecretId;
use protocol::ports::Whose;
use protocol::secret::KeyId;

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// DescribeSecret.
    Describe,
    /// GetSecretValue by version id.
    ReadVersion,
    /// GetSecretValue of AWSCURRENT, be it of the secret or of its master's.
    ReadCurrent,
    /// ListSecretVersionIds.
    Versions,
    /// PutSecretValue.
    Put,
    /// UpdateSecretVersionStage of AWSCURRENT.
    Swap,
    /// UpdateSecretVersionStage that puts another label on a version.
    AddLabel,
    /// UpdateSecretVersionStage that takes another label off a version.
    RemoveLabel,
    /// ListSecrets.
    Secrets,
    /// RotateSecret.
    Rotate,
    /// TagResource.
    Tag,
    /// The venue is asked about a key by the key itself.
    Inspect,
    /// The venue lists an account's keys.
    List,
    /// The venue issues a key.
    Issue,
    /// The venue edits a key.
    Edit,
    /// The venue deletes a key.
    Revoke,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 16] = [
        Self::Describe,
        Self::ReadVersion,
        Self::ReadCurrent,
        Self::Versions,
        Self::Put,
        Self::Swap,
        Self::AddLabel,
        Self::RemoveLabel,
        Self::Secrets,
        Self::Rotate,
        Self::Tag,
        Self::Inspect,
        Self::List,
        Self::Issue,
        Self::Edit,
        Self::Revoke,
    ];

    /// Whether it is one of the venue's; the others are Secrets Manager's.
    pub fn is_venue(self) -> bool {
        matches!(
            self,
            Self::Inspect | Self::List | Self::Issue | Self::Edit | Self::Revoke
        )
    }

    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        use Operation::{AddLabel, Edit, Issue, Put, RemoveLabel, Revoke, Rotate, Swap, Tag};
        matches!(
            self,
            Put | Swap | Rotate | Tag | AddLabel | RemoveLabel | Issue | Edit | Revoke
        )
    }
}

/// A call that waits to be let through. Shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What it asks for.
    pub operation: Operation,
    /// About what.
    pub(super) about: Arc<About>,
}

/// What a call is about. It becomes words where somebody asks for them: of most calls nobody does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A version, a label, an account, a marker.
    Words(String),
    /// A secret, by its name.
    Secret(SecretId),
    /// A key, by its fingerprint.
    Key(KeyId),
    /// A key that signs, by whose it is and its fingerprint.
    Signer(Whose, KeyId),
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Secret(secret) => secret.name().fmt(f),
            Self::Key(key) => key.fmt(f),
            Self::Signer(whose, key) => write!(f, "the {} key {key}", whose.as_str()),
        }
    }
}

impl Call {
    pub(super) fn new(operation: Operation, about: About) -> Self {
        Self {
            operation,
            about: Arc::new(about),
        }
    }

    pub(super) fn told(&self) -> Told {
        Told {
            operation: self.operation,
            about: self.about.to_string(),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.operation, self.about)
    }
}

/// A call in words. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it asks for.
    pub operation: Operation,
    /// About what: a version, a label, whose key, a key's fingerprint.
    pub about: String,
}

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The call.
    pub call: Told,
    /// What was done to it.
    pub fault: Option<Fault>,
    /// In which round of its invocation: calls of one round went out together.
    pub round: usize,
    /// Which invocation made it, as in its request id.
    pub request_id: String,
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives: no effect, and nobody knows.
    Dropped,
    /// It takes effect, and nobody knows.
    ReplyLost,
    /// Nobody knows, and it takes effect this much later.
    Late(SignedDuration),
    /// The service is too busy: no effect.
    Throttled,
    /// The caller may not do this: no effect.
    Denied,
    /// A definite no for a reason of the service's own: no effect.
    Refused,
    /// It takes effect, and the caller is refused as one who asks for what is done already: a front end tried
    /// twice.
    Twice,
    /// A list of keys that lacks the page with the younger half of them.
    PageMissing,
    /// A read of Secrets Manager that does not know of the last so many writes, as far as they are no older
    /// than the staleness that is allowed.
    Stale(usize),
    /// The process ends before the call is sent.
    CrashBefore,
    /// The process ends when the call has had its effect.
    CrashAfter,
}

impl Fault {
    pub(super) fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }

    /// Whether a read under it gets a definite no; nothing where it gets an answer, or nobody lives to hear
    /// one.
    pub(super) fn fails(self) -> Option<bool> {
        match self {
            Self::Denied | Self::Refused => Some(true),
            Self::Dropped | Self::ReplyLost | Self::Late(_) | Self::Throttled => Some(false),
            Self::Twice | Self::PageMissing | Self::Stale(_) | Self::CrashBefore | Self::CrashAfter => None,
        }
    }
}

/// Faults to come, each for one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan(Vec<Planned>);

#[derive(Clone, Debug)]
struct Planned {
    operation: Option<Operation>,
    calls_to_go: usize,
    fault: Fault,
}

impl Plan {
    /// Plans a fault for the so-manieth next call of an operation, or of any, counted from 1.
    pub(super) fn add(&mut self, operation: Option<Operation>, occurrence: usize, fault: Fault) {
        self.0.push(Planned {
            operation,
            calls_to_go: occurrence,
            fault,
        });
    }

    /// What is to be done to this call.
    pub(super) fn next_for(&mut self, operation: Operation) -> Option<Fault> {
        for planned in self
            .0
            .iter_mut()
            .filter(|planned| planned.operation.is_none_or(|wanted| wanted == operation))
        {
            planned.calls_to_go = planned.calls_to_go.saturating_sub(1);
        }
        let due = self.0.iter().position(|planned| planned.calls_to_go == 0)?;
        Some(self.0.remove(due).fault)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_the_call_it_was_planned_for_and_no_other() {
        let mut plan = Plan::default();
        plan.add(Some(Operation::Put), 2, Fault::Dropped);
        plan.add(None, 4, Fault::Throttled);
        let calls = [
            Operation::Put,
            Operation::Describe,
            Operation::Put,
            Operation::List,
            Operation::Put,
        ];
        let met = calls.map(|operation| plan.next_for(operation));
        assert_eq!(
            met,
            [None, None, Some(Fault::Dropped), Some(Fault::Throttled), None]
        );
        assert!(plan.is_empty());
    }
}
