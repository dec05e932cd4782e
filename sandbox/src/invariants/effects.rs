//! What a run learns, and what it does: whether an effect breaks a promise at the moment it happens.

use jiff::{SignedDuration, Timestamp};
use protocol::name::SecretId;
use protocol::rotation::{Step, UNSETTLED};
use protocol::secret::{AccountId, Address, Addresses};
use protocol::task::{Operation, Task};

use super::Invariant;
use super::act::{Act, Actor, Asked, Labelled, Scene};
use super::operations::serves;
use super::witness::Witness;
use crate::bybit::{By, Ips, KeyId, KeyTruth};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};

/// For how long a run that was shown no value looks again before it believes it.
const LOOKS: SignedDuration = SignedDuration::from_secs(5);
/// How many keys may be issued for a version and not be stored before runs have to wait.
const MOST_UNSTORED: usize = 2;
/// The most versions of a day beside which another key is issued.
const MOST_A_DAY: usize = 10;
/// The same where one is labelled as leaked.
const MOST_A_DAY_LEAKED: usize = 50;
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

impl Witness {
    /// A call that only reads: what the run knows now.
    pub(super) fn learned(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let changes = self.changes;
        let Act {
            actor,
            asked,
            done,
            fair,
            ..
        } = *act;
        let (arn, token) = (&actor.secret, &actor.token);
        match asked {
            Asked::Value(version) if version == token => {
                let value = scene
                    .secrets
                    .secret(arn)
                    .and_then(|secret| secret.versions().get(token)?.value());
                let there = done && value.is_some();
                let run = self.run(actor);
                run.looked.get_or_insert(scene.now);
                run.saw_value |= there && fair;
            }
            Asked::List(account) => {
                let shown = |key: &KeyId| scene.venue.key(key).is_some_and(|truth| truth.uid == *account);
                let keys = self.live_for(scene, arn, token).into_iter().map(|(key, _)| key);
                let young = keys.filter(|key| shown(key) && is_young(scene, key)).collect();
                let run = self.run(actor);
                if done && fair {
                    run.young = young;
                    run.listed = Some((changes, scene.now - shown_after(scene)));
                }
            }
            Asked::Current(secret) if done && fair && secret == arn => {
                let base = self.current.get(arn).cloned();
                self.run(actor).bases.extend(base);
            }
            Asked::Labels if done && fair => {
                let base = self.current.get(arn).cloned();
                self.run(actor).bases.extend(base);
                let labels = scene
                    .secrets
                    .secret(arn)
                    .map(|secret| secret.stages_of(token))
                    .unwrap_or_default();
                let been_current = labels.iter().any(|label| {
                    label == AWSCURRENT || label == AWSPREVIOUS || label.starts_with("REPLACED-")
                });
                let leaked = scene
                    .secrets
                    .secret(arn)
                    .and_then(|secret| secret.holder("COMPROMISED"))
                    .map(str::to_owned);
                let run = self.run(actor);
                run.saw_leaked = leaked;
                run.described = changes;
                run.saw_current |= been_current;
                run.saw_condemned = labels.iter().any(|label| label.starts_with("CONDEMNED-"));
            }
            Asked::Versions if done => {
                let since = scene.now - A_DAY;
                let count = scene.secrets.secret(arn).map_or(0, |secret| {
                    let others = secret.versions().iter().filter(|(version, _)| *version != token);
                    others.filter(|(_, version)| version.created() > since).count()
                });
                let run = self.run(actor);
                run.listed_versions = true;
                if fair {
                    run.versions_of_today =
                        Some(run.versions_of_today.map_or(count, |before| before.min(count)));
                }
            }
            Asked::Inspect(key) if done && fair => drop(
                self.run(actor)
                    .inspected
                    .insert(key.clone(), (changes, scene.now)),
            ),
            _ => {}
        }
        // What an old look does not show, nobody can know; that it looked counts.
        if *asked == Asked::Labels && done {
            self.run(actor).described_at = Some(scene.now);
        }
        if !fair {
            self.run(actor).misled += 1;
        }
    }

    /// A call goes out. What is seen after it was sent, its run could not know.
    pub(crate) fn sent(&mut self, actor: &Actor, asked: &Asked) {
        if asked.writes() {
            self.run(actor).asked(asked);
        }
        if matches!(asked, Asked::Label(_)) {
            let run = self.run(actor);
            run.labelled_knowing = run.saw_current;
        }
        if *asked == Asked::Promote {
            let run = self.run(actor);
            (run.knew_current, run.knew_condemned, run.knew_leaked) =
                (run.saw_current, run.saw_condemned, run.saw_leaked.clone());
        }
    }

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

    fn issued(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let (arn, token) = (&act.actor.secret, &act.actor.token);
        let Some(key) = scene.venue.newest_key() else {
            return;
        };
        let change = self.changes;
        let facts = self.keys.entry(key.key.clone()).or_default();
        facts.issued = Some((arn.clone(), token.clone(), change));
        let forbidden = forbidden(&key.settings);
        if !forbidden.is_empty() {
            self.broken(
                Invariant::NeverWithdraw,
                scene,
                format!("a key was issued that may {forbidden:?}"),
            );
        }
        // Whoever may write the secret may make another version current while the run builds on the one that
        // it was shown.
        let mut bases: Vec<String> = self.run(act.actor).bases.iter().cloned().collect();
        bases.extend(self.current.get(arn).cloned());
        let anywhere = bases
            .iter()
            .any(|base| self.named(scene, arn, base).is_some_and(|named| named.anywhere));
        if key.settings.ips.is_any() && !anywhere {
            self.broken(
                Invariant::NeverWithdraw,
                scene,
                "a key was issued that may be used from anywhere",
            );
        }
        self.must_be_no_gift(act, &key, scene);
        self.must_not_be_one_of_too_many(act, scene);
        let run = self.run(act.actor).clone();
        let lives = |key: &KeyId| scene.venue.key(key).is_some_and(|truth| truth.alive(scene.now));
        if run.issued.iter().any(|(earlier, fair)| *fair && lives(earlier)) {
            self.broken(
                Invariant::OnePerToken,
                scene,
                "a run issues a second key while its first may live",
            );
        }
        let looked = run
            .looked
            .is_some_and(|looked| act.decided.duration_since(looked) >= LOOKS);
        // What the service's dry run leaves goes again.
        let there = scene
            .secrets
            .secret(arn)
            .and_then(|secret| secret.versions().get(token)?.value())
            .is_some();
        if run.saw_value || (run.decided && there && !run.young.is_empty() && !looked) {
            self.broken(
                Invariant::OnePerToken,
                scene,
                "a key is issued for a version that has its value",
            );
        }
        // One that the run has revoked itself is on its way out: a venue may take a while to forget it.
        let beside = run
            .young
            .iter()
            .filter(|key| lives(key) && !run.revoked.contains(key))
            .count();
        if beside >= MOST_UNSTORED {
            let what = format!("a key is issued beside {beside} that were issued lately and not stored");
            self.broken(Invariant::OnePerToken, scene, what);
        }
        self.run(act.actor).issued.push((key.key, act.fair));
    }

    /// A key was issued: the secret has not had so many versions today that whoever may write it fills the
    /// account's slots. What was shown to the run counts; one that was shown old labels may have seen
    /// another limit.
    fn must_not_be_one_of_too_many(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let Some(secret) = scene.secrets.secret(&act.actor.secret) else {
            return;
        };
        let is_ordered = secret
            .tags()
            .get("RotationOrder")
            .is_some_and(|token| *token == act.actor.token);
        let run = self.run(act.actor);
        let is_leaked = secret.holder("COMPROMISED").is_some() || run.saw_leaked.is_some() || run.misled > 0;
        let most = if is_leaked { MOST_A_DAY_LEAKED } else { MOST_A_DAY };
        if is_ordered || !run.listed_versions {
            if !is_ordered && !run.refused {
                self.broken(
                    Invariant::OthersUnharmed,
                    scene,
                    "a key was issued, and nobody looked how many versions there are",
                );
            }
            return;
        }
        if let Some(count) = run.versions_of_today.filter(|count| *count > most) {
            let what = format!("a key was issued for a secret that has had {count} versions within a day");
            self.broken(Invariant::OthersUnharmed, scene, what);
        }
    }

    /// A key was issued: the master's value says that it serves the secret so, or a key of the secret has
    /// proven it in this run.
    fn must_be_no_gift(&mut self, act: &Act<'_>, issued: &KeyTruth, scene: &Scene<'_>) {
        let arn = &act.actor.secret;
        let Ok(name) = SecretId::parse(arn).map(|id| id.name()) else {
            return;
        };
        let account = AccountId::new(issued.uid.to_string());
        let (by_hand, when) = self.venue_by_hand;
        // What a person changed at the venue after a key was asked, or so shortly before that it was not
        // shown, nobody could know.
        let is_known = |(change, at): (u64, Timestamp)| {
            change >= by_hand
                && when.is_none_or(|when| at.duration_since(when) > scene.venue.knobs.edit_delay)
        };
        let proofs: Vec<(KeyTruth, bool)> = self
            .run(act.actor)
            .inspected
            .clone()
            .into_iter()
            .filter(|(key, _)| {
                self.keys
                    .get(key)
                    .is_none_or(|facts| facts.issued.as_ref().is_none_or(|(secret, ..)| secret == arn))
            })
            .filter_map(|(key, asked)| Some((scene.venue.key(&key)?, is_known(asked))))
            .filter(|(truth, _)| truth.uid == issued.uid && truth.key != issued.key)
            .collect();
        let proven = |more: &dyn Fn(&KeyTruth) -> bool| {
            proofs.iter().any(|(truth, is_known)| !is_known || more(truth))
        };
        let asked = crate::in_process::powers(&issued.settings);
        let no_more_power = |truth: &KeyTruth| {
            crate::in_process::powers(&truth.settings)
                .lacks(&asked.permissions)
                .is_empty()
        };
        let no_more_places = |truth: &KeyTruth| {
            places(&issued.settings.ips, &act.actor.egress).within(&places(&truth.settings.ips, &[]))
        };
        let served = match serves(scene) {
            None => proven(&|truth| no_more_power(truth) && no_more_places(truth)),
            Some(serves) => serves.of(&name, &account).any(|entry| {
                let powers = entry.permissions.as_ref().map(|most| {
                    asked
                        .permissions
                        .iter()
                        .all(|held| held.only_reads() || most.iter().any(|most| most.covers(held)))
                });
                let addresses = entry
                    .addresses
                    .as_ref()
                    .map(|most| places(&issued.settings.ips, &act.actor.egress).within(most));
                powers.unwrap_or_else(|| proven(&no_more_power))
                    && addresses.unwrap_or_else(|| proven(&no_more_places))
            }),
        };
        if !served {
            let what = format!(
                "{arn} got a key of account {account} that nothing but its own value says that it may have"
            );
            self.broken(Invariant::NoGift, scene, what);
        }
    }

    fn edited(&mut self, act: &Act<'_>, key: &KeyId, scene: &Scene<'_>) {
        self.must_be_ours(act, key, scene, "edited");
        let Some(truth) = scene.venue.key(key) else { return };
        let forbidden = forbidden(&truth.settings);
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

/// Whether a key is so young that a run may be about to store it, and a list would show it.
fn is_young(scene: &Scene<'_>, key: &KeyId) -> bool {
    let unsettled = SignedDuration::try_from(UNSETTLED).unwrap_or(SignedDuration::MAX);
    scene.venue.key(key).is_some_and(|truth| {
        let age = scene.now.duration_since(truth.created_at);
        age <= unsettled && age >= shown_after(scene)
    })
}

/// How long after it was made a list shows a key.
fn shown_after(scene: &Scene<'_>) -> SignedDuration {
    if scene.venue.knobs.listings_lag {
        scene.venue.knobs.new_key_delay
    } else {
        SignedDuration::ZERO
    }
}

/// From where a key may be used, but for these.
fn places(ips: &Ips, but: &[String]) -> Addresses {
    let Ips::Only(ips) = ips else {
        return Addresses::Any;
    };
    let places = ips.iter().map(ToString::to_string).filter(|ip| !but.contains(ip));
    Addresses::Only(places.map(|ip| Address::as_shown(&ip)).collect())
}

/// What a key may do that none may, in the venue's words.
pub(super) fn forbidden(settings: &crate::bybit::Settings) -> Vec<String> {
    let powers = crate::in_process::powers(settings);
    powers.moves_funds.into_iter().chain(powers.unknown).collect()
}

/// Whether one of the allowed words, or a part's whole, covers this one. Every word lets a key read.
pub(super) fn covered(word: &str, allowed: &[String]) -> bool {
    let whole = word.split(':').next().unwrap_or(word);
    whole == "read" || allowed.iter().any(|allowed| allowed == word || allowed == whole)
}
