//! What a signed request needs, in types that cannot be printed and are wiped on drop.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::shown::digest;

/// A venue's credential: the key id, the key secret, and a passphrase where the venue has one.
#[derive(Clone)]
pub struct Credential {
    /// Which key.
    pub key_id: KeyId,
    /// What signs. Wiped on drop.
    pub secret: SecretString,
    /// The passphrase some venues ask for beside the secret. Wiped on drop.
    pub passphrase: Option<SecretString>,
}

impl Credential {
    /// What the key secret is: a text in PEM is a private key.
    pub fn form(&self) -> KeyForm {
        if self.secret.expose_secret().starts_with("-----BEGIN") {
            KeyForm::Pair
        } else {
            KeyForm::Hmac
        }
    }
}

/// What a key's secret is, and so how its consumers sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// A secret that both sides have: requests are signed with HMAC.
    Hmac,
    /// The private half of a pair (PKCS#8, PEM), of which the venue has the public half.
    Pair,
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac => "hmac",
            Self::Pair => "ed25519",
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A key's public half. Not secret, yet it is what a thief searches for: shown only as a
/// [fingerprint](KeyId::fingerprint).
#[derive(Clone)]
pub struct KeyId(SecretString);

impl KeyId {
    /// Takes a key id as a venue gives it.
    ///
    /// # Errors
    /// What is wrong with it, when it is empty or holds anything but printable ASCII without spaces: it could
    /// not go into a header.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("holds a space or another character that no key id has");
        }
        Ok(Self(text.into()))
    }

    /// The key id itself, for a request to the venue and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// How the key is shown: `fp:` and the first 12 hex digits of its SHA-256, beside its first four
    /// characters.
    pub fn fingerprint(&self) -> String {
        let head: String = self.expose().chars().take(4).collect();
        format!("fp:{} ({head}…)", digest(self.expose()))
    }
}

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for KeyId {}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

/// An account at a venue, as the venue numbers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// Takes an account id as the venue or a secret gives it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_never_prints_its_secret_passphrase_or_key_id() {
        let credential = Credential {
            key_id: KeyId::parse("AbCdEfGhIjKlMnOpQr").unwrap(),
            secret: "the-key-secret".into(),
            passphrase: Some("the-passphrase".into()),
        };
        for shown in [
            format!("{credential:?}"),
            format!("{credential:#?}"),
            format!("{}", credential.key_id),
        ] {
            for hidden in ["the-key-secret", "the-passphrase", "AbCdEfGhIjKlMnOpQr"] {
                assert!(!shown.contains(hidden), "{hidden} stands in {shown}");
            }
        }
    }

    #[test]
    fn a_fingerprint_is_twelve_hex_digits_beside_four_characters() {
        // `printf testkey | sha256sum`
        assert_eq!(
            KeyId::parse("testkey").unwrap().fingerprint(),
            "fp:98483c6eb40b (test…)"
        );
    }

    #[test]
    fn a_key_id_that_could_not_go_into_a_header_is_refused() {
        for bad in ["", "abc\n", " abc", "a bc", "abç"] {
            assert!(KeyId::parse(bad).is_err(), "{bad:?} was taken");
        }
    }
}
