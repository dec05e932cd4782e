//! A key's fingerprint as a person types it.

use std::fmt;
use std::str::FromStr;

use crate::secret::KeyId;

/// The first twelve hex digits of a key id's SHA-256, as logs show them after `fp:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

/// The hex digits of a fingerprint, and those of the SHA-256 that they begin.
const DIGITS: usize = 12;
const WHOLE_DIGEST: usize = 64;

/// No fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a fingerprint is written as in fp:98483c6eb40b: twelve hex digits (printf %s \"$KEY_ID\" | sha256sum)"
)]
pub struct NoFingerprint;

impl Fingerprint {
    pub(crate) fn is_of(&self, key: &KeyId) -> bool {
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

    /// What stands after the digits, as logs have it, is passed over; a whole SHA-256, as `sha256sum` has it,
    /// is cut short.
    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let text = text.trim();
        let digits = text.strip_prefix("fp:").unwrap_or(text);
        let digits = digits.split(' ').next().unwrap_or_default();
        let (shown, rest) = digits.split_at_checked(DIGITS).ok_or(NoFingerprint)?;
        let whole = rest.is_empty() || digits.len() == WHOLE_DIGEST;
        if !whole || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoFingerprint);
        }
        Ok(Self(format!("fp:{}", shown.to_lowercase())))
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
        let whole = format!("98483c6eb40b{}  -", "0".repeat(52));
        assert!(
            whole.parse::<Fingerprint>().unwrap().is_of(&key)
                && "98483c6eb40b".parse::<Fingerprint>().is_ok()
        );
        assert!(!"fp:98483c6eb40c".parse::<Fingerprint>().unwrap().is_of(&key));
        for none in [
            "",
            "98483c6eb40",
            "fp:98483c6eb40",
            "fp:98483c6eb40bb",
            "fp:zz483c6eb40b",
            "testkey",
            "fp:€€€€",
        ] {
            assert!(none.parse::<Fingerprint>().is_err(), "{none}");
        }
    }
}
