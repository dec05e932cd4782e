//! Writing values: `CreateSecret`, `PutSecretValue`, `UpdateSecret`.

use jiff::Timestamp;

use super::journal::{EventKind, Operation, detail};
use super::metadata::check_tags;
use super::reply::{SecretRef, StagedRef};
use super::request::{CreateSecret, PutSecretValue, UpdateSecret, demanded_token, value_of};
use super::secret::{Secret, TokenCheck, Version};
use super::write::{check_rotation_token, check_rotation_token_form, usable_to_write, write};
use super::{AWSCURRENT, Error, ErrorKind, Model, SecretValue};

impl Model {
    /// `CreateSecret`.
    pub fn create_secret(&mut self, request: &CreateSecret, now: Timestamp) -> Result<SecretRef, Error> {
        let detail = detail(&[("ClientRequestToken", request.client_request_token.as_deref())]);
        self.logged(
            Operation::CreateSecret,
            &request.name,
            || detail,
            now,
            |model| model.create(request, now),
        )
    }

    /// `PutSecretValue`: a write-once register for each `ClientRequestToken`.
    pub fn put_secret_value(&mut self, request: &PutSecretValue, now: Timestamp) -> Result<StagedRef, Error> {
        let check = self
            .secrets
            .find(&request.secret_id)
            .map_or(TokenCheck::Absent, |secret| {
                check_rotation_token(secret, request.rotation_token.as_ref())
            });
        let stages = request.version_stages.as_ref().map(|stages| stages.join(","));
        let detail = detail(&[
            ("ClientRequestToken", request.client_request_token.as_deref()),
            ("VersionStages", stages.as_deref()),
            ("RotationToken", Some(check.as_str())),
        ]);
        self.logged(
            Operation::PutSecretValue,
            &request.secret_id,
            || detail,
            now,
            |model| model.put_value(request, check, now),
        )
    }

    /// `UpdateSecret`: description and key, and a value that becomes current.
    pub fn update_secret(&mut self, request: &UpdateSecret, now: Timestamp) -> Result<SecretRef, Error> {
        let detail = detail(&[("ClientRequestToken", request.client_request_token.as_deref())]);
        self.logged(
            Operation::UpdateSecret,
            &request.secret_id,
            || detail,
            now,
            |model| model.update(request, now),
        )
    }

    fn create(&mut self, request: &CreateSecret, now: Timestamp) -> Result<SecretRef, Error> {
        check_name(&request.name)?;
        let value = value_of(request.secret_string.as_ref(), request.secret_binary.as_ref())?;
        let token = match &value {
            Some(_) => Some(demanded_token(request.client_request_token.as_ref())?),
            None => None,
        };
        let tags = check_tags(&request.tags)?;
        if tags.len() > super::metadata::MOST_TAGS {
            return Err(Error::parameter("A secret can't have more than 50 tags."));
        }
        if let Some(there) = self.secrets.named(&request.name) {
            return created_before(there, token, value.as_ref());
        }
        let mut secret = Secret::new(self.new_arn(&request.name, None), request.name.clone(), now);
        secret.description.clone_from(&request.description);
        secret.kms_key_id = request.kms_key_id.clone().filter(|key| !key.is_empty());
        secret.tags = tags;
        if let (Some(token), Some(value)) = (token, value) {
            secret.add_version(
                token,
                Version::new(Some(value), now),
                &[AWSCURRENT.to_owned()],
                now,
            )?;
        }
        let reply = reference(&secret, token);
        self.secrets.insert(secret);
        Ok(reply)
    }

    fn put_value(
        &mut self,
        request: &PutSecretValue,
        check: TokenCheck,
        now: Timestamp,
    ) -> Result<StagedRef, Error> {
        let token = demanded_token(request.client_request_token.as_ref())?;
        let value = value_of(request.secret_string.as_ref(), request.secret_binary.as_ref())?
            .ok_or_else(|| Error::request("You must provide either SecretString or SecretBinary."))?;
        check_rotation_token_form(request.rotation_token.as_ref())?;
        let stages = request
            .version_stages
            .clone()
            .unwrap_or_else(|| vec![AWSCURRENT.to_owned()]);
        if stages.is_empty() || stages.len() > super::secret::MOST_LABELS {
            return Err(Error::parameter(
                "VersionStages must name 1 to 20 staging labels.",
            ));
        }
        for stage in &stages {
            super::labels::check_label(stage)?;
        }
        let secret = self.secrets.live_mut(&request.secret_id)?;
        usable_to_write(secret)?;
        let same = secret
            .versions
            .get(token)
            .and_then(Version::value)
            .map(|held| *held == value);
        let arn = secret.arn.clone();
        match same {
            // "If you call this operation with a ClientRequestToken that matches an existing version's
            // VersionId, and you specify the same secret data, the operation succeeds but does
            // nothing": the labels stay where they are.
            Some(true) => {}
            Some(false) => return Err(Error::token_in_use(token, &arn)),
            None => {
                let abandoned = write(secret, token, value, stages, Some(check), &self.knobs, now)?;
                self.emit_abandoned(&arn, abandoned, now);
            }
        }
        let secret = self.secrets.live_mut(&arn)?;
        Ok(StagedRef {
            arn,
            name: secret.name.clone(),
            version_id: token.to_owned(),
            version_stages: secret.stages_of(token),
        })
    }

    fn update(&mut self, request: &UpdateSecret, now: Timestamp) -> Result<SecretRef, Error> {
        let value = value_of(request.secret_string.as_ref(), request.secret_binary.as_ref())?;
        let token = match &value {
            Some(_) => Some(demanded_token(request.client_request_token.as_ref())?),
            None => None,
        };
        let secret = self.secrets.live_mut(&request.secret_id)?;
        let mut abandoned = None;
        if let (Some(token), Some(value)) = (token, value) {
            usable_to_write(secret)?;
            // Unlike for PutSecretValue, the same value is no excuse: "If you call this operation with a
            // ClientRequestToken that matches an existing version's VersionId, the operation results in an
            // error."
            if secret.versions.contains_key(token) {
                return Err(Error::token_in_use(token, &secret.arn));
            }
            abandoned = write(
                secret,
                token,
                value,
                vec![AWSCURRENT.to_owned()],
                None,
                &self.knobs,
                now,
            )?;
        }
        if let Some(description) = &request.description {
            secret.description = Some(description.clone());
        }
        if let Some(key) = &request.kms_key_id {
            secret.kms_key_id = Some(key.clone()).filter(|key| !key.is_empty());
        }
        secret.last_changed = now;
        let reply = reference(secret, token);
        self.emit_abandoned(&reply.arn, abandoned, now);
        Ok(reply)
    }

    fn emit_abandoned(&mut self, arn: &str, version: Option<String>, now: Timestamp) {
        if let Some(version) = version {
            self.emit(EventKind::RotationAbandoned, arn, &version, now);
        }
    }
}

/// "If a version with this value already exists and the version `SecretString` and `SecretBinary` values are
/// the same as those in the request, then the request is ignored."
fn created_before(
    there: &Secret,
    token: Option<&str>,
    value: Option<&SecretValue>,
) -> Result<SecretRef, Error> {
    if there.deletion.is_some() {
        return Err(Error::request(
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ));
    }
    let held = token
        .and_then(|token| there.versions.get(token))
        .and_then(Version::value);
    match token {
        Some(token) if held.is_some() && held == value => Ok(reference(there, Some(token))),
        Some(token) if held.is_some() => Err(Error::token_in_use(token, &there.arn)),
        _ => Err(Error::new(
            ErrorKind::ResourceExists,
            format!(
                "The operation failed because the secret {} already exists.",
                there.name
            ),
        )),
    }
}

pub(super) fn reference(secret: &Secret, version_id: Option<&str>) -> SecretRef {
    SecretRef {
        arn: secret.arn.clone(),
        name: secret.name.clone(),
        version_id: version_id.map(str::to_owned),
    }
}

/// "The secret name can contain ASCII letters, numbers, and the following characters: /_+=.@-", and the quota
/// of 512.
fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-!".contains(c);
    if (1..=512).contains(&name.len()) && name.chars().all(allowed) {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::Validation,
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
             following: -/_+=.@!",
        ))
    }
}

#[cfg(test)]
mod tests;
