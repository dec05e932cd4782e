//! setSecret: the token's value is fixed for ever, so make the venue agree with it.

use futures_util::future::join;
use jiff::Timestamp;

use super::giving_up::{Doubt, judged_from_store};
use super::issue::settled;
use super::run::{Run, parse};
use super::standing::Opening;
use super::wrong::{self, Wrong};
use super::{Done, authority};
use crate::bounds::{LAST_MOMENT, POLL_PAUSE, after};
use crate::error::{Error, ErrorType};
use crate::marker::Marker;
use crate::ports::{ErrorClass, Grant, KeyList, ListedKey, Signer, Venue, Whose};
use crate::secret::{AccountId, Credential, KeyId, Provenance, SecretValue, Source};
use crate::session::{AccountAccess, Act, has_master, master_of, venue_error, venue_of};

pub(super) async fn set(run: &Run<'_>) -> Result<Done, Error> {
    let Some(Opening {
        description,
        pending,
        current,
    }) = run.open().await?
    else {
        return Ok(Done::AlreadyCurrent);
    };
    let stored = run.pending(pending).await?;
    let current = current?.filter(|current| description.is_current(&current.version));
    let Some(current) = current else {
        let problem =
            "the current value could not be read, or two reads disagree about it: the step can be repeated";
        return Err(Error::new(ErrorType::StoreUnavailable, problem));
    };
    let in_use = parse(&current)?.credential;
    // Condemning is left to createSecret, with which every replay begins.
    let (value, provenance) =
        judged_from_store(&description, &current.version, Some(&in_use.key_id), &stored)
            .map_err(Doubt::into_error)?;
    if let Some(doubt) = run.out_of_reach(&provenance) {
        return Err(doubt.into_error());
    }
    if let Some(doubt) = run.leaked(&description, &value, &provenance).await? {
        return Err(doubt.into_error());
    }
    run.session.stands_for(&AccountId::new(&provenance.account));
    let venue = venue_of(run.session.ports, &description, &value)?;
    if let Some(doubt) = run.used(venue.as_ref(), &description, &value).await? {
        return Err(doubt.into_error());
    }
    if provenance.source != Source::Issued && !has_master(venue.as_ref(), &value) {
        // A person's key at a venue where nothing is issued: there is no one to ask but the key itself.
        let in_use = current_signer(&in_use);
        let control = Control::current(venue.as_ref(), &in_use, None).await;
        alone(run, venue.as_ref(), &value, &provenance, control).await?;
        return Ok(Done::Agreed);
    }
    let master = master_of(run.session.ports, venue.as_ref(), &value).await?;
    let mut access = AccountAccess::new(
        venue.as_ref(),
        master,
        AccountId::new(&provenance.account),
        &description,
    );
    let (list, ()) = join(access.list(), run.session.tidy(&description)).await;
    let mut list = list?;
    let ours = Marker::new(&description.arn, run.token(), 0);
    if list.key(&value.credential.key_id).is_none() {
        if wrong::is(Wrong::AbsenceIsDeath) {
            return Err(run.give_up("its key is in no list").await);
        }
        // The list itself is the control, where the same host has just accepted the master credential.
        let signer = current_signer(&in_use);
        let control = if venue.asks_masters_elsewhere() {
            Control::current(venue.as_ref(), &signer, Some(&access)).await
        } else {
            Some(Control::Master(&access))
        };
        // What does not name its account has to be listed.
        let names_its_account = alone(run, venue.as_ref(), &value, &provenance, control).await?;
        list = match list_that_shows(run, &access, &value.credential.key_id).await {
            // A person's key may be of a kind that is not listed; the current key shows that the list is of
            // the right account.
            Err(error)
                if provenance.source != Source::Issued
                    && list.key(&in_use.key_id).is_some()
                    && names_its_account =>
            {
                tracing::warn!(%error, "the person's key is in no list: it is judged by itself alone");
                list
            }
            listed => listed?,
        };
    }
    let keep = [&value.credential.key_id, &in_use.key_id];
    let pending = list.key(&value.credential.key_id);
    let is_done =
        pending.is_none_or(|key| agrees(key, &provenance)) && the_rest(&list, &ours, keep).next().is_none();
    let grant = granted(&value, &provenance);
    if !is_done && access.needs_proof(Act::Have(&grant, &run.settings.egress)) {
        authority::ask_keys(run, &description, &[], None, &mut access, &list).await;
    }
    if let Some(key) = pending {
        if key.expired {
            return Err(run.give_up("its key has expired at the venue").await);
        }
        bring_to_policy(run, &access, key, &value, &provenance, &ours).await?;
    }
    if !wrong::is(Wrong::LosersKept) {
        revoke_the_rest(run, &access, &list, &ours, keep).await?;
    }
    Ok(Done::Agreed)
}

/// What the pending key was to be.
fn granted(value: &SecretValue, rotation: &Provenance) -> Grant {
    Grant {
        permissions: rotation.permissions.clone(),
        addresses: rotation.ip_allowlist.clone(),
        form: value.credential.form(),
    }
}

/// Whether a key is what it was to be.
fn agrees(key: &ListedKey, rotation: &Provenance) -> bool {
    let powers = &key.powers;
    powers.beyond(&rotation.permissions).is_empty()
        && powers.lacks(&rotation.permissions).is_empty()
        && key.addresses == rotation.ip_allowlist
}

/// A list without the pending key, which answers for itself, is not complete: other keys of this version may
/// be missing from it. Asks again for a bounded time.
async fn list_that_shows(run: &Run<'_>, access: &AccountAccess<'_>, key: &KeyId) -> Result<KeyList, Error> {
    let until = run.settled_by(access.venue, LAST_MOMENT);
    loop {
        let list = access.list().await?;
        if list.key(key).is_some() {
            return Ok(list);
        }
        if run.session.now() >= until {
            let problem = "the pending key answers, and the account's list of keys does not show it: that \
                           list is not complete, and what else was issued for this version cannot be told. \
                           The step can be repeated";
            return Err(Error::new(ErrorType::VenueUnavailable, problem));
        }
        run.session.ports.time.sleep(POLL_PAUSE).await;
    }
}

/// Gives the pending key what it was to have and takes what it was not. A person's key is judged as it is.
async fn bring_to_policy(
    run: &Run<'_>,
    access: &AccountAccess<'_>,
    key: &ListedKey,
    value: &SecretValue,
    rotation: &Provenance,
    ours: &Marker,
) -> Result<(), Error> {
    if agrees(key, rotation) {
        return Ok(());
    }
    let beyond = key.powers.beyond(&rotation.permissions);
    if key.marker.as_ref().is_some_and(|marker| marker.same_secret(ours)) {
        let grant = granted(value, rotation);
        tracing::warn!(
            key = %key.key_id,
            ?beyond,
            "the pending key is not what it was issued as: setting it right"
        );
        match run
            .session
            .edit(run.token(), access, key, value, &grant, &run.settings.egress)
            .await?
        {
            Ok(()) => {}
            // The value is fixed for ever, and the venue will never agree with it.
            Err(error) if error.class == ErrorClass::Impossible => {
                return Err(run
                    .give_up(&format!(
                        "the venue does not let its key have what it was to have: {error}"
                    ))
                    .await);
            }
            Err(error) => return Err(venue_error(&error)),
        }
        return if beyond.is_empty() {
            Ok(())
        } else {
            must_have_shrunk(run, access, key, value, rotation).await
        };
    }
    if !beyond.is_empty() {
        return Err(run
            .give_up(&format!(
                "its key may do what it must not ({}) and is not ours to edit",
                beyond.join(", ")
            ))
            .await);
    }
    // testSecret refuses what lacks something; the person can still mend it.
    Ok(())
}

/// A key that keeps what it must not have after it was taken away can't be edited down. While the key or the
/// edit is so young that the venue may show it late, that is left to the next repetition.
async fn must_have_shrunk(
    run: &Run<'_>,
    access: &AccountAccess<'_>,
    key: &ListedKey,
    value: &SecretValue,
    rotation: &Provenance,
) -> Result<(), Error> {
    let (edited, until) = (run.session.now(), run.settled_by(access.venue, LAST_MOMENT));
    loop {
        let list = access.list().await?;
        let Some(listed) = list.key(&key.key_id) else {
            return Ok(());
        };
        let beyond = listed.powers.beyond(&rotation.permissions);
        if beyond.is_empty() {
            return Ok(());
        }
        if run.session.now() < until {
            run.session.ports.time.sleep(POLL_PAUSE).await;
        } else if run.is_young(access.venue, value) || !is_known(run, access.venue, edited) {
            let problem = format!(
                "the pending key still shows what was just taken from it ({}): the step can be repeated",
                beyond.join(", ")
            );
            return Err(Error::new(ErrorType::PendingTooPowerful, problem));
        } else {
            return Err(run
                .give_up(&format!(
                    "its key may do what it must not ({}) and can't be edited down",
                    beyond.join(", ")
                ))
                .await);
        }
    }
}

/// Whether an edit of this run is so old that it is known everywhere: not the key's age counts for that.
fn is_known(run: &Run<'_>, venue: &dyn Venue, edited: Timestamp) -> bool {
    wrong::is(Wrong::EditAgeIgnored) || run.session.now() >= after(edited, venue.facts().settling)
}

/// Another credential, which the same host has just accepted.
enum Control<'a> {
    Master(&'a AccountAccess<'a>),
    /// The current key; with the list of keys, where another host gives it.
    Current(&'a Signer, Option<&'a AccountAccess<'a>>),
}

impl<'a> Control<'a> {
    /// The current key, where the host accepts it.
    async fn current(
        venue: &dyn Venue,
        in_use: &'a Signer,
        access: Option<&'a AccountAccess<'a>>,
    ) -> Option<Self> {
        let accepted = venue.ask(in_use).await.is_ok();
        accepted.then_some(Self::Current(in_use, access))
    }

    /// Whether the host accepts it still, and does not show the key that it has rejected meanwhile: the
    /// host's name may have come to mean another one in between.
    async fn holds(&self, venue: &dyn Venue, rejected: &KeyId) -> bool {
        let (in_use, access) = match self {
            Self::Master(access) => (None, Some(*access)),
            Self::Current(in_use, access) => (Some(*in_use), *access),
        };
        if let Some(access) = access {
            let list = access.list().await;
            if list.is_err() || list.is_ok_and(|list| list.key(rejected).is_some()) {
                return false;
            }
        }
        match in_use {
            Some(in_use) => venue.ask(in_use).await.is_ok(),
            None => true,
        }
    }
}

fn current_signer(credential: &Credential) -> Signer {
    Signer {
        whose: Whose::Current,
        credential: credential.clone(),
    }
}

/// The pending key is in no list: ask it itself. It counts as dead only by rule 7: rejected where the same
/// host accepted another credential just before (`control`) and accepts it after, and older than the venue's
/// propagation bound. Whether it names its account, as calls do.
async fn alone(
    run: &Run<'_>,
    venue: &dyn Venue,
    value: &SecretValue,
    rotation: &Provenance,
    control: Option<Control<'_>>,
) -> Result<bool, Error> {
    match run.inspect_pending(venue, value).await {
        Ok(state) => {
            if let Some(own) = state.account.named()
                && own.as_str() != rotation.account
            {
                return Err(run
                    .give_up(&format!(
                        "its key belongs to account {own}, not to {}",
                        rotation.account
                    ))
                    .await);
            }
            let forbidden = state.powers.forbidden();
            if forbidden.is_empty() || rotation.source == Source::Issued {
                return Ok(state.account.named().is_some());
            }
            Err(run
                .give_up(&format!(
                    "its key may do what it must not ({}) and is not ours to edit",
                    forbidden.join(", ")
                ))
                .await)
        }
        Err(error) if wrong::is_death(error.class) => {
            Err(run.give_up(&format!("its key is dead: {error}")).await)
        }
        Err(error)
            if (error.class.is_rejection() || is_unlisted(error.class, rotation))
                && value.created_at.is_some()
                && !run.is_young(venue, value) =>
        {
            let holds = match &control {
                Some(control) => control.holds(venue, &value.credential.key_id).await,
                None => false,
            };
            if !holds && !wrong::is(Wrong::NoControl) {
                return Err(venue_error(&error));
            }
            let what = match error.class {
                ErrorClass::Mismatched => "cannot be used",
                ErrorClass::Unexplained => "is refused, and in no list of its account",
                _ => "is dead",
            };
            Err(run.give_up(&format!("its key {what}: {error}")).await)
        }
        Err(error) => Err(venue_error(&error)),
    }
}

/// Whether a key that is in no list counts as none, though the venue does not say why it refuses it: one
/// that we issued was on that account. The version is given up by that, and the key is not called dead. A
/// person's key may be on another list.
fn is_unlisted(class: ErrorClass, rotation: &Provenance) -> bool {
    class == ErrorClass::Unexplained && rotation.source == Source::Issued
}

fn the_rest<'l>(list: &'l KeyList, ours: &Marker, keep: [&KeyId; 2]) -> impl Iterator<Item = &'l ListedKey> {
    let same_token = |key: &&ListedKey| {
        key.marker.as_ref().is_some_and(|marker| {
            let by_age = wrong::is(Wrong::LosersByAge);
            if by_age {
                marker.same_secret(ours) && settled(key, list)
            } else {
                marker.same_token(ours)
            }
        })
    };
    list.keys
        .iter()
        .filter(same_token)
        .filter(move |key| !keep.contains(&&key.key_id))
}

/// Every other key issued for this version is garbage that no version can ever name.
pub(super) async fn revoke_the_rest(
    run: &Run<'_>,
    access: &AccountAccess<'_>,
    list: &KeyList,
    ours: &Marker,
    keep: [&KeyId; 2],
) -> Result<(), Error> {
    for key in the_rest(list, ours, keep) {
        tracing::warn!(key = %key.key_id, "revoking a key that was issued for this version and is not in it");
        run.revoke_unstored(access, key).await?;
    }
    Ok(())
}
