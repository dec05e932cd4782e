//! Keys that no version names die once no living run can store them; others are left alone.

use protocol::operations::Code;
use protocol::rotation::Step;
use sandbox::in_process::SUB;
use sandbox::in_process::kind::PLAIN_COARSE;

use super::*;

/// A key that was issued and, its run being dead, never stored; its token was given up.
fn orphan(world: &World) -> KeyId {
    let (_, key) = unstored(world);
    world.label("AWSPENDING", None);
    key
}

#[test]
fn a_key_that_was_never_stored_dies_once_no_living_run_can_store_it() {
    let world = world();
    let key = orphan(&world);
    world.advance(minutes(16));
    world.maintain();
    assert!(world.alive(&key));
    world.advance(minutes(2));
    let answer = world.maintain();
    assert_eq!(answer.counts["orphans"], 1);
    assert!(!world.alive(&key));
    assert!(world.alive(world.first_key()));
}

/// HONEST: a list may show for a while what another run has deleted, and the venue then says that it is gone.
#[test]
fn a_key_that_another_run_has_deleted_is_not_said_to_be_our_work() {
    let world = world_with(Setup::at(&PLAIN_COARSE));
    let key = orphan(&world);
    world.advance(hours(1));
    world.venue(|model, _| model.knobs.deleted_listed_for = SignedDuration::from_secs(60));
    let did = |answer: &Answer| -> Vec<String> {
        let rows = answer.secrets.iter().flat_map(|row| row.did.clone());
        rows.filter(|did| did.contains("revoked")).collect()
    };
    let first = world.maintain();
    assert!(
        did(&first)[0].starts_with("revoked") && !world.alive(&key),
        "{first:#?}"
    );
    let second = world.maintain();
    assert!(did(&second)[0].starts_with("perhaps revoked"), "{second:#?}");
}

#[test]
fn a_key_beside_the_one_a_labelled_version_names_dies_whatever_the_label() {
    for label in ["CANDIDATE", "REPLACED-20260301T120000Z-00000000"] {
        let world = world();
        let (token, lost) = unstored(&world);
        world.run(Step::Create, &token).expect("another key");
        world.label("AWSPENDING", None);
        world.label(label, Some(&token));
        world.advance(hours(1));
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
    let foreign = world.key_by_hand(SUB);
    let other = world.key_by_hand(SUB);
    let other_secret = world.add_secret_of("prod/bybit/other", &other);
    world.rotate_secret(&other_secret).expect("a rotation");
    world.advance(hours(2));
    settle(&world);
    assert!(world.alive(&foreign.key));
    assert_eq!(world.live_keys().len(), 4);
}

#[test]
fn the_key_of_a_version_that_lost_its_labels_lives_through_its_own_grace() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    for _ in 0..2 {
        let by_hand = world.key_by_hand(SUB);
        world.put_key(&by_hand, "AWSCURRENT");
    }
    assert_eq!(world.labels(&world.token), Vec::<String>::new());
    world.advance(hours(1));
    world.maintain();
    assert!(
        world.has_stamp(&world.token, "REPLACED-"),
        "{:?}",
        world.labels(&world.token)
    );
    world.advance(hours(23));
    world.maintain();
    assert!(world.alive(&key));
    settle(&world);
    assert!(!world.alive(&key));
}

#[test]
fn a_doomed_versions_key_dies_without_a_grace() {
    let world = world();
    let token = created(&world);
    let key = key_in(&world, &token);
    let answer = world.abandon();
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert_eq!(world.holder("AWSPENDING"), None);
    world.maintain();
    assert!(world.alive(&key));
    world.advance(hours(1));
    world.maintain();
    assert!(!world.alive(&key));
    world.rotate().expect("the next rotation begins fresh");
}

#[test]
fn where_no_rotation_is_open_there_is_nothing_to_abandon() {
    let world = world();
    world.take_calls();
    let answer = world.abandon();
    ended(&answer, Outcome::Failed, &[Code::Refused]);
    assert_eq!(world.take_writes(), []);
}
