//! Bybit's requests and replies, field by field. Source: `docs/v5/user/*`.

use std::fmt;

use protocol::secret::{Address, Addresses};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroize;

use super::permissions::Groups;

/// A key that has expired, in `status` of sub-apikeys.
pub(super) const STATUS_EXPIRED: u8 = 2;

/// Around every reply. HTTP's status is 200 even for failures: `retCode` tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    pub(super) ret_code: i64,
    #[serde(default, borrow)]
    pub(super) ret_msg: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub(super) result: Option<&'a serde_json::value::RawValue>,
    /// The server's time in milliseconds.
    #[serde(default)]
    pub(super) time: i64,
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
    pub(super) read_only: Flag,
    pub(super) permissions: Groups,
    #[serde(default)]
    pub(super) ips: Vec<String>,
    #[serde(rename = "userID")]
    pub(super) user_id: Number,
    #[serde(default)]
    pub(super) is_master: bool,
}

/// One page of sub-apikeys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyPage {
    pub(super) result: Option<Vec<ListedKey>>,
    pub(super) next_page_cursor: Option<String>,
}

/// One key of sub-apikeys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedKey {
    pub(super) api_key: String,
    #[serde(default)]
    pub(super) note: String,
    pub(super) read_only: Flag,
    pub(super) permissions: Groups,
    #[serde(default)]
    pub(super) ips: Vec<String>,
    #[serde(default)]
    pub(super) created_at: String,
    #[serde(default)]
    pub(super) status: u8,
}

/// The reply of market/time, whose time stands in the envelope.
pub(super) const SERVER_TIME: &str = "/v5/market/time";

/// `readOnly` is 0 or 1 in query-api, and true or false in sub-apikeys.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum Flag {
    Number(u8),
    Bool(bool),
}

impl Flag {
    pub(super) fn is_set(self) -> bool {
        match self {
            Self::Number(number) => number != 0,
            Self::Bool(set) => set,
        }
    }
}

/// An account number, which some replies write as a string.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Number(u64),
    Text(String),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A key secret on its way into a credential.
pub(super) struct Secret(SecretString);

impl Secret {
    pub(super) fn into_inner(self) -> SecretString {
        self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(deserializer)?;
        let secret = SecretString::from(text.as_str());
        text.zeroize();
        Ok(Self(secret))
    }
}

/// Addresses as requests want them: separated by commas, `*` for anywhere.
pub(super) fn ips(addresses: &Addresses) -> String {
    match addresses {
        Addresses::Any => "*".into(),
        Addresses::Only(addresses) => addresses.iter().map(Address::as_str).collect::<Vec<_>>().join(","),
    }
}

/// Addresses as replies give them: a list, with `*` in it or nothing at all for anywhere.
pub(super) fn addresses(ips: &[String]) -> Addresses {
    let everywhere = |ip: &String| ip == "*" || ip.ends_with("/0") || ip == "0.0.0.0" || ip == "::";
    if ips.is_empty() || ips.iter().any(everywhere) {
        return Addresses::Any;
    }
    Addresses::Only(ips.iter().map(|ip| Address::as_shown(ip.trim())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_bound_to_nothing_is_usable_from_anywhere() {
        for unbound in [&[][..], &["*".to_owned()], &["203.0.113.7".to_owned(), "0.0.0.0/0".into()]] {
            assert_eq!(addresses(unbound), Addresses::Any);
        }
        assert_eq!(ips(&addresses(&["203.0.113.7".into(), "10.0.0.1".into()])), "10.0.0.1,203.0.113.7");
    }

    #[test]
    fn the_two_types_of_read_only_are_read() {
        for (text, set) in [("0", false), ("1", true), ("false", false), ("true", true)] {
            assert_eq!(serde_json::from_str::<Flag>(text).unwrap().is_set(), set);
        }
    }
}
