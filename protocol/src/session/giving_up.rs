//! Giving up a pending version: it is condemned, then loses AWSPENDING, so that the next rotation starts
//! fresh instead of repeating this one for ever.

use super::{SecretSession, has_stamp, must_fit, was_current};
use crate::error::{Error, ErrorType};
use crate::label::{Label, StampKind, VersionId};
use crate::ports::Description;
use crate::wrong::{self, Wrong};

impl SecretSession<'_> {
    /// Gives a pending version up.
    ///
    /// A run that promotes it at the same time is not stopped by this, so the labels are looked at before and
    /// after; what then remains on a version that became current all the same is taken off by the next
    /// run that sees it.
    pub(crate) async fn give_up(&self, token: &VersionId, reason: &str) -> Result<(), Error> {
        let description = self.describe().await?;
        must_still_be_pending(&description, token)?;
        tracing::error!(version = %token, reason, "giving up a pending version that can never be promoted");
        let is_shown = was_current(&description, token);
        let has_been = is_shown || self.known.has_seen_current(description.name.as_str(), token);
        if has_been && !wrong::is(Wrong::ReplacedCondemned) {
            // Its key is in its grace, and a condemnation would cut that short.
            if is_shown {
                self.tidy(&description).await;
            }
            return self.remove_label(Label::pending(), token).await;
        }
        if !has_stamp(&description, token, StampKind::Condemned) && !wrong::is(Wrong::DoomUncondemned) {
            must_fit(&description, 1)?;
            self.add_stamp(StampKind::Condemned, token).await?;
            let after = self.describe().await?;
            if after.is_current(token) {
                self.remove_void_stamps(&after, token).await?;
                must_still_be_pending(&after, token)?;
            }
        }
        if wrong::is(Wrong::DoomedKeepsPending) {
            return Ok(());
        }
        self.remove_label(Label::pending(), token).await
    }
}

fn must_still_be_pending(description: &Description, token: &VersionId) -> Result<(), Error> {
    if !description.is_current(token) && description.bears(token, &Label::pending()) {
        return Ok(());
    }
    let problem = "the version's labels changed while it was looked at: the step can be repeated";
    Err(Error::new(ErrorType::StoreUnavailable, problem))
}
