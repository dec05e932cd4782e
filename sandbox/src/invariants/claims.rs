//! What is claimed: audit lines, and how an invocation says it ended.

use protocol::audit::{Action, Outcome, Record};
use protocol::lifecycle::Answer;
use protocol::rotation::{Done, Step};
use protocol::task::Task;
use protocol::{Error, ErrorType};

use super::Invariant;
use super::act::{Actor, Scene};
use super::witness::Witness;
use crate::secrets_manager::Secret;

impl Witness {
    /// An audit line was written.
    pub(crate) fn recorded(&mut self, actor: &Actor, record: &Record, scene: &Scene<'_>) {
        if record.outcome != Outcome::Done {
            return;
        }
        let key = record.key.as_ref().and_then(|shown| self.keys.iter().find(|(_, facts)| facts.fingerprint == *shown));
        let key = key.map(|(key, _)| key.clone());
        let (arn, version) = (&actor.secret, &record.version);
        let label = record.label.as_deref().unwrap_or_default();
        // A pass is about every secret there is.
        let about = |secret: &&Secret| arn.is_empty() || secret.arn() == arn;
        let mut secrets = scene.secrets.secrets().filter(about);
        let true_now = match record.action {
            Action::IssueKey => key.is_some_and(|key| self.keys.get(&key).is_some_and(|facts| facts.issued.is_some())),
            Action::EditKey => key.is_some(),
            Action::ProveDead => key.is_some_and(|key| scene.venue.key(&key).is_some_and(|truth| !truth.alive(scene.now))),
            Action::RevokeKey => key.is_some_and(|key| scene.venue.key(&key).is_some_and(|truth| !truth.alive(scene.now))),
            Action::PutValue => self.named(scene, arn, version).is_some_and(|named| Some(&named.key) == key.as_ref()),
            Action::MoveCurrent => self.been_current.contains(&(arn.clone(), version.clone())),
            Action::AddLabel => secrets.any(|secret| secret.holder(label) == Some(version)),
            Action::StartRotation => secrets.any(|secret| secret.versions().contains_key(version)),
            Action::RemoveLabel => secrets.any(|secret| secret.holder(label) != Some(version)),
        };
        if !true_now {
            self.broken(
                Invariant::Honest,
                scene,
                format!("an audit line says what is not so: {:?} {version} {label}", record.action),
            );
        }
    }

    /// An operation answers.
    pub(crate) fn answered(&mut self, actor: &Actor, answer: &Result<Answer, Error>, scene: &Scene<'_>) {
        let Ok(answer) = answer else { return };
        if scene.now >= actor.ends {
            return;
        }
        for key in answer.secrets.iter().flat_map(|row| &row.keys) {
            let truth = self.keys.iter().find(|(_, facts)| facts.fingerprint == key.fingerprint);
            let truth = truth.and_then(|(id, _)| scene.venue.key(id));
            let dead_before = |at| truth.as_ref().is_none_or(|truth| !truth.alive(at));
            if key.alive == Some(false) && !dead_before(scene.now) {
                self.broken(Invariant::Honest, scene, format!("{} says of a living key that it is dead", actor.task));
            }
        }
    }

    /// An invocation ended and says how.
    pub(crate) fn ended(&mut self, actor: &Actor, result: &Result<Done, Error>, scene: &Scene<'_>) {
        if scene.now >= actor.ends {
            // Nobody hears it any more.
            return;
        }
        let place = (actor.secret.clone(), actor.token.clone());
        let named = self.named(scene, &actor.secret, &actor.token);
        let run = self.run(actor).clone();
        if actor.task == Task::Step(Step::Set)
            && matches!(result, Ok(Done::Agreed))
            && let Some(listed) = run.listed
        {
            self.swept.insert(place.clone(), listed);
        }
        let claim = match result {
            Ok(Done::AlreadyCurrent | Done::Promoted) => self.been_current.contains(&place),
            // A version that lost its labels meanwhile may be purged by now.
            Ok(Done::Issued) => named.is_none_or(|named| run.issued.iter().any(|(key, _)| *key == named.key)),
            Ok(Done::Copied | Done::AlreadyStored) => self.built.contains(&place),
            Ok(Done::Agreed) => run.saw_value || run.misled > 0,
            // The version of a dry run may be gone by now.
            Ok(Done::Proven) => named.map_or(!run.inspected.is_empty(), |named| {
                let account = scene.venue.key(&named.key).map(|key| key.uid.to_string());
                run.inspected.contains_key(&named.key) && (named.subaccount.is_none() || named.subaccount == account)
            }),
            Err(error) if error.error_type == ErrorType::VersionDoomed => run.hopeless,
            Err(_) => true,
        };
        if !claim {
            self.broken(Invariant::Honest, scene, format!("{} claims what is not so: {result:?}", actor.task));
        }
    }
}
