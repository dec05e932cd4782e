//! The current key, and what the venue says of it.

mod around;
mod leaked;
pub(super) mod overwritten;
mod rejection;

use std::sync::Arc;

use futures_util::future::join;
use jiff::Timestamp;

use crate::error::Error;
use crate::label::VersionId;
use crate::operations::answer::Code;
use crate::operations::commands::{put_right, replace};
use crate::operations::faults::{Answering, faults};
use crate::operations::maintain::current::rejection::Rejection;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::operations::retire::liveness::{asked, listed, shows_alive};
use crate::ports::{
    Description, ErrorClass, KeyList, KeyState, Signer, StoredValue, Venue, VenueError, Which, Whose,
};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::session::{AccountAccess, Master, has_master, venue_error, venue_of};

/// So many of the versions that were made next to a certain time are read to find the one that was made then.
const NEAREST: usize = 3;

/// The current value, with what the venue says of its key.
pub(crate) struct Current {
    pub(crate) version: VersionId,
    pub(crate) value: SecretValue,
    pub(crate) venue: Arc<dyn Venue>,
    pub(crate) state: Result<KeyState, VenueError>,
    /// When it was asked.
    pub(crate) at: Timestamp,
    /// The master credential, which the venue has accepted; with the account's keys, where the account is
    /// known.
    pub(crate) master: Result<(Master, Option<(AccountId, KeyList)>), Error>,
}

impl Current {
    /// The current key, where it is known to be alive.
    pub(crate) fn alive(&self) -> Option<&KeyId> {
        self.state.is_ok().then_some(&self.value.credential.key_id)
    }

    /// Whether the host has accepted a credential of this secret's: the current key, or the master.
    pub(crate) fn has_accepted_one(&self) -> bool {
        self.host_has_accepted_master() || self.alive().is_some()
    }

    /// Whether the host that keys are asked at has accepted the master.
    pub(super) fn host_has_accepted_master(&self) -> bool {
        self.master.is_ok() && !self.venue.asks_masters_elsewhere()
    }

    /// Whom to ask about the keys of the secret's account, with a list of them; the current key's own answer
    /// is a proof.
    pub(crate) fn access(&self, description: &Description) -> Option<(AccountAccess<'_>, &KeyList)> {
        let (master, Some((account, list))) = self.master.as_ref().ok()? else {
            return None;
        };
        let mut access =
            AccountAccess::new(self.venue.as_ref(), master.clone(), account.clone(), description);
        self.prove(&mut access, list);
        Some((access, list))
    }

    /// Takes the current key's own answer for a proof.
    pub(crate) fn prove(&self, access: &mut AccountAccess<'_>, list: &KeyList) {
        if let Ok(state) = &self.state
            && self.venue.id() == access.venue.id()
        {
            access.take_for_proof(&self.value.credential.key_id, state, list);
        }
    }

    /// The account's keys, as far as they are known.
    pub(crate) fn list(&self) -> Option<&KeyList> {
        self.master.as_ref().ok()?.1.as_ref().map(|(_, list)| list)
    }

    /// The account that the secret stands for, as far as it is known.
    pub(crate) fn account(&self) -> Option<AccountId> {
        stands_for(&self.state, &self.value)
    }
}

impl SecretVisit<'_> {
    /// Judges the current key and whatever its secret shows beside it.
    pub(crate) async fn verify(&mut self, description: &Description, current: &Current) {
        let dead = self.judge(description, current).await;
        let soaked = self.act_on_rejection(description, current, dead).await;
        self.note(soaked);
        self.look_at_master(description, current).await;
        if self.judge_around(description, current).await {
            let begun = self.replace_what_is_leaked(description, current).await;
            self.note(begun);
        }
    }

    pub(crate) async fn current(&mut self, description: &Description) -> Result<Option<Current>, Error> {
        let Some(StoredValue { version, text }) =
            with_retries(self.pass, || self.session.read(Which::Current)).await?
        else {
            self.find(
                Code::ValueInvalid,
                "the secret has no current value that could be read",
                put_right(&self.name),
            );
            return Ok(None);
        };
        let value = match SecretValue::parse(&text) {
            Ok(value) => value,
            Err(error) => {
                let say = format!("the current value cannot be used: {error}");
                self.find(Code::ValueInvalid, say, put_right(&self.name));
                return Ok(None);
            }
        };
        let venue = venue_of(self.pass.ports, description, &value)?;
        let signer = Signer {
            whose: Whose::Current,
            credential: value.credential.clone(),
        };
        self.pass.turn(venue.as_ref()).await;
        let at = self.pass.now();
        let (state, master) = join(venue.ask(&signer), self.pass.master(venue.as_ref(), &value)).await;
        if state.is_ok() {
            self.pass.note_accepted(venue.id(), signer.clone());
        }
        let account = stands_for(&state, &value);
        if let Some(account) = &account {
            self.session.stands_for(account);
        }
        let master = match (master, account) {
            (Ok(master), Some(account)) => {
                let access = AccountAccess::new(venue.as_ref(), master.clone(), account.clone(), description);
                listed(self.pass, &access)
                    .await
                    .map(|list| (master, Some((account, list))))
            }
            (Ok(master), None) => {
                self.pass.turn_of(venue.as_ref(), &master).await;
                let accepted = venue
                    .ask(&master.signer)
                    .await
                    .map_err(|error| venue_error(&error));
                accepted.map(|_| (master, None))
            }
            (Err(error), _) => Err(error),
        };
        Ok(Some(Current {
            version,
            value,
            venue,
            state,
            at,
            master,
        }))
    }

    /// What is wrong with the current key; whether it is definitely dead.
    pub(crate) async fn judge(&mut self, description: &Description, current: &Current) -> bool {
        let Current {
            version,
            value,
            state,
            ..
        } = current;
        let key = &value.credential.key_id;
        if self
            .is_overwritten(description, current)
            .await
            .unwrap_or_else(|error| {
                self.trouble(&error);
                false
            })
        {
            let say = "the current value was not made by this function, though one before it was: a hand, \
                       or infrastructure code that carries the value, put a key back";
            self.find(
                Code::CurrentOverwritten,
                say,
                replace(&self.name, current.venue.as_ref(), value),
            );
        }
        match state {
            Ok(state) => {
                self.key_at(current.at, version, key, Some(true), "current".to_owned());
                let answering = Answering {
                    venue: current.venue.as_ref(),
                    value,
                    state,
                    list: current.list(),
                };
                self.findings.extend(faults(self.pass, description, answering));
                false
            }
            Err(error) if error.class.is_rejection() => {
                let rejection = self
                    .rejection(description, current, error.class)
                    .await
                    .unwrap_or_else(|error| {
                        self.trouble(&error);
                        Rejection::Unproven
                    });
                let alive = match rejection {
                    Rejection::Dead => Some(false),
                    Rejection::Unusable
                    | Rejection::OfUnknownAge
                    | Rejection::Unproven
                    | Rejection::Uncontrolled => None,
                };
                self.key(version, key, alive, format!("current; {error}"));
                // Where no master is asked at the key's host, nothing may ever control it.
                let is_alone =
                    !has_master(current.venue.as_ref(), value) || current.venue.asks_masters_elsewhere();
                if rejection == Rejection::Uncontrolled && is_alone {
                    let say = format!(
                        "the current key was rejected, and no other credential was accepted by which that \
                         would be proven: {error}"
                    );
                    let what_to_do = format!(
                        "look at the key at the venue; where it is dead: {}",
                        replace(&self.name, current.venue.as_ref(), value)
                    );
                    self.find(Code::CurrentSuspect, say, what_to_do);
                } else if matches!(rejection, Rejection::Unproven | Rejection::Uncontrolled) {
                    let say = format!("the current key was rejected, which proves nothing yet: {error}");
                    self.find(Code::CurrentUnchecked, say, "nothing: the next pass looks again");
                }
                !matches!(rejection, Rejection::Unproven | Rejection::Uncontrolled)
            }
            Err(error) if error.class == ErrorClass::Denied => {
                self.key(version, key, None, format!("current; {error}"));
                let say = format!("the current key may not be used by this function: {error}");
                let what_to_do = format!(
                    "where its addresses are the reason: {}; else as the venue's words say",
                    replace(&self.name, current.venue.as_ref(), value)
                );
                self.find(Code::CurrentDenied, say, what_to_do);
                false
            }
            // Whether it lives cannot be watched there.
            Err(error) if error.class == ErrorClass::NotAsked => {
                self.key(version, key, None, format!("current; {error}"));
                false
            }
            Err(error) if error.class == ErrorClass::Unexplained => {
                self.key(version, key, None, format!("current; {error}"));
                self.tell_of_unexplained_refusal(current, error);
                false
            }
            Err(error) => {
                self.key(version, key, None, format!("current; {error}"));
                self.find(
                    Code::CurrentUnchecked,
                    format!("the current key could not be asked: {error}"),
                    "nothing, unless this lasts",
                );
                false
            }
        }
    }

    /// The venue refuses the current key and does not say why: what the account's list shows is all that is
    /// known.
    fn tell_of_unexplained_refusal(&mut self, current: &Current, error: &VenueError) {
        let value = &current.value;
        let replacing = replace(&self.name, current.venue.as_ref(), value);
        let is_listed = current
            .list()
            .map(|list| shows_alive(list, &value.credential.key_id));
        if is_listed == Some(true) {
            let say = format!(
                "the current key is alive, since its account's list shows it, and this function may not use \
                 it; whether its addresses or its permissions are the reason the venue does not tell: {error}"
            );
            self.find(
                Code::CurrentDenied,
                say,
                format!(
                    "look at the key's addresses and permissions at the venue; where they are the reason: \
                     {replacing}"
                ),
            );
            return;
        }
        let unlisted = if is_listed.is_some() {
            ", and its account's list does not show it"
        } else {
            ""
        };
        let say = format!(
            "the venue refuses the current key{unlisted}, and does not tell whether it is dead or may not be \
             used from here: {error}"
        );
        let what_to_do = format!("look at the key at the venue; where it is dead: {replacing}");
        self.find(Code::CurrentSuspect, say, what_to_do);
    }

    /// Whether the host that has accepted a credential of this secret's does so still.
    pub(crate) async fn is_one_accepted_still(&self, current: &Current) -> bool {
        match &current.master {
            Ok((master, Some((account, _))))
                if current.alive().is_none() && current.host_has_accepted_master() =>
            {
                self.pass.turn_of(current.venue.as_ref(), master).await;
                current.venue.list(&master.signer, account).await.is_ok()
            }
            _ => asked(self.pass, current.venue.as_ref(), &current.value)
                .await
                .is_ok(),
        }
    }

    /// When a version was made, at the earliest: its value, and the key in it, may have come later.
    pub(crate) async fn stored_at(&self, version: &VersionId) -> Result<Option<Timestamp>, Error> {
        let versions = with_retries(self.pass, || self.session.versions()).await?;
        Ok(versions
            .into_iter()
            .find(|listed| listed.id == *version)
            .and_then(|listed| listed.created_at))
    }
}

/// The account whose keys are to be looked at: the current key's own, where it answers. A value that names
/// another is found to be wrong, and what was issued on the key's account is looked after all the same.
fn stands_for(state: &Result<KeyState, VenueError>, value: &SecretValue) -> Option<AccountId> {
    state
        .as_ref()
        .ok()
        .and_then(|state| state.account.named().cloned())
        .or_else(|| value.account())
}
