//! Everything that is said in a world, and the search for secrets in it.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// What was logged. It has a lock of its own, since logging may happen under the world's.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<String>>);

impl Log {
    /// A listener that writes every event into the log.
    pub(super) fn listener(&self) -> Dispatch {
        Dispatch::new(Listener(self.clone()))
    }

    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, words: &str) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(words);
        log.push('\n');
    }
}

/// What an act gives, and what was logged meanwhile.
pub fn heard<T>(act: impl FnOnce() -> T) -> (T, String) {
    let log = Log::default();
    let done = tracing::dispatcher::with_default(&log.listener(), act);
    (done, log.text())
}

/// Those of the secrets that stand in the text, in clear, in hex or in base64.
pub fn found<'a>(secrets: impl IntoIterator<Item = &'a str>, text: &str) -> Vec<String> {
    let stands = |secret: &&str| spellings(secret).iter().any(|spelling| text.contains(spelling.as_str()));
    secrets.into_iter().filter(stands).map(str::to_owned).collect()
}

fn spellings(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        // A String takes all that is written to it.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let mut spellings = vec![secret.to_owned(), hex.to_uppercase(), hex];
    // Base64 looks different at each of three places; the characters that depend on what stands around are left out.
    for shift in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(secret.bytes()).collect();
        let whole = padded.len() / 3 * 3;
        let digits: String = padded[..whole].chunks(3).flat_map(base64).collect();
        spellings.push(digits.chars().skip(if shift == 0 { 0 } else { 4 }).collect());
    }
    spellings
}

fn base64(three: &[u8]) -> [char; 4] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
    [18, 12, 6, 0].map(|place| char::from(DIGITS[bits >> place & 63]))
}

#[derive(Debug)]
struct Listener(Log);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut words = Words(span.metadata().name().to_owned());
        span.record(&mut words);
        self.0.say(&words.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut words = Words(String::new());
        values.record(&mut words);
        self.0.say(&words.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(event.metadata().level().to_string());
        event.record(&mut words);
        self.0.say(&words.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A String takes all that is written to it.
        let _ = write!(self.0, " {field}={value:?}");
    }
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
            "6b5237782d5365637265742d3139",
            "YWIga1I3eC1TZWNyZXQtMTkgYw==",
            "YSBrUjd4LVNlY3JldC0xOSBj",
            "IGtSN3gtU2VjcmV0LTE5IGM=",
        ] {
            assert_eq!(found([secret], text), [secret], "{text}");
        }
        assert!(found([secret], "kR7x-Secret-18 6b5237").is_empty());
    }
}
