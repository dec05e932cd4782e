//! What createSecret's own reading and asking has come to.

use crate::error::ErrorType;
use crate::operations::answer::{Code, Planned};
use crate::operations::commands::{put_right, serve};
use crate::operations::pass::told;
use crate::operations::plan::Planning;
use crate::operations::plan::calls::{COPYING, ISSUING};
use crate::operations::retire::grace::Origin;
use crate::ports::{Description, ErrorClass};
use crate::rotation::{Issuing, Rehearsal};
use crate::secret::{Addresses, SecretValue, Source};
use crate::session::has_master;

impl Planning<'_> {
    pub(super) fn rehearsed(
        &mut self,
        description: &Description,
        rehearsal: &Rehearsal,
        planned: &mut Planned,
    ) {
        let Rehearsal {
            value,
            venue,
            source,
            current,
            issuing,
            wanted,
        } = rehearsal;
        let list = issuing
            .as_ref()
            .and_then(|issuing| issuing.list.as_ref()?.as_ref().ok());
        let issued = Origin::of(description, None, &value.credential.key_id, list).is_issued();
        self.grace = self.pass.settings.grace_of(issued);
        planned.grace_hours = Some(self.grace.as_secs() / 3600);
        if !issued {
            let say = format!(
                "the current key was made by hand: once replaced it stays alive for {} hours, since it may \
                 sit in a file somewhere",
                self.grace.as_secs() / 3600
            );
            self.find(Code::AdoptionGrace, say, "look for the places that use it");
        }
        planned.source = Some(match source {
            Source::Issued => "issued",
            Source::Candidate => "candidate",
            Source::Rollback => "rollback",
        });
        planned.calls = if *source == Source::Issued {
            ISSUING.to_vec()
        } else {
            COPYING.to_vec()
        };
        let listed = list.and_then(|list| list.key(&value.credential.key_id));
        let kind = current
            .as_ref()
            .ok()
            .and_then(|state| state.kind)
            .or(listed.and_then(|listed| listed.kind));
        if let Some(kind) = kind {
            self.warning(
                format!("the current key is {kind}"),
                "see that its successor, which is the account's own HMAC key, serves its bots",
            );
        }
        match current {
            Ok(state) => self.current(description, value.created_at, state),
            Err(error) if error.class == ErrorClass::Denied => {
                self.warning(
                    format!("the current key may not be used from this function's address: {error}"),
                    "its successor will be; add the address to the key where you can",
                );
            }
            // Nobody can end that.
            Err(error) if error.class == ErrorClass::NotAsked => {}
            Err(error) => self.warning(
                format!(
                    "the current key does not answer, so its successor is built from the value alone: \
                     {error}"
                ),
                "check `subaccount` and `policy` in the value",
            ),
        }
        if value.master_arn.is_some() && !has_master(venue.as_ref(), value) {
            self.warning(
                format!(
                    "the value names a master credential, and no credential issues keys at {}",
                    venue.id()
                ),
                "take `masterarn` out of the value",
            );
        }
        if let Some(issuing) = issuing {
            if matches!(issuing.by, Some((_, false))) && wanted.is_ok() {
                let say = "the master's value does not say whom it serves: this secret gets no more than \
                           its own key proves, and a dead key has no successor";
                let command = self.serving(issuing).unwrap_or_default();
                self.find(Code::MasterUnscoped, say, command);
            }
            self.issuing(description, value, venue.as_ref(), issuing);
        }
        match wanted {
            Ok((account, grant)) => {
                planned.account = Some(account.to_string());
                planned.permissions = grant.permissions.iter().map(ToString::to_string).collect();
                planned.addresses = Some(grant.addresses.to_string());
                if grant.addresses == Addresses::Any {
                    self.unbound(description, venue.facts().unbound_life);
                }
            }
            Err(error) if error.error_type == ErrorType::ScopeRefused => {
                let command = issuing.as_ref().and_then(|issuing| self.serving(issuing));
                self.blocker(told(error), command.unwrap_or_else(|| put_right(&self.name)));
            }
            // Said of the master or of the list already.
            Err(error) if issuing.as_ref().is_some_and(is_said) => {}
            Err(error) => self.error(error),
        }
    }

    fn issuing(
        &mut self,
        description: &Description,
        value: &SecretValue,
        venue: &dyn crate::ports::Venue,
        issuing: &Issuing,
    ) {
        match &issuing.master {
            Ok(master) => self.master(venue, master),
            Err(error) => self.error(error),
        }
        match &issuing.list {
            Some(Ok(list)) => self.list(description, value, venue, list),
            // A master that is not accepted lists nothing either.
            Some(Err(error))
                if issuing
                    .master
                    .as_ref()
                    .is_err_and(|said| said.error_type == error.error_type) => {}
            Some(Err(error)) => self.error(error),
            None => {}
        }
    }

    /// The command that has the master's value say that it serves this secret as it is asked for.
    fn serving(&self, issuing: &Issuing) -> Option<String> {
        let ((master, _), (account, grant)) = (issuing.by.as_ref()?, issuing.asked.as_ref()?);
        Some(serve(master, &self.name, Some(account), Some(grant)))
    }
}

/// Whether there is no key since the master cannot be read, or lists no keys.
fn is_said(issuing: &Issuing) -> bool {
    issuing.by.is_none() || matches!(issuing.list, Some(Err(_)))
}
