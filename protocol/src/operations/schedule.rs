//! When a secret is rotated next, and whether a rotation is overdue or stuck.

use jiff::{SignedDuration, Timestamp};

use crate::bounds::{UNSETTLED, after};
use crate::error::Error;
use crate::label::VersionId;
use crate::operations::pass::{Pass, with_retries};
use crate::ports::Description;
use crate::session::SecretSession;

/// So long after its window a rotation is overdue.
const OVERDUE: SignedDuration = SignedDuration::from_hours(1);

/// Since when a rotation is open, where that is longer than one can take that works.
pub(crate) async fn stuck_since(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    pending: &VersionId,
) -> Result<Option<Timestamp>, Error> {
    let versions = with_retries(pass, || session.versions()).await?;
    let begun = versions
        .into_iter()
        .find(|version| version.id == *pending)
        .and_then(|version| version.created_at);
    let unsettled = SignedDuration::try_from(UNSETTLED).unwrap_or(SignedDuration::MAX);
    Ok(begun.filter(|begun| pass.now().duration_since(*begun) > unsettled))
}

/// When the next rotation is over at the latest: as Secrets Manager says, or as the rules do.
pub(crate) fn next_rotation(
    description: &Description,
    made: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    if !description.rotation_enabled {
        return None;
    }
    let last = description.last_rotated.or(made).unwrap_or(now);
    description
        .next_rotation
        .or_else(|| last_of_the_window(description, last))
}

fn last_of_the_window(description: &Description, last: Timestamp) -> Option<Timestamp> {
    let schedule = description.schedule.as_ref()?;
    Some(after(after(last, schedule.interval()?), schedule.window()))
}

/// Since when a rotation should have been over.
pub(crate) fn overdue_since(description: &Description, now: Timestamp) -> Option<Timestamp> {
    let by_rule = description
        .last_rotated
        .and_then(|last| last_of_the_window(description, last));
    let due = description.next_rotation.into_iter().chain(by_rule).min()?;
    (now.duration_since(due) > OVERDUE).then_some(due)
}
