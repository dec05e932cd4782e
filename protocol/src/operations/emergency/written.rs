//! The order, written down as labels.

use jiff::Timestamp;

use crate::bounds::{STALENESS, is_past};
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
            if description.bears(version, &label) {
                continue;
            }
            let is_the_order = label == Label::compromised();
            self.put(label, version, description).await?;
            if is_the_order {
                self.written_at = Some(self.pass.now());
            }
        }
        Ok(())
    }

    /// Notes that a read shows the label of an order that was given before. Asked for so late, it shows that
    /// the label was there after this run began; before, a read may be older than a hand that took it off.
    pub(super) fn note_standing(&mut self, seen: &Description, version: &VersionId, asked_at: Timestamp) {
        let is_certain = is_past(self.began, STALENESS, asked_at);
        if self.written_at.is_none() && is_certain && seen.bears(version, &Label::compromised()) {
            self.written_at = Some(asked_at);
        }
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
