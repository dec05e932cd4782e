//! Reading values: `GetSecretValue`.

use jiff::Timestamp;

use super::journal::{Operation, detail};
use super::reply::Value;
use super::request::{GetSecretValue, check_token};
use super::schedule::utc_midnight;
use super::{AWSCURRENT, Error, ErrorKind, Model};

impl Model {
    /// `GetSecretValue`.
    pub fn secret_value(&mut self, request: &GetSecretValue, now: Timestamp) -> Result<Value, Error> {
        let detail = || {
            detail(&[
                ("VersionId", request.version_id.as_deref()),
                ("VersionStage", request.version_stage.as_deref()),
            ])
        };
        self.logged(
            Operation::GetSecretValue,
            &request.secret_id,
            detail,
            now,
            |model| model.read_value(request, now),
        )
    }

    fn read_value(&mut self, request: &GetSecretValue, now: Timestamp) -> Result<Value, Error> {
        if let Some(id) = &request.version_id {
            check_token(id)?;
        }
        let secret = self.secrets.live(&request.secret_id)?;
        let missing = |what: &str, which: &str| {
            let message =
                format!("Secrets Manager can't find the specified secret value for {what}: {which}");
            Error::new(ErrorKind::ResourceNotFound, message)
        };
        let stage = request.version_stage.as_deref().unwrap_or(AWSCURRENT);
        let id = match &request.version_id {
            Some(id) => {
                if secret.versions.contains_key(id)
                    && request.version_stage.is_some()
                    && secret.holder(stage) != Some(id)
                {
                    let message =
                        "You provided a VersionStage that is not associated to the provided VersionId.";
                    return Err(Error::request(message));
                }
                id.clone()
            }
            None => secret
                .holder(stage)
                .ok_or_else(|| missing("staging label", stage))?
                .to_owned(),
        };
        let absent = || match &request.version_id {
            Some(id) => missing("VersionId", id),
            None => missing("staging label", stage),
        };
        let version = secret.versions.get(&id).ok_or_else(absent)?;
        let value = version.value.as_ref().ok_or_else(absent)?;
        if !secret.key_usable {
            let message =
                "Secrets Manager can't decrypt the protected secret text using the provided KMS key.";
            return Err(Error::new(ErrorKind::DecryptionFailure, message));
        }
        let reply = Value {
            arn: secret.arn.clone(),
            name: secret.name.clone(),
            version_stages: secret.stages_of(&id),
            version_id: id,
            secret_string: None,
            secret_binary: None,
            created_date: version.created,
        };
        let reply = reply.with_value(value);
        // "the resolution of this field is at the date level"
        let today = Some(utc_midnight(now));
        // Most reads are not the first of their day, and leave the secret as it is.
        if (secret.last_accessed, version.last_accessed) != (today, today) {
            let secret = self.secrets.live_mut(&request.secret_id)?;
            secret.last_accessed = today;
            if let Some(version) = secret.versions.get_mut(&reply.version_id) {
                version.last_accessed = today;
            }
        }
        Ok(reply)
    }
}

#[cfg(test)]
mod tests;
