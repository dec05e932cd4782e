//! What versions say of one key, for the secret that asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::label::{Label, VersionId};
use crate::name::SecretName;
use crate::operations::pass::digest::{Digest16, digest_of};
use crate::operations::pass::holders::labels::holding;
use crate::ports::Description;
use crate::secret::{AccountId, Credential, Serves};

/// Which key is asked about, and by which secret.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// The secret's name.
    pub(crate) secret: &'a str,
    pub(crate) credential: &'a Credential,
    /// Its account, where that is certain, and what the account's master says of whom it serves.
    pub(crate) account: Option<&'a AccountId>,
    pub(crate) serves: Option<&'a Serves>,
}

impl Asking<'_> {
    /// Whether the master says that another secret stands for the account too; so it may, where the master
    /// says nothing.
    pub(crate) fn is_served(&self, secret: &str) -> bool {
        match (self.serves, self.account) {
            (Some(serves), Some(account)) => serves.of(&SecretName::new(secret), account).next().is_some(),
            _ => true,
        }
    }
}

/// What versions say of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// The labels that hold it.
    pub(crate) held: BTreeSet<Held>,
    /// The stamps of the versions that name it and were current.
    pub(crate) stamps: Vec<Stamped>,
    /// The copies of the secrets that name it: one that is behind may still hand it out.
    pub(crate) replicas: Replicas,
}

impl Named {
    /// The labels that hold it, in words.
    pub(crate) fn holders(&self) -> String {
        let holders: Vec<String> = self
            .held
            .iter()
            .map(|held| format!("{} of {}", held.label, held.secret))
            .collect();
        holders.join(", ")
    }

    /// The latest stamp of a version that names it and was current.
    pub(crate) fn replaced(&self) -> Option<Timestamp> {
        self.stamps.iter().map(|stamped| stamped.at).max()
    }

    /// The same of other secrets' versions.
    pub(crate) fn replaced_elsewhere(&self) -> Option<&Stamped> {
        let elsewhere = self.stamps.iter().filter(|stamped| !stamped.is_own);
        elsewhere.max_by_key(|stamped| stamped.at)
    }
}

/// A version that names a key and was current, and until when.
#[derive(Clone, Debug)]
pub(crate) struct Stamped {
    pub(crate) secret: String,
    /// Whether that is the secret that asks.
    pub(crate) is_own: bool,
    pub(crate) version: VersionId,
    pub(crate) at: Timestamp,
}

/// A label that holds a key, and the secret whose version bears it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) secret: String,
    pub(crate) label: String,
}

/// A secret's copies in other Regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Replicas {
    #[default]
    None,
    InSync,
    Behind,
}

impl Replicas {
    pub(crate) fn of(description: &Description) -> Self {
        match description.replicas.iter().all(|replica| replica.in_sync) {
            _ if description.replicas.is_empty() => Self::None,
            true => Self::InSync,
            false => Self::Behind,
        }
    }
}

/// What is kept of one key: small, since there is one for each secret at least.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) held: Vec<Holding>,
    /// The versions that name the key and were current.
    pub(super) replaced: Vec<Replaced>,
    /// Those that have copies in other Regions.
    pub(super) replicas: Vec<(Arc<str>, Digest16, Replicas)>,
}

impl Entry {
    /// What counts for one who asks: whatever its own secret says, and what others say who have the same
    /// credential; what they offer or build only where they are served too.
    pub(super) fn for_one(&self, asking: Asking<'_>) -> Named {
        let credential = digest_of(asking.credential);
        let is_own = |secret: &Arc<str>| **secret == *asking.secret;
        let has = |other: &Digest16| *other == credential;
        let holds = |holding: &&Holding| {
            let holds = holding.is_current() || asking.is_served(&holding.secret);
            is_own(&holding.secret) || has(&holding.credential) && holds
        };
        let counts = |secret: &Arc<str>, other: &Digest16| is_own(secret) || has(other);
        let replaced = self
            .replaced
            .iter()
            .filter(|replaced| counts(&replaced.secret, &replaced.credential));
        let replicas = self
            .replicas
            .iter()
            .filter(|(secret, other, _)| counts(secret, other));
        let stamps = replaced.map(|replaced| Stamped {
            secret: String::from(&*replaced.secret),
            is_own: is_own(&replaced.secret),
            version: replaced.version.clone(),
            at: replaced.at,
        });
        Named {
            held: self.held.iter().filter(holds).map(Holding::held).collect(),
            stamps: stamps.collect(),
            replicas: replicas.map(|(.., replicas)| *replicas).max().unwrap_or_default(),
        }
    }
}

/// A version that names a key and was current.
#[derive(Debug)]
pub(super) struct Replaced {
    /// Its secret's name.
    pub(super) secret: Arc<str>,
    pub(super) version: VersionId,
    pub(super) credential: Digest16,
    /// Until when it was, as its stamp says.
    pub(super) at: Timestamp,
}

/// A label that holds a key.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) secret: Arc<str>,
    /// Its place among those that hold.
    pub(super) label: usize,
    /// Key id and key secret, as its version has them.
    pub(super) credential: Digest16,
}

impl Holding {
    pub(super) fn is_current(&self) -> bool {
        holding()[self.label] == Label::current()
    }

    fn held(&self) -> Held {
        Held {
            secret: String::from(&*self.secret),
            label: holding()[self.label].as_str().to_owned(),
        }
    }
}
