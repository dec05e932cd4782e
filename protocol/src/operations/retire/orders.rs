//! The orders about a leaked key that findings tell a person to give.

use crate::label::VersionId;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::event;
use crate::operations::{Mode, OperationRequest};
use crate::secret::KeyId;
use crate::task::Operation;

impl SecretVisit<'_> {
    /// The order that gets the current key, which a version names as leaked, a successor first.
    pub(crate) fn order_to_replace(&self, version: &VersionId) -> String {
        self.order_with(version, Mode::ReplaceFirst, None)
    }

    /// The order that ends a leaked key whoever else may have it.
    pub(super) fn order_for(&self, version: &VersionId) -> String {
        self.order_with(version, Mode::RevokeFirst, None)
    }

    /// The order that is carried out, once more.
    pub(crate) fn order_again(&self, version: &VersionId) -> String {
        self.order_with(version, self.order.unwrap_or(Mode::ReplaceFirst), None)
    }

    /// The same to revoke it first, which names the key itself.
    pub(crate) fn order_for_key(&self, version: &VersionId, key: &KeyId) -> String {
        self.order_with(version, Mode::RevokeFirst, Some(key))
    }

    fn order_with(&self, version: &VersionId, mode: Mode, key: Option<&KeyId>) -> String {
        let order = self.pass.request.order();
        let (reason, incident) = order.map_or(("<what happened>", "<number>"), |order| {
            (order.reason.as_str(), order.incident.as_str())
        });
        let mode = match mode {
            Mode::ReplaceFirst => "replace_first",
            Mode::RevokeFirst => "revoke_first",
        };
        let fields = [
            ("secret", self.name.as_str()),
            ("version", version.as_str()),
            ("mode", mode),
            ("reason", reason),
            ("incident", incident),
        ];
        let mut event = event(Operation::BreakGlass, &fields);
        if let Some(key) = key {
            let fingerprint = key.fingerprint();
            event.insert(
                "fingerprint".to_owned(),
                fingerprint.split(' ').next().unwrap_or_default().into(),
            );
        }
        if matches!(
            self.pass.request,
            OperationRequest::BreakGlass {
                no_successor: true,
                ..
            }
        ) {
            event.insert("no_successor".to_owned(), true.into());
        }
        self.pass.command_of(Operation::BreakGlass, event)
    }
}
