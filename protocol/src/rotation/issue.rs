//! Issuing a key: never blindly a second one, and never without room to tell later what became of it.

use std::time::Duration;

use super::base::Base;
use super::often;
use super::run::Run;
use super::wrong::{self, Wrong};
use crate::bounds::{POLL_PAUSE, TIME_TO_STORE, UNSETTLED};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::marker::Marker;
use crate::ports::{
    Description, ErrorClass, Grant, IssuedKey, KeyList, ListedKey, StoredValue, VenueError, Which,
};
use crate::session::{AccountAccess, venue_error};

/// Below this many versions Secrets Manager has never purged one, so a version it does not list never had a
/// value. Source: AWS user guide, "Secret versions": unlabelled versions are removed when there are more than
/// 100.
pub(crate) const NONE_PURGED_BELOW: usize = 100;

/// Keys that bear the token's marker while it has no value yet: an earlier run may have stored one of them
/// that a stale read does not show, another run may be storing one now, or they are lost. Looks again for a
/// value where that can help.
///
/// # Errors
/// ISSUE_UNSTORED when so many were lost lately that another would only fill the account's key slots.
pub(super) async fn stored_meanwhile(
    run: &Run<'_>,
    description: &Description,
    list: &KeyList,
) -> Result<Option<StoredValue>, Error> {
    let young = young_of(run, description, list).count();
    if young == 0 {
        return Ok(None);
    }
    let believed = wrong::is(Wrong::StaleMissBelieved) || wrong::is(Wrong::StoredValueIgnored);
    if !believed && let Some(stored) = run.read_token_patiently().await? {
        return Ok(Some(stored));
    }
    must_be_few(young).map(|()| None)
}

/// The keys of a list that were issued for the run's token so lately that a living run may be about to store
/// them.
fn young_of<'l>(
    run: &Run<'_>,
    description: &Description,
    list: &'l KeyList,
) -> impl Iterator<Item = &'l ListedKey> {
    let ours = Marker::new(&description.arn, run.token(), 0);
    let is_ours = move |key: &&ListedKey| key.marker.as_ref().is_some_and(|marker| marker.same_token(&ours));
    list.keys.iter().filter(is_ours).filter(|key| !settled(key, list))
}

/// # Errors
/// ISSUE_UNSTORED where another key would only fill the account's key slots.
fn must_be_few(young: usize) -> Result<(), Error> {
    if young < 2 || wrong::is(Wrong::UnstoredUnbounded) {
        return Ok(());
    }
    let problem = format!(
        "{young} keys were issued for this version within the last {} minutes and none was stored, so runs \
         keep failing after they issue: see their errors. Another key is issued once those are older, and \
         setSecret then revokes them",
        UNSETTLED.as_secs() / 60
    );
    Err(Error::new(ErrorType::IssueUnstored, problem))
}

/// How the version comes by a key.
pub(super) enum IssueOutcome {
    /// One was issued.
    Issued(IssuedKey),
    /// Another run has stored one meanwhile.
    Stored(StoredValue),
}

/// Issues a key, with the policy's powers and addresses from its first second on.
pub(super) async fn issue(
    run: &Run<'_>,
    base: &Base,
    access: &AccountAccess<'_>,
    grant: &Grant,
    list: &KeyList,
) -> Result<IssueOutcome, Error> {
    let (mut reaped, mut looked, mut was_taken, mut young) = (false, false, false, 0);
    let arn = &base.description.arn;
    let new_marker = || Marker::new(arn, run.token(), run.session.ports.time.random());
    // The marker of a request whose key was not seen: used again, it shows whether that key was issued.
    let mut unseen = None;
    loop {
        run.session.must_have_left(TIME_TO_STORE)?;
        let again: Option<Marker> = unseen.take();
        let is_again = again.is_some();
        let marker = again.unwrap_or_else(new_marker);
        let error = match run.issue(access, &marker, grant).await? {
            Ok(issued) => return Ok(IssueOutcome::Issued(issued)),
            Err(error) => error,
        };
        match error.class {
            ErrorClass::Refused | ErrorClass::Denied if !reaped => {
                reaped = true;
                if reap(run, base, access, list).await? == 0 {
                    return Err(refused(&error, list));
                }
            }
            ErrorClass::Refused | ErrorClass::Impossible => return Err(refused(&error, list)),
            ErrorClass::UnknownOutcome if !looked => {
                looked = true;
                if !wrong::is(Wrong::IssueAgain) {
                    match recover(run, base, access, &marker, error).await? {
                        Recovered::Revoked(others) => young = others,
                        Recovered::Unseen(others) => (young, unseen) = (others, Some(marker)),
                    }
                }
            }
            // The request before went through.
            ErrorClass::NoteTaken if is_again => young = revoke_lost(run, base, access, &marker).await?,
            // Another run may be storing the key that has it: setSecret revokes what no version names.
            ErrorClass::NoteTaken if !was_taken => was_taken = true,
            _ => return Err(venue_error(&error)),
        }
        // That took a while.
        if let Some(stored) = run.session.read(Which::Version(run.token())).await? {
            return Ok(IssueOutcome::Stored(stored));
        }
        must_be_few(young)?;
    }
}

/// What came of a look for a key of which nobody knows whether it was issued.
enum Recovered {
    /// It was there and is revoked; so many others there are by now that may be stored.
    Revoked(usize),
    /// It is in no list, and its marker can be used again: the venue refuses it if it was issued. So many
    /// others there are.
    Unseen(usize),
}

/// Nobody knows whether the key was issued. Once its request can take effect no more, the list tells; a key
/// that is there is ours alone and lost with its secret, since no one else can have read the reply. A key
/// that is not there may not be listed yet: where no note can stand twice, asking again tells; elsewhere the
/// replay decides.
async fn recover(
    run: &Run<'_>,
    base: &Base,
    access: &AccountAccess<'_>,
    marker: &Marker,
    error: VenueError,
) -> Result<Recovered, Error> {
    tracing::warn!(%error, "no answer to the request for a key: looking whether it was issued");
    let wait = access.venue.facts().signature_window + Duration::from_secs(1);
    run.session.must_have_left(wait + TIME_TO_STORE)?;
    run.session.ports.time.sleep(wait).await;
    let list = access.list().await?;
    if let Some(key) = bearing(&list, marker) {
        return revoke_beside(run, base, access, key, &list)
            .await
            .map(Recovered::Revoked);
    }
    if wrong::is(Wrong::UnlistedIsNotIssued) {
        Ok(Recovered::Revoked(0))
    } else if access.venue.facts().unique_notes {
        Ok(Recovered::Unseen(young_of(run, &base.description, &list).count()))
    } else {
        Err(venue_error(&error))
    }
}

/// A key bears the marker already: the request for it went through, and its secret is lost. It may not be
/// listed yet. How many others there are by now that may be stored.
async fn revoke_lost(
    run: &Run<'_>,
    base: &Base,
    access: &AccountAccess<'_>,
    marker: &Marker,
) -> Result<usize, Error> {
    let until = run.settled_by(access.venue, TIME_TO_STORE);
    loop {
        let list = access.list().await?;
        if let Some(key) = bearing(&list, marker) {
            return revoke_beside(run, base, access, key, &list).await;
        }
        if run.session.now() >= until {
            let problem = "a key was issued whose secret is lost, and the account's list does not show it \
                           yet, so that it cannot be revoked: the step can be repeated, and setSecret then \
                           revokes it";
            return Err(Error::new(ErrorType::VenueUnavailable, problem));
        }
        run.session.ports.time.sleep(POLL_PAUSE).await;
    }
}

fn bearing<'l>(list: &'l KeyList, marker: &Marker) -> Option<&'l ListedKey> {
    list.keys.iter().find(|key| key.marker.as_ref() == Some(marker))
}

/// Revokes a key whose secret is lost. How many others of a list may be stored.
async fn revoke_beside(
    run: &Run<'_>,
    base: &Base,
    access: &AccountAccess<'_>,
    key: &ListedKey,
    list: &KeyList,
) -> Result<usize, Error> {
    run.revoke_unstored(access, key).await?;
    Ok(young_of(run, &base.description, list)
        .filter(|other| other.key_id != key.key_id)
        .count())
}

/// Revokes this secret's own keys that were issued and never stored. Returns how many.
async fn reap(
    run: &Run<'_>,
    base: &Base,
    access: &AccountAccess<'_>,
    list: &KeyList,
) -> Result<usize, Error> {
    let arn = &base.description.arn;
    let ours = Marker::new(arn, run.token(), 0);
    let in_use = &base.value.credential.key_id;
    let mut suspects = list
        .keys
        .iter()
        .filter(|key| (settled(key, list) || wrong::is(Wrong::YoungReaped)) && key.key_id != *in_use)
        .filter_map(|key| {
            Some((
                key,
                key.marker.as_ref().filter(|marker| marker.same_secret(&ours))?,
            ))
        })
        .peekable();
    if suspects.peek().is_none() {
        return Ok(0);
    }
    let (versions, complete) = match run.session.ports.store.versions(&run.request.secret).await {
        // A list that lacks what the description names is no complete one.
        Ok(versions) => {
            // Where they could not be listed before a key was asked for, they are counted now.
            often::must_not_be_too_often(run, base, Ok(versions.clone()))?;
            let versions: Vec<VersionId> = versions.into_iter().map(|version| version.id).collect();
            let complete = base
                .description
                .versions
                .keys()
                .all(|known| versions.contains(known));
            (versions, complete)
        }
        Err(error) => {
            tracing::warn!(
                %error,
                "the versions could not be listed: only keys of labelled versions are cleaned"
            );
            (base.description.versions.keys().cloned().collect(), false)
        }
    };
    let mut reaped = 0;
    for (key, marker) in suspects {
        let issued_for = versions
            .iter()
            .find(|version| Marker::new(arn, version, 0).same_token(marker));
        let never_stored = match issued_for {
            Some(version) => wrong::is(Wrong::HeldReaped) || !may_be_stored(run, version, key).await,
            None => wrong::is(Wrong::UnlistedVersionReaped) || complete && versions.len() < NONE_PURGED_BELOW,
        };
        if never_stored && run.session.revoke(run.token(), access, key).await?.is_ok() {
            reaped += 1;
        }
    }
    Ok(reaped)
}

/// Whether a key that was issued for a version may be in its value. Only the run that issued a key knows its
/// secret, so no other version can hold it unless this one does.
async fn may_be_stored(run: &Run<'_>, version: &VersionId, key: &ListedKey) -> bool {
    let read = run
        .session
        .ports
        .store
        .read(&run.request.secret, Which::Version(version))
        .await;
    match read {
        Ok(None) => false,
        Ok(Some(stored)) => stored.may_name(&key.key_id),
        Err(error) => {
            tracing::warn!(%error, %version, "a version could not be read: its keys are left alone");
            !wrong::is(Wrong::UnreadableReaped)
        }
    }
}

/// Whether a key is so old, by the venue's own clock, that no living run can be about to store it.
pub(crate) fn settled(key: &ListedKey, list: &KeyList) -> bool {
    list.as_of.duration_since(key.created_at)
        > jiff::SignedDuration::try_from(UNSETTLED).unwrap_or(jiff::SignedDuration::MAX)
}

fn refused(error: &VenueError, list: &KeyList) -> Error {
    let error_type = if error.class == ErrorClass::Denied {
        ErrorType::MasterRefused
    } else {
        ErrorType::IssueRefused
    };
    let why = match error.class {
        // Nobody documents how many keys an account can have, nor what is said where it is full.
        ErrorClass::Refused => {
            format!(
                "The account has {} keys; where its key slots are full, delete keys that are not used",
                list.keys.len()
            )
        }
        ErrorClass::Impossible => "A repetition would be refused again: compare `policy` and `subaccount` \
                                   in the value with what the account may have"
            .to_owned(),
        _ => "The operation `plan` shows what stands in the way, as far as that can be known".to_owned(),
    };
    Error::new(error_type, format!("no key was issued: {error}. {why}"))
}
