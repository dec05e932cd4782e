//! An order about a leaked key is carried out whatever stands in its way, or says what does.

use protocol::operations::{Code, Mode, Severity};
use protocol::rotation::Step;
use sandbox::in_process::{Fault, Operation, SUB};

use super::*;

#[test]
fn an_order_that_is_given_twice_does_not_kill_the_successor() {
    let world = rotated_twice();
    assert_eq!(
        world.operate_beside_the_service(leaked(&world, None)).outcome,
        Outcome::Ok
    );
    let successor = world.current_key().expect("a successor");
    let version = world.holder("AWSCURRENT").expect("a successor");
    let mut again = Vec::new();
    for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
        let answer = world.operate_beside_the_service(break_glass(world.secret(), None, mode));
        ended(&answer, Outcome::Failed, &[Code::Refused]);
        assert!(world.alive(&successor));
        again.push(answer.findings[0].r#do.clone());
    }
    assert!(again[0].contains(version.as_str()), "{again:?}");
    // Whoever says which one is meant is taken at their word.
    assert_eq!(
        world
            .operate_beside_the_service(leaked(&world, Some(&version)))
            .outcome,
        Outcome::Ok
    );
    assert!(!world.alive(&successor));
}

#[test]
fn a_pending_key_that_is_leaked_dies_once_another_version_is_current() {
    for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
        let world = rotated_twice();
        let pending = created(&world);
        let key = key_in(&world, &pending);
        let answer = world.operate_beside_the_service(break_glass(world.secret(), Some(&pending), mode));
        assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
        assert!(!world.alive(&key));
        let current = world.holder("AWSCURRENT").expect("a current version");
        assert!(current != world.token && current != pending);
    }
}

#[test]
fn a_stuck_rotation_does_not_outlive_compromised_on_the_current_version() {
    for rotation_is_on in [true, false] {
        let world = rotated_twice();
        let key = key_in(&world, &world.token);
        let stuck = world.begin_rotation();
        world.plan(Operation::Issue, 1, Fault::Refused);
        assert!(world.run(Step::Create, &stuck).is_err());
        world.label("COMPROMISED", Some(&world.token));
        if !rotation_is_on {
            world.switch_off();
        }
        world.advance(hours(1));
        passes_beside_the_service(&world);
        assert!(
            !world.alive(&key)
                && world
                    .current_key()
                    .is_some_and(|current| current != key && world.alive(&current))
        );
    }
}

#[test]
fn a_revocation_that_fails_once_is_not_left_to_a_later_pass() {
    for fault in [Fault::Throttled, Fault::Dropped, Fault::ReplyLost] {
        for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
            let world = rotated_twice();
            world.plan(Operation::Revoke, 1, fault);
            let answer = world.operate_beside_the_service(break_glass(world.secret(), None, mode));
            assert_eq!(
                (answer.outcome, codes(&answer)),
                (Outcome::Ok, vec![]),
                "{fault:?}: {answer:#?}"
            );
            assert!(
                answer.exposure_seconds.is_some() && world.labels(&world.token).is_empty(),
                "{fault:?}: {answer:#?}"
            );
        }
    }
}

#[test]
fn a_deletion_that_the_venue_shows_late_is_waited_for() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.venue(|model, _| model.knobs.deletion_delay = seconds(20));
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert!(
        !world.alive(&key) && answer.exposure_seconds.is_some_and(|seconds| seconds >= 20),
        "{answer:#?}"
    );
    assert_eq!(codes(&answer), []);
}

#[test]
fn who_else_reads_a_key_that_dies_first_is_told() {
    let world = rotated();
    world.add_secret_of("prod/bybit/other", world.first_credential());
    let answer = world.operate_beside_the_service(revoke_first(&world, Some(&world.replaced)));
    assert!(!world.alive(&world.replaced_key));
    let told = answer
        .findings
        .iter()
        .find(|finding| finding.secret == "prod/bybit/other")
        .expect("the other is told");
    assert_eq!(
        (told.code, told.severity),
        (Code::CompromisedHeld, Severity::Page)
    );
    assert!(
        told.r#do.contains("rotate-secret --secret-id prod/bybit/other"),
        "{told:#?}"
    );
}

#[test]
fn an_order_to_revoke_first_is_taken_back_by_one_to_replace_first() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.label("COMPROMISED", Some(&world.token));
    world.label("REVOKE_FIRST", Some(&world.token));
    world.venue(|model, _| model.knobs.kyc_missing = true);
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.token)));
    assert!(
        world.alive(&key) && world.holder("REVOKE_FIRST").is_none(),
        "{answer:#?}"
    );
    world.maintain();
    assert!(world.alive(&key), "nobody orders it any more");
}

#[test]
fn a_dead_leaked_key_without_a_successor_is_a_page_and_no_exposure() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.delete_key(world.master_key());
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(
        world.alive(&key) && found(&answer, Code::Exposed),
        "nobody can revoke it: {answer:#?}"
    );
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.venue(|model, _| model.knobs.kyc_missing = true);
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(
        !world.alive(&key) && answer.exposure_seconds.is_some(),
        "{answer:#?}"
    );
    assert_eq!(codes(&answer)[0], Code::CurrentDead, "{answer:#?}");
    assert!(!found(&answer, Code::Exposed), "{answer:#?}");
}

#[test]
fn why_no_successor_can_come_is_said() {
    let world = rotated();
    let bare = document_without_policy();
    world.put_by_hand(&bare, &world.key_by_hand(SUB), SUB, "AWSCURRENT");
    world.advance(hours(1));
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(says(&answer, "add `policy.permissions`"), "{answer:#?}");
}

#[test]
fn an_exposure_whose_beginning_nobody_saw_is_not_counted() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.token));
    world.advance(hours(2));
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.token)));
    assert_eq!(
        (answer.outcome, answer.exposure_seconds),
        (Outcome::Ok, None),
        "{answer:#?}"
    );
}

#[test]
fn an_order_that_cannot_be_written_down_pages_with_what_makes_room() {
    let world = rotated_twice();
    world.fill_labels(20, &world.replaced);
    let answer = world.operate_beside_the_service(leaked(&world, None));
    ended(&answer, Outcome::Failed, &[Code::Exposed]);
    assert!(answer.findings[0].say.contains("LimitExceeded"), "{answer:#?}");
    assert!(
        answer.findings[0].r#do.contains("describe-secret")
            && answer.findings[0].r#do.contains("break_glass"),
        "{answer:#?}"
    );
}

#[test]
fn a_pending_value_of_a_hands_that_is_leaked_dies_once_it_was_given_up() {
    let world = rotated_twice();
    let pending = world.begin_rotation();
    let key = world.key_by_hand(SUB);
    world.put_by_hand_as(&pending, world.text_of_setup(), &key, SUB, "AWSPENDING");
    world.label("COMPROMISED", Some(&pending));
    passes_beside_the_service(&world);
    assert!(
        !world.alive(&key.key),
        "{:#?} {:?}",
        world.maintain(),
        world.labels(&pending)
    );
}

#[test]
fn a_key_put_as_pending_by_hand_lives_a_week_after_it_was_given_up() {
    let world = rotated_twice();
    let put = world.key_by_hand(SUB);
    world.put_key(&put, "AWSPENDING");
    world.abandon();
    settle(&world);
    assert!(
        world.alive(&put.key),
        "a person made it, and may use it elsewhere"
    );
    world.advance(hours(24 * 8));
    settle(&world);
    assert!(!world.alive(&put.key));
}

#[test]
fn an_order_that_is_repeated_hours_later_does_not_kill_the_successor() {
    let world = rotated_twice();
    assert_eq!(
        world.operate_beside_the_service(leaked(&world, None)).outcome,
        Outcome::Ok
    );
    let successor = world.current_key().expect("a successor");
    world.advance(hours(5));
    assert_eq!(
        world.operate_beside_the_service(leaked(&world, None)).outcome,
        Outcome::Failed
    );
    assert!(world.alive(&successor));
}

#[test]
fn a_revoke_first_order_taken_half_back_keeps_no_other_from_being_given() {
    let world = rotated_twice();
    world.label("REVOKE_FIRST", Some(&world.replaced));
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert!(world.alive(&world.replaced_key), "that one is not leaked");
}

#[test]
fn a_pass_that_is_faster_than_the_order_does_not_make_it_page() {
    for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
        let world = rotated_twice();
        world.advance(hours(1));
        let key = key_in(&world, &world.token);
        let operation = world.start_operation(break_glass(world.secret(), None, mode));
        let answer = operation
            .finish_beside(|| {
                while world.run_due().is_some() {}
                world.maintain();
            })
            .expect("an answer");
        assert_eq!(
            (answer.outcome, codes(&answer)),
            (Outcome::Ok, vec![]),
            "{mode:?}: {answer:#?}"
        );
        assert!(
            !world.alive(&key) && answer.exposure_seconds.is_some(),
            "{mode:?}: {answer:#?}"
        );
    }
}

#[test]
fn a_person_deletes_a_leaked_supplied_key_and_the_order_proves_it_dead() {
    let document = document_without_master();
    let world = world_of(&document);
    let next = world.key_by_hand(SUB);
    let candidate = world.put_by_hand(&document, &next, SUB, "CANDIDATE");
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(
        (answer.outcome, codes(&answer)[0]),
        (Outcome::Failed, Code::Exposed),
        "{answer:#?}"
    );
    assert!(advises(&answer, "delete the key at the venue"), "{answer:#?}");
    assert_eq!(world.current_key(), Some(next.key));
    assert_ne!(world.holder("AWSCURRENT"), Some(candidate));
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.first_version())));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert_eq!(world.holder("COMPROMISED"), None);
}

#[test]
fn a_dead_key_whose_rotation_cannot_begin_is_a_page() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.fill_labels(18, &world.token);
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(!world.alive(&key));
    assert_eq!(
        (answer.outcome, codes(&answer)[0]),
        (Outcome::Failed, Code::CurrentDead),
        "{answer:#?}"
    );
    assert!(answer.findings[0].say.contains("LABELS_FULL"), "{answer:#?}");
}

#[test]
fn a_service_that_is_busy_for_a_moment_begins_the_rotation_all_the_same() {
    let world = rotated_twice();
    world.plan(Operation::Rotate, 1, Fault::Throttled);
    assert_eq!(
        world.operate_beside_the_service(leaked(&world, None)).outcome,
        Outcome::Ok
    );
}

#[test]
fn a_slow_rotation_is_left_alone_where_the_leaked_key_is_not_current() {
    let world = rotated_twice();
    let pending = created(&world);
    world.advance(minutes(6));
    let answer = world.operate(leaked(&world, Some(&world.replaced)));
    assert!(!world.alive(&world.replaced_key), "{answer:#?}");
    assert_eq!(world.holder("AWSPENDING"), Some(pending));
}

#[test]
fn a_pass_spares_a_leaked_key_while_a_run_may_promote_a_given_up_copy() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    let copy = world.begin_rotation();
    for step in [Step::Create, Step::Set, Step::Test] {
        world.run(step, &copy).expect("a copy");
    }
    let mut run = world.start(world.request(Step::Finish, &copy));
    let swap = run.until(Operation::Swap);
    world.abandon();
    world.label("COMPROMISED", Some(&world.replaced));
    for _ in 0..2 {
        world.maintain();
        assert!(
            world.alive(&world.replaced_key),
            "the run may be about to make it current"
        );
        world.advance(minutes(7));
    }
    run.let_through(swap, None);
    drop(run.finish());
    world.advance(hours(1));
    passes_beside_the_service(&world);
    assert!(
        !world.alive(&world.replaced_key)
            && world
                .current_key()
                .is_some_and(|current| current != world.replaced_key),
        "{:#?}",
        world.maintain()
    );
}
