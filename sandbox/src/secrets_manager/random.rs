//! The model's own randomness: a seeded generator, so that a history replays to the letter.

use crate::random::SplitMix64;

/// Ids and ARN suffixes of a seed.
#[derive(Clone, Debug)]
pub(super) struct Random {
    bits: SplitMix64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            bits: SplitMix64::new(seed),
        }
    }

    /// A version-4 UUID, as SDKs fill in for a `ClientRequestToken`.
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.bits.next(), self.bits.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    }

    /// The six characters that end a secret's ARN.
    pub(super) fn arn_suffix(&mut self) -> String {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut bits = self.bits.next();
        (0..6)
            .map(|_| {
                let at = bits % 62;
                bits /= 62;
                usize::try_from(at).map_or('A', |at| char::from(ALPHABET[at]))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        let first = a.uuid();
        assert_eq!(first, b.uuid());
        assert_ne!(first, a.uuid());
        assert_eq!(b.uuid().len(), 36);
        assert_eq!(a.arn_suffix(), b.arn_suffix());
    }

    #[test]
    fn a_suffix_is_six_letters_or_digits() {
        let suffix = Random::new(1).arn_suffix();
        assert_eq!(suffix.len(), 6);
        assert!(suffix.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
