//! Key ids, key secrets, and the signature that proves that a caller holds both.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::random::SplitMix64;

/// The public half of a credential: what Bybit calls the API key. It names the key everywhere.
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

    /// The signature that Bybit wants for a request: HMAC-SHA256 over timestamp, key id, window and payload
    /// run together, in lower-case hex. The payload is the raw query string of a GET and the raw body of
    /// a POST.
    pub fn sign(&self, timestamp: &str, key: &KeyId, recv_window: &str, payload: &[u8]) -> String {
        let mut mac = self.mac();
        mac.update(timestamp.as_bytes());
        mac.update(key.as_str().as_bytes());
        mac.update(recv_window.as_bytes());
        mac.update(payload);
        hex(&mac.finalize().into_bytes())
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length")
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

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// What a signed request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The public half.
    pub key: KeyId,
    /// The secret half.
    pub secret: KeySecret,
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

    /// A credential in Bybit's lengths: 18 characters of id, 36 of secret, letters and digits.
    pub(super) fn credential(&mut self) -> Credential {
        Credential {
            key: KeyId(self.alphanumerics(18)),
            secret: KeySecret(self.alphanumerics(36)),
        }
    }

    /// The number Bybit keeps beside a key ("Internal use"): rising, with gaps.
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

    /// Computed apart from this code with the key `testkey` and the secret `testsecret`; Bybit's own samples
    /// do not tell the secret.
    const VECTORS: [(&str, &str, &str); 3] = [
        (
            "1658384314791",
            "category=option&symbol=BTC-29JUL22-25000-C",
            "234e645dce3a16c7c538ec725b089f9959ddc0648c4a09e14ad706ea8b4baf48",
        ),
        (
            "1700000000000",
            "",
            "2fc9e776b3f07b2ee447067e0f627438055b198bb14dba79e1a3d50e40a5bd8d",
        ),
        (
            "1700000000000",
            concat!(
                r#"{"subuid":53888000,"note":"rot-1","readOnly":0,"ips":"203.0.113.7","#,
                r#""permissions":{"Spot":["SpotTrade"]}}"#
            ),
            "c0f826ee1ce60b66da4c02fc79a5ebb5d4088387d3ed8b6904c9a0bc79d6e5e0",
        ),
    ];

    #[test]
    fn a_signature_matches_the_golden_vectors() {
        let secret = KeySecret::from("testsecret");
        for (timestamp, payload, signature) in VECTORS {
            assert_eq!(
                secret.sign(timestamp, &KeyId::from("testkey"), "5000", payload.as_bytes()),
                signature
            );
        }
    }

    #[test]
    fn a_debug_print_of_a_credential_hides_the_secret() {
        let credential = Generator::new(1).credential();
        let printed = format!("{credential:?}");
        assert!(!printed.contains(credential.secret.expose()), "{printed}");
        assert!(printed.contains(credential.key.as_str()));
    }

    #[test]
    fn credentials_have_the_lengths_of_the_venue() {
        let mut generator = Generator::new(7);
        for _ in 0..50 {
            let credential = generator.credential();
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
        assert_eq!(Generator::new(3).credential(), Generator::new(3).credential());
        assert_ne!(Generator::new(3).credential(), Generator::new(4).credential());
    }

    #[test]
    fn record_ids_rise() {
        let mut generator = Generator::new(9);
        let ids: Vec<u64> = (0..20).map(|_| generator.record_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
}
