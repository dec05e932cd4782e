//! The current key, and the one that would take its place.

use std::time::Duration;

use jiff::Timestamp;

use crate::bounds::after;
use crate::operations::commands::day;
use crate::operations::plan::Planning;
use crate::operations::schedule::next_rotation;
use crate::ports::{Description, KeyState};
use crate::secret::Addresses;

impl Planning<'_> {
    pub(super) fn current(&mut self, description: &Description, made: Option<Timestamp>, state: &KeyState) {
        let dropped = state.powers.not_granted();
        if !dropped.is_empty() {
            let say = format!(
                "the current key may do what its successor will not: {}",
                dropped.join(", ")
            );
            self.warning(say, "see that no bot needs it");
        }
        if let (Some(Addresses::Only(held)), missing) = (state.addresses.exact(), &self.pass.settings.egress)
        {
            let missing: Vec<&str> = missing
                .iter()
                .filter(|own| !held.contains(own))
                .map(crate::secret::Address::as_str)
                .collect();
            if !missing.is_empty() {
                let say = format!(
                    "the current key is not bound to this function's {}",
                    missing.join(", ")
                );
                self.warning(
                    say,
                    "its successor will be; where calls leave from one of these, this key is refused",
                );
            }
        }
        if let (Some(expires), Some(next)) = (
            state.expires_at,
            next_rotation(description, made, self.pass.now()),
        ) && expires < after(next, self.grace)
        {
            let say = format!(
                "the current key expires on {}, before the rotation that ends by {} and its grace",
                day(expires),
                day(next)
            );
            self.warning(say, "rotate now, or more often");
        }
    }

    /// A key without addresses dies by itself, perhaps before it is rotated.
    pub(super) fn unbound(&mut self, description: &Description, life: Option<Duration>) {
        let (Some(life), Some(schedule)) = (life, &description.schedule) else {
            return;
        };
        let Some(interval) = schedule.interval() else {
            return;
        };
        let window = schedule.window();
        if interval + window + self.pass.settings.grace >= life {
            let say = format!(
                "a key without addresses lives {} days, and one is needed for {} days, a window of {} hours \
                 and the grace",
                life.as_secs() / 86_400,
                interval.as_secs() / 86_400,
                window.as_secs() / 3600
            );
            self.warning(
                say,
                "bind keys to addresses in policy.ip_allowlist, or rotate more often",
            );
        }
    }
}
