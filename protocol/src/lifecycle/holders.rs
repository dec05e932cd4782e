//! Rule 1: which keys are held. Key ids count, not versions, over all secrets that this function manages.

use std::collections::{BTreeSet, HashMap};

use futures_util::StreamExt;
use futures_util::stream::iter;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::pass::Pass;
use super::walk::{Shard, Walk};
use crate::error::{Error, ErrorType};
use crate::hand::{has_stamp, unstamped_previous};
use crate::label::{Label, StampKind, VersionId};
use crate::name::SecretId;
use crate::ports::{Description, StoredValue, Which};
use crate::secret::{KeyId, SecretValue};
use crate::wrong::{self, Wrong};

/// How many secrets are read at once.
const AT_ONCE: usize = 16;

/// The first bytes of a key id's SHA-256: enough to tell keys apart, and nothing that is worth stealing.
type KeyDigest = [u8; 16];

/// What is known of the keys that versions name. Holds digests only.
#[derive(Debug)]
pub(super) struct Holders {
    keys: HashMap<KeyDigest, Named>,
    /// The secrets with a version that may hold a key and cannot be read, and the exchange where its name tells.
    unreadable: Vec<(String, Option<String>)>,
    /// When this was begun to be read.
    pub(super) as_of: Timestamp,
}

/// A secret's copies in other Regions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Replicas {
    #[default]
    None,
    InSync,
    Behind,
}

impl Replicas {
    fn of(description: &Description) -> Self {
        match description.replicas.iter().all(|replica| replica.in_sync) {
            _ if description.replicas.is_empty() => Self::None,
            true => Self::InSync,
            false => Self::Behind,
        }
    }
}

/// What versions say of one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// The labels that hold it, each with the secret's name.
    pub(super) held: BTreeSet<(String, String)>,
    /// The latest stamp of a version that names it and was current.
    pub(super) replaced: Option<Timestamp>,
    /// The copies of the secrets that name it: one that is behind may still hand it out.
    pub(super) replicas: Replicas,
}

impl Holders {
    /// Reads every version that may hold a key, of every secret there is.
    pub(super) async fn of_all(pass: &Pass<'_>) -> Result<Self, Error> {
        let mut holders = Self { keys: HashMap::new(), unreadable: Vec::new(), as_of: pass.now() };
        let mut walk = Walk::new(Shard::ALL, 0);
        while let Some(secrets) = walk.next(pass).await? {
            if !pass.has_time() {
                let problem = "too little time is left to find out which keys are held";
                return Err(Error::new(ErrorType::DeadlineNear, problem));
            }
            let read = iter(secrets).map(|secret| versions_of(pass, secret)).buffer_unordered(AT_ONCE);
            let read: Vec<Versions> = read.collect().await;
            for versions in read {
                holders.take(pass, versions);
            }
        }
        Ok(holders)
    }

    fn take(&mut self, pass: &Pass<'_>, versions: Versions) {
        let Versions { name, exchange, replicas, read } = versions;
        let Some(read) = read else {
            self.unreadable.push((name, exchange));
            return;
        };
        for (facts, key) in read {
            let Some(key) = key else {
                self.unreadable.push((name.clone(), exchange.clone()));
                continue;
            };
            let named = self.keys.entry(digest(&key)).or_default();
            named.held.extend(facts.holding.into_iter().map(|label| (label, name.clone())));
            // One that was current until just now, and bears no stamp yet.
            let replaced = if facts.unstamped { Some(pass.now()) } else { facts.replaced };
            named.replaced = named.replaced.max(replaced);
            named.replicas = named.replicas.max(replicas);
        }
    }

    pub(super) fn of(&self, key: &KeyId) -> Named {
        self.keys.get(&digest(key)).cloned().unwrap_or_default()
    }

    /// A secret whose unreadable version stops named keys of this exchange from being revoked.
    pub(super) fn unreadable_at(&self, exchange: &str) -> Option<&str> {
        if wrong::is(Wrong::UnreadableHoldsNothing) {
            return None;
        }
        let may_be_there = |place: &Option<String>| place.as_deref().is_none_or(|place| place == exchange);
        self.unreadable.iter().find(|(_, place)| may_be_there(place)).map(|(name, _)| name.as_str())
    }
}

/// What the labels of one version say.
struct Facts {
    version: VersionId,
    holding: Vec<String>,
    replaced: Option<Timestamp>,
    unstamped: bool,
}

/// One secret's versions that may hold a key, with the keys; `None` for what could not be read.
struct Versions {
    name: String,
    exchange: Option<String>,
    replicas: Replicas,
    read: Option<Vec<(Facts, Option<KeyId>)>>,
}

async fn versions_of(pass: &Pass<'_>, listed: Description) -> Versions {
    let name = listed.name.as_str().to_owned();
    let exchange = listed.name.place(None, None).ok().and_then(|(exchange, _)| exchange);
    let nothing = |name, exchange, read| Versions { name, exchange, replicas: Replicas::None, read };
    let Ok(id) = SecretId::parse(&listed.arn) else { return nothing(name, exchange, None) };
    let hand = pass.hand(&id);
    // A list may be minutes old.
    let described = hand.describe().await;
    let Ok(description) = described else {
        // It may have been deleted for good since it was listed.
        let gone = described.is_err_and(|error| error.error_type == ErrorType::SecretNotFound);
        return nothing(name, exchange, gone.then(Vec::new));
    };
    let longest = pass.settings.grace.max(pass.settings.adoption_grace);
    let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
    let mut read = Vec::new();
    for facts in facts(&description, pass.now(), longest) {
        let key = match hand.read(Which::Version(&facts.version)).await {
            Ok(Some(stored)) => key_in(&stored),
            // A rotation that has just begun: what it may come to name is held by its own label, or not issued yet.
            Ok(None) if !description.deleted && facts.holding == [Label::pending().as_str()] => continue,
            Ok(None) | Err(_) => None,
        };
        read.push((facts, key));
    }
    Versions { name, exchange, replicas: Replicas::of(&description), read: Some(read) }
}

fn key_in(stored: &StoredValue) -> Option<KeyId> {
    SecretValue::parse(&stored.text).ok().map(|value| value.credential.key_id)
}

/// The versions that hold what they name, and those that were replaced so lately that a grace may still count from there, or that a
/// replica may still hand out.
fn facts(description: &Description, now: Timestamp, longest_grace: SignedDuration) -> Vec<Facts> {
    let holding = [Label::current(), Label::pending(), Label::candidate(), Label::rollback()];
    let holding: &[Label] = if wrong::is(Wrong::CurrentHoldsAlone) { &holding[..1] } else { &holding };
    let unstamped = unstamped_previous(description);
    let mut found = Vec::new();
    for (version, labels) in &description.versions {
        let stamps = labels.iter().filter_map(Label::stamp).filter(|stamp| stamp.kind == StampKind::Replaced);
        let replaced = stamps
            .map(|stamp| stamp.at)
            .max()
            .filter(|at| !description.replicas.is_empty() || now.duration_since(*at) <= longest_grace);
        let facts = Facts {
            version: version.clone(),
            // A version that was given up loses AWSPENDING next: it holds nothing any more.
            holding: labels
                .iter()
                .filter(|label| holding.contains(label))
                .filter(|label| **label != Label::pending() || !has_stamp(description, version, StampKind::Condemned))
                .map(|label| label.as_str().to_owned())
                .collect(),
            replaced,
            unstamped: unstamped == Some(version),
        };
        if !facts.holding.is_empty() || facts.replaced.is_some() || facts.unstamped {
            found.push(facts);
        }
    }
    found
}

fn digest(key: &KeyId) -> KeyDigest {
    let mut short = [0; 16];
    short.copy_from_slice(&Sha256::digest(key.expose().as_bytes())[..16]);
    short
}
