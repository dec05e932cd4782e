//! How often a credential may write, where an exchange takes no more than so many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::secret::KeyId;
use reqwest::Url;
use tokio::time::{Instant, sleep_until};

/// When each credential may write next, kept from one invocation to the next: by host and fingerprint.
#[derive(Clone, Debug, Default)]
pub(in crate::exchange) struct Writes(Arc<Mutex<BTreeMap<(String, String), Instant>>>);

impl Writes {
    /// Waits for this write's turn.
    pub(super) async fn turn(&self, host: &Url, key: &KeyId, spacing: Duration) {
        if spacing.is_zero() {
            return;
        }
        sleep_until(self.next(host, key, spacing)).await;
    }

    fn next(&self, host: &Url, key: &KeyId, spacing: Duration) -> Instant {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        next.retain(|_, at| *at > now);
        let own = next
            .entry((host.authority().to_owned(), key.fingerprint()))
            .or_insert(now);
        let turn = *own;
        *own = turn + spacing;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_s_writes_keep_their_distance_and_another_s_do_not_wait() {
        let (writes, second) = (Writes::default(), Duration::from_secs(1));
        let host: Url = "https://one.example/".parse().unwrap();
        let [one, other] = ["one", "other"].map(|id| KeyId::parse(id).unwrap());
        let turns = [&one, &one, &one].map(|key| writes.next(&host, key, second));
        assert!(turns[1] - turns[0] == second && turns[2] - turns[1] == second);
        assert!(writes.next(&host, &other, second) < turns[1]);
    }
}
