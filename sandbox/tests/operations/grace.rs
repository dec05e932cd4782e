//! Rules 1 to 3: a replaced key lives through its grace, then dies in two passes, with proof.

use protocol::operations::Code;
use sandbox::in_process::{Operation, SUB};
use sandbox::secrets_manager::{Replica, ReplicaStatus};

use super::*;

#[test]
fn a_replaced_key_lives_through_its_grace_and_dies_two_passes_after_it() {
    let (world, _, key, version) = rotated_twice();
    hours(&world, 23);
    all_is_well(&world.maintain());
    assert!(world.alive(&key));
    hours(&world, 2);
    let answer = world.maintain();
    assert_eq!(answer.counts["condemned"], 1);
    assert!(
        world.alive(&key)
            && world
                .labels(&version)
                .iter()
                .any(|label| label.starts_with("CONDEMNED-"))
    );
    hour(&world);
    let answer = world.maintain();
    assert_eq!((answer.counts["revoked"], answer.counts["retired"]), (1, 1));
    assert!(!world.alive(&key));
    assert_eq!(
        world.labels(&version),
        Vec::<String>::new(),
        "nothing is left to do about it"
    );
    hour(&world);
    world.take_calls();
    all_is_well(&world.maintain());
    assert_eq!(writes(&world), []);
}

#[test]
fn a_pass_that_follows_at_once_does_not_revoke_what_was_just_condemned() {
    let (world, _, key, _) = rotated_twice();
    hours(&world, 25);
    world.maintain();
    for _ in 0..3 {
        world.advance(SignedDuration::from_mins(5));
        world.maintain();
        assert!(world.alive(&key));
    }
}

#[test]
fn a_key_made_by_hand_lives_a_week_and_that_is_said() {
    let (world, _, key, _) = rotated();
    hours(&world, 25);
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::AdoptionGrace]);
    assert_eq!(answer.outcome, Outcome::Ok);
    hours(&world, 24 * 6);
    world.maintain();
    hour(&world);
    world.maintain();
    assert!(!world.alive(&key));
}

#[test]
fn a_key_that_another_secret_holds_is_not_revoked() {
    let (world, _, key, version) = rotated();
    let other = world.add_secret(
        "prod/bybit/other",
        world.text_of_setup(),
        world.first_credential(),
        SUB,
    );
    hours(&world, 24 * 8);
    settle(&world);
    assert!(world.alive(&key));
    assert!(
        world
            .labels(&version)
            .iter()
            .any(|label| label.starts_with("REPLACED-"))
    );
    // Once it is rotated too, the grace counts from there.
    let token = world.try_begin_rotation_of(&other).expect("a rotation");
    for step in protocol::rotation::Step::ALL {
        world
            .start(world.request_of(&other, step, &token))
            .finish()
            .expect("a step");
    }
    hours(&world, 24 * 6);
    settle(&world);
    assert!(world.alive(&key));
    hours(&world, 30);
    settle(&world);
    assert!(!world.alive(&key));
}

#[test]
fn a_person_who_offers_a_condemned_version_keeps_its_key_alive() {
    let (world, _, key, version) = rotated_twice();
    hours(&world, 25);
    world.maintain();
    world.label("CANDIDATE", Some(&version));
    hour(&world);
    world.maintain();
    assert!(world.alive(&key));
}

#[test]
fn a_replica_that_is_behind_keeps_the_replaced_key_alive_and_that_is_said() {
    let (world, _, key, _) = rotated_twice();
    let replica = |status| {
        vec![Replica {
            region: "eu-west-1".to_owned(),
            status,
            status_message: None,
        }]
    };
    let set = |status| {
        let arn = world.secret().as_str().to_owned();
        world
            .secrets_manager(|model, _| model.set_replicas(&arn, replica(status)))
            .expect("the secret is there");
    };
    set(ReplicaStatus::Failed);
    hours(&world, 48);
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::ReplicaBehind]);
    set(ReplicaStatus::InSync);
    world.maintain();
    world.advance(SignedDuration::from_mins(30));
    world.maintain();
    assert!(
        world.alive(&key),
        "a client may have read it from the replica just before"
    );
    hour(&world);
    world.maintain();
    assert!(!world.alive(&key));
}

#[test]
fn an_unreadable_holder_stops_named_keys_from_being_revoked_and_pages() {
    let (world, _, key, _) = rotated_twice();
    let other = key_by_hand(&world, SUB);
    let other = world.add_secret("prod/bybit/other", world.text_of_setup(), &other, SUB);
    let request = sandbox::secrets_manager::DeleteSecret {
        secret_id: other.as_str().to_owned(),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .expect("it is deleted");
    hours(&world, 25);
    let answer = world.maintain();
    let unreadable = answer
        .findings
        .iter()
        .find(|finding| finding.code == Code::HolderUnreadable)
        .expect("a finding");
    assert!(
        !unreadable.r#do.contains("delete") && unreadable.r#do.contains("restore"),
        "{unreadable:?}"
    );
    assert_eq!(answer.outcome, Outcome::Attention);
    hours(&world, 2);
    world.maintain();
    assert!(world.alive(&key));
}

#[test]
fn a_key_that_is_not_proven_dead_keeps_its_labels_until_it_is() {
    let (world, _, key, version) = rotated_twice();
    world.bybit(|model, _| model.knobs.deletion_delay = SignedDuration::from_mins(10));
    hours(&world, 25);
    world.maintain();
    hour(&world);
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::NotProvenDead]);
    assert!(!world.labels(&version).is_empty());
    hour(&world);
    let answer = world.maintain();
    assert_eq!(answer.counts["retired"], 1);
    assert!(!world.alive(&key) && world.labels(&version).is_empty());
}

#[test]
fn a_dry_run_says_what_a_pass_would_do_and_does_nothing() {
    let (world, _, key, _) = rotated_twice();
    hours(&world, 25);
    world.take_calls();
    let request = protocol::operations::OperationRequest::Maintain {
        shard: protocol::operations::Shard::ALL,
        secrets: Vec::new(),
        moved: false,
        dry_run: true,
    };
    let answer = world.operate(request.clone());
    assert!(
        answer.dry_run && answer.secrets[0].did[0].contains("condemn"),
        "{answer:#?}"
    );
    assert_eq!(writes(&world), []);
    world.maintain();
    hour(&world);
    world.take_calls();
    let answer = world.operate(request);
    assert!(answer.secrets[0].did[0].contains("revoke"), "{answer:#?}");
    assert_eq!(writes(&world), []);
    assert!(world.alive(&key));
}

#[test]
fn a_leaked_key_dies_in_the_first_pass_that_finds_it_replaced() {
    let (world, token, key, version) = rotated_twice();
    world.label("COMPROMISED", Some(&version));
    world.maintain();
    assert!(!world.alive(&key));
    assert_eq!(world.labels(&version), Vec::<String>::new());
    assert!(world.alive(&key_in(&world, &token)));
}

#[test]
fn a_leaked_key_that_is_still_current_is_a_page_and_lives() {
    let (world, token, _, _) = rotated_twice();
    world.label("COMPROMISED", Some(&token));
    let answer = world.maintain();
    assert!(world.alive(&key_in(&world, &token)));
    assert_eq!(codes(&answer), [Code::CompromisedHeld], "{answer:#?}");
}

#[test]
fn a_version_that_a_hand_replaced_is_stamped_by_the_next_pass() {
    let (world, token, _, _) = rotated_twice();
    let by_hand = key_by_hand(&world, SUB);
    world.put_by_hand(world.text_of_setup(), &by_hand, SUB, "AWSCURRENT");
    world.maintain();
    assert!(
        world
            .labels(&token)
            .iter()
            .any(|label| label.starts_with("REPLACED-"))
    );
}

#[test]
fn a_secret_whose_rotation_is_switched_off_is_looked_after_all_the_same() {
    let (world, _, key, _) = rotated_twice();
    let request = sandbox::secrets_manager::CancelRotateSecret {
        secret_id: world.secret().as_str().to_owned(),
    };
    world
        .secrets_manager(|model, now| model.cancel_rotate_secret(&request, now))
        .expect("it is switched off");
    hours(&world, 25);
    settle(&world);
    assert!(!world.alive(&key));
}

#[test]
fn a_quiet_secret_costs_one_read_of_its_value_and_none_of_the_others() {
    let (world, _, _, _) = rotated_twice();
    hours(&world, 25);
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
