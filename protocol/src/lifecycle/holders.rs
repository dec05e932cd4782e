//! Rule 1: which keys are held. Key ids count, not versions, over all secrets that this function manages.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::iter;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::pass::{Pass, patiently};
use super::verdict::{is_ours, is_past};
use super::walk::Walk;
use crate::bounds::UNSETTLED;
use crate::error::{Error, ErrorType};
use crate::hand::{has_stamp, unstamped_previous};
use crate::label::{Label, StampKind, VersionId};
use crate::marker::Marker;
use crate::name::SecretId;
use crate::ports::{Description, Which};
use crate::secret::{KeyId, SecretValue, Source};
use crate::wrong::{self, Wrong};

/// How many secrets are read at once.
const AT_ONCE: usize = 16;

/// For so long the answers of one audit share what is known: as long as an invocation may live.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The first bytes of a SHA-256: enough to tell keys and secrets apart, and nothing that is worth stealing.
type Digest16 = [u8; 16];

/// What is known of the keys that versions name. Holds digests only.
#[derive(Debug, Default)]
pub(super) struct Holders {
    keys: HashMap<Digest16, Entry>,
    /// The secrets that were looked at.
    secrets: HashSet<Digest16>,
    /// The part of a marker that tells each of them.
    markers: HashSet<Digest16>,
    /// The secrets that they name as their masters.
    masters: HashSet<Digest16>,
    /// The secrets with a version that may hold a key and cannot be read, and the exchange where its name tells.
    unreadable: BTreeMap<String, Option<String>>,
}

/// What a process keeps from one answer of an audit for the next, so that a fleet's keys are read once and not for each answer.
/// Holds digests only; whatever revokes a key reads anew.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Option<(Timestamp, Arc<Holders>)>>);

impl Kept {
    pub(super) fn holders_at(&self, now: Timestamp) -> Option<Arc<Holders>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(at, _)| now.duration_since(*at) < KEPT_FOR).map(|(_, holders)| Arc::clone(holders))
    }

    pub(super) fn keep(&self, now: Timestamp, holders: &Arc<Holders>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(holders)));
    }
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
    pub(super) fn of(description: &Description) -> Self {
        match description.replicas.iter().all(|replica| replica.in_sync) {
            _ if description.replicas.is_empty() => Self::None,
            true => Self::InSync,
            false => Self::Behind,
        }
    }
}

/// A label that holds a key, and the secret whose version bears it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Held {
    pub(super) secret: String,
    pub(super) label: String,
}

/// What versions say of one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// The labels that hold it.
    pub(super) held: BTreeSet<Held>,
    /// The latest stamp of a version that names it and was current.
    pub(super) replaced: Option<Timestamp>,
    /// The copies of the secrets that name it: one that is behind may still hand it out.
    pub(super) replicas: Replicas,
    /// Whether a version says that this function issued it: no other key has this id.
    pub(super) issued: bool,
}

/// The same as it is kept: small, since there is one for each secret at least.
#[derive(Debug, Default)]
struct Entry {
    /// The names of secrets, with the places of their labels among those that hold.
    held: Vec<(Arc<str>, usize)>,
    replaced: Option<Timestamp>,
    replicas: Replicas,
    issued: bool,
}

impl Entry {
    fn named(&self) -> Named {
        let labels = holding();
        let held = self
            .held
            .iter()
            .map(|(secret, label)| Held { secret: String::from(&**secret), label: labels[*label].as_str().to_owned() });
        Named { held: held.collect(), replaced: self.replaced, replicas: self.replicas, issued: self.issued }
    }
}

impl Named {
    /// The labels that hold it, in words.
    pub(super) fn holders(&self) -> String {
        let holders: Vec<String> = self.held.iter().map(|held| format!("{} of {}", held.label, held.secret)).collect();
        holders.join(", ")
    }
}

impl Holders {
    /// Reads every version that may hold a key, of every secret there is.
    pub(super) async fn of_all(pass: &Pass<'_>) -> Result<Self, Error> {
        let mut holders = Self::default();
        let mut walk = Walk::of_all();
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
        let Versions { arn, name, exchange, replicas, read } = versions;
        self.secrets.insert(digest(&arn));
        self.markers.insert(digest(Marker::new(&arn, &VersionId::new(""), 0).of_secret()));
        let Some(read) = read else {
            self.unreadable.insert(name, exchange);
            return;
        };
        let shared: Arc<str> = name.as_str().into();
        for (facts, key) in read {
            let Some(key) = key else {
                self.unreadable.insert(name.clone(), exchange.clone());
                continue;
            };
            self.masters.extend(key.master);
            let named = self.keys.entry(key.digest).or_default();
            named.held.reserve_exact(facts.holding.len());
            named.held.extend(facts.holding.into_iter().map(|label| (Arc::clone(&shared), label)));
            // One that was current until just now, and bears no stamp yet.
            let replaced = if facts.unstamped { Some(pass.now()) } else { facts.replaced };
            named.replaced = named.replaced.max(replaced);
            named.replicas = named.replicas.max(replicas);
            named.issued |= key.issued;
        }
    }

    pub(super) fn of(&self, key: &KeyId) -> Named {
        self.keys.get(&digest(key.expose())).map(Entry::named).unwrap_or_default()
    }

    /// Whether a secret was among those that were looked at: what a list does not show yet holds its keys unseen.
    pub(super) fn know(&self, arn: &str) -> bool {
        self.secrets.contains(&digest(arn))
    }

    /// Whether a key was issued for one of the secrets.
    pub(super) fn issued_for_one(&self, marker: &Marker) -> bool {
        self.markers.contains(&digest(marker.of_secret()))
    }

    /// Whether a value names this secret as its master.
    pub(super) fn are_children_of(&self, secret: &Description) -> bool {
        ways_to_name(secret).into_iter().any(|master| self.masters.contains(&digest(master)))
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

/// What a value can say to name a secret: its ARN, with its six random characters or without, or its name.
pub(super) fn ways_to_name(secret: &Description) -> [&str; 3] {
    let arn = secret.arn.as_str();
    [arn, arn.rsplit_once('-').map_or(arn, |(arn, _)| arn), secret.name.as_str()]
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
        Self { version, holding: Vec::new(), replaced: None, unstamped: false }
    }

    fn says_nothing(&self) -> bool {
        self.holding.is_empty() && self.replaced.is_none() && !self.unstamped
    }

    /// Whether it was replaced so long ago, and is held by nothing, that a value would be shown if it had one.
    fn is_over(&self, now: Timestamp) -> bool {
        self.holding.is_empty() && self.replaced.is_some_and(|at| is_past(at, UNSETTLED, now))
    }
}

/// The key that a version names.
struct KeyOfVersion {
    digest: Digest16,
    /// Whether the version says that this function issued it.
    issued: bool,
    /// The master that the version names.
    master: Option<Digest16>,
}

/// One secret's versions that may hold a key, with the keys; `None` for what could not be read.
struct Versions {
    arn: String,
    name: String,
    exchange: Option<String>,
    replicas: Replicas,
    read: Option<Vec<(Facts, Option<KeyOfVersion>)>>,
}

async fn versions_of(pass: &Pass<'_>, listed: Description) -> Versions {
    let name = listed.name.as_str().to_owned();
    let arn = listed.arn;
    let exchange = listed.name.place(None, None).ok().and_then(|(exchange, _)| exchange);
    let nothing = |arn, name, exchange, read| Versions { arn, name, exchange, replicas: Replicas::None, read };
    let Ok(id) = SecretId::parse(&arn) else { return nothing(arn, name, exchange, None) };
    let hand = pass.hand(&id);
    // A list may be minutes old.
    let described = patiently(pass, || hand.describe()).await;
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
        let Ok(versions) = patiently(pass, || hand.versions()).await else { return nothing(arn, name, exchange, None) };
        let more = versions.into_iter().filter(|listed| !facts.iter().any(|facts| facts.version == listed.id));
        let more: Vec<Facts> = more.map(|listed| Facts::of_none(listed.id)).collect();
        facts.extend(more);
    }
    for facts in facts {
        let key = match patiently(pass, || hand.read(Which::Version(&facts.version))).await {
            Ok(Some(stored)) if let Ok(value) = SecretValue::parse(&stored.text) => Some(KeyOfVersion {
                digest: digest(value.credential.key_id.expose()),
                issued: is_issued(&value, &facts.version),
                master: value.master_arn.as_deref().map(digest),
            }),
            // A rotation that has just begun: what it may come to name is held by its own label, or not issued yet.
            Ok(None) if !description.deleted && (only_pending(&facts) || facts.is_over(pass.now())) => continue,
            // Nor does one that nothing holds and that cannot be used as a value.
            Ok(_) if facts.says_nothing() => continue,
            Ok(_) | Err(_) => None,
        };
        read.push((facts, key));
    }
    Versions { arn, name, exchange, replicas, read: Some(read) }
}

/// Whether this function issued the key that a version names, as its value says: copied ones were made by whoever made the first.
pub(super) fn is_issued(value: &SecretValue, version: &VersionId) -> bool {
    is_ours(value, version) && value.rotation.as_ref().is_some_and(|rotation| rotation.source == Source::Issued)
}

/// The labels that hold what their version names.
pub(super) fn holding() -> [Label; 4] {
    [Label::current(), Label::pending(), Label::candidate(), Label::rollback()]
}

/// The labels on a version that hold what it names. One that was given up loses AWSPENDING next: that holds nothing any more.
pub(super) fn holding_labels<'a>(description: &'a Description, version: &'a VersionId) -> impl Iterator<Item = &'a Label> {
    let given_up = has_stamp(description, version, StampKind::Condemned);
    let alone = wrong::is(Wrong::CurrentHoldsAlone);
    description.labels(version).filter(move |label| {
        let holds = holding().contains(label) && (**label == Label::current() || !alone);
        holds && (**label != Label::pending() || !given_up)
    })
}

/// The versions that hold what they name, and those that were replaced: a grace may still count from there, or a replica may hand
/// one of them out.
fn facts(description: &Description) -> Vec<Facts> {
    let unstamped = unstamped_previous(description);
    let mut found = Vec::new();
    for (version, labels) in &description.versions {
        let stamps = labels.iter().filter_map(Label::stamp).filter(|stamp| stamp.kind == StampKind::Replaced);
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

fn digest(text: &str) -> Digest16 {
    let mut short = [0; 16];
    short.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    short
}
