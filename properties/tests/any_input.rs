//! The properties, on real examples that were damaged in a few places.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// What a careless or malicious writer of JSON puts in the place of something else.
const WORDS: [&str; 28] = [
    "null",
    "true",
    "0",
    "1",
    "-1",
    "1.5",
    "1e999",
    "9223372036854775808",
    "-9223372036854775808",
    "\"\"",
    "\" \"",
    "\"any\"",
    "{}",
    "[]",
    "[\"\"]",
    "{",
    "}",
    "\"",
    "\\",
    "\u{0}",
    "\u{e9}",
    "\"<secret>\"",
    "[\"<secret>\"]",
    "\"<hidden>\"",
    "{\"<hidden>\":\"<hidden>\"}",
    "[\"<hidden>\"]",
    "\"<rotation-token>\"",
    "[\"<rotation-token>\"]",
];

/// The inputs in `seeds`, real examples, or in `found`, what the fuzzer has made of them.
fn inputs(kind: &str, target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz")
        .join(kind)
        .join(target);
    let mut paths: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Strings with their quotes, words, and single characters.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => rest[1..].find('"').map_or(1, |end| end + 2),
            _ => rest
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(rest.len())
                .max(first.len_utf8()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token.to_owned());
        rest = after;
    }
    tokens
}

#[derive(Clone, Debug)]
enum Damage {
    Remove,
    Double,
    Replace(String),
    Insert(String),
    Swap(Index),
    Cut,
}

fn damage(words: Vec<String>) -> impl Strategy<Value = (Index, Damage)> {
    let word = prop_oneof![
        prop::sample::select(words),
        prop::sample::select(WORDS.as_slice()).prop_map(str::to_owned)
    ];
    let damage = prop_oneof![
        Just(Damage::Remove),
        Just(Damage::Double),
        word.clone().prop_map(Damage::Replace),
        word.prop_map(Damage::Insert),
        any::<Index>().prop_map(Damage::Swap),
        Just(Damage::Cut),
    ];
    (any::<Index>(), damage)
}

/// An example with some damage done to it, now and then any bytes at all.
fn damaged(target: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let examples: Vec<Vec<String>> = inputs("seeds", target)
        .iter()
        .map(|example| tokens(&String::from_utf8_lossy(example)))
        .collect();
    let words = examples.iter().flatten().cloned().collect();
    let damaged = (
        prop::sample::select(examples),
        prop::collection::vec(damage(words), 0..4),
    )
        .prop_map(|(mut tokens, damages)| {
            for (at, damage) in damages {
                if tokens.is_empty() {
                    break;
                }
                let at = at.index(tokens.len());
                match damage {
                    Damage::Remove => drop(tokens.remove(at)),
                    Damage::Double => tokens.insert(at, tokens[at].clone()),
                    Damage::Replace(word) => tokens[at] = word,
                    Damage::Insert(word) => tokens.insert(at, word),
                    Damage::Swap(other) => {
                        let other = other.index(tokens.len());
                        tokens.swap(at, other);
                    }
                    Damage::Cut => tokens.truncate(at),
                }
            }
            tokens.concat().into_bytes()
        });
    prop_oneof![9 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..64)]
}

#[test]
fn the_examples_and_what_the_fuzzer_made_of_them_are_read_as_promised() {
    for kind in ["seeds", "found"] {
        for bytes in inputs(kind, "event") {
            properties::event(&bytes);
        }
        for bytes in inputs(kind, "document") {
            properties::document(&bytes);
        }
        for bytes in inputs(kind, "bybit_reply") {
            properties::bybit_reply(&bytes);
        }
        for bytes in inputs(kind, "okx_reply") {
            properties::okx_reply(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_event_makes_the_function_panic_or_say_its_token(bytes in damaged("event")) {
        properties::event(&bytes);
    }

    #[test]
    fn no_value_makes_a_rotation_panic_say_a_secret_or_change_what_must_stay(bytes in damaged("document")) {
        properties::document(&bytes);
    }

    #[test]
    fn no_reply_of_bybit_is_taken_for_more_than_it_is(bytes in damaged("bybit_reply")) {
        properties::bybit_reply(&bytes);
    }

    #[test]
    fn no_reply_of_okx_is_taken_for_more_than_it_is(bytes in damaged("okx_reply")) {
        properties::okx_reply(&bytes);
    }
}
