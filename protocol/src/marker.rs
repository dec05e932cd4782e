//! What we write into a key's note at the venue, so that any later run can tell whose key it is.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::label::VersionId;
use crate::wrong::{self, Wrong};

const PREFIX: &str = "x1";
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// 36 to the power of 5.
const FIVE_DIGITS: u64 = 60_466_176;

/// Sixteen characters: `x1`, five of a digest of the secret's ARN, five of a digest of ARN and token, four
/// random for the attempt. The shortest name field of all venues (Deribit's) takes just these. Never to
/// change: two builds that differ would orphan each other's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    secret: String,
    token: String,
    attempt: String,
}

impl Marker {
    /// The marker of one attempt to issue a key for a secret's version. `random` makes the attempt its own.
    pub fn new(secret_arn: &str, token: &VersionId, random: u64) -> Self {
        let secret_arn = if wrong::is(Wrong::MarkerWithoutSecret) {
            ""
        } else {
            secret_arn
        };
        Self {
            secret: base36(digest(&["secret", secret_arn]) % FIVE_DIGITS, 5),
            token: base36(digest(&["token", secret_arn, token.as_str()]) % FIVE_DIGITS, 5),
            attempt: base36(random % (FIVE_DIGITS / 36), 4),
        }
    }

    /// Reads a key's note; `None` where it is no marker of ours.
    pub fn parse(note: &str) -> Option<Self> {
        let rest = note.strip_prefix(PREFIX)?;
        if rest.len() != 14 || !rest.bytes().all(|b| DIGITS.contains(&b)) {
            return None;
        }
        Some(Self {
            secret: rest[..5].into(),
            token: rest[5..10].into(),
            attempt: rest[10..].into(),
        })
    }

    /// Whether the key was issued for the secret that `other` was made for.
    pub fn same_secret(&self, other: &Self) -> bool {
        self.secret == other.secret
    }

    /// The part of it that tells the secret.
    pub fn of_secret(&self) -> &str {
        &self.secret
    }

    /// Whether the key was issued for the secret and version that `other` was made for.
    pub fn same_token(&self, other: &Self) -> bool {
        self.same_secret(other) && self.token == other.token
    }
}

impl Marker {
    /// The passphrase of the key that bears this marker, where a venue's deletion asks for it: derived from
    /// the secret of the master credential that issues the key, so that whoever has that one can delete a key
    /// that was never stored. 24 characters: a small letter, a capital and a digit, and 21 small letters and
    /// digits. Never to change: two builds that differ could not delete each other's keys.
    pub fn passphrase(&self, master: &SecretString) -> SecretString {
        // HMAC takes keys of any length: the constructor's error does not occur.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(master.expose_secret().as_bytes()) else {
            return SecretString::default();
        };
        mac.update(b"passphrase");
        mac.update(self.to_string().as_bytes());
        let mut text = Zeroizing::new(String::from("aA0"));
        let bytes = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
        for byte in bytes.iter().take(21) {
            text.push(char::from(DIGITS[usize::from(*byte) % DIGITS.len()]));
        }
        SecretString::from(text.as_str())
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}{}{}", self.secret, self.token, self.attempt)
    }
}

/// The first 64 bits of the SHA-256 over the parts, each ended by a zero byte.
fn digest(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

fn base36(mut number: u64, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for place in text.iter_mut().rev() {
        *place = DIGITS[usize::try_from(number % 36).unwrap_or(0)];
        number /= 36;
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/bybit/main-AbCdEf";

    #[test]
    fn a_marker_never_changes() {
        // Golden: keys that bear these notes are alive at venues.
        let marker = Marker::new(
            ARN,
            &VersionId::new("11111111-1111-1111-1111-111111111111"),
            1_679_615,
        );
        assert_eq!(marker.to_string(), "x1loq4z7pfa6zzzz");
    }

    #[test]
    fn a_marker_fits_the_shortest_field_and_reads_back() {
        let marker = Marker::new(ARN, &VersionId::new("t"), 7);
        let note = marker.to_string();
        assert_eq!(note.len(), 16);
        assert!(note.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert_eq!(Marker::parse(&note), Some(marker));
    }

    #[test]
    fn a_note_by_hand_is_no_marker() {
        for note in [
            "",
            "bot",
            "x1",
            "x1abc",
            "x2abcdeabcde1234",
            "x1ABCDEabcde1234",
            "x1abcdeabcde12345",
            "x1abcdéabcd1234",
        ] {
            assert_eq!(Marker::parse(note), None, "{note}");
        }
    }

    #[test]
    fn attempts_differ_while_secret_and_token_agree() {
        let (one, two) = (
            Marker::new(ARN, &VersionId::new("t"), 1),
            Marker::new(ARN, &VersionId::new("t"), 2),
        );
        assert!(one != two && one.same_token(&two));
        let other_token = Marker::new(ARN, &VersionId::new("u"), 1);
        assert!(one.same_secret(&other_token) && !one.same_token(&other_token));
        assert!(!one.same_secret(&Marker::new("another", &VersionId::new("t"), 1)));
    }
}
