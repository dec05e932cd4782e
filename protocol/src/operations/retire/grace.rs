//! How long a replaced key stays alive, and who made it, which decides that. What a value says of its key is
//! the word of whoever may write the value: the account's list tells.

use std::time::Duration;

use crate::label::VersionId;
use crate::marker::Marker;
use crate::operations::OperationSettings;
use crate::operations::retire::end_of_life::{is_copy, is_ours};
use crate::operations::retire::liveness::shows_alive;
use crate::ports::{Description, KeyList};
use crate::secret::{KeyId, SecretValue};

impl OperationSettings {
    /// How long a key stays alive that was made by hand.
    pub(crate) fn longest_grace(&self) -> Duration {
        self.grace.max(self.adoption_grace)
    }

    /// How long a replaced key stays alive: one that this function issued is nowhere but in the secret.
    pub(crate) fn grace_of(&self, issued: bool) -> Duration {
        if issued { self.grace } else { self.longest_grace() }
    }
}

/// Who made a key that a secret names, as the account's list tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It bears the marker of the very version that was asked about.
    IssuedForIt,
    /// It bears this secret's marker, of another version.
    Issued,
    /// It is alive without this secret's marker: a hand made it, or it was issued for another secret.
    ByHand,
    /// The list does not show it alive: it is dead, or of another account.
    Gone,
    /// There is no list.
    Unknown,
}

impl Origin {
    /// Who made a key, asked about a version of the secret where that counts.
    pub(crate) fn of(
        description: &Description,
        version: Option<&VersionId>,
        key: &KeyId,
        list: Option<&KeyList>,
    ) -> Self {
        let Some(list) = list else { return Self::Unknown };
        let marker = list.key(key).and_then(|listed| listed.marker.as_ref());
        let ours = |version: &VersionId| Marker::new(&description.arn, version, 0);
        match marker {
            Some(marker) if version.is_some_and(|version| marker.same_token(&ours(version))) => {
                Self::IssuedForIt
            }
            Some(marker) if marker.same_secret(&ours(&VersionId::new(""))) => Self::Issued,
            _ if shows_alive(list, key) => Self::ByHand,
            _ => Self::Gone,
        }
    }

    /// Whether the list shows that it was issued for this secret.
    pub(crate) fn is_issued(self) -> bool {
        match self {
            Self::IssuedForIt | Self::Issued => true,
            Self::ByHand | Self::Gone | Self::Unknown => false,
        }
    }

    /// Whether it counts as issued for this secret: of a key that is gone its value tells, too. Who goes by
    /// that may end nothing that answers.
    pub(crate) fn counts_as_issued(self, version: &VersionId, value: &SecretValue) -> bool {
        self.is_issued() || self.was_issued_by(version, value)
    }

    /// Whether it is gone, and its value says that it was issued.
    pub(crate) fn was_issued_by(self, version: &VersionId, value: &SecretValue) -> bool {
        self == Self::Gone && is_ours(value, version) && !is_copy(value)
    }
}
