//! How far each host's clock is ahead of ours.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Url;

/// Clocks that differ by more, in milliseconds, are not a matter of correction.
const MOST_SKEW: u64 = 24 * 60 * 60 * 1000;

/// The clocks of all hosts, kept from one invocation to the next. One for each: whoever may name a host whose
/// clock is wrong moves no other's.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Clocks(Mutex<BTreeMap<String, Clock>>);

/// One host's clock: how many milliseconds it is ahead of ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<AtomicI64>);

/// An exchange's time when it replied, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct ReplyTime {
    /// As it stands beside the result, where it does.
    pub told: Option<i64>,
    /// By the exchange's clock, as far as that is known here.
    pub known: i64,
}

/// A host's time, in milliseconds, as it tells it.
#[derive(Clone, Copy, Debug)]
pub struct ServerTime(pub i64);

impl Clocks {
    pub(super) fn of(&self, host: &Url) -> Clock {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.entry(host.authority().to_owned()).or_default().clone()
    }
}

impl Clock {
    /// The time there, in milliseconds.
    pub(super) fn now(&self) -> i64 {
        Timestamp::now()
            .as_millisecond()
            .saturating_add(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn set_ahead(&self, offset: i64) {
        self.0.store(offset, Ordering::Relaxed);
    }
}

impl ServerTime {
    /// How far it is ahead of ours, in milliseconds; `None` where it is too far off to be a time of today.
    pub fn ahead_of(self, ours: i64) -> Option<i64> {
        let offset = self.0.saturating_sub(ours);
        (offset.unsigned_abs() <= MOST_SKEW).then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_is_set_by_a_time_that_is_none() {
        assert_eq!(ServerTime(1500).ahead_of(1000), Some(500));
        for time in [i64::MIN, 0, i64::MAX] {
            assert_eq!(ServerTime(time).ahead_of(1_772_366_400_000), None);
        }
    }

    #[test]
    fn one_host_s_clock_says_nothing_of_another_s() {
        let clocks = Clocks::default();
        let [one, other] = ["https://one.example/", "https://other.example/"].map(|url| url.parse().unwrap());
        clocks.of(&one).set_ahead(-3_600_000);
        let now = Timestamp::now().as_millisecond();
        assert!(clocks.of(&one).now() < now - 3_500_000 && clocks.of(&other).now() >= now);
    }
}
