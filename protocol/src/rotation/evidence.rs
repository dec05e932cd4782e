//! What is known of a key, where its own answer tells less than everything: the account's list tells the
//! rest, the account it belongs to among it.

use super::base::Base;
use super::run::Run;
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::ports::{KeyList, KeyState, Venue, VenueError};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::session::{has_master, master_of, venue_error};

/// The current key, where it answers, has to be in the list of the account that the value names: what is
/// issued on another account would replace it.
///
/// # Errors
/// ACCOUNT_MISMATCH; VENUE_UNAVAILABLE while the key is so young that the list may be behind.
pub(super) fn current_must_be_listed(
    run: &Run<'_>,
    base: &Base,
    venue: &dyn Venue,
    current: &Result<KeyState, VenueError>,
    (account, list): (&AccountId, &KeyList),
) -> Result<(), Error> {
    let Ok(state) = current else { return Ok(()) };
    let key = &base.value.credential.key_id;
    if state.belongs_to(account, key, Some(list)) == Some(true) || wrong::is(Wrong::UntoldAccountAgreed) {
        return Ok(());
    }
    let problem = format!(
        "the current key answers, and the keys of account {account}, for which the secret stands, do not \
         include it: put the right key or the right `subaccount` into the secret; right after a key was made \
         a list may be behind, and the step can be repeated"
    );
    let error_type = if run.is_young(venue, &base.value) {
        ErrorType::VenueUnavailable
    } else {
        ErrorType::AccountMismatch
    };
    Err(Error::new(error_type, problem))
}

/// A key's own answer, and what the account's list adds to it.
pub(super) struct Evidence {
    pub(super) state: KeyState,
    /// Whether the key belongs to the account: by its own word, or since the account's list shows it. `None`
    /// where it does not say and no master is named: nobody tells.
    pub(super) belongs: Option<bool>,
}

impl Evidence {
    /// Completes a key's answer, where it is partial, by the list that the value's master gives of the
    /// account.
    ///
    /// # Errors
    /// What keeps the list from being had.
    pub(super) async fn of(
        run: &Run<'_>,
        venue: &dyn Venue,
        value: &SecretValue,
        account: &AccountId,
        (key, state): (&KeyId, KeyState),
    ) -> Result<Self, Error> {
        let is_named = state.account.named().is_some();
        let by_itself = state.belongs_to(account, key, None);
        let is_enough = !state.is_partial() || wrong::is(Wrong::UntoldAgreed);
        if is_enough || !has_master(venue, value) || by_itself == Some(false) {
            return Ok(Self {
                belongs: by_itself,
                state,
            });
        }
        let master = master_of(run.session.ports, venue, value).await?;
        let list = venue
            .list(&master.signer, account)
            .await
            .map_err(|error| venue_error(&error))?;
        let listed = list.key(key);
        Ok(Self {
            state: state.completed_by(listed),
            belongs: if is_named {
                by_itself
            } else {
                Some(listed.is_some() || wrong::is(Wrong::UntoldAccountAgreed))
            },
        })
    }
}
