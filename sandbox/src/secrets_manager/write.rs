//! What every write of a value does to a secret: labels, quotas, and the rotation that it may abandon.

use jiff::Timestamp;

use super::secret::{Secret, TokenCheck, Version};
use super::{AWSCURRENT, AWSPENDING, Error, ErrorKind, Knobs, SecretValue, Sensitive};

/// Writes the value of a version that has none yet, and moves its labels to it. Answers the version whose
/// rotation was abandoned by that.
pub(super) fn write(
    secret: &mut Secret,
    id: &str,
    value: SecretValue,
    mut stages: Vec<String>,
    check: Option<TokenCheck>,
    knobs: &Knobs,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    // "If this operation creates the first version for the secret, then Secrets Manager automatically
    // attaches the staging label AWSCURRENT to it." A version that a rotation made is there already, so
    // this doesn't promote it.
    if secret.versions.is_empty() && !stages.iter().any(|stage| stage == AWSCURRENT) {
        stages.push(AWSCURRENT.to_owned());
    }
    let promoted = stages.iter().any(|stage| stage == AWSCURRENT);
    let pending_before = secret.holder(AWSPENDING).map(str::to_owned);
    let was_open = secret.open_pending().is_some();
    if secret.versions.contains_key(id) {
        secret.labels = secret.labels_with(id, &stages)?;
        secret.last_changed = now;
    } else {
        secret.add_version(id, Version::new(None, now), &stages, now)?;
    }
    if let Some(version) = secret.versions.get_mut(id) {
        version.value = Some(value);
        version.rotation_token = check;
    }
    if promoted {
        // "Manually updating the secret value […] is considered a valid rotation."
        secret.scheduled_from = now;
    }
    // "When you manually create a new version of a secret, you send a message signalling the abandonment of
    // the current ongoing rotation in favor of the new secret version."
    let by_hand = promoted || knobs.any_manual_version_abandons;
    let pending = secret
        .holder(AWSPENDING)
        .filter(|pending| by_hand && *pending != id)
        .map(str::to_owned);
    if pending.is_none() || pending != pending_before {
        return Ok(None);
    }
    secret.labels.remove(AWSPENDING);
    secret.rotation = None;
    Ok(pending.filter(|_| was_open))
}

pub(super) fn usable_to_write(secret: &Secret) -> Result<(), Error> {
    if secret.key_usable {
        return Ok(());
    }
    let message = "Secrets Manager can't encrypt the protected secret text using the provided KMS key.";
    Err(Error::new(ErrorKind::EncryptionFailure, message))
}

pub(super) fn check_rotation_token(secret: &Secret, sent: Option<&Sensitive>) -> TokenCheck {
    let Some(sent) = sent else {
        return TokenCheck::Absent;
    };
    let open = secret
        .rotation
        .as_ref()
        .and_then(|rotation| rotation.rotation_token.as_ref());
    if open == Some(sent) {
        TokenCheck::Matched
    } else {
        TokenCheck::Mismatched
    }
}

pub(super) fn check_rotation_token_form(sent: Option<&Sensitive>) -> Result<(), Error> {
    let Some(sent) = sent.map(Sensitive::expose) else {
        return Ok(());
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (36..=256).contains(&sent.len()) && sent.chars().all(allowed) {
        Ok(())
    } else {
        Err(Error::parameter(
            "RotationToken must be 36-256 characters of letters, digits and hyphens.",
        ))
    }
}
