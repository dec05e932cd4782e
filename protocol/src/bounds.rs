//! The protocol's times.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// L: the longest a run can live. Source: AWS Lambda quotas, function timeout.
pub(crate) const LONGEST_RUN: Duration = Duration::from_mins(15);
/// S: how stale a read of Secrets Manager may be.
pub(crate) const STALENESS: Duration = Duration::from_mins(1);
/// How far two clocks may be apart.
const SKEW: Duration = Duration::from_mins(1);
/// The same for two runs of this function, one of which may be ahead of the true time and the other behind.
pub(crate) const CLOCKS_APART: Duration = SKEW.saturating_mul(2);

/// After this long, a key that was issued and is in no version will never be in one: the run that issued it
/// has ended, and no read is that stale.
pub const UNSETTLED: Duration = LONGEST_RUN.saturating_add(STALENESS).saturating_add(SKEW);

/// How long a step goes on looking for a value that should be there.
pub(crate) const REREAD: Duration = Duration::from_secs(5);
/// The first pause between two such looks; each next one is twice as long, up to a second.
pub(crate) const REREAD_PAUSE: Duration = Duration::from_millis(200);

/// How often a write to Secrets Manager is tried.
pub(crate) const ATTEMPTS: u32 = 4;

/// A stamp tells its time to the second.
pub(crate) const STAMP_RESOLUTION: Duration = Duration::from_secs(1);

/// An inspection that took longer than this may have been overtaken: what was read before it is read again.
pub(crate) const OVERTAKEN: Duration = Duration::from_secs(5);
/// The pause between two polls.
pub(crate) const POLL_PAUSE: Duration = Duration::from_secs(2);

/// Less than this before the invocation's end, nothing is changed any more.
pub(crate) const LAST_MOMENT: Duration = Duration::from_secs(1);
/// Less than this before the invocation's end, no key is issued: it could not be stored in time.
pub(crate) const TIME_TO_STORE: Duration = Duration::from_secs(8);

/// That much later; the end of time where there is no such time.
pub(crate) fn after(at: Timestamp, length: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

/// Whether more than that has passed. A time to come never has.
pub(crate) fn is_past(at: Timestamp, length: Duration, now: Timestamp) -> bool {
    now.duration_since(at) > SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}
