//! What an audit says of a secret's rotation: whether it is stuck, switched off or overdue.

use crate::operations::answer::{Code, RotationState};
use crate::operations::commands::{day, rotate, switch_on};
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::schedule::{overdue_since, stuck_since};
use crate::ports::Description;
use crate::session::was_current;
use crate::task::Operation;

impl SecretVisit<'_> {
    pub(super) async fn standing(&mut self, description: &Description) -> RotationState {
        if description.deleted {
            return RotationState::Deleted;
        }
        if self.tell_of_stuck_rotation(description).await {
            return RotationState::Stuck;
        }
        let open = description.open_rotation();
        if !description.rotation_enabled {
            self.find(
                Code::RotationOff,
                "rotation is switched off",
                switch_on(&self.name),
            );
            return RotationState::SwitchedOff;
        }
        if let Some(since) = overdue_since(description, self.pass.now()) {
            let say = format!("a rotation should have been over on {}", day(since));
            let what_to_do = format!(
                "read the log of the rotation function; then: {}",
                rotate(&self.name)
            );
            self.find(Code::Overdue, say, what_to_do);
        }
        if open.is_some() {
            RotationState::InFlight
        } else {
            RotationState::Idle
        }
    }

    /// Whether a rotation has been open for too long: a finding.
    pub(crate) async fn tell_of_stuck_rotation(&mut self, description: &Description) -> bool {
        let Some(pending) = description.open_rotation() else {
            return false;
        };
        let since = stuck_since(self.pass, self.session, pending)
            .await
            .unwrap_or_else(|error| {
                self.trouble(&error);
                None
            });
        let Some(since) = since else { return false };
        let was = if was_current(description, pending) {
            ", though it was current once,"
        } else {
            ""
        };
        let say = format!(
            "a rotation has been open since {since}: version {pending} is AWSPENDING{was} and blocks every \
             other"
        );
        let what_to_do = format!(
            "read the log of the rotation function; then: {}",
            self.pass.command(Operation::Abandon, &self.name)
        );
        self.find(Code::StuckPending, say, what_to_do);
        true
    }
}
