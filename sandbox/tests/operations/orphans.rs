//! Keys that no version names die once no living run can store them; others are left alone.

use protocol::operations::Code;
use protocol::rotation::Step;
use sandbox::in_process::{Fault, Operation, SUB};

use super::*;

/// A key that was issued and, its run being dead, never stored; its token was given up.
fn orphan(world: &World) -> KeyId {
    let token = world.begin_rotation();
    world.plan(Operation::Put, 1, Fault::CrashBefore);
    assert!(world.run(Step::Create, &token).is_err());
    let key = world
        .live_keys_for(&token)
        .first()
        .cloned()
        .expect("a key was issued");
    world.label("AWSPENDING", None);
    key
}

#[test]
fn a_key_that_was_never_stored_dies_once_no_living_run_can_store_it() {
    let world = world();
    let key = orphan(&world);
    world.advance(SignedDuration::from_mins(16));
    world.maintain();
    assert!(world.alive(&key));
    world.advance(SignedDuration::from_mins(2));
    let answer = world.maintain();
    assert_eq!(answer.counts["orphans"], 1);
    assert!(!world.alive(&key));
    assert!(world.alive(world.first_key()));
}

#[test]
fn a_key_beside_the_one_a_labelled_version_names_dies_whatever_the_label() {
    for label in ["CANDIDATE", "REPLACED-20260301T120000Z-00000000"] {
        let world = world();
        let token = world.begin_rotation();
        world.plan(Operation::Put, 1, Fault::CrashBefore);
        assert!(world.run(Step::Create, &token).is_err());
        let lost = world.live_keys_for(&token).remove(0);
        world.run(Step::Create, &token).expect("another key");
        world.label("AWSPENDING", None);
        world.label(label, Some(&token));
        hour(&world);
        world.maintain();
        assert!(
            !world.alive(&lost) && world.alive(&key_in(&world, &token)),
            "{label}"
        );
    }
}

#[test]
fn a_key_of_another_secret_or_of_nobody_is_left_alone() {
    let world = world();
    let foreign = key_by_hand(&world, SUB);
    let other = key_by_hand(&world, SUB);
    let other_secret = world.add_secret("prod/bybit/other", world.text_of_setup(), &other, SUB);
    let token = world.try_begin_rotation_of(&other_secret).expect("a rotation");
    for step in Step::ALL {
        world
            .start(world.request_of(&other_secret, step, &token))
            .finish()
            .expect("a step");
    }
    hours(&world, 2);
    settle(&world);
    assert!(world.alive(&foreign.key));
    assert_eq!(world.live_keys().len(), 4);
}

#[test]
fn the_key_of_a_version_that_lost_its_labels_lives_through_its_own_grace() {
    let (world, token, _, _) = rotated_twice();
    let key = key_in(&world, &token);
    for _ in 0..2 {
        let by_hand = key_by_hand(&world, SUB);
        world.put_by_hand(world.text_of_setup(), &by_hand, SUB, "AWSCURRENT");
    }
    assert_eq!(world.labels(&token), Vec::<String>::new());
    hours(&world, 1);
    world.maintain();
    assert!(
        world
            .labels(&token)
            .iter()
            .any(|label| label.starts_with("REPLACED-")),
        "{:?}",
        world.labels(&token)
    );
    hours(&world, 23);
    world.maintain();
    assert!(world.alive(&key));
    settle(&world);
    assert!(!world.alive(&key));
}

#[test]
fn a_doomed_versions_key_dies_without_a_grace() {
    let world = world();
    let token = world.begin_rotation();
    world.run(Step::Create, &token).expect("a key");
    let key = key_in(&world, &token);
    let answer = world.operate(protocol::operations::OperationRequest::Abandon {
        secret: world.secret().clone(),
    });
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert_eq!(world.holder("AWSPENDING"), None);
    world.maintain();
    assert!(world.alive(&key));
    hour(&world);
    world.maintain();
    assert!(!world.alive(&key));
    world.rotate().expect("the next rotation begins fresh");
}

#[test]
fn where_no_rotation_is_open_there_is_nothing_to_abandon() {
    let world = world();
    world.take_calls();
    let answer = world.operate(protocol::operations::OperationRequest::Abandon {
        secret: world.secret().clone(),
    });
    assert_eq!(
        (answer.outcome, codes(&answer)),
        (Outcome::Failed, vec![Code::Refused])
    );
    assert_eq!(writes(&world), []);
}
