//! Rule 1: which keys are held. Keys count, not versions, over all secrets there are. Who names no more than
//! a key's id holds nothing of another secret's: an id is no secret.

mod cache;
mod labels;
mod named;
mod reading;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::marker::Marker;
use crate::name::SecretName;
use crate::operations::pass::digest::{Digest16, digest};
pub use crate::operations::pass::holders::cache::HolderCache;
pub(crate) use crate::operations::pass::holders::labels::{holding, holding_labels};
pub(crate) use crate::operations::pass::holders::named::{Asking, Held, Named, Replicas, Stamped};
use crate::operations::pass::holders::named::{Entry, Holding};
use crate::ports::Description;
use crate::secret::{AccountId, KeyId, Serves};
use crate::wrong::{self, Wrong};

/// What is known of the keys that versions name. Holds digests only.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    keys: HashMap<Digest16, Entry>,
    /// The secrets that were looked at.
    secrets: HashSet<Digest16>,
    /// The part of a marker that tells each of them, by its name.
    marked: HashMap<Arc<str>, Digest16>,
    /// The secrets that they name as their masters.
    masters: HashSet<Digest16>,
    /// The secrets with a version that may hold a key and cannot be read, and the exchange where its name
    /// tells.
    unreadable: BTreeMap<String, Option<String>>,
}

impl Holders {
    /// What holds a key for one who has it.
    pub(crate) fn of(&self, asking: Asking<'_>) -> Named {
        self.keys
            .get(&digest(asking.credential.key_id.expose()))
            .map(|entry| entry.for_one(asking))
            .unwrap_or_default()
    }

    /// Whether any version names a key, holds it or was current with it, whatever key secret it has: one of a
    /// secret that may stand for the account, as far as the account's master tells. Whoever may write another
    /// secret writes any key's id there.
    pub(crate) fn name_on(&self, key: &KeyId, account: &AccountId, serves: Option<&Serves>) -> bool {
        let stands = |secret: &str| match serves {
            Some(serves) => serves.of(&SecretName::new(secret), account).next().is_some(),
            None => true,
        };
        self.namers(key).any(stands)
    }

    /// Whether a version of a secret whose keys bear this marker names a key: markers are short, and two
    /// secrets could have the same.
    pub(crate) fn name_for(&self, marker: &Marker, key: &KeyId) -> bool {
        let part = digest(marker.of_secret());
        self.namers(key)
            .any(|secret| self.marked.get(secret).is_some_and(|own| *own == part))
    }

    fn namers(&self, key: &KeyId) -> impl Iterator<Item = &str> {
        let entries = self.keys.get(&digest(key.expose())).into_iter();
        entries.flat_map(|entry| {
            let held = entry.held.iter().map(|holding| &*holding.secret);
            held.chain(entry.replaced.iter().map(|replaced| &*replaced.secret))
        })
    }

    /// Whether every version that may hold a key was read.
    pub(crate) fn are_all_known(&self) -> bool {
        self.unreadable.is_empty() && !self.secrets.is_empty()
    }

    /// Another secret whose current value names a key, whatever key secret it has.
    pub(crate) fn current_elsewhere(&self, secret: &str, key: &KeyId) -> Option<String> {
        let entry = self.keys.get(&digest(key.expose()))?;
        let is_current = |holding: &&Holding| holding.is_current() && *holding.secret != *secret;
        entry
            .held
            .iter()
            .find(is_current)
            .map(|holding| String::from(&*holding.secret))
    }

    /// Whether a secret was among those that were looked at: what a list does not show yet holds its keys
    /// unseen.
    pub(crate) fn know(&self, arn: &str) -> bool {
        self.secrets.contains(&digest(arn))
    }

    /// Whether a secret of this name is rotated here.
    pub(crate) fn rotate(&self, secret: &str) -> bool {
        self.marked.contains_key(secret)
    }

    /// Whether a key was issued for one of the secrets.
    pub(crate) fn issued_for_one(&self, marker: &Marker) -> bool {
        let part = digest(marker.of_secret());
        self.marked.values().any(|own| *own == part)
    }

    /// Whether a value names this secret as its master.
    pub(crate) fn are_children_of(&self, secret: &Description) -> bool {
        ways_to_name(secret)
            .into_iter()
            .any(|master| self.masters.contains(&digest(master)))
    }

    /// A secret whose unreadable version stops this key from being revoked: its own; and another's where it
    /// may hold a key of the account, as far as the master tells, unless a person ordered the key's
    /// death.
    pub(crate) fn unreadable(&self, exchange: &str, asking: Asking<'_>, ordered: bool) -> Option<&str> {
        if wrong::is(Wrong::UnreadableHoldsNothing) {
            return None;
        }
        let is_known = asking.serves.is_some() && asking.account.is_some();
        let stops = |name: &str, place: &Option<String>| {
            let may_be_there = place.as_deref().is_none_or(|place| place == exchange);
            may_be_there && (name == asking.secret || asking.is_served(name) && (is_known || !ordered))
        };
        self.unreadable
            .iter()
            .find(|(name, place)| stops(name, place))
            .map(|(name, _)| name.as_str())
    }
}

/// What a value can say to name a secret: its ARN, with its six random characters or without, or its name.
pub(crate) fn ways_to_name(secret: &Description) -> [&str; 3] {
    let arn = secret.arn.as_str();
    [
        arn,
        arn.rsplit_once('-').map_or(arn, |(arn, _)| arn),
        secret.name.as_str(),
    ]
}
