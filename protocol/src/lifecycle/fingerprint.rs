//! A key's fingerprint as a person types it.

use std::fmt;
use std::str::FromStr;

use crate::secret::KeyId;

/// The first twelve hex digits of a key id's SHA-256, as logs show them after `fp:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

/// No fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is written as in fp:98483c6eb40b: twelve hex digits (printf %s \"$KEY_ID\" | sha256sum)")]
pub struct NoFingerprint;

impl Fingerprint {
    pub(super) fn is_of(&self, key: &KeyId) -> bool {
        key.fingerprint().starts_with(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    /// What stands after the digits, as logs have it, is passed over.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.trim().strip_prefix("fp:").ok_or(NoFingerprint)?;
        let digits = digits.split(' ').next().unwrap_or_default();
        if digits.len() != 12 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoFingerprint);
        }
        Ok(Self(format!("fp:{}", digits.to_lowercase())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_shown_and_finds_its_key() {
        let key = KeyId::parse("testkey").unwrap();
        for text in ["fp:98483c6eb40b", "fp:98483C6EB40B", &key.fingerprint()] {
            assert!(text.parse::<Fingerprint>().unwrap().is_of(&key), "{text}");
        }
        assert!(!"fp:98483c6eb40c".parse::<Fingerprint>().unwrap().is_of(&key));
        for none in ["", "98483c6eb40b", "fp:98483c6eb40", "fp:98483c6eb40bb", "fp:zz483c6eb40b", "testkey"] {
            assert!(none.parse::<Fingerprint>().is_err(), "{none}");
        }
    }
}
