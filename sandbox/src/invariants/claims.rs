//! What is claimed: audit lines, and how an invocation says it ended.

use protocol::audit::{Action, Outcome, Record};
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::operations::{Answer, Code};
use protocol::ports::Asking;
use protocol::rotation::{Done, Step};
use protocol::task::Task;
use protocol::{Error, ErrorType, digest};

use super::Invariant;
use super::act::{Actor, Scene};
use super::operations::LATELY;
use super::witness::{Place, Witness};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, Secret};
use crate::venue::KeyId;

/// So many reads in a row that fail are more than chance.
const EVERY_TIME: usize = 4;

impl Witness {
    /// An audit line was written.
    pub(crate) fn recorded(&mut self, actor: &Actor, record: &Record, scene: &Scene<'_>) {
        if record.outcome != Outcome::Done {
            return;
        }
        let key = record
            .key
            .as_ref()
            .and_then(|shown| self.keys.iter().find(|(_, facts)| facts.fingerprint == *shown));
        let key = key.map(|(key, _)| key.clone());
        let (arn, version) = (&actor.secret, &record.version);
        let label = record.label.as_deref().unwrap_or_default();
        // A pass is about every secret there is.
        let about = |secret: &&Secret| arn.is_empty() || secret.arn() == arn;
        let mut secrets = scene.secrets.secrets().filter(about);
        let of_secret = scene
            .secrets
            .secrets()
            .map(Secret::arn)
            .find(|arn| record.arn_digest.as_deref() == Some(&*digest(arn)));
        let of_secret = of_secret.map(str::to_owned);
        if record.arn_digest.is_some() && of_secret.as_ref().is_none_or(|of| !arn.is_empty() && of != arn) {
            self.broken(
                Invariant::Honest,
                scene,
                "an audit line tells of another secret than the one that it is about",
            );
        }
        if let (Action::RevokeKey, Some(key)) = (record.action, &key) {
            self.must_not_be_anothers(key, of_secret.as_deref(), scene);
        }
        let true_now = match record.action {
            Action::IssueKey => {
                key.is_some_and(|key| self.keys.get(&key).is_some_and(|facts| facts.issued.is_some()))
            }
            Action::EditKey => key.is_some(),
            // What the venue never knew is as dead as can be.
            Action::ProveDead => {
                key.is_none_or(|key| scene.venue.key(&key).is_none_or(|truth| !truth.alive(scene.now)))
            }
            Action::RevokeKey => {
                key.is_some_and(|key| scene.venue.key(&key).is_some_and(|truth| !truth.alive(scene.now)))
            }
            Action::PutValue => self
                .named(scene, arn, version)
                .is_some_and(|named| Some(&named.key) == key.as_ref()),
            Action::MoveCurrent => self.been_current.contains_key(&(arn.clone(), version.clone())),
            Action::AddLabel => secrets.any(|secret| secret.holder(label) == Some(version)),
            Action::StartRotation => secrets.any(|secret| secret.versions().contains_key(version)),
            Action::RemoveLabel => secrets.any(|secret| secret.holder(label) != Some(version)),
        };
        if !true_now {
            self.broken(
                Invariant::Honest,
                scene,
                format!(
                    "an audit line says what is not so: {:?} {version} {label}",
                    record.action
                ),
            );
        }
    }

    /// A key was revoked for a secret: where no version names it, and nobody here issued it, it bears that
    /// secret's marker.
    fn must_not_be_anothers(&mut self, key: &KeyId, of_secret: Option<&str>, scene: &Scene<'_>) {
        let is_issued = self.keys.get(key).is_some_and(|facts| facts.issued.is_some());
        let marker = scene
            .venue
            .key(key)
            .and_then(|truth| Marker::parse(&truth.settings.note));
        let bears = |arn: &str| {
            let ours = Marker::new(arn, &VersionId::new(""), 0);
            marker.as_ref().is_some_and(|marker| marker.same_secret(&ours))
        };
        if !is_issued && !self.is_named(key, scene) && !of_secret.is_some_and(bears) {
            self.broken(
                Invariant::Foreign,
                scene,
                "a key was revoked that bears another secret's marker",
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
            let truth = self
                .keys
                .iter()
                .find(|(_, facts)| facts.fingerprint == key.fingerprint);
            let truth = truth.and_then(|(id, _)| scene.venue.key(id));
            let lives = truth.as_ref().is_some_and(|truth| truth.alive(scene.now));
            if key.alive == Some(false) && lives {
                self.broken(
                    Invariant::Honest,
                    scene,
                    format!("{} says of a living key that it is dead", actor.task),
                );
            }
            // Those that a venue still shows for a while after they were deleted may have been seen so.
            let shown_until = truth
                .and_then(|truth| truth.deleted)
                .map(|(at, _)| at + scene.venue.knobs.deletion_delay + LATELY);
            if key.alive == Some(true) && shown_until.is_some_and(|until| until < key.checked_at) {
                self.broken(
                    Invariant::Honest,
                    scene,
                    format!("{} says of a dead key that it is alive", actor.task),
                );
            }
        }
        self.counted(actor, answer, scene);
        self.unreadable(actor, answer, scene);
    }

    /// What an answer counts, and says that was done, was done.
    fn counted(&mut self, actor: &Actor, answer: &Answer, scene: &Scene<'_>) {
        let run = self.run(actor).clone();
        if answer.dry_run && run.asked {
            self.broken(Invariant::Honest, scene, "a dry run asked for a change");
        }
        let count = |what: &str| answer.counts.get(what).copied().unwrap_or_default();
        let dead = run
            .revoked
            .iter()
            .filter(|key| scene.venue.key(key).is_some_and(|truth| !truth.alive(scene.now)))
            .count();
        let claims = [
            (
                "keys revoked",
                count("revoked") + count("orphans"),
                u64::try_from(dead).unwrap_or(u64::MAX),
            ),
            ("versions condemned", count("condemned"), run.condemned),
            ("versions stamped", count("stamped"), run.stamped),
        ];
        for (what, said, true_of) in claims {
            if said > true_of {
                self.broken(
                    Invariant::Honest,
                    scene,
                    format!("{} counts {said} {what}, and it was {true_of}", actor.task),
                );
            }
        }
        let done: Vec<&String> = answer.secrets.iter().flat_map(|row| &row.did).collect();
        if run.changed && done.is_empty() {
            self.broken(
                Invariant::Honest,
                scene,
                format!(
                    "{} has changed something, and its answer says nothing of that",
                    actor.task
                ),
            );
        }
        let dead = answer
            .secrets
            .iter()
            .flat_map(|row| &row.keys)
            .filter(|key| key.alive == Some(false))
            .count();
        if count("retired") > u64::try_from(dead).unwrap_or(u64::MAX) {
            let what = format!(
                "{} counts {} versions retired, and calls {dead} keys dead",
                actor.task,
                count("retired")
            );
            self.broken(Invariant::Honest, scene, what);
        }
        let is_open = || {
            let secret = scene.secrets.secret(&actor.secret);
            secret.is_some_and(|secret| {
                secret
                    .holder(AWSPENDING)
                    .is_some_and(|pending| secret.holder(AWSCURRENT) != Some(pending))
            })
        };
        if count("abandoned") > 0 && self.took_effect == run.began && is_open() {
            let what = format!(
                "{} says that it gave a rotation up, and it is open as before",
                actor.task
            );
            self.broken(Invariant::Honest, scene, what);
        }
        // What another has done just before may well be said to be done.
        let did = answer
            .secrets
            .iter()
            .flat_map(|row| &row.did)
            .find(|did| !did.starts_with("perhaps"));
        if let Some(did) = did.filter(|_| !answer.dry_run && self.took_effect == run.began) {
            self.broken(
                Invariant::Honest,
                scene,
                format!("{} says that it did what nobody did: {did}", actor.task),
            );
        }
    }

    /// Who is woken since a version cannot be read has to find one, or a read that was refused, or one that
    /// failed every time.
    fn unreadable(&mut self, actor: &Actor, answer: &Answer, scene: &Scene<'_>) {
        let run = self.run(actor).clone();
        if run.refused || run.misled > 0 || run.failed >= EVERY_TIME {
            return;
        }
        if !answer
            .findings
            .iter()
            .any(|finding| finding.code == Code::HolderUnreadable)
        {
            return;
        }
        let versions: Vec<(String, String)> = scene
            .secrets
            .secrets()
            .flat_map(|secret| {
                secret
                    .labels()
                    .values()
                    .map(|version| (secret.arn().to_owned(), version.clone()))
            })
            .collect();
        // Of another account's, no list shows who holds their keys.
        let excused = |secret: &Secret| secret.is_deleted() || secret.is_elsewhere();
        let excused = scene.secrets.secrets().any(excused);
        let lately = self
            .by_hand
            .values()
            .any(|at| scene.now.duration_since(*at) <= LATELY);
        if !excused
            && !lately
            && versions
                .iter()
                .all(|(arn, version)| self.named(scene, arn, version).is_some())
        {
            let what = format!(
                "{} pages for a version that cannot be read, and each can: {} reads failed",
                actor.task, run.failed
            );
            self.broken(Invariant::Honest, scene, what);
        }
    }

    /// Whether a version of a secret that names this key is current, or was.
    fn has_been_read(&mut self, scene: &Scene<'_>, arn: &str, key: &KeyId) -> bool {
        let of_secret = |place: &&Place| place.0 == arn;
        let been: Vec<Place> = self.been_current.keys().filter(of_secret).cloned().collect();
        been.iter().any(|(_, version)| {
            self.named(scene, arn, version)
                .is_some_and(|named| named.key == *key)
        })
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
            Ok(Done::AlreadyCurrent | Done::Promoted) => self.been_current.contains_key(&place),
            // A version that lost its labels meanwhile may be purged by now.
            Ok(Done::Issued) => named.is_none_or(|named| run.issued.iter().any(|(key, _)| *key == named.key)),
            Ok(Done::Copied | Done::AlreadyStored) => {
                self.built.contains(&place)
                    || named.is_some_and(|named| named.claims_to_be_ours(&actor.token))
            }
            Ok(Done::Agreed) => run.saw_value || run.misled > 0,
            // It names what is current, or was when the run looked.
            Ok(Done::NotAsked) => {
                let is_read = named.is_none_or(|named| self.has_been_read(scene, &actor.secret, &named.key));
                scene.kind.asking != Asking::Free && is_read
            }
            // The version of a dry run may be gone by now.
            Ok(Done::Proven) => named.map_or(!run.inspected.is_empty(), |named| {
                let account = scene.venue.key(&named.key).map(|key| scene.kind.account(key.uid));
                run.inspected.contains_key(&named.key)
                    && (named.subaccount.is_none()
                        || named.subaccount == account
                        || !named.has_account(scene))
            }),
            // A step that gives nothing up says what one look showed: a stale one, or one at what was changed
            // just then. createSecret looks twice, and gives up.
            Err(error) if error.error_type == ErrorType::VersionDoomed => {
                let may_be_old = run.misled > 0 || self.took_effect != run.began;
                run.hopeless || may_be_old && actor.task != Task::Step(Step::Create)
            }
            Err(_) => true,
        };
        if !claim {
            self.broken(
                Invariant::Honest,
                scene,
                format!("{} claims what is not so: {result:?}", actor.task),
            );
        }
    }
}
