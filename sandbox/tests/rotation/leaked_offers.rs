//! A leaked key is not offered back: no rotation copies it, and none promotes a copy.

use protocol::rotation::Step;

use super::offers::{ALL, offer};
use super::*;

#[test]
fn a_leaked_version_is_never_rolled_back_to() {
    let world = world();
    world.rotate().unwrap();
    for label in ["COMPROMISED", "ROLLBACK"] {
        world.label(label, Some(&world.first_version()));
    }
    world.take_calls();
    let said = issues_nothing(&world, ErrorType::OfferRefused);
    assert!(said.contains("COMPROMISED"), "{said}");
}

#[test]
fn a_leaked_key_is_not_rolled_back_to_from_another_version_that_names_it() {
    let world = world();
    world.rotate().unwrap();
    let first = world.credential(world.first_key());
    world.label("COMPROMISED", Some(&world.first_version()));
    world.put_by_hand(&value(""), &first, SUB, "ROLLBACK");
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
}

#[test]
fn a_copy_of_a_leaked_key_is_not_promoted_whichever_version_is_labelled() {
    let world = world();
    let (other, key) = offer(&world, "x", ALL);
    world.put_by_hand(&value(SUBACCOUNT), &key, SUB, "CANDIDATE");
    let token = copied(&world);
    for step in [Step::Set, Step::Test] {
        let fork = world.fork();
        fork.run(step, &token).unwrap();
    }
    world.label("COMPROMISED", Some(&other));
    for step in [Step::Set, Step::Finish] {
        let said = refused(world.run(step, &token), ErrorType::StoreUnavailable);
        assert!(said.contains("COMPROMISED"), "{said}");
    }
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    assert_eq!(world.holder("AWSCURRENT"), Some(world.first_version()));
}

#[test]
fn a_key_that_leaks_while_its_copy_is_looked_at_is_not_promoted() {
    let world = world();
    let (other, key) = offer(&world, "x", ALL);
    world.put_by_hand(&value(SUBACCOUNT), &key, SUB, "CANDIDATE");
    let token = world.begin_rotation();
    for step in [Step::Create, Step::Set, Step::Test] {
        world.run(step, &token).unwrap();
    }
    let mut run = world.start(world.request(Step::Finish, &token));
    let ticket = run.until(Operation::Inspect);
    world.label("COMPROMISED", Some(&other));
    world.advance(seconds(10));
    run.let_through(ticket, None);
    refused(run.finish(), ErrorType::StoreUnavailable);
    assert_eq!(world.holder("AWSCURRENT"), Some(world.first_version()));
}
