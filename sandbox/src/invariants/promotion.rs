//! AWSCURRENT moves by our doing: everything that has to be true at that moment, and what makes it impossible
//! for ever.

use super::Invariant;
use jiff::SignedDuration;

use super::act::{Act, Actor, Scene};
use super::effects::covered;
use super::facts::{Named, Rotation};
use super::witness::{Previous, Witness, is_stamped};
use crate::secrets_manager::AWSCURRENT;
use crate::venue::Ips;

/// A run that saw the labels longer ago than this has to look again.
const LOOK: SignedDuration = SignedDuration::from_secs(6);

impl Witness {
    pub(super) fn promoted(&mut self, act: &Act<'_>, scene: &Scene<'_>) {
        let actor = act.actor;
        let (arn, token) = (&actor.secret, &actor.token);
        let base = self.current.get(arn).cloned();
        if base.as_deref() == Some(token) {
            return;
        }
        let place = (arn.clone(), token.clone());
        // A run that looked before it became so can't know, nor can one that comes when no label shows it any
        // more; nor one whose request is late, and lands after a hand has moved AWSCURRENT back.
        if self.been_current.contains_key(&place) && self.run(actor).knew_current {
            self.broken(
                Invariant::CurrentOnce,
                scene,
                "a version that has been current is promoted again",
            );
        }
        let labels = scene
            .secrets
            .secret(arn)
            .map(|secret| secret.stages_of(token))
            .unwrap_or_default();
        let run = self.run(actor);
        let slow = run
            .described_at
            .is_none_or(|at| act.decided.duration_since(at) > LOOK);
        if labels.iter().any(|label| label.starts_with("CONDEMNED-")) && (run.knew_condemned || slow) {
            self.broken(
                Invariant::CurrentLives,
                scene,
                "a version that was given up is promoted: a later pass would revoke its key",
            );
        }
        let misled = self.run(actor).misled > 0;
        if let Some(base) = base.as_ref().filter(|_| !misled) {
            self.replaced.insert((arn.clone(), base.clone()), scene.now);
        }
        self.promoted.insert(place.clone());
        self.previous_must_be_stamped(actor, base.as_deref(), scene);
        let Some(named) = self.named(scene, arn, token) else {
            return self.broken(
                Invariant::Provenance,
                scene,
                "a version without a value is promoted",
            );
        };
        let Some(rotation) = named
            .rotation
            .as_ref()
            .filter(|rotation| rotation.token == *token && self.built.contains(&place))
        else {
            if !named.claims_to_be_ours(token) {
                self.broken(
                    Invariant::Provenance,
                    scene,
                    "a version is promoted that was not built by us",
                );
            }
            return;
        };
        if base.as_deref() != Some(&rotation.based_on) {
            let what = format!(
                "a version built on {} replaces {}",
                rotation.based_on,
                base.as_deref().unwrap_or("nothing")
            );
            self.broken(Invariant::Provenance, scene, what);
        }
        self.form_must_be_inherited(arn, base.as_deref(), &named, scene);
        let leaked = self.run(actor).knew_leaked.clone();
        let names_it = leaked
            .as_ref()
            .and_then(|leaked| self.named(scene, arn, leaked))
            .is_some_and(|other| other.key == named.key);
        let is_leaked = leaked.as_ref() == Some(token)
            || leaked == rotation.copied_from
            || names_it && rotation.source != "issued";
        if leaked.is_some() && is_leaked {
            self.broken(
                Invariant::Provenance,
                scene,
                "a version is promoted whose key is labelled as leaked",
            );
        }
        let facts = self.keys.get(&named.key).cloned().unwrap_or_default();
        let issued = facts
            .issued
            .is_some_and(|(secret, version, _)| secret == *arn && version == *token);
        if !issued && !self.offered.contains(&(arn.clone(), named.key.clone())) {
            self.broken(
                Invariant::Provenance,
                scene,
                "a key is promoted that was neither issued for the version nor offered by a person",
            );
        }
        let inspected = self.run(actor).inspected.get(&named.key).copied();
        if inspected.is_none() {
            self.broken(
                Invariant::CurrentLives,
                scene,
                "a key is promoted that this run has not seen alive",
            );
        }
        // A value that a frozen run's request brought after its end may name a key that a pass has revoked
        // meanwhile: nobody can know it while the venue shows the key as alive.
        let is_shown = scene.venue.key(&named.key).is_some_and(|truth| {
            let deleted = truth.deleted.map(|(at, _)| scene.now.duration_since(at));
            deleted.is_some_and(|since| since < scene.venue.knobs.deletion_delay)
        });
        let stored_late = self.stored_late.contains(&(arn.clone(), token.clone()));
        let is_unknowable = stored_late && is_shown;
        if !is_unknowable && !Self::lives_or_was_killed_by_others(scene, &named.key) {
            self.broken(
                Invariant::CurrentLives,
                scene,
                "a key is promoted that was revoked by us",
            );
        }
        // What a person did after the last look, or so shortly before that the venue does not show it, can be
        // known to nobody.
        let (by_hand, when) = self.venue_by_hand;
        let shown = |at| {
            when.is_none_or(|when| scene.now.min(at).duration_since(when) > scene.venue.knobs.edit_delay)
        };
        if inspected.is_none_or(|(change, at)| change >= by_hand && shown(at)) {
            self.powers_must_be_within(&named, rotation, scene);
        }
    }

    /// Consumers sign with the form of key that they have, or that the policy says.
    fn form_must_be_inherited(&mut self, arn: &str, base: Option<&str>, named: &Named, scene: &Scene<'_>) {
        let before = base.and_then(|base| self.named(scene, arn, base));
        let due = before.map(|before| {
            let inherited = before.form().to_owned();
            before.key_type.clone().unwrap_or(inherited)
        });
        // Who goes back does so to what consumers have signed with.
        let is_return = named
            .rotation
            .as_ref()
            .is_some_and(|rotation| rotation.source == "rollback");
        if !is_return && due.is_some_and(|due| due != named.form()) {
            let what = format!(
                "a key of the form {} is promoted, which no policy says",
                named.form()
            );
            self.broken(Invariant::CurrentLives, scene, what);
        }
    }

    fn powers_must_be_within(&mut self, named: &Named, rotation: &Rotation, scene: &Scene<'_>) {
        let Some(key) = scene.venue.key(&named.key) else {
            return;
        };
        let forbidden = scene.forbidden(&key.settings);
        if !forbidden.is_empty() {
            self.broken(
                Invariant::NeverWithdraw,
                scene,
                format!("a key is promoted that may {forbidden:?}"),
            );
        }
        let powers = scene.powers(&key.settings);
        let beyond: Vec<String> = powers
            .permissions
            .iter()
            .map(ToString::to_string)
            .filter(|word| !covered(word, &rotation.permissions))
            .collect();
        if !beyond.is_empty() {
            self.broken(
                Invariant::NeverWithdraw,
                scene,
                format!("a key is promoted that may {beyond:?} beyond its policy"),
            );
        }
        let within = match (&rotation.addresses, &key.settings.ips) {
            (None, _) => true,
            (Some(_), Ips::Any) => false,
            (Some(allowed), Ips::Only(held)) => held.iter().all(|ip| allowed.contains(&ip.to_string())),
        };
        if !within {
            self.broken(
                Invariant::NeverWithdraw,
                scene,
                "a key is promoted that may be used from elsewhere",
            );
        }
        let accounts = [Some(&rotation.account), named.subaccount.as_ref()];
        if accounts
            .into_iter()
            .flatten()
            .any(|account| *account != scene.kind.account(key.uid) && named.has_account(scene))
        {
            self.broken(
                Invariant::CurrentLives,
                scene,
                "a key of another account is promoted",
            );
        }
    }

    /// The version that was current before the one that is replaced now loses AWSPREVIOUS: from now on only a
    /// stamp says since when it is not current.
    fn previous_must_be_stamped(&mut self, actor: &Actor, base: Option<&str>, scene: &Scene<'_>) {
        let Some(Previous {
            version: Some(previous),
            since,
            ..
        }) = self.previous.get(&actor.secret).cloned()
        else {
            return;
        };
        let run = self.run(actor);
        if Some(previous.as_str()) == base
            || previous == actor.token
            || run.misled > 0
            || since > run.described
        {
            return;
        }
        if !scene
            .secrets
            .secret(&actor.secret)
            .is_some_and(|secret| is_stamped(secret, &previous))
        {
            self.broken(
                Invariant::Grace,
                scene,
                format!("version {previous} loses AWSPREVIOUS without a stamp"),
            );
        }
    }

    /// Whether the token can be promoted no more, whatever is done; as far as a run can know that began at
    /// the world's change `since`. Who takes a power from a key that a person gives to it again meanwhile
    /// sees one that cannot be taken away.
    pub(super) fn is_hopeless(&mut self, actor: &Actor, since: u64, scene: &Scene<'_>) -> bool {
        let (arn, token) = (&actor.secret, &actor.token);
        let place = (arn.clone(), token.clone());
        let Some(secret) = scene.secrets.secret(arn) else {
            return true;
        };
        // One that lost its labels to a hand is stamped by a pass as if it had been current: nobody knows.
        let ends = |label: &String| label.starts_with("CONDEMNED-") || label.starts_with("REPLACED-");
        if self.been_current.contains_key(&place) || secret.stages_of(token).iter().any(ends) {
            return true;
        }
        let value = secret
            .versions()
            .get(token)
            .and_then(crate::secrets_manager::Version::value);
        if value.is_none() {
            // A pass has taken the stamp off.
            return self.given_up.contains(&place);
        }
        let holder = secret.holder(AWSCURRENT).map(str::to_owned);
        let Some(named) = self.named(scene, arn, token) else {
            return true;
        };
        let Some(rotation) = named
            .rotation
            .as_ref()
            .filter(|rotation| rotation.token == *token && self.built.contains(&place))
        else {
            return true;
        };
        if holder.as_deref() != Some(rotation.based_on.as_str())
            || self.current_key(scene, arn).as_ref() == Some(&named.key)
        {
            return true;
        }
        if let Some(leaked) = secret.holder("COMPROMISED").map(str::to_owned) {
            let mut named_too = || {
                self.named(scene, arn, &leaked)
                    .is_none_or(|other| other.key == named.key)
            };
            if leaked == *token
                || Some(&leaked) == rotation.copied_from.as_ref()
                || rotation.source != "issued" && named_too()
            {
                return true;
            }
        }
        let label = match rotation.source.as_str() {
            "candidate" => Some("CANDIDATE"),
            "rollback" => Some("ROLLBACK"),
            _ => None,
        };
        let moved = label
            .and_then(|label| secret.holder(label))
            .is_some_and(|holder| Some(holder) != rotation.copied_from.as_deref());
        let out_of_reach = rotation.source == "issued"
            && rotation
                .addresses
                .as_ref()
                .is_some_and(|bound| actor.egress.iter().any(|ip| !bound.contains(ip)));
        let Some(key) = scene.venue.key(&named.key) else {
            return true;
        };
        let (by_hand, _) = self.venue_by_hand;
        let beyond = (rotation.source != "issued" || by_hand > since)
            && (!scene.forbidden(&key.settings).is_empty()
                || scene
                    .powers(&key.settings)
                    .permissions
                    .iter()
                    .any(|word| !covered(&word.to_string(), &rotation.permissions)));
        // What a hand has changed cannot be set right.
        let unmendable = scene.venue.knobs.no_edits && by_hand > 0;
        moved
            || out_of_reach
            || !key.alive(scene.now)
            || scene.kind.account(key.uid) != rotation.account
            || beyond
            || unmendable
    }
}
