//! What a secret's staging labels say of its versions, and the stamps that this function keeps among them.

use super::SecretSession;
use crate::error::{Error, ErrorType};
use crate::label::{Label, MOST_LABELS, StampKind, VersionId};
use crate::ports::Description;
use crate::step::Step;
use crate::task::Task;
use crate::wrong::{self, Wrong};

impl SecretSession<'_> {
    /// Grace counts from the stamp on the replaced version: the first run other than testSecret that sees one
    /// without adds it.
    pub(crate) async fn stamp_previous(&self, description: &Description) -> Result<(), Error> {
        if wrong::is(Wrong::SwapUnstamped) && self.task == Task::Step(Step::Finish) {
            return Ok(());
        }
        let Some(previous) = unstamped_previous(description) else {
            return Ok(());
        };
        must_fit(description, 1)?;
        // What was stamped before it became current says nothing, and a condemnation would cut its grace
        // short.
        self.remove_void_stamps(description, previous).await?;
        self.add_stamp(StampKind::Replaced, previous).await
    }

    /// The stamps on a version that is current, or was until just now, say nothing: it was replaced and came
    /// back by a hand, or it was given up while it was being promoted. Left there they would count
    /// against it once it is replaced.
    pub(crate) async fn remove_void_stamps(
        &self,
        description: &Description,
        version: &VersionId,
    ) -> Result<(), Error> {
        if wrong::is(Wrong::VoidStampsKept) || wrong::is(Wrong::OldStampTrusted) {
            return Ok(());
        }
        let stamps: Vec<Label> = description
            .labels(version)
            .filter(|label| {
                label
                    .stamp()
                    .is_some_and(|stamp| stamp.kind != StampKind::Suspect)
            })
            .cloned()
            .collect();
        for stamp in stamps {
            self.remove_label(stamp, version).await?;
        }
        Ok(())
    }

    /// Sets the stamps right where nothing depends on it: finishSecret and later runs try again.
    pub(crate) async fn tidy(&self, description: &Description) {
        if let Err(error) = self.stamp_previous(description).await {
            tracing::warn!(%error, "the replaced version could not be stamped; a later run does it");
        }
        let Some(current) = description.current() else {
            return;
        };
        if let Err(error) = self.remove_void_stamps(description, current).await {
            tracing::warn!(
                %error,
                "a stamp that means nothing on the current version could not be taken off; a later run \
                 does it"
            );
        }
    }
}

/// The version that was current last, where no stamp says since when it is not.
pub(crate) fn unstamped_previous(description: &Description) -> Option<&VersionId> {
    description.holder(&Label::previous()).filter(|version| {
        let current = description.is_current(version);
        !current && !has_stamp(description, version, StampKind::Replaced)
    })
}

/// Whether a version has been current: no version becomes so twice.
pub(crate) fn was_current(description: &Description, version: &VersionId) -> bool {
    description.bears(version, &Label::previous()) || has_stamp(description, version, StampKind::Replaced)
}

/// Whether a version's end is decided: it was given up, or its grace is over. A condemnation from before it
/// was replaced says nothing: it has been current since.
pub(crate) fn is_condemned(description: &Description, version: &VersionId) -> bool {
    let latest = |kind| {
        let stamps = description
            .labels(version)
            .filter_map(Label::stamp)
            .filter(|stamp| stamp.kind == kind);
        stamps.map(|stamp| stamp.at).max()
    };
    latest(StampKind::Condemned)
        .is_some_and(|at| latest(StampKind::Replaced).is_none_or(|replaced| at >= replaced))
}

pub(crate) fn has_stamp(description: &Description, version: &VersionId, kind: StampKind) -> bool {
    description
        .labels(version)
        .any(|label| label.stamp().is_some_and(|stamp| stamp.kind == kind))
}

/// # Errors
/// LABELS_FULL when the secret has no room for so many more labels.
pub(crate) fn must_fit(description: &Description, more: usize) -> Result<(), Error> {
    let held: usize = description
        .versions
        .values()
        .map(std::collections::BTreeSet::len)
        .sum();
    if held + more <= MOST_LABELS || wrong::is(Wrong::FullLabelsIgnored) {
        return Ok(());
    }
    let problem = format!(
        "the secret holds {held} staging labels of the {MOST_LABELS} it can hold, and {more} more must \
         come: take labels off old versions whose keys are dead (aws secretsmanager \
         update-secret-version-stage --remove-from-version-id …)"
    );
    Err(Error::new(ErrorType::LabelsFull, problem))
}
