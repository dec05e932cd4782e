//! How often an account may ask a venue.

use jiff::Timestamp;

use super::credential::KeyId;
use super::key::Uid;
use super::model::Model;
use super::profile::{Endpoint, Limit};
use super::refusal::Refusal;

/// Where an account stands with an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many calls it has.
    pub limit: usize,
    /// How many are left.
    pub left: usize,
    /// When the next call will be let in; the time of the answer while some are left.
    pub resets_at: Timestamp,
}

impl Model {
    /// Where the caller stands with an endpoint. Nothing for a key that does not exist.
    pub fn rate(&self, caller: &KeyId, endpoint: Endpoint, now: Timestamp) -> Option<Rate> {
        let uid = self.keys.get(caller)?.uid;
        let recent = self.recent(uid, endpoint, now);
        let Limit { calls, within } = (self.profile.limit)(endpoint);
        let left = calls.saturating_sub(recent.len());
        let resets_at = recent
            .first()
            .filter(|_| left == 0)
            .map_or(now, |oldest| *oldest + within);
        Some(Rate {
            limit: calls,
            left,
            resets_at,
        })
    }

    /// Counts a call, or refuses it. A refused call does not count. Unverified: that all of an account's keys
    /// share the limit, as Bybit's "per UID" says, and that an account's sub-accounts do not.
    pub(super) fn count(&mut self, uid: Uid, endpoint: Endpoint, now: Timestamp) -> Result<(), Refusal> {
        if !self.knobs.rate_limits {
            return Ok(());
        }
        let recent = self.recent(uid, endpoint, now);
        if recent.len() >= (self.profile.limit)(endpoint).calls {
            return Err(Refusal::rate_limit());
        }
        self.visits
            .insert((uid, endpoint), recent.into_iter().chain([now]).collect());
        Ok(())
    }

    fn recent(&self, uid: Uid, endpoint: Endpoint, now: Timestamp) -> Vec<Timestamp> {
        let within = (self.profile.limit)(endpoint).within;
        let visits = self.visits.get(&(uid, endpoint)).into_iter().flatten().copied();
        // A visit in the future was made before the clock was set back: it counts no more.
        visits
            .filter(|visit| *visit <= now && now < *visit + within)
            .collect()
    }
}
