//! The master credential: whether it can issue keys, and may do no more than it has to.

use crate::operations::commands::day;
use crate::operations::plan::Planning;
use crate::ports::KeyState;
use crate::secret::Addresses;

impl Planning<'_> {
    pub(super) fn master(&mut self, venue: &dyn crate::ports::Venue, master: &KeyState) {
        if let Some(kind) = master.kind {
            self.warning(
                format!("the master credential is {kind}"),
                "make one that is the account's own HMAC key",
            );
        }
        if let Err(lacks) = venue.may_issue(master) {
            self.blocker(
                format!("the master credential cannot issue keys: {lacks}"),
                "make a better one, and store it in its secret",
            );
        }
        match master.addresses.exact() {
            None => {}
            Some(Addresses::Any) => self.warning(
                "the master credential may be used from anywhere",
                "bind it to this function's address: who has it can issue keys",
            ),
            Some(Addresses::Only(held)) => {
                let missing: Vec<&str> = self
                    .pass
                    .settings
                    .egress
                    .iter()
                    .filter(|own| !held.contains(own))
                    .map(crate::secret::Address::as_str)
                    .collect();
                if !missing.is_empty() {
                    self.blocker(
                        format!(
                            "the master credential is not bound to this function's {}",
                            missing.join(", ")
                        ),
                        "add it to the master key's addresses at the venue",
                    );
                }
            }
        }
        if master.powers.may_withdraw() {
            self.warning(
                "the master credential may withdraw, which issuing keys does not need",
                "make one that may not",
            );
        }
        if let Some(expires) = master.expires_at {
            self.warning(
                format!("the master credential expires on {}", day(expires)),
                "replace it before, or bind it to addresses",
            );
        }
    }
}
