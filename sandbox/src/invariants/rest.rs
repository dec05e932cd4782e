//! What has to be true when nothing is under way.

use jiff::{SignedDuration, Timestamp};
use protocol::label::{Label, StampKind, VersionId};
use protocol::marker::Marker;
use protocol::name::SecretId;
use protocol::operations::{Answer, Code, Finding};
use protocol::secret::AccountId;

use super::Invariant;
use super::act::Scene;
use super::operations::serves;
use super::witness::Witness;
use crate::in_process::FUNCTION_ADDRESS;
use crate::in_process::kind::Tells;
use crate::report::fingerprint;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS, Version};
use crate::venue::{KeyId, KeyTruth, Uid};

/// How far two clocks may be apart, and the second that a stamp is rounded down by.
const SKEW: SignedDuration = SignedDuration::from_secs(61);
/// A key of ours may be stored until it is this old.
const YOUNG: SignedDuration = SignedDuration::from_mins(18);
/// What the last pass of a history did was done that long ago at most.
const SINCE_THE_LAST_PASS: SignedDuration = SignedDuration::from_mins(25 * 60 + 1);

impl Witness {
    /// No invocation runs, and no effect is to come: every version that was promoted has one living key at
    /// most. A key that was issued after setSecret last looked, or that the venue did not show yet, is
    /// left to a later pass, and so is one on an account that the secret stood for before.
    pub(crate) fn at_rest(&mut self, scene: &Scene<'_>) {
        let swept: Vec<_> = self
            .swept
            .iter()
            .map(|(place, listed)| (place.clone(), *listed))
            .collect();
        for ((arn, token), (listed, shown)) in swept {
            let Some(secret) = scene.secrets.secret(&arn) else {
                continue;
            };
            let open = secret
                .holder(AWSPENDING)
                .is_some_and(|pending| secret.holder(AWSCURRENT) != Some(pending));
            if open || !self.promoted.contains(&(arn.clone(), token.clone())) {
                continue;
            }
            let stored = self.named(scene, &arn, &token).map(|named| named.key.clone());
            let account = |key: &KeyId| scene.venue.key(key).map(|truth| truth.uid);
            let stands_for = stored.as_ref().and_then(account);
            let was_shown = |key: &KeyId| {
                scene
                    .venue
                    .key(key)
                    .is_some_and(|truth| truth.created_at <= shown)
            };
            let left = self.live_for(scene, &arn, &token).into_iter();
            let left = left
                .filter(|(key, issued)| {
                    Some(key) != stored.as_ref()
                        && !scene.is_undeletable(key)
                        && *issued <= listed
                        && was_shown(key)
                        && account(key) == stands_for
                })
                .count();
            if left > 0 {
                let what =
                    format!("{left} keys that were issued for version {token} and are not in it are alive");
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
    }

    /// Every grace is over, and passes have come round: what was issued for a secret that is looked after, on
    /// the account that it stands for, is held by a version, or dead. What could be stamped only after
    /// `stamped`, for want of room, is in its grace still.
    pub(crate) fn nothing_is_left(&mut self, stamped: Timestamp, scene: &Scene<'_>) {
        let mut held = self.held(scene);
        held.extend(self.stamped_after(stamped, scene));
        let issued: Vec<(KeyId, String)> = self
            .keys
            .iter()
            .filter_map(|(key, facts)| Some((key.clone(), facts.issued.clone()?.0)))
            .collect();
        for (key, arn) in issued {
            let Some(truth) = scene.venue.key(&key).filter(|truth| truth.alive(scene.now)) else {
                continue;
            };
            let looked_after = scene
                .secrets
                .secret(&arn)
                .is_some_and(|secret| !secret.is_deleted());
            let stands_for = self.stands_for(scene, &arn);
            let in_reach =
                looked_after && stands_for == Some(truth.uid) && self.is_in_scope(scene, &arn, truth.uid);
            if in_reach && !held.contains(&key) && !scene.is_undeletable(&key) {
                let what = format!(
                    "a key that was issued for {arn} at {} is alive, and no version holds it",
                    truth.created_at
                );
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
        self.none_outlives_its_grace(&held, scene);
    }

    /// Passes have come round: they tell of a key that was issued and never stored, and that nobody can
    /// delete for want of its passphrase.
    pub(crate) fn undeletable_is_told(&mut self, told: &[Finding], of: &[SecretId], scene: &Scene<'_>) {
        let issued: Vec<(KeyId, String)> = self
            .keys
            .iter()
            .filter_map(|(key, facts)| Some((key.clone(), facts.issued.clone()?.0)))
            .filter(|(key, arn)| of.iter().any(|secret| secret.as_str() == arn) && scene.is_undeletable(key))
            .collect();
        for (key, arn) in issued {
            let Some(truth) = scene.venue.key(&key).filter(|truth| truth.alive(scene.now)) else {
                continue;
            };
            let is_looked_after = scene
                .secrets
                .secret(&arn)
                .is_some_and(|secret| !secret.is_deleted());
            let in_reach = is_looked_after && self.stands_for(scene, &arn) == Some(truth.uid);
            if in_reach && !self.is_named(&key, scene) && !is_told(&key, told) {
                let what = format!("a key of {arn} that nobody can delete is alive, and no pass tells of it");
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
    }

    /// The same of keys that were replaced where only a person deletes keys.
    pub(crate) fn replaced_is_told(&mut self, told: &[Finding], of: &[SecretId], scene: &Scene<'_>) {
        if !scene.kind.is_supplied() {
            return;
        }
        let held = self.held(scene);
        let mut replaced = Vec::new();
        for arn in of.iter().map(SecretId::as_str) {
            let Some(secret) = scene.secrets.secret(arn).filter(|secret| !secret.is_deleted()) else {
                continue;
            };
            let stamped = secret
                .labels()
                .iter()
                .filter(|(label, _)| label.starts_with("REPLACED-"));
            replaced.extend(stamped.map(|(_, version)| (arn.to_owned(), version.clone())));
        }
        for (arn, version) in replaced {
            let Some(named) = self.named(scene, &arn, &version) else {
                continue;
            };
            let truth = scene.venue.key(&named.key);
            let lives = truth.is_some_and(|truth| truth.alive(scene.now));
            if lives && !held.contains(&named.key) && !is_told(&named.key, told) {
                let what =
                    format!("the replaced key of {arn} is alive past its grace, and no pass tells of it");
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
    }

    /// The keys that some label holds.
    fn held(&mut self, scene: &Scene<'_>) -> Vec<KeyId> {
        let mut holding = Vec::new();
        for secret in scene.secrets.secrets() {
            for label in [AWSCURRENT, AWSPENDING, "CANDIDATE", "ROLLBACK"] {
                let holder = secret.holder(label);
                holding.extend(holder.map(|version| (secret.arn().to_owned(), version.to_owned())));
            }
        }
        holding
            .into_iter()
            .filter_map(|(arn, version)| Some(self.named(scene, &arn, &version)?.key.clone()))
            .collect()
    }

    /// An audit has looked at everything: on each account whose keys it has seen, every living key with this
    /// secret's marker is in a version, or it tells of the key; and of what may move funds it pages.
    pub(crate) fn nothing_is_hidden(&mut self, arn: &str, audit: &Answer, scene: &Scene<'_>) {
        let ours = Marker::new(arn, &VersionId::new(""), 0);
        let noted: Vec<KeyTruth> = scene
            .venue
            .keys()
            .into_iter()
            .filter(|key| {
                key.alive(scene.now)
                    && Marker::parse(&key.settings.note).is_some_and(|marker| marker.same_secret(&ours))
            })
            .filter(|key| scene.now.duration_since(key.created_at) > YOUNG)
            .collect();
        for key in noted {
            let fingerprint = fingerprint(key.key.as_str());
            let account = scene.kind.account(key.uid);
            let on_account = audit.secrets.iter().filter_map(|row| row.audit.as_ref());
            let seen: Vec<_> = on_account
                .filter(|row| row.account.as_ref() == Some(&account))
                .filter_map(|row| Some((row.foreign_keys.as_ref()?, row.orphans.as_ref()?)))
                .collect();
            let told = seen.iter().any(|(foreign, orphans)| {
                foreign
                    .iter()
                    .chain(orphans.iter())
                    .any(|shown| shown.fingerprint == fingerprint)
            });
            if !seen.is_empty() && !told && !self.is_named(&key.key, scene) {
                let what = format!(
                    "a key with the marker of {arn} is alive on account {account}, and no audit tells of it"
                );
                self.broken(Invariant::NothingHidden, scene, what);
            }
            let paged = audit
                .findings
                .iter()
                .any(|found| found.code == Code::CanMoveFunds && found.say.contains(&fingerprint));
            if !seen.is_empty() && !paged && !scene.forbidden(&key.settings).is_empty() {
                let what = format!(
                    "a key that may move funds is alive on account {account}, and no page tells of it"
                );
                self.broken(Invariant::NothingHidden, scene, what);
            }
        }
    }

    /// The keys of versions that were stamped after that.
    fn stamped_after(&mut self, stamped: Timestamp, scene: &Scene<'_>) -> Vec<KeyId> {
        let late = |label: &str| {
            let stamp = Label::new(label)
                .stamp()
                .filter(|stamp| stamp.kind == StampKind::Replaced);
            stamp.is_some_and(|stamp| stamp.at > stamped + SKEW)
        };
        let versions: Vec<(String, String)> = scene
            .secrets
            .secrets()
            .flat_map(|secret| {
                let late = secret.labels().iter().filter(|(label, _)| late(label));
                late.map(|(_, version)| (secret.arn().to_owned(), version.clone()))
            })
            .collect();
        versions
            .into_iter()
            .filter_map(|(arn, version)| Some(self.named(scene, &arn, &version)?.key.clone()))
            .collect()
    }

    /// Passes have come round, and the service has performed the rotations they began: a key that is labelled
    /// as leaked is dead, where nothing holds it; and held by AWSCURRENT only where its successors come
    /// to nothing.
    pub(crate) fn no_leak_is_left(&mut self, rotations_fail: bool, scene: &Scene<'_>) {
        let leaked: Vec<(String, String)> = scene
            .secrets
            .secrets()
            .filter(|secret| !secret.is_deleted())
            .filter_map(|secret| Some((secret.arn().to_owned(), secret.holder("COMPROMISED")?.to_owned())))
            .collect();
        for (arn, version) in leaked {
            let Some(key) = self.named(scene, &arn, &version).map(|named| named.key.clone()) else {
                continue;
            };
            let Some(truth) = scene.venue.key(&key).filter(|truth| truth.alive(scene.now)) else {
                continue;
            };
            let in_reach =
                self.stands_for(scene, &arn) == Some(truth.uid) && self.can_be_ended(scene, &arn, &version);
            if !in_reach || self.is_held_elsewhere(&key, &arn, scene) {
                continue;
            }
            let is_current = self.current_key(scene, &arn).as_ref() == Some(&key);
            // The last pass may have begun what none before it could.
            let is_under_way = scene.secrets.secret(&arn).is_some_and(|secret| {
                let pending = secret
                    .holder(AWSPENDING)
                    .filter(|pending| secret.holder(AWSCURRENT) != Some(*pending));
                let begun = pending
                    .and_then(|pending| secret.versions().get(pending))
                    .map(Version::created);
                begun.is_some_and(|begun| scene.now.duration_since(begun) <= SINCE_THE_LAST_PASS)
            });
            if !(is_current && (rotations_fail || is_under_way)) {
                let labels = scene
                    .secrets
                    .secret(&arn)
                    .map(|secret| secret.stages_of(&version).join(" "))
                    .unwrap_or_default();
                let what = format!(
                    "the leaked key of version {version} ({labels}) of {arn} is alive, and nobody does \
                     anything about it"
                );
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
    }

    /// Whether a label that holds keys is on a version that names this one, but AWSCURRENT of this secret.
    fn is_held_elsewhere(&mut self, key: &KeyId, arn: &str, scene: &Scene<'_>) -> bool {
        let mut holding = Vec::new();
        for secret in scene.secrets.secrets() {
            for label in [AWSCURRENT, AWSPENDING, "CANDIDATE", "ROLLBACK"] {
                let elsewhere = secret.arn() != arn || label != AWSCURRENT;
                holding.extend(
                    secret
                        .holder(label)
                        .filter(|_| elsewhere)
                        .map(|version| (secret.arn().to_owned(), version.to_owned())),
                );
            }
        }
        holding.into_iter().any(|(arn, version)| {
            self.named(scene, &arn, &version)
                .is_some_and(|named| named.key == *key)
        })
    }

    /// The account that a secret stands for: its current key's. Where the value says another, nobody but a
    /// person can tell which is meant, and a pass tells of it.
    fn stands_for(&mut self, scene: &Scene<'_>, arn: &str) -> Option<Uid> {
        let version = scene.secrets.secret(arn)?.holder(AWSCURRENT)?.to_owned();
        let named = self.named(scene, arn, &version)?;
        let (key, said) = (named.key.clone(), named.subaccount.clone());
        let uid = scene.venue.key(&key)?.uid;
        said.is_none_or(|said| said == scene.kind.account(uid))
            .then_some(uid)
    }

    /// Whether the master serves a secret on an account: it says so, or the secret's current key proves it.
    pub(super) fn is_in_scope(&mut self, scene: &Scene<'_>, arn: &str, account: Uid) -> bool {
        if serves(scene).is_some() {
            let id = AccountId::new(scene.kind.account(account));
            let name = SecretId::parse(arn).map(|id| id.name());
            return name.is_ok_and(|name| {
                serves(scene).is_some_and(|serves| serves.of(&name, &id).next().is_some())
            });
        }
        let version = scene
            .secrets
            .secret(arn)
            .and_then(|secret| secret.holder(AWSCURRENT))
            .map(str::to_owned);
        version.is_some_and(|version| self.answers(scene, arn, &version))
    }

    /// Whether the key of a version answers with what is stored there, from the function's address, and was
    /// not issued for another secret.
    pub(super) fn answers(&mut self, scene: &Scene<'_>, arn: &str, version: &str) -> bool {
        let Some(named) = self.named(scene, arn, version) else {
            return false;
        };
        let Some(truth) = scene.venue.key(&named.key).filter(|truth| truth.alive(scene.now)) else {
            return false;
        };
        let issued = self.keys.get(&named.key).and_then(|facts| facts.issued.clone());
        let is_anothers = issued.is_some_and(|(secret, ..)| secret != arn);
        !is_anothers
            && scene.venue.is_secret_of(&named.secret, &named.key)
            && truth.settings.ips.admits(FUNCTION_ADDRESS)
    }

    /// Whether a pass can end the key of a version: it was issued for this version, or answers with what is
    /// stored there; and the master serves the secret there. What has no more than a key's id is left to
    /// a person.
    fn can_be_ended(&mut self, scene: &Scene<'_>, arn: &str, version: &str) -> bool {
        let Some(named) = self.named(scene, arn, version) else {
            return false;
        };
        let Some(account) = scene.venue.key(&named.key).map(|truth| truth.uid) else {
            return false;
        };
        let issued = self.keys.get(&named.key).and_then(|facts| facts.issued.clone());
        let is_ours = issued.is_some_and(|(secret, of, _)| secret == arn && of == version)
            && Self::is_usable(scene, &named);
        let answers = self.answers(scene, arn, version);
        // Where a key does not name its account, the value has to.
        let is_found =
            scene.kind.own_account == Tells::Fully || named.account() == Some(&scene.kind.account(account));
        is_found
            && (is_ours || answers)
            && (self.is_in_scope(scene, arn, account) || answers && serves(scene).is_none())
    }

    /// The same for what was made by hand and was replaced: where a label says that its end has come, it has.
    fn none_outlives_its_grace(&mut self, held: &[KeyId], scene: &Scene<'_>) {
        let replaced: Vec<(String, String)> = scene
            .secrets
            .secrets()
            .filter(|secret| !secret.is_deleted())
            .flat_map(|secret| {
                let ended = secret
                    .labels()
                    .iter()
                    .filter(|(label, _)| label.starts_with("REPLACED-"));
                ended.map(|(_, version)| (secret.arn().to_owned(), version.clone()))
            })
            .collect();
        for (arn, version) in replaced {
            let Some(named) = self.named(scene, &arn, &version) else {
                continue;
            };
            let Some(truth) = scene.venue.key(&named.key).filter(|truth| truth.alive(scene.now)) else {
                continue;
            };
            let in_reach =
                self.stands_for(scene, &arn) == Some(truth.uid) && self.can_be_ended(scene, &arn, &version);
            if in_reach && !held.contains(&named.key) {
                let what = format!(
                    "the key of version {version} of {arn} outlives its grace, and no version holds it"
                );
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
    }

    /// The grace of what we replaced does not count from an earlier time that it was replaced.
    pub(crate) fn no_grace_is_over_early(&mut self, scene: &Scene<'_>) {
        let replaced: Vec<_> = self
            .replaced
            .iter()
            .map(|(place, at)| (place.clone(), *at))
            .collect();
        for ((arn, version), at) in replaced {
            let Some(secret) = scene.secrets.secret(&arn) else {
                continue;
            };
            let ceased = self.ceased.get(&(arn.clone(), version.clone())).copied();
            if ceased != Some(at) || secret.holder(AWSCURRENT) == Some(&version) {
                continue;
            }
            let stamps = secret
                .stages_of(&version)
                .into_iter()
                .filter_map(|label| Label::new(label).stamp());
            let latest = stamps
                .filter(|stamp| stamp.kind == StampKind::Replaced)
                .map(|stamp| stamp.at)
                .max();
            if latest.is_some_and(|latest| latest < at - SKEW) {
                let what =
                    format!("version {version} was replaced at {at}, and its only stamps are from before");
                self.broken(Invariant::Grace, scene, what);
            }
        }
    }

    /// A rotation has just ended well, undisturbed: the grace of what it replaced counts from then.
    pub(crate) fn grace_counts(&mut self, arn: &str, scene: &Scene<'_>) {
        let Some(secret) = scene.secrets.secret(arn) else {
            return;
        };
        let Some(previous) = secret
            .holder(AWSPREVIOUS)
            .filter(|version| secret.holder(AWSCURRENT) != Some(*version))
        else {
            return;
        };
        let stamps = secret
            .stages_of(previous)
            .into_iter()
            .filter_map(|label| Label::new(label).stamp());
        let (mut replaced, mut condemned) = (None, false);
        for stamp in stamps {
            match stamp.kind {
                StampKind::Replaced => replaced = replaced.max(Some(stamp.at)),
                StampKind::Condemned => condemned = true,
                StampKind::Suspect => {}
            }
        }
        let ceased = self.ceased.get(&(arn.to_owned(), previous.to_owned())).copied();
        let counts = ceased.is_none_or(|ceased| replaced.is_some_and(|stamp| stamp >= ceased - SKEW));
        if !counts || condemned {
            let stages = secret.stages_of(previous).join(" ");
            let what =
                format!("version {previous} was current until {ceased:?}, and its labels say {stages}");
            self.broken(Invariant::Grace, scene, what);
        }
    }
}

fn is_told(key: &KeyId, told: &[Finding]) -> bool {
    let shown = fingerprint(key.as_str());
    told.iter().any(|finding| finding.say.contains(&shown))
}
