//! `RotateSecret` and `CancelRotateSecret`: what a caller can ask of the rotation scheduler.

use jiff::Timestamp;

use super::journal::{EventKind, Operation, detail};
use super::reply::SecretRef;
use super::request::{CancelRotateSecret, RotateSecret, check_token};
use super::rotation::{Rotation, Step, new_rotation_token};
use super::secret::{Secret, Version};
use super::values::reference;
use super::{AWSCURRENT, AWSPENDING, Error, Model};

impl Model {
    /// `RotateSecret`: stores the configuration and opens a rotation, whose steps [`Model::due_invocation`]
    /// hands out.
    pub fn rotate_secret(&mut self, request: &RotateSecret, now: Timestamp) -> Result<SecretRef, Error> {
        let immediately = request.rotate_immediately.unwrap_or(true).to_string();
        let detail = detail(&[
            ("ClientRequestToken", request.client_request_token.as_deref()),
            ("RotateImmediately", Some(&immediately)),
        ]);
        self.logged(
            Operation::RotateSecret,
            &request.secret_id,
            || detail,
            now,
            |model| model.rotate(request, now),
        )
    }

    /// `CancelRotateSecret`: switches rotation off and forgets the open rotation. It does not take AWSPENDING
    /// off: "If you cancel a rotation in progress, it can leave the `VersionStage` labels in an
    /// unexpected state."
    pub fn cancel_rotate_secret(
        &mut self,
        request: &CancelRotateSecret,
        now: Timestamp,
    ) -> Result<SecretRef, Error> {
        self.logged(
            Operation::CancelRotateSecret,
            &request.secret_id,
            String::new,
            now,
            |model| {
                let secret = model.secrets.live_mut(&request.secret_id)?;
                if secret.rotation_enabled.is_none() {
                    return Err(no_function());
                }
                secret.rotation_enabled = Some(false);
                secret.rotation = None;
                secret.last_changed = now;
                Ok(reference(secret, secret.open_pending()))
            },
        )
    }

    fn rotate(&mut self, request: &RotateSecret, now: Timestamp) -> Result<SecretRef, Error> {
        if let Some(token) = &request.client_request_token {
            check_token(token)?;
        }
        if request
            .rotation_lambda_arn
            .as_ref()
            .is_some_and(|arn| arn.len() > 2048)
        {
            return Err(Error::parameter(
                "RotationLambdaARN must be at most 2048 characters long.",
            ));
        }
        if let Some(rules) = &request.rotation_rules {
            rules.check()?;
        }
        let turns_on = self.knobs.refused_rotate_turns_on;
        let secret = self.secrets.live_mut(&request.secret_id)?;
        let (arn, requested) = (secret.arn.clone(), request.client_request_token.as_deref());
        let names_function = request
            .rotation_lambda_arn
            .as_ref()
            .is_some_and(|arn| !arn.is_empty());
        // Rotation that was set up without a function (by a managing service, or by the seed) needs none here
        // either.
        if !names_function && secret.rotation_lambda_arn.is_none() && secret.rotation_enabled.is_none() {
            return Err(no_function());
        }
        if let Some(pending) = secret.open_pending().map(str::to_owned) {
            let open = secret
                .rotation
                .as_ref()
                .is_some_and(|rotation| rotation.token == pending);
            // The same request again, as an SDK sends it when the reply was lost: "ensure that Secrets
            // Manager doesn't attempt to create a secret version twice". That it succeeds is
            // unverified.
            if open && requested == Some(pending.as_str()) {
                return Ok(reference(secret, Some(&pending)));
            }
            if turns_on {
                configure(secret, request, now);
            }
            if secret.rotation_enabled == Some(true) {
                self.reattempt(&arn, &pending, now);
            }
            return Err(Error::request(
                "A previous rotation isn't complete. That rotation will be reattempted.",
            ));
        }
        let token = requested.map_or_else(|| self.random.uuid(), str::to_owned);
        if secret.versions.contains_key(&token) {
            // A rotation of this token is decided. That a repeat of it succeeds, and how another use fails,
            // is unverified.
            return if secret.holder(AWSCURRENT) == Some(&token) {
                Ok(reference(secret, Some(&token)))
            } else {
                Err(Error::request(Error::token_in_use(&token, &arn).message))
            };
        }
        let test_only = request.rotate_immediately == Some(false);
        self.open_rotation(&arn, &token, test_only, now)?;
        let secret = self.secrets.live_mut(&arn)?;
        configure(secret, request, now);
        secret.last_changed = now;
        Ok(reference(
            secret,
            secret.versions.contains_key(&token).then_some(&token),
        ))
    }

    /// Opens a rotation on a secret without an open AWSPENDING. The version comes first: "Secrets Manager
    /// creates an AWSPENDING version ID before creating the new secret version", without a value; in a
    /// test rotation it has a copy of the current one.
    pub(super) fn open_rotation(
        &mut self,
        arn: &str,
        token: &str,
        test_only: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let rotation_token = self
            .knobs
            .send_rotation_token
            .then(|| new_rotation_token(&mut self.random));
        let secret = self.secrets.live_mut(arn)?;
        let current = secret.holder(AWSCURRENT).and_then(|id| secret.versions.get(id));
        let copy = current
            .and_then(|version| version.value.clone())
            .filter(|_| test_only);
        if test_only && copy.is_none() {
            // Nothing to test with; what AWS does then is unverified.
            return Ok(());
        }
        secret.add_version(token, Version::new(copy, now), &[AWSPENDING.to_owned()], now)?;
        let superseded =
            secret
                .rotation
                .replace(Rotation::new(token.to_owned(), test_only, rotation_token, now));
        // Its version lost AWSPENDING by hand, or is current without a finished finishSecret.
        if let Some(superseded) = superseded.filter(|rotation| !rotation.test_only) {
            self.emit(EventKind::RotationFailed, arn, &superseded.token, now);
        }
        if !test_only {
            self.emit(EventKind::RotationStarted, arn, token, now);
        }
        Ok(())
    }

    /// Begins the rotation of a version that AWSPENDING was left on again, with all its replays. One whose
    /// step is running goes on as it is.
    pub(super) fn reattempt(&mut self, arn: &str, token: &str, now: Timestamp) {
        let fresh = self
            .knobs
            .send_rotation_token
            .then(|| new_rotation_token(&mut self.random));
        let Ok(secret) = self.secrets.live_mut(arn) else {
            return;
        };
        match secret
            .rotation
            .as_mut()
            .filter(|rotation| rotation.token == token)
        {
            Some(rotation) if rotation.in_flight.is_some() || rotation.test_only => {}
            Some(rotation) => {
                rotation.step = Step::CreateSecret;
                rotation.replay = 0;
                rotation.not_before = now;
                if self.knobs.events_per_replay {
                    self.emit(EventKind::RotationStarted, arn, token, now);
                }
            }
            None => {
                secret.rotation = Some(Rotation::new(token.to_owned(), false, fresh, now));
                self.emit(EventKind::RotationStarted, arn, token, now);
            }
        }
    }
}

fn configure(secret: &mut Secret, request: &RotateSecret, now: Timestamp) {
    secret.rotation_enabled = Some(true);
    if let Some(arn) = request.rotation_lambda_arn.clone().filter(|arn| !arn.is_empty()) {
        secret.rotation_lambda_arn = Some(arn);
    }
    if let Some(rules) = request.rotation_rules.clone() {
        secret.rotation_rules = Some(rules);
        // That a new schedule counts from its own beginning is unverified.
        secret.scheduled_from = now;
    }
}

fn no_function() -> Error {
    Error::request("No Lambda rotation function ARN is associated with this secret.")
}

#[cfg(test)]
mod tests;
