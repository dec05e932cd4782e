//! Bybit's requests and replies, field by field. Source: `docs/v5/user/*`.

use std::collections::btree_map::Entry;
use std::fmt;

use protocol::marker::Marker;
use protocol::ports::{self, Grant};
use protocol::secret::{Address, Addresses, KeyId};
use secrecy::SecretString;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroize;

use super::call::Call;
use super::permissions::{self, Groups};

/// The most keys on one page of a list.
const PAGE: usize = 20;

/// A key of a third-party app, in `type`.
const OF_AN_APP: u64 = 2;
/// A key that has expired, in `status` of sub-apikeys.
pub(super) const STATUS_EXPIRED: u8 = 2;
/// An IPv6 address with its range takes this many characters at most.
const LONGEST_ADDRESS: usize = 43;

/// Around every reply. HTTP's status is 200 even for failures: `retCode` tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a> {
    pub(super) ret_code: i64,
    #[serde(default, borrow)]
    pub(super) ret_msg: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
    /// The server's time in milliseconds.
    pub(super) time: Option<i64>,
}

/// Reads an object. Serde alone takes a list, too, for the fields in their order.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json).ok()
    } else {
        None
    }
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
    let (read_only, groups) = permissions::request(&grant.permissions)?;
    let body = Create {
        subuid: uid,
        note: marker.to_string(),
        read_only: u8::from(read_only),
        ips: ips(&grant.addresses),
        permissions: groups,
    };
    Ok(Call::once("/v5/user/create-sub-api", json(&body)?))
}

/// update-sub-api, which sets a key to exactly this.
///
/// # Errors
/// As [`create`].
pub(super) fn update(key: &ports::ListedKey, grant: &Grant) -> Result<Call, String> {
    let (read_only, mut groups) = permissions::request(&grant.permissions)?;
    // Whether a group that is not sent stays as it is, is not documented: what is to go is sent empty.
    for group in permissions::groups_of(&key.powers) {
        groups.entry(group.to_owned()).or_default();
    }
    // The addresses go with every edit: left out, they would be lifted.
    let body = Update {
        apikey: key.key_id.expose(),
        read_only: u8::from(read_only),
        ips: ips(&grant.addresses),
        permissions: groups,
    };
    Ok(Call::repeatable("/v5/user/update-sub-api", json(&body)?))
}

/// delete-sub-api.
///
/// # Errors
/// None that occurs.
pub(super) fn delete(key: &KeyId) -> Result<Call, String> {
    let body = json(&Delete { apikey: key.expose() })?;
    Ok(Call::repeatable("/v5/user/delete-sub-api", body))
}

fn json(body: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(body).map_err(|_| "the request could not be written as JSON".to_owned())
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
    #[serde(deserialize_with = "groups")]
    pub(super) permissions: Groups,
    #[serde(default)]
    pub(super) ips: Vec<String>,
    #[serde(rename = "userID", deserialize_with = "uid")]
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
    #[serde(deserialize_with = "groups")]
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

/// The reply of market/time, whose time stands in the envelope.
pub(super) const SERVER_TIME: &str = "/v5/market/time";

/// `readOnly` is 0 or 1 in query-api, and true or false in sub-apikeys.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelling {
        Number(u8),
        Bool(bool),
    }
    match Spelling::deserialize(deserializer)? {
        Spelling::Bool(set) => Ok(set),
        Spelling::Number(0) => Ok(false),
        Spelling::Number(1) => Ok(true),
        Spelling::Number(_) => Err(D::Error::custom("neither 0 nor 1")),
    }
}

/// An account number, which some replies write as a string.
fn uid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelling {
        Number(u64),
        Text(String),
    }
    match Spelling::deserialize(deserializer)? {
        Spelling::Number(number) => Ok(number),
        Spelling::Text(text) => text.parse().map_err(|_| D::Error::custom("no number")),
    }
}

/// Permissions. A group that stands twice is refused: the second would hide what the first allows.
fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Groups, D::Error> {
    struct Each;
    impl<'de> Visitor<'de> for Each {
        type Value = Groups;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("groups of permissions")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Groups, A::Error> {
            let mut groups = Groups::new();
            // What has no values is null in some replies.
            while let Some((group, values)) = map.next_entry::<String, Option<Vec<String>>>()? {
                let Entry::Vacant(place) = groups.entry(group) else {
                    return Err(A::Error::custom("a group stands twice"));
                };
                place.insert(values.unwrap_or_default());
            }
            Ok(groups)
        }
    }
    deserializer.deserialize_map(Each)
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
        Addresses::Only(addresses) => addresses
            .iter()
            .map(Address::as_str)
            .collect::<Vec<_>>()
            .join(","),
    }
}

/// Addresses as replies give them: a list, with `*` in it or nothing at all for anywhere.
///
/// # Errors
/// What no address looks like: it would be shown as it is.
pub(super) fn addresses(ips: &[String]) -> Result<Addresses, &'static str> {
    let fits = |b: u8| b.is_ascii_hexdigit() || b".:/*- ".contains(&b);
    if !ips
        .iter()
        .all(|ip| ip.len() <= LONGEST_ADDRESS && ip.contains(['.', ':', '*']) && ip.bytes().all(fits))
    {
        return Err("binds a key to what is no address");
    }
    let everywhere = |ip: &String| ip == "*" || ip.ends_with("/0") || ip == "0.0.0.0" || ip == "::";
    if ips.is_empty() || ips.iter().any(everywhere) {
        return Ok(Addresses::Any);
    }
    Ok(Addresses::Only(
        ips.iter().map(|ip| Address::as_shown(ip.trim())).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_bound_to_nothing_is_usable_from_anywhere() {
        for unbound in [
            &[][..],
            &["*".to_owned()],
            &["203.0.113.7".to_owned(), "0.0.0.0/0".into()],
        ] {
            assert_eq!(addresses(unbound), Ok(Addresses::Any));
        }
        let two = addresses(&["203.0.113.7".into(), "10.0.0.1".into()]).unwrap();
        assert_eq!(ips(&two), "10.0.0.1,203.0.113.7");
    }

    #[test]
    fn an_address_of_an_unknown_form_is_kept_and_what_is_none_is_not() {
        assert_eq!(ips(&addresses(&["10.0.*.*".into()]).unwrap()), "10.0.*.*");
        for none in [
            "",
            "zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO",
            "0123456789abcdef",
            "bot.example",
        ] {
            assert!(addresses(&[none.to_owned()]).is_err(), "{none}");
        }
    }
}
