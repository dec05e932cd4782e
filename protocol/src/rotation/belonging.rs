//! Whether a key is one of the account that the secret stands for, where its own answer does not name the
//! account as calls do: then the account's list shows it.

use super::run::Run;
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::ports::{KeyList, KeyState, Venue, VenueError};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::session::{master_of, venue_error};

/// The current key, where it answers, has to be in the list of the account that the value names: what is issued
/// on another account would replace it.
///
/// # Errors
/// ACCOUNT_MISMATCH.
pub(super) fn current_must_be_listed(
    current: &Result<KeyState, VenueError>,
    key: &KeyId,
    account: &AccountId,
    list: &KeyList,
) -> Result<(), Error> {
    let Ok(state) = current else { return Ok(()) };
    if state.belongs_to(account, key, Some(list)) == Some(true) || wrong::is(Wrong::UntoldAccountAgreed) {
        return Ok(());
    }
    let problem = format!(
        "the current key answers, and the keys of account {account}, for which the secret stands, do not \
         include it: put the right key or the right `subaccount` into the secret; right after a key was made \
         a list may be behind, and the step can be repeated"
    );
    Err(Error::new(ErrorType::AccountMismatch, problem))
}

/// Whether a key that has given this answer belongs to an account: by its own word, or by the list that the
/// value's master gives of the account. `None` where it does not say and no master is named: nobody tells.
///
/// # Errors
/// What keeps the list from being had.
pub(super) async fn belongs(
    run: &Run<'_>,
    venue: &dyn Venue,
    value: &SecretValue,
    account: &AccountId,
    (key, state): (&KeyId, &KeyState),
) -> Result<Option<bool>, Error> {
    if state.account.named().is_some() {
        return Ok(state.belongs_to(account, key, None));
    }
    if value.master_arn.is_none() || wrong::is(Wrong::UntoldAccountAgreed) {
        return Ok(None);
    }
    let master = master_of(run.session.ports, &venue.masters(), value).await?;
    let list = venue
        .list(&master.signer, account)
        .await
        .map_err(|error| venue_error(&error))?;
    Ok(Some(list.key(key).is_some()))
}
