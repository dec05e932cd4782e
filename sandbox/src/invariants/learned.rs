//! What a run learns: a call that only reads, and when one that writes was sent.

use jiff::SignedDuration;
use protocol::ports::Asking;
use protocol::rotation::UNSETTLED;

use super::Invariant;
use super::act::{Act, Actor, Asked, Scene};
use super::witness::{Place, Witness};
use crate::secrets_manager::{AWSCURRENT, AWSPREVIOUS};
use crate::venue::KeyId;

/// So many keys that are refused a run may ask where more lock its address out.
const MOST_REFUSED: usize = 3;

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
            Asked::Inspect(key) if scene.kind.asking != Asking::Free => {
                self.must_not_disturb(act, key, scene);
                if done && fair {
                    self.run(actor)
                        .inspected
                        .insert(key.clone(), (changes, scene.now));
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
            let run = self.run(actor);
            run.described_at = Some(scene.now);
            run.saw_old_labels = !fair;
        }
        if !fair {
            self.run(actor).misled += 1;
        }
    }

    /// A key is asked where that can do harm: whoever knew that consumers hold it must not, and few that are
    /// refused may be asked in a row.
    fn must_not_disturb(&mut self, act: &Act<'_>, key: &KeyId, scene: &Scene<'_>) {
        let run = self.run(act.actor);
        run.refused_keys += usize::from(!act.done);
        let (knew, old) = run.asked_knowing.get(key).copied().unwrap_or_default();
        let refused = run.refused_keys;
        if refused > MOST_REFUSED && scene.kind.asking == Asking::LocksOut {
            let what = format!("a run asks {refused} times with keys that are refused");
            self.broken(Invariant::Undisturbed, scene, what);
        }
        let arn = &act.actor.secret;
        let of_secret = |place: &&Place| arn.is_empty() || place.0 == *arn;
        let been: Vec<Place> = self
            .been_current
            .iter()
            .filter(|(_, change)| **change <= knew && !old)
            .map(|(place, _)| place)
            .filter(of_secret)
            .cloned()
            .collect();
        let is_held = been.into_iter().any(|(arn, version)| {
            let labels = scene
                .secrets
                .secret(&arn)
                .map(|secret| secret.stages_of(&version))
                .unwrap_or_default();
            // Of one that lost those labels to a hand nobody can know that it was.
            let shows = |label: &String| {
                label == AWSCURRENT || label == AWSPREVIOUS || label.starts_with("REPLACED-")
            };
            labels.iter().any(shows)
                && self
                    .named(scene, &arn, &version)
                    .is_some_and(|named| named.key == *key)
        });
        if is_held {
            let what = "a key that consumers hold is asked, which shuts them out";
            self.broken(Invariant::Undisturbed, scene, what);
        }
    }

    /// A call goes out. What is seen after it was sent, its run could not know.
    pub(crate) fn sent(&mut self, actor: &Actor, asked: &Asked) {
        if asked.writes() {
            self.run(actor).asked(asked);
        }
        if let Asked::Inspect(key) = asked {
            let run = self.run(actor);
            let knowing = (run.since.max(run.described), run.saw_old_labels);
            run.asked_knowing.insert(key.clone(), knowing);
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
