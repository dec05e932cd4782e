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

/// Whether a key bears this secret's marker at the venue.
pub(crate) fn is_marked(description: &Description, key: &KeyId, list: Option<&KeyList>) -> bool {
    let ours = Marker::new(&description.arn, &VersionId::new(""), 0);
    let listed = list.and_then(|list| list.key(key));
    listed
        .and_then(|listed| listed.marker.as_ref())
        .is_some_and(|marker| marker.same_secret(&ours))
}

/// Whether a key counts as issued for this secret: the account's list shows its marker; or the list does not
/// show the key, so that it is dead or was made by hand, and the value says that it was issued. Who goes by
/// the latter may end nothing that answers.
pub(crate) fn counts_as_issued(
    description: &Description,
    version: &VersionId,
    value: &SecretValue,
    list: Option<&KeyList>,
) -> bool {
    let key = &value.credential.key_id;
    let is_gone = list.is_some_and(|list| !shows_alive(list, key));
    is_marked(description, key, list) || is_gone && is_ours(value, version) && !is_copy(value)
}

/// Whether the account's list shows that a key was issued for this very version.
pub(crate) fn was_issued_for(
    description: &Description,
    version: &VersionId,
    key: &KeyId,
    list: Option<&KeyList>,
) -> bool {
    let ours = Marker::new(&description.arn, version, 0);
    let listed = list.and_then(|list| list.key(key));
    listed
        .and_then(|listed| listed.marker.as_ref())
        .is_some_and(|marker| marker.same_token(&ours))
}
