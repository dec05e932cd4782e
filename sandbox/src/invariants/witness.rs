//! What the witness remembers, and how it keeps up with the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::act::{Act, Actor, Scene};
use super::facts::{Client, KeyFacts, Named, Run};
use super::{Invariant, Violation};
use crate::bybit::{By, KeyId};
use crate::in_process::digest;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS, Secret, Version};

/// The longest that AWS's caching clients and its agent keep a value.
pub(super) const CLIENT_CACHE: SignedDuration = SignedDuration::from_hours(1);

/// How stale a read of Secrets Manager may be: what it says was true that long ago at most.
const STALENESS: SignedDuration = SignedDuration::from_mins(1);

/// A secret's ARN and the id of one of its versions.
pub(super) type Place = (String, String);

/// The version that was current before, whether a stamp says since when it is not, and since which change the one is so and the
/// other was not taken away.
#[derive(Clone, Debug)]
pub(super) struct Previous {
    pub(super) version: Option<String>,
    stamped: bool,
    pub(super) since: u64,
}

/// See the [module](super).
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    /// How often the world has changed.
    pub(super) changes: u64,
    /// How often anything was done, by whomever; what was refused does not count.
    pub(super) took_effect: u64,
    pub(super) named: BTreeMap<Place, (u64, Option<Arc<Named>>)>,
    /// For each secret the version that is current.
    pub(super) current: BTreeMap<String, String>,
    /// For each secret the version that was current before.
    pub(super) previous: BTreeMap<String, Previous>,
    pub(super) been_current: BTreeSet<Place>,
    /// The versions whose values were stored by a run of theirs.
    pub(super) built: BTreeSet<Place>,
    /// The versions that were replaced by us, and when.
    pub(super) replaced: BTreeMap<Place, Timestamp>,
    /// The versions that were promoted by us.
    pub(super) promoted: BTreeSet<Place>,
    /// What a person offered: a secret, and a key in a version that was labelled CANDIDATE or ROLLBACK.
    pub(super) offered: BTreeSet<(String, KeyId)>,
    pub(super) keys: BTreeMap<KeyId, KeyFacts>,
    newest_key: u64,
    pub(super) runs: BTreeMap<String, Run>,
    /// For each version the change after which setSecret last saw its keys, and ended well; and how young the youngest were that the
    /// venue showed.
    pub(super) swept: BTreeMap<Place, (u64, Timestamp)>,
    /// The change that a person last made at the venue, and when.
    pub(super) venue_by_hand: (u64, Option<Timestamp>),
    /// For each version when it was last seen that it could not be promoted any more, while a rotation of it was open.
    pub(super) hopeless: BTreeMap<Place, Timestamp>,
    /// Since when a version that was current is not any more.
    pub(super) ceased: BTreeMap<Place, Timestamp>,
    /// When a person, or the service, last changed the labels on each version.
    pub(super) by_hand: BTreeMap<Place, Timestamp>,
    /// The labels of each secret, as they were last.
    labels: BTreeMap<String, Vec<(String, String)>>,
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
        let lately = self.hopeless.get(&place).is_some_and(|at| scene.now.duration_since(*at) <= STALENESS);
        run.hopeless = lately || self.is_hopeless(actor, scene);
        run.began = self.took_effect;
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

    /// The same witness where every invocation is gone. What is known of them is needed only where an effect of theirs may come.
    pub(crate) fn without_runs(&mut self, nothing_to_come: bool) -> Self {
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
            let (labels, nothing) = (labels_of(secret), Vec::new());
            let before = self.labels.get(secret.arn()).unwrap_or(&nothing);
            let gone = before.iter().filter(|label| !labels.contains(label));
            let changed: Vec<String> =
                labels.iter().filter(|label| !before.contains(label)).chain(gone).map(|(_, version)| version.clone()).collect();
            for version in changed {
                self.by_hand.insert((secret.arn().to_owned(), version), scene.now);
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
        let Self { current, named, keys, .. } = self;
        for place in current.iter().map(|(arn, version)| (arn.clone(), version.clone())) {
            if let Some((_, Some(named))) = named.get(&place) {
                keys.entry(named.key.clone()).or_default().seen_current = Some(scene.now);
            }
        }
    }

    /// A client reads the secret, or its replica, and keeps what it read.
    pub(crate) fn client_reads(&mut self, secret: &str, from_replica: bool, scene: &Scene<'_>) {
        let key = if from_replica { self.replicas.get(secret).cloned().flatten() } else { self.current_key(scene, secret) };
        if let Some(key) = key {
            self.clients.insert(secret.to_owned(), Client { key, read: scene.now });
        }
    }

    /// Brings what follows from the world's state up to date.
    fn keep_up(&mut self, scene: &Scene<'_>) {
        self.meet_new_keys(scene);
        let secrets: Vec<&Secret> = scene.secrets.secrets().collect();
        for secret in &secrets {
            let arn = secret.arn().to_owned();
            let holder = secret.holder(AWSCURRENT).map(str::to_owned);
            if self.current.get(&arn) != holder.as_ref() {
                self.current_moved(&arn, holder, scene);
            }
            if let Some(key) = self.current_key(scene, &arn) {
                self.keys.entry(key.clone()).or_default().current = Some(scene.now);
                if secret.replicas_in_sync() {
                    self.replicas.insert(arn.clone(), Some(key));
                }
            }
            self.previous_moved(&arn, secret);
            self.labels.insert(arn.clone(), labels_of(secret));
            for label in ["CANDIDATE", "ROLLBACK"] {
                if let Some(named) = secret.holder(label).and_then(|version| self.named(scene, &arn, version)) {
                    self.offered.insert((arn.clone(), named.key.clone()));
                }
            }
        }
        self.current.retain(|arn, _| secrets.iter().any(|secret| secret.arn() == arn));
        for secret in &secrets {
            if let Some(token) = secret.holder(AWSPENDING) {
                let actor = Actor { secret: secret.arn().to_owned(), token: token.to_owned(), ..Actor::nobody() };
                if self.is_hopeless(&actor, scene) {
                    self.hopeless.insert((actor.secret, actor.token), scene.now);
                }
            }
        }
        let active: Vec<Actor> =
            self.runs.values().filter(|run| run.active && !run.hopeless).map(|run| run.actor.clone()).collect();
        for actor in active {
            if self.is_hopeless(&actor, scene) {
                self.run(&actor).hopeless = true;
            }
        }
    }

    fn previous_moved(&mut self, arn: &str, secret: &Secret) {
        let version = secret.holder(AWSPREVIOUS).map(str::to_owned);
        let stamped = version.as_ref().is_some_and(|version| is_stamped(secret, version));
        let known = self.previous.get(arn);
        let since = match known {
            Some(known) if known.version == version && (stamped || !known.stamped) => known.since,
            _ => self.changes,
        };
        self.previous.insert(arn.to_owned(), Previous { version, stamped, since });
    }

    fn current_moved(&mut self, arn: &str, to: Option<String>, scene: &Scene<'_>) {
        // Until just now a current version named it.
        if let Some(key) = self.current_key_known(arn) {
            self.keys.entry(key).or_default().current = Some(scene.now);
        }
        if let Some(version) = self.current.get(arn) {
            self.ceased.insert((arn.to_owned(), version.clone()), scene.now);
        }
        match to {
            Some(version) => {
                self.been_current.insert((arn.to_owned(), version.clone()));
                self.current.insert(arn.to_owned(), version);
            }
            None => drop(self.current.remove(arn)),
        }
    }

    fn current_key_known(&self, arn: &str) -> Option<KeyId> {
        let place = (arn.to_owned(), self.current.get(arn)?.clone());
        self.named.get(&place)?.1.as_ref().map(|named| named.key.clone())
    }

    fn meet_new_keys(&mut self, scene: &Scene<'_>) {
        let newest = scene.venue.last_record();
        if newest == self.newest_key {
            return;
        }
        for key in scene.venue.keys_after(std::mem::replace(&mut self.newest_key, newest)) {
            let fingerprint = protocol::secret::KeyId::parse(key.key.as_str()).map(|id| id.fingerprint()).unwrap_or_default();
            self.keys.entry(key.key).or_default().fingerprint = fingerprint;
        }
    }

    // What is true.

    /// What a version's value says, where it has one that can be read.
    pub(super) fn named(&mut self, scene: &Scene<'_>, arn: &str, version: &str) -> Option<Arc<Named>> {
        let text = scene.secrets.secret(arn)?.versions().get(version).and_then(Version::value)?.text()?;
        let place = (arn.to_owned(), version.to_owned());
        // A version that the service's dry run left can go, and come again with another value.
        let digest = digest(text);
        if let Some((known, named)) = self.named.get(&place)
            && *known == digest
        {
            return named.clone();
        }
        let named = Named::read(text).map(Arc::new);
        self.named.insert(place, (digest, named.clone()));
        named
    }

    pub(super) fn current_key(&mut self, scene: &Scene<'_>, arn: &str) -> Option<KeyId> {
        let version = scene.secrets.secret(arn)?.holder(AWSCURRENT)?.to_owned();
        self.named(scene, arn, &version).map(|named| named.key.clone())
    }

    /// Whether a key works, or stopped working by somebody else's doing.
    pub(super) fn lives_or_was_killed_by_others(scene: &Scene<'_>, key: &KeyId) -> bool {
        scene.venue.key(key).is_none_or(|truth| !matches!(truth.deleted, Some((_, By::Key(_)))))
    }

    /// The living keys that were issued for a version, and as which change.
    pub(super) fn live_for(&self, scene: &Scene<'_>, arn: &str, token: &str) -> Vec<(KeyId, u64)> {
        let issued = self.keys.iter().filter_map(|(key, facts)| {
            let (secret, version, change) = facts.issued.as_ref()?;
            (secret == arn && version == token && !facts.dead).then(|| (key.clone(), *change))
        });
        issued.filter(|(key, _)| scene.venue.key(key).is_some_and(|truth| truth.alive(scene.now))).collect()
    }

    pub(super) fn run(&mut self, actor: &Actor) -> &mut Run {
        self.runs.entry(actor.request_id.clone()).or_insert_with(|| Run::new(actor.clone()))
    }

    /// Whether a client may still use the key: it read it lately.
    pub(super) fn is_held_by_a_client(&self, key: &KeyId, now: Timestamp) -> bool {
        self.clients.values().any(|client| client.key == *key && now.duration_since(client.read) <= CLIENT_CACHE)
    }

    pub(super) fn broken(&mut self, invariant: Invariant, scene: &Scene<'_>, what: impl Into<String>) {
        self.violations.push(Violation { invariant, at: scene.now, what: what.into() });
    }
}

/// Whether a stamp says since when a version is not current any more.
pub(super) fn is_stamped(secret: &Secret, version: &str) -> bool {
    secret.stages_of(version).iter().any(|label| label.starts_with("REPLACED-"))
}

fn labels_of(secret: &Secret) -> Vec<(String, String)> {
    secret.labels().iter().map(|(label, version)| (label.clone(), version.clone())).collect()
}
