//! createSecret: come by a new credential, and store it as AWSPENDING before anything else can happen to it.

use futures_util::future::join;
use jiff::Timestamp;

use super::base::Base;
use super::evidence::current_must_be_listed;
use super::giving_up::{Doubt, judged_from_store};
use super::issue::IssueOutcome;
use super::keep::StoreOutcome;
use super::run::Run;
use super::standing::Opening;
use super::wanted::{self, Wanted};
use super::wrong::{self, Wrong};
use super::{Done, authority, issue, offer, often, set};
use crate::bounds::{REREAD, REREAD_PAUSE, STALENESS};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::marker::Marker;
use crate::ports::{Grant, ListedVersion, Signer, StoredValue, Venue, Which, Whose};
use crate::secret::{AccountId, Addresses, Credential, Provenance, Source};
use crate::session::{AccountAccess, master_of, venue_of};

pub(super) async fn create(run: &Run<'_>) -> Result<Done, Error> {
    let (opening, versions) = join(run.open(), run.session.versions()).await;
    let Some(Opening {
        description,
        pending,
        current,
    }) = opening?
    else {
        return Ok(Done::AlreadyCurrent);
    };
    let Some(base) = Base::agreed(run, description, current?).await? else {
        return Ok(Done::AlreadyCurrent);
    };
    match pending? {
        Some(stored) if !wrong::is(Wrong::StoredValueIgnored) => decided(run, &base, &stored).await,
        _ => build(run, &base, versions).await,
    }
}

/// The token has its value for ever: it is good, or it is doomed. Never a reason to issue another key. Giving
/// a version up is for good too, so it is judged a second time, on a second reading: where stale reads can
/// have led to the judgement, after as long as a read can be stale.
async fn decided(run: &Run<'_>, base: &Base, stored: &StoredValue) -> Result<Done, Error> {
    let Some(first) = doubt(run, base, stored).await? else {
        return Ok(Done::AlreadyStored);
    };
    if wrong::is(Wrong::JudgedOnce) {
        return Err(run.give_up(&first.reason).await);
    }
    if !first.is_sure {
        run.session.must_have_left(STALENESS + REREAD_PAUSE + REREAD)?;
        run.session.ports.time.sleep(STALENESS + REREAD_PAUSE).await;
    }
    let (description, current) = join(run.session.describe(), run.session.read(Which::Current)).await;
    let Some(now) = Base::agreed(run, description?, current?).await? else {
        return Ok(Done::AlreadyCurrent);
    };
    match doubt(run, &now, stored).await? {
        None => Ok(Done::AlreadyStored),
        Some(second) if second.is_sure || !first.is_sure => Err(run.give_up(&second.reason).await),
        Some(second) => Err(second.into_error()),
    }
}

/// Why the token's value can never be promoted; `None` where it is good.
async fn doubt(run: &Run<'_>, base: &Base, stored: &StoredValue) -> Result<Option<Doubt>, Error> {
    let current = Some(&base.value.credential.key_id);
    let (value, provenance) = match judged_from_store(&base.description, &base.version, current, stored) {
        Ok(judged) => judged,
        Err(doubt) => return Ok(Some(doubt)),
    };
    run.session.stands_for(&AccountId::new(&provenance.account));
    if let Some(doubt) = run.out_of_reach(&provenance) {
        return Ok(Some(doubt));
    }
    let venue = venue_of(run.session.ports, &base.description, &value)?;
    if let Some(doubt) = run.used(venue.as_ref(), &base.description, &value).await? {
        return Ok(Some(doubt));
    }
    run.leaked(&base.description, &value, &provenance).await
}

async fn build(
    run: &Run<'_>,
    base: &Base,
    versions: Result<Vec<ListedVersion>, Error>,
) -> Result<Done, Error> {
    wanted::must_leave_room(&base.value)?;
    let venue = venue_of(run.session.ports, &base.description, &base.value)?;
    if let Some(offer) = offer::offered(run, base).await? {
        return copy(run, base, venue.as_ref(), &offer).await;
    }
    wanted::must_be_issued_here(venue.as_ref())?;
    often::must_not_be_too_often(run, base, versions)?;
    issue_and_store(run, base, venue.as_ref()).await
}

async fn issue_and_store(run: &Run<'_>, base: &Base, venue: &dyn Venue) -> Result<Done, Error> {
    let key_in_use = Signer {
        whose: Whose::Current,
        credential: base.value.credential.clone(),
    };
    let (master, current) = join(
        master_of(run.session.ports, venue, &base.value),
        venue.ask(&key_in_use),
    )
    .await;
    let master = master?;
    wanted::must_be_decided(&current)?;
    wanted::must_be_of_a_sub_account(&current)?;
    let account = wanted::account(&base.value, &current)?;
    run.session.stands_for(&account);
    let mut access = AccountAccess::new(venue, master, account, &base.description);
    let list = access.list().await?;
    current_must_be_listed(run, base, venue, &current, (&access.account, &list))?;
    let wanted = Wanted {
        grant: wanted::grant(run, base, venue, &current, &list).await?,
        account: access.account.clone(),
        alias: wanted::alias(&base.value, &current),
    };
    authority::must_serve(
        run,
        base,
        &mut access,
        current.as_ref().ok(),
        &list,
        &wanted.grant,
    )
    .await?;
    often::must_not_have_too_many(run, base, &list)?;
    run.session.tidy(&base.description).await;

    if let Some(stored) = issue::stored_meanwhile(run, &base.description, &list).await? {
        return decided(run, base, &stored).await;
    }
    let unbound = wrong::is(Wrong::IssuedUnbound).then(|| Grant {
        addresses: Addresses::Any,
        ..wanted.grant.clone()
    });
    let come = issue::issue(
        run,
        base,
        &access,
        unbound.as_ref().unwrap_or(&wanted.grant),
        &list,
    )
    .await?;
    let issued = match come {
        IssueOutcome::Issued(issued) => issued,
        IssueOutcome::Stored(stored) => return decided(run, base, &stored).await,
    };
    let text = successor(run, base, &issued.credential, &wanted, Source::Issued, None);
    if wrong::is(Wrong::SweepBeforePut) {
        let ours = Marker::new(&base.description.arn, run.token(), 0);
        set::revoke_the_rest(
            run,
            &access,
            &list,
            &ours,
            [&issued.credential.key_id, &base.value.credential.key_id],
        )
        .await?;
    }
    let kept = run.keep(&text, &issued.credential.key_id).await;
    let nowhere_stored = match &kept {
        Ok(StoreOutcome::Another(stored)) => !stored.may_name(&issued.credential.key_id),
        Err(not_kept) => not_kept.certainly,
        Ok(StoreOutcome::Stored | StoreOutcome::Unseen) => false,
    };
    if nowhere_stored
        && let Err(error) = run
            .session
            .revoke(run.token(), &access, &issued.credential)
            .await?
    {
        tracing::warn!(%error, "a key that was issued and not stored is still alive; a later run revokes it");
    }
    match kept.map_err(|not_kept| not_kept.error)? {
        StoreOutcome::Stored => Ok(Done::Issued),
        StoreOutcome::Unseen => Err(unseen()),
        StoreOutcome::Another(stored) => decided(run, base, &stored).await,
    }
}

/// Whose value it is, a repetition tells; or that it is gone, as what a dry run of the service leaves.
pub(super) fn unseen() -> Error {
    let problem = "the version has a value already, and it cannot be read yet: the step can be repeated";
    Error::new(ErrorType::StoreUnavailable, problem)
}

async fn copy(run: &Run<'_>, base: &Base, venue: &dyn Venue, offer: &offer::Offer) -> Result<Done, Error> {
    let wanted = offer::examined(run, base, venue, offer).await?;
    run.session.stands_for(&wanted.account);
    run.session.tidy(&base.description).await;
    let credential = &offer.value.credential;
    let text = successor(
        run,
        base,
        credential,
        &wanted,
        offer.source,
        Some(offer.version.clone()),
    );
    match run
        .keep(&text, &credential.key_id)
        .await
        .map_err(|not_kept| not_kept.error)?
    {
        StoreOutcome::Stored => Ok(Done::Copied),
        StoreOutcome::Unseen => Err(unseen()),
        StoreOutcome::Another(stored) => decided(run, base, &stored).await,
    }
}

/// The value to store, serialised once: a retry must send the very same bytes.
fn successor(
    run: &Run<'_>,
    base: &Base,
    credential: &Credential,
    wanted: &Wanted,
    source: Source,
    copied_from: Option<VersionId>,
) -> secrecy::SecretString {
    let now: Timestamp = run.session.now();
    let provenance = Provenance {
        token: run.token().clone(),
        source,
        copied_from,
        based_on: base.version.clone(),
        account: wanted.account.to_string(),
        alias: wanted.alias.as_ref().map(ToString::to_string),
        permissions: wanted.grant.permissions.clone(),
        ip_allowlist: wanted.grant.addresses.clone(),
    };
    base.value.successor(credential, now, &provenance).render()
}
