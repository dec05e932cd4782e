//! The labels of a version that is retired: it is condemned, and loses what says of an end that is over.

use crate::bounds::{UNSETTLED, is_past};
use crate::error::Error;
use crate::label::{Label, StampKind, VersionId};
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::{Named, holding};
use crate::operations::retire::end_of_life::EndOfLife;
use crate::ports::Description;
use crate::secret::KeyId;
use crate::session::must_fit;

impl SecretVisit<'_> {
    pub(super) async fn condemn(
        &mut self,
        description: &Description,
        version: &VersionId,
        key: &KeyId,
    ) -> Result<(), Error> {
        let what = format!("condemn version {version}: {key} is to die");
        if self.would(&what) {
            return Ok(());
        }
        let old: Vec<Label> = description
            .labels(version)
            .filter(|label| {
                label
                    .stamp()
                    .is_some_and(|stamp| stamp.kind == StampKind::Condemned)
            })
            .cloned()
            .collect();
        for label in &old {
            self.session.remove_label(label.clone(), version).await?;
        }
        must_fit(description, usize::from(old.is_empty()))?;
        self.session.add_stamp(StampKind::Condemned, version).await?;
        self.count("condemned");
        Ok(())
    }

    /// Takes the labels off a version that names no living key.
    pub(crate) async fn forget(&mut self, version: &VersionId) -> Result<(), Error> {
        if self.shed(version, "its key is dead", says_of_the_end).await? {
            self.count("retired");
        }
        Ok(())
    }

    /// Whether a version that was given up says nothing that another does not: its key was there before, and
    /// is held by another label, or in the grace of a version that was current with it. Nobody could
    /// offer that key again while this one is condemned.
    pub(super) fn has_no_more_to_say(
        &self,
        description: &Description,
        version: &VersionId,
        ending: EndOfLife,
        named: &Named,
    ) -> bool {
        let was_given_up = ending
            .condemned
            .is_some_and(|at| is_past(at, UNSETTLED, self.pass.now()));
        let holds_itself = description.labels(version).any(|label| holding().contains(label));
        let is_told = !named.held.is_empty() || !named.stamps.is_empty();
        let never_current = ending.replaced.is_none() && !description.bears(version, &Label::previous());
        ending.was_there && never_current && !ending.compromised && was_given_up && !holds_itself && is_told
    }

    /// Takes labels off a version that is not current. Whether there were any, or would be.
    pub(super) async fn shed(
        &mut self,
        version: &VersionId,
        why: &str,
        which: impl Fn(&Label) -> bool,
    ) -> Result<bool, Error> {
        let what = format!("take the labels off version {version}: {why}");
        if self.would(&what) {
            return Ok(true);
        }
        let description = self.session.describe().await?;
        // Labels that say what is over may say so until the next pass.
        if description.is_current(version) || description.is_being_replicated() && self.order.is_none() {
            return Ok(false);
        }
        let mut labels: Vec<Label> = description
            .labels(version)
            .filter(|label| which(label))
            .cloned()
            .collect();
        // AWSPREVIOUS first: without it no pass stamps the version anew. REVOKE_FIRST says nothing alone. The
        // stamp that says most goes last.
        labels.sort_by_key(|label| {
            let is_replaced = label
                .stamp()
                .is_some_and(|stamp| stamp.kind == StampKind::Replaced);
            (
                *label != Label::previous(),
                *label != Label::revoke_first(),
                is_replaced,
            )
        });
        let any = !labels.is_empty();
        for label in labels {
            self.session.remove_label(label, version).await?;
        }
        Ok(any)
    }
}

/// Whether a label says of a version what becomes of its key.
pub(super) fn says_of_the_end(label: &Label) -> bool {
    label.stamp().is_some()
        || [Label::previous(), Label::compromised(), Label::revoke_first()].contains(label)
}

pub(super) fn is_condemnation(label: &Label) -> bool {
    label
        .stamp()
        .is_some_and(|stamp| stamp.kind == StampKind::Condemned)
}
