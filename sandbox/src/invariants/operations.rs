//! What operations do: whether an effect of theirs breaks a promise at the moment it happens.

use jiff::{SignedDuration, Timestamp};
use protocol::label::{Label, StampKind, VersionId};
use protocol::marker::Marker;
use protocol::name::SecretId;
use protocol::secret::{AccountId, Serves};
use protocol::task::{Operation, Task};

use super::Invariant;
use super::act::{Act, Actor, Labelled, Scene};
use super::witness::Witness;
use crate::in_process::MASTER;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS, Secret};
use crate::venue::{KeyId, KeyTruth};

/// How old what a pass goes by may be: the index of what is held, and the stale reads it was made of.
pub(super) const LATELY: SignedDuration = SignedDuration::from_mins(4);
/// How old the last look at the labels may be, by the calls and pauses between it and what is decided.
const LOOK: SignedDuration = SignedDuration::from_secs(6);
/// The longest a run can live.
const LONGEST_RUN: SignedDuration = SignedDuration::from_mins(15);
/// How far two clocks may be apart, and the second that a stamp is rounded down by.
const SKEW: SignedDuration = SignedDuration::from_secs(122);

/// A version that names a key: of which secret, whether with its key secret, and its labels.
struct Naming {
    arn: String,
    version: String,
    has_it: bool,
    labels: Vec<String>,
}

impl Naming {
    fn is_ordered_dead(&self) -> bool {
        ["COMPROMISED", "REVOKE_FIRST"]
            .iter()
            .all(|order| self.labels.iter().any(|label| label == order))
    }

    fn is_leaked_in(&self, arn: &str) -> bool {
        self.arn == arn && self.labels.iter().any(|label| label == "COMPROMISED")
    }

    /// Whether its end was decided, at that time or before, and since it was last current.
    fn is_condemned_since(&self, time: Timestamp) -> bool {
        let latest = |kind| {
            let stamps = self.labels.iter().filter_map(|label| Label::new(label).stamp());
            stamps
                .filter(|stamp| stamp.kind == kind)
                .map(|stamp| stamp.at)
                .max()
        };
        let replaced = latest(StampKind::Replaced);
        latest(StampKind::Condemned)
            .is_some_and(|at| at <= time + SKEW && replaced.is_none_or(|replaced| at >= replaced))
    }
}

/// Whether a secret is scheduled for deletion, so that nobody can read it, and no master says whom it serves:
/// a person's order about a leaked key does not wait for it.
fn is_past_reading(scene: &Scene<'_>, arn: &str) -> bool {
    serves(scene).is_none() && scene.secrets.secret(arn).is_some_and(Secret::is_deleted)
}

/// What the master's value says of whom it serves.
pub(super) fn serves(scene: &Scene<'_>) -> Option<Serves> {
    let master = scene.secrets.secrets().find(|secret| secret.name() == MASTER)?;
    let text = master
        .versions()
        .get(master.holder(AWSCURRENT)?)?
        .value()?
        .text()?;
    protocol::secret::SecretValue::parse(&text.into())
        .ok()?
        .serves()
        .ok()?
}

impl Witness {
    /// A value was stored that names a key which was there before.
    pub(super) fn copied(&mut self, arn: &str, token: &str, key: &KeyId, scene: &Scene<'_>) {
        // A run that looked before it was decided can't know.
        let since = scene.now - LONGEST_RUN - LATELY;
        let ends = |naming: &Naming| {
            naming.arn == arn && naming.version != token && naming.is_condemned_since(since)
        };
        if self.naming(key, scene).iter().any(ends) {
            self.broken(
                Invariant::CurrentLives,
                scene,
                "a key was copied whose end is decided: it dies under the new version",
            );
        }
    }

    /// A pass ends a version: it condemns it, or takes AWSPENDING off it.
    pub(super) fn end_decided(&mut self, act: &Act<'_>, place: &Labelled, scene: &Scene<'_>) {
        // What holds no more than a key's id says nothing of the key.
        let named = self
            .named(scene, &place.secret, &place.version)
            .filter(|named| Self::is_usable(scene, named));
        let Some(named) = named else { return };
        // Whoever writes down that a key of their own was issued has its end decided sooner; it dies no
        // sooner all the same.
        let here = (place.secret.clone(), place.version.clone());
        if named.claims_to_be_ours(&place.version) && !self.built.contains(&here) {
            return;
        }
        let since = self.keys.get(&named.key).and_then(|facts| facts.seen_current);
        // One that is leaked, or died of it, has no grace, whatever else names it.
        let lives = scene
            .venue
            .key(&named.key)
            .is_some_and(|truth| truth.alive(scene.now));
        let leaked = |naming: &Naming| naming.labels.iter().any(|label| label == "COMPROMISED");
        // A version that never was current ends alone: its key lives on by what other versions say of it. Nor
        // does it count where it was made current after the run's last look at the labels: the stamp
        // is void on it.
        let run = self.run(act.actor);
        let is_fresh = run
            .described_at
            .is_some_and(|at| act.decided.duration_since(at) <= LOOK);
        let looked = run.described;
        let was_current = self
            .been_current
            .get(&here)
            .is_some_and(|became| looked >= *became || !is_fresh);
        if place.label.starts_with("CONDEMNED")
            && was_current
            && lives
            && !self.naming(&named.key, scene).iter().any(leaked)
            && since.is_some_and(|since| {
                act.decided.duration_since(since) < self.grace_of(&named.key, act.actor) - SKEW
            })
            && !self.changed_lately(&named.key, scene)
        {
            let labels = scene
                .secrets
                .secret(&place.secret)
                .map(|secret| secret.stages_of(&place.version).join(" "));
            let what = format!(
                "version {} ({}) is condemned within its key's grace",
                place.version,
                labels.unwrap_or_default()
            );
            self.broken(Invariant::Grace, scene, what);
        }
    }

    /// How long a key has to stay alive once no current version names it. What counts is who made it, in
    /// whichever version it came to stand since: who copied it once can have copied it elsewhere.
    pub(super) fn grace_of(&self, key: &KeyId, actor: &Actor) -> SignedDuration {
        let by_hand = self.keys.get(key).is_none_or(|facts| facts.issued.is_none());
        if by_hand {
            actor.grace.max(actor.adoption_grace)
        } else {
            actor.grace
        }
    }

    /// An operation has revoked a key.
    pub(super) fn retired(&mut self, act: &Act<'_>, key: &KeyId, scene: &Scene<'_>) {
        let last_current = self.keys.get(key).and_then(|facts| facts.seen_current);
        let naming = self.naming(key, scene);
        let issued = self.keys.get(key).and_then(|facts| facts.issued.clone());
        // Who controls an account may note a key of theirs as ours.
        let is_noted = scene
            .venue
            .key(key)
            .is_some_and(|truth| self.is_noted(&truth, scene));
        if issued.is_none() && naming.is_empty() && !is_noted {
            self.broken(
                Invariant::Foreign,
                scene,
                "a key was revoked that no version names and nobody here issued",
            );
        }
        if issued.is_none() && !is_noted && !naming.iter().any(|naming| naming.has_it) {
            self.broken(
                Invariant::OthersUnharmed,
                scene,
                "a key was revoked of which no secret has more than the id",
            );
        }
        // A version that has no more than the id says nothing of the key, unless it is of the secret that it
        // was issued for.
        let issued_for = |naming: &Naming| issued.as_ref().is_some_and(|(secret, ..)| *secret == naming.arn);
        let naming: Vec<Naming> = naming
            .into_iter()
            .filter(|naming| naming.has_it || issued_for(naming))
            .collect();
        let is_leaked = |naming: &Naming| naming.labels.iter().any(|label| label == "COMPROMISED");
        if naming.iter().any(is_leaked) {
            self.keys.entry(key.clone()).or_default().died_leaked = true;
        }
        // A person ordered it, and said so on the version before; another order that was given meanwhile may
        // have taken that back.
        if act.actor.revokes_first && naming.iter().any(|naming| naming.is_leaked_in(&act.actor.secret)) {
            return;
        }
        // A label orders something about the secret that bears it, and about no other.
        let ordering: Vec<String> = naming
            .iter()
            .filter(|naming| naming.is_ordered_dead())
            .map(|naming| naming.arn.clone())
            .collect();
        let by_order = act.actor.task == Task::Operation(Operation::BreakGlass);
        let lately = self.changed_lately(key, scene);
        for Naming {
            arn, version, labels, ..
        } in &naming
        {
            if ordering.contains(arn) || by_order && is_past_reading(scene, arn) {
                continue;
            }
            let held = [AWSCURRENT, AWSPENDING, "CANDIDATE", "ROLLBACK"];
            let others_offer = by_order && *arn != act.actor.secret || !Self::is_served(arn, key, scene);
            let held = held
                .into_iter()
                .filter(|label| *label == AWSCURRENT || !others_offer);
            let held: Vec<&str> = held
                .filter(|label| labels.iter().any(|held| held == label))
                .collect();
            let given_up = labels.iter().any(|label| label.starts_with("CONDEMNED-"));
            if held.contains(&AWSCURRENT) && !lately {
                self.broken(
                    Invariant::CurrentLives,
                    scene,
                    format!("the current key of {arn} was revoked by a pass"),
                );
            } else if held.iter().any(|label| *label != AWSPENDING || !given_up) && !lately {
                self.broken(
                    Invariant::Foreign,
                    scene,
                    format!("a key was revoked that {held:?} holds on version {version} of {arn}"),
                );
            }
        }
        if naming.iter().any(is_leaked) {
            if !by_order && !lately {
                self.takes_no_grace_from_others(act, &naming, scene);
            }
            return;
        }
        if let Some(since) = last_current
            && !lately
        {
            let in_sync = naming.iter().all(|naming| {
                scene
                    .secrets
                    .secret(&naming.arn)
                    .is_none_or(Secret::replicas_in_sync)
            });
            let grace = self.grace_of(key, act.actor);
            if act.decided.duration_since(since) < grace - SKEW
                || self.is_held_by_a_client(key, scene.now)
                || !in_sync
            {
                self.broken(
                    Invariant::Grace,
                    scene,
                    format!("a key that was current at {since} was revoked"),
                );
            }
        }
        if !naming.is_empty()
            && !naming
                .iter()
                .any(|naming| naming.is_condemned_since(scene.now - LONGEST_RUN))
            && !lately
        {
            self.broken(
                Invariant::CondemnedFirst,
                scene,
                "a key that a version names was revoked, and its end was not decided before",
            );
        }
        // Only a run that lives can still store it.
        let young = scene
            .venue
            .key(key)
            .is_some_and(|truth| scene.now.duration_since(truth.created_at) < SignedDuration::from_mins(15));
        if naming.is_empty() && young {
            self.broken(
                Invariant::Foreign,
                scene,
                "a key was revoked that a living run may be about to store",
            );
        }
    }

    /// What one secret says of a leaked key takes no grace from those who have the key of another, which has
    /// just replaced it.
    fn takes_no_grace_from_others(&mut self, act: &Act<'_>, naming: &[Naming], scene: &Scene<'_>) {
        let leaked: Vec<&String> = naming
            .iter()
            .filter(|naming| naming.labels.iter().any(|label| label == "COMPROMISED"))
            .map(|naming| &naming.arn)
            .collect();
        // What a hand replaced a second time before anybody stamped it says nothing of its grace.
        let tells = |label: &String| label == AWSPREVIOUS || label.starts_with("REPLACED-");
        let others = naming
            .iter()
            .filter(|naming| !leaked.contains(&&naming.arn) && naming.labels.iter().any(tells));
        for Naming {
            arn, version, has_it, ..
        } in others
        {
            let ceased = self.ceased.get(&(arn.clone(), version.clone())).copied();
            let in_grace =
                ceased.is_some_and(|ceased| act.decided.duration_since(ceased) < act.actor.grace - SKEW);
            if *has_it && in_grace {
                let what = format!(
                    "the key of version {version} of {arn} was revoked within its grace by another's label"
                );
                self.broken(Invariant::OthersUnharmed, scene, what);
            }
        }
    }

    /// Whether the master says that a secret stands for a key's account; so it may, where the master says
    /// nothing.
    fn is_served(arn: &str, key: &KeyId, scene: &Scene<'_>) -> bool {
        let Some(account) = scene
            .venue
            .key(key)
            .map(|truth| AccountId::new(scene.kind.account(truth.uid)))
        else {
            return true;
        };
        let Ok(id) = SecretId::parse(arn) else { return true };
        match serves(scene) {
            Some(serves) => serves.of(&id.name(), &account).next().is_some(),
            None => true,
        }
    }

    /// Whether somebody noted a key as issued for a secret whose current key answers from that account, or
    /// that the master serves there.
    fn is_noted(&mut self, truth: &KeyTruth, scene: &Scene<'_>) -> bool {
        let Some(marker) = Marker::parse(&truth.settings.note) else {
            return false;
        };
        let arns: Vec<String> = scene
            .secrets
            .secrets()
            .map(|secret| secret.arn().to_owned())
            .collect();
        let bearing = |arn: &String| marker.same_secret(&Marker::new(arn, &VersionId::new(""), 0));
        arns.into_iter().filter(bearing).any(|arn| {
            if serves(scene).is_some() {
                return self.is_in_scope(scene, &arn, truth.uid);
            }
            let current = scene
                .secrets
                .secret(&arn)
                .and_then(|secret| secret.holder(AWSCURRENT))
                .map(str::to_owned);
            let key = self
                .current_key(scene, &arn)
                .and_then(|key| scene.venue.key(&key));
            key.is_some_and(|key| key.uid == truth.uid)
                && current.is_some_and(|current| self.answers(scene, &arn, &current))
        })
    }

    /// Whether a labelled version names a key.
    pub(super) fn is_named(&mut self, key: &KeyId, scene: &Scene<'_>) -> bool {
        self.naming(key, scene)
            .iter()
            .any(|naming| !naming.labels.is_empty())
    }

    fn naming(&mut self, key: &KeyId, scene: &Scene<'_>) -> Vec<Naming> {
        let versions: Vec<Naming> = scene
            .secrets
            .secrets()
            .flat_map(|secret| {
                let arn = secret.arn().to_owned();
                let naming = move |version: &String| Naming {
                    arn: arn.clone(),
                    version: version.clone(),
                    has_it: false,
                    labels: secret.stages_of(version),
                };
                secret.versions().keys().map(naming).collect::<Vec<_>>()
            })
            .collect();
        let named = versions.into_iter().filter_map(|naming| {
            let named = self
                .named(scene, &naming.arn, &naming.version)
                .filter(|named| named.key == *key)?;
            Some(Naming {
                has_it: scene.venue.is_secret_of(&named.secret, key),
                ..naming
            })
        });
        named.collect()
    }

    /// Whether somebody else changed what is said of a key so lately that a pass cannot have known.
    fn changed_lately(&mut self, key: &KeyId, scene: &Scene<'_>) -> bool {
        let naming = self.naming(key, scene);
        let lately = |at: &Timestamp| scene.now.duration_since(*at) <= LATELY;
        let place = |naming: &Naming| (naming.arn.clone(), naming.version.clone());
        naming
            .iter()
            .any(|naming| self.by_hand.get(&place(naming)).is_some_and(lately))
    }
}
