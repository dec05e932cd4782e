//! An order about a leaked key is carried out though a look is stale or fails, an answer is lost, or the
//! order is cut off; and nothing is said of what was changed that is not so.

use protocol::operations::{Code, Mode};
use sandbox::in_process::{Fault, Operation};

use super::*;

#[test]
fn one_stale_read_does_not_have_the_key_before_killed_as_the_current_one() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    for read in [Operation::Describe, Operation::ReadCurrent] {
        let fork = world.fork();
        fork.plan(read, 1, Fault::Stale(3));
        let answer = fork.operate_beside_the_service(leaked(&fork, None));
        assert!(
            fork.alive(&world.replaced_key) && !fork.alive(&key),
            "{read:?}: {answer:#?}"
        );
    }
}

#[test]
fn a_second_order_that_reads_stale_labels_does_not_kill_the_successor() {
    let world = rotated_twice();
    assert_eq!(
        world.operate_beside_the_service(leaked(&world, None)).outcome,
        Outcome::Ok
    );
    let successor = world.current_key().expect("a successor");
    for stale in 1..12 {
        let world = world.fork();
        world.plan(Operation::Describe, 1, Fault::Stale(stale));
        let answer = world.operate_beside_the_service(leaked(&world, None));
        assert!(world.alive(&successor), "{stale}: {answer:#?}");
    }
}

#[test]
fn an_order_looks_again_where_it_could_not_find_out_who_holds_the_key() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.plan_all(Operation::Secrets, 1..=4, Fault::Throttled);
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert!(!world.alive(&key) && answer.outcome == Outcome::Ok, "{answer:#?}");
}

#[test]
fn no_stale_look_at_labels_ends_an_order_before_the_leaked_key_is_dead() {
    let beginning = rotated_twice();
    let key = key_in(&beginning, &beginning.token);
    for occurrence in 1..=40 {
        let world = beginning.fork();
        world.plan(Operation::Describe, occurrence, Fault::Stale(6));
        let answer = world.operate_beside_the_service(leaked(&world, Some(&beginning.token)));
        assert!(
            !world.alive(&key) && answer.outcome == Outcome::Ok,
            "{occurrence}: {answer:#?}"
        );
    }
}

/// Nobody hears what became of the first label that is put on a version, nor of the labels as they are then.
fn no_answer_to_a_label(world: &World) {
    for occurrence in 1..=4 {
        world.plan(Operation::AddLabel, occurrence, Fault::ReplyLost);
        world.plan(Operation::Describe, occurrence + 1, Fault::Dropped);
    }
}

#[test]
fn an_order_whose_label_was_put_unseen_does_not_say_nothing_changed() {
    let world = rotated_twice();
    no_answer_to_a_label(&world);
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(world.holder("COMPROMISED").as_ref(), Some(&world.token));
    ended(&answer, Outcome::Failed, &[Code::Exposed]);
    assert_eq!(
        answer.secrets[0].did,
        [format!(
            "perhaps labelled version {} COMPROMISED: no answer says so",
            world.token
        )]
    );
}

#[test]
fn a_rollback_whose_label_was_put_unseen_does_not_say_nothing_changed() {
    let world = rotated_twice();
    no_answer_to_a_label(&world);
    let answer = world.roll_back(None);
    assert_eq!(world.holder("ROLLBACK").as_ref(), Some(&world.replaced));
    ended(&answer, Outcome::Failed, &[Code::NotDone]);
    assert_eq!(
        answer.secrets[0].did,
        [format!(
            "perhaps labelled version {} ROLLBACK: no answer says so",
            world.replaced
        )]
    );
}

#[test]
fn what_kept_a_leaked_key_alive_for_a_while_is_not_found_once_it_is_dead() {
    let beginning = rotated_twice();
    let key = key_in(&beginning, &beginning.token);
    // The leaked key's end is tried for a minute before its successor is sought, and for another one
    // afterwards.
    for (refusals, found) in [(40, vec![]), (200, vec![Code::Exposed, Code::GraceOverrun])] {
        let world = beginning.fork();
        world.plan_all(Operation::Revoke, 1..=refusals, Fault::Refused);
        let answer = world.operate_beside_the_service(revoke_first(&world, None));
        assert_eq!(
            (codes(&answer), world.alive(&key)),
            (found, refusals == 200),
            "{answer:#?}"
        );
    }
}

#[test]
fn a_young_key_that_is_dead_stays_so_when_its_successor_has_come() {
    for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
        let world = rotated();
        let answer = world.operate_beside_the_service(break_glass(world.secret(), None, mode));
        assert!(!world.alive(&key_in(&world, &world.token)));
        ended(&answer, Outcome::Ok, &[]);
        assert_eq!(answer.counts["revoked"], 1);
    }
}

#[test]
fn an_order_about_a_replaced_key_is_carried_out_though_it_was_cut_off() {
    for copies in [true, false] {
        for cut in 1..12 {
            let world = rotated_twice();
            world.label("ROLLBACK", Some(&world.replaced));
            if copies {
                copied(&world);
            }
            world.plan_at(cut, Fault::CrashBefore);
            drop(
                world
                    .start_operation(leaked(&world, Some(&world.replaced)))
                    .finish(),
            );
            if world.holder("COMPROMISED").is_none() {
                continue;
            }
            for _ in 0..4 {
                world.maintain();
                world.advance(hours(1));
            }
            assert!(
                !world.alive(&world.replaced_key) && world.holder("ROLLBACK").is_none(),
                "{copies} {cut}: {:#?}",
                world.maintain()
            );
        }
    }
}

#[test]
fn stale_looks_in_a_row_end_no_order_before_the_leaked_key_is_dead() {
    let beginning = rotated_twice();
    let key = key_in(&beginning, &beginning.token);
    for operation in [Operation::Describe, Operation::ReadCurrent] {
        for first in 1..=24 {
            let world = beginning.fork();
            for occurrence in first..first + 3 {
                world.plan(operation, occurrence, Fault::Stale(6));
            }
            let answer = world.operate_beside_the_service(leaked(&world, Some(&beginning.token)));
            assert!(
                !world.alive(&key) && answer.outcome == Outcome::Ok,
                "{operation:?} {first}: {answer:#?}"
            );
        }
    }
}

#[test]
fn an_order_whose_label_put_twice_is_unseen_does_not_say_nothing_changed() {
    let world = rotated_twice();
    world.plan(Operation::AddLabel, 1, Fault::Twice);
    world.plan_all(Operation::Describe, 2..6, Fault::Refused);
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.token)));
    assert_eq!(world.holder("COMPROMISED").as_ref(), Some(&world.token));
    assert!(
        answer.secrets[0].did[0].starts_with("perhaps labelled"),
        "{answer:#?}"
    );
}
