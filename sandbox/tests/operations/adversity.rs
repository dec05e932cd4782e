//! What stands in the way of a pass neither ends a key too early nor keeps a leaked one alive.

use protocol::name::SecretId;
use protocol::operations::{Code, OperationRequest, Shard};
use sandbox::bybit::Credential;
use sandbox::in_process::{Fault, OTHER_SUB, Operation, SUB};
use sandbox::secrets_manager::DeleteSecret;

use super::*;

const A_DAY: i64 = 24;
const A_WEEK: i64 = 7 * A_DAY;

/// A key made by hand that only the consumers' address may use.
fn key_bound_elsewhere(world: &World, uid: Uid) -> Credential {
    let key = key_by_hand(world, uid);
    let mut settings = world
        .bybit(|model, _| model.key(&key.key))
        .expect("the key is there")
        .settings;
    settings.ips = Ips::only([BOT_ADDRESS]);
    world
        .bybit(|model, now| model.edit_key_by_hand(&key.key, settings, now))
        .expect("it is edited");
    hour(world);
    key
}

fn roll_back_to(world: &World, version: &VersionId) {
    let request = OperationRequest::Rollback {
        secret: world.secret().clone(),
        version: Some(version.clone()),
    };
    assert_eq!(world.operate(request).outcome, Outcome::Ok);
    while let Some(step) = world.run_due() {
        step.expect("the rotation back");
    }
}

fn delete_secret(world: &World, secret: &SecretId) {
    let request = DeleteSecret {
        secret_id: secret.as_str().to_owned(),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .expect("it is deleted");
}

#[test]
fn a_key_made_by_hand_that_a_rollback_brought_back_lives_a_week_again() {
    let (world, _, by_hand, version) = rotated();
    roll_back_to(&world, &version);
    assert_eq!(world.current_key(), Some(by_hand.clone()));
    world.rotate().expect("a rotation");
    hours(&world, A_DAY + 2);
    settle(&world);
    assert!(
        world.alive(&by_hand),
        "it may sit in a file somewhere, whoever copied it"
    );
    hours(&world, A_WEEK);
    settle(&world);
    assert!(!world.alive(&by_hand));
}

#[test]
fn a_key_of_ours_that_a_rollback_brought_back_is_no_hand_made_one() {
    let (world, _, key, version) = rotated_twice();
    roll_back_to(&world, &version);
    world.rotate().expect("a rotation");
    hours(&world, A_DAY + 2);
    settle(&world);
    assert!(!world.alive(&key));
}

#[test]
fn a_key_that_the_list_of_a_wrong_account_does_not_show_is_not_dead() {
    let world = world();
    let elsewhere = key_bound_elsewhere(&world, OTHER_SUB);
    let version = world.put_by_hand(world.text_of_setup(), &elsewhere, SUB, "CANDIDATE");
    world.label("CANDIDATE", None);
    let replaced = protocol::label::Stamp {
        kind: protocol::label::StampKind::Replaced,
        at: world.now(),
    }
    .label(&version);
    world.label(replaced.as_str(), Some(&version));
    hours(&world, A_WEEK + 2);
    for _ in 0..4 {
        let answer = world.maintain();
        let dead = answer
            .secrets
            .iter()
            .flat_map(|row| &row.keys)
            .any(|key| key.alive == Some(false));
        assert!(!(dead && world.alive(&elsewhere.key)), "{answer:#?}");
        hour(&world);
    }
}

#[test]
fn a_wrong_signature_is_not_a_death() {
    let world = world();
    let elsewhere = key_by_hand(&world, OTHER_SUB);
    let other = key_by_hand(&world, OTHER_SUB);
    let mixed_up = Credential {
        key: elsewhere.key.clone(),
        secret: other.secret,
    };
    let version = world.put_by_hand(world.text_of_setup(), &mixed_up, SUB, "COMPROMISED");
    world.plan(Operation::Revoke, 1, Fault::Refused);
    let answer = world.maintain();
    assert!(world.alive(&elsewhere.key));
    assert_eq!(codes(&answer), [Code::Exposed, Code::GraceOverrun], "{answer:#?}");
    assert!(
        !world.labels(&version).is_empty(),
        "a living key is not forgotten"
    );
}

#[test]
fn one_throttled_read_stops_nobody() {
    for operation in [Operation::Secrets, Operation::Describe, Operation::ReadVersion] {
        for occurrence in 1..5 {
            let (world, _, key, _) = rotated_twice();
            hours(&world, A_DAY + 1);
            world.maintain();
            hour(&world);
            world.plan(operation, occurrence, Fault::Throttled);
            let answer = world.maintain();
            assert!(
                !codes(&answer).contains(&Code::HolderUnreadable),
                "{operation:?} {occurrence}: {answer:#?}"
            );
            hour(&world);
            world.maintain();
            assert!(!world.alive(&key), "{operation:?} {occurrence}");
        }
    }
}

#[test]
fn a_holder_that_cannot_be_read_is_told_once_however_many_wait_for_it() {
    let (world, _, _, _) = rotated_twice();
    let unreadable = world.add_secret(
        "prod/bybit/unreadable",
        world.text_of_setup(),
        &key_by_hand(&world, SUB),
        SUB,
    );
    delete_secret(&world, &unreadable);
    for version in [key_by_hand(&world, SUB), key_by_hand(&world, SUB)] {
        world.put_by_hand(world.text_of_setup(), &version, SUB, "AWSCURRENT");
        world.maintain();
        hour(&world);
    }
    hours(&world, A_WEEK + 2);
    let answer = world.maintain();
    let told: Vec<&str> = answer
        .findings
        .iter()
        .filter(|finding| finding.code == Code::HolderUnreadable)
        .map(|finding| finding.secret.as_str())
        .collect();
    assert_eq!(told, ["prod/bybit/unreadable"], "{answer:#?}");
}

#[test]
fn a_key_in_its_grace_needs_no_look_at_all_the_others() {
    let (world, _, _, _) = rotated();
    hours(&world, A_DAY * 3);
    world.maintain();
    world.take_calls();
    world.maintain();
    let reads = world
        .take_operations()
        .into_iter()
        .filter(|operation| *operation == Operation::ReadVersion)
        .count();
    assert_eq!(
        reads, 1,
        "the replaced version's value, which tells that it was made by hand"
    );
}

#[test]
fn a_version_naming_no_master_or_account_is_retired_by_the_current_one() {
    let world = world();
    let bare = world
        .text_of_setup()
        .replace(r#""subaccount":"<account>","#, "")
        .replace(r#""masterarn":"<master>","#, "");
    assert!(!bare.contains("<master>") && !bare.contains("<account>"));
    let key = key_by_hand(&world, SUB);
    world.put_by_hand(&bare, &key, SUB, "AWSCURRENT");
    world.put_by_hand(
        world.text_of_setup(),
        &key_by_hand(&world, SUB),
        SUB,
        "AWSCURRENT",
    );
    world.maintain();
    hours(&world, A_WEEK + 1);
    settle(&world);
    assert!(!world.alive(&key.key));
}

#[test]
fn what_stands_in_the_way_of_the_current_key_keeps_no_leaked_one_alive() {
    for fault in [Fault::Denied, Fault::Refused] {
        let (world, _, key, version) = rotated_twice();
        world.label("COMPROMISED", Some(&version));
        world.plan(Operation::ReadCurrent, 1, fault);
        let answer = world.maintain();
        assert!(codes(&answer).contains(&Code::NotDone), "{answer:#?}");
        assert!(!world.alive(&key), "{fault:?}");
    }
}

#[test]
fn a_current_value_that_is_no_credential_is_told_and_replaced_keys_wait() {
    let (world, _, key, version) = rotated_twice();
    world.label("COMPROMISED", Some(&version));
    world.put_by_hand(
        "{\"exchange\":\"bybit\"",
        &key_by_hand(&world, SUB),
        SUB,
        "AWSCURRENT",
    );
    let answer = world.maintain();
    assert!(
        codes(&answer).contains(&Code::ValueInvalid) && codes(&answer).contains(&Code::HolderUnreadable),
        "{answer:#?}"
    );
    assert!(world.alive(&key), "nobody knows what the current version names");
}

#[test]
fn one_lost_key_that_cannot_be_asked_about_does_not_keep_the_others() {
    let world = world();
    let lost: Vec<KeyId> = (0..2)
        .map(|_| {
            let token = world.begin_rotation();
            world.plan(Operation::Put, 1, Fault::CrashBefore);
            assert!(world.run(protocol::rotation::Step::Create, &token).is_err());
            let key = world.live_keys_for(&token).remove(0);
            world.label("AWSPENDING", None);
            key
        })
        .collect();
    world.advance(SignedDuration::from_mins(20));
    world.plan(Operation::ReadVersion, 1, Fault::Denied);
    world.maintain();
    assert_eq!(lost.iter().filter(|key| world.alive(key)).count(), 1);
}

#[test]
fn what_could_not_be_done_is_not_told_as_done() {
    let (world, _, _, _) = rotated_twice();
    hours(&world, A_DAY + 1);
    world.plan(Operation::AddLabel, 1, Fault::Denied);
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::NotDone]);
    assert!(
        answer.secrets[0].did.is_empty() && !answer.counts.contains_key("condemned"),
        "{answer:#?}"
    );
}

#[test]
fn a_rollback_that_could_not_take_its_label_off_again_does_not_begin() {
    let (mut world, _, _, version) = rotated_twice();
    let request = |world: &World| OperationRequest::Rollback {
        secret: world.secret().clone(),
        version: Some(version.clone()),
    };
    world.0.timeout = SignedDuration::from_secs(8);
    world.take_calls();
    assert_eq!(codes(&world.operate(request(&world))), [Code::Refused]);
    assert_eq!(writes(&world), []);
    world.0.timeout = SignedDuration::from_mins(15);
    let off = sandbox::secrets_manager::CancelRotateSecret {
        secret_id: world.secret().as_str().to_owned(),
    };
    world
        .secrets_manager(|model, now| model.cancel_rotate_secret(&off, now))
        .expect("it is switched off");
    world.take_calls();
    let answer = world.operate(request(&world));
    assert!(answer.findings[0].say.contains("switched off"), "{answer:#?}");
    assert_eq!((writes(&world), world.holder("ROLLBACK")), (vec![], None));
}

#[test]
fn a_leaked_key_that_is_pending_is_given_up_by_a_pass_and_dies() {
    let (world, _, _, _) = rotated_twice();
    let token = world.begin_rotation();
    world
        .run(protocol::rotation::Step::Create, &token)
        .expect("a key");
    world.label("COMPROMISED", Some(&token));
    let answer = world.maintain();
    assert!(
        answer.secrets[0]
            .did
            .iter()
            .any(|did| did.contains("took AWSPENDING off version")),
        "{answer:#?}"
    );
    assert_eq!(world.holder("AWSPENDING"), None);
    hour(&world);
    world.maintain();
    assert!(!world.alive(&key_in(&world, &token)));
}

#[test]
fn every_finding_is_logged_with_its_names_masked() {
    let world = world();
    delete(&world, world.first_key());
    hour(&world);
    let answer = world.operate(OperationRequest::Maintain {
        shard: Shard::ALL,
        secrets: Vec::new(),
        moved: false,
        dry_run: false,
    });
    assert_eq!(codes(&answer), [Code::CurrentDead]);
    let said = world.said();
    assert!(
        said.contains(r#""severity":"page","code":"CURRENT_DEAD","secret":"prod/bybit/***""#),
        "{said}"
    );
}
