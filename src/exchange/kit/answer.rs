//! What a reply means: all that lies between its bytes and the result of a call, without a socket or a clock.

use std::fmt;

use jiff::Timestamp;
use protocol::ports::{ErrorClass, KeyList, ListedKey, Powers, VenueError, Whose};
use protocol::secret::{Addresses, KeyId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use super::clock::{ReplyTime, ServerTime};
use super::codes::{Meaning, of_code, of_status};
use super::json::object;
use super::wire::{Verdict, Wire};

/// What a call of an exchange gives once it is done.
pub trait Answer<W>: Sized {
    /// Reads the result of a reply, as JSON, which was given at this time.
    ///
    /// # Errors
    /// What is wrong with it, after "…'s answer".
    fn read(result: &str, time: ReplyTime) -> Result<Self, &'static str>;
}

/// What says no more than that there was no error.
impl<W: Wire> Answer<W> for () {
    fn read(_: &str, _: ReplyTime) -> Result<Self, &'static str> {
        Ok(())
    }
}

impl<W: Wire> Answer<W> for ServerTime {
    fn read(result: &str, time: ReplyTime) -> Result<Self, &'static str> {
        W::server_time(result, time.told).map(Self).ok_or("has no time")
    }
}

/// One page of an account's keys.
pub struct KeyPage {
    /// The keys on it.
    pub list: KeyList,
    /// Where the next page begins; empty on the last.
    pub(in crate::exchange) next: String,
}

impl fmt::Debug for KeyPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A cursor is the venue's own business, whatever stands in it.
        f.debug_struct("KeyPage")
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

/// A reply that is no answer.
#[derive(Debug)]
pub struct Failed {
    meaning: Meaning,
    pub(super) repeat: Repeat,
}

/// Whether a call that failed may be made again, where that is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    Never,
    Soon,
    /// Not before the exchange says that it takes calls again.
    WhenTold,
}

/// What a reply of an exchange means, which came at a time in milliseconds by the exchange's clock, as far as
/// that is known here.
///
/// # Errors
/// [`Failed`].
pub fn understood<W: Wire, A: Answer<W>>(status: u16, body: &[u8], now: i64) -> Result<A, Failed> {
    let Some(verdict) = std::str::from_utf8(body).ok().and_then(W::verdict) else {
        // It may be the limit of an address, which lasts for minutes.
        let repeat = if status == 403 {
            Repeat::Never
        } else {
            Repeat::Soon
        };
        return Err(Failed {
            meaning: of_status::<W>(status, body),
            repeat,
        });
    };
    let answer = match verdict {
        Verdict::No { code, message } => {
            return Err(Failed {
                meaning: of_code::<W>(&code, &message),
                repeat: Repeat::WhenTold,
            });
        }
        Verdict::Good { result, time } if (200..=299).contains(&status) => {
            let time = ReplyTime {
                told: time,
                known: now,
            };
            A::read(result, time)
        }
        Verdict::Good { .. } => Err("says that all is well, and its HTTP status that it is not"),
    };
    answer.map_err(|problem| {
        let say = format!("{}'s answer {problem}", W::NAME);
        Failed {
            meaning: Meaning {
                class: ErrorClass::UnknownOutcome,
                say,
            },
            repeat: Repeat::Soon,
        }
    })
}

impl Failed {
    /// The error of a call that one's credential signed.
    pub fn error(self, whose: Whose) -> VenueError {
        VenueError {
            class: self.meaning.class,
            whose,
            say: self.meaning.say,
        }
    }
}

pub(in crate::exchange) fn documented<'a, T: Deserialize<'a>>(result: &'a str) -> Result<T, &'static str> {
    // The parser's own message may quote the reply.
    object(result).ok_or("does not have the documented form")
}

pub(in crate::exchange) fn key_id(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).map_err(|_| "names a key by what is no key id")
}

/// The secret of a key that was issued. One that no value can hold would be stored, and refused by every step
/// that reads it.
pub(in crate::exchange) fn key_secret(secret: SecretString) -> Result<SecretString, &'static str> {
    let text = secret.expose_secret();
    if text.is_empty() || text.trim() != text {
        return Err("has a key secret that is none");
    }
    Ok(secret)
}

impl ReplyTime {
    /// When the exchange gave a reply.
    pub(in crate::exchange) fn moment(self) -> Result<Timestamp, &'static str> {
        let at = self.told.unwrap_or(self.known);
        Timestamp::from_millisecond(at).map_err(|_| "has a time that is none")
    }
}

/// The keys of a list. Anybody may have made one, and it stops nobody else's: one that cannot be read is
/// alive, new, and may do what nobody knows from anywhere; it bears no marker, so that it is left alone. One
/// without an id cannot be told from others, and is not there.
pub(in crate::exchange) fn listed<W: Wire>(
    keys: Vec<&RawValue>,
    as_of: Timestamp,
    read: impl Fn(&str) -> Result<ListedKey, &'static str>,
    id: impl Fn(&str) -> Result<KeyId, &'static str>,
) -> KeyList {
    let unreadable = |key_id: KeyId| {
        tracing::warn!(
            key = %key_id,
            "{} lists a key in a form that is not documented: it is left alone",
            W::NAME
        );
        ListedKey {
            key_id,
            marker: None,
            powers: Powers {
                unknown: vec!["permissions that cannot be read".to_owned()],
                ..Powers::default()
            },
            addresses: Addresses::Any,
            created_at: as_of,
            expired: false,
            kind: None,
        }
    };
    let keys = keys
        .into_iter()
        .filter_map(|key| read(key.get()).or_else(|_| id(key.get()).map(unreadable)).ok())
        .collect();
    KeyList { keys, as_of }
}
