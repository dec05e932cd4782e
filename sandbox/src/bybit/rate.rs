//! The endpoints, and how often an account may call each.

use jiff::{SignedDuration, Timestamp};

use super::credential::KeyId;
use super::model::{Model, Uid};
use super::refusal::Refusal;

/// The signed endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Issues a key for a sub-account.
    CreateSubApi,
    /// Lists a sub-account's keys.
    SubApikeys,
    /// Tells a key about itself.
    QueryApi,
    /// Edits a sub-account's key.
    UpdateSubApi,
    /// Deletes a sub-account's key.
    DeleteSubApi,
    /// Edits the calling master key.
    UpdateApi,
    /// Deletes the calling master key.
    DeleteApi,
}

impl Endpoint {
    const ALL: [Self; 7] = [
        Self::CreateSubApi,
        Self::SubApikeys,
        Self::QueryApi,
        Self::UpdateSubApi,
        Self::DeleteSubApi,
        Self::UpdateApi,
        Self::DeleteApi,
    ];

    /// The endpoint behind a method and a path.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|endpoint| endpoint.method() == method && endpoint.path() == path)
    }

    /// The HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Self::SubApikeys | Self::QueryApi => "GET",
            _ => "POST",
        }
    }

    /// The path, under which faults are planned too.
    pub fn path(self) -> &'static str {
        match self {
            Self::CreateSubApi => "/v5/user/create-sub-api",
            Self::SubApikeys => "/v5/user/sub-apikeys",
            Self::QueryApi => "/v5/user/query-api",
            Self::UpdateSubApi => "/v5/user/update-sub-api",
            Self::DeleteSubApi => "/v5/user/delete-sub-api",
            Self::UpdateApi => "/v5/user/update-api",
            Self::DeleteApi => "/v5/user/delete-api",
        }
    }

    /// Calls a second for one account, from the "User" table of `docs/v5/rate-limit`.
    pub fn limit(self) -> usize {
        match self {
            Self::CreateSubApi => 1,
            Self::SubApikeys | Self::QueryApi => 10,
            Self::UpdateSubApi | Self::DeleteSubApi | Self::UpdateApi | Self::DeleteApi => 5,
        }
    }
}

/// What the `X-Bapi-Limit*` headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second.
    pub limit: usize,
    /// How many are left.
    pub left: usize,
    /// When the next call will be let in; the time of the answer while some are left.
    pub resets_at: Timestamp,
}

/// "The API rate limit is based on the rolling time window per second and UID."
const WINDOW: SignedDuration = SignedDuration::from_secs(1);

impl Model {
    /// Where the caller stands with an endpoint. Nothing for a key that does not exist.
    pub fn rate(&self, caller: &KeyId, endpoint: Endpoint, now: Timestamp) -> Option<Rate> {
        let uid = self.keys.get(caller)?.uid;
        let recent = self.recent(uid, endpoint, now);
        let left = endpoint.limit().saturating_sub(recent.len());
        let resets_at = recent
            .first()
            .filter(|_| left == 0)
            .map_or(now, |oldest| *oldest + WINDOW);
        Some(Rate {
            limit: endpoint.limit(),
            left,
            resets_at,
        })
    }

    /// Counts a call, or refuses it. A refused call does not count. Unverified: that all of an account's keys
    /// share the limit, as "per UID" says, and that an account's sub-accounts do not.
    pub(super) fn count(&mut self, uid: Uid, endpoint: Endpoint, now: Timestamp) -> Result<(), Refusal> {
        if !self.knobs.rate_limits {
            return Ok(());
        }
        let recent = self.recent(uid, endpoint, now);
        if recent.len() >= endpoint.limit() {
            return Err(Refusal::rate_limit());
        }
        self.visits
            .insert((uid, endpoint), recent.into_iter().chain([now]).collect());
        Ok(())
    }

    fn recent(&self, uid: Uid, endpoint: Endpoint, now: Timestamp) -> Vec<Timestamp> {
        let visits = self.visits.get(&(uid, endpoint)).into_iter().flatten().copied();
        // A visit in the future was made before the clock was set back: it counts no more.
        visits
            .filter(|visit| *visit <= now && now < *visit + WINDOW)
            .collect()
    }
}
