//! How it is found out which keys are held: every version that may hold one is read.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::iter;
use jiff::Timestamp;

use crate::bounds::{CLOCKS_APART, UNSETTLED, after, is_past};
use crate::error::{Error, ErrorType};
use crate::label::{Label, StampKind, VersionId};
use crate::marker::Marker;
use crate::name::SecretId;
use crate::operations::pass::digest::{Digest16, digest, digest_of};
use crate::operations::pass::holders::labels::{holding, holding_labels, place};
use crate::operations::pass::holders::named::{Holding, Replaced};
use crate::operations::pass::holders::{Holders, Replicas};
use crate::operations::pass::secret_pages::{SecretPages, Shard, is_named_for_a_venue};
use crate::operations::pass::{Pass, is_transient, with_retries};
use crate::ports::{Description, StoredValue, Which};
use crate::secret::Credential;
use crate::session::unstamped_previous;

/// How many secrets are read at once.
const AT_ONCE: usize = 16;

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
                named.replaced.extend(replaced.map(|at| Replaced {
                    secret: Arc::clone(&shared),
                    version: facts.version.clone(),
                    credential,
                    at,
                }));
                if replicas != Replicas::None {
                    named.replicas.push((Arc::clone(&shared), credential, replicas));
                }
            }
        }
    }
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
            Ok(Some(stored)) if let Ok(value) = stored.value() => {
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

fn only_pending(facts: &Facts) -> bool {
    matches!(facts.holding[..], [place] if holding()[place] == Label::pending())
}
