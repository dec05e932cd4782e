//! The leaked key's end.

use std::time::Duration;

use crate::bounds::{POLL_PAUSE, after};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::operations::Mode;
use crate::operations::answer::{Finding, Row};
use crate::operations::emergency::{Emergency, LONGEST_PAUSE, Leaked, TIME_TO_END};
use crate::operations::maintain::add;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::operations::retire::Retired;
use crate::ports::{Description, Which};
use crate::secret::SecretValue;
use crate::wrong::{self, Wrong};

/// How long a change takes to be known everywhere, where the venue is not known.
const SETTLING: Duration = Duration::from_mins(1);

impl Emergency<'_> {
    /// Ends the leaked key, by the rules: again, until that is proven, or the time for it is up.
    pub(super) async fn end(
        &mut self,
        leaked: &Leaked,
        is_replaced: bool,
        row: &mut Row,
    ) -> Result<(), Error> {
        let (began, mut looked_again) = (self.pass.now(), false);
        loop {
            let asked_at = self.pass.now();
            let description = with_retries(self.pass, || self.session.describe()).await?;
            self.note_standing(&description, &leaked.version, asked_at);
            let mut visit = SecretVisit::new(self.pass, self.session, &description);
            let mode = if wrong::is(Wrong::RevokedBeforeReplaced) {
                Mode::RevokeFirst
            } else {
                self.mode
            };
            (visit.order, visit.order_written) = (Some(mode), self.written_at);
            visit.revoked = self.revoked.take();
            let current = visit.current(&description).await.unwrap_or_else(|error| {
                visit.trouble(&error);
                None
            });
            let settling = current
                .as_ref()
                .map_or(SETTLING, |current| current.venue.facts().settling);
            let ended = visit
                .retire(&description, &leaked.version, current.as_ref())
                .await;
            // A look may be older than the successor: at the labels, at the value, or at who else holds the
            // key.
            let again = match &ended {
                Ok(Retired::Unproven) => true,
                Ok(Retired::Stale) => is_replaced,
                Ok(Retired::Elsewhere) => is_replaced && !std::mem::replace(&mut looked_again, true),
                Ok(Retired::Dead | Retired::NotYet) => false,
                Err(error) => matches!(
                    error.error_type,
                    ErrorType::StoreUnavailable | ErrorType::VenueUnavailable
                ),
            };
            let is_dead = matches!(ended, Ok(Retired::Dead));
            let is_stale = matches!(ended, Ok(Retired::Stale | Retired::Elsewhere));
            let pause = if is_stale { LONGEST_PAUSE } else { POLL_PAUSE };
            self.revoked = visit.revoked.take();
            self.taken_back = visit.taken_back;
            visit.note(ended.map(drop));
            let mut report = visit.over();
            // What was changed is told once, with the whole order's; and one key is retired once, whatever
            // stamp came late.
            report.row.did.clear();
            if self.builder.counted("retired") > 0 {
                report.counts.remove("retired");
            }
            if report.has_revoked {
                self.happened(format!("{} was revoked", leaked.key));
            }
            // What was proven dead stays so, whatever a later look may not show.
            let is_dead_already = |version: &str| {
                row.keys
                    .iter()
                    .any(|key| key.version == version && key.alive == Some(false))
            };
            report.row.keys.retain(|key| !is_dead_already(&key.version));
            row.keys
                .retain(|key| !report.row.keys.iter().any(|newer| newer.version == key.version));
            row.keys.append(&mut report.row.keys);
            let over = self.taken_back
                || !again
                || self.pass.now() + pause >= after(began, settling) + LONGEST_PAUSE
                || self.session.time_left() < TIME_TO_END + pause;
            // It is said once, of the last look; what others have to hear of, of the first.
            let of_this = |finding: &Finding| finding.secret == description.name.as_str();
            (self.last_look, report.findings) = report.findings.into_iter().partition(of_this);
            add(&mut self.builder, report);
            if is_dead && self.dead_at.is_none() {
                self.dead_at = Some(self.pass.now());
                self.happened(format!("{} is proven dead", leaked.key));
            }
            if over {
                return Ok(());
            }
            if is_stale {
                self.pass.read_holders_anew().await;
            }
            self.pass.ports.time.sleep(pause).await;
        }
    }

    /// The open rotation's version, where it names the leaked key: a run that has looked at it may promote it
    /// though it is given up.
    pub(super) async fn open_copy(
        &self,
        description: &Description,
        leaked: &Leaked,
    ) -> Result<Option<(VersionId, SecretValue)>, Error> {
        let Some(pending) = description.open_rotation() else {
            return Ok(None);
        };
        let stored = with_retries(self.pass, || self.session.read(Which::Version(pending))).await?;
        let value = stored.and_then(|stored| stored.value().ok());
        Ok(value
            .filter(|value| value.names(&leaked.key))
            .map(|value| (pending.clone(), value)))
    }

    /// Whether a run may make the leaked key current that is not: where that is not certain, an order to
    /// revoke it first goes ahead.
    pub(super) async fn is_not_used_yet(&self, description: &Description, leaked: &Leaked) -> bool {
        let current = self.current(description.clone()).await;
        current.is_ok_and(|current| current.is_some_and(|(_, stored)| !stored.may_name(&leaked.key)))
    }
}
