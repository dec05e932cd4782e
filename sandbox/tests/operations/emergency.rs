//! A leaked key dies the moment its successor is current, or at once where that is ordered; and whoever comes
//! next goes on with an order that was cut off.

use protocol::audit::Action;
use protocol::name::SecretId;
use protocol::operations::{Code, Mode, Shard};
use protocol::rotation::Step;
use sandbox::in_process::{Fault, Operation, SUB, maintain};

use super::*;

pub(super) fn happened(answer: &Answer) -> Vec<&str> {
    answer
        .timeline
        .iter()
        .map(|moment| moment.what.as_str())
        .collect()
}

#[test]
fn a_leaked_current_key_is_replaced_then_revoked_then_proven_dead() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert!(
        !world.alive(&key)
            && world
                .current_key()
                .is_some_and(|current| current != key && world.alive(&current))
    );
    let said = happened(&answer).join("; ");
    let places: Vec<usize> = ["COMPROMISED", "begun", "successor", "revoked", "proven dead"]
        .iter()
        .map(|word| said.find(word).expect(word))
        .collect();
    assert!(places.is_sorted(), "{said}");
    assert!(
        answer.exposure_seconds.is_some_and(|seconds| seconds < 60),
        "{answer:#?}"
    );
    assert_eq!(world.labels(&world.token), Vec::<String>::new());
}

/// A world whose secret has had so many versions today that no rotation of it gets a key, with one that has
/// just been begun.
fn rotated_too_often() -> (Watched, VersionId) {
    let world = world();
    for _ in 0..55 {
        world.put_key(world.first_credential(), "SCRATCH");
    }
    let token = world.begin_rotation();
    let refused = world.run(Step::Create, &token).expect_err("it has had too many");
    assert!(format!("{refused:?}").contains("RotatedTooOften"), "{refused:?}");
    (world, token)
}

#[test]
fn an_order_is_never_refused_for_the_secret_s_many_versions() {
    for passed in [0, 1] {
        for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
            let (world, open) = rotated_too_often();
            let key = world.first_key().clone();
            // One that is fresh is waited for, one that is stuck is given up.
            world.advance(hours(passed));
            let answer = world.operate_beside_the_service(break_glass(world.secret(), None, mode));
            assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
            assert!(
                !world.alive(&key) && world.current_key().is_some_and(|current| world.alive(&current)),
                "{answer:#?}"
            );
            assert_eq!(world.holder("AWSCURRENT") == Some(open), passed == 0);
            // The order was for one rotation.
            world.advance(hours(1));
            let refused = world.rotate().expect_err("it still has had too many");
            assert!(format!("{refused:?}").contains("RotatedTooOften"), "{refused:?}");
        }
    }
}

#[test]
fn where_an_order_cannot_be_marked_the_answer_says_why_no_successor_came() {
    let (world, _) = rotated_too_often();
    world.plan_all(Operation::Tag, 1..200, Fault::Denied);
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(codes(&answer), [Code::Exposed], "{answer:#?}");
    assert!(
        answer.findings[0].say.contains("ROTATED_TOO_OFTEN"),
        "{answer:#?}"
    );
    assert!(
        happened(&answer)
            .iter()
            .any(|what| what.contains("could not be marked as ordered")),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_was_replaced_already_dies_without_another_rotation() {
    let world = rotated_twice();
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.replaced)));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert!(!world.alive(&world.replaced_key));
    assert_eq!(world.holder("AWSCURRENT").as_ref(), Some(&world.token));
}

#[test]
fn every_effect_of_an_emergency_bears_its_reason_and_number() {
    let world = rotated_twice();
    world.take_records();
    world.operate(leaked(&world, None));
    let records = world.take_records();
    assert!(
        records
            .iter()
            .any(|record| record.action == Action::StartRotation)
    );
    for record in records {
        let order = record.order.expect("the order");
        assert_eq!(
            (order.incident.as_str(), order.reason.as_str()),
            ("INC-7", "seen in a public log")
        );
    }
}

#[test]
fn a_rotation_that_is_stuck_is_given_up_first() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    let stuck = world.begin_rotation();
    world.plan(Operation::Issue, 1, Fault::Refused);
    assert!(world.run(Step::Create, &stuck).is_err());
    world.advance(hours(1));
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert!(
        happened(&answer).iter().any(|what| what.contains("given up")),
        "{answer:#?}"
    );
    assert!(!world.alive(&key), "{answer:#?}");
    assert_ne!(world.holder("AWSCURRENT"), Some(stuck));
}

#[test]
fn where_it_is_ordered_the_leaked_key_dies_before_its_successor_is_there() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    let said = happened(&answer).join("; ");
    assert!(said.find("was revoked") < said.find("begun"), "{said}");
    assert!(
        !world.alive(&key) && answer.exposure_seconds.is_some(),
        "{answer:#?}"
    );
    assert!(
        world
            .current_key()
            .is_some_and(|current| current != key && world.alive(&current)),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_another_secret_holds_too_is_told_with_the_way_out() {
    let world = rotated();
    world.add_secret_of("prod/bybit/other", world.first_credential());
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.replaced)));
    assert!(world.alive(&world.replaced_key));
    let held = finding(&answer, Code::CompromisedHeld);
    assert!(held.r#do.contains("prod/bybit/other"), "{held:#?}");
    assert!(
        found(&answer, Code::Exposed) && answer.exposure_seconds.is_none(),
        "{answer:#?}"
    );
}

#[test]
fn an_order_cut_off_anywhere_is_carried_out_by_whoever_comes_next() {
    for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
        for cut in 1..40 {
            let world = rotated_twice();
            let key = key_in(&world, &world.token);
            world.plan_at(cut, Fault::CrashBefore);
            let operation = world.start_operation(break_glass(world.secret(), None, mode));
            let ended = operation.finish_beside(|| while world.run_due().is_some() {});
            if ended.is_ok() {
                break;
            }
            // Nobody repeats the order: the hourly passes and Secrets Manager do what is left, once the order
            // was written down.
            let written = world
                .labels(&world.token)
                .iter()
                .any(|label| label == "COMPROMISED");
            for _ in 0..4 {
                pass_beside_the_service(&world);
            }
            assert_eq!(
                world.alive(&key),
                !written && world.current_key() == Some(key.clone()),
                "{mode:?}, cut at call {cut}"
            );
            let repeated =
                world.operate_beside_the_service(break_glass(world.secret(), Some(&world.token), mode));
            assert!(!world.alive(&key), "{mode:?}, cut at call {cut}: {repeated:#?}");
        }
    }
}

#[test]
fn where_no_successor_comes_the_answer_pages_and_the_key_lives() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.venue(|model, _| model.knobs.kyc_missing = true);
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert!(world.alive(&key));
    assert_eq!(answer.findings[0].code, Code::Exposed, "{answer:#?}");
    assert!(answer.findings[0].r#do.contains("break_glass"), "{answer:#?}");
}

#[test]
fn a_second_leak_waits_until_the_first_is_over() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.replaced));
    world.take_calls();
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert!(
        answer.findings[0].say.contains("finish that first"),
        "{answer:#?}"
    );
    assert_eq!(world.take_writes(), []);
}

#[test]
fn what_is_neither_rotated_nor_a_master_is_refused() {
    let world = world();
    let nobodys = SecretId::parse("prod/bybit/nobodys").expect("a name");
    let answer = world.operate(break_glass(&nobodys, None, Mode::ReplaceFirst));
    ended(&answer, Outcome::Failed, &[Code::Refused]);
}

/// A name that ends like an ARN, in an ARN without its own six characters.
#[test]
fn a_refusal_names_a_secret_as_it_was_given() {
    let world = world();
    let partial = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/bybit/main-secret";
    let id = SecretId::parse(partial).expect("an ARN");
    let order = break_glass(&id, None, Mode::RevokeFirst);
    let plan = OperationRequest::Plan { secret: id.clone() };
    let audit = in_process::audit(Some(&id), Form::Json);
    let requests = [
        order,
        plan,
        audit,
        OperationRequest::Abandon { secret: id.clone() },
        OperationRequest::Rollback {
            secret: id,
            version: None,
        },
    ];
    for request in requests {
        let answer = world.operate(request);
        let told = finding(&answer, Code::Refused);
        assert_eq!(told.secret, partial, "{told:?}");
        assert!(
            !told.r#do.contains("main ") && !told.r#do.contains("main\""),
            "{told:?}"
        );
    }
}

/// A world where a person has put the first value back, whose key is dead by now; with the version before it.
pub(super) fn with_a_dead_key_put_back() -> (Watched, VersionId) {
    let world = rotated();
    let text = world.document(&world.first_version()).to_string();
    world.advance(hours(24 * 8));
    settle(&world);
    world.put_by_hand(&text, &world.key_by_hand(SUB), SUB, "AWSCURRENT");
    (world.world, world.token)
}

/// Nothing says how old the key is but that it was stored an hour ago.
#[test]
fn a_leaked_key_that_was_dead_before_is_proven_dead() {
    let (world, _) = with_a_dead_key_put_back();
    world.advance(hours(1));
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
}

/// Carries out an order to revoke first, during which a hand takes its label off so many seconds after it was
/// put there.
fn taken_back_after(late: i64) -> (Answer, bool) {
    let world = rotated_twice();
    let mut run = world.start_operation(revoke_first(&world, None));
    while world.holder("REVOKE_FIRST").is_none() {
        assert!(run.poll().is_pending(), "it ended before it was written down");
        for (ticket, _) in run.waiting() {
            run.let_through(ticket, None);
        }
    }
    world.advance(seconds(late));
    world.label("COMPROMISED", None);
    let answer = run.finish().expect("it is not cut off");
    (answer, world.alive(&key_in(&world, &world.token)))
}

#[test]
fn an_order_is_taken_back_by_whoever_takes_its_label_off() {
    let (answer, is_alive) = taken_back_after(61);
    assert!(is_alive && answer.outcome == Outcome::Failed, "{answer:#?}");
    let told = answer
        .findings
        .iter()
        .find(|finding| finding.say.contains("takes the order back"))
        .expect("that it was taken back");
    assert!(
        told.r#do.contains("revoke_first") && told.r#do.contains("INC-7"),
        "{told:#?}"
    );
    let did = answer.secrets.iter().flat_map(|row| &row.did);
    assert!(
        !did.clone().any(|change| change.starts_with("began")),
        "nothing else of the order is carried out: {answer:#?}"
    );
    assert!(
        told.r#do.contains("REVOKE_FIRST"),
        "what is left of the order is told: {told:#?}"
    );
    // A look within a minute may be older than the order itself.
    let (answer, is_alive) = taken_back_after(20);
    assert!(!is_alive, "{answer:#?}");
}

#[test]
fn a_pass_ends_no_key_whose_label_was_taken_off_meanwhile() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.replaced));
    let mut pass = world.start_operation(maintain(Shard::ALL, false));
    // The third that is asked is the leaked one.
    for _ in 1..=3 {
        let ticket = pass.until(Operation::Inspect);
        pass.let_through(ticket, None);
    }
    world.label("COMPROMISED", None);
    pass.finish().expect("it is not cut off");
    assert!(world.alive(&world.replaced_key), "its grace is not over");
    world.label("COMPROMISED", Some(&world.replaced));
    settle(&world);
    assert!(!world.alive(&world.replaced_key));
}

/// A world whose venue lists no keys any more.
fn without_lists(world: &World) {
    world.plan_all(Operation::List, 1..400, Fault::Throttled);
}

#[test]
fn an_order_to_revoke_first_waits_for_no_list_of_keys() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    without_lists(&world);
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(!world.alive(&key), "{answer:#?}");
    assert!(
        answer
            .findings
            .iter()
            .any(|finding| finding.code == Code::Exposed && finding.say.contains("not proven dead")),
        "{answer:#?}"
    );
}

#[test]
fn a_leaked_key_unusable_here_dies_without_a_list_once_an_order_names_it() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    bind(&world, &key, Ips::only([BOT_ADDRESS]));
    without_lists(&world);
    let first = revoke_first(&world, None);
    let answer = world.operate_beside_the_service(first.clone());
    assert!(world.alive(&key), "nothing shows whose it is: {answer:#?}");
    let named = fingerprint(key.as_str());
    let named = named.split(' ').next().expect("a fingerprint");
    assert!(advises(&answer, named), "{answer:#?}");
    let answer = world.operate_beside_the_service(naming(first, &key));
    assert!(!world.alive(&key), "{answer:#?}");
}
