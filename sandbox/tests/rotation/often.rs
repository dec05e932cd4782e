//! Whoever rotates one secret again and again gets no key for it any more, until tomorrow.

use sandbox::in_process::Fault;
use sandbox::secrets_manager::AWSCURRENT;

use super::*;

/// A world whose secret has been rotated as often as it may be within a day.
fn rotated_all_day() -> Silent {
    let world = world();
    for _ in 0..10 {
        world.rotate().expect("a rotation");
    }
    world
}

#[test]
fn a_secret_with_more_than_ten_versions_of_a_day_gets_no_key_until_the_next() {
    let world = rotated_all_day();
    let (token, keys) = (world.begin_rotation(), world.live_keys().len());
    let said = refused(world.run(Step::Create, &token), ErrorType::RotatedTooOften);
    assert!(said.contains("11 versions within 24 hours") && said.contains("break_glass"), "{said}");
    assert_eq!(world.live_keys().len(), keys);
    world.advance(seconds(86_401));
    done(world.run(Step::Create, &token), Done::Issued);
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
fn a_leaked_key_gets_its_successor_beside_more_versions_than_that() {
    let world = rotated_all_day();
    world.label("COMPROMISED", world.holder(AWSCURRENT).as_ref());
    let token = world.begin_rotation();
    done(world.run(Step::Create, &token), Done::Issued);
}
