//! A rollback is a rotation that copies an earlier credential, and is refused where that could not be good.

use protocol::operations::Code;
use sandbox::in_process::{Fault, OTHER_SUB, Operation, SUB};

use super::*;

#[track_caller]
fn refused(world: &World, why: &str) {
    world.take_calls();
    let answer = world.roll_back(None);
    ended(&answer, Outcome::Failed, &[Code::Refused]);
    assert!(answer.findings[0].say.contains(why), "{answer:#?}");
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.holder("ROLLBACK"), None);
}

#[test]
fn a_rollback_copies_the_credential_before_into_a_new_version() {
    let world = rotated_twice();
    let answer = world.roll_back(None);
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    world.run_all_due().expect("the rotation back");
    let current = world.holder("AWSCURRENT").expect("a current version");
    assert!(current != world.replaced && current != world.token);
    assert_eq!(world.current_key().as_ref(), Some(&world.replaced_key));
    assert_eq!(world.holder("ROLLBACK"), None);
    // Both keys live, and retire by the same rules.
    world.advance(hours(25));
    settle(&world);
    assert!(world.alive(&key_in(&world, &current)) && !world.alive(&key_in(&world, &world.token)));
}

#[test]
fn a_way_back_that_was_given_up_is_open_again_once_no_run_can_go_it() {
    let world = rotated_twice();
    assert_eq!(world.roll_back(None).outcome, Outcome::Ok);
    world.run_due().expect("createSecret is due").expect("a copy");
    let pending = world.holder("AWSPENDING").expect("it is under way");
    let answer = world.abandon();
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    refused(&world, "condemned");
    world.advance(hours(1));
    world.maintain();
    assert_eq!(world.labels(&pending), Vec::<String>::new());
    assert_eq!(world.holder("AWSCURRENT").as_ref(), Some(&world.token));
    assert_eq!(world.roll_back(None).outcome, Outcome::Ok);
    world.run_all_due().expect("the rotation back");
    assert_eq!(world.current_key().as_ref(), Some(&world.replaced_key));
}

#[test]
fn nobody_goes_back_to_a_dead_leaked_or_condemned_key() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.replaced));
    refused(&world, "COMPROMISED");
    world.label("COMPROMISED", None);
    world.advance(hours(25));
    world.maintain();
    refused(&world, "condemned");
    let world = rotated_twice();
    world.delete_key(&world.replaced_key);
    refused(&world, "would not be copied");
}

#[test]
fn nobody_goes_back_while_a_rotation_is_in_flight() {
    let world = rotated_twice();
    world.begin_rotation();
    refused(&world, "in flight");
}

#[test]
fn nobody_goes_back_to_a_key_beyond_the_policy() {
    let world = rotated_twice();
    world.grant(&world.replaced_key, &[SPOT, TRANSFERS]);
    world.advance(hours(1));
    refused(&world, "may do what it must not");
}

#[test]
fn a_rollback_that_cannot_begin_takes_its_label_off_again() {
    let world = rotated_twice();
    world.plan(Operation::Rotate, 1, Fault::Denied);
    let answer = world.roll_back(None);
    assert_eq!(answer.outcome, Outcome::Failed);
    assert_eq!(
        codes(&answer),
        [Code::NotDone],
        "what was changed and taken back is told: {answer:#?}"
    );
    assert_eq!(answer.secrets[0].did.len(), 2, "{answer:#?}");
    assert_eq!(world.holder("ROLLBACK"), None);
}

#[test]
fn a_rollback_that_fails_says_what_it_changed_all_the_same() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.token));
    world.plan(Operation::Rotate, 1, Fault::Denied);
    let answer = world.roll_back(None);
    ended(&answer, Outcome::Failed, &[Code::NotDone]);
    let (version, token) = (&world.replaced, &world.token);
    let labelled = format!("labelled version {version} ROLLBACK, which was on version {token}");
    assert_eq!(
        answer.secrets[0].did,
        [labelled, format!("took ROLLBACK off version {version}")]
    );
    assert!(!world.labels(&world.replaced).contains(&"ROLLBACK".to_owned()));
}

#[test]
fn nobody_goes_back_to_a_key_that_create_secret_would_refuse() {
    // Each is alive, and not what the current value asks for.
    let edit = |world: &World, key: &KeyId, powers: &[Power<'_>], ips: Ips| {
        world.edit_key(key, |settings| {
            (settings.permissions, settings.ips) = (Permissions::of(powers), ips);
        });
        world.advance(hours(1));
    };
    let bound = || Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
    let world = rotated_twice();
    edit(&world, &world.replaced_key, &[TRADES, SPOT], Ips::Any);
    refused(&world, "bound to no address");
    edit(
        &world,
        &world.replaced_key,
        &[TRADES, SPOT],
        Ips::only([FUNCTION_ADDRESS, "198.51.100.9".parse().expect("an address")]),
    );
    refused(&world, "198.51.100.9");
    edit(&world, &world.replaced_key, &[SPOT], bound());
    refused(&world, "may not do what it must");
    edit(&world, &world.replaced_key, &[TRADES, SPOT], bound());
    assert_eq!(world.roll_back(None).outcome, Outcome::Ok);
}

#[test]
fn nobody_goes_back_to_a_key_of_another_account() {
    let world = rotated();
    let theirs = world.key_by_hand(OTHER_SUB);
    world.put_by_hand(world.text_of_setup(), &theirs, OTHER_SUB, "AWSCURRENT");
    let ours = world.key_by_hand(SUB);
    world.put_key(&ours, "AWSCURRENT");
    world.advance(hours(1));
    refused(&world, "belongs to account");
}

#[test]
fn a_rollback_whose_beginning_is_not_known_says_so() {
    let world = rotated_twice();
    let unseen = world.fork();
    unseen.plan(Operation::Rotate, 1, Fault::ReplyLost);
    unseen.plan(Operation::Describe, 2, Fault::Dropped);
    let answer = unseen.roll_back(None);
    assert!(answer.findings[0].say.contains("nobody knows"), "{answer:#?}");
    assert_eq!(unseen.holder("ROLLBACK").as_ref(), Some(&world.replaced));
    // A look tells, where one can be had; also of a request that went out twice.
    for fault in [Fault::ReplyLost, Fault::Twice] {
        let fork = world.fork();
        fork.plan(Operation::Rotate, 1, fault);
        assert_eq!(fork.roll_back(None).outcome, Outcome::Ok, "{fault:?}");
        assert_eq!(fork.holder("ROLLBACK").as_ref(), Some(&world.replaced));
    }
}

#[test]
fn nobody_goes_back_where_nothing_says_what_the_key_may_do() {
    let world = rotated_twice();
    let bare = document_without_policy();
    let key = world.key_by_hand(SUB);
    world.put_by_hand(&bare, &key, SUB, "AWSCURRENT");
    world.delete_key(&key.key);
    world.advance(hours(1));
    refused(&world, "policy.permissions");
}

#[test]
fn a_label_that_sends_the_next_rotation_back_is_told() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    assert_eq!(codes(&world.maintain()), [Code::RollbackWaits]);
    world.begin_rotation();
    all_is_well(&world.maintain());
}

#[test]
fn a_used_label_is_taken_off_and_one_that_a_person_is_mending_is_not() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    let token = world.rotate().expect("a rotation back");
    assert_eq!(world.current_key().as_ref(), Some(&world.replaced_key));
    // The run that died after its swap left the label there.
    world.label("ROLLBACK", Some(&world.replaced));
    let answer = world.maintain();
    assert!(!found(&answer, Code::RollbackWaits), "{answer:#?}");
    assert_eq!(
        (world.holder("ROLLBACK"), world.holder("AWSCURRENT")),
        (None, Some(token))
    );
    let broken = world.put_by_hand("{}", world.first_credential(), SUB, "ROLLBACK");
    world.advance(hours(1));
    assert!(found(&world.maintain(), Code::RollbackWaits));
    assert_eq!(world.holder("ROLLBACK"), Some(broken));
}
