//! Passphrases of keys that are issued with one.

use rustls::crypto::SecureRandom;
use secrecy::SecretString;
use zeroize::{Zeroize, Zeroizing};

const LENGTH: usize = 32;
/// Letters, digits, and two signs that mean nothing in JSON, in a header or in an unquoted line of a `.env`
/// file: 64 in all, so that six bits of chance make each.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@!";

/// A passphrase by chance: 32 characters with at least one digit, one capital and one small letter, and one
/// sign.
///
/// # Errors
/// No randomness can be had.
pub(in crate::exchange) fn random(source: &dyn SecureRandom) -> Result<SecretString, &'static str> {
    let mut bytes = Zeroizing::new([0_u8; LENGTH]);
    loop {
        source
            .fill(&mut *bytes)
            .map_err(|_| "no random passphrase could be had from the operating system")?;
        for byte in bytes.iter_mut() {
            *byte = ALPHABET[usize::from(*byte & 63)];
        }
        if is_of_all_kinds(&*bytes) {
            let mut text: String = bytes.iter().copied().map(char::from).collect();
            let passphrase = SecretString::from(text.as_str());
            text.zeroize();
            return Ok(passphrase);
        }
    }
}

fn is_of_all_kinds(text: &[u8]) -> bool {
    let kinds: [fn(&u8) -> bool; 4] = [
        u8::is_ascii_digit,
        u8::is_ascii_uppercase,
        u8::is_ascii_lowercase,
        u8::is_ascii_punctuation,
    ];
    kinds.into_iter().all(|kind| text.iter().any(kind))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rustls::crypto::GetRandomFailed;
    use secrecy::ExposeSecret;

    use super::*;

    /// A source that has one kind of character to give before it has all.
    #[derive(Debug)]
    struct Poor(std::sync::atomic::AtomicU8);

    impl SecureRandom for Poor {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
            let turn = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            for (at, byte) in (0_u8..).zip(buffer) {
                *byte = if turn == 0 {
                    7
                } else {
                    at.wrapping_mul(2).wrapping_add(1)
                };
            }
            Ok(())
        }
    }

    #[test]
    fn a_passphrase_has_a_character_of_each_kind() {
        let tls = crate::tls::config().unwrap();
        let source = tls.crypto_provider().secure_random;
        let mut all = BTreeSet::new();
        for _ in 0..200 {
            let passphrase = random(source).unwrap();
            assert!(
                passphrase.expose_secret().len() == 32
                    && is_of_all_kinds(passphrase.expose_secret().as_bytes())
            );
            all.insert(passphrase.expose_secret().to_owned());
        }
        assert_eq!(all.len(), 200);
        let second = random(&Poor(0.into())).unwrap();
        assert!(
            second.expose_secret().contains('!'),
            "the first draw had capitals alone"
        );
    }
}
