//! What must not be shown: secret values and rotation tokens.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that `Debug` never shows. Serialising it does show it: only replies to the caller and the event
/// that a rotation function is invoked with do that. Shared by all clones.
#[derive(Clone, Eq)]
pub struct Sensitive(Arc<str>);

impl Sensitive {
    /// Wraps a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Sensitive {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Sensitive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.expose().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sensitive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl From<&str> for Sensitive {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    /// `SecretString`.
    Text(Sensitive),
    /// `SecretBinary`, in the base64 form of the wire; never decoded here.
    Binary(Sensitive),
}

impl SecretValue {
    /// A `SecretString`.
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(Sensitive::new(text))
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose()),
            Self::Binary(_) => None,
        }
    }

    /// How many bytes the quota counts: the text's, or the decoded binary's.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.expose().len(),
            Self::Binary(base64) => {
                let digits = base64.expose().trim_end_matches('=').len();
                digits * 3 / 4
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let value = SecretValue::Text("hunter2".into());
        assert!(!format!("{value:?}").contains("hunter2"));
        assert_eq!(format!("{:?}", Sensitive::new("hunter2")), "[redacted]");
    }

    #[test]
    fn the_size_of_a_binary_value_is_that_of_the_decoded_bytes() {
        assert_eq!(SecretValue::Binary("AAAA".into()).size(), 3);
        assert_eq!(SecretValue::Binary("AAA=".into()).size(), 2);
        assert_eq!(SecretValue::Binary("AA==".into()).size(), 1);
        assert_eq!(SecretValue::Text("é".into()).size(), 2);
    }
}
