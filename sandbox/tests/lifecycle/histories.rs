//! Histories that broke a promise once, each by its root: found by the simulation on seeds that nobody chose.

use protocol::lifecycle::Request;
use protocol::rotation::Step;
use sandbox::in_process::{Fault, Operation, SUB};
use sandbox::secrets_manager::{PutSecretValue, Sensitive};

use super::*;

/// HONEST: what was changed is told though a look, which an answer depended on before, fails or is stale.
#[test]
fn abandon_tells_of_the_stamp_that_a_stale_look_does_not_show() {
    let world = world();
    let token = world.begin_rotation();
    // The labels before, then the look after the stamp, and the one after that failed.
    world.plan(Operation::Describe, 3, Fault::Denied);
    world.plan(Operation::Describe, 4, Fault::Stale(9));
    let answer = world.operate(Request::Abandon { secret: world.secret().clone() });
    assert_eq!((answer.outcome, codes(&answer)), (Outcome::Failed, vec![Code::NotDone]), "{answer:#?}");
    assert!(answer.secrets[0].did[0].starts_with(&format!("labelled version {token} CONDEMNED-")), "{answer:#?}");
}

/// HONEST: nobody is woken for a version that never had a value, once a value would be shown if there were one.
#[test]
fn a_version_without_a_value_that_was_replaced_long_ago_blocks_no_revocation() {
    let (world, _, key, _) = rotated_twice();
    let empty = world.begin_rotation();
    world.make_current(&empty);
    world.put_by_hand(world.text_of_setup(), &key_by_hand(&world, SUB), SUB, "AWSCURRENT");
    world.maintain();
    hours(&world, 25);
    let found = [world.maintain(), world.maintain()].map(|answer| codes(&answer).contains(&Code::HolderUnreadable));
    assert_eq!(found, [false, false]);
    settle(&world);
    assert!(!world.alive(&key), "its grace is over, and nothing holds it");
}

/// NO-ORPHANS: a label that says nothing of a version's end keeps no key alive that was issued for it and never stored.
#[test]
fn a_key_that_was_never_stored_is_revoked_whatever_labels_its_version_bears() {
    for label in ["COMPROMISED", "REVOKE_FIRST", "NOTE"] {
        let world = world();
        let token = world.begin_rotation();
        world.plan(Operation::Put, 1, Fault::CrashBefore);
        world.run(Step::Create, &token).expect_err("the process ends before it stores the key");
        world.label(label, Some(&token));
        world.label("AWSPENDING", None);
        let issued = world.live_keys_for(&token);
        assert_eq!(issued.len(), 1);
        hour(&world);
        world.maintain();
        assert!(!world.alive(&issued[0]), "{label}");
    }
}

/// NO-ORPHANS: a version that lost what counts of its labels, and kept another, is stamped, so that its key has an end.
#[test]
fn a_version_that_kept_only_a_note_of_a_person_has_an_end() {
    let (world, token, _, _) = rotated_twice();
    let key = key_in(&world, &token);
    world.label("NOTE", Some(&token));
    for _ in 0..2 {
        world.put_by_hand(world.text_of_setup(), &key_by_hand(&world, SUB), SUB, "AWSCURRENT");
    }
    hour(&world);
    settle(&world);
    hours(&world, 25);
    settle(&world);
    assert!(!world.alive(&key), "its grace is over, and nothing holds it");
}

/// GRACE: a replica that is behind may hand out what lost its labels in the primary before anybody stamped it.
#[test]
fn a_replica_that_is_behind_keeps_alive_what_no_label_tells_of() {
    let world = world();
    let key = world.first_key().clone();
    let other = world.add_secret("prod/bybit/other", world.text_of_setup(), world.first_credential(), SUB);
    replicate(&world, ReplicaStatus::InProgress);
    for _ in 0..2 {
        world.put_by_hand(world.text_of_setup(), &key_by_hand(&world, SUB), SUB, "AWSCURRENT");
    }
    // The other secret's version names the key too, and is replaced.
    let value = world.filled_in(world.text_of_setup(), &key_by_hand(&world, SUB), SUB);
    let request = PutSecretValue {
        secret_id: other.as_str().to_owned(),
        client_request_token: Some("11111111-0000-4000-8000-000000000001".to_owned()),
        secret_string: Some(Sensitive::new(value)),
        ..PutSecretValue::default()
    };
    world.secrets_manager(|model, now| model.put_secret_value(&request, now)).expect("it is stored");
    for _ in 0..4 {
        world.maintain();
        hours(&world, 24 * 8);
    }
    assert!(world.alive(&key), "a client of the replica may have it");
    replicate(&world, ReplicaStatus::InSync);
    for _ in 0..4 {
        hours(&world, 25);
        world.maintain();
    }
    assert!(!world.alive(&key), "no replica hands it out any more");
}
