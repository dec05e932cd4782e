//! Rule 1: which keys are held. Keys count, not versions, over all secrets there are. Who names no more than
//! a key's id holds nothing of another secret's: an id is no secret.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::iter;
use jiff::{SignedDuration, Timestamp};

use crate::bounds::{CLOCKS_APART, UNSETTLED, after, is_past};
use crate::error::{Error, ErrorType};
use crate::label::{Label, StampKind, VersionId};
use crate::marker::Marker;
use crate::name::{SecretId, SecretName};
use crate::operations::pass::digest::{Digest16, digest, digest_of};
use crate::operations::pass::secret_pages::{SecretPages, Shard, is_named_for_a_venue};
use crate::operations::pass::{Pass, is_transient, with_retries};
use crate::ports::{Description, StoredValue, Which};
use crate::secret::{AccountId, Credential, KeyId, SecretValue, Serves};
use crate::session::{has_stamp, unstamped_previous};
use crate::wrong::{self, Wrong};

/// How many secrets are read at once.
const AT_ONCE: usize = 16;

/// For so long the answers of one audit share what is known: as long as an invocation may live.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

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

/// What a process keeps from one answer of an audit for the next, so that a fleet's keys are read once and
/// not for each answer. Holds digests only; whatever revokes a key reads anew.
#[derive(Debug, Default)]
pub struct HolderCache(Mutex<Option<(Timestamp, Arc<Holders>)>>);

impl HolderCache {
    pub(crate) fn holders_at(&self, now: Timestamp) -> Option<Arc<Holders>> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache
            .as_ref()
            .filter(|(at, _)| now.duration_since(*at) < KEPT_FOR)
            .map(|(_, holders)| Arc::clone(holders))
    }

    pub(crate) fn keep(&self, now: Timestamp, holders: &Arc<Holders>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(holders)));
    }
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

/// A label that holds a key, and the secret whose version bears it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) secret: String,
    pub(crate) label: String,
}

/// What versions say of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// The labels that hold it.
    pub(crate) held: BTreeSet<Held>,
    /// The latest stamp of a version that names it and was current.
    pub(crate) replaced: Option<Timestamp>,
    /// The same of other secrets' versions, with one of those secrets.
    pub(crate) replaced_elsewhere: Option<(Timestamp, String)>,
    /// The copies of the secrets that name it: one that is behind may still hand it out.
    pub(crate) replicas: Replicas,
}

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

/// What is kept of one key: small, since there is one for each secret at least.
#[derive(Debug, Default)]
struct Entry {
    held: Vec<Holding>,
    /// The names of secrets with a version that names the key and was current, and until when the last one
    /// was.
    replaced: Vec<(Arc<str>, Digest16, Timestamp)>,
    /// Those that have copies in other Regions.
    replicas: Vec<(Arc<str>, Digest16, Replicas)>,
}

/// A label that holds a key.
#[derive(Debug)]
struct Holding {
    secret: Arc<str>,
    /// Its place among those that hold.
    label: usize,
    /// Key id and key secret, as its version has them.
    credential: Digest16,
}

impl Holding {
    fn is_current(&self) -> bool {
        holding()[self.label] == Label::current()
    }

    fn held(&self) -> Held {
        Held {
            secret: String::from(&*self.secret),
            label: holding()[self.label].as_str().to_owned(),
        }
    }
}

impl Entry {
    /// What counts for one who asks: whatever its own secret says, and what others say who have the same
    /// credential; what they offer or build only where they are served too.
    fn for_one(&self, asking: Asking<'_>) -> Named {
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
            .filter(|(secret, other, _)| counts(secret, other));
        let replicas = self
            .replicas
            .iter()
            .filter(|(secret, other, _)| counts(secret, other));
        let elsewhere = replaced
            .clone()
            .filter(|(secret, ..)| !is_own(secret))
            .max_by_key(|(.., at)| *at);
        Named {
            held: self.held.iter().filter(holds).map(Holding::held).collect(),
            replaced: replaced.map(|(.., at)| *at).max(),
            replaced_elsewhere: elsewhere.map(|(secret, _, at)| (*at, String::from(&**secret))),
            replicas: replicas.map(|(.., replicas)| *replicas).max().unwrap_or_default(),
        }
    }
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
}

impl Holders {
    /// Reads every version that may hold a key, of every secret that is rotated here; and what is current in
    /// those that are named like them, as far as it can be read.
    pub(crate) async fn of_all(pass: &Pass<'_>) -> Result<Self, Error> {
        let mut holders = Self::default();
        let mut walk = SecretPages::of_every_secret(Shard::ALL, None);
        while let Some(secrets) = walk.next(pass).await? {
            if !pass.has_time() {
                let problem = "too little time is left to find out which keys are held";
                return Err(Error::new(ErrorType::DeadlineNear, problem));
            }
            let (rotated, others): (Vec<_>, Vec<_>) =
                secrets.into_iter().partition(|secret| pass.manages(secret));
            let read = iter(rotated)
                .map(|secret| versions_of(pass, secret))
                .buffer_unordered(AT_ONCE);
            let read: Vec<Versions> = read.collect().await;
            for versions in read {
                holders.take(pass, versions);
            }
            let others = others
                .into_iter()
                .filter(|secret| !secret.deleted && is_named_for_a_venue(pass, secret));
            let read = iter(others)
                .map(|secret| current_of(pass, secret))
                .buffer_unordered(AT_ONCE);
            let read: Vec<Result<(String, Vec<KeyOfVersion>), Error>> = read.collect().await;
            for keys in read {
                let (name, keys) = keys?;
                for key in &keys {
                    holders.hold_for(&name, key);
                }
            }
        }
        Ok(holders)
    }

    /// What is current in a secret that nothing rotates.
    fn hold_for(&mut self, secret: &str, key: &KeyOfVersion) {
        let Some(label) = place(&Label::current()) else {
            return;
        };
        let holding = Holding {
            secret: secret.into(),
            label,
            credential: key.credential,
        };
        self.keys.entry(key.digest).or_default().held.push(holding);
    }

    fn take(&mut self, pass: &Pass<'_>, versions: Versions) {
        let Versions {
            arn,
            name,
            exchange,
            replicas,
            read,
        } = versions;
        self.secrets.insert(digest(&arn));
        let part = digest(Marker::new(&arn, &VersionId::new(""), 0).of_secret());
        self.marked.insert(name.as_str().into(), part);
        let Some(read) = read else {
            self.unreadable.insert(name, exchange);
            return;
        };
        let shared: Arc<str> = name.as_str().into();
        for (facts, keys) in read {
            if keys.is_empty() {
                self.unreadable.insert(name.clone(), exchange.clone());
            }
            for key in keys {
                self.masters.extend(key.master);
                let named = self.keys.entry(key.digest).or_default();
                let credential = key.credential;
                named.held.reserve_exact(facts.holding.len());
                let held = facts.holding.iter().map(|label| Holding {
                    secret: Arc::clone(&shared),
                    label: *label,
                    credential,
                });
                named.held.extend(held);
                // One that was current until just now, and bears no stamp yet. A stamp of a time to come is
                // none of ours.
                let stamped = facts.replaced.filter(|at| *at <= after(pass.now(), CLOCKS_APART));
                let replaced = if facts.unstamped {
                    Some(pass.now())
                } else {
                    stamped
                };
                named
                    .replaced
                    .extend(replaced.map(|at| (Arc::clone(&shared), credential, at)));
                if replicas != Replicas::None {
                    named.replicas.push((Arc::clone(&shared), credential, replicas));
                }
            }
        }
    }

    /// What holds a key for one who has it.
    pub(crate) fn of(&self, asking: Asking<'_>) -> Named {
        self.keys
            .get(&digest(asking.credential.key_id.expose()))
            .map(|entry| entry.for_one(asking))
            .unwrap_or_default()
    }

    /// Whether any version names a key, holds it or was current with it, whatever key secret it has.
    pub(crate) fn name(&self, key: &KeyId) -> bool {
        self.namers(key).next().is_some()
    }

    /// The same of a secret whose keys bear this marker: markers are short, and two secrets could have the
    /// same.
    pub(crate) fn name_for(&self, marker: &Marker, key: &KeyId) -> bool {
        let part = digest(marker.of_secret());
        self.namers(key)
            .any(|secret| self.marked.get(secret).is_some_and(|own| *own == part))
    }

    fn namers(&self, key: &KeyId) -> impl Iterator<Item = &str> {
        let entries = self.keys.get(&digest(key.expose())).into_iter();
        entries.flat_map(|entry| {
            let held = entry.held.iter().map(|holding| &*holding.secret);
            held.chain(entry.replaced.iter().map(|(secret, ..)| &**secret))
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

/// What the labels of one version say.
struct Facts {
    version: VersionId,
    /// The places of its labels among those that hold.
    holding: Vec<usize>,
    replaced: Option<Timestamp>,
    unstamped: bool,
}

impl Facts {
    /// A version that bears no label.
    fn of_none(version: VersionId) -> Self {
        Self {
            version,
            holding: Vec::new(),
            replaced: None,
            unstamped: false,
        }
    }

    fn says_nothing(&self) -> bool {
        self.holding.is_empty() && self.replaced.is_none() && !self.unstamped
    }

    /// Whether it was replaced so long ago, and is held by nothing, that a value would be shown if it had
    /// one.
    fn is_over(&self, now: Timestamp) -> bool {
        self.holding.is_empty() && self.replaced.is_some_and(|at| is_past(at, UNSETTLED, now))
    }
}

/// The key that a version names.
struct KeyOfVersion {
    digest: Digest16,
    /// Key id and key secret.
    credential: Digest16,
    /// The master that the version names.
    master: Option<Digest16>,
}

impl KeyOfVersion {
    fn of(credential: &Credential) -> Self {
        Self {
            digest: digest(credential.key_id.expose()),
            credential: digest_of(credential),
            master: None,
        }
    }

    /// What a value holds, whatever else is wrong with it; `None` where it holds nothing that can be read.
    fn all_in(stored: &StoredValue) -> Option<Vec<Self>> {
        let keys: Vec<Self> = Credential::all_in_text(&stored.text)
            .iter()
            .map(Self::of)
            .collect();
        (!keys.is_empty()).then_some(keys)
    }
}

/// The credential in the current value of a secret that nothing rotates, read apart from the rest of it.
/// One that may not be read tells nothing; what keeps another from being read for a moment may be over for
/// the next pass.
async fn current_of(pass: &Pass<'_>, secret: Description) -> Result<(String, Vec<KeyOfVersion>), Error> {
    let name = secret.name.as_str().to_owned();
    let Ok(id) = SecretId::parse(&secret.arn) else {
        return Ok((name, Vec::new()));
    };
    let session = pass.session(&id);
    let stored = match with_retries(pass, || session.read(Which::Current)).await {
        Err(error) if is_transient(&error) => return Err(error),
        read => read.ok().flatten(),
    };
    Ok((
        name,
        stored
            .and_then(|stored| KeyOfVersion::all_in(&stored))
            .unwrap_or_default(),
    ))
}

/// One secret's versions that may hold a key, with the keys: none of a version that cannot be read, and
/// `None` of a secret.
struct Versions {
    arn: String,
    name: String,
    exchange: Option<String>,
    replicas: Replicas,
    read: Option<Vec<(Facts, Vec<KeyOfVersion>)>>,
}

async fn versions_of(pass: &Pass<'_>, listed: Description) -> Versions {
    let name = listed.name.as_str().to_owned();
    let arn = listed.arn;
    let exchange = listed
        .name
        .place(None, None)
        .ok()
        .and_then(|(exchange, _)| exchange);
    let nothing = |arn, name, exchange, read| Versions {
        arn,
        name,
        exchange,
        replicas: Replicas::None,
        read,
    };
    let Ok(id) = SecretId::parse(&arn) else {
        return nothing(arn, name, exchange, None);
    };
    let session = pass.session(&id);
    // A list may be minutes old.
    let described = with_retries(pass, || session.describe()).await;
    let Ok(description) = described else {
        // It may have been deleted for good since it was listed.
        let gone = described.is_err_and(|error| error.error_type == ErrorType::SecretNotFound);
        return nothing(arn, name, exchange, gone.then(Vec::new));
    };
    let mut read = Vec::new();
    let mut facts = facts(&description);
    // A replica that is behind may still hand out what lost its labels in the primary.
    let replicas = Replicas::of(&description);
    if replicas == Replicas::Behind {
        let Ok(versions) = with_retries(pass, || session.versions()).await else {
            return nothing(arn, name, exchange, None);
        };
        let more = versions
            .into_iter()
            .filter(|listed| !facts.iter().any(|facts| facts.version == listed.id));
        let more: Vec<Facts> = more.map(|listed| Facts::of_none(listed.id)).collect();
        facts.extend(more);
    }
    for facts in facts {
        let keys = match with_retries(pass, || session.read(Which::Version(&facts.version))).await {
            Ok(Some(stored)) if let Ok(value) = SecretValue::parse(&stored.text) => {
                let master = value.master_arn.as_deref().map(digest);
                vec![KeyOfVersion {
                    master,
                    ..KeyOfVersion::of(&value.credential)
                }]
            }
            Ok(Some(stored)) if let Some(keys) = KeyOfVersion::all_in(&stored) => keys,
            // A rotation that has just begun: what it may come to name is held by its own label, or not
            // issued yet.
            Ok(None) if !description.deleted && (only_pending(&facts) || facts.is_over(pass.now())) => {
                continue;
            }
            // Nor does one that nothing holds and that cannot be used as a value.
            Ok(_) if facts.says_nothing() => continue,
            Ok(_) | Err(_) => Vec::new(),
        };
        read.push((facts, keys));
    }
    Versions {
        arn,
        name,
        exchange,
        replicas,
        read: Some(read),
    }
}

/// The labels that hold what their version names.
pub(crate) fn holding() -> [Label; 4] {
    [
        Label::current(),
        Label::pending(),
        Label::candidate(),
        Label::rollback(),
    ]
}

/// The labels on a version that hold what it names. One that was given up loses AWSPENDING next: that holds
/// nothing any more.
pub(crate) fn holding_labels<'a>(
    description: &'a Description,
    version: &'a VersionId,
) -> impl Iterator<Item = &'a Label> {
    let given_up = has_stamp(description, version, StampKind::Condemned);
    let alone = wrong::is(Wrong::CurrentHoldsAlone);
    description.labels(version).filter(move |label| {
        let holds = holding().contains(label) && (**label == Label::current() || !alone);
        holds && (**label != Label::pending() || !given_up)
    })
}

/// The versions that hold what they name, and those that were replaced: a grace may still count from there,
/// or a replica may hand one of them out.
fn facts(description: &Description) -> Vec<Facts> {
    let unstamped = unstamped_previous(description);
    let mut found = Vec::new();
    for (version, labels) in &description.versions {
        let stamps = labels
            .iter()
            .filter_map(Label::stamp)
            .filter(|stamp| stamp.kind == StampKind::Replaced);
        let facts = Facts {
            version: version.clone(),
            holding: holding_labels(description, version).filter_map(place).collect(),
            replaced: stamps.map(|stamp| stamp.at).max(),
            unstamped: unstamped == Some(version),
        };
        if !facts.holding.is_empty() || facts.replaced.is_some() || facts.unstamped {
            found.push(facts);
        }
    }
    found
}

/// Where a label stands among those that hold.
fn place(label: &Label) -> Option<usize> {
    holding().iter().position(|holding| holding == label)
}

fn only_pending(facts: &Facts) -> bool {
    matches!(facts.holding[..], [place] if holding()[place] == Label::pending())
}
