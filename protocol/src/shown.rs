//! How a word that came from outside is shown: enough of it to recognise, never enough to be a secret that
//! somebody misplaced.

use sha2::{Digest, Sha256};

/// The longest part of a foreign word that is shown.
const LONGEST: usize = 16;
/// The longest part of a sentence.
const LONGEST_SENTENCE: usize = 400;

/// The beginning of a foreign word, in characters that no log minds.
pub fn shown(word: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "_-.:/*".contains(c) {
            c
        } else {
            '?'
        }
    };
    let mut text: String = word.chars().take(LONGEST).map(plain).collect();
    if word.chars().count() > LONGEST {
        text.push('…');
    }
    text
}

/// A sentence of AWS about a resource, which holds no secret: whole, in characters that no log minds.
pub fn sentence(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(LONGEST_SENTENCE).map(plain).collect()
}

/// What tells a text apart from others without showing it: the first twelve hex digits of its SHA-256.
pub fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let number = digest
        .iter()
        .take(6)
        .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    format!("{number:012x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_recognised_and_a_secret_is_not_given_away() {
        assert_eq!(shown("ip_allow_list"), "ip_allow_list");
        assert_eq!(shown("0.0.0.0/0"), "0.0.0.0/0");
        assert_eq!(shown("zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO"), "zqLxk9x1HNEzfPWE…");
        assert_eq!(shown("a\nb\u{1b}"), "a?b?");
    }

    #[test]
    fn a_sentence_is_shown_whole_in_one_line() {
        assert_eq!(
            sentence("Failed: the name\n\u{1b}is taken."),
            "Failed: the name  is taken."
        );
        assert_eq!(sentence(&"x".repeat(1_000)).len(), LONGEST_SENTENCE);
    }
}
