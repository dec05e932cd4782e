//! `UpdateSecretVersionStage`: the compare-and-swap on AWSCURRENT, and every other label by hand.

use jiff::Timestamp;

use super::journal::{Operation, detail};
use super::reply::SecretRef;
use super::request::{UpdateSecretVersionStage, check_token};
use super::secret::Secret;
use super::values::reference;
use super::{AWSCURRENT, Error, ErrorKind, Model};

impl Model {
    /// `UpdateSecretVersionStage`.
    pub fn update_secret_version_stage(
        &mut self,
        request: &UpdateSecretVersionStage,
        now: Timestamp,
    ) -> Result<SecretRef, Error> {
        let detail = detail(&[
            ("VersionStage", Some(&request.version_stage)),
            ("RemoveFromVersionId", request.remove_from_version_id.as_deref()),
            ("MoveToVersionId", request.move_to_version_id.as_deref()),
        ]);
        self.logged(
            Operation::UpdateSecretVersionStage,
            &request.secret_id,
            || detail,
            now,
            |model| {
                let label = request.version_stage.as_str();
                check_label(label)?;
                let (from, to) = (
                    request.remove_from_version_id.as_deref(),
                    request.move_to_version_id.as_deref(),
                );
                for id in [from, to].into_iter().flatten() {
                    check_token(id)?;
                }
                let secret = model.secrets.live_mut(&request.secret_id)?;
                check_removal(secret, label, from, to)?;
                match to {
                    Some(to) => attach(secret, label, to)?,
                    None => detach(secret, label)?,
                }
                secret.last_changed = now;
                Ok(reference(secret, None))
            },
        )
    }
}

/// "If the staging label you are trying to attach to one version is already attached to a different version,
/// then you must include this parameter and specify the version that the label is to be removed from. If the
/// label is attached and you either do not specify this parameter, or the version ID does not match, then the
/// operation fails."
fn check_removal(secret: &Secret, label: &str, from: Option<&str>, to: Option<&str>) -> Result<(), Error> {
    let holder = secret.holder(label);
    match (holder, from) {
        (holder, Some(from)) if holder == Some(from) => Ok(()),
        // Also where no version has the label; that case is unverified.
        (_, Some(_)) => Err(Error::parameter(format!(
            "When you move staging label {label}, if you specify RemoveFromVersionId, it must be set to the \
             version that currently has the staging label {label}."
        ))),
        (Some(holder), None) if to.is_some_and(|to| to != holder) => Err(Error::parameter(format!(
            "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached \
             to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
        ))),
        // The wording is unverified.
        (_, None) if to.is_none() => Err(Error::parameter(
            "You must specify RemoveFromVersionId, MoveToVersionId, or both.",
        )),
        (_, None) => Ok(()),
    }
}

/// The version need not have a value: no documentation forbids it (unverified).
fn attach(secret: &mut Secret, label: &str, to: &str) -> Result<(), Error> {
    if !secret.versions.contains_key(to) {
        // Exception and wording are unverified.
        let message = format!("Secrets Manager can't find the specified secret version: {to}");
        return Err(Error::new(ErrorKind::ResourceNotFound, message));
    }
    secret.labels = secret.labels_with(to, &[label.to_owned()])?;
    Ok(())
}

fn detach(secret: &mut Secret, label: &str) -> Result<(), Error> {
    if label == AWSCURRENT {
        // The wording is that which Terraform's provider looks for.
        return Err(Error::parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be \
             completely removed.",
        ));
    }
    secret.labels.remove(label);
    Ok(())
}

pub(super) fn check_label(label: &str) -> Result<(), Error> {
    if (1..=256).contains(&label.len()) {
        Ok(())
    } else {
        Err(Error::parameter(
            "A staging label must be 1 to 256 characters long.",
        ))
    }
}

#[cfg(test)]
mod tests;
