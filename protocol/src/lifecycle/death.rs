//! Rule 7: a key is dead only by proof.

use jiff::SignedDuration;

use super::pass::Pass;
use crate::error::Error;
use crate::hand::{Desk, venue_error};
use crate::ports::{ErrorClass, KeyList, Signer, Whose};
use crate::secret::{KeyId, SecretValue};
use crate::wrong::{self, Wrong};

/// What is known of a key's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It was accepted, or a list shows it.
    Alive,
    /// Proven: a list that the same host gave to another credential does not show it, and it is rejected itself or the list is
    /// known to be complete.
    Dead,
    /// Nothing definite.
    Unknown,
}

/// Asks whether a key is dead: the account's list, which also shows that the host accepts another credential, and the key itself.
/// `alive` is a key of the account that is known to be alive: a list that shows it is complete enough to prove an absence.
pub(super) async fn life(pass: &Pass<'_>, desk: &Desk<'_>, value: &SecretValue, alive: Option<&KeyId>) -> Result<Life, Error> {
    let key = &value.credential.key_id;
    let list = listed(pass, desk).await?;
    if shows(&list, key) {
        return Ok(Life::Alive);
    }
    let young = value.created_at.is_some_and(|at| {
        let propagation = SignedDuration::try_from(desk.venue.facts().propagation).unwrap_or(SignedDuration::MAX);
        pass.now().duration_since(at) < propagation
    });
    let signer = Signer { whose: Whose::Replaced, credential: value.credential.clone() };
    pass.turn(desk.venue).await;
    match desk.venue.inspect(&signer).await {
        Ok(_) => Ok(Life::Alive),
        Err(_) if young => Ok(Life::Unknown),
        Err(error) if error.class == ErrorClass::Rejected => Ok(Life::Dead),
        Err(_) if wrong::is(Wrong::SilenceIsDeath) => Ok(Life::Dead),
        // Bound to addresses that the function does not have.
        Err(error) if error.class == ErrorClass::Denied && alive.is_some_and(|alive| shows(&list, alive)) => Ok(Life::Dead),
        Err(_) => Ok(Life::Unknown),
    }
}

pub(super) async fn listed(pass: &Pass<'_>, desk: &Desk<'_>) -> Result<KeyList, Error> {
    pass.turn_of(desk.venue, &desk.master).await;
    desk.venue.list(&desk.master, &desk.account).await.map_err(|error| venue_error(&error))
}

pub(super) fn shows(list: &KeyList, key: &KeyId) -> bool {
    list.keys.iter().any(|listed| listed.key_id == *key && !listed.expired)
}
