//! The service's rotation scheduler: which step of which rotation to invoke, and what its outcome means.

use jiff::Timestamp;

use super::journal::EventKind;
use super::rotation::{InFlight, Invocation, Rotation, Step, new_rotation_token};
use super::secret::Secret;
use super::{AWSCURRENT, AWSPENDING, Model, TestLeftover, TokenCheck};

impl Model {
    /// The next invocation that the service makes, if one is due. It counts as running until
    /// [`Self::invocation_finished`], or until the service's patience is over; meanwhile it isn't handed out
    /// again.
    pub fn due_invocation(&mut self, now: Timestamp) -> Option<Invocation> {
        self.secrets.purge(now);
        self.give_up_waiting(now);
        self.open_scheduled(now);
        let patience = self.knobs.invocation_patience;
        let due = self
            .secrets
            .all()
            .filter(|secret| {
                rotating(secret).is_some_and(|open| open.in_flight.is_none() && open.not_before <= now)
            })
            .min_by_key(|secret| rotating(secret).map(|open| open.acts_at(patience)))?;
        let arn = due.arn.clone();
        let secret = self.secrets.get_mut(&arn)?;
        let rotation = secret.rotation.as_mut()?;
        let id = self.next_invocation;
        self.next_invocation += 1;
        rotation.in_flight = Some(InFlight { id, since: now });
        let invocation = Invocation {
            id,
            step: rotation.step,
            secret_arn: secret.arn.clone(),
            token: rotation.token.clone(),
            rotation_token: rotation.rotation_token.clone(),
            lambda_arn: secret.rotation_lambda_arn.clone(),
            replay: rotation.replay,
        };
        if invocation.step == Step::CreateSecret && invocation.replay > 0 && self.knobs.events_per_replay {
            self.emit(
                EventKind::RotationStarted,
                &invocation.secret_arn,
                &invocation.token,
                now,
            );
        }
        Some(invocation)
    }

    /// When [`Self::due_invocation`] has something to do next, if nobody calls in between.
    pub fn next_due(&self) -> Option<Timestamp> {
        let (patience, delay) = (self.knobs.invocation_patience, self.knobs.window_delay);
        let due = |secret: &Secret| match rotating(secret) {
            Some(open) => Some(open.acts_at(patience)),
            None => scheduled(secret).map(|opens| opens + delay),
        };
        self.secrets.all().filter_map(due).min()
    }

    /// Takes the outcome of an invocation: the next step, a replay from createSecret, or the end. An outcome
    /// that the service no longer waits for is ignored.
    pub fn invocation_finished(&mut self, invocation: &Invocation, succeeded: bool, now: Timestamp) {
        let Some(secret) = self.secrets.get_mut(&invocation.secret_arn) else {
            return;
        };
        let Some(rotation) = &mut secret.rotation else {
            return;
        };
        if rotation
            .in_flight
            .is_some_and(|flight| flight.id == invocation.id)
        {
            rotation.in_flight = None;
            self.conclude(&invocation.secret_arn, succeeded, now);
        }
    }

    fn give_up_waiting(&mut self, now: Timestamp) {
        let patience = self.knobs.invocation_patience;
        let overdue: Vec<String> = self
            .secrets
            .all()
            .filter(|secret| {
                rotating(secret).is_some_and(|open| open.in_flight.is_some() && open.acts_at(patience) <= now)
            })
            .map(|secret| secret.arn.clone())
            .collect();
        for arn in overdue {
            if let Some(rotation) = self
                .secrets
                .get_mut(&arn)
                .and_then(|secret| secret.rotation.as_mut())
            {
                rotation.in_flight = None;
            }
            self.conclude(&arn, false, now);
        }
    }

    fn open_scheduled(&mut self, now: Timestamp) {
        let delay = self.knobs.window_delay;
        let due: Vec<(String, Option<String>)> = self
            .secrets
            .all()
            .filter(|secret| {
                secret.rotation.is_none() && scheduled(secret).is_some_and(|opens| opens + delay <= now)
            })
            .map(|secret| (secret.arn.clone(), secret.open_pending().map(str::to_owned)))
            .collect();
        for (arn, pending) in due {
            if let Some(pending) = pending {
                self.reattempt(&arn, &pending, now);
            } else {
                let token = self.random.uuid();
                if self.open_rotation(&arn, &token, false, now).is_err() {
                    // A quota: nothing to build the version with. Tried again in the next window.
                    self.give_up(&arn, &token, now);
                }
            }
        }
    }

    fn conclude(&mut self, arn: &str, succeeded: bool, now: Timestamp) {
        let demand = self.knobs.demand_rotation_token;
        let Some(secret) = self.secrets.get_mut(arn) else {
            return;
        };
        let Some(rotation) = &mut secret.rotation else {
            return;
        };
        if rotation.test_only {
            let token = rotation.token.clone();
            secret.rotation = None;
            clean_up_test(secret, &token, self.knobs.test_leftover);
            secret.last_changed = now;
            if !succeeded {
                self.emit(EventKind::TestRotationFailed, arn, &token, now);
            }
            return;
        }
        let token = &rotation.token;
        // AWS's troubleshooting page has this failure as "Pending secret version … was not created by
        // Lambda …".
        let foreign = demand
            && rotation.step == Step::CreateSecret
            && secret
                .versions
                .get(token)
                .is_some_and(|version| version.rotation_token != Some(TokenCheck::Matched));
        // A finishSecret that reports success without having made the version current has not rotated
        // (unverified).
        let current = secret.labels.get(AWSCURRENT) == Some(token);
        match rotation.step.next() {
            _ if !succeeded || foreign => self.replay_or_give_up(arn, now),
            Some(next) => rotation.step = next,
            None if current => self.succeed(arn, now),
            None => self.replay_or_give_up(arn, now),
        }
    }

    fn succeed(&mut self, arn: &str, now: Timestamp) {
        let clean_up = self.knobs.clean_up_pending;
        let Some(secret) = self.secrets.get_mut(arn) else {
            return;
        };
        let Some(rotation) = secret.rotation.take() else {
            return;
        };
        if clean_up && secret.holder(AWSPENDING) == Some(rotation.token()) {
            secret.labels.remove(AWSPENDING);
        }
        secret.last_rotated = Some(now);
        secret.last_changed = now;
        secret.scheduled_from = now;
        secret.given_up = None;
        self.emit(EventKind::RotationSucceeded, arn, rotation.token(), now);
    }

    /// "If rotation fails, Secrets Manager retries the entire rotation process multiple times." The labels
    /// stay as they are: "the AWSPENDING staging label might be attached to an empty secret version".
    fn replay_or_give_up(&mut self, arn: &str, now: Timestamp) {
        let knobs = self.knobs.clone();
        let fresh = (knobs.send_rotation_token && knobs.fresh_rotation_token_per_replay)
            .then(|| new_rotation_token(&mut self.random));
        let Some(secret) = self.secrets.get_mut(arn) else {
            return;
        };
        let Some(rotation) = &mut secret.rotation else {
            return;
        };
        let token = rotation.token.clone();
        if rotation.replay >= knobs.replays {
            self.give_up(arn, &token, now);
            return;
        }
        rotation.replay += 1;
        rotation.step = Step::CreateSecret;
        rotation.not_before = now + knobs.replay_spacing;
        if fresh.is_some() {
            rotation.rotation_token = fresh;
        }
        if knobs.events_per_replay {
            self.emit(EventKind::RotationFailed, arn, &token, now);
        }
    }

    fn give_up(&mut self, arn: &str, token: &str, now: Timestamp) {
        let Some(secret) = self.secrets.get_mut(arn) else {
            return;
        };
        secret.rotation = None;
        secret.given_up = Some(now);
        self.emit(EventKind::RotationFailed, arn, token, now);
    }
}

/// The open rotation of a secret on which the scheduler acts.
fn rotating(secret: &Secret) -> Option<&Rotation> {
    let acts = secret.rotation_enabled == Some(true) && secret.deletion.is_none();
    secret.rotation.as_ref().filter(|_| acts)
}

/// When the next scheduled rotation's window opens. A rotation that was given up is tried again in the window
/// after, while `NextRotationDate` stays in the past.
fn scheduled(secret: &Secret) -> Option<Timestamp> {
    let acts = secret.rotation_enabled == Some(true) && secret.deletion.is_none();
    let since = secret.given_up.map_or(secret.scheduled_from, |given_up| {
        given_up.max(secret.scheduled_from)
    });
    secret
        .rotation_rules
        .as_ref()
        .filter(|_| acts)
        .and_then(|rules| rules.window_opens(since))
}

fn clean_up_test(secret: &mut Secret, token: &str, leftover: TestLeftover) {
    if leftover == TestLeftover::PendingVersion || secret.holder(AWSPENDING) != Some(token) {
        return;
    }
    secret.labels.remove(AWSPENDING);
    if leftover == TestLeftover::Nothing && !secret.labels.values().any(|id| id == token) {
        secret.versions.remove(token);
    }
}

#[cfg(test)]
mod tests;
