//! The search for secrets in what was said, however they are written there.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Those of the secrets that stand in the text: in clear, in hex, in base64 of either alphabet at any place
/// of a longer run, as a list of bytes, and each of these with any of its characters percent-encoded. The
/// text is read once, however many secrets there are.
pub fn found<'a>(secrets: impl IntoIterator<Item = &'a str>, text: &str) -> Vec<String> {
    let secrets: Vec<&str> = secrets.into_iter().collect();
    let mut wanted = Wanted::default();
    for (of, secret) in secrets.iter().enumerate() {
        for spelling in spellings(secret) {
            wanted.add(of, spelling);
        }
    }
    let mut found = wanted.within(text.as_bytes());
    // Whichever characters an encoder encodes, and in whichever case: a decoder undoes it all.
    if let Cow::Owned(decoded) = percent_decoded(text.as_bytes()) {
        found.append(&mut wanted.within(&decoded));
    }
    found.into_iter().map(|of| secrets[of].to_owned()).collect()
}

fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let secret = secret.as_bytes();
    let hex = |digits: &[u8; 16]| {
        secret
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)]))
            .collect()
    };
    let list: Vec<String> = secret.iter().map(u8::to_string).collect();
    let mut spellings = vec![
        secret.to_vec(),
        hex(b"0123456789abcdef"),
        hex(b"0123456789ABCDEF"),
        list.join(", ").into_bytes(),
    ];
    // Base64 looks different at each of three places; the characters that depend on what stands around are
    // left out.
    for skipped in 0..secret.len().min(3) {
        let (threes, _) = secret[skipped..].as_chunks();
        let [standard, url_safe]: [Vec<u8>; 2] = [STANDARD, URL_SAFE]
            .map(|digits| threes.iter().flat_map(|three| base64(*three, digits)).collect());
        if url_safe != standard {
            spellings.push(url_safe);
        }
        spellings.push(standard);
    }
    spellings.retain(|spelling| !spelling.is_empty());
    spellings
}

fn base64([first, second, third]: [u8; 3], digits: &[u8; 64]) -> [u8; 4] {
    let bits = usize::from(first) << 16 | usize::from(second) << 8 | usize::from(third);
    [18, 12, 6, 0].map(|place| digits[bits >> place & 63])
}

/// The text itself where nothing in it is encoded.
fn percent_decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let byte = match behind {
            [high, low, ..] if *first == b'%' => {
                digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
        rest = &behind[if byte.is_some() { 2 } else { 0 }..];
    }
    Cow::Owned(decoded)
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// How much of a spelling's beginning the search goes by.
const BEGINNING: usize = 8;
/// So many bits tell beginnings apart before a table is asked.
const SIEVE: usize = 1 << 16;

/// What to look for.
struct Wanted {
    /// One bit for each place: whether any beginning falls there.
    sieve: Vec<u64>,
    /// By their first bytes, the spellings and whose they are.
    by_beginning: BTreeMap<u64, Vec<(usize, Vec<u8>)>>,
    /// Those that are shorter than a beginning.
    short: Vec<(usize, Vec<u8>)>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            sieve: vec![0; SIEVE / 64],
            by_beginning: BTreeMap::new(),
            short: Vec::new(),
        }
    }
}

impl Wanted {
    fn add(&mut self, of: usize, spelling: Vec<u8>) {
        let Some(beginning) = spelling.first_chunk::<BEGINNING>() else {
            self.short.push((of, spelling));
            return;
        };
        let beginning = u64::from_be_bytes(*beginning);
        let (word, bit) = place(beginning);
        self.sieve[word] |= bit;
        self.by_beginning
            .entry(beginning)
            .or_default()
            .push((of, spelling));
    }

    /// Whose spellings stand in the text.
    fn within(&self, text: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut last = 0;
        for (end, byte) in text.iter().enumerate() {
            last = last << 8 | u64::from(*byte);
            let (word, bit) = place(last);
            if self.sieve[word] & bit == 0 || end + 1 < BEGINNING {
                continue;
            }
            let here = &text[end + 1 - BEGINNING..];
            let begun = self.by_beginning.get(&last).into_iter().flatten();
            found.extend(
                begun
                    .filter(|(_, spelling)| here.starts_with(spelling))
                    .map(|(of, _)| *of),
            );
        }
        let short = self
            .short
            .iter()
            .filter(|(_, spelling)| text.windows(spelling.len()).any(|here| here == spelling));
        found.extend(short.map(|(of, _)| *of));
        found
    }
}

/// Where in the sieve a beginning falls: which bit of which word. Source of the factor: Fibonacci hashing, 2
/// to the 64 over the golden ratio.
fn place(beginning: u64) -> (usize, u64) {
    let place = beginning.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
    ((place / 64) as usize, 1 << (place % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_spelt() {
        let secret = "kR7x-Secret-19";
        // `printf 'ab kR7x-Secret-19 c' | base64`, and the same without the b, and without both letters
        for text in [
            "x kR7x-Secret-19 y",
            "kR7x-Secret-19",
            "6b5237782d5365637265742d3139",
            "6B5237782D5365637265742D3139",
            "YWIga1I3eC1TZWNyZXQtMTkgYw==",
            "YSBrUjd4LVNlY3JldC0xOSBj",
            "IGtSN3gtU2VjcmV0LTE5IGM=",
            "kR7x%2DSecret%2D1%39%",
            "%%6b%52%37%78%2d%53%65%63%72%65%74%2d%31%39%",
            "%6B%52%37%78%2D%53%65%63%72%65%74%2D%31%39",
            "Bytes([107, 82, 55, 120, 45, 83, 101, 99, 114, 101, 116, 45, 49, 57])",
        ] {
            assert_eq!(found([secret], text), [secret], "{text}");
        }
        for text in [
            "kR7x-Secret-18 6b5237",
            "R7x-Secret-19",
            "kR7x-Secret-1",
            "kR7x%2DSecret%2D1%3",
            "",
        ] {
            assert!(found([secret], text).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_characters_that_differ_between_the_alphabets_are_found_in_both() {
        // `printf '>>>???~~~' | base64`
        for text in ["Pj4+Pz8/fn5+", "Pj4-Pz8_fn5-", "Pj4%2BPz8%2ffn5%2B"] {
            assert_eq!(found([">>>???~~~"], text).len(), 1, "{text}");
        }
    }

    #[test]
    fn each_secret_that_is_there_is_told_once_among_many() {
        let secrets: Vec<String> = (0..40)
            .map(|number| format!("secret-number-{number:02}-of-many"))
            .collect();
        let text = format!("{} {0} {}", secrets[7], secrets[33]);
        assert_eq!(
            found(secrets.iter().map(String::as_str), &text),
            [secrets[7].as_str(), &secrets[33]]
        );
        assert_eq!(found(["short", "other"], "a short one"), ["short"]);
    }
}
