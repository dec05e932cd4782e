//! The way for a rotation that a leaked key needs: nothing may be open that would bring that key back, or
//! keep another from beginning.

use jiff::{SignedDuration, Timestamp};

use crate::bounds::after;
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::operations::commands::serve;
use crate::operations::pass::{Pass, with_retries};
use crate::ports::{Description, StoredValue, Which};
use crate::rotation::{Rehearsal, rehearse, rehearse_without_current};
use crate::secret::{AccountId, KeyId};
use crate::session::{SecretSession, is_condemned, must_fit};

/// A rotation that began this short a time ago is not stuck: its successor is waited for, and no longer.
pub(crate) const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// # Errors
/// LABELS_FULL when no rotation can begin, since its version could not be labelled.
pub(crate) fn must_fit_pending(description: &Description) -> Result<(), Error> {
    must_fit(description, usize::from(description.pending().is_none()))
}

/// Takes a leaked key's offers back, and gives up the open rotation where it would bring that key back, or is
/// stuck and another is `needed`: nothing else could begin meanwhile. What was found or done, in words.
pub(crate) async fn clear_the_way(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    description: &Description,
    key: &KeyId,
    needed: bool,
) -> Result<Vec<String>, Error> {
    let (mut told, mut offered) = (Vec::new(), false);
    for label in [Label::rollback(), Label::candidate()] {
        let Some(version) = description.holder(&label) else {
            continue;
        };
        let stored = with_retries(pass, || session.read(Which::Version(version))).await?;
        // Where the key is not current, a person may be mending what cannot be read.
        let names_it = |stored: &StoredValue| {
            if needed {
                stored.may_name(key)
            } else {
                stored.surely_names(key)
            }
        };
        if !stored.is_some_and(|stored| names_it(&stored)) {
            continue;
        }
        session.remove_label(label.clone(), version).await?;
        offered = true;
        told.push(format!(
            "{label} was taken off version {version}, which names the leaked key"
        ));
    }
    let Some(pending) = description.open_rotation() else {
        return Ok(told);
    };
    let stored = with_retries(pass, || session.read(Which::Version(pending))).await?;
    let names_it = stored.map_or(offered, |stored| stored.may_name(key));
    if !needed && !names_it {
        return Ok(told);
    }
    let begun = begun(pass, session, pending).await?;
    if let Some(begun) = begun.filter(|begun| pass.now().duration_since(*begun) < FRESH)
        && !names_it
        && !is_condemned(description, pending)
    {
        let until = after(begun, FRESH.unsigned_abs());
        told.push(format!(
            "a rotation is in flight: version {pending}, begun at {begun}, is waited for until {until}"
        ));
        return Ok(told);
    }
    if let Err(error) = session
        .give_up(pending, "a key is leaked, and this rotation was in the way")
        .await
    {
        // It may have come to its end in the meantime.
        let now = with_retries(pass, || session.describe()).await?;
        return if now.open_rotation() == Some(pending) {
            Err(error)
        } else {
            Ok(told)
        };
    }
    told.push(format!(
        "the rotation that was open, version {pending}, was given up"
    ));
    Ok(told)
}

/// When a version was made.
pub(crate) async fn begun(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    version: &VersionId,
) -> Result<Option<Timestamp>, Error> {
    let versions = with_retries(pass, || session.versions()).await?;
    Ok(versions
        .into_iter()
        .find(|listed| listed.id == *version)
        .and_then(|listed| listed.created_at))
}

/// An offer that createSecret refuses would keep a successor from being issued, where one can be. What was
/// done, in words.
pub(crate) async fn take_refused_offers_back(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
) -> Result<Vec<String>, Error> {
    let mut told = Vec::new();
    for label in [Label::rollback(), Label::candidate()] {
        let description = with_retries(pass, || session.describe()).await?;
        let Some(version) = description.holder(&label) else {
            continue;
        };
        let rehearsed = rehearse(*session, &pass.settings.egress, description.clone()).await;
        let Err(error) = rehearsed.and_then(|rehearsal| rehearsal.wanted) else {
            break;
        };
        if !matches!(error.error_type, ErrorType::OfferRefused | ErrorType::KeyUnbound)
            || !can_issue(pass, session, &description).await
        {
            break;
        }
        session.remove_label(label.clone(), version).await?;
        told.push(format!(
            "{label} was taken off version {version}, which cannot be used: {}",
            error.problem
        ));
    }
    Ok(told)
}

/// Where nothing but the current key proves the account, so that a key could have no successor once it is
/// dead: the account, and the command that has the master's value say that it serves the secret. Whatever
/// else stands in a successor's way is told where none comes.
pub(crate) async fn proven_by_current_alone(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    description: &Description,
) -> Option<(AccountId, String)> {
    let rehearsed = rehearse_without_current(*session, &pass.settings.egress, description.clone()).await;
    let Ok(Rehearsal {
        issuing: Some(issuing),
        wanted: Err(error),
        ..
    }) = rehearsed
    else {
        return None;
    };
    let ((master, _), (account, grant)) = (issuing.by?, issuing.asked?);
    let serve = serve(&master, description.name.as_str(), Some(&account), Some(&grant));
    (error.error_type == ErrorType::ScopeRefused).then_some((account, serve))
}

/// Whether a key would be issued if none were offered. Where none can be, an offer is the only way to a
/// successor, and a person may be mending it.
async fn can_issue(pass: &Pass<'_>, session: &SecretSession<'_>, description: &Description) -> bool {
    let mut without = description.clone();
    let is_offer = |label: &Label| [Label::rollback(), Label::candidate()].contains(label);
    without
        .versions
        .values_mut()
        .for_each(|labels| labels.retain(|label| !is_offer(label)));
    let Ok(rehearsal) = rehearse(*session, &pass.settings.egress, without).await else {
        return false;
    };
    let master = rehearsal.issuing.and_then(|issuing| issuing.master.ok());
    rehearsal.wanted.is_ok() && master.is_some_and(|master| rehearsal.venue.may_issue(&master).is_ok())
}
