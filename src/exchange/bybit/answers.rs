//! Bybit's replies, field by field, and what they mean. Source: `docs/v5/user/*`.

use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::ports::{self, KeyState, OwnAccount, ToldAddresses};
use protocol::secret::AccountId;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::BybitWire;
use super::powers::VOCABULARY;
use crate::exchange::kit::address;
use crate::exchange::kit::answer::{Read, Replies, ReplyTime, documented, key_id};
use crate::exchange::kit::json::{Secret, flag, lists_by_name, number};
use crate::exchange::kit::powers::Groups;

/// A key of a third-party app, in `type`.
const OF_AN_APP: u64 = 2;
/// A key that has expired, in `status` of sub-apikeys.
const STATUS_EXPIRED: u8 = 2;

/// The reply of query-api.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnKey {
    #[serde(deserialize_with = "flag")]
    read_only: bool,
    #[serde(deserialize_with = "lists_by_name")]
    permissions: Groups,
    #[serde(default)]
    ips: Vec<String>,
    #[serde(rename = "userID", deserialize_with = "number")]
    user_id: u64,
    #[serde(default)]
    is_master: bool,
    #[serde(default)]
    expired_at: String,
    /// 1 for the account's own, 2 for one of a third-party app.
    #[serde(default, rename = "type")]
    of_whom: Value,
    #[serde(default)]
    rsa_public_key: Value,
}

/// One page of sub-apikeys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyPage<'a> {
    /// Each an object of a [`ListedKey`]'s form. It may be null, and must be there.
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    result: Option<Vec<&'a RawValue>>,
    next_page_cursor: Option<String>,
}

/// One key of sub-apikeys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedKey {
    api_key: String,
    note: Option<String>,
    #[serde(deserialize_with = "flag")]
    read_only: bool,
    #[serde(deserialize_with = "lists_by_name")]
    permissions: Groups,
    ips: Option<Vec<String>>,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    status: u8,
    /// As in [`OwnKey`].
    #[serde(default, rename = "type")]
    of_whom: Value,
    /// How its requests are signed: `hmac` or `rsa`.
    #[serde(default)]
    flag: Value,
}

/// The reply of create-sub-api: the only place where a key's secret is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    api_key: String,
    secret: Secret,
}

impl Replies for BybitWire {
    const KEY_ID: &'static str = "apiKey";

    fn state(result: &str) -> Read<KeyState> {
        let own: OwnKey = documented(result)?;
        let expires_at: Option<Timestamp> = own.expired_at.parse().ok();
        let is_rsa = own.rsa_public_key.as_str().is_some_and(|key| !key.is_empty());
        Ok(KeyState {
            account: OwnAccount::Named(AccountId::new(own.user_id.to_string())),
            is_master: own.is_master,
            powers: VOCABULARY.powers(own.read_only, &own.permissions),
            addresses: ToldAddresses::Exact(address::read(&own.ips)?),
            // A key that does not expire shows the year 1970.
            expires_at: expires_at.filter(|at| at.as_second() > 0),
            read_only: own.read_only,
            kind: kind(&own.of_whom, is_rsa),
        })
    }

    fn page(result: &str, time: ReplyTime) -> Read<(Vec<&RawValue>, String)> {
        let page: KeyPage<'_> = documented(result)?;
        // Every reply of Bybit's says when it was given.
        time.told.ok_or("has no time")?;
        let next = page.next_page_cursor.unwrap_or_default();
        Ok((page.result.unwrap_or_default(), next))
    }

    fn listed(key: &str, as_of: Timestamp) -> Read<ports::ListedKey> {
        let key: ListedKey = documented(key)?;
        let is_rsa = |flag: &str| flag.eq_ignore_ascii_case("rsa");
        Ok(ports::ListedKey {
            key_id: key_id(&key.api_key)?,
            marker: key.note.as_deref().and_then(Marker::parse),
            powers: VOCABULARY.powers(key.read_only, &key.permissions),
            addresses: address::read(&key.ips.unwrap_or_default())?,
            created_at: key.created_at.parse().unwrap_or(as_of),
            expired: key.status == STATUS_EXPIRED,
            kind: kind(&key.of_whom, key.flag.as_str().is_some_and(is_rsa)),
        })
    }

    fn issued(result: &str) -> Read<(String, Secret)> {
        let created: Created = documented(result)?;
        Ok((created.api_key, created.secret))
    }
}

/// What a key is that is not an account's own HMAC key. Whatever else stands in these fields says nothing.
fn kind(of_whom: &Value, is_rsa: bool) -> Option<&'static str> {
    match of_whom.as_u64() {
        _ if is_rsa => Some("an RSA key, whose requests are not signed by HMAC as this function signs them"),
        Some(OF_AN_APP) => Some("a key of a third-party app, which may be of use to that app alone"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use protocol::label::VersionId;
    use protocol::ports::{ErrorClass, IssuedKey, Whose};
    use protocol::secret::Addresses;

    use super::*;
    use crate::exchange::kit::answer::{Answer, Failed, KeyPage, understood};

    /// By our clock: what a reply says itself counts.
    const NOW: i64 = 1_700_000_000_000;

    fn reply<A: Answer<BybitWire>>(result: &str) -> Result<A, Failed> {
        understood(
            200,
            format!(r#"{{"retCode":0,"retMsg":"","result":{result},"time":1772366400123}}"#).as_bytes(),
            NOW,
        )
    }

    #[track_caller]
    fn is_no_answer<A: Answer<BybitWire>>(result: &str) {
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
        assert!(understood::<BybitWire, ()>(200, br#"[0,"",{},0]"#, NOW).is_err());
        assert!(understood::<BybitWire, ()>(200, b"{\"retCode\":0,\"other\":\"\xff\"}", NOW).is_err());
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
            assert!(
                understood::<BybitWire, KeyPage>(200, body.as_bytes(), NOW).is_err(),
                "{body}"
            );
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
    fn a_key_may_expire_whether_it_is_bound_to_addresses_or_not() {
        let expires = |ips: &str, at: &str| {
            let fields = format!(r#""ips":[{ips}],"expiredAt":"{at}""#);
            let reply = reply::<KeyState>(&format!(
                r#"{{{fields},"readOnly":1,"permissions":{{}},"userID":7}}"#
            ));
            reply.unwrap().expires_at.map(|at| at.to_string())
        };
        for ips in [r#""203.0.113.7""#, r#""*""#] {
            assert_eq!(
                expires(ips, "2026-03-01T12:00:00Z").as_deref(),
                Some("2026-03-01T12:00:00Z"),
                "{ips}"
            );
            assert_eq!(expires(ips, "1970-01-01T00:00:00Z"), None, "{ips}");
        }
    }

    #[test]
    fn success_within_a_failure_is_no_answer() {
        for status in [302, 401, 500] {
            let error = understood::<BybitWire, ()>(status, br#"{"retCode":0}"#, NOW)
                .unwrap_err()
                .error(Whose::Master);
            assert_eq!(error.class, ErrorClass::UnknownOutcome, "{status}");
        }
        let refused = understood::<BybitWire, ()>(401, br#"{"retCode":10003}"#, NOW)
            .unwrap_err()
            .error(Whose::Master);
        assert_eq!(refused.class, ErrorClass::Rejected);
    }
}
