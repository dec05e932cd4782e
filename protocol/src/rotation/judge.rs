//! Whether a pending key is what it was to be: alive, on the right account, able to do what it must and
//! nothing it must not.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::evidence::Evidence;
use super::run::Run;
use super::wrong::{self, Wrong};
use crate::bounds::{LAST_MOMENT, POLL_PAUSE};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::ports::{Asking, Description, KeyState, Signer, Venue, VenueError, Which, Whose};
use crate::secret::{AccountId, Address, Addresses, SecretValue};
use crate::session::{venue_error, was_current};
use crate::step::Step;

/// So often a step asks a key that is not accepted, where more could lock the caller's address out.
const FEW_ATTEMPTS: u32 = 3;

/// Why consumers may hold a key.
pub(super) enum InUse {
    /// A version that is current, or was, names it.
    Named,
    /// This version is current, or was, and cannot be read.
    Unreadable(VersionId),
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => f.write_str(
                "its key has been in use, and whoever uses it still would be shut out if it were asked here: \
                 make a new key at the venue",
            ),
            Self::Unreadable(version) => write!(
                f,
                "version {version}, which is current or was, cannot be read, so that its key may be in use, \
                 and whoever uses that would be shut out if it were asked here. Where you know that it is \
                 another key, take AWSPREVIOUS and the REPLACED stamp off that version; where it is current, \
                 store a value that can be read"
            ),
        }
    }
}

impl Run<'_> {
    /// Until when a step waits for what was changed at the venue to be known everywhere, so that `then` is
    /// left of the invocation.
    pub(super) fn settled_by(&self, venue: &dyn Venue, then: Duration) -> Timestamp {
        let left = self.session.time_left().saturating_sub(then + POLL_PAUSE);
        self.session.now() + venue.facts().settling.min(left)
    }

    /// Asks the venue with the pending key itself. While the key is so young that the venue may not know it
    /// everywhere yet, a rejection is not believed at once.
    pub(super) async fn inspect_pending(
        &self,
        venue: &dyn Venue,
        value: &SecretValue,
    ) -> Result<KeyState, VenueError> {
        let signer = Signer {
            whose: Whose::Pending,
            credential: value.credential.clone(),
        };
        let until = self.settled_by(venue, LAST_MOMENT);
        // Where keys that are not accepted lock the address out, few attempts share the time.
        let is_counted = venue.facts().asking == Asking::LocksOut && !wrong::is(Wrong::AskedIntoLockout);
        let (most, pause) = if is_counted {
            let left = until.duration_since(self.session.now());
            let share = Duration::try_from(left).unwrap_or_default() / FEW_ATTEMPTS;
            (FEW_ATTEMPTS, POLL_PAUSE.max(share))
        } else {
            (u32::MAX, POLL_PAUSE)
        };
        let mut attempt = 1;
        loop {
            match venue.ask(&signer).await {
                Err(error)
                    if error.class.may_mean_not_yet()
                        && self.is_young(venue, value)
                        && self.session.now() < until
                        && attempt < most =>
                {
                    tracing::info!(%error, "the pending key is not known yet: asking again");
                }
                answer => return answer,
            }
            attempt += 1;
            self.session.ports.time.sleep(pause).await;
        }
    }

    /// Whether a rejection may still mean "not yet". A time in the future never counts as past.
    pub(super) fn is_young(&self, venue: &dyn Venue, value: &SecretValue) -> bool {
        let age = value
            .created_at
            .map(|created_at| self.session.now().duration_since(created_at));
        age.is_some_and(|age| age < signed(venue.facts().propagation))
            && !wrong::is(Wrong::YoungRejectionIsDeath)
    }

    /// Why a key must not be asked: consumers may hold it, since a version that is current, or was, names it
    /// or cannot be read. So it is with the pending version of the service's own dry run.
    pub(super) async fn in_use(
        &self,
        venue: &dyn Venue,
        description: &Description,
        value: &SecretValue,
    ) -> Result<Option<InUse>, Error> {
        if venue.facts().asking == Asking::Free {
            return Ok(None);
        }
        let mut unreadable = None;
        let been =
            |version: &&VersionId| description.is_current(version) || was_current(description, version);
        for version in description.versions.keys().filter(been) {
            let stored = self.session.read(Which::Version(version)).await?;
            let key = &value.credential.key_id;
            match stored {
                Some(stored) if stored.surely_names(key) => return Ok(Some(InUse::Named)),
                Some(stored) if !stored.may_name(key) => {}
                // What is not shown may be shown by the next read.
                Some(_) | None => unreadable = Some(InUse::Unreadable(version.clone())),
            }
        }
        Ok(unreadable)
    }

    /// The verdict of testSecret and finishSecret.
    pub(super) async fn prove(&self, venue: &dyn Venue, value: &SecretValue) -> Result<(), Error> {
        if wrong::is(Wrong::NoLastLook) && self.request.step == Step::Finish {
            return Ok(());
        }
        let mut state = self
            .inspect_pending(venue, value)
            .await
            .map_err(|error| venue_error(&error))?;
        let rotation = value.rotation.as_ref();
        if let Some(rotation) = rotation.filter(|rotation| rotation.is_of_another(&state.account))
            && !wrong::is(Wrong::AccountUnchecked)
        {
            let account = AccountId::new(&rotation.account);
            return Err(self.of_another_account(venue, value, &account, &state));
        }
        let recorded = rotation.map(|rotation| AccountId::new(&rotation.account));
        let known: BTreeSet<AccountId> = [recorded, value.subaccount.clone()]
            .into_iter()
            .flatten()
            .collect();
        for account in known {
            let key = &value.credential.key_id;
            let evidence = Evidence::of(self, venue, value, &account, (key, state)).await?;
            if evidence.belongs == Some(false) && !wrong::is(Wrong::AccountUnchecked) {
                return Err(self.of_another_account(venue, value, &account, &evidence.state));
            }
            state = evidence.state;
        }
        judge(&state, value)
    }

    /// ACCOUNT_MISMATCH; VENUE_UNAVAILABLE where the account's list may be behind.
    fn of_another_account(
        &self,
        venue: &dyn Venue,
        value: &SecretValue,
        account: &AccountId,
        state: &KeyState,
    ) -> Error {
        if let Some(own) = state.account.named() {
            let problem =
                format!("the pending key belongs to account {own}, and the secret stands for {account}");
            return Error::new(ErrorType::AccountMismatch, problem);
        }
        let is_other = value
            .rotation
            .as_ref()
            .is_some_and(|rotation| rotation.is_of_another(&state.account));
        let error_type = if self.is_young(venue, value) && !is_other {
            ErrorType::VenueUnavailable
        } else {
            ErrorType::AccountMismatch
        };
        let problem = format!(
            "the pending key answers, and the keys of account {account}, for which the secret stands, do not \
             include it: nothing shows that it belongs there. A list may be behind: the step can be repeated"
        );
        Error::new(error_type, problem)
    }
}

/// # Errors
/// The first thing that is not as it must be.
fn judge(state: &KeyState, value: &SecretValue) -> Result<(), Error> {
    let too_powerful = |what: String| {
        let problem = format!(
            "the pending key may do what it must not: {what}. Repeating the rotation takes it away where \
             the key was issued by us; a person has to take it from a key made by hand"
        );
        Error::new(ErrorType::PendingTooPowerful, problem)
    };
    let too_weak = |what: String| {
        let problem = format!(
            "the pending key may not do what it must: {what}. Repeating the rotation grants it where the \
             key was issued by us; a person has to grant it to a key made by hand"
        );
        Error::new(ErrorType::PendingTooWeak, problem)
    };
    let Some(rotation) = &value.rotation else {
        let forbidden = state.powers.forbidden();
        return if forbidden.is_empty() {
            Ok(())
        } else {
            Err(too_powerful(forbidden.join(", ")))
        };
    };
    let beyond = state.powers.beyond(&rotation.permissions);
    if !beyond.is_empty() {
        return Err(too_powerful(beyond.join(", ")));
    }
    let lacks = state.powers.lacks(&rotation.permissions);
    if !lacks.is_empty() {
        return Err(too_weak(lacks.join(", ")));
    }
    let Some(held) = state.addresses.exact() else {
        // Who may be used from anywhere has nothing to prove.
        return if rotation.ip_allowlist == Addresses::Any || wrong::is(Wrong::UntoldAgreed) {
            Ok(())
        } else {
            Err(too_powerful(format!(
                "be used from {}, where {} was meant",
                state.addresses, rotation.ip_allowlist
            )))
        };
    };
    if !held.within(&rotation.ip_allowlist) {
        return Err(too_powerful(format!(
            "be used from {held}, where {} was meant",
            rotation.ip_allowlist
        )));
    }
    if !rotation.ip_allowlist.within(held) {
        return Err(too_weak(format!(
            "be used from {}, only from {}",
            rotation.ip_allowlist, held
        )));
    }
    Ok(())
}

/// The addresses beyond a policy's and the function's own, in words; `None` where there are none.
pub(super) fn beyond_addresses(
    held: &Addresses,
    policy: &Addresses,
    egress: &BTreeSet<Address>,
) -> Option<String> {
    let allowed = match policy {
        Addresses::Any => return None,
        Addresses::Only(addresses) => addresses,
    };
    let Addresses::Only(held) = held else {
        return Some("anywhere".into());
    };
    let beyond: Vec<&str> = held
        .iter()
        .filter(|a| !allowed.contains(a) && !egress.contains(a))
        .map(Address::as_str)
        .collect();
    (!beyond.is_empty()).then(|| beyond.join(", "))
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
