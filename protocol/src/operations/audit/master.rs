//! What an audit says of the master credential.

use std::time::Duration;

use jiff::Timestamp;

use crate::bounds::after;
use crate::operations::answer::Code;
use crate::operations::commands::{day, store_another};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::schedule::next_rotation;
use crate::ports::Description;
use crate::session::Master;

/// So long before its end a master credential is a matter of hours.
const A_WEEK: Duration = Duration::from_hours(7 * 24);

impl SecretVisit<'_> {
    /// A master that lists keys and cannot issue any, or not for much longer, keeps every rotation from
    /// happening: told once for all its children.
    pub(crate) async fn look_at_master(&mut self, description: &Description, current: &Current) {
        let Ok((master, _)) = &current.master else { return };
        let key = &master.signer.credential.key_id;
        // Whether it is accepted at all, the list has told.
        let Some(state) = self.pass.state_of(current.venue.as_ref(), master).await else {
            return;
        };
        if let Some(expires) = state.expires_at {
            self.master_expires(description, current, master, expires);
        }
        if !self.pass.is_news(format!("master {}", key.fingerprint())) {
            return;
        }
        if let Err(lacks) = current.venue.may_issue(&state) {
            let say = format!(
                "the master credential {key} in {} cannot issue keys: {lacks}",
                master.secret.as_str()
            );
            self.find(Code::MasterUnusable, say, store_another(&master.secret));
        }
    }

    /// After a master's end nothing of its accounts can be issued, listed or revoked.
    fn master_expires(
        &mut self,
        description: &Description,
        current: &Current,
        master: &Master,
        expires: Timestamp,
    ) {
        let key = &master.signer.credential.key_id;
        let what_to_do = store_another(&master.secret);
        let say = format!(
            "the master credential {key} in {} expires on {}",
            master.secret.as_str(),
            day(expires)
        );
        let next = next_rotation(description, current.value.created_at, self.pass.now());
        let is_news = || self.pass.is_news(format!("end of {}", key.fingerprint()));
        if expires < after(self.pass.now(), A_WEEK) {
            if is_news() {
                self.find(Code::MasterExpiring, say, what_to_do);
            }
        } else if let Some(next) =
            next.filter(|next| expires < after(*next, self.pass.settings.longest_grace()))
            && is_news()
        {
            let say = format!(
                "{say}, and is needed for the rotation that is over by {} and for the end of its grace",
                day(next)
            );
            self.find(Code::ExpiresBeforeRotation, say, what_to_do);
        }
    }
}
