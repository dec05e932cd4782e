//! Rule 1 under faults: a read that fails once is not a version that cannot be read.

use protocol::operations::Code;
use sandbox::in_process::{Fault, Operation, SUB};

use super::*;

/// A world with a second secret, where the grace of the first one's replaced key is over and was condemned an
/// hour ago.
fn condemned() -> (Watched, KeyId) {
    let world = rotated_twice();
    let other = world.key_by_hand(SUB);
    world.add_secret_of("prod/bybit/other", &other);
    world.advance(hours(25));
    world.maintain();
    world.advance(hours(1));
    world.take_calls();
    (world.world, world.replaced_key)
}

/// How often a pass makes this call there.
fn count(operation: Operation) -> usize {
    let (world, _) = condemned();
    world.maintain();
    world.take_count(operation)
}

#[test]
fn one_failed_read_of_the_held_keys_wakes_nobody_and_keeps_no_key_alive() {
    for operation in [Operation::Describe, Operation::ReadVersion] {
        for occurrence in 1..=count(operation) {
            for fault in [Fault::Throttled, Fault::Dropped] {
                let (world, key) = condemned();
                world.plan(operation, occurrence, fault);
                let answer = world.maintain();
                let codes = codes(&answer);
                assert!(
                    !codes.contains(&Code::HolderUnreadable),
                    "{fault:?} at {operation:?} {occurrence}: {answer:#?}"
                );
                // Where it met the secret's own look, the next pass goes on.
                world.advance(hours(1));
                world.maintain();
                assert!(!world.alive(&key), "{fault:?} at {operation:?} {occurrence}");
            }
        }
    }
}

#[test]
fn a_version_that_may_not_be_read_stops_named_keys_from_being_revoked() {
    let (world, key) = condemned();
    for _ in 0..count(Operation::ReadVersion) {
        world.plan(Operation::ReadVersion, 1, Fault::Denied);
    }
    world.maintain();
    assert!(world.alive(&key));
}

/// Values whose key can be told, and that are of no other use.
fn odd_values() -> [String; 7] {
    let text = world().text_of_setup().to_owned();
    let odd = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    };
    // What is filled in has quotation marks, which a text in a text would have to escape.
    let plain = text
        .replace("<credential>", r#""api_key":"<key>","api_secret":"<secret>""#)
        .replace("<words>", r#""read","spot""#);
    let policy = r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}"#;
    [
        odd(policy, r#""policy":"all""#),
        odd(policy, r#""policy":{"auto_rollback":"true"}"#),
        odd(r#""subaccount":"<account>""#, r#""subaccount":5.3888001e7"#),
        odd("<credential>", r#"<credential>,"secret":"<secret>""#),
        odd("<credential>", r#""api_key":"<key>","api_secret":"<secret>\n""#),
        format!("\u{feff}{text}"),
        serde_json::to_string(&plain).expect("a text"),
    ]
}

#[test]
fn an_unusable_value_holds_its_key_and_keeps_no_other_from_being_revoked() {
    for document in odd_values() {
        let world = rotated_twice();
        let other = world.key_by_hand(SUB);
        world.add_secret("prod/bybit/other", &document, &other, SUB);
        world.advance(hours(25));
        world.maintain();
        world.advance(hours(1));
        let answer = world.maintain();
        assert!(!found(&answer, Code::HolderUnreadable), "{document}: {answer:#?}");
        assert!(found(&answer, Code::ValueInvalid), "{document}: {answer:#?}");
        assert!(
            !world.alive(&world.replaced_key) && world.alive(&other.key),
            "{document}"
        );
    }
}

#[test]
fn a_value_that_cannot_be_used_keeps_the_key_that_it_shares_alive() {
    for document in odd_values() {
        let world = world();
        let first = world.first_key().clone();
        let credential = world.credential(&first);
        world.add_secret("prod/bybit/other", &document, &credential, SUB);
        world.rotate().expect("a rotation");
        world.advance(hours(24 * 8));
        settle(&world);
        assert!(world.alive(&first), "{document}");
    }
}
