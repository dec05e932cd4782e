//! How often a secret may have a new key. Whoever may write one secret could otherwise fill the key slots of an account that others
//! share, and make so many calls that the venue bans the address that they leave from.

use jiff::{SignedDuration, Timestamp};

use super::create::Base;
use super::run::Run;
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::hand::ORDER_TAG;
use crate::label::Label;
use crate::ports::ListedVersion;

/// What is counted: the versions of so long.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// The most versions of a day beside which another key is issued.
const MOST: usize = 10;
/// The same where the current version is labelled as leaked. A pass that gets no successor begins a rotation each hour, and each leaves
/// a version: those may not keep the one from succeeding that comes after somebody has mended what was wrong.
const MOST_LEAKED: usize = 50;

/// # Errors
/// ROTATED_TOO_OFTEN when the secret has had too many versions within a day, whoever made them. Never where a person has ordered the
/// rotation: the emergency function writes its version into a tag, which nobody can write who may only write the secret's versions.
pub(super) fn must_not_be_too_often(
    run: &Run<'_>,
    base: &Base,
    versions: Result<Vec<ListedVersion>, Error>,
) -> Result<(), Error> {
    let versions = versions.unwrap_or_else(|error| {
        tracing::warn!(%error, "the versions could not be listed: nobody knows how often the secret is rotated");
        Vec::new()
    });
    let tagged = base.description.tags.get(ORDER_TAG).is_some_and(|token| token == run.token().as_str());
    if run.hand.order.is_some() || tagged || wrong::is(Wrong::OftenUncounted) {
        return Ok(());
    }
    let leaked = base.description.holder(&Label::compromised()) == Some(&base.version);
    let most = if leaked { MOST_LEAKED } else { MOST };
    let count = made_since(&versions, run.hand.now() - A_DAY).filter(|version| version.id != *run.token()).count();
    if count <= most {
        return Ok(());
    }
    let problem = format!(
        "the secret has had {count} versions within 24 hours, and beside more than {most} no key is issued: something rotates it, or \
         stores values, again and again. CloudTrail tells who calls RotateSecret and PutSecretValue. A later rotation succeeds once \
         fewer are younger than 24 hours; the operation break_glass is never refused for this"
    );
    Err(Error::new(ErrorType::RotatedTooOften, problem))
}

/// The versions that were made since then. One whose date Secrets Manager does not tell counts as old.
fn made_since(versions: &[ListedVersion], since: Timestamp) -> impl Iterator<Item = &ListedVersion> {
    versions.iter().filter(move |version| version.created_at.is_some_and(|at| at > since))
}
