//! What a run does: whether an effect breaks a promise at the moment it happens.

use protocol::rotation::Step;
use protocol::task::{Operation, Task};

use super::Invariant;
use super::act::{Act, Asked, Labelled, Scene};
use super::witness::Witness;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING};
use crate::venue::{By, KeyId};

impl Witness {
    /// A call that changes something, after it did or was refused.
    pub(super) fn effect(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let Act {
            actor,
            asked,
            decided,
            done,
            ..
        } = *act;
        self.took_effect += u64::from(done);
        self.run(actor).changed |= done && !matches!(asked, Asked::Tag);
        let only_reads = [
            Task::Step(Step::Test),
            Task::Operation(Operation::Audit),
            Task::Operation(Operation::Plan),
        ];
        if only_reads.contains(&actor.task) {
            self.broken(
                Invariant::ReadOnly,
                scene,
                format!("{} asks for {asked:?}", actor.task),
            );
        }
        if decided >= actor.ends {
            self.broken(
                Invariant::Thawed,
                scene,
                format!(
                    "a run that should have ended at {} asks for {asked:?}",
                    actor.ends
                ),
            );
        }
        if let Asked::Store(digest) = asked
            && *self.run(actor).sent.get_or_insert(*digest) != *digest
        {
            self.broken(
                Invariant::WriteOnce,
                scene,
                "a run sends two values for one version",
            );
        }
        if *asked == Asked::Promote && std::mem::replace(&mut self.run(actor).asked_to_promote, true) {
            self.broken(
                Invariant::CurrentOnce,
                scene,
                "a run asks for its swap a second time",
            );
        }
        if !done {
            return;
        }
        match asked {
            Asked::Store(_) => self.stored(act, scene),
            Asked::Promote => self.promoted(act, scene),
            Asked::Issue => self.issued(act, scene),
            Asked::Edit(key) => self.edited(act, key, scene),
            Asked::Revoke(key) => self.revoked(act, key, scene),
            Asked::Label(place) if place.label.starts_with("CONDEMNED") => self.condemned(act, place, scene),
            Asked::Unlabel(place) if place.label == AWSPENDING => self.condemned(act, place, scene),
            Asked::Unlabel(place) if place.label == "CANDIDATE" || place.label == "ROLLBACK" => {
                self.released(act, &place.version, scene);
            }
            _ => {}
        }
    }

    fn stored(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let (arn, token) = (&act.actor.secret, &act.actor.token);
        let before = self.current.get(arn).cloned();
        if !self.built.insert((arn.clone(), token.clone())) {
            return;
        }
        if scene.now >= act.actor.ends {
            self.stored_late.insert((arn.clone(), token.clone()));
        }
        let Some(named) = self.named(scene, arn, token) else {
            return;
        };
        // What a run sends past its end, having been frozen just before, comes when nobody can still reckon
        // with it. Nor does the end of a leaked key wait for a run that copies it: that one's version
        // was given up, or will be.
        let copied = named
            .rotation
            .as_ref()
            .is_some_and(|rotation| rotation.copied_from.is_some());
        let ordered = copied && self.keys.get(&named.key).is_some_and(|facts| facts.died_leaked);
        if !ordered && !Self::lives_or_was_killed_by_others(scene, &named.key) && scene.now < act.actor.ends {
            self.broken(
                Invariant::Foreign,
                scene,
                "a version names a key that was revoked by us before it was stored",
            );
        }
        let rotation = named.rotation.as_ref();
        if rotation.is_some_and(|rotation| rotation.copied_from.is_some()) && self.run(act.actor).misled == 0
        {
            self.copied(arn, token, &named.key, scene);
        }
        let run = self.run(act.actor);
        // Two reads have to agree; who is misled a third time is misled in both.
        if let Some(rotation) = rotation
            && run.misled < 3
            && !run.bases.is_empty()
            && !run.bases.contains(&rotation.based_on)
        {
            let what = format!(
                "a value was built on {}, which the run was not shown as current",
                rotation.based_on
            );
            self.broken(Invariant::Provenance, scene, what);
        }
        let base = rotation.and_then(|rotation| self.named(scene, arn, &rotation.based_on));
        if let (Some(rotation), Some(policy)) = (rotation, base.and_then(|base| base.policy.clone())) {
            let beyond: Vec<&String> = rotation
                .permissions
                .iter()
                .filter(|word| !covered(word, &policy))
                .collect();
            if !beyond.is_empty() {
                self.broken(
                    Invariant::NeverWithdraw,
                    scene,
                    format!("a value was built for {beyond:?}, beyond its policy"),
                );
            }
        }
        // A value that is stored without a label becomes current at once.
        let now_current = scene
            .secrets
            .secret(arn)
            .and_then(|secret| secret.holder(AWSCURRENT));
        if now_current == Some(token) && before.as_deref() != Some(token) {
            self.promoted(act, scene);
        }
    }

    fn edited(&mut self, act: &Act<'_>, key: &KeyId, scene: &Scene<'_>) {
        self.must_be_ours(act, key, scene, "edited");
        let Some(truth) = scene.venue.key(key) else { return };
        let forbidden = scene.forbidden(&truth.settings);
        if !forbidden.is_empty() {
            self.broken(
                Invariant::NeverWithdraw,
                scene,
                format!("a key was edited, and may {forbidden:?}"),
            );
        }
    }

    fn revoked(&mut self, act: &Act<'_>, key: &KeyId, scene: &Scene<'_>) {
        let killed = scene
            .venue
            .key(key)
            .is_some_and(|truth| matches!(truth.deleted, Some((_, By::Key(_)))));
        let facts = self.keys.entry(key.clone()).or_default();
        if !killed || std::mem::replace(&mut facts.dead, true) {
            return;
        }
        let last_current = facts.current;
        if let Task::Operation(_) = act.actor.task {
            self.retired(act, key, scene);
            return;
        }
        self.must_be_ours(act, key, scene, "revoked");
        let secrets: Vec<(String, Vec<(String, String)>)> = scene
            .secrets
            .secrets()
            .map(|secret| {
                let versions = secret
                    .versions()
                    .keys()
                    .map(|version| (version.clone(), secret.stages_of(version).join(" ")));
                (secret.arn().to_owned(), versions.collect())
            })
            .collect();
        for (arn, versions) in secrets {
            for (version, labels) in versions {
                let named = self.named(scene, &arn, &version);
                if named.is_none_or(|named| named.key != *key || !Self::is_usable(scene, &named)) {
                    continue;
                }
                let stored_late = self.stored_late.contains(&(arn.clone(), version.clone()));
                if labels.contains(AWSCURRENT) {
                    self.broken(
                        Invariant::CurrentLives,
                        scene,
                        "the key that AWSCURRENT names was revoked by us",
                    );
                } else if last_current.is_none() && !stored_late {
                    self.broken(
                        Invariant::Foreign,
                        scene,
                        format!("a key that version {version} ({labels}) names was revoked by a step"),
                    );
                }
            }
        }
        let Some(last_current) = last_current else { return };
        let replicas = scene
            .secrets
            .secrets()
            .all(crate::secrets_manager::Secret::replicas_in_sync);
        if scene.now.duration_since(last_current) < self.grace_of(key, act.actor)
            || self.is_held_by_a_client(key, scene.now)
            || !replicas
        {
            self.broken(
                Invariant::Grace,
                scene,
                format!("a key that was current at {last_current} was revoked"),
            );
        }
    }

    fn must_be_ours(&mut self, act: &Act<'_>, key: &KeyId, scene: &Scene<'_>, done: &str) {
        let issued = self.keys.get(key).and_then(|facts| facts.issued.clone());
        if issued
            .as_ref()
            .is_none_or(|(secret, _, _)| *secret != act.actor.secret)
        {
            let whose = issued.map_or("by nobody here".to_owned(), |(secret, version, _)| {
                format!("for {secret}, version {version}")
            });
            self.broken(
                Invariant::Foreign,
                scene,
                format!("a key was {done} that was issued {whose}"),
            );
        }
    }

    /// What a person offered is forgotten: it was used, or is what is in use already.
    fn released(&mut self, act: &Act<'_>, version: &str, scene: &Scene<'_>) {
        if let Task::Operation(_) = act.actor.task {
            // A rollback that could not be begun takes its own label off again.
            return;
        }
        let arn = &act.actor.secret;
        let used = self
            .been_current
            .contains_key(&(arn.clone(), act.actor.token.clone()));
        let key = self.named(scene, arn, version).map(|named| named.key.clone());
        let is_current = key.is_some() && self.current_key(scene, arn) == key;
        let in_use = is_current
            || key.is_some_and(|key| self.keys.get(&key).is_some_and(|facts| facts.current.is_some()));
        if !used && !in_use {
            self.broken(
                Invariant::Converges,
                scene,
                "a person's offer is forgotten before it was used",
            );
        }
    }

    /// A version is given up. There has to be a reason.
    fn condemned(&mut self, act: &Act<'_>, place: &Labelled, scene: &Scene<'_>) {
        let Labelled {
            secret: arn, version, ..
        } = place;
        if act.actor.task == Task::Operation(Operation::Maintain) {
            self.end_decided(act, place, scene);
        }
        if *version == act.actor.token && !self.run(act.actor).hopeless {
            self.broken(
                Invariant::Honest,
                scene,
                "a version is given up that could be promoted",
            );
        }
        // A request that is late was sent before its run looked again.
        if matches!(act.asked, Asked::Label(..)) && self.run(act.actor).labelled_knowing {
            self.broken(
                Invariant::Grace,
                scene,
                "a version that has been current is condemned, and its key with it",
            );
        }
        if matches!(act.asked, Asked::Label(..)) {
            self.given_up.insert((arn.clone(), version.clone()));
        }
        let labels = scene
            .secrets
            .secret(arn)
            .map(|secret| secret.stages_of(version))
            .unwrap_or_default();
        // A pass stamps what lost its labels as if it had been current: that says as well that it can never
        // be promoted.
        let stated = labels
            .iter()
            .any(|label| label.starts_with("CONDEMNED-") || label.starts_with("REPLACED-"));
        if !stated && !self.been_current.contains_key(&(arn.clone(), version.clone())) {
            self.broken(
                Invariant::Converges,
                scene,
                "a version is given up and does not say so",
            );
        }
    }
}

/// Whether one of the allowed words, or a part's whole, covers this one. Every word lets a key read.
pub(super) fn covered(word: &str, allowed: &[String]) -> bool {
    let whole = word.split(':').next().unwrap_or(word);
    whole == "read" || allowed.iter().any(|allowed| allowed == word || allowed == whole)
}
