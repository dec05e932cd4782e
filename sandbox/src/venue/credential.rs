//! Key ids, key secrets, passphrases, and where they come from.

use std::fmt;
use std::sync::Arc;

use super::profile::Profile;
use crate::random::SplitMix64;

/// The public half of a credential: what venues call the API key. It names the key everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The id as it goes on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for KeyId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secret half of a credential. It can be asked for by name, and never shows up in a debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret(Arc<str>);

impl KeySecret {
    /// The secret itself, for the one reply that carries it and for seeding clients.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A private key that stands for one in PEM: nobody here calculates with it.
    pub(super) fn as_private_key(&self) -> Self {
        let text = &self.0;
        Self(format!("-----BEGIN PRIVATE KEY-----{text}-----END PRIVATE KEY-----").into())
    }
}

impl From<&str> for KeySecret {
    fn from(secret: &str) -> Self {
        Self(secret.into())
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(redacted)")
    }
}

/// What some venues want beside the secret. It can be asked for by name, and never shows up in a debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Arc<str>);

impl Passphrase {
    /// The passphrase itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Passphrase {
    fn from(passphrase: &str) -> Self {
        Self(passphrase.into())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

/// What a signed request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The public half.
    pub key: KeyId,
    /// The secret half.
    pub secret: KeySecret,
    /// The passphrase, at a venue that has them.
    pub passphrase: Option<Passphrase>,
}

/// Where key ids, secrets and record ids come from: the splitmix64 sequence of a seed, so that two models
/// with one seed that see the same calls issue the same keys.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    random: SplitMix64,
    last_record: u64,
}

impl Generator {
    pub(super) fn last_record(&self) -> u64 {
        self.last_record
    }

    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: SplitMix64::new(seed),
            last_record: 16_651_000,
        }
    }

    /// A key id and a secret in the venue's lengths, letters and digits.
    pub(super) fn key(&mut self, profile: &Profile) -> (KeyId, KeySecret) {
        (
            KeyId(self.alphanumerics(profile.key_length)),
            KeySecret(self.alphanumerics(profile.secret_length)),
        )
    }

    /// A passphrase as a careful person makes one: of all kinds of characters.
    pub(super) fn passphrase(&mut self) -> Passphrase {
        Passphrase(format!("{}-aA1!", self.alphanumerics(16)).into())
    }

    /// The number of a key's record: rising, with gaps.
    pub(super) fn record_id(&mut self) -> u64 {
        self.last_record += 1 + self.random.next() % 97;
        self.last_record
    }

    fn alphanumerics(&mut self, length: usize) -> Arc<str> {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        // The remainder is below 62, so the narrowing is exact.
        (0..length)
            .map(|_| char::from(ALPHABET[(self.random.next() % 62) as usize]))
            .collect::<String>()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::PROFILE;

    fn credential(generator: &mut Generator) -> Credential {
        let (key, secret) = generator.key(&PROFILE);
        Credential {
            key,
            secret,
            passphrase: Some(generator.passphrase()),
        }
    }

    #[test]
    fn a_debug_print_of_a_credential_hides_the_secret() {
        let credential = credential(&mut Generator::new(1));
        let printed = format!("{credential:?}");
        assert!(!printed.contains(credential.secret.expose()), "{printed}");
        let passphrase = credential.passphrase.expect("there is one");
        assert!(!printed.contains(passphrase.expose()), "{printed}");
        assert!(printed.contains(credential.key.as_str()));
    }

    #[test]
    fn credentials_have_the_lengths_of_the_venue() {
        let mut generator = Generator::new(7);
        for _ in 0..50 {
            let credential = credential(&mut generator);
            assert_eq!(credential.key.as_str().len(), 18);
            assert_eq!(credential.secret.expose().len(), 36);
            assert!(
                credential
                    .secret
                    .expose()
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric())
            );
        }
    }

    #[test]
    fn one_seed_gives_one_sequence_and_another_seed_another() {
        assert_eq!(
            credential(&mut Generator::new(3)),
            credential(&mut Generator::new(3))
        );
        assert_ne!(
            credential(&mut Generator::new(3)),
            credential(&mut Generator::new(4))
        );
    }

    #[test]
    fn record_ids_rise() {
        let mut generator = Generator::new(9);
        let ids: Vec<u64> = (0..20).map(|_| generator.record_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
