//! What the witness remembers, and how it keeps up with the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::act::{Act, Actor, Scene};
use super::facts::{Client, KeyFacts, Named, Run};
use super::{Invariant, Violation};
use crate::report::fingerprint;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS, Secret, SecretValue, Version};
use crate::venue::{By, KeyId};

/// The longest that AWS's caching clients and its agent keep a value.
pub(super) const CLIENT_CACHE: SignedDuration = SignedDuration::from_hours(1);

/// How stale a read of Secrets Manager may be: what it says was true that long ago at most.
const STALENESS: SignedDuration = SignedDuration::from_mins(1);

/// A secret's ARN and the id of one of its versions.
pub(super) type Place = (String, String);

/// The version that was current before, whether a stamp says since when it is not, and since which change the
/// one is so and the other was not taken away.
#[derive(Clone, Debug)]
pub(super) struct Previous {
    pub(super) version: Option<String>,
    stamped: bool,
    pub(super) since: u64,
}

/// A value, and what it says where that can be read.
type Read = (SecretValue, Option<Arc<Named>>);

/// The state of a secret that the witness has kept up with: the secret's edition, how many values were read,
/// and the key that is current.
#[derive(Clone, Debug)]
struct Kept {
    edition: u64,
    read: u64,
    key: Option<KeyId>,
}

/// See the [module](super).
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    /// How often the world has changed.
    pub(super) changes: u64,
    /// How often anything was done, by whomever; what was refused does not count.
    pub(super) took_effect: u64,
    /// For each secret what its versions' values say, and the values that were read.
    named: BTreeMap<String, BTreeMap<String, Read>>,
    /// How many values were read for that.
    read: u64,
    kept: BTreeMap<String, Kept>,
    /// After which change, with how many values read, and when a run last looked around.
    looked: Option<(u64, u64, Timestamp)>,
    /// For each secret the version that is current.
    pub(super) current: BTreeMap<String, String>,
    /// For each secret the version that was current before.
    pub(super) previous: BTreeMap<String, Previous>,
    /// The versions that have been current, with the change that first made each so.
    pub(super) been_current: BTreeMap<Place, u64>,
    /// The versions whose values were stored by a run of theirs.
    pub(super) built: BTreeSet<Place>,
    /// Those that were stored by a run past its end, when nobody could still reckon with it.
    pub(super) stored_late: BTreeSet<Place>,
    /// The versions that were replaced by us, and when.
    pub(super) replaced: BTreeMap<Place, Timestamp>,
    /// The versions that were promoted by us.
    pub(super) promoted: BTreeSet<Place>,
    /// What a person offered: a secret, and a key in a version that was labelled CANDIDATE or ROLLBACK.
    pub(super) offered: BTreeSet<(String, KeyId)>,
    pub(super) keys: BTreeMap<KeyId, KeyFacts>,
    newest_key: u64,
    pub(super) runs: BTreeMap<String, Run>,
    /// For each version the change after which setSecret last saw its keys, and ended well; and how young
    /// the youngest were that the venue showed.
    pub(super) swept: BTreeMap<Place, (u64, Timestamp)>,
    /// The change that a person last made at the venue, and when.
    pub(super) venue_by_hand: (u64, Option<Timestamp>),
    /// For each version when it was last seen that it could not be promoted any more, while a rotation of it
    /// was open.
    pub(super) hopeless: BTreeMap<Place, Timestamp>,
    /// Since when a version that was current is not any more.
    pub(super) ceased: BTreeMap<Place, Timestamp>,
    /// When a person, or the service, last changed the labels on each version.
    pub(super) by_hand: BTreeMap<Place, Timestamp>,
    /// The versions that were given up. One without a value stays so when a pass takes the stamp off, and
    /// does not when anybody else does.
    pub(super) given_up: BTreeSet<Place>,
    /// The labels of each secret, as they were last.
    labels: BTreeMap<String, BTreeMap<String, String>>,
    pub(super) clients: BTreeMap<String, Client>,
    /// For each secret what its replica holds, where it has one.
    replicas: BTreeMap<String, Option<KeyId>>,
    violations: Vec<Violation>,
}

impl Witness {
    /// What was broken so far.
    pub(crate) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How often the world has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// An invocation begins.
    pub(crate) fn begins(&mut self, actor: &Actor, scene: &Scene<'_>) {
        let mut run = Run::new(actor.clone());
        run.decided = self.named(scene, &actor.secret, &actor.token).is_some();
        let place = (actor.secret.clone(), actor.token.clone());
        let lately = self
            .hopeless
            .get(&place)
            .is_some_and(|at| scene.now.duration_since(*at) <= STALENESS);
        (run.began, run.since) = (self.took_effect, self.changes);
        run.hopeless = lately || self.is_hopeless(actor, run.since, scene);
        self.runs.insert(actor.request_id.clone(), run);
    }

    /// An invocation is gone; effects of its may still come.
    pub(crate) fn gone(&mut self, actor: &Actor) {
        if let Some(run) = self.runs.get_mut(&actor.request_id) {
            run.active = false;
        }
    }

    /// A read of an invocation's gives no answer, or a definite no.
    pub(crate) fn failed(&mut self, actor: &Actor, for_good: bool) {
        let run = self.run(actor);
        run.failed += usize::from(!for_good);
        run.refused |= for_good;
    }

    /// The same witness where every invocation is gone. What is known of them is needed only where an effect
    /// of theirs may come.
    pub(crate) fn without_runs(&mut self, nothing_to_come: bool) -> Self {
        // None of them is looked at meanwhile.
        let mut runs = std::mem::take(&mut self.runs);
        let mut fork = self.clone();
        if !nothing_to_come {
            fork.runs.clone_from(&runs);
            fork.runs.values_mut().for_each(|run| run.active = false);
        }
        std::mem::swap(&mut self.runs, &mut runs);
        fork
    }

    /// Something changed that no run did.
    pub(crate) fn others_acted(&mut self, at_the_venue: bool, scene: &Scene<'_>) {
        self.changes += 1;
        self.took_effect += 1;
        if at_the_venue {
            self.venue_by_hand = (self.changes, Some(scene.now));
        }
        for secret in scene.secrets.secrets() {
            let (labels, nothing) = (secret.labels(), BTreeMap::new());
            let before = self.labels.get(secret.arn()).unwrap_or(&nothing);
            let added = labels
                .iter()
                .filter(|(label, version)| before.get(*label) != Some(*version));
            let gone = before
                .iter()
                .filter(|(label, version)| labels.get(*label) != Some(*version));
            let place = |version: &String| (secret.arn().to_owned(), version.clone());
            let undone = gone.clone().filter(|(label, _)| label.starts_with("CONDEMNED-"));
            let begun = added.clone().filter(|(label, _)| *label == AWSPENDING);
            for (_, version) in undone.chain(begun) {
                self.given_up.remove(&place(version));
            }
            for (_, version) in added.chain(gone) {
                self.by_hand.insert(place(version), scene.now);
            }
        }
        self.keep_up(scene);
    }

    /// A call has its effect.
    pub(crate) fn saw(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        if !act.asked.writes() {
            self.learned(act, scene);
            self.current_is_seen(scene);
            return;
        }
        self.changes += 1;
        self.effect(act, scene);
        self.keep_up(scene);
        self.current_is_seen(scene);
    }

    /// A run has looked around.
    fn current_is_seen(&mut self, scene: &Scene<'_>) {
        // Most look where nothing has happened since another did.
        let looks = Some((self.changes, self.read, scene.now));
        if std::mem::replace(&mut self.looked, looks) == looks {
            return;
        }
        let Self {
            current, named, keys, ..
        } = self;
        for (arn, version) in &*current {
            if let Some((_, Some(named))) = named.get(arn).and_then(|versions| versions.get(version))
                && scene.venue.is_secret_of(&named.secret, &named.key)
            {
                keys.entry(named.key.clone()).or_default().seen_current = Some(scene.now);
            }
        }
    }

    /// A client reads the secret, or its replica, and keeps what it read.
    pub(crate) fn client_reads(&mut self, secret: &str, from_replica: bool, scene: &Scene<'_>) {
        let key = if from_replica {
            self.replicas.get(secret).cloned().flatten()
        } else {
            self.current_key(scene, secret)
        };
        if let Some(key) = key {
            self.clients
                .insert(secret.to_owned(), Client { key, read: scene.now });
        }
    }

    /// Brings what follows from the world's state up to date.
    fn keep_up(&mut self, scene: &Scene<'_>) {
        self.meet_new_keys(scene);
        for secret in scene.secrets.secrets() {
            // A secret that is as it was has its current key used a while longer, and nothing else follows.
            let kept = self
                .kept
                .get(secret.arn())
                .filter(|kept| (kept.edition, kept.read) == (secret.edition(), self.read));
            let key = match kept.map(|kept| kept.key.clone()) {
                Some(key) => key,
                None => self.keep_up_with(secret, scene),
            };
            if let Some(key) = key {
                self.keys.entry(key).or_default().current = Some(scene.now);
            }
        }
        self.current
            .retain(|arn, _| scene.secrets.secrets().any(|secret| secret.arn() == arn));
        for secret in scene.secrets.secrets() {
            if let Some(token) = secret.holder(AWSPENDING) {
                let actor = Actor {
                    secret: secret.arn().to_owned(),
                    token: token.to_owned(),
                    ..Actor::nobody()
                };
                if self.is_hopeless(&actor, self.changes, scene) {
                    self.hopeless.insert((actor.secret, actor.token), scene.now);
                }
            }
        }
        // None of them is looked at meanwhile.
        let mut runs = std::mem::take(&mut self.runs);
        for run in runs.values_mut().filter(|run| run.active && !run.hopeless) {
            run.hopeless = self.is_hopeless(&run.actor, run.since, scene);
        }
        self.runs = runs;
    }

    /// What follows from the state of a secret that has changed. Gives the key that is current.
    /// Whether a value holds a key itself, and not its id alone: nobody can use that.
    pub(super) fn is_usable(scene: &Scene<'_>, named: &Named) -> bool {
        scene.venue.is_secret_of(&named.secret, &named.key)
    }

    fn keep_up_with(&mut self, secret: &Secret, scene: &Scene<'_>) -> Option<KeyId> {
        let arn = secret.arn();
        let holder = secret.holder(AWSCURRENT);
        if self.current.get(arn).map(String::as_str) != holder {
            self.current_moved(arn, holder.map(str::to_owned), scene);
        }
        let named = holder.and_then(|version| self.named_in(secret, version));
        let key = named
            .filter(|named| Self::is_usable(scene, named))
            .map(|named| named.key.clone());
        if key.is_some() && secret.replicas_in_sync() {
            set(&mut self.replicas, arn, &key);
        }
        self.previous_moved(arn, secret);
        set(&mut self.labels, arn, secret.labels());
        for label in ["CANDIDATE", "ROLLBACK"] {
            if let Some(named) = secret
                .holder(label)
                .and_then(|version| self.named_in(secret, version))
            {
                self.offered.insert((arn.to_owned(), named.key.clone()));
            }
        }
        self.kept.insert(
            arn.to_owned(),
            Kept {
                edition: secret.edition(),
                read: self.read,
                key: key.clone(),
            },
        );
        key
    }

    fn previous_moved(&mut self, arn: &str, secret: &Secret) {
        let version = secret.holder(AWSPREVIOUS);
        let stamped = version.is_some_and(|version| is_stamped(secret, version));
        let known = self
            .previous
            .get(arn)
            .filter(|known| known.version.as_deref() == version);
        let since = match known {
            Some(known) if known.stamped == stamped => return,
            Some(known) if stamped || !known.stamped => known.since,
            _ => self.changes,
        };
        self.previous.insert(
            arn.to_owned(),
            Previous {
                version: version.map(str::to_owned),
                stamped,
                since,
            },
        );
    }

    fn current_moved(&mut self, arn: &str, to: Option<String>, scene: &Scene<'_>) {
        // Until just now a current version named it.
        if let Some(key) = self.current_key_known(arn, scene) {
            self.keys.entry(key).or_default().current = Some(scene.now);
        }
        if let Some(version) = self.current.get(arn) {
            self.ceased.insert((arn.to_owned(), version.clone()), scene.now);
        }
        match to {
            Some(version) => {
                self.been_current
                    .entry((arn.to_owned(), version.clone()))
                    .or_insert(self.changes);
                self.current.insert(arn.to_owned(), version);
            }
            None => drop(self.current.remove(arn)),
        }
    }

    fn current_key_known(&self, arn: &str, scene: &Scene<'_>) -> Option<KeyId> {
        let named = self.named.get(arn)?.get(self.current.get(arn)?)?.1.as_ref();
        named
            .filter(|named| Self::is_usable(scene, named))
            .map(|named| named.key.clone())
    }

    fn meet_new_keys(&mut self, scene: &Scene<'_>) {
        let newest = scene.venue.last_record();
        if newest == self.newest_key {
            return;
        }
        for key in scene
            .venue
            .keys_after(std::mem::replace(&mut self.newest_key, newest))
        {
            let fingerprint = fingerprint(key.key.as_str());
            self.keys.entry(key.key).or_default().fingerprint = fingerprint;
        }
    }

    // What is true.

    /// What a version's value says, where it has one that can be read.
    pub(super) fn named(&mut self, scene: &Scene<'_>, arn: &str, version: &str) -> Option<Arc<Named>> {
        self.named_in(scene.secrets.secret(arn)?, version)
    }

    fn named_in(&mut self, secret: &Secret, version: &str) -> Option<Arc<Named>> {
        let value = secret.versions().get(version).and_then(Version::value)?;
        let text = value.text()?;
        // A version that the service's dry run left can go, and come again with another value.
        if let Some((known, named)) = self
            .named
            .get(secret.arn())
            .and_then(|versions| versions.get(version))
            && known == value
        {
            return named.clone();
        }
        self.read += 1;
        let named = Named::read(text).map(Arc::new);
        let versions = self.named.entry(secret.arn().to_owned()).or_default();
        versions.insert(version.to_owned(), (value.clone(), named.clone()));
        named
    }

    pub(super) fn current_key(&mut self, scene: &Scene<'_>, arn: &str) -> Option<KeyId> {
        let secret = scene.secrets.secret(arn)?;
        self.named_in(secret, secret.holder(AWSCURRENT)?)
            .map(|named| named.key.clone())
    }

    /// Whether a key works, or stopped working by somebody else's doing.
    pub(super) fn lives_or_was_killed_by_others(scene: &Scene<'_>, key: &KeyId) -> bool {
        scene
            .venue
            .key(key)
            .is_none_or(|truth| !matches!(truth.deleted, Some((_, By::Key(_)))))
    }

    /// The living keys that were issued for a version, and as which change.
    pub(super) fn live_for(&self, scene: &Scene<'_>, arn: &str, token: &str) -> Vec<(KeyId, u64)> {
        let issued = self.keys.iter().filter_map(|(key, facts)| {
            let (secret, version, change) = facts.issued.as_ref()?;
            (secret == arn && version == token && !facts.dead).then(|| (key.clone(), *change))
        });
        issued
            .filter(|(key, _)| scene.venue.key(key).is_some_and(|truth| truth.alive(scene.now)))
            .collect()
    }

    pub(super) fn run(&mut self, actor: &Actor) -> &mut Run {
        if !self.runs.contains_key(&actor.request_id) {
            self.runs
                .insert(actor.request_id.clone(), Run::new(actor.clone()));
        }
        self.runs.get_mut(&actor.request_id).expect("it is known by now")
    }

    /// Whether a client may still use the key: it read it lately.
    pub(super) fn is_held_by_a_client(&self, key: &KeyId, now: Timestamp) -> bool {
        self.clients
            .values()
            .any(|client| client.key == *key && now.duration_since(client.read) <= CLIENT_CACHE)
    }

    pub(super) fn broken(&mut self, invariant: Invariant, scene: &Scene<'_>, what: impl Into<String>) {
        self.violations.push(Violation {
            invariant,
            at: scene.now,
            what: what.into(),
        });
    }
}

/// Whether a stamp says since when a version is not current any more.
pub(super) fn is_stamped(secret: &Secret, version: &str) -> bool {
    secret
        .labels()
        .iter()
        .any(|(label, on)| on == version && label.starts_with("REPLACED-"))
}

/// Puts a value under a name, where another is there or none.
fn set<T: Clone + PartialEq>(values: &mut BTreeMap<String, T>, name: &str, value: &T) {
    if values.get(name) != Some(value) {
        values.insert(name.to_owned(), value.clone());
    }
}
