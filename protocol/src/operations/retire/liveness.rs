//! Rule 7: a key is dead only by proof.

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::operations::pass::Pass;
use crate::ports::{ErrorClass, KeyList, KeyState, Signer, Venue, VenueError, Whose};
use crate::secret::{KeyId, SecretValue};
use crate::session::AccountAccess;
use crate::wrong::{self, Wrong};

/// What is known of a key's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It was accepted, or a list shows it.
    Alive,
    /// Proven.
    Dead,
    /// Nothing definite.
    Unknown,
}

/// What else is known of a key whose life is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    /// Since when it has been there at the least. A younger one may be rejected since not everybody at the
    /// venue knows it yet.
    pub(crate) since: Option<Timestamp>,
    /// Whether this run has just ordered its deletion, and it was not refused.
    pub(crate) revoked: bool,
    /// Whether the venue has answered that it is deleted.
    pub(crate) deleted: bool,
    /// Whether the same host accepted another credential before it rejected this one. The list that comes
    /// after shows that it does so still: a host's name may come to mean another one in between.
    pub(crate) controlled: bool,
}

/// Asks a key itself whether it is alive.
pub(crate) async fn asked(
    pass: &Pass<'_>,
    venue: &dyn Venue,
    value: &SecretValue,
) -> Result<KeyState, VenueError> {
    let signer = Signer {
        whose: Whose::Replaced,
        credential: value.credential.clone(),
    };
    pass.turn(venue).await;
    venue.ask(&signer).await
}

/// What a key's own answer proves, with the account's list, which also shows that the host accepts another
/// credential.
pub(crate) async fn life(
    pass: &Pass<'_>,
    access: &AccountAccess<'_>,
    key: &KeyId,
    answer: &Result<KeyState, VenueError>,
    known: Known,
) -> Result<Life, Error> {
    if answer.is_ok() {
        return Ok(Life::Alive);
    }
    let list = listed(pass, access).await?;
    Ok(judged(pass, access.venue, key, answer, &list, known))
}

/// The same with a list that is there.
pub(crate) fn judged(
    pass: &Pass<'_>,
    venue: &dyn Venue,
    key: &KeyId,
    answer: &Result<KeyState, VenueError>,
    list: &KeyList,
    known: Known,
) -> Life {
    let Err(error) = answer else { return Life::Alive };
    if shows_alive(list, key) {
        return Life::Alive;
    }
    let propagation = SignedDuration::try_from(venue.facts().propagation).unwrap_or(SignedDuration::MAX);
    let young = known
        .since
        .is_none_or(|since| pass.now().duration_since(since) < propagation);
    if young && !known.revoked {
        return Life::Unknown;
    }
    // Where the key is bound to other addresses, or its secret is another's, nothing but the value says on
    // whose list it should be.
    match error.class {
        ErrorClass::Rejected if known.controlled || known.revoked || wrong::is(Wrong::NoControl) => {
            Life::Dead
        }
        // It was just deleted, and is in the list no more: such a refusal can only mean that.
        ErrorClass::Unexplained if known.deleted || wrong::is(Wrong::UnexplainedIsDeath) => Life::Dead,
        ErrorClass::Denied if wrong::is(Wrong::DeniedIsDeath) => Life::Dead,
        _ if wrong::is(Wrong::SilenceIsDeath) => Life::Dead,
        _ => Life::Unknown,
    }
}

pub(crate) async fn listed(pass: &Pass<'_>, access: &AccountAccess<'_>) -> Result<KeyList, Error> {
    pass.turn_of(access.venue, &access.master).await;
    access.list().await
}

pub(crate) fn shows_alive(list: &KeyList, key: &KeyId) -> bool {
    list.keys
        .iter()
        .any(|listed| listed.key_id == *key && !listed.expired)
}
