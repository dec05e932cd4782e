//! OKX's requests and replies, field by field. Source: docs-v5, "Sub-account", "Trading Account", "Overview".

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::ports::{ErrorClass, Grant, VenueError, Whose};
use protocol::secret::{AccountId, Credential, KeyId};
use reqwest::header::HeaderMap;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::codes::{CODES, STATUSES};
use super::powers;
use crate::exchange::kit::address;
use crate::exchange::kit::call::Call;
use crate::exchange::kit::codes::{Code, Status};
use crate::exchange::kit::json::{Secret, object};
use crate::exchange::kit::sign::{base64, hmac_sha256};
use crate::exchange::kit::wire::{Unsigned, Verdict, Wire};

/// OKX's calls.
#[derive(Debug)]
pub struct OkxWire;

impl Wire for OkxWire {
    const NAME: &'static str = "OKX";
    const BASE_URL: &'static str = "OKX_BASE_URL";
    const CODE: &'static str = "code";
    const CODES: &'static [Code] = CODES;
    const STATUSES: &'static [Status] = STATUSES;
    /// Source: OKX's API FAQ.
    const WINDOW: Duration = Duration::from_secs(30);
    /// Creating, editing and deleting a sub-account's keys: each once a second.
    const WRITE_SPACING: Duration = Duration::from_secs(1);
    const SERVER_TIME: &'static str = "/api/v5/public/time";

    /// HMAC-SHA256 over time, method, path with query, and body, in Base64; the passphrase as it is.
    /// Source: docs-v5, "REST Authentication".
    fn sign(
        request: &Unsigned<'_>,
        credential: &Credential,
        at: i64,
    ) -> Result<Vec<(&'static str, String)>, &'static str> {
        let passphrase = credential
            .passphrase
            .as_ref()
            .ok_or("signs no request without a passphrase: add `passphrase` to the value")?;
        let at = Timestamp::from_millisecond(at).map_err(|_| "cannot be told a time that is none")?;
        let at = format!("{at:.3}");
        let mark = if request.query.is_empty() { "" } else { "?" };
        let signed = [
            &at,
            request.method,
            request.path,
            mark,
            request.query,
            request.body,
        ];
        Ok(vec![
            ("OK-ACCESS-KEY", credential.key_id.expose().to_owned()),
            ("OK-ACCESS-SIGN", base64(&hmac_sha256(credential, &signed))),
            ("OK-ACCESS-TIMESTAMP", at),
            ("OK-ACCESS-PASSPHRASE", passphrase.expose_secret().to_owned()),
        ])
    }

    /// Many errors come with status 200: `code` tells.
    fn verdict(body: &str) -> Option<Verdict<'_>> {
        let Envelope { code, msg, data } = object(body)?;
        Some(if code == "0" {
            Verdict::Good {
                result: data.map_or("null", RawValue::get),
                time: None,
            }
        } else {
            Verdict::No { code, message: msg }
        })
    }

    fn server_time(result: &str, _: Option<i64>) -> Option<i64> {
        let [time]: [ServerTime<'_>; 1] = serde_json::from_str(result).ok()?;
        time.ts.parse().ok()
    }

    /// OKX does not say.
    fn takes_calls_at(_: &HeaderMap) -> Option<i64> {
        None
    }
}

/// OKX names its sub-accounts: 6 to 20 letters and digits.
pub(super) fn name(account: &AccountId, whose: Whose) -> Result<&str, VenueError> {
    let name = account.as_str();
    let fits = (6..=20).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(name).ok_or_else(|| VenueError {
        class: ErrorClass::Refused,
        whose,
        say: "the `subaccount` is not the name of an OKX sub-account, which has 6 to 20 letters and digits"
            .into(),
    })
}

/// Around every reply.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(default, borrow)]
    msg: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ServerTime<'a> {
    /// Milliseconds.
    #[serde(borrow)]
    ts: Cow<'a, str>,
}

const KEYS: &str = "/api/v5/users/subaccount/apikey";

/// account/config, which a key asks about itself.
pub(super) fn inspect() -> Call {
    Call::read("/api/v5/account/config", Vec::new())
}

/// A sub-account's keys.
pub(super) fn list(account: &str) -> Call {
    Call::read(KEYS, vec![("subAcct", account.to_owned())])
}

/// Creates a key with this passphrase.
///
/// # Errors
/// What OKX does not grant.
pub(super) fn create(
    account: &str,
    marker: &Marker,
    passphrase: &str,
    grant: &Grant,
) -> Result<Call, String> {
    let ip = address::joined(&grant.addresses, "");
    let body = Create {
        sub_acct: account,
        label: marker.to_string(),
        passphrase,
        perm: powers::request(&grant.permissions)?,
        ip: Some(ip).filter(|ip| !ip.is_empty()),
    };
    Call::once(KEYS, &body)
}

/// Sets a key's permissions and addresses to exactly these. Its secret and passphrase stay.
///
/// # Errors
/// As [`create`].
pub(super) fn modify(account: &str, key: &KeyId, grant: &Grant) -> Result<Call, String> {
    let body = Modify {
        sub_acct: account,
        api_key: key.expose(),
        perm: powers::request(&grant.permissions)?,
        // Empty, it lifts the binding; left out, it would stay.
        ip: address::joined(&grant.addresses, ""),
    };
    Call::repeatable("/api/v5/users/subaccount/modify-apikey", &body)
}

/// Deletes a key.
///
/// # Errors
/// None that occurs.
pub(super) fn delete(account: &str, key: &KeyId) -> Result<Call, String> {
    let body = Delete {
        sub_acct: account,
        api_key: key.expose(),
    };
    Call::repeatable("/api/v5/users/subaccount/delete-apikey", &body)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    sub_acct: &'a str,
    label: String,
    passphrase: &'a str,
    perm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Modify<'a> {
    sub_acct: &'a str,
    api_key: &'a str,
    perm: &'static str,
    ip: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Delete<'a> {
    sub_acct: &'a str,
    api_key: &'a str,
}

/// The reply to a creation: the only place where a key's secret is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) api_key: String,
    pub(super) secret_key: Secret,
}

/// The reply of account/config.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnKey {
    pub(super) uid: String,
    pub(super) main_uid: String,
    pub(super) perm: String,
    #[serde(default)]
    pub(super) ip: String,
    /// `0` for a main account; sub-accounts have others.
    #[serde(default, rename = "type")]
    pub(super) account_type: String,
}

/// One key of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedKey {
    pub(super) api_key: String,
    pub(super) label: Option<String>,
    pub(super) perm: String,
    pub(super) ip: Option<String>,
    /// When it was made, in milliseconds.
    #[serde(default)]
    pub(super) ts: String,
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

    fn credential(passphrase: Option<&str>) -> Credential {
        Credential {
            key_id: KeyId::parse("testkey").unwrap(),
            secret: "testsecret".into(),
            passphrase: passphrase.map(Into::into),
        }
    }

    #[test]
    fn signatures_agree_with_the_golden_vectors() {
        let get = Unsigned {
            method: "GET",
            path: "/api/v5/account/config",
            query: "",
            body: "",
        };
        let post = Unsigned {
            method: "POST",
            path: KEYS,
            query: "",
            body: concat!(
                r#"{"subAcct":"sub1","label":"rot1","passphrase":"Aa1!aaaa","perm":"read_only,trade","#,
                r#""ip":"203.0.113.7"}"#
            ),
        };
        for (request, signature) in [
            (get, "vaoV10QgVHRiu5gaQnEYbOVQK3ma8SKv0yLRxIzFsog="),
            (post, "d6cSsjVzEj9pYg4v6pMjtbJ3h7b3dK3JDSmGKnhHV6Q="),
        ] {
            let at = "2020-12-08T09:08:57.715Z";
            let milliseconds = at.parse::<Timestamp>().unwrap().as_millisecond();
            let signed = OkxWire::sign(&request, &credential(Some("Aa1!aaaa")), milliseconds).unwrap();
            assert_eq!(signed[1], ("OK-ACCESS-SIGN", signature.to_owned()));
            assert_eq!(signed[2], ("OK-ACCESS-TIMESTAMP", at.to_owned()));
            assert_eq!(signed[3], ("OK-ACCESS-PASSPHRASE", "Aa1!aaaa".to_owned()));
        }
    }

    #[test]
    fn a_credential_without_a_passphrase_is_told_what_it_lacks() {
        let request = Unsigned {
            method: "GET",
            path: "/",
            query: "",
            body: "",
        };
        let lack = OkxWire::sign(&request, &credential(None), 0).unwrap_err();
        assert!(lack.contains("`passphrase`"), "{lack}");
        let whole_second = OkxWire::sign(&request, &credential(Some("p")), 0).unwrap();
        assert_eq!(whole_second[2].1, "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_sub_account_s_name_is_told_from_what_is_none() {
        let fits = |text: &str| name(&AccountId::new(text), Whose::Master).is_ok();
        assert!(fits("desk01") && fits("Desk0000000000000020"));
        for none in [
            "",
            "desk1",
            "desk-01",
            "desk 001",
            "désk001",
            "Desk00000000000000021",
        ] {
            assert!(!fits(none), "{none}");
        }
    }
}
