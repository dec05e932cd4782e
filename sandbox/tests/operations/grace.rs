//! Rules 1 to 3: a replaced key lives through its grace, then dies in two passes, with proof.

use protocol::operations::Code;
use sandbox::in_process::{Operation, SUB};
use sandbox::secrets_manager::ReplicaStatus;

use super::*;

#[test]
fn a_replaced_key_lives_through_its_grace_and_dies_two_passes_after_it() {
    let world = rotated_twice();
    world.advance(hours(23));
    all_is_well(&world.maintain());
    assert!(world.alive(&world.replaced_key));
    world.advance(hours(2));
    let answer = world.maintain();
    assert_eq!(answer.counts["condemned"], 1);
    assert!(world.alive(&world.replaced_key) && world.has_stamp(&world.replaced, "CONDEMNED-"));
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!((answer.counts["revoked"], answer.counts["retired"]), (1, 1));
    assert!(!world.alive(&world.replaced_key));
    assert_eq!(
        world.labels(&world.replaced),
        Vec::<String>::new(),
        "nothing is left to do about it"
    );
    world.advance(hours(1));
    world.take_calls();
    all_is_well(&world.maintain());
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_pass_that_follows_at_once_does_not_revoke_what_was_just_condemned() {
    let world = rotated_twice();
    world.advance(hours(25));
    world.maintain();
    for _ in 0..3 {
        world.advance(minutes(5));
        world.maintain();
        assert!(world.alive(&world.replaced_key));
    }
}

#[test]
fn a_key_made_by_hand_lives_a_week_and_that_is_said() {
    let world = rotated();
    world.advance(hours(25));
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::AdoptionGrace]);
    assert_eq!(answer.outcome, Outcome::Ok);
    world.advance(hours(24 * 6));
    world.maintain();
    world.advance(hours(1));
    world.maintain();
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn a_key_that_another_secret_holds_is_not_revoked() {
    let world = rotated();
    let other = world.add_secret_of("prod/bybit/other", world.first_credential());
    world.advance(hours(24 * 8));
    settle(&world);
    assert!(world.alive(&world.replaced_key));
    assert!(world.has_stamp(&world.replaced, "REPLACED-"));
    // Once it is rotated too, the grace counts from there.
    world.rotate_secret(&other).expect("a rotation");
    world.advance(hours(24 * 6));
    settle(&world);
    assert!(world.alive(&world.replaced_key));
    world.advance(hours(30));
    settle(&world);
    assert!(!world.alive(&world.replaced_key));
}

/// The same where it was current twice, and a hand wrote the second stamp.
#[test]
fn an_old_stamp_ends_no_grace_of_a_version_that_was_made_since() {
    let Rotated {
        world,
        replaced_key: key,
        ..
    } = rotated_twice();
    world.advance(hours(23));
    let again = world.put_key(&world.credential(&key), "AWSCURRENT");
    world.label("REPLACED-20200101T000000Z-00000000", Some(&again));
    world.put_key(&world.key_by_hand(SUB), "AWSCURRENT");
    world.advance(hours(3));
    settle(&world);
    assert!(world.alive(&key), "it was current a few hours ago");
    world.advance(hours(24));
    settle(&world);
    assert!(!world.alive(&key), "its grace is over");
}

#[test]
fn a_person_who_offers_a_condemned_version_keeps_its_key_alive() {
    let world = rotated_twice();
    world.advance(hours(25));
    world.maintain();
    world.label("CANDIDATE", Some(&world.replaced));
    world.advance(hours(1));
    world.maintain();
    assert!(world.alive(&world.replaced_key));
}

#[test]
fn a_replica_that_is_behind_keeps_the_replaced_key_alive_and_says_so() {
    let world = rotated_twice();
    world.replicate(ReplicaStatus::Failed);
    world.advance(hours(48));
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::ReplicaBehind]);
    world.replicate(ReplicaStatus::InSync);
    world.maintain();
    world.advance(minutes(30));
    world.maintain();
    assert!(
        world.alive(&world.replaced_key),
        "a client may have read it from the replica just before"
    );
    world.advance(hours(1));
    world.maintain();
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn an_unreadable_holder_stops_named_keys_from_being_revoked_and_pages() {
    let world = rotated_twice();
    let other = world.key_by_hand(SUB);
    let other = world.add_secret_of("prod/bybit/other", &other);
    world.delete_secret(&other);
    world.advance(hours(25));
    let answer = world.maintain();
    let unreadable = finding(&answer, Code::HolderUnreadable);
    assert!(
        !unreadable.r#do.contains("delete") && unreadable.r#do.contains("restore"),
        "{unreadable:?}"
    );
    assert_eq!(answer.outcome, Outcome::Attention);
    world.advance(hours(2));
    world.maintain();
    assert!(world.alive(&world.replaced_key));
}

#[test]
fn a_key_that_is_not_proven_dead_keeps_its_labels_until_it_is() {
    let world = rotated_twice();
    world.venue(|model, _| model.knobs.deletion_delay = minutes(10));
    world.advance(hours(25));
    world.maintain();
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::NotProvenDead]);
    assert!(!world.labels(&world.replaced).is_empty());
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!(answer.counts["retired"], 1);
    assert!(!world.alive(&world.replaced_key) && world.labels(&world.replaced).is_empty());
}

#[test]
fn a_dry_run_says_what_a_pass_would_do_and_does_nothing() {
    let world = rotated_twice();
    world.advance(hours(25));
    world.take_calls();
    let answer = world.maintain_dry();
    assert!(
        answer.dry_run && answer.secrets[0].did[0].contains("condemn"),
        "{answer:#?}"
    );
    assert_eq!(world.take_writes(), []);
    world.maintain();
    world.advance(hours(1));
    world.take_calls();
    let answer = world.maintain_dry();
    assert!(answer.secrets[0].did[0].contains("revoke"), "{answer:#?}");
    assert_eq!(world.take_writes(), []);
    assert!(world.alive(&world.replaced_key));
}

#[test]
fn a_leaked_key_dies_in_the_first_pass_that_finds_it_replaced() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.replaced));
    world.maintain();
    assert!(!world.alive(&world.replaced_key));
    assert_eq!(world.labels(&world.replaced), Vec::<String>::new());
    assert!(world.alive(&key_in(&world, &world.token)));
}

#[test]
fn a_leaked_key_that_is_still_current_is_a_page_and_lives() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.token));
    let answer = world.maintain();
    assert!(world.alive(&key_in(&world, &world.token)));
    assert_eq!(codes(&answer), [Code::CompromisedHeld], "{answer:#?}");
}

#[test]
fn a_version_that_a_hand_replaced_is_stamped_by_the_next_pass() {
    let world = rotated_twice();
    let by_hand = world.key_by_hand(SUB);
    world.put_key(&by_hand, "AWSCURRENT");
    world.maintain();
    assert!(world.has_stamp(&world.token, "REPLACED-"));
}

#[test]
fn a_secret_whose_rotation_is_switched_off_is_looked_after_all_the_same() {
    let world = rotated_twice();
    world.switch_off();
    world.advance(hours(25));
    settle(&world);
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn a_quiet_secret_costs_one_read_of_its_value_and_none_of_the_others() {
    let world = rotated_twice();
    world.advance(hours(25));
    settle(&world);
    world.take_calls();
    world.maintain();
    let mut calls = world.take_operations();
    calls.sort_unstable();
    let expected = [
        Operation::ReadCurrent,
        Operation::ReadCurrent,
        Operation::Secrets,
        Operation::Secrets,
        Operation::Inspect,
        Operation::Inspect,
        Operation::List,
    ];
    assert_eq!(
        calls, expected,
        "the secret's value and its master's, and what the venue says of both keys"
    );
}
