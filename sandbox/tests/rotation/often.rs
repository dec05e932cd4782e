//! Whoever rotates one secret again and again gets no key for it any more, until tomorrow.

use sandbox::in_process::Fault;
use sandbox::secrets_manager::AWSCURRENT;

use super::*;

/// A world whose secret has been rotated as often as it may be within a day.
fn rotated_all_day() -> Watched {
    let world = world();
    for _ in 0..10 {
        world.rotate().expect("a rotation");
    }
    world
}

#[test]
fn a_secret_with_over_ten_versions_of_a_day_gets_no_key_until_the_next() {
    let world = rotated_all_day();
    let (token, keys) = (world.begin_rotation(), world.live_keys().len());
    let said = refused(world.run(Step::Create, &token), ErrorType::RotatedTooOften);
    assert!(
        said.contains("11 versions within 24 hours") && said.contains("break_glass"),
        "{said}"
    );
    assert_eq!(world.live_keys().len(), keys);
    world.advance(seconds(86_401));
    done(world.run(Step::Create, &token), Done::Issued);
}

/// They could not be listed before, and are listed to make room for the key.
#[test]
fn versions_that_are_listed_only_to_make_room_are_counted_then() {
    let world = world();
    world.venue(|model, _| model.knobs.max_keys = Some(3));
    let (token, lost) = unstored(&world);
    world.key_by_hand(SUB);
    world.advance(SETTLED);
    for _ in 0..11 {
        world.put_by_hand(&value(""), world.first_credential(), SUB, "SCRATCH");
    }
    world.plan(Operation::Versions, 1, Fault::Denied);
    refused(world.run(Step::Create, &token), ErrorType::RotatedTooOften);
    assert!(world.plan_is_done());
    assert_eq!(world.live_keys_for(&token), [lost]);
}

#[test]
fn versions_without_labels_count_too() {
    let world = world();
    for _ in 0..11 {
        world.put_by_hand(&value(""), world.first_credential(), SUB, "SCRATCH");
    }
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::RotatedTooOften);
}

#[test]
fn where_the_versions_cannot_be_listed_a_key_is_issued() {
    let world = rotated_all_day();
    let token = world.begin_rotation();
    world.plan(Operation::Versions, 1, Fault::Denied);
    done(world.run(Step::Create, &token), Done::Issued);
}

#[test]
fn where_the_versions_are_not_listed_just_now_nothing_is_issued() {
    let world = world();
    let token = world.begin_rotation();
    world.plan(Operation::Versions, 1, Fault::Throttled);
    refused(world.run(Step::Create, &token), ErrorType::StoreUnavailable);
    assert_eq!(live(&world), [world.first_key().clone()]);
    done(world.run(Step::Create, &token), Done::Issued);
}

/// A world whose secret has this many versions of today beside its first, one of which is labelled as leaked.
fn leaked_among(versions: usize) -> Watched {
    let world = world();
    for _ in 0..versions {
        world.put_by_hand(&value(""), world.first_credential(), SUB, "SCRATCH");
    }
    world.label("COMPROMISED", Some(&world.first_version()));
    world
}

#[test]
fn beside_a_leaked_version_a_key_is_issued_in_spite_of_fifty() {
    for (versions, issued) in [(49, true), (50, false)] {
        let world = leaked_among(versions);
        let token = world.begin_rotation();
        let result = world.run(Step::Create, &token);
        if issued {
            done(result, Done::Issued);
        } else {
            refused(result, ErrorType::RotatedTooOften);
        }
    }
}

#[test]
fn a_label_that_says_leaked_fills_no_account_with_keys() {
    let world = world();
    let mut rotated = 0;
    while world.rotate().is_ok() {
        rotated += 1;
        world.label("COMPROMISED", world.holder(AWSCURRENT).as_ref());
        assert!(rotated <= 11, "{} keys are alive", world.live_keys().len());
    }
    assert_eq!(
        rotated, 11,
        "beside ten living keys of today one is issued, beside eleven none"
    );
}
