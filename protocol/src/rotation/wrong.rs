//! What the steps do under those variants that are wrong on purpose by more than leaving a check out.

use futures_util::future::join;
use secrecy::{ExposeSecret, SecretString};

use super::run::{Run, parse};
use super::wanted;
use crate::error::Error;
use crate::label::VersionId;
use crate::ports::{ErrorClass, Signer, Which, Whose};
use crate::secret::{Addresses, Permission, Permissions, Provenance, SecretValue, Source, Word};
use crate::session::{AccountAccess, master_of, venue_error, venue_of};

pub(super) use crate::wrong::{Wrong, is};

/// Whether an answer that says nothing of the key counts as its death.
pub(super) fn is_death(class: ErrorClass) -> bool {
    match class {
        ErrorClass::Busy | ErrorClass::UnknownOutcome => is(Wrong::TimeoutIsDeath),
        ErrorClass::Denied | ErrorClass::Refused | ErrorClass::Impossible => is(Wrong::RefusalIsDeath),
        ErrorClass::Unexplained => is(Wrong::UnexplainedIsDeath),
        ErrorClass::Rejected
        | ErrorClass::Mismatched
        | ErrorClass::NoteTaken
        | ErrorClass::Gone
        | ErrorClass::NotAsked
        | ErrorClass::PassphraseWrong
        | ErrorClass::Clock
        | ErrorClass::Fault => false,
    }
}

/// Trading as a whole, where a policy names a part of it that the venue does not grant alone.
pub(super) fn coarse(permissions: Permissions) -> Permissions {
    let widened = |permission: Permission| match permission.word {
        Word::Read => permission,
        _ => Permission::whole(Word::Trade),
    };
    permissions.into_iter().map(widened).collect()
}

/// The same value in other bytes for each attempt to store it.
pub(super) fn value_of_attempt(text: &SecretString, attempt: u32) -> Option<SecretString> {
    let anew = is(Wrong::ValueAnew) || is(Wrong::ValueAnewAndLost);
    anew.then(|| {
        (0..attempt)
            .fold(text.expose_secret().to_owned(), |text, _| text + "\n")
            .into()
    })
}

/// An origin for a value that has none.
pub(super) fn as_if_built_here(
    value: &SecretValue,
    base: &VersionId,
    version: &VersionId,
) -> Option<Provenance> {
    is(Wrong::ProvenanceUnchecked).then(|| Provenance {
        token: version.clone(),
        source: Source::Candidate,
        copied_from: None,
        based_on: base.clone(),
        account: value
            .subaccount
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        alias: None,
        permissions: value.policy.permissions.clone().unwrap_or_default(),
        ip_allowlist: value.policy.addresses.clone().unwrap_or(Addresses::Any),
    })
}

/// Revokes the key of a version in the run that gives it up.
pub(super) async fn revoke_doomed(run: &Run<'_>) -> Result<(), Error> {
    if !is(Wrong::RevokeOnDoom) {
        return Ok(());
    }
    let description = run.session.describe().await?;
    let (pending, current) = join(
        run.session.read(Which::Version(run.token())),
        run.session.read(Which::Current),
    )
    .await;
    let (Some(pending), Some(current)) = (pending?, current?) else {
        return Ok(());
    };
    let (Ok(pending), current) = (parse(&pending), parse(&current)?) else {
        return Ok(());
    };
    let venue = venue_of(run.session.ports, &description, &current)?;
    let master = master_of(run.session.ports, venue.as_ref(), &current).await?;
    let in_use = Signer {
        whose: Whose::Current,
        credential: current.credential.clone(),
    };
    let account = wanted::account(&current, &venue.ask(&in_use).await)?;
    let access = AccountAccess::new(venue.as_ref(), master, account, &description);
    run.session
        .revoke(run.token(), &access, &pending.credential)
        .await?
        .map_err(|error| venue_error(&error))
}

pub(super) async fn names_the_current_key(run: &Run<'_>, value: &SecretValue) -> Result<bool, Error> {
    let Some(current) = run.session.read(Which::Current).await? else {
        return Ok(false);
    };
    Ok(parse(&current)?.names(&value.credential.key_id))
}
