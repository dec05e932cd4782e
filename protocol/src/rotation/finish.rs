//! finishSecret: one more look at the pending key, then the swap, then the stamp from which the replaced
//! key's grace counts.

use futures_util::future::join;

use super::Done;
use super::giving_up::{Doubt, judged_from_store};
use super::run::{Run, parse};
use super::standing::{TokenState, doomed};
use super::wrong::{self, Wrong};
use crate::bounds::OVERTAKEN;
use crate::error::{Error, ErrorType};
use crate::label::{Label, StampKind, VersionId};
use crate::ports::{Asking, Description, StoreError, StoreErrorKind, StoredValue, Which};
use crate::secret::{AccountId, Provenance, SecretValue};
use crate::session::{has_stamp, must_fit, store_error, unstamped_previous, venue_of};

/// So often the pending key and the labels are looked at before a step that finds no fresh look gives up.
const MOST_LOOKS: u32 = 5;

pub(super) async fn finish(run: &Run<'_>) -> Result<Done, Error> {
    let began = run.session.now();
    let (description, pending) = join(run.describe(), run.session.read(Which::Version(run.token()))).await;
    let description = description?;
    match run.standing(&description)? {
        TokenState::Current => {
            complete(run, &description, pending).await;
            return Ok(Done::AlreadyCurrent);
        }
        TokenState::Condemned => return Err(doomed("it is condemned")),
        TokenState::Pending => {}
    }
    let stored = run.pending(pending).await?;
    let Some(base) = description.current() else {
        let problem = "the secret has no current version to be replaced: store a key made by hand first \
                       (put-secret-value), then rotate";
        return Err(Error::new(ErrorType::NoCurrentValue, problem));
    };
    let (value, provenance) =
        judged_from_store(&description, base, None, &stored).map_err(Doubt::into_error)?;
    run.session.stands_for(&AccountId::new(&provenance.account));
    if let Some(doubt) = run.leaked(&description, &value, &provenance).await? {
        return Err(doubt.into_error());
    }
    must_fit(&description, labels_to_come(&description, base))?;

    let venue = venue_of(run.session.ports, &description, &value)?;
    if let Some(doubt) = run.used(venue.as_ref(), &description, &value).await? {
        return Err(doubt.into_error());
    }
    let (proven, stamped) = join(
        run.prove(venue.as_ref(), &value),
        run.session.stamp_previous(&description),
    )
    .await;
    stamped?;
    proven?;
    run.session.remove_void_stamps(&description, base).await?;
    // A look that took long is as old as its beginning, the second as the first.
    let (mut looked, mut looks) = (began, 1);
    while run.session.now().duration_since(looked).unsigned_abs() > OVERTAKEN
        && !wrong::is(Wrong::OvertakenUnseen)
    {
        if looks == MOST_LOOKS {
            let problem = "the venue or Secrets Manager answers so slowly that what was read is old before \
                           the pending version could be promoted: the step can be repeated";
            return Err(Error::new(ErrorType::VenueUnavailable, problem));
        }
        (looked, looks) = (run.session.now(), looks + 1);
        let (after, proven) = if venue.facts().asking == Asking::Free {
            let (after, proven) = join(run.session.describe(), run.prove(venue.as_ref(), &value)).await;
            (after?, Some(proven))
        } else {
            // Where another run has promoted it meanwhile, consumers hold the key.
            (run.session.describe().await?, None)
        };
        if run.standing(&after)? == TokenState::Current {
            complete(run, &after, Ok(Some(stored))).await;
            return Ok(Done::AlreadyCurrent);
        }
        must_stand_as_before(run, &after, base, &stored).await?;
        match proven {
            Some(proven) => proven?,
            None => run.prove(venue.as_ref(), &value).await?,
        }
    }
    if wrong::is(Wrong::OfferReleasedEarly) {
        release_offer(run, &description, &provenance).await;
    }
    swap(run, base, &value).await?;
    let unstamped = wrong::is(Wrong::SwapUnstamped) || wrong::is(Wrong::OldStampTrusted);
    if !unstamped && let Err(error) = run.session.add_stamp(StampKind::Replaced, base).await {
        tracing::warn!(
            %error,
            "the replaced version could not be stamped; a later run does it, and its key's grace counts \
             from then"
        );
    }
    release_offer(run, &description, &provenance).await;
    Ok(Done::Promoted)
}

/// A slow run gives others the time to give this version up, to promote another, or to offer a better one.
async fn must_stand_as_before(
    run: &Run<'_>,
    after: &Description,
    base: &VersionId,
    stored: &StoredValue,
) -> Result<(), Error> {
    let pending = run.standing(after)? == TokenState::Pending;
    let stamped = unstamped_previous(after).is_none();
    if pending
        && stamped
        && after.is_current(base)
        && let Ok((value, provenance)) = judged_from_store(after, base, None, stored)
        && run.leaked(after, &value, &provenance).await?.is_none()
    {
        return Ok(());
    }
    let problem = "the secret's labels changed while the pending key was inspected: the step can be repeated";
    Err(Error::new(ErrorType::StoreUnavailable, problem))
}

/// Moves AWSCURRENT from the version this one was built on. After any error looks what is true, and never
/// swaps a second time: whoever moved the label meanwhile had a reason.
async fn swap(run: &Run<'_>, base: &VersionId, value: &SecretValue) -> Result<(), Error> {
    let mut moved = run.move_current(base, &value.credential.key_id).await?;
    if wrong::is(Wrong::SwapAgain)
        && moved
            .as_ref()
            .is_err_and(|error| error.kind == StoreErrorKind::UnknownOutcome)
    {
        moved = run.move_current(base, &value.credential.key_id).await?;
    }
    let Err(error) = moved else { return Ok(()) };
    if wrong::is(Wrong::UnknownSwapIsDone) && error.kind == StoreErrorKind::UnknownOutcome {
        return Ok(());
    }
    let failed = |error: &StoreError, then: &str| {
        Error::new(
            ErrorType::SwapFailed,
            format!(
                "AWSCURRENT was to be moved, and {}. {then}",
                store_error(error).problem
            ),
        )
    };
    let Ok(description) = run.session.describe().await else {
        return Err(failed(
            &error,
            "Nobody knows whether it was moved: a repetition of the step sees it",
        ));
    };
    match description.current() {
        Some(holder) if holder == run.token() => {
            // After a definite refusal it was another run that moved it.
            if error.kind == StoreErrorKind::UnknownOutcome {
                run.record_that_current_moved(&value.credential.key_id);
            }
            Ok(())
        }
        Some(holder) if holder == base => Err(failed(
            &error,
            "A look shows it where it was: a repetition of the rotation tries again",
        )),
        _ => {
            let problem = "AWSCURRENT was moved to another version while this one was being promoted: the \
                           next rotation starts from there";
            Err(Error::new(ErrorType::SwapLost, problem))
        }
    }
}

/// What a run that died right after its swap left to do. The rotation is over all the same.
async fn complete(run: &Run<'_>, description: &Description, pending: Result<Option<StoredValue>, Error>) {
    run.session.tidy(description).await;
    let Ok(Some(stored)) = pending else { return };
    if let Ok(SecretValue {
        rotation: Some(provenance),
        ..
    }) = parse(&stored)
        && provenance.token == *run.token()
    {
        release_offer(run, description, &provenance).await;
    }
}

/// Takes CANDIDATE or ROLLBACK off the version that was copied: it has been used.
async fn release_offer(run: &Run<'_>, description: &Description, provenance: &Provenance) {
    let (Some(label), Some(from)) = (provenance.source.label(), &provenance.copied_from) else {
        return;
    };
    if !description.bears(from, &label) {
        return;
    }
    if let Err(error) = run.session.remove_label(label, from).await {
        tracing::warn!(
            %error,
            "the label of the offered version could not be taken off; createSecret does it"
        );
    }
}

/// How many labels the rest of the step adds: AWSPREVIOUS where none is, and the two stamps.
fn labels_to_come(description: &Description, base: &VersionId) -> usize {
    usize::from(description.holder(&Label::previous()).is_none())
        + usize::from(unstamped_previous(description).is_some())
        + usize::from(!has_stamp(description, base, StampKind::Replaced))
}
