//! A key that nothing shows to be this secret's: it is not revoked. It is proven dead, or a person ends it.

use jiff::Timestamp;

use crate::error::Error;
use crate::label::{Label, VersionId};
use crate::operations::Mode;
use crate::operations::answer::Code;
use crate::operations::commands::describe_secret;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::Holders;
use crate::operations::retire::end_of_life::EndOfLife;
use crate::operations::retire::liveness::{Known, Life, asked, judged, listed};
use crate::operations::retire::revoke::named_by;
use crate::ports::{Description, ErrorClass, KeyState, VenueError};
use crate::secret::SecretValue;
use crate::session::{AccountAccess, venue_error};

impl SecretVisit<'_> {
    /// What nothing shows to be this secret's key is not revoked: it is proven dead, or a person ends it.
    pub(super) async fn leave(
        &mut self,
        description: &Description,
        (access, holders): (&AccountAccess<'_>, &Holders),
        version: &VersionId,
        value: &SecretValue,
        answer: Result<KeyState, VenueError>,
        known: Known,
    ) -> Result<bool, Error> {
        let (pass, key) = (self.pass, &value.credential.key_id);
        let why = match answer {
            Err(error) if error.class == ErrorClass::Rejected => {
                let answer = asked(pass, access.venue, value).await;
                let list = listed(pass, access).await?;
                // A key is there before it is stored.
                let since = known
                    .since
                    .into_iter()
                    .chain(self.surely_stored_at(description, version).await?)
                    .min();
                if judged(pass, access.venue, key, &answer, &list, Known { since, ..known }) == Life::Dead {
                    self.proven_dead(version, key);
                    return Ok(true);
                }
                let (yet, what_to_do) = if access.venue.asks_masters_elsewhere() {
                    let by_hand = format!(
                        "if you have deleted it at the venue, take the version's labels off, which are \
                         shown by: {}; else delete it there first",
                        describe_secret(&self.name)
                    );
                    (
                        "and no pass can prove that it is dead: the master is asked at another host",
                        by_hand,
                    )
                } else {
                    let again = "nothing: the next pass looks again".to_owned();
                    ("which does not prove yet that it is dead", again)
                };
                let say = format!("{key} of version {version} was rejected, {yet}");
                self.find(Code::NotProvenDead, say, what_to_do);
                return Ok(false);
            }
            Err(error) if error.class == ErrorClass::Unexplained => format!(
                "the venue refuses it, and does not tell whether it is dead or may not be used from here \
                 ({error})"
            ),
            Err(error) if !is_definite(error.class) => return Err(venue_error(&error)),
            Err(error) => format!("the venue does not accept its credential as it is stored ({error})"),
            Ok(_) => "it was issued for another secret".to_owned(),
        };
        let say = format!(
            "{key} of version {version} is not revoked, since nothing proves that it is this secret's: {why}"
        );
        let by_hand = format!(
            "where it is this secret's, delete it at the venue; then take the version's labels off, which \
             are shown by: {}",
            describe_secret(&self.name)
        );
        let is_ordered = self.order == Some(Mode::RevokeFirst) && named_by(self.pass.request).is_none();
        let what_to_do = match holders.current_elsewhere(&self.name, key) {
            Some(other) => format!("it is the current key of {other}: give the order there; or, {by_hand}"),
            None if is_ordered && holders.are_all_known() => {
                format!(
                    "to have it deleted all the same, name the key itself: {}; or, {by_hand}",
                    self.order_for_key(version, key)
                )
            }
            None => by_hand,
        };
        self.leave_to_person(Code::GraceOverrun, say, what_to_do);
        Ok(false)
    }

    /// When a version's value was there at the latest. A version that a rotation began is made before its
    /// value, and a hand may store one in it later: of one that is pending nothing tells when, and of one
    /// that was given up the stamp does.
    pub(crate) async fn surely_stored_at(
        &self,
        description: &Description,
        version: &VersionId,
    ) -> Result<Option<Timestamp>, Error> {
        if description.bears(version, &Label::pending()) {
            return Ok(None);
        }
        let given_up = EndOfLife::of(description, version).condemned;
        Ok(self
            .stored_at(version)
            .await?
            .map(|made| given_up.map_or(made, |given_up| made.max(given_up))))
    }
}

/// Whether a rejection aside an answer is a definite one.
fn is_definite(class: ErrorClass) -> bool {
    matches!(
        class,
        ErrorClass::Mismatched | ErrorClass::Denied | ErrorClass::Refused | ErrorClass::Impossible
    )
}
