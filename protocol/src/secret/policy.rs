//! What a key must and must never be allowed to do, and from which addresses.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{DocumentError, KeyForm, Permission, PermissionError, Permissions};
use crate::shown;

/// The `policy` of a secret's value. Each half that is missing is taken from the key being replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What the key may do: all of it, and nothing else.
    pub permissions: Option<Permissions>,
    /// From where it may be used.
    pub addresses: Option<Addresses>,
    /// What the key's secret is to be. Where it says nothing, it is what it was before.
    pub form: Option<KeyForm>,
    /// Whether to go back to the key before without asking, where its successor dies while that one is in
    /// its grace.
    pub auto_rollback: bool,
}

impl Policy {
    /// Reads the `policy` field. A field it does not know is refused: a misspelt bound would be no bound.
    pub(super) fn read(value: &serde_json::Value) -> Result<Self, DocumentError> {
        let wrong = |problem: String| DocumentError::Field {
            field: "policy",
            problem,
        };
        let Some(fields) = value.as_object() else {
            return Err(wrong("is not an object".into()));
        };
        let mut policy = Self::default();
        for (name, value) in fields {
            let wrong =
                |problem: String| wrong(format!("has a `{}` that is not usable: {problem}", shown(name)));
            match name.as_str() {
                "permissions" => policy.permissions = Some(read_permissions(value).map_err(wrong)?),
                "ip_allowlist" => policy.addresses = Some(read_addresses(value).map_err(wrong)?),
                "key_type" => policy.form = Some(read_form(value).map_err(wrong)?),
                "auto_rollback" => {
                    policy.auto_rollback = value
                        .as_bool()
                        .ok_or_else(|| wrong("it must be true or false".into()))?;
                }
                _ => {
                    return Err(wrong(
                        "a policy has `permissions`, `ip_allowlist`, `key_type` and `auto_rollback`".into(),
                    ));
                }
            }
        }
        Ok(policy)
    }
}

/// What a key's secret is to be.
fn read_form(value: &serde_json::Value) -> Result<KeyForm, String> {
    [KeyForm::Hmac, KeyForm::Pair]
        .into_iter()
        .find(|form| value.as_str() == Some(&form.to_string()))
        .ok_or_else(|| "it must be \"hmac\" or \"ed25519\"".to_owned())
}

/// A list of words: what a key may do.
pub(super) fn read_permissions(value: &serde_json::Value) -> Result<Permissions, String> {
    let words = Vec::<String>::deserialize(value).map_err(|_| "it must be a list of words".to_owned())?;
    let read: Result<Permissions, _> = words.iter().map(|word| whole_word(word)).collect();
    let permissions = read.map_err(|error| error.to_string())?;
    if permissions.is_empty() {
        return Err("it is empty, and a key that may do nothing helps nobody".to_owned());
    }
    Ok(permissions)
}

/// A list of addresses, or `"any"`: from where a key may be used.
pub(super) fn read_addresses(value: &serde_json::Value) -> Result<Addresses, String> {
    Addresses::deserialize(value).map_err(|error| error.to_string())
}

/// A policy speaks in whole words; a part of one is only ever inherited.
fn whole_word(word: &str) -> Result<Permission, PermissionError> {
    let permission: Permission = word.parse()?;
    if permission.part.is_some() {
        Err(PermissionError::Unknown(shown(word)))
    } else {
        Ok(permission)
    }
}

/// From where a key may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// From anywhere: written `"any"`.
    Any,
    /// From these alone; never empty.
    Only(BTreeSet<Address>),
}

impl Addresses {
    /// Whether every address that `self` allows is allowed by `other` too.
    pub fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Any) => true,
            (Self::Any, Self::Only(_)) => false,
            (Self::Only(own), Self::Only(others)) => {
                own.iter().all(|own| others.iter().any(|other| other.covers(own)))
            }
        }
    }

    /// The same without these, as far as they are named; `None` where nothing is left.
    pub fn without(&self, these: &BTreeSet<Address>) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::Only(own) => {
                let left: BTreeSet<Address> = own.difference(these).cloned().collect();
                (!left.is_empty()).then_some(Self::Only(left))
            }
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Only(addresses) => {
                let shown: Vec<&str> = addresses.iter().map(Address::as_str).collect();
                f.write_str(&shown.join(","))
            }
        }
    }
}

impl Serialize for Addresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::Only(addresses) => serializer.collect_seq(addresses.iter().map(Address::as_str)),
        }
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = match deserializer.deserialize_any(Spelled) {
            Ok(Spelling::Word(word)) if word == "any" => return Ok(Self::Any),
            Ok(Spelling::List(list)) => list,
            _ => return Err(D::Error::custom("it must be a list of IP addresses, or \"any\"")),
        };
        let read: Result<BTreeSet<Address>, _> = list.iter().map(|address| address.parse()).collect();
        let addresses = read.map_err(D::Error::custom)?;
        if addresses.is_empty() {
            return Err(D::Error::custom(
                "it is empty: name the addresses, or say \"any\"",
            ));
        }
        Ok(Self::Only(addresses))
    }
}

/// Addresses as they are written.
enum Spelling {
    Word(String),
    List(Vec<String>),
}

struct Spelled;

impl<'de> Visitor<'de> for Spelled {
    type Value = Spelling;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Spelling, E> {
        Ok(Spelling::Word(word.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Spelling, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(Spelling::List(words))
    }
}

/// One IP address, or a range of them in CIDR notation, in its canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// An address as a venue shows it, whatever its form: only what a person asks for has to be one that we
    /// know.
    pub fn as_shown(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self(text.to_owned()))
    }

    /// Whether it is `other`, or a range that `other` lies in.
    fn covers(&self, other: &Self) -> bool {
        match (self.range(), other.range()) {
            (Some((range, bits)), Some((address, more))) => {
                range.is_ipv4() == address.is_ipv4()
                    && bits <= more
                    && head(range, bits) == head(address, bits)
            }
            // As a venue shows it, in a form that we do not know.
            _ => self == other,
        }
    }

    /// The address, and how many of its bits count.
    fn range(&self) -> Option<(IpAddr, u32)> {
        let (ip, bits) = self
            .0
            .split_once('/')
            .map_or((self.0.as_str(), None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().ok()?;
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        Some((ip, bits.map_or(Some(whole), |bits| bits.parse().ok())?))
    }

    /// The address as a venue is sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first bits of an address.
fn head(ip: IpAddr, bits: u32) -> u128 {
    let (number, length) = match ip {
        IpAddr::V4(ip) => (u128::from(ip.to_bits()), 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    number.checked_shr(length - bits.min(length)).unwrap_or(0)
}

/// Not an IP address, or one that stands for everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{0}` is not an IP address that a key can be bound to")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || AddressError(shown(text));
        let (ip, bits) = text
            .split_once('/')
            .map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
        if ip.is_unspecified() {
            return Err(wrong());
        }
        let Some(bits) = bits else {
            // An IPv4 address is read in its canonical spelling alone.
            return Ok(Self(if ip.is_ipv4() {
                text.to_owned()
            } else {
                ip.to_string()
            }));
        };
        let most = if ip.is_ipv4() { 32 } else { 128 };
        match bits.parse::<u8>() {
            Ok(bits) if (1..=most).contains(&bits) => Ok(Self(format!("{ip}/{bits}"))),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &serde_json::Value) -> Result<Policy, String> {
        Policy::read(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_policy_says_permissions_and_addresses() {
        let policy =
            read(&json!({"permissions": ["spot", "read"], "ip_allowlist": ["203.0.113.7"]})).unwrap();
        assert_eq!(policy.permissions.unwrap().len(), 2);
        assert_eq!(policy.addresses.unwrap().to_string(), "203.0.113.7");
        assert_eq!(
            read(&json!({"ip_allowlist": "any"})).unwrap().addresses,
            Some(Addresses::Any)
        );
    }

    #[test]
    fn a_policy_that_would_be_no_bound_is_refused_by_name() {
        for (policy, named) in [
            (json!("spot"), "not an object"),
            (json!({"permissions": []}), "permissions"),
            (json!({"permissions": ["withdraw"]}), "withdraw"),
            (json!({"permissions": "spot"}), "permissions"),
            (json!({"permissions": ["spot:Foo"]}), "spot:Foo"),
            (json!({"permisions": ["spot"]}), "permisions"),
            (json!({"ip_allowlist": []}), "ip_allowlist"),
            (json!({"ip_allowlist": "*"}), "ip_allowlist"),
            (json!({"ip_allowlist": ["0.0.0.0"]}), "0.0.0.0"),
            (json!({"ip_allowlist": ["0.0.0.0/0"]}), "0.0.0.0/0"),
            (json!({"ip_allowlist": ["10.0.0.0/0"]}), "10.0.0.0/0"),
            (json!({"ip_allowlist": ["bot.example"]}), "bot.example"),
        ] {
            let error = read(&policy).unwrap_err();
            assert!(error.contains(named), "{policy}: {error}");
        }
    }

    #[test]
    fn any_is_within_any_alone() {
        let one: Addresses = serde_json::from_value(json!(["203.0.113.7"])).unwrap();
        let two: Addresses = serde_json::from_value(json!(["203.0.113.7", "203.0.113.8"])).unwrap();
        assert!(one.within(&two) && one.within(&Addresses::Any));
        assert!(!two.within(&one) && !Addresses::Any.within(&two));
    }

    #[test]
    fn an_address_lies_in_its_range() {
        for (address, range, lies) in [
            ("203.0.113.7", "203.0.113.0/24", true),
            ("203.0.113.0/25", "203.0.113.0/24", true),
            ("203.0.112.0/23", "203.0.113.0/24", false),
            ("203.0.114.7", "203.0.113.0/24", false),
            ("2001:db8::7", "2001:db8::/32", true),
            ("2001:db9::7", "2001:db8::/32", false),
            ("203.0.113.7", "2001:db8::/32", false),
            ("203.0.113.7", "203.0.113.7/32", true),
        ] {
            let only = |text: &str| Addresses::Only([text.parse().unwrap()].into());
            assert_eq!(only(address).within(&only(range)), lies, "{address} {range}");
        }
    }

    #[test]
    fn what_is_left_of_addresses_may_be_nothing() {
        let own: BTreeSet<Address> = ["203.0.113.7".parse().unwrap()].into();
        assert_eq!(Addresses::Only(own.clone()).without(&own), None);
        assert_eq!(Addresses::Any.without(&own), Some(Addresses::Any));
    }
}
