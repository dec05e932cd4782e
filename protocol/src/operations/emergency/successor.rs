//! The successor of a leaked key: an ordered rotation, marked as such, and waited for.

use jiff::SignedDuration;

use crate::bounds::{POLL_PAUSE, STALENESS, after};
use crate::error::Error;
use crate::label::VersionId;
use crate::operations::answer::Row;
use crate::operations::emergency::unblock::{FRESH, begun, must_fit_pending};
use crate::operations::emergency::{Emergency, LONGEST_PAUSE, Leaked, TIME_TO_END};
use crate::operations::maintain::visit::SWITCHED_ON;
use crate::operations::pass::{is_transient, with_retries};
use crate::operations::plan::blockers;
use crate::operations::retire::end_of_life::may_be_promoted;
use crate::ports::{Description, StoreErrorKind};
use crate::rotation::rehearse;
use crate::session::{SecretSession, store_error};
use crate::wrong::{self, Wrong};

/// A second rotation is needed where a run that was under way made the leaked key current once more.
const ROTATIONS: usize = 2;

impl Emergency<'_> {
    /// Rotates until the current version names another key, and no run can make one current that names the
    /// leaked one. Whether that is so.
    pub(crate) async fn replace(&mut self, leaked: &Leaked, row: &mut Row) -> Result<bool, Error> {
        for which in 1.. {
            let description = with_retries(self.pass, || self.session.describe()).await?;
            if !self.must_be_replaced(&description, leaked).await? {
                if which > 1 {
                    self.happened("a successor is current");
                }
                return Ok(true);
            }
            if which > ROTATIONS {
                break;
            }
            self.rotate(&description, which, row).await?;
            if !self.wait_for_another(description.current()).await? {
                break;
            }
        }
        Ok(false)
    }

    pub(crate) async fn must_be_replaced(
        &self,
        description: &Description,
        leaked: &Leaked,
    ) -> Result<bool, Error> {
        let now = self.pass.now();
        let may_be = |version, value| may_be_promoted(description, version, value, now);
        let copy = self
            .copy
            .as_ref()
            .is_some_and(|(version, value)| may_be(version, value) && !wrong::is(Wrong::LeakedCopyAtOnce));
        if copy || may_be(&leaked.version, &leaked.value) {
            return Ok(true);
        }
        if description.current().is_none() {
            return Ok(false);
        }
        match self.current(description.clone()).await {
            Ok(current) => Ok(current.is_some_and(|(_, stored)| stored.may_name(&leaked.key))),
            // A rotation too many is the lesser evil.
            Err(error) if is_transient(&error) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn rotate(&mut self, description: &Description, which: usize, row: &mut Row) -> Result<(), Error> {
        if description.open_rotation().is_some() {
            return Ok(());
        }
        must_fit_pending(description)?;
        self.let_pass(&self.session.rotation_token(which)).await;
        match self.session.begin_rotation(self.pass.fleet, which).await? {
            Ok(()) => {
                self.happened("a rotation was begun");
                if !description.rotation_enabled {
                    row.did.push(SWITCHED_ON.to_owned());
                }
            }
            // It may have begun all the same, or another is under way that this one had not seen.
            Err(error) => {
                let now = with_retries(self.pass, || self.session.describe()).await?;
                let moved = now.current() != description.current();
                if error.kind != StoreErrorKind::UnknownOutcome && !moved && now.open_rotation().is_none() {
                    return Err(store_error(&error));
                }
                self.happened("a rotation is under way");
            }
        }
        Ok(())
    }

    /// Whether another version becomes current than was, before the time for that is up.
    async fn wait_for_another(&mut self, before: Option<&VersionId>) -> Result<bool, Error> {
        let (until, unseen) = (
            self.pass.now() + FRESH,
            SignedDuration::try_from(STALENESS).unwrap_or(SignedDuration::MAX),
        );
        let (mut seen, mut pause) = (self.pass.now(), POLL_PAUSE);
        loop {
            let description = with_retries(self.pass, || self.session.describe()).await?;
            if description
                .current()
                .is_some_and(|current| Some(current) != before)
            {
                return Ok(true);
            }
            let now = self.pass.now();
            if let Some(pending) = description.open_rotation() {
                seen = now;
                // Another's, which was open before or began at the same time.
                self.let_pass(pending).await;
            }
            // What has just begun may not be shown yet.
            if now.duration_since(seen) > unseen || now >= until || self.session.time_left() < TIME_TO_END {
                return Ok(false);
            }
            self.pass.ports.time.sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Marks a rotation as ordered, so that createSecret issues a key for it however often the secret was
    /// rotated.
    async fn let_pass(&mut self, token: &VersionId) {
        if self.tagged.as_ref() == Some(token) {
            return;
        }
        match self.session.tag_order(self.pass.fleet, token).await {
            Ok(()) => self.tagged = Some(token.clone()),
            Err(error) => {
                let what = format!(
                    "the rotation could not be marked as ordered ({}): createSecret counts it like any",
                    error.problem
                );
                if self.timeline.last().is_none_or(|last| last.what != what) {
                    self.happened(what);
                }
            }
        }
    }

    /// Why a rotation does not come to its end, as far as one that is only rehearsed tells, and what is still
    /// waited for. What to do about it is noted.
    pub(crate) async fn why_not(&mut self, description: &Description) -> String {
        // What is marked as ordered is not counted.
        let session = SecretSession {
            order: self.session.order.filter(|_| self.tagged.is_some()),
            ..*self.session
        };
        let rehearsed = rehearse(session, &self.pass.settings.egress, description.clone()).await;
        let blockers = blockers(self.pass, description, rehearsed);
        let mut why: Vec<String> = blockers.iter().map(|blocker| blocker.say.clone()).collect();
        let remedies: Vec<&str> = blockers.iter().map(|blocker| blocker.r#do.as_str()).collect();
        self.remedy = (!remedies.is_empty()).then(|| remedies.join("; then: "));
        why.extend(self.waited_for().await);
        if why.is_empty() {
            String::new()
        } else {
            format!(" ({})", why.join("; "))
        }
    }

    /// A rotation that is open, and until when another order waits for it.
    async fn waited_for(&self) -> Option<String> {
        let description = with_retries(self.pass, || self.session.describe()).await.ok()?;
        let pending = description.open_rotation()?;
        let until = after(
            begun(self.pass, self.session, pending).await.ok()??,
            FRESH.unsigned_abs(),
        );
        Some(format!(
            "the rotation of version {pending} is open, and waited for until {until}: the order after that \
             gives it up"
        ))
    }
}
