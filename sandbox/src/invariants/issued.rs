//! A key is issued: one for each version, no gift, and not one of too many.

use jiff::{SignedDuration, Timestamp};
use protocol::name::SecretId;
use protocol::secret::{AccountId, Address, Addresses};

use super::Invariant;
use super::act::{Act, Scene};
use super::operations::serves;
use super::witness::Witness;
use crate::venue::{Ips, KeyId, KeyTruth};

/// For how long a run that was shown no value looks again before it believes it.
const LOOKS: SignedDuration = SignedDuration::from_secs(5);
/// How many keys may be issued for a version and not be stored before runs have to wait.
const MOST_UNSTORED: usize = 2;
/// The most versions of a day beside which another key is issued.
const MOST_A_DAY: usize = 10;
/// The same where one is labelled as leaked.
const MOST_A_DAY_LEAKED: usize = 50;

impl Witness {
    pub(super) fn issued(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let (arn, token) = (&act.actor.secret, &act.actor.token);
        let Some(key) = scene.venue.newest_key() else {
            return;
        };
        let change = self.changes;
        let facts = self.keys.entry(key.key.clone()).or_default();
        facts.issued = Some((arn.clone(), token.clone(), change));
        let forbidden = scene.forbidden(&key.settings);
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
        let account = AccountId::new(scene.kind.account(issued.uid));
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
        let asked = scene.powers(&issued.settings);
        let no_more_power =
            |truth: &KeyTruth| scene.powers(&truth.settings).lacks(&asked.permissions).is_empty();
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
}

/// From where a key may be used, but for these.
fn places(ips: &Ips, but: &[String]) -> Addresses {
    let Ips::Only(ips) = ips else {
        return Addresses::Any;
    };
    let places = ips.iter().map(ToString::to_string).filter(|ip| !but.contains(ip));
    Addresses::Only(places.map(|ip| Address::as_shown(&ip)).collect())
}
