//! What a reply means: all that lies between its bytes and the result of a call, without a socket or a clock.

use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::ports::{ErrorClass, IssuedKey, KeyList, KeyState, ListedKey, VenueError, Whose};
use protocol::secret::{AccountId, Credential, KeyId};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::errors::{Meaning, of_code, of_status, says_too_frequent};
use super::{permissions, wire};

/// Clocks that differ by more, in milliseconds, are not a matter of correction.
const MOST_SKEW: u64 = 24 * 60 * 60 * 1000;

/// What a call gives once it is done.
pub trait Answer: Sized {
    /// Reads the `result` of a reply, as JSON, and its `time`, the server's in milliseconds.
    ///
    /// # Errors
    /// What is wrong with it, after "Bybit's answer …".
    fn read(result: &str, time: i64) -> Result<Self, &'static str>;
}

/// One page of an account's keys.
#[derive(Debug)]
pub struct KeyPage {
    /// The keys on it.
    pub list: KeyList,
    /// Where the next page begins; empty on the last.
    pub(super) next: String,
}

/// The server's time.
#[derive(Clone, Copy, Debug)]
pub struct ServerTime(i64);

/// A reply that is no answer.
#[derive(Debug)]
pub struct Failed {
    pub(super) meaning: Meaning,
    pub(super) repeat: Repeat,
}

/// Whether a call that failed may be made again, where that is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Never,
    Soon,
    /// Not before Bybit says that it takes calls again.
    WhenTold,
}

/// What a reply means.
///
/// # Errors
/// [`Failed`].
pub fn understood<A: Answer>(status: u16, body: &[u8]) -> Result<A, Failed> {
    let Ok(envelope) = serde_json::from_slice::<wire::Envelope<'_>>(body) else {
        let repeat = if says_too_frequent(body) { Repeat::Never } else { Repeat::Soon };
        return Err(Failed { meaning: of_status(status, body), repeat });
    };
    if envelope.ret_code != 0 {
        return Err(Failed { meaning: of_code(envelope.ret_code, &envelope.ret_msg), repeat: Repeat::WhenTold });
    }
    let result = envelope.result.map_or("null", RawValue::get);
    A::read(result, envelope.time).map_err(|problem| {
        let meaning = Meaning { class: ErrorClass::UnknownOutcome, say: format!("Bybit's answer {problem}") };
        Failed { meaning, repeat: Repeat::Soon }
    })
}

impl Failed {
    /// The error of a call that one's credential signed.
    pub fn error(self, whose: Whose) -> VenueError {
        VenueError { class: self.meaning.class, whose, say: self.meaning.say }
    }
}

/// query-api.
impl Answer for KeyState {
    fn read(result: &str, _: i64) -> Result<Self, &'static str> {
        let own: wire::OwnKey = documented(result)?;
        Ok(Self {
            account: AccountId::new(own.user_id.to_string()),
            is_master: own.is_master,
            powers: permissions::powers(own.read_only.is_set(), &own.permissions),
            addresses: wire::addresses(&own.ips),
        })
    }
}

/// sub-apikeys.
impl Answer for KeyPage {
    fn read(result: &str, time: i64) -> Result<Self, &'static str> {
        let page: wire::KeyPage = documented(result)?;
        let as_of = Timestamp::from_millisecond(time).map_err(|_| "has a time that is none")?;
        let keys = page.result.unwrap_or_default().iter().map(|key| listed(key, as_of)).collect::<Result<_, _>>()?;
        Ok(Self { list: KeyList { keys, as_of }, next: page.next_page_cursor.unwrap_or_default() })
    }
}

/// create-sub-api.
impl Answer for IssuedKey {
    fn read(result: &str, _: i64) -> Result<Self, &'static str> {
        let created: wire::Created = documented(result)?;
        let key_id = key_id(&created.api_key)?;
        Ok(Self { credential: Credential { key_id, secret: created.secret.into_inner(), passphrase: None } })
    }
}

/// update-sub-api and delete-sub-api, whose results say no more than that there was no error.
impl Answer for () {
    fn read(_: &str, _: i64) -> Result<Self, &'static str> {
        Ok(())
    }
}

/// market/time.
impl Answer for ServerTime {
    fn read(_: &str, time: i64) -> Result<Self, &'static str> {
        Ok(Self(time))
    }
}

impl ServerTime {
    /// How far it is ahead of ours, in milliseconds; `None` where it is too far off to be a time of today.
    pub fn ahead_of(self, ours: i64) -> Option<i64> {
        let offset = self.0.saturating_sub(ours);
        (offset.unsigned_abs() <= MOST_SKEW).then_some(offset)
    }
}

fn documented<T: DeserializeOwned>(result: &str) -> Result<T, &'static str> {
    // The parser's own message may quote the reply.
    serde_json::from_str(result).map_err(|_| "does not have the documented form")
}

fn key_id(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).map_err(|_| "names a key by what is no key id")
}

fn listed(key: &wire::ListedKey, as_of: Timestamp) -> Result<ListedKey, &'static str> {
    Ok(ListedKey {
        key_id: key_id(&key.api_key)?,
        marker: Marker::parse(&key.note),
        powers: permissions::powers(key.read_only.is_set(), &key.permissions),
        addresses: wire::addresses(&key.ips),
        // A key whose age cannot be read counts as new: it is left alone.
        created_at: key.created_at.parse().unwrap_or(as_of),
        expired: key.status == wire::STATUS_EXPIRED,
    })
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
}
