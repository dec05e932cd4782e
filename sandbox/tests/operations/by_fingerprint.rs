//! Whose a leaked key is, an audit says by the key's fingerprint.

use protocol::operations::{Code, OperationRequest};

use super::audit::{by_hand, request};
use super::*;

#[test]
fn the_secret_of_a_leaked_key_is_found_by_its_fingerprint() {
    let world = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let answer = world.operate(request(&fingerprint(world.replaced_key.as_str())));
    assert_eq!(codes(&answer), [Code::KeyFound], "{answer:#?}");
    let told = &answer.findings[0];
    assert_eq!(told.secret, "prod/bybit/main");
    assert!(
        told.say.contains(world.replaced.as_str()) && told.r#do.contains("break_glass"),
        "{told:#?}"
    );
    assert_eq!(answer.secrets.len(), 1);
}

#[test]
fn the_answer_to_the_question_comes_before_whatever_else_is_found() {
    let world = world();
    let token = world.rotate().expect("a rotation");
    let answer = world.operate(request(&fingerprint(key_in(&world, &token).as_str())));
    assert!(
        found(&answer, Code::AdoptionGrace),
        "the key before was made by hand: {answer:#?}"
    );
    assert_eq!(answer.findings[0].code, Code::KeyFound, "{answer:#?}");
}

#[test]
fn a_leaked_master_is_found_by_its_fingerprint_once() {
    let world = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let answer = world.operate(request(&fingerprint(world.master_key().as_str())));
    assert_eq!(codes(&answer), [Code::KeyFound], "{answer:#?}");
    assert!(
        answer.findings[0].r#do.contains("masters/bybit/parent"),
        "{answer:#?}"
    );
}

#[test]
fn a_master_that_cannot_be_read_may_be_the_one_that_is_looked_for() {
    let world = rotated_twice();
    world.delete_secret(&world.master());
    let answer = world.operate(request(&fingerprint(world.master_key().as_str())));
    assert!(
        !found(&answer, Code::KeyNotFound) && answer.counts["unread"] > 0,
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_no_version_names_is_said_to_be_nowhere() {
    let world = world();
    assert_eq!(
        codes(&world.operate(request("fp:000000000000"))),
        [Code::KeyNotFound]
    );
    let mut of_one = request("fp:000000000000");
    if let OperationRequest::Audit { secret, .. } = &mut of_one {
        *secret = Some(world.secret().clone());
    }
    assert_eq!(codes(&world.operate(of_one)), [Code::KeyNotFound]);
}

#[test]
fn a_key_is_nowhere_only_where_everything_could_be_read() {
    let world = rotated_twice();
    let other = by_hand(&world, "prod/bybit/other");
    world.delete_secret(&other);
    let answer = world.operate(request("fp:000000000000"));
    assert_eq!(codes(&answer), [Code::NotDone], "{answer:#?}");
    assert_eq!(answer.secrets[0].secret, "prod/bybit/other");
}
