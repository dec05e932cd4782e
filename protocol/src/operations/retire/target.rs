//! Whom to ask for the end of a key, and what shows that the key is the version's own.

use jiff::Timestamp;

use crate::error::Error;
use crate::label::VersionId;
use crate::operations::maintain::current::Current;
use crate::operations::pass::Pass;
use crate::operations::pass::holders::Holders;
use crate::operations::retire::grace::Origin;
use crate::operations::retire::liveness::listed;
use crate::ports::{Description, ErrorClass, KeyList, KeyState, Venue, VenueError};
use crate::secret::{AccountId, KeyId};
use crate::session::{AccountAccess, Master};

/// Whom to ask for the end of a key, as far as that is known before the key itself was asked.
pub(super) struct RevocationTarget<'a> {
    pub(super) venue: &'a dyn Venue,
    pub(super) master: Master,
    pub(super) account: Option<AccountId>,
    pub(super) current: Option<&'a Current>,
    pub(super) holders: &'a Holders,
    /// Until when it stays alive if it turns out that it was made by hand.
    pub(super) in_grace_by_hand: Option<Timestamp>,
}

impl<'a> RevocationTarget<'a> {
    /// The account's keys: where the key was rejected, as they are after that.
    pub(super) async fn list(
        &self,
        pass: &Pass<'_>,
        access: &AccountAccess<'_>,
        answer: &Result<KeyState, VenueError>,
    ) -> Result<KeyList, Error> {
        let known = self
            .current
            .filter(|current| current.account().as_ref() == Some(&access.account) && answer.is_ok());
        match known
            .filter(|current| current.venue.id() == access.venue.id())
            .and_then(Current::list)
        {
            Some(list) => Ok(list.clone()),
            None => listed(pass, access).await,
        }
    }

    /// Takes the answers of the current key and of this one for proofs of the account.
    pub(super) fn prove(
        &self,
        access: &mut AccountAccess<'_>,
        key: &KeyId,
        answer: &Result<KeyState, VenueError>,
        list: Option<&KeyList>,
    ) {
        let Some(list) = list else { return };
        if let Some(current) = self.current {
            current.prove(access, list);
        }
        if let Ok(state) = answer {
            access.take_for_proof(key, state, list);
        }
    }

    /// Whether the version has the key itself: the account's list shows that it was issued for this very
    /// version, or the venue accepts its credential, and the list does not show that it was issued for
    /// another secret. Who has a key's id has not the key.
    pub(super) fn has(
        &self,
        description: &Description,
        version: &VersionId,
        key: &KeyId,
        answer: &Result<KeyState, VenueError>,
        list: Option<&KeyList>,
    ) -> bool {
        let listed = list.and_then(|list| list.key(key));
        let marker = listed.and_then(|listed| listed.marker.as_ref());
        let origin = Origin::of(description, Some(version), key, list);
        let is_anothers =
            !origin.is_issued() && marker.is_some_and(|marker| self.holders.issued_for_one(marker));
        let is_mismatched = answer
            .as_ref()
            .is_err_and(|error| error.class == ErrorClass::Mismatched);
        origin == Origin::IssuedForIt && !is_mismatched || answer.is_ok() && !is_anothers
    }

    /// The access to the account that the key belongs to: its own answer tells best.
    pub(super) fn access(
        &self,
        secret: &Description,
        answer: &Result<KeyState, VenueError>,
    ) -> Option<AccountAccess<'a>> {
        let own = answer
            .as_ref()
            .ok()
            .and_then(|state| state.account.named().cloned());
        let account = own.or_else(|| self.account.clone())?;
        Some(AccountAccess::new(
            self.venue,
            self.master.clone(),
            account,
            secret,
        ))
    }
}
