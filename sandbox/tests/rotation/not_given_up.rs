//! A version that may be promoted yet is not given up, whatever a stale read shows and whoever is faster.

use protocol::rotation::{Done, Step};
use sandbox::in_process::Fault;
use sandbox::secrets_manager::AWSCURRENT;

use super::doomed::{built_on_another_version, candidate_moved};
use super::*;

#[test]
fn a_version_is_not_given_up_while_somebody_else_changes_its_labels() {
    let world = world();
    let token = built_on_another_version(&world);
    let mut run = world.start(world.request(Step::Create, &token));
    let look = run.until(Operation::Describe);
    run.let_through(look, None);
    // The second look is the one before anything is changed.
    let look = run.until(Operation::Describe);
    world.label("AWSPENDING", None);
    run.let_through(look, None);
    refused(run.finish(), ErrorType::VersionUnknown);
    assert!(world.labels(&token).is_empty());
}

#[test]
fn a_version_that_is_promoted_while_it_is_judged_is_not_given_up() {
    let world = world();
    let token = built_on_another_version(&world);
    let mut judging = world.start(world.request(Step::Create, &token));
    let first = judging.until(Operation::Describe);
    judging.let_through(first, None);
    let second = judging.until(Operation::Describe);
    world.make_current(&token);
    judging.let_through(second, None);
    done(judging.finish(), Done::AlreadyCurrent);
    assert_eq!(world.holder(AWSCURRENT), Some(token.clone()));
    assert!(!world.has_stamp(&token, "CONDEMNED-"));
}

/// Giving up is for good, and reads may be stale: what led to it is judged a second time, and here the base
/// is current after all.
#[test]
fn a_good_version_is_not_given_up_by_two_stale_reads() {
    let world = world();
    let key = world.key_by_hand(SUB);
    let document = FULL.to_owned();
    let theirs = world.put_by_hand(&document, &key, SUB, "by-hand");
    let token = world.begin_rotation();
    world.make_current(&theirs);
    done(world.run(Step::Create, &token), Done::Issued);
    assert_eq!(
        world.document(&token)["rotation"]["based_on"],
        serde_json::json!(theirs)
    );
    // A duplicate, seconds later: neither read knows yet that AWSCURRENT moved.
    world.plan(Operation::Describe, 1, Fault::Stale(3));
    world.plan(Operation::ReadCurrent, 1, Fault::Stale(3));
    drop(world.run(Step::Create, &token));
    assert!(world.plan_is_done());
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    completes(&world, &token);
}

#[test]
fn a_version_is_not_given_up_for_any_number_of_reads_that_are_stale() {
    let world = world();
    let theirs = new_current_by_hand(&world);
    let token = world.begin_rotation();
    world.make_current(&world.first_version());
    done(world.run(Step::Create, &token), Done::Issued);
    for occurrence in 1..=2 {
        // As it was before the hand moved AWSCURRENT: two writes ago.
        world.plan(Operation::Describe, occurrence, Fault::Stale(2));
        world.plan(Operation::ReadCurrent, occurrence, Fault::Stale(2));
    }
    assert_eq!(world.holder("AWSPREVIOUS"), Some(theirs));
    drop(world.run(Step::Create, &token));
    completes(&world, &token);
}

#[test]
fn a_run_without_the_minute_that_it_takes_to_be_sure_judges_nothing() {
    let mut world = world();
    let token = candidate_moved(&world);
    world.take_calls();
    let before = world.now();
    world.0.timeout = seconds(65);
    refused(world.run(Step::Create, &token), ErrorType::DeadlineNear);
    assert_eq!(world.now(), before);
    assert_eq!(world.take_writes(), []);
    world.0.timeout = SignedDuration::from_millis(65_200);
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
}

/// Neither tells whether it was replaced since the version was built on it, or an earlier time.
#[test]
fn a_base_that_is_not_previous_or_is_stamped_is_judged_a_minute_later() {
    let not_previous = |world: &World| drop(new_version_made_current(world));
    let stamped =
        |world: &World| world.label("REPLACED-20260301T110000Z-00000000", Some(&world.first_version()));
    let cases: [fn(&World); 2] = [not_previous, stamped];
    for hand in cases {
        let world = world();
        let token = built_on_another_version(&world);
        hand(&world);
        refused(world.run(Step::Set, &token), ErrorType::StoreUnavailable);
        let before = world.now();
        refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
        assert!(world.now().duration_since(before) >= seconds(60));
    }
}

#[test]
fn a_version_surely_doomed_only_at_the_first_look_is_left_to_the_replay() {
    let world = world();
    let token = built_on_another_version(&world);
    let mut run = world.start(world.request(Step::Create, &token));
    let first = run.until(Operation::Describe);
    run.let_through(first, None);
    let second = run.until(Operation::Describe);
    new_version_made_current(&world);
    run.let_through(second, None);
    world.take_calls();
    refused(run.finish(), ErrorType::StoreUnavailable);
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
}

#[test]
fn no_version_is_condemned_whose_labels_changed_after_it_was_judged() {
    let cancel = |world: &World, _: &VersionId| world.label("AWSPENDING", None);
    let promote = |world: &World, token: &VersionId| world.make_current(token);
    let cases: [fn(&World, &VersionId); 2] = [cancel, promote];
    for hand in cases {
        let world = world();
        let token = built_on_another_version(&world);
        let mut run = world.start(world.request(Step::Create, &token));
        for _ in 0..2 {
            let judged = run.until(Operation::Describe);
            run.let_through(judged, None);
        }
        let look = run.until(Operation::Describe);
        hand(&world, &token);
        let labels = world.labels(&token);
        run.let_through(look, None);
        world.take_calls();
        let said = refused(run.finish(), ErrorType::StoreUnavailable);
        assert!(said.contains("labels changed"), "{said}");
        assert_eq!(world.take_writes(), []);
        assert_eq!(world.labels(&token), labels);
    }
}

#[test]
fn a_version_promoted_while_it_is_condemned_loses_only_the_condemnation() {
    let world = world();
    let token = built_on_another_version(&world);
    let mut run = world.start(world.request(Step::Create, &token));
    let condemn = run.until(Operation::AddLabel);
    run.let_through(condemn, None);
    let look = run.until(Operation::Describe);
    world.make_current(&token);
    run.let_through(look, None);
    refused(run.finish(), ErrorType::StoreUnavailable);
    assert_eq!(world.labels(&token), ["AWSCURRENT", "AWSPENDING"]);
}

#[test]
fn a_version_that_was_seen_current_is_not_condemned_by_a_stale_read() {
    let world = world();
    let first = world.first_version();
    let token = created(&world);
    // What is older than a minute every read shows: that it is pending.
    world.advance(minutes(5));
    completes(&world, &token);
    world.label("AWSCURRENT", Some(&first));
    world.label("AWSPENDING", Some(&token));
    for label in world.labels(&token) {
        if label.starts_with("REPLACED-") {
            world.label(&label, None);
        }
    }
    // The run has seen that the version has been current; the last look before the condemnation has not.
    world.plan(Operation::Describe, 3, Fault::Stale(100));
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    assert!(!world.has_stamp(&token, "CONDEMNED-"));
    assert!(world.alive(&key_in(&world, &token)));
}

/// A version that a person stored and then made current, which leaves AWSPENDING where it is.
fn new_version_made_current(world: &World) -> VersionId {
    let key = world.key_by_hand(SUB);
    let version = world.put_by_hand(&value(""), &key, SUB, "by-hand");
    world.make_current(&version);
    version
}
