use protocol::rotation::{Done, Step};
use sandbox::in_process::Fault;
use sandbox::secrets_manager::{RotateSecret, RotationSeed, Seed};

use super::*;

#[test]
fn a_replayed_create_issues_no_second_key() {
    let world = world();
    let token = created(&world);
    let key = key_in(&world, &token);
    for _ in 0..3 {
        world.take_calls();
        done(world.run(Step::Create, &token), Done::AlreadyStored);
        assert_eq!(
            world.take_operations(),
            [
                Operation::Describe,
                Operation::ReadVersion,
                Operation::ReadCurrent,
                Operation::Versions
            ]
        );
    }
    assert_eq!(world.live_keys_for(&token), [key]);
}

#[test]
fn a_secret_without_a_current_value_is_refused_and_left_alone() {
    let world = world();
    let seed = Seed {
        name: "prod/bybit/empty".into(),
        rotation: Some(RotationSeed::default()),
        ..Seed::default()
    };
    let arn = world.secrets_manager(|model, now| model.seed(seed, now)).unwrap();
    let request = RotateSecret {
        secret_id: arn.clone(),
        ..RotateSecret::default()
    };
    let token = world
        .secrets_manager(|model, now| model.rotate_secret(&request, now))
        .unwrap()
        .version_id
        .unwrap();
    let mut request = world.request(Step::Create, &VersionId::new(token));
    request.secret = protocol::name::SecretId::parse(&arn).unwrap();
    let before = world.now();
    let said = refused(world.start(request.clone()).finish(), ErrorType::NoCurrentValue);
    assert!(said.contains("no current value yet"), "{said}");
    assert_eq!(world.now(), before, "there is nothing to wait for");
    assert_eq!(world.take_writes(), []);
    request.step = Step::Finish;
    refused(world.start(request).finish(), ErrorType::PendingEmpty);
}

#[test]
fn two_reads_that_disagree_about_the_current_version_are_made_again() {
    let world = world();
    let current = new_current_by_hand(&world);
    let token = world.begin_rotation();
    // The read of the value does not know yet of the last two changes.
    world.plan(Operation::ReadCurrent, 1, Fault::Stale(2));
    done(world.run(Step::Create, &token), Done::Issued);
    assert_eq!(
        world.document(&token)["rotation"]["based_on"],
        serde_json::json!(current)
    );
    completes(&world, &token);
}

/// The label of the token is shown late, and what is shown then is still old: it agrees with a read of the
/// current value that is as old.
#[test]
fn a_look_for_the_label_is_not_held_against_an_older_read_of_the_value() {
    let world = world();
    let token = world.begin_rotation();
    // That ends the rotation.
    new_current_by_hand(&world);
    world.plan(Operation::ReadCurrent, 1, Fault::Stale(1));
    world.plan(Operation::Describe, 1, Fault::Stale(usize::MAX));
    world.plan(Operation::Describe, 2, Fault::Stale(1));
    refused(world.run(Step::Create, &token), ErrorType::VersionUnknown);
    assert!(world.plan_is_done());
    assert_eq!(world.take_writes(), []);
}

/// The first reads were right, and the looks for the label are both old.
#[test]
fn later_looks_that_agree_do_not_outvote_an_earlier_read_of_the_value() {
    let world = world();
    let token = world.begin_rotation();
    new_current_by_hand(&world);
    world.plan(Operation::ReadCurrent, 2, Fault::Stale(1));
    world.plan(Operation::Describe, 2, Fault::Stale(1));
    refused(world.run(Step::Create, &token), ErrorType::VersionUnknown);
    assert_eq!(world.take_writes(), []);
}

#[test]
fn reads_that_go_on_disagreeing_are_an_error_and_no_key_is_issued() {
    let world = world();
    new_current_by_hand(&world);
    let token = world.begin_rotation();
    world.plan_all(Operation::ReadCurrent, 1..=30, Fault::Stale(2));
    refused(world.run(Step::Create, &token), ErrorType::StoreUnavailable);
    assert_eq!(world.take_writes(), []);
}

/// ONE-PER-TOKEN: a hand labels the version that a dry run of the service left, whose value is the current
/// one.
#[test]
fn a_value_missed_by_a_stale_read_and_seen_as_an_offer_is_its_own() {
    for label in ["CANDIDATE", "ROLLBACK"] {
        let world = world();
        let token = world.begin_rotation();
        let value = world.filled_in(world.text_of_setup(), world.first_credential(), SUB);
        world.put_value(world.secret(), &token, &value, &["AWSPENDING", label]);
        let keys = world.live_keys().len();
        world.plan(Operation::ReadVersion, 1, Fault::Stale(1));
        refused(world.run(Step::Create, &token), ErrorType::StoreUnavailable);
        assert_eq!(world.live_keys().len(), keys, "{label}");
    }
}

#[test]
fn a_value_missed_by_a_stale_read_is_looked_for_before_a_key_is_issued() {
    let world = world();
    let token = created(&world);
    world.take_calls();
    world.plan(Operation::ReadVersion, 1, Fault::Stale(1));
    done(world.run(Step::Create, &token), Done::AlreadyStored);
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.live_keys_for(&token).len(), 1);
}

#[test]
fn a_value_that_stays_unseen_costs_a_key_that_is_taken_back_at_once() {
    let world = world();
    let token = created(&world);
    let stored = key_in(&world, &token);
    world.plan_all(Operation::ReadVersion, 1..=8, Fault::Stale(1));
    // PutSecretValue says that another value is there, and that value can then be read.
    done(world.run(Step::Create, &token), Done::AlreadyStored);
    assert_eq!(world.live_keys_for(&token), [stored]);
    completes(&world, &token);
}

#[test]
fn a_key_whose_store_another_run_took_is_revoked_and_the_other_stays() {
    let world = world();
    let token = world.begin_rotation();
    // Two invocations of one step, the first frozen before it stores.
    let mut slow = world.start(world.request(Step::Create, &token));
    let stored_by_slow = slow.until(Operation::Put);
    done(world.run(Step::Create, &token), Done::Issued);
    let winner = key_in(&world, &token);
    assert_eq!(world.live_keys_for(&token).len(), 2);
    slow.let_through(stored_by_slow, None);
    done(slow.finish(), Done::AlreadyStored);
    assert_eq!(world.live_keys_for(&token), [winner]);
    completes(&world, &token);
}

#[test]
fn a_run_that_lost_the_token_does_not_claim_to_have_stored_its_key() {
    let world = world();
    let token = world.begin_rotation();
    let mut slow = world.start(world.request(Step::Create, &token));
    let stored_by_slow = slow.until(Operation::Put);
    done(world.run(Step::Create, &token), Done::Issued);
    slow.let_through(stored_by_slow, None);
    world.plan_all(Operation::ReadVersion, 1..=30, Fault::Stale(1));
    let result = slow.finish();
    assert_eq!(
        world.live_keys_for(&token).len(),
        2,
        "a miss leaves both to setSecret"
    );
    let said = refused(result, ErrorType::StoreUnavailable);
    assert!(said.contains("cannot be read yet"), "{said}");
}

#[test]
fn a_key_left_by_a_crash_before_its_store_is_revoked_by_set() {
    let world = world();
    let (token, _) = unstored(&world);
    let lost = world.live_keys_for(&token);
    assert_eq!(lost.len(), 1);
    let before = world.now();
    done(world.run(Step::Create, &token), Done::Issued);
    assert!(
        world.now().duration_since(before) >= seconds(5),
        "it looked for a value first"
    );
    assert_eq!(world.live_keys_for(&token).len(), 2);
    completes(&world, &token);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
    assert!(!world.alive(&lost[0]));
}

#[test]
fn two_keys_that_were_issued_and_not_stored_are_enough() {
    let world = world();
    let token = world.begin_rotation();
    for _ in 0..2 {
        world.plan(Operation::Issue, 1, Fault::CrashAfter);
        crashed(&world.run(Step::Create, &token));
    }
    let before = world.now();
    for _ in 0..3 {
        let said = refused(world.run(Step::Create, &token), ErrorType::IssueUnstored);
        assert!(said.contains("2 keys") && said.contains("17 minutes"), "{said}");
    }
    assert_eq!(world.live_keys_for(&token).len(), 2);
    world.advance(SETTLED - world.now().duration_since(before));
    done(world.run(Step::Create, &token), Done::Issued);
    completes(&world, &token);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
}

#[test]
fn a_run_that_lost_its_key_issues_none_beside_two_others_left_unstored() {
    let world = world();
    let token = world.begin_rotation();
    let mut slow = world.start(world.request(Step::Create, &token));
    let issued_by_slow = slow.until(Operation::Issue);
    for _ in 0..2 {
        world.plan(Operation::Issue, 1, Fault::CrashAfter);
        crashed(&world.run(Step::Create, &token));
    }
    slow.let_through(issued_by_slow, Some(Fault::ReplyLost));
    refused(slow.finish(), ErrorType::IssueUnstored);
    assert_eq!(world.live_keys_for(&token).len(), 2, "its own is revoked");
}

#[test]
fn no_key_is_issued_when_too_little_is_left_to_store_it() {
    let mut world = world();
    world.0.timeout = SignedDuration::from_millis(4_900);
    issues_nothing(&world, ErrorType::DeadlineNear);
}

#[test]
fn a_run_that_was_frozen_past_its_deadline_does_nothing_more() {
    for frozen_at in [Operation::List, Operation::Issue] {
        let world = world();
        let token = world.begin_rotation();
        let mut run = world.start(world.request(Step::Create, &token));
        let ticket = run.until(frozen_at);
        world.advance(minutes(15));
        run.let_through(ticket, None);
        world.take_calls();
        refused(run.finish(), ErrorType::DeadlineNear);
        // A request that was built already goes out; nothing after it does.
        let sent: &[Operation] = if frozen_at == Operation::Issue {
            &[Operation::Issue]
        } else {
            &[]
        };
        assert_eq!(world.take_writes(), sent);
        assert_eq!(world.document(&token), serde_json::Value::Null);
    }
}

#[test]
fn the_master_key_is_never_what_is_rotated() {
    let world = world();
    let document = world.text(&world.first_version()).unwrap();
    let (master, first) = (world.master_key().clone(), world.first_key().clone());
    let master = world.credential(&master);
    let first = world.credential(&first);
    let document = document
        .replace(first.key.as_str(), "<key>")
        .replace(first.secret.expose(), "<secret>");
    let current = world.put_by_hand(&document, &master, SUB, "AWSCURRENT");
    let said = issues_nothing(&world, ErrorType::MasterInvalid);
    assert!(said.contains("very key"), "{said}");
    assert_eq!(world.holder("AWSCURRENT"), Some(current));
}

#[test]
fn a_current_version_showing_no_value_is_read_again_before_that_is_said() {
    let world = world();
    let empty = world.begin_rotation();
    world.make_current(&empty);
    let token = world.begin_rotation();
    let before = world.now();
    let said = refused(world.run(Step::Create, &token), ErrorType::NoCurrentValue);
    assert!(said.contains("no value that could be read"), "{said}");
    assert_eq!(world.now().duration_since(before), seconds(5));
    assert_eq!(world.take_writes(), []);

    let key = world.key_by_hand(SUB);
    world.put_by_hand_as(&empty, FULL, &key, SUB, "AWSCURRENT");
    let token = world.begin_rotation();
    // The read of the value does not know of it yet.
    world.plan(Operation::ReadCurrent, 1, Fault::Stale(2));
    done(world.run(Step::Create, &token), Done::Issued);
    assert!(world.plan_is_done());
    completes(&world, &token);
}

#[test]
fn a_run_does_not_revoke_its_key_that_a_person_put_under_the_token() {
    let world = world();
    let token = world.begin_rotation();
    let mut run = world.start(world.request(Step::Create, &token));
    let put = run.until(Operation::Put);
    let issued = world.live_keys_for(&token).remove(0);
    let credential = world.credential(&issued);
    world.put_by_hand_as(&token, &value(""), &credential, SUB, "AWSPENDING");
    run.let_through(put, None);
    refused(run.finish(), ErrorType::VersionDoomed);
    assert!(world.alive(&issued));
}

#[test]
fn a_token_whose_label_is_shown_a_moment_late_is_waited_for() {
    let world = world();
    let token = world.begin_rotation();
    for step in Step::ALL {
        world.plan(Operation::Describe, 1, Fault::Stale(100));
        assert!(world.run(step, &token).is_ok(), "{step}");
    }
}
