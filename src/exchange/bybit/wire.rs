//! Bybit's requests and replies, field by field. Source: `docs/v5/user/*`.

use std::borrow::Cow;
use std::time::Duration;

use protocol::marker::Marker;
use protocol::ports::{self, ErrorClass, Grant, VenueError, Whose};
use protocol::secret::{AccountId, Credential, KeyId};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::codes::{CODES, STATUSES};
use super::powers::{self, Groups};
use crate::exchange::kit::address;
use crate::exchange::kit::call::Call;
use crate::exchange::kit::codes::{Code, Status};
use crate::exchange::kit::json::{Secret, flag, lists_by_name, number, object};
use crate::exchange::kit::sign::{hex, hmac_sha256};
use crate::exchange::kit::wire::{Unsigned, Verdict, Wire};

/// Bybit's calls.
#[derive(Debug)]
pub struct BybitWire;

impl Wire for BybitWire {
    const NAME: &'static str = "Bybit";
    const BASE_URL: &'static str = "BYBIT_BASE_URL";
    const CODE: &'static str = "retCode";
    const CODES: &'static [Code] = CODES;
    const STATUSES: &'static [Status] = STATUSES;
    const WINDOW: Duration = Duration::from_secs(5);
    const WRITE_SPACING: Duration = Duration::ZERO;
    const SERVER_TIME: &'static str = "/v5/market/time";

    /// HMAC-SHA256 over timestamp, key, window and payload, in lower-case hexadecimal.
    /// Source: `docs/v5/guide`.
    fn sign(
        request: &Unsigned<'_>,
        credential: &Credential,
        at: i64,
    ) -> Result<Vec<(&'static str, String)>, &'static str> {
        let (key, at) = (credential.key_id.expose(), at.to_string());
        let window = Self::WINDOW.as_millis().to_string();
        let signature = hmac_sha256(credential, &[&at, key, &window, request.query, request.body]);
        Ok(vec![
            ("X-BAPI-API-KEY", key.to_owned()),
            ("X-BAPI-TIMESTAMP", at),
            ("X-BAPI-RECV-WINDOW", window),
            ("X-BAPI-SIGN", hex(&signature)),
        ])
    }

    /// HTTP's status is 200 even for failures: `retCode` tells.
    fn verdict(body: &str) -> Option<Verdict<'_>> {
        let Envelope {
            ret_code,
            ret_msg,
            result,
            time,
        } = object(body)?;
        Some(match ret_code {
            0 => Verdict::Good {
                result: result.map_or("null", RawValue::get),
                time,
            },
            code => Verdict::No {
                code: code.to_string().into(),
                message: ret_msg,
            },
        })
    }

    fn server_time(_: &str, beside: Option<i64>) -> Option<i64> {
        beside
    }

    fn takes_calls_at(headers: &HeaderMap) -> Option<i64> {
        headers
            .get("X-Bapi-Limit-Reset-Timestamp")?
            .to_str()
            .ok()?
            .parse()
            .ok()
    }
}

/// Bybit numbers its accounts.
pub(super) fn uid(account: &AccountId, whose: Whose) -> Result<u64, VenueError> {
    account.as_str().parse().map_err(|_| VenueError {
        class: ErrorClass::Refused,
        whose,
        say: "the `subaccount` is not the uid of a Bybit sub-account, which is a number".into(),
    })
}

/// The most keys on one page of a list.
const PAGE: usize = 20;

/// A key of a third-party app, in `type`.
const OF_AN_APP: u64 = 2;
/// A key that has expired, in `status` of sub-apikeys.
pub(super) const STATUS_EXPIRED: u8 = 2;

/// Around every reply.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    ret_code: i64,
    #[serde(default, borrow)]
    ret_msg: Cow<'a, str>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    /// The server's time in milliseconds.
    time: Option<i64>,
}

/// query-api, which a key asks about itself.
pub(super) fn inspect() -> Call {
    Call::read("/v5/user/query-api", Vec::new())
}

/// One page of sub-apikeys: the first, or the one that begins at a cursor.
pub(super) fn list(uid: u64, cursor: &str) -> Call {
    let mut query = vec![("subMemberId", uid.to_string()), ("limit", PAGE.to_string())];
    if !cursor.is_empty() {
        query.push(("cursor", cursor.to_owned()));
    }
    Call::read("/v5/user/sub-apikeys", query)
}

/// create-sub-api.
///
/// # Errors
/// What Bybit has no permission for.
pub(super) fn create(uid: u64, marker: &Marker, grant: &Grant) -> Result<Call, String> {
    let (read_only, groups) = powers::request(&grant.permissions)?;
    let body = Create {
        subuid: uid,
        note: marker.to_string(),
        read_only: u8::from(read_only),
        ips: address::joined(&grant.addresses, "*"),
        permissions: groups,
    };
    Call::once("/v5/user/create-sub-api", &body)
}

/// update-sub-api, which sets a key to exactly this.
///
/// # Errors
/// As [`create`].
pub(super) fn update(key: &ports::ListedKey, grant: &Grant) -> Result<Call, String> {
    let (read_only, mut groups) = powers::request(&grant.permissions)?;
    // Whether a group that is not sent stays as it is, is not documented: what is to go is sent empty.
    for group in powers::VOCABULARY.groups_of(&key.powers) {
        groups.entry(group.to_owned()).or_default();
    }
    // The addresses go with every edit: left out, they would be lifted.
    let body = Update {
        apikey: key.key_id.expose(),
        read_only: u8::from(read_only),
        ips: address::joined(&grant.addresses, "*"),
        permissions: groups,
    };
    Call::repeatable("/v5/user/update-sub-api", &body)
}

/// delete-sub-api.
///
/// # Errors
/// None that occurs.
pub(super) fn delete(key: &KeyId) -> Result<Call, String> {
    Call::repeatable("/v5/user/delete-sub-api", &Delete { apikey: key.expose() })
}

/// create-sub-api.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    pub(super) subuid: u64,
    pub(super) note: String,
    pub(super) read_only: u8,
    pub(super) ips: String,
    pub(super) permissions: Groups,
}

/// The reply of create-sub-api: the only place where a key's secret is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) api_key: String,
    pub(super) secret: Secret,
}

/// update-sub-api, signed by the master key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Update<'a> {
    pub(super) apikey: &'a str,
    pub(super) read_only: u8,
    pub(super) ips: String,
    pub(super) permissions: Groups,
}

/// delete-sub-api, signed by the master key.
#[derive(Serialize)]
pub(super) struct Delete<'a> {
    pub(super) apikey: &'a str,
}

/// The reply of query-api.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnKey {
    #[serde(deserialize_with = "flag")]
    pub(super) read_only: bool,
    #[serde(deserialize_with = "lists_by_name")]
    pub(super) permissions: Groups,
    #[serde(default)]
    pub(super) ips: Vec<String>,
    #[serde(rename = "userID", deserialize_with = "number")]
    pub(super) user_id: u64,
    #[serde(default)]
    pub(super) is_master: bool,
    #[serde(default)]
    pub(super) expired_at: String,
    /// 1 for the account's own, 2 for one of a third-party app.
    #[serde(default, rename = "type")]
    pub(super) of_whom: Value,
    #[serde(default)]
    pub(super) rsa_public_key: Value,
}

/// One page of sub-apikeys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyPage<'a> {
    /// Each an object of a [`ListedKey`]'s form. It may be null, and must be there.
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    pub(super) result: Option<Vec<&'a RawValue>>,
    pub(super) next_page_cursor: Option<String>,
}

/// One key of sub-apikeys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedKey {
    pub(super) api_key: String,
    pub(super) note: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub(super) read_only: bool,
    #[serde(deserialize_with = "lists_by_name")]
    pub(super) permissions: Groups,
    pub(super) ips: Option<Vec<String>>,
    #[serde(default)]
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) status: u8,
    /// As in [`OwnKey`].
    #[serde(default, rename = "type")]
    pub(super) of_whom: Value,
    /// How its requests are signed: `hmac` or `rsa`.
    #[serde(default)]
    pub(super) flag: Value,
}

/// What a key is that is not an account's own HMAC key. Whatever else stands in these fields says nothing.
pub(super) fn kind(of_whom: &Value, is_rsa: bool) -> Option<&'static str> {
    match of_whom.as_u64() {
        _ if is_rsa => Some("an RSA key, whose requests are not signed by HMAC as this function signs them"),
        Some(OF_AN_APP) => Some("a key of a third-party app, which may be of use to that app alone"),
        _ => None,
    }
}

/// The same, where the rest of it cannot be read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyWithId {
    pub(super) api_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_agree_with_the_golden_vectors() {
        let credential = Credential {
            key_id: KeyId::parse("testkey").unwrap(),
            secret: "testsecret".into(),
            passphrase: None,
        };
        let body = concat!(
            r#"{"subuid":53888000,"note":"rot-1","readOnly":0,"ips":"203.0.113.7","#,
            r#""permissions":{"Spot":["SpotTrade"]}}"#
        );
        for (timestamp, payload, signature) in [
            (
                1_658_384_314_791,
                "category=option&symbol=BTC-29JUL22-25000-C",
                "234e645dce3a16c7c538ec725b089f9959ddc0648c4a09e14ad706ea8b4baf48",
            ),
            (
                1_700_000_000_000,
                "",
                "2fc9e776b3f07b2ee447067e0f627438055b198bb14dba79e1a3d50e40a5bd8d",
            ),
            (
                1_700_000_000_000,
                body,
                "c0f826ee1ce60b66da4c02fc79a5ebb5d4088387d3ed8b6904c9a0bc79d6e5e0",
            ),
        ] {
            let query = Unsigned {
                method: "GET",
                path: "/v5/x",
                query: payload,
                body: "",
            };
            let body = Unsigned {
                query: "",
                body: payload,
                ..query
            };
            for request in [query, body] {
                let signed = BybitWire::sign(&request, &credential, timestamp).unwrap();
                assert_eq!(signed[3], ("X-BAPI-SIGN", signature.to_owned()));
            }
        }
    }
}
