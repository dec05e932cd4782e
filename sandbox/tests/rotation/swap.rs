use protocol::audit::{Action, Outcome};
use protocol::rotation::{Done, Step};
use sandbox::in_process::Fault;
use sandbox::secrets_manager::AWSCURRENT;

use super::*;

#[test]
fn a_swap_whose_reply_is_lost_is_looked_up_and_not_made_again() {
    use Operation::{AddLabel, Describe, Inspect, ReadVersion, Swap};
    let world = world();
    let token = created(&world);
    world.plan(Swap, 1, Fault::ReplyLost);
    world.take_calls();
    world.take_records();
    done(world.run(Step::Finish, &token), Done::Promoted);
    assert_eq!(
        world.take_operations(),
        [Describe, ReadVersion, Inspect, Swap, Describe, AddLabel]
    );
    first_was_replaced_at(&world, "20260301T120000Z");
    let swap = world
        .take_records()
        .into_iter()
        .find(|record| record.action == Action::MoveCurrent)
        .expect("it has its line");
    assert_eq!(
        (swap.outcome, swap.class),
        (Outcome::Unknown, Some("unknown_outcome"))
    );
}

#[test]
fn a_swap_that_was_not_made_fails_once_and_the_replay_makes_it() {
    for fault in [Fault::Dropped, Fault::Throttled, Fault::Denied, Fault::Refused] {
        let world = world();
        let token = created(&world);
        world.plan(Operation::Swap, 1, fault);
        world.take_calls();
        let said = refused(world.run(Step::Finish, &token), ErrorType::SwapFailed);
        assert!(said.contains("where it was"), "{said}");
        assert_eq!(world.take_writes(), [Operation::Swap], "{fault:?}");
        assert_eq!(world.holder(AWSCURRENT), Some(world.first_version()));
        world.pass(&token).unwrap();
        assert_eq!(world.holder(AWSCURRENT), Some(token));
    }
}

#[test]
fn a_swap_whose_outcome_cannot_be_looked_up_says_so() {
    let world = world();
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::ReplyLost);
    world.plan(Operation::Describe, 2, Fault::Dropped);
    let said = refused(world.run(Step::Finish, &token), ErrorType::SwapFailed);
    assert!(said.contains("Nobody knows whether it was moved"), "{said}");
    world.pass(&token).unwrap();
    first_was_replaced_at(&world, "20260301T120000Z");
}

#[test]
fn a_swap_that_takes_effect_late_is_success_for_the_replay() {
    let world = world();
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::Late(seconds(4)));
    refused(world.run(Step::Finish, &token), ErrorType::SwapFailed);
    world.advance(seconds(60));
    done(world.run(Step::Create, &token), Done::AlreadyCurrent);
    first_was_replaced_at(&world, "20260301T120100Z");
}

#[test]
fn a_swap_that_is_lost_to_a_person_is_never_made_again() {
    let world = world();
    let token = created(&world);
    let mut run = world.start(world.request(Step::Finish, &token));
    let swap = run.until(Operation::Swap);
    let theirs = new_current_by_hand(&world);
    run.let_through(swap, None);
    world.take_calls();
    refused(run.finish(), ErrorType::SwapLost);
    assert_eq!(world.take_writes(), [Operation::Swap]);
    assert_eq!(world.holder(AWSCURRENT), Some(theirs.clone()));

    // Storing a current value by hand took AWSPENDING off: the service abandons the rotation.
    for step in Step::ALL {
        refused(world.run(step, &token), ErrorType::VersionUnknown);
    }
    assert_eq!(world.take_writes(), []);
    let next = world.rotate().unwrap();
    assert_eq!(
        world.document(&next)["rotation"]["based_on"],
        serde_json::json!(theirs)
    );
}

#[test]
fn a_base_that_lost_its_label_by_hand_dooms_what_was_built_on_it() {
    let world = world();
    let first = world.rotate().unwrap();
    let token = created(&world);
    let mut run = world.start(world.request(Step::Finish, &token));
    let swap = run.until(Operation::Swap);
    world.make_current(&world.first_version());
    run.let_through(swap, None);
    refused(run.finish(), ErrorType::SwapLost);
    let said = refused(world.run(Step::Finish, &token), ErrorType::VersionDoomed);
    assert!(
        said.contains(&format!("it was built on version {first}")),
        "{said}"
    );
    assert_eq!(world.labels(&token), ["AWSPENDING"], "createSecret gives it up");
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    assert_eq!(world.holder("AWSPENDING"), None);
    assert_eq!(world.holder(AWSCURRENT), Some(world.first_version()));
    world.rotate().unwrap();
}

#[test]
fn a_lost_swap_under_a_stale_look_is_left_to_the_replay() {
    let world = world();
    world.rotate().unwrap();
    let token = created(&world);
    let mut run = world.start(world.request(Step::Finish, &token));
    let swap = run.until(Operation::Swap);
    world.make_current(&world.first_version());
    world.plan(Operation::Describe, 1, Fault::Stale(1));
    run.let_through(swap, None);
    // A stale look says that nothing moved; the replay finds out, and nothing was swapped in the meantime.
    refused(run.finish(), ErrorType::SwapFailed);
    refused(
        world.pass(&token).map(|()| Done::Promoted),
        ErrorType::VersionDoomed,
    );
    assert_eq!(world.holder(AWSCURRENT), Some(world.first_version()));
}

#[test]
fn two_finishes_at_once_promote_once_and_both_succeed() {
    let world = world();
    let token = created(&world);
    let mut slow = world.start(world.request(Step::Finish, &token));
    let swap = slow.until(Operation::Swap);
    done(world.run(Step::Finish, &token), Done::Promoted);
    slow.let_through(swap, None);
    done(slow.finish(), Done::Promoted);
    assert_eq!(world.holder(AWSCURRENT), Some(token));
    assert_eq!(world.holder("AWSPREVIOUS"), Some(world.first_version()));
}

#[test]
fn a_run_frozen_past_its_deadline_at_its_last_look_does_not_swap() {
    let world = world();
    let token = created(&world);
    let mut run = world.start(world.request(Step::Finish, &token));
    let look = run.until(Operation::Inspect);
    world.advance(minutes(15));
    run.let_through(look, None);
    world.take_calls();
    refused(run.finish(), ErrorType::DeadlineNear);
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.holder(AWSCURRENT), Some(world.first_version()));
}

#[test]
fn the_audit_says_that_current_was_moved_for_the_run_that_moved_it_alone() {
    let outcomes = |world: &World| -> Vec<Outcome> {
        let records = world.take_records().into_iter();
        records
            .filter(|record| record.action == Action::MoveCurrent)
            .map(|record| record.outcome)
            .collect()
    };
    let world = world();
    let token = created(&world);
    let fork = world.fork();
    fork.plan(Operation::Swap, 1, Fault::ReplyLost);
    done(fork.run(Step::Finish, &token), Done::Promoted);
    assert_eq!(outcomes(&fork), [Outcome::Unknown, Outcome::Done]);

    let mut slow = world.start(world.request(Step::Finish, &token));
    let swap = slow.until(Operation::Swap);
    done(world.run(Step::Finish, &token), Done::Promoted);
    assert_eq!(outcomes(&world), [Outcome::Done]);
    slow.let_through(swap, None);
    done(slow.finish(), Done::Promoted);
    assert_eq!(outcomes(&world), [Outcome::Failed]);
}
