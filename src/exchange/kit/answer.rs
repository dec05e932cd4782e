//! What a reply means: all that lies between its bytes and the result of a call, without a socket or a clock.

use std::fmt;

use jiff::Timestamp;
use protocol::ports::{ErrorClass, IssuedKey, KeyList, KeyState, ListedKey, Powers, VenueError, Whose};
use protocol::secret::{Addresses, Credential, KeyId};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use super::clock::{ReplyTime, ServerTime};
use super::codes::{Meaning, of_code, of_status};
use super::json::{Secret, object, text_of};
use super::wire::Wire;

/// What a call of an exchange gives once it is done.
pub trait Answer<W>: Sized {
    /// Reads the result of a reply, as JSON, which was given at this time.
    ///
    /// # Errors
    /// What is wrong with it, after "…'s answer".
    fn read(result: &str, time: ReplyTime) -> Result<Self, &'static str>;
}

/// What is read from a reply; or what is wrong with it, after "…'s answer".
pub(in crate::exchange) type Read<T> = Result<T, &'static str>;

/// One exchange's replies, field by field.
pub(in crate::exchange) trait Replies: Wire {
    /// What a listed key's id is called.
    const KEY_ID: &'static str;

    /// What a key says of itself.
    fn state(result: &str) -> Read<KeyState>;

    /// The keys on a page of a list, and where the next page begins; empty on the last.
    fn page(result: &str, time: ReplyTime) -> Read<(Vec<&RawValue>, String)>;

    /// One of them. Where its age cannot be read it counts as new, made when the list was: it is left alone.
    fn listed(key: &str, as_of: Timestamp) -> Read<ListedKey>;

    /// The id and the secret of a key that was issued.
    fn issued(result: &str) -> Read<(String, Secret)>;
}

impl<W: Replies> Answer<W> for KeyState {
    fn read(result: &str, _: ReplyTime) -> Result<Self, &'static str> {
        W::state(result)
    }
}

impl<W: Replies> Answer<W> for KeyPage {
    fn read(result: &str, time: ReplyTime) -> Result<Self, &'static str> {
        let (keys, next) = W::page(result, time)?;
        let list = listed::<W>(keys, time.moment()?);
        Ok(Self { list, next })
    }
}

impl<W: Replies> Answer<W> for IssuedKey {
    fn read(result: &str, _: ReplyTime) -> Result<Self, &'static str> {
        let (id, secret) = W::issued(result)?;
        Ok(Self {
            credential: Credential {
                key_id: key_id(&id)?,
                secret: key_secret(secret.into_inner())?,
                // One that was asked for is known to whoever asked.
                passphrase: None,
            },
        })
    }
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
    pub(super) next: String,
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
    if verdict.code != W::GOOD {
        return Err(Failed {
            meaning: of_code::<W>(status, &verdict.code, &verdict.message),
            repeat: Repeat::WhenTold,
        });
    }
    let answer = if (200..=299).contains(&status) {
        let time = ReplyTime {
            told: verdict.time,
            known: now,
        };
        A::read(verdict.result.map_or("null", RawValue::get), time)
    } else {
        Err("says that all is well, and its HTTP status that it is not")
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

/// In place of the parser's own message, which may quote the reply.
const UNDOCUMENTED: &str = "does not have the documented form";

/// An object.
pub(in crate::exchange) fn documented<'a, T: Deserialize<'a>>(result: &'a str) -> Read<T> {
    object(result).ok_or(UNDOCUMENTED)
}

/// What stands in a list.
pub(in crate::exchange) fn each(result: &str) -> Read<Vec<&RawValue>> {
    serde_json::from_str(result).map_err(|_| UNDOCUMENTED)
}

/// The one object that stands in a list.
pub(in crate::exchange) fn only<'a, T: Deserialize<'a>>(result: &'a str) -> Read<T> {
    match each(result)?[..] {
        [one] => documented(one.get()),
        _ => Err(UNDOCUMENTED),
    }
}

pub(in crate::exchange) fn key_id(text: &str) -> Read<KeyId> {
    KeyId::parse(text).map_err(|_| "names a key by what is no key id")
}

/// The secret of a key that was issued. One that no value can hold would be stored, and refused by every step
/// that reads it.
fn key_secret(secret: SecretString) -> Read<SecretString> {
    let text = secret.expose_secret();
    if text.is_empty() || text.trim() != text {
        return Err("has a key secret that is none");
    }
    Ok(secret)
}

impl ReplyTime {
    /// When the exchange gave a reply.
    fn moment(self) -> Read<Timestamp> {
        let at = self.told.unwrap_or(self.known);
        Timestamp::from_millisecond(at).map_err(|_| "has a time that is none")
    }
}

/// The keys of a list. Anybody may have made one, and it stops nobody else's: one that cannot be read is
/// alive, new, and may do what nobody knows from anywhere; it bears no marker, so that it is left alone. One
/// without an id cannot be told from others, and is not there.
fn listed<W: Replies>(keys: Vec<&RawValue>, as_of: Timestamp) -> KeyList {
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
    let id = |key: &str| key_id(&text_of(key, W::KEY_ID)?).ok();
    let read = |key: &str| W::listed(key, as_of).ok().or_else(|| id(key).map(unreadable));
    let keys = keys.into_iter().filter_map(|key| read(key.get())).collect();
    KeyList { keys, as_of }
}
