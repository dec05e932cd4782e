//! What a reply means: all that lies between its bytes and the result of a call, without a socket or a clock.

use std::fmt;

use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::ports::{ErrorClass, IssuedKey, KeyList, KeyState, ListedKey, Powers, VenueError, Whose};
use protocol::secret::{AccountId, Addresses, Credential, KeyId};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::errors::{Meaning, of_code, of_status};
use super::{permissions, wire};

/// Clocks that differ by more, in milliseconds, are not a matter of correction.
const MOST_SKEW: u64 = 24 * 60 * 60 * 1000;

/// What a call gives once it is done.
pub trait Answer: Sized {
    /// Reads the `result` of a reply, as JSON, and its `time`, the server's in milliseconds where it is
    /// there.
    ///
    /// # Errors
    /// What is wrong with it, after "Bybit's answer …".
    fn read(result: &str, time: Option<i64>) -> Result<Self, &'static str>;
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
    let Some(envelope) = std::str::from_utf8(body)
        .ok()
        .and_then(wire::object::<wire::Envelope<'_>>)
    else {
        // It may be the limit of an address, which lasts for minutes.
        let repeat = if status == 403 {
            Repeat::Never
        } else {
            Repeat::Soon
        };
        return Err(Failed {
            meaning: of_status(status, body),
            repeat,
        });
    };
    if envelope.ret_code != 0 {
        return Err(Failed {
            meaning: of_code(envelope.ret_code, &envelope.ret_msg),
            repeat: Repeat::WhenTold,
        });
    }
    let answer = match status {
        200..=299 => A::read(envelope.result.map_or("null", RawValue::get), envelope.time),
        _ => Err("says that all is well, and its HTTP status that it is not"),
    };
    answer.map_err(|problem| {
        let say = format!("Bybit's answer {problem}");
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

/// query-api.
impl Answer for KeyState {
    fn read(result: &str, _: Option<i64>) -> Result<Self, &'static str> {
        let own: wire::OwnKey = documented(result)?;
        Ok(Self {
            account: AccountId::new(own.user_id.to_string()),
            is_master: own.is_master,
            powers: permissions::powers(own.read_only, &own.permissions),
            addresses: wire::addresses(&own.ips)?,
            // A key that does not expire shows the year 1970.
            expires_at: own
                .expired_at
                .parse()
                .ok()
                .filter(|at: &Timestamp| at.as_second() > 0),
            read_only: own.read_only,
            kind: wire::kind(
                &own.of_whom,
                own.rsa_public_key.as_str().is_some_and(|key| !key.is_empty()),
            ),
        })
    }
}

/// sub-apikeys.
impl Answer for KeyPage {
    fn read(result: &str, time: Option<i64>) -> Result<Self, &'static str> {
        let page: wire::KeyPage<'_> = documented(result)?;
        let as_of = time
            .and_then(|time| Timestamp::from_millisecond(time).ok())
            .ok_or("has no time, or one that is none")?;
        let keys = page
            .result
            .unwrap_or_default()
            .into_iter()
            .filter_map(|key| listed(key, as_of))
            .collect();
        Ok(Self {
            list: KeyList { keys, as_of },
            next: page.next_page_cursor.unwrap_or_default(),
        })
    }
}

/// create-sub-api.
impl Answer for IssuedKey {
    fn read(result: &str, _: Option<i64>) -> Result<Self, &'static str> {
        let created: wire::Created = documented(result)?;
        let (key_id, secret) = (key_id(&created.api_key)?, created.secret.into_inner());
        // Such a one would be stored, and refused by every step that reads it.
        if secret.expose_secret().is_empty() || secret.expose_secret().trim() != secret.expose_secret() {
            return Err("has a key secret that is none");
        }
        Ok(Self {
            credential: Credential {
                key_id,
                secret,
                passphrase: None,
            },
        })
    }
}

/// update-sub-api and delete-sub-api, whose results say no more than that there was no error.
impl Answer for () {
    fn read(_: &str, _: Option<i64>) -> Result<Self, &'static str> {
        Ok(())
    }
}

/// market/time.
impl Answer for ServerTime {
    fn read(_: &str, time: Option<i64>) -> Result<Self, &'static str> {
        time.map(Self).ok_or("has no time")
    }
}

impl ServerTime {
    /// How far it is ahead of ours, in milliseconds; `None` where it is too far off to be a time of today.
    pub fn ahead_of(self, ours: i64) -> Option<i64> {
        let offset = self.0.saturating_sub(ours);
        (offset.unsigned_abs() <= MOST_SKEW).then_some(offset)
    }
}

fn documented<'a, T: Deserialize<'a>>(result: &'a str) -> Result<T, &'static str> {
    // The parser's own message may quote the reply.
    wire::object(result).ok_or("does not have the documented form")
}

fn key_id(text: &str) -> Result<KeyId, &'static str> {
    KeyId::parse(text).map_err(|_| "names a key by what is no key id")
}

/// One key of a list. Anybody may have made it, and it stops nobody else's: one that cannot be read is alive,
/// new, and may do what nobody knows from anywhere; it bears no marker, so that it is left alone. One without
/// an id cannot be told from others, and is not there.
fn listed(key: &RawValue, as_of: Timestamp) -> Option<ListedKey> {
    readable(key, as_of).or_else(|_| unreadable(key, as_of)).ok()
}

fn unreadable(key: &RawValue, as_of: Timestamp) -> Result<ListedKey, &'static str> {
    let wire::KeyWithId { api_key } = documented(key.get())?;
    let powers = Powers {
        unknown: vec!["permissions that cannot be read".to_owned()],
        ..Powers::default()
    };
    let key_id = key_id(&api_key)?;
    tracing::warn!(key = %key_id, "Bybit lists a key in a form that is not documented: it is left alone");
    Ok(ListedKey {
        key_id,
        marker: None,
        powers,
        addresses: Addresses::Any,
        created_at: as_of,
        expired: false,
        kind: None,
    })
}

fn readable(key: &RawValue, as_of: Timestamp) -> Result<ListedKey, &'static str> {
    let key: wire::ListedKey = documented(key.get())?;
    Ok(ListedKey {
        key_id: key_id(&key.api_key)?,
        marker: key.note.as_deref().and_then(Marker::parse),
        powers: permissions::powers(key.read_only, &key.permissions),
        addresses: wire::addresses(&key.ips.unwrap_or_default())?,
        // A key whose age cannot be read counts as new: it is left alone.
        created_at: key.created_at.parse().unwrap_or(as_of),
        expired: key.status == wire::STATUS_EXPIRED,
        kind: wire::kind(
            &key.of_whom,
            key.flag
                .as_str()
                .is_some_and(|flag| flag.eq_ignore_ascii_case("rsa")),
        ),
    })
}

#[cfg(test)]
mod tests {
    use protocol::label::VersionId;

    use super::*;

    fn reply<A: Answer>(result: &str) -> Result<A, Failed> {
        understood(
            200,
            format!(r#"{{"retCode":0,"retMsg":"","result":{result},"time":1772366400123}}"#).as_bytes(),
        )
    }

    #[track_caller]
    fn is_no_answer<A: Answer>(result: &str) {
        let error = reply::<A>(result).map(drop).unwrap_err().error(Whose::Master);
        assert_eq!(error.class, ErrorClass::UnknownOutcome, "{error}");
    }

    fn own(field: &str) -> String {
        let all = [
            r#""readOnly":0"#,
            r#""permissions":{}"#,
            r#""userID":7"#,
            r#""ips":[]"#,
        ];
        let name = field.split(':').next().unwrap();
        let fields = all.map(|known| if known.starts_with(name) { field } else { known });
        format!("{{{}}}", fields.join(","))
    }

    #[test]
    fn a_list_in_the_place_of_an_object_is_no_answer() {
        assert!(reply::<IssuedKey>(r#"{"apiKey":"k","secret":"s"}"#).is_ok());
        is_no_answer::<IssuedKey>(r#"["k","s"]"#);
        assert!(
            reply::<KeyPage>(r#"{"result":[["k","",0,{},[],"",1]]}"#)
                .unwrap()
                .list
                .keys
                .is_empty()
        );
        is_no_answer::<KeyPage>(r#"{"result":{"apiKey":"k"}}"#);
        assert!(understood::<()>(200, br#"[0,"",{},0]"#).is_err());
        assert!(understood::<()>(200, b"{\"retCode\":0,\"other\":\"\xff\"}").is_err());
    }

    #[test]
    fn an_issued_key_has_a_secret_that_can_be_stored_and_read_again() {
        for secret in ["", " ", "s\n"] {
            is_no_answer::<IssuedKey>(&format!(r#"{{"apiKey":"k","secret":"{secret}"}}"#));
        }
    }

    #[test]
    fn a_list_of_keys_is_there_and_has_a_time() {
        assert!(
            reply::<KeyPage>(r#"{"result":[]}"#).is_ok() && reply::<KeyPage>(r#"{"result":null}"#).is_ok()
        );
        is_no_answer::<KeyPage>("{}");
        for time in ["", r#","time":null"#, r#","time":9223372036854775807"#] {
            let body = format!(r#"{{"retCode":0,"result":{{"result":[]}}{time}}}"#);
            assert!(understood::<KeyPage>(200, body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_key_in_an_undocumented_form_is_left_alone_and_stops_no_other() {
        let note = Marker::new("arn", &VersionId::new("t"), 1).to_string();
        let fields = |field: &str| {
            let all = [
                r#""apiKey":"odd""#.to_owned(),
                format!(r#""note":"{note}""#),
                r#""readOnly":false"#.to_owned(),
                r#""permissions":{"Spot":["SpotTrade"]}"#.to_owned(),
                r#""ips":["203.0.113.7"]"#.to_owned(),
                r#""createdAt":"2025-01-01T00:00:00Z""#.to_owned(),
                r#""status":3"#.to_owned(),
            ];
            let name = field.split(':').next().unwrap();
            all.map(|known| {
                if known.starts_with(name) {
                    field.to_owned()
                } else {
                    known
                }
            })
            .join(",")
        };
        let listed = |field: &str| {
            let good = fields(r#""apiKey":"good""#);
            let page =
                reply::<KeyPage>(&format!(r#"{{"result":[{{{}}},{{{good}}}]}}"#, fields(field))).unwrap();
            let ids: Vec<&str> = page.list.keys.iter().map(|key| key.key_id.expose()).collect();
            assert_eq!(ids, ["odd", "good"], "{field}");
            assert!(page.list.keys[1].marker.is_some() && page.list.keys[1].powers.unknown.is_empty());
            page.list.keys.into_iter().next().unwrap()
        };
        for field in [
            r#""permissions":null"#,
            r#""permissions":["Spot"]"#,
            r#""ips":[""]"#,
            r#""ips":["--"]"#,
            r#""note":7"#,
            r#""createdAt":null"#,
            r#""createdAt":1735689600000"#,
            r#""status":null"#,
            r#""status":"3""#,
            r#""readOnly":null"#,
        ] {
            let odd = listed(field);
            assert!(
                odd.marker.is_none() && !odd.expired && odd.addresses == Addresses::Any,
                "{field}"
            );
            assert!(
                !odd.powers.unknown.is_empty() && odd.created_at.as_millisecond() == 1_772_366_400_123,
                "{field}"
            );
        }
        assert_eq!(
            listed(r#""permissions":{"NFT":null,"Spot":["SpotTrade"]}"#)
                .powers
                .unknown,
            [""; 0]
        );
        assert_eq!(listed(r#""ips":null"#).addresses, Addresses::Any);
        assert!(listed(r#""note":null"#).marker.is_none());
    }

    #[test]
    fn a_key_is_described_without_a_second_meaning() {
        for field in [r#""readOnly":1"#, r#""readOnly":true"#, r#""userID":"7""#] {
            assert!(reply::<KeyState>(&own(field)).is_ok(), "{field}");
        }
        for field in [
            r#""readOnly":7"#,
            r#""readOnly":null"#,
            r#""userID":"zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO""#,
            r#""userID":"""#,
            r#""permissions":{"Wallet":["Withdraw"],"Wallet":[]}"#,
            r#""ips":["zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO"]"#,
        ] {
            is_no_answer::<KeyState>(&own(field));
        }
    }

    #[test]
    fn a_key_that_is_not_the_account_s_own_hmac_key_says_what_it_is() {
        let of = |field: &str| {
            reply::<KeyState>(&format!(
                r#"{{{field},"readOnly":1,"permissions":{{}},"userID":7}}"#
            ))
            .unwrap()
        };
        assert!(of(r#""type":2"#).kind.unwrap().contains("third-party app"));
        assert!(
            of(r#""rsaPublicKey":"-----BEGIN PUBLIC KEY-----""#)
                .kind
                .unwrap()
                .contains("RSA")
        );
        for usual in [
            r#""type":1,"rsaPublicKey":"""#,
            r#""type":"2""#,
            r#""type":null,"rsaPublicKey":[]"#,
        ] {
            assert_eq!(of(usual).kind, None, "{usual}");
        }
        assert!(of(r#""type":1"#).read_only);
    }

    #[test]
    fn success_within_a_failure_is_no_answer() {
        for status in [302, 401, 500] {
            let error = understood::<()>(status, br#"{"retCode":0}"#)
                .unwrap_err()
                .error(Whose::Master);
            assert_eq!(error.class, ErrorClass::UnknownOutcome, "{status}");
        }
        let refused = understood::<()>(401, br#"{"retCode":10003}"#)
            .unwrap_err()
            .error(Whose::Master);
        assert_eq!(refused.class, ErrorClass::Rejected);
    }

    #[test]
    fn no_clock_is_set_by_a_time_that_is_none() {
        assert_eq!(ServerTime(1500).ahead_of(1000), Some(500));
        for time in [i64::MIN, 0, i64::MAX] {
            assert_eq!(ServerTime(time).ahead_of(1_772_366_400_000), None);
        }
    }
}
