//! `serves`: whom a master credential may serve, as its own value says.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::policy::{read_addresses, read_permissions};
use super::{AccountId, Addresses, DocumentError, Permissions};
use crate::name::SecretName;
use crate::shown;

/// The `serves` field of a master's value: for each pattern of secret names the accounts, and a ceiling for
/// what a key may be. Where the field is there it is complete: what no entry covers is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serves(Vec<Entry>);

/// One entry, which has to cover a request whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The names of the secrets; `*` stands for any characters, `/` among them.
    pattern: String,
    accounts: Accounts,
    /// The most a key may be allowed to do; `None` for no more than a key before it.
    pub permissions: Option<Permissions>,
    /// From where a key may be used at the most; `None` for no other addresses than a key before it.
    pub addresses: Option<Addresses>,
}

/// Accounts as the venue's calls name them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Accounts {
    /// Every one: written `"*"`.
    All,
    These(BTreeSet<AccountId>),
}

const FIELDS: &str = "an entry has `accounts`, `permissions` and `ip_allowlist`";

impl Serves {
    /// Reads the field. A field of an entry that it does not know is refused: a misspelt ceiling would be
    /// none.
    ///
    /// # Errors
    /// [`DocumentError::Field`] with what is wrong.
    pub(super) fn read(value: &Value) -> Result<Self, DocumentError> {
        let wrong = |problem: String| DocumentError::Field {
            field: "serves",
            problem,
        };
        let Some(entries) = value.as_object() else {
            return Err(wrong(
                "is not an object of secret names, each with what it may have".into(),
            ));
        };
        let entries = entries.iter().map(|(pattern, value)| {
            Entry::read(pattern, value).map_err(|problem| {
                wrong(format!(
                    "has an entry `{}` that is not usable: {problem}",
                    shown(pattern)
                ))
            })
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// The entries for a secret's keys on an account.
    pub fn of<'a>(
        &'a self,
        secret: &'a SecretName,
        account: &'a AccountId,
    ) -> impl Iterator<Item = &'a Entry> {
        self.0
            .iter()
            .filter(move |entry| matches(&entry.pattern, secret.as_str()) && entry.accounts.have(account))
    }

    /// The accounts that are named one by one for a secret's keys.
    pub fn accounts_of<'a>(&'a self, secret: &'a SecretName) -> impl Iterator<Item = &'a AccountId> {
        let entries = self
            .0
            .iter()
            .filter(|entry| matches(&entry.pattern, secret.as_str()));
        entries.flat_map(|entry| match &entry.accounts {
            Accounts::All => None.into_iter().flatten(),
            Accounts::These(accounts) => Some(accounts).into_iter().flatten(),
        })
    }
}

impl Entry {
    fn read(pattern: &str, value: &Value) -> Result<Self, String> {
        let Some(fields) = value.as_object() else {
            return Err("it is not an object".into());
        };
        let (mut accounts, mut permissions, mut addresses) = (None, None, None);
        for (name, value) in fields {
            let wrong = |problem: String| format!("`{}`: {problem}", shown(name));
            match name.as_str() {
                "accounts" => accounts = Some(Accounts::read(value).map_err(wrong)?),
                "permissions" => permissions = Some(read_permissions(value).map_err(wrong)?),
                "ip_allowlist" => addresses = Some(read_addresses(value).map_err(wrong)?),
                _ => return Err(wrong(FIELDS.into())),
            }
        }
        let accounts = accounts.ok_or_else(|| "`accounts` is missing".to_owned())?;
        Ok(Self {
            pattern: pattern.to_owned(),
            accounts,
            permissions,
            addresses,
        })
    }
}

impl Accounts {
    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || "it must be a list of accounts, or \"*\" for every one".to_owned();
        if value == "*" {
            return Ok(Self::All);
        }
        let accounts = Vec::<Account>::deserialize(value).map_err(|_| wrong())?;
        if accounts.is_empty() {
            return Err(wrong());
        }
        if accounts.iter().any(|Account(account)| account.as_str() == "*") {
            return Ok(Self::All);
        }
        Ok(Self::These(
            accounts.into_iter().map(|Account(account)| account).collect(),
        ))
    }

    fn have(&self, account: &AccountId) -> bool {
        match self {
            Self::All => true,
            Self::These(accounts) => accounts.contains(account),
        }
    }
}

/// An account, which some write as a number.
struct Account(AccountId);

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) if !text.is_empty() => text,
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return Err(serde::de::Error::custom("no account")),
        };
        Ok(Self(AccountId::new(text)))
    }
}

/// Whether a name is of a pattern in which `*` stands for any characters, or none.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let Some(tail) = parts.pop() else { return true };
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Result<Serves, String> {
        Serves::read(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_star_stands_for_any_characters_and_crosses_slashes() {
        for (pattern, name, fits) in [
            ("prod/bybit/main", "prod/bybit/main", true),
            ("prod/bybit/main", "prod/bybit/main2", false),
            ("prod/bybit/*", "prod/bybit/desk-a/one", true),
            ("prod/*/desk-a-*", "prod/bybit/desk-a-1", true),
            ("prod/*/desk-a-*", "prod/bybit/desk-b-1", false),
            ("*", "anything", true),
            ("a*b*a", "aba", true),
            ("a*a", "a", false),
            ("*-x", "prod-x-y", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn an_entry_covers_its_secrets_on_its_accounts_alone() {
        let serves =
            read(&json!({"prod/bybit/a-*": {"accounts": ["7", 8]}, "prod/bybit/any": {"accounts": "*"}}))
                .unwrap();
        let covers = |name: &str, account: &str| {
            serves
                .of(&SecretName::new(name), &AccountId::new(account))
                .next()
                .is_some()
        };
        assert!(
            covers("prod/bybit/a-1", "7") && covers("prod/bybit/a-1", "8") && covers("prod/bybit/any", "9")
        );
        assert!(!covers("prod/bybit/a-1", "9") && !covers("prod/bybit/b", "7"));
    }

    #[test]
    fn what_would_be_no_ceiling_is_refused_by_name() {
        for (value, named) in [
            (json!([]), "not an object"),
            (json!({"a": 1}), "`a`"),
            (json!({"a": {}}), "accounts"),
            (json!({"a": {"accounts": []}}), "accounts"),
            (json!({"a": {"accounts": "7"}}), "accounts"),
            (
                json!({"a": {"accounts": ["7"], "permisions": ["spot"]}}),
                "permisions",
            ),
            (
                json!({"a": {"accounts": ["7"], "permissions": ["withdraw"]}}),
                "withdraw",
            ),
            (
                json!({"a": {"accounts": ["7"], "permissions": []}}),
                "permissions",
            ),
            (
                json!({"a": {"accounts": ["7"], "ip_allowlist": "*"}}),
                "ip_allowlist",
            ),
        ] {
            let error = read(&value).unwrap_err();
            assert!(error.contains(named), "{value}: {error}");
        }
    }
}
