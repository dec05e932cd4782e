//! What a process keeps from one answer of an audit for the next.
//! It keeps what `mod.rs` has, which only shows it to others.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::operations::pass::holders::Holders;

/// For so long the answers of one audit share what is known: as long as an invocation may live.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// What a process keeps from one answer of an audit for the next, so that a fleet's keys are read once and
/// not for each answer. Holds digests only; whatever revokes a key reads anew.
#[derive(Debug, Default)]
pub struct HolderCache(Mutex<Option<(Timestamp, Arc<Holders>)>>);

impl HolderCache {
    pub(crate) fn holders_at(&self, now: Timestamp) -> Option<Arc<Holders>> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache
            .as_ref()
            .filter(|(at, _)| now.duration_since(*at) < KEPT_FOR)
            .map(|(_, holders)| Arc::clone(holders))
    }

    pub(crate) fn keep(&self, now: Timestamp, holders: &Arc<Holders>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(holders)));
    }
}
