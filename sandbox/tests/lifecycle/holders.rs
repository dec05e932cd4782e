//! Rule 1 under faults: a read that fails once is not a version that cannot be read.

use protocol::lifecycle::Code;
use sandbox::in_process::{Fault, Operation, SUB};

use super::*;

/// A world with a second secret, where the grace of the first one's replaced key is over and was condemned an hour ago.
fn condemned() -> (Watched, KeyId) {
    let (world, _, key, _) = rotated_twice();
    let other = key_by_hand(&world, SUB);
    world.add_secret("prod/bybit/other", world.text_of_setup(), &other, SUB);
    hours(&world, 25);
    world.maintain();
    hour(&world);
    world.take_calls();
    (world, key)
}

/// How often a pass makes this call there.
fn count(operation: Operation) -> usize {
    let (world, _) = condemned();
    world.maintain();
    world.take_operations().into_iter().filter(|made| *made == operation).count()
}

#[test]
fn one_read_that_fails_while_the_held_keys_are_looked_up_wakes_nobody_and_keeps_no_key_alive() {
    for operation in [Operation::Describe, Operation::ReadVersion] {
        for occurrence in 1..=count(operation) {
            for fault in [Fault::Throttled, Fault::Dropped] {
                let (world, key) = condemned();
                world.plan(operation, occurrence, fault);
                let answer = world.maintain();
                let codes = codes(&answer);
                assert!(!codes.contains(&Code::HolderUnreadable), "{fault:?} at {operation:?} {occurrence}: {answer:#?}");
                // Where it met the secret's own look, the next pass goes on.
                hour(&world);
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
