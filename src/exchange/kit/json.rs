//! JSON as the exchanges' documentation has it: objects, and fields that some replies spell in two ways.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use secrecy::SecretString;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

/// Reads an object. Serde alone takes a list, too, for the fields in their order.
pub(in crate::exchange) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    if json.trim_start().starts_with('{') {
        serde_json::from_str(json).ok()
    } else {
        None
    }
}

/// The text of one field of an object, whatever the others are. A name that stands twice has none.
pub(in crate::exchange) fn text_of(json: &str, name: &str) -> Option<String> {
    struct Field<'a>(&'a str);
    impl<'de> Visitor<'de> for Field<'_> {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut text = None;
            while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                if name != self.0 {
                    map.next_value::<IgnoredAny>()?;
                } else if text.replace(map.next_value::<String>()?).is_some() {
                    return Err(A::Error::custom("a name stands twice"));
                }
            }
            Ok(text)
        }
    }
    serde_json::Deserializer::from_str(json)
        .deserialize_map(Field(name))
        .ok()?
}

/// A flag that is 0 or 1 in some replies, and true or false in others.
pub(in crate::exchange) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
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

/// A number, which some replies write as a string.
pub(in crate::exchange) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
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

/// Lists by name. A name that stands twice is refused: the second would hide what the first says.
pub(in crate::exchange) fn lists_by_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    struct Each;
    impl<'de> Visitor<'de> for Each {
        type Value = BTreeMap<String, Vec<String>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("lists by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut lists = BTreeMap::new();
            // What has no values is null in some replies.
            while let Some((name, values)) = map.next_entry::<String, Option<Vec<String>>>()? {
                let Entry::Vacant(place) = lists.entry(name) else {
                    return Err(A::Error::custom("a name stands twice"));
                };
                place.insert(values.unwrap_or_default());
            }
            Ok(lists)
        }
    }
    deserializer.deserialize_map(Each)
}

/// A key secret on its way into a credential.
pub(in crate::exchange) struct Secret(SecretString);

impl Secret {
    pub(in crate::exchange) fn into_inner(self) -> SecretString {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_whatever_stands_beside_it_and_never_with_two_meanings() {
        let id = |json: &str| text_of(json, "id");
        assert_eq!(
            id(r#"{"x":[{"id":"b"}],"id":"a","y":null}"#).as_deref(),
            Some("a")
        );
        for none in [
            r#"["a"]"#,
            "{}",
            r#"{"id":7}"#,
            r#"{"id":null}"#,
            r#"{"id":"a","id":"a"}"#,
        ] {
            assert_eq!(id(none), None, "{none}");
        }
    }
}
