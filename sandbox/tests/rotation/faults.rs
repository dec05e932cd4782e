use protocol::audit::{Action, Outcome};
use protocol::rotation::{Done, Step};
use sandbox::in_process::Fault;
use sandbox::secrets_manager::AWSCURRENT;

use super::*;

const FAULTS: [Fault; 9] = [
    Fault::Dropped,
    Fault::ReplyLost,
    Fault::Late(seconds(4)),
    Fault::Throttled,
    Fault::Denied,
    Fault::Refused,
    Fault::Stale(1),
    Fault::CrashBefore,
    Fault::CrashAfter,
];

/// Replays until the rotation is over, and what has to be true then.
#[track_caller]
fn heals(world: &World, token: &VersionId, history: &str) {
    let mut replays = 0;
    while world.pass(token).is_err() {
        replays += 1;
        assert!(replays < 3, "{history}: it does not converge");
        world.advance(seconds(60));
    }
    world
        .pass(token)
        .unwrap_or_else(|failure| panic!("{history}: {failure}"));
    let key = key_in(world, token);
    assert_eq!(world.holder(AWSCURRENT).as_ref(), Some(token), "{history}");
    assert_eq!(
        world.live_keys_for(token),
        std::slice::from_ref(&key),
        "{history}"
    );
    assert_eq!(live(world), [world.first_key().clone(), key], "{history}");
    let labels = world.labels(&world.first_version());
    assert_eq!(labels.len(), 2, "{history}: {labels:?}");
    assert!(
        labels[0] == "AWSPREVIOUS" && labels[1].starts_with("REPLACED-2026"),
        "{history}: {labels:?}"
    );
    assert_eq!(world.labels(token), ["AWSCURRENT", "AWSPENDING"], "{history}");
    assert_eq!(world.leaks(), Vec::<String>::new(), "{history}");
}

#[test]
fn every_single_fault_at_every_call_of_a_rotation_is_healed_by_replays() {
    let mut histories = 0;
    for fault in FAULTS {
        for at in 1.. {
            let world = World::new();
            let token = world.begin_rotation();
            world.plan_at(at, fault);
            let result = world.pass(&token);
            if !world.plan_is_done() {
                assert_eq!(
                    at, 23,
                    "a plain rotation makes 22 calls, and at each one of them {fault:?} was injected"
                );
                break;
            }
            heals(
                &world,
                &token,
                &format!("{fault:?} at call {at}, then {result:?}"),
            );
            histories += 1;
        }
    }
    assert_eq!(histories, 22 * FAULTS.len());
}

#[test]
fn two_crashes_at_any_two_calls_are_healed_by_replays() {
    for first in 1..=21 {
        for second in 1..=14 {
            let world = World::new();
            let token = world.begin_rotation();
            world.plan_at(first, Fault::CrashAfter);
            let one = world.pass(&token);
            world.plan_at(second, Fault::CrashAfter);
            let two = world.pass(&token);
            let history = format!("crashes after {first} and {second}: {one:?}, {two:?}");
            if world.live_keys_for(&token).len() == 2 && world.document(&token).is_null() {
                // Two keys that were not stored: nothing is issued until both are old.
                world.advance(SETTLED);
            }
            heals(&world, &token, &history);
        }
    }
}

#[test]
fn a_put_whose_reply_is_lost_is_repeated_with_the_very_same_value() {
    let world = world();
    let token = world.begin_rotation();
    world.plan(Operation::Put, 1, Fault::ReplyLost);
    world.take_calls();
    done(world.run(Step::Create, &token), Done::Issued);
    assert_eq!(
        world.take_writes(),
        [Operation::Issue, Operation::Put, Operation::Put]
    );
    assert_eq!(world.live_keys_for(&token).len(), 1);
    let outcomes: Vec<Outcome> = world
        .take_records()
        .iter()
        .filter(|record| record.action == Action::PutValue)
        .map(|record| record.outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Unknown, Outcome::Done]);
    completes(&world, &token);
}

#[test]
fn a_put_that_was_certainly_not_made_costs_the_key_it_was_for() {
    let cases = [
        (Fault::Throttled, 4, ErrorType::StoreUnavailable),
        (Fault::Denied, 1, ErrorType::StoreDenied),
        (Fault::Refused, 1, ErrorType::StoreRefused),
    ];
    for (fault, attempts, error_type) in cases {
        let world = world();
        let token = world.begin_rotation();
        world.plan_all(Operation::Put, 1..=attempts, fault);
        refused(world.run(Step::Create, &token), error_type);
        assert!(world.plan_is_done(), "{fault:?}");
        assert!(world.live_keys_for(&token).is_empty(), "{fault:?}");
        done(world.run(Step::Create, &token), Done::Issued);
        completes(&world, &token);
    }
}

#[test]
fn a_put_of_which_nobody_knows_is_never_a_reason_to_revoke() {
    let world = world();
    let token = world.begin_rotation();
    for (occurrence, fault) in [
        Fault::Dropped,
        Fault::Throttled,
        Fault::Throttled,
        Fault::Throttled,
    ]
    .into_iter()
    .enumerate()
    {
        world.plan(Operation::Put, occurrence + 1, fault);
    }
    world.take_calls();
    refused(world.run(Step::Create, &token), ErrorType::StoreUnavailable);
    assert_eq!(
        world.take_writes(),
        [
            Operation::Issue,
            Operation::Put,
            Operation::Put,
            Operation::Put,
            Operation::Put
        ]
    );
    assert_eq!(
        world.live_keys_for(&token).len(),
        1,
        "one unknown outcome is enough to leave the key"
    );
    done(world.run(Step::Create, &token), Done::Issued);
    completes(&world, &token);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
}

#[test]
fn a_put_that_takes_effect_late_wins_over_the_key_issued_after_it() {
    let world = world();
    let token = world.begin_rotation();
    world.plan_all(Operation::Put, 1..=4, Fault::Late(seconds(30)));
    refused(world.run(Step::Create, &token), ErrorType::StoreUnavailable);
    let first = world.live_keys_for(&token);
    let mut replay = world.start(world.request(Step::Create, &token));
    let put = replay.until(Operation::Put);
    world.advance(seconds(60));
    replay.let_through(put, None);
    done(replay.finish(), Done::AlreadyStored);
    assert_eq!(world.live_keys_for(&token), first);
    assert_eq!(key_in(&world, &token), first[0]);
    completes(&world, &token);
}

#[test]
fn an_issue_whose_reply_is_lost_has_its_key_revoked_before_the_next_one() {
    use Operation::{Issue, List, Put, ReadVersion, Revoke};
    for fault in [Fault::ReplyLost, Fault::Late(seconds(5))] {
        let world = world();
        let token = world.begin_rotation();
        world.plan(Issue, 1, fault);
        world.take_calls();
        let before = world.now();
        done(world.run(Step::Create, &token), Done::Issued);
        assert_eq!(
            world.now().duration_since(before),
            seconds(6),
            "after the signature's window"
        );
        let calls = world.take_operations();
        assert_eq!(
            calls[7..],
            [Issue, List, Revoke, ReadVersion, Issue, Put],
            "{fault:?}"
        );
        assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
        let issued: Vec<Outcome> = world
            .take_records()
            .iter()
            .filter(|record| record.action == Action::IssueKey)
            .map(|record| record.outcome)
            .collect();
        assert_eq!(issued, [Outcome::Unknown, Outcome::Done]);
        completes(&world, &token);
    }
}

#[test]
fn an_issue_whose_key_is_not_on_the_list_is_left_to_the_replay() {
    // It was dropped, or the list does not show it yet: nobody can tell.
    for fault in [Fault::Dropped, Fault::Late(seconds(20))] {
        let world = world();
        let token = world.begin_rotation();
        world.plan(Operation::Issue, 1, fault);
        refused(world.run(Step::Create, &token), ErrorType::VenueUnavailable);
        assert_eq!(world.take_writes(), [Operation::Issue]);
        world.advance(seconds(60));
        done(world.run(Step::Create, &token), Done::Issued);
        completes(&world, &token);
        assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
    }
}

#[test]
fn two_issues_in_a_row_of_which_nobody_knows_end_the_run() {
    let world = world();
    let token = world.begin_rotation();
    world.plan(Operation::Issue, 1, Fault::ReplyLost);
    world.plan(Operation::Issue, 2, Fault::ReplyLost);
    refused(world.run(Step::Create, &token), ErrorType::VenueUnavailable);
    assert_eq!(world.live_keys_for(&token).len(), 1);
    done(world.run(Step::Create, &token), Done::Issued);
    completes(&world, &token);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
}

#[test]
fn an_issue_that_the_venue_is_too_busy_for_is_not_made_again_in_that_run() {
    let world = world();
    let token = world.begin_rotation();
    world.plan(Operation::Issue, 1, Fault::Throttled);
    refused(world.run(Step::Create, &token), ErrorType::VenueUnavailable);
    assert!(world.live_keys_for(&token).is_empty());
    done(world.run(Step::Create, &token), Done::Issued);
}

#[test]
fn a_crash_after_the_swap_leaves_the_stamp_to_the_replay() {
    let world = world();
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::CrashAfter);
    crashed(&world.run(Step::Finish, &token));
    assert_eq!(world.labels(&world.first_version()), ["AWSPREVIOUS"]);
    world.advance(seconds(60));
    done(world.run(Step::Create, &token), Done::AlreadyCurrent);
    first_was_replaced_at(&world, "20260301T120100Z");
}

#[test]
fn without_a_replay_the_next_rotation_stamps_after_a_crash_past_the_swap() {
    let world = world();
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::CrashAfter);
    crashed(&world.run(Step::Finish, &token));
    world.advance(seconds(3600));
    let next = world.begin_rotation();
    done(world.run(Step::Create, &next), Done::Issued);
    first_was_replaced_at(&world, "20260301T130000Z");
    completes(&world, &next);
}

#[test]
fn a_service_that_replays_by_itself_gets_the_rotation_done() {
    let world = world();
    world.plan(Operation::Put, 1, Fault::CrashBefore);
    world.plan(Operation::Swap, 1, Fault::Dropped);
    world.plan(Operation::Inspect, 2, Fault::Throttled);
    let token = world.begin_rotation();
    for _ in 0..60 {
        if let Some(result) = world.run_due() {
            drop(result);
        } else {
            world.advance(seconds(30));
        }
    }
    assert!(world.plan_is_done());
    assert_eq!(world.labels(&token), ["AWSCURRENT"]);
    assert_eq!(live(&world), [world.first_key().clone(), key_in(&world, &token)]);
}

#[test]
fn one_seed_gives_one_history() {
    let history = |seed| {
        let world = World::with(Setup {
            seed,
            ..Setup::default()
        });
        world.plan(Operation::Issue, 1, Fault::ReplyLost);
        world.rotate().unwrap();
        (world.said(), world.secrets())
    };
    assert_eq!(history(3), history(3));
    assert_ne!(history(3).1, history(4).1);
}

#[test]
fn a_value_stored_while_a_lost_key_is_sought_is_taken_and_no_key_issued() {
    let world = world();
    let token = world.begin_rotation();
    let mut slow = world.start(world.request(Step::Create, &token));
    let issue = slow.until(Operation::Issue);
    slow.let_through(issue, Some(Fault::ReplyLost));
    let revoke = slow.until(Operation::Revoke);
    done(world.run(Step::Create, &token), Done::Issued);
    slow.let_through(revoke, None);
    world.take_calls();
    done(slow.finish(), Done::AlreadyStored);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
    assert!(!world.take_operations().contains(&Operation::Issue));
    completes(&world, &token);
}

#[test]
fn a_put_is_tried_again_after_ever_longer_pauses() {
    let world = world();
    let token = world.begin_rotation();
    world.plan_all(Operation::Put, 1..=3, Fault::Throttled);
    let before = world.now();
    done(world.run(Step::Create, &token), Done::Issued);
    assert_eq!(
        world.now().duration_since(before),
        SignedDuration::from_millis(200 + 400 + 800)
    );
}

#[test]
fn a_put_that_is_refused_because_it_was_made_is_known_for_the_runs_own() {
    let world = world();
    let token = world.begin_rotation();
    world.plan(Operation::Put, 1, Fault::Twice);
    done(world.run(Step::Create, &token), Done::Issued);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
    completes(&world, &token);
}

#[test]
fn a_change_of_labels_is_tried_again_after_ever_longer_pauses() {
    let world = world();
    let token = created(&world);
    world.plan_all(Operation::AddLabel, 1..=3, Fault::Throttled);
    let before = world.now();
    done(world.run(Step::Finish, &token), Done::Promoted);
    assert!(world.plan_is_done());
    assert_eq!(
        world.now().duration_since(before),
        SignedDuration::from_millis(200 + 400 + 800)
    );
}
