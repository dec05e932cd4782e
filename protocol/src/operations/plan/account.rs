//! The account's list of keys: whether there is room for another, and how far the clocks are apart.

use jiff::SignedDuration;

use crate::operations::plan::Planning;
use crate::operations::retire::grace::Origin;
use crate::ports::{Description, KeyList, ListedKey};
use crate::rotation::settled;
use crate::secret::SecretValue;
use crate::session::was_current;

/// The venue's clock and ours may be so far apart; beyond, requests begin to be refused.
const CLOCKS: SignedDuration = SignedDuration::from_secs(2);

impl Planning<'_> {
    pub(super) fn list(
        &mut self,
        description: &Description,
        value: &SecretValue,
        venue: &dyn crate::ports::Venue,
        list: &KeyList,
    ) {
        if let Some(most) = venue.facts().most_keys {
            let delete = "delete keys at the venue that nothing uses";
            match most.saturating_sub(list.keys.len()) {
                // Where the venue refuses, createSecret revokes what was issued for this secret and never
                // stored, and asks again.
                0 if may_make_room(description, value, list) => {
                    self.warning(
                        format!(
                            "the account has {} keys, and room only where one is revoked first",
                            list.keys.len()
                        ),
                        delete,
                    );
                }
                0 => self.blocker(
                    format!(
                        "the account has {} keys, and as far as anybody says no room for another",
                        list.keys.len()
                    ),
                    delete,
                ),
                1 => self.warning(
                    format!("the account has {} keys, and room for one more", list.keys.len()),
                    "delete what nothing uses",
                ),
                _ => {}
            }
        }
        let apart = self.pass.now().duration_since(list.as_of).abs();
        if apart > CLOCKS {
            self.warning(
                format!(
                    "this function's clock and the venue's are {:.1} s apart",
                    apart.as_secs_f64()
                ),
                "nothing: requests are signed by the venue's clock; find out which of the two is off",
            );
        }
    }
}

/// Whether a key may have been issued for this secret and never stored.
fn may_make_room(description: &Description, value: &SecretValue, list: &KeyList) -> bool {
    let origin = |version, key: &ListedKey| Origin::of(description, version, &key.key_id, Some(list));
    // One that was given up may hold another key, or none.
    let of_a_version = |key: &ListedKey| {
        let mut versions = description.versions.keys();
        versions.any(|version| {
            was_current(description, version) && origin(Some(version), key) == Origin::IssuedForIt
        })
    };
    let others = list
        .keys
        .iter()
        .filter(|key| key.key_id != value.credential.key_id);
    let mut ours = others.filter(|key| origin(None, key).is_issued());
    ours.any(|key| settled(key, list) && !of_a_version(key))
}
