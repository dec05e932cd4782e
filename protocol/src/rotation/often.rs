//! How often a secret may have a new key. Whoever may write one secret could otherwise fill the key slots of
//! an account that others share, and make so many calls that the venue bans the address that they leave from.

use jiff::SignedDuration;

use super::base::Base;
use super::run::Run;
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::marker::Marker;
use crate::ports::{KeyList, ListedVersion};
use crate::session::ORDER_TAG;

/// What is counted is of so long.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// The most versions of a day beside which another key is issued, and the most living keys of a day.
const MOST: usize = 10;
/// The most versions where one is labelled as leaked. A pass that gets no successor begins a rotation each
/// hour, and each leaves a version: those may not keep the one from succeeding that comes after somebody has
/// mended what was wrong.
const MOST_LEAKED: usize = 50;

/// Before anything is asked of the venue.
///
/// # Errors
/// ROTATED_TOO_OFTEN when the secret has had too many versions within a day, whoever made them. Never where a
/// person has ordered the rotation. STORE_UNAVAILABLE and the like where the versions cannot be listed; but
/// where the role may not list them, they are not counted.
pub(super) fn must_not_be_too_often(
    run: &Run<'_>,
    base: &Base,
    versions: Result<Vec<ListedVersion>, Error>,
) -> Result<(), Error> {
    if is_ordered(run, base) || wrong::is(Wrong::OftenUncounted) {
        return Ok(());
    }
    let versions = match versions {
        Ok(versions) => versions,
        Err(error) if error.error_type == ErrorType::StoreDenied => {
            tracing::warn!(
                %error,
                "the versions could not be listed: nobody knows how often the secret is rotated"
            );
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let most = if is_leaked(base) { MOST_LEAKED } else { MOST };
    let since = run.session.now() - A_DAY;
    // One whose date Secrets Manager does not tell counts as old.
    let others = versions.iter().filter(|version| version.id != *run.token());
    let count = others
        .filter(|version| version.created_at.is_some_and(|at| at > since))
        .count();
    if count <= most {
        Ok(())
    } else {
        Err(too_often(
            &format!("the secret has had {count} versions within 24 hours"),
            most,
        ))
    }
}

/// Once the account's keys are listed: where one version is labelled as leaked, which anybody may do who may
/// write the secret, the keys themselves are counted, of which a pass that gets no successor issues none.
///
/// # Errors
/// ROTATED_TOO_OFTEN when too many of the account's keys were issued for the secret within a day.
pub(super) fn must_not_have_too_many(run: &Run<'_>, base: &Base, list: &KeyList) -> Result<(), Error> {
    if is_ordered(run, base) || wrong::is(Wrong::OftenUncounted) {
        return Ok(());
    }
    let ours = Marker::new(&base.description.arn, &VersionId::new(""), 0);
    let since = list.as_of - A_DAY;
    let young = list
        .keys
        .iter()
        .filter(|key| key.created_at > since && !key.expired);
    let count = young
        .filter(|key| {
            key.marker
                .as_ref()
                .is_some_and(|marker| marker.same_secret(&ours))
        })
        .count();
    if count <= MOST {
        Ok(())
    } else {
        Err(too_often(
            &format!("{count} keys that are younger than 24 hours bear this secret's marker"),
            MOST,
        ))
    }
}

/// A person's order: this run is one's, or rehearses for one; or the emergency function has written its
/// version into a tag, which nobody can write who may only write the secret's versions.
fn is_ordered(run: &Run<'_>, base: &Base) -> bool {
    run.session.order.is_some()
        || base
            .description
            .tags
            .get(ORDER_TAG)
            .is_some_and(|token| token == run.token().as_str())
}

/// Whether any version is labelled as leaked: the current one may be a copy of it.
fn is_leaked(base: &Base) -> bool {
    base.description.compromised().is_some()
}

fn too_often(what: &str, most: usize) -> Error {
    let problem = format!(
        "{what}, and beside more than {most} no key is issued: something rotates it, or stores values, \
         again and again. CloudTrail tells who calls RotateSecret and PutSecretValue. Wait until fewer are \
         younger than 24 hours, or offer a key made by hand (CANDIDATE), which is not counted; for a key \
         that is leaked, and only then, the operation break_glass is not refused for this"
    );
    Error::new(ErrorType::RotatedTooOften, problem)
}
