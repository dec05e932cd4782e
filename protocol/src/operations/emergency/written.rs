//! The order, written down as labels.

use crate::error::Error;
use crate::label::{Label, VersionId};
use crate::operations::Mode;
use crate::operations::emergency::Emergency;
use crate::ports::{Description, LabelMove};

impl Emergency<'_> {
    /// Writes the order down. A label sits on one version: another leaked one keeps it until its key is dead.
    pub(super) async fn mark(&mut self, description: &Description, version: &VersionId) -> Result<(), Error> {
        self.stood = description.bears(version, &Label::compromised());
        let first = Label::revoke_first();
        let (labels, taken_back) = match self.mode {
            Mode::ReplaceFirst => (vec![Label::compromised()], description.bears(version, &first)),
            Mode::RevokeFirst => (vec![Label::compromised(), first.clone()], false),
        };
        if taken_back {
            self.session.remove_label(first, version).await?;
        }
        for label in labels {
            if !description.bears(version, &label) {
                self.put(label, version, description).await?;
            }
            // COMPROMISED comes first.
            self.written_at.get_or_insert(self.pass.now());
        }
        Ok(())
    }

    async fn put(&mut self, label: Label, version: &VersionId, before: &Description) -> Result<(), Error> {
        // COMPROMISED on another version is another order.
        let from = before
            .holder(&label)
            .filter(|_| label == Label::revoke_first())
            .cloned();
        let change = LabelMove {
            label: label.clone(),
            to: Some(version.clone()),
            from,
        };
        self.session.move_label(change, version).await?;
        self.happened(format!("version {version} is labelled {label}"));
        Ok(())
    }
}
