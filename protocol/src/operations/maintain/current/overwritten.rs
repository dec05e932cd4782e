//! A current value that was not built for its version: a hand put it there.

use jiff::Timestamp;

use crate::error::Error;
use crate::operations::maintain::current::{Current, NEAREST};
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::operations::retire::end_of_life::{is_copy, is_ours};
use crate::operations::retire::grace::Origin;
use crate::operations::retire::liveness::shows_alive;
use crate::ports::{Description, Which};
use crate::session::was_current;

/// The tag that says when this function rotated the secret last.
pub(crate) const LAST_ROTATED: &str = "LastRotated";

impl SecretVisit<'_> {
    /// Whether the current value is not one that was built for its version, though this function has built
    /// others: one that was current before, or the very value, which somebody stored again.
    pub(super) async fn is_overwritten(
        &self,
        description: &Description,
        current: &Current,
    ) -> Result<bool, Error> {
        let Current { version, value, .. } = current;
        if is_ours(value, version) {
            // Whoever stores a value chooses its version's id, and what it says of itself: the account's list
            // tells whose the key is.
            let (key, list) = (&value.credential.key_id, current.list());
            let is_shown = list.is_some_and(|list| shows_alive(list, key));
            let origin = Origin::of(description, Some(version), key, list);
            return Ok(!is_copy(value) && is_shown && origin != Origin::IssuedForIt);
        }
        if value.rotation.is_some() {
            return Ok(true);
        }
        // A second value that is put there makes the first one AWSPREVIOUS: ours is further back.
        for other in description
            .versions
            .keys()
            .filter(|other| *other != version && was_current(description, other))
        {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(other))).await?;
            let before = stored.and_then(|stored| stored.value().ok());
            if before.is_some_and(|before| is_ours(&before, other)) {
                return Ok(true);
            }
        }
        // A pass has said it while a label told.
        if self.pass.request.operation().only_reads() {
            self.was_ours(description).await
        } else {
            Ok(false)
        }
    }

    /// Whether a version that bears no label any more is the one that this function last rotated to, as the
    /// tag of that time says. Anybody may write such a tag, and nobody else such a value.
    async fn was_ours(&self, description: &Description) -> Result<bool, Error> {
        let rotated: Option<Timestamp> = description.tags.get(LAST_ROTATED).and_then(|at| at.parse().ok());
        let Some(rotated) = rotated else { return Ok(false) };
        let mut versions = with_retries(self.pass, || self.session.versions()).await?;
        versions.retain(|version| !description.versions.contains_key(&version.id));
        versions.sort_by_key(|version| version.created_at.map(|at| rotated.duration_since(at).abs()));
        for version in versions
            .iter()
            .filter(|version| version.created_at.is_some())
            .take(NEAREST)
        {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(&version.id))).await?;
            let value = stored.and_then(|stored| stored.value().ok());
            if value.is_some_and(|value| value.created_at == Some(rotated) && is_ours(&value, &version.id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
