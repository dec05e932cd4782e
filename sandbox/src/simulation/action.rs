//! What can happen next, and how a history of it is written down.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use protocol::rotation::Step;

use crate::in_process::{Fault, Operation};

/// One thing that happens. Numbers choose among what there is at that moment, counted round: an action never
/// names what cannot be, and a history from which some were taken out is still one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) kind: Kind,
    /// Which secret, run or key.
    pub(super) which: u8,
    /// Which of its parts, or how much.
    pub(super) how: u32,
    /// What goes wrong, for a call.
    pub(super) fault: Option<Fault>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// The kinds of thing that happen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Kind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Kind {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            pub(super) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

kinds! {
    /// Secrets Manager begins a rotation.
    Begin = "begin",
    /// Secrets Manager begins its dry run.
    DryRun = "dry-run",
    /// The function is invoked as the service's own scheduler asks for.
    Due = "due",
    /// The function is invoked for a step of the pending version: a replay, a duplicate, or out of order.
    Invoke = "invoke",
    /// The function is invoked for a step of any version there is.
    Stray = "stray",
    /// The operations function looks after every secret, or after one.
    Maintain = "maintain",
    /// A person has a stuck rotation given up.
    Abandon = "abandon",
    /// A person has a secret rolled back.
    Rollback = "rollback",
    /// A person has a leaked key replaced and revoked, or revoked first.
    BreakGlass = "break-glass",
    /// The security team has every key told.
    Audit = "audit",
    /// A person asks whether a rotation would succeed.
    Plan = "plan",
    /// One waiting call of a run goes through, or its sleep ends.
    Go = "go",
    /// A run goes on to its end, undisturbed.
    Run = "run",
    /// A run's process ends.
    Kill = "kill",
    /// So many seconds pass. A run may come out of them past its end.
    Wait = "wait",
    /// The service's ways: whether it cleans AWSPENDING up, what a dry run leaves, how patient it is.
    Ways = "ways",
    /// A day with so many new versions that Secrets Manager purges old ones without labels.
    Purge = "purge",
    /// A person stores a current value: the same key, a new one, one of another account, one that is said to
    /// be of another than it is,
    /// one that the function may not use, one that does not say its master or account, one that is mistyped,
    /// or no value at all.
    Put = "put",
    /// A person stores a version under CANDIDATE.
    Offer = "offer",
    /// A person stores a pending value of their own.
    PutPending = "put-pending",
    /// A person moves a label to a version.
    Label = "label",
    /// A person takes a label off, one of our stamps among others.
    Unlabel = "unlabel",
    /// A person labels the current version until the secret can hold few labels more.
    FillLabels = "fill-labels",
    /// A person cancels rotation.
    Cancel = "cancel",
    /// A person switches rotation on again.
    SwitchOn = "switch-on",
    /// A person deletes the secret.
    Delete = "delete",
    /// A person restores the secret.
    Restore = "restore",
    /// A person makes a new master key, stores it, and deletes the old one.
    RotateMaster = "rotate-master",
    /// A person edits a key at the venue.
    EditKey = "edit-key",
    /// A person deletes a key at the venue.
    DeleteKey = "delete-key",
    /// A person fills the account's key slots, all or all but some.
    FillSlots = "fill-slots",
    /// A person frees them.
    FreeSlots = "free-slots",
    /// The clock of the function's next invocations is off.
    Skew = "skew",
    /// The venue's ways: how late it shows what changed.
    Venue = "venue",
    /// A client reads the secret, or its replica.
    Client = "client",
    /// The secret's replica falls behind, fails, or is in sync.
    Replica = "replica",
    /// Whoever may write one secret, knows every key id and has stolen one credential, stores a value there
    /// under some label, or has the
    /// secret rotated.
    Enemy = "enemy",
}

impl Action {
    pub(super) fn new(kind: Kind, which: usize, how: usize) -> Self {
        let (which, how) = (
            u8::try_from(which % 256).unwrap_or(0),
            u32::try_from(how).unwrap_or(0),
        );
        Self {
            kind,
            which,
            how,
            fault: None,
        }
    }

    pub(super) fn how(&self) -> usize {
        usize::try_from(self.how).unwrap_or(0)
    }

    pub(super) fn go(run: usize, point: usize, fault: Option<Fault>) -> Self {
        Self {
            fault,
            ..Self::new(Kind::Go, run, point)
        }
    }

    pub(super) fn invoke(secret: usize, step: Step) -> Self {
        Self::new(
            Kind::Invoke,
            secret,
            Step::ALL.iter().position(|known| *known == step).unwrap_or(0),
        )
    }
}

/// The faults by name, and the calls that each can meet.
pub(super) const FAULTS: [(&str, Fault); 13] = [
    ("dropped", Fault::Dropped),
    ("reply-lost", Fault::ReplyLost),
    ("late", Fault::Late(SignedDuration::from_secs(4))),
    ("throttled", Fault::Throttled),
    ("denied", Fault::Denied),
    ("refused", Fault::Refused),
    ("twice", Fault::Twice),
    ("page-missing", Fault::PageMissing),
    ("stale-by-one", Fault::Stale(1)),
    ("stale-by-three", Fault::Stale(3)),
    ("stale-by-all", Fault::Stale(usize::MAX)),
    ("crash-before", Fault::CrashBefore),
    ("crash-after", Fault::CrashAfter),
];

/// Whether a fault means anything for a call.
pub(super) fn can_meet(fault: Fault, operation: Operation) -> bool {
    match fault {
        Fault::ReplyLost | Fault::Late(_) | Fault::Twice | Fault::CrashAfter => operation.writes(),
        Fault::PageMissing => operation == Operation::List,
        Fault::Stale(_) => !operation.writes() && !operation.is_venue(),
        Fault::Dropped | Fault::Throttled | Fault::Denied | Fault::Refused | Fault::CrashBefore => true,
    }
}

pub(super) fn fault_name(fault: Fault) -> &'static str {
    FAULTS
        .iter()
        .find(|(_, known)| *known == fault)
        .map_or("other", |(name, _)| name)
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind.word(), self.which, self.how)?;
        self.fault
            .map_or(Ok(()), |fault| write!(f, ":{}", fault_name(fault)))
    }
}

/// A text that is no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no action of a history")]
pub struct NoAction(String);

impl FromStr for Action {
    type Err = NoAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.split(':');
            let word = parts.next()?;
            let kind = *Kind::ALL.iter().find(|kind| kind.word() == word)?;
            let (which, how) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let fault = match parts.next() {
                Some(name) => Some(FAULTS.iter().find(|(known, _)| *known == name)?.1),
                None => None,
            };
            parts.next().is_none().then_some(Self {
                kind,
                which,
                how,
                fault,
            })
        };
        read().ok_or_else(|| NoAction(text.to_owned()))
    }
}

/// A world's beginning and what happened in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Decides everything that would be chance, and how the world begins.
    pub(super) seed: u64,
    pub(super) actions: Vec<Action>,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        self.actions.iter().try_for_each(|action| write!(f, " {action}"))
    }
}

impl FromStr for History {
    type Err = NoAction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.split_whitespace();
        let seed = words.next().unwrap_or_default();
        let seed = seed.parse().map_err(|_| NoAction(seed.to_owned()))?;
        let actions = words.map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { seed, actions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_it_is_written() {
        let kinds = Kind::ALL
            .iter()
            .enumerate()
            .map(|(at, kind)| Action::new(*kind, at, 300 + at));
        let faults = FAULTS.iter().map(|(_, fault)| Action::go(1, 2, Some(*fault)));
        let history = History {
            seed: 7,
            actions: kinds.chain(faults).collect(),
        };
        assert_eq!(history.to_string().parse(), Ok(history));
    }

    #[test]
    fn what_is_no_history_is_refused_by_its_word() {
        for text in [
            "x",
            "1 fly:0:0",
            "1 go:0",
            "1 go:0:0:hiccup",
            "1 go:0:0:late:1",
            "1 go:0:x",
        ] {
            assert!(text.parse::<History>().is_err(), "{text}");
        }
    }
}
