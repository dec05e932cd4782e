//! What it proves that the venue rejects the current key.
//! `mod.rs` has the key and asks what its rejection proves; the proof needs the key. So each needs the other.

use jiff::SignedDuration;

use crate::error::Error;
use crate::label::{Label, VersionId};
use crate::operations::maintain::current::{Current, NEAREST};
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::operations::retire::end_of_life::created_by_us;
use crate::ports::{Description, ErrorClass, Signer, Which, Whose};
use crate::session::venue_of;

/// What it means that the venue rejects the current key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// Nothing yet: the key is young, or something could not be read.
    Unproven,
    /// Nothing: the host has accepted no other credential.
    Uncontrolled,
    /// The key is dead.
    Dead,
    /// The key is there, and its secret is another.
    Unusable,
    /// It does not work, and nobody knows how old it is.
    OfUnknownAge,
}

impl SecretVisit<'_> {
    /// What a rejection of the current key proves, by rule 7: the same host has to have accepted another
    /// credential, and the key has to be so old that everybody at the venue knows it.
    pub(super) async fn rejection(
        &self,
        description: &Description,
        current: &Current,
        class: ErrorClass,
    ) -> Result<Rejection, Error> {
        let key = &current.value.credential.key_id;
        let account = current
            .master
            .as_ref()
            .ok()
            .and_then(|(_, account)| account.as_ref());
        let listed = account
            .iter()
            .flat_map(|(_, list)| &list.keys)
            .find(|listed| listed.key_id == *key);
        let propagation =
            SignedDuration::try_from(current.venue.facts().propagation).unwrap_or(SignedDuration::MAX);
        let made = match listed {
            Some(listed) => Some(listed.created_at),
            // The account's list tells nothing of it, as of one that was deleted: its value may say since
            // when it was there.
            None if current.master.is_ok() => current.value.created_at,
            None => created_by_us(&current.value, &current.version),
        };
        let stored = if made.is_some() || current.master.is_ok() {
            made
        } else {
            self.stored_at(&current.version).await?
        };
        if stored.is_some_and(|stored| self.pass.now().duration_since(stored) < propagation) {
            return Ok(Rejection::Unproven);
        }
        if !current.host_has_accepted_master() && !self.is_another_accepted(description, current).await {
            return Ok(Rejection::Uncontrolled);
        }
        Ok(match (made, listed) {
            (_, Some(listed)) if !listed.expired => Rejection::Unusable,
            _ if class == ErrorClass::Mismatched => Rejection::Unusable,
            (Some(_), _) => Rejection::Dead,
            (None, _) => Rejection::OfUnknownAge,
        })
    }

    /// Whether the host accepts another credential now: one of another version's, or one that it has accepted
    /// for another secret.
    async fn is_another_accepted(&self, description: &Description, current: &Current) -> bool {
        let venue = current.venue.as_ref();
        let mut versions: Vec<&VersionId> = description
            .versions
            .keys()
            .filter(|version| **version != current.version)
            .collect();
        versions.sort_by_key(|version| !description.bears(version, &Label::previous()));
        let mut others = Vec::new();
        for version in versions.into_iter().take(NEAREST) {
            // One that cannot be read is no control; another may be.
            let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await;
            let Some(value) = stored.ok().flatten().and_then(|stored| stored.value().ok()) else {
                continue;
            };
            if venue_of(self.pass.ports, description, &value).is_ok_and(|other| other.id() == venue.id()) {
                others.push(Signer {
                    whose: Whose::Replaced,
                    credential: value.credential,
                });
            }
        }
        others.extend(self.pass.accepted_at(venue.id()));
        for other in others
            .iter()
            .filter(|other| other.credential.key_id != current.value.credential.key_id)
        {
            self.pass.turn(venue).await;
            if venue.ask(other).await.is_ok() {
                return true;
            }
        }
        false
    }
}
