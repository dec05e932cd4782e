//! What stands in the way of a pass neither ends a key too early nor keeps a leaked one alive.

use protocol::operations::Code;
use sandbox::in_process::{Fault, OTHER_SUB, Operation, SUB};
use sandbox::venue::Credential;

use super::*;

const A_DAY: i64 = 24;
const A_WEEK: i64 = 7 * A_DAY;

/// A key made by hand that only the consumers' address may use.
fn key_bound_elsewhere(world: &World, uid: Uid) -> Credential {
    let key = world.key_by_hand(uid);
    world.edit_key(&key.key, |settings| settings.ips = Ips::only([BOT_ADDRESS]));
    world.advance(hours(1));
    key
}

fn roll_back_to(world: &World, version: &VersionId) {
    assert_eq!(world.roll_back(Some(version)).outcome, Outcome::Ok);
    world.run_all_due().expect("the rotation back");
}

#[test]
fn a_key_made_by_hand_that_a_rollback_brought_back_lives_a_week_again() {
    let world = rotated();
    roll_back_to(&world, &world.replaced);
    assert_eq!(world.current_key(), Some(world.replaced_key.clone()));
    world.rotate().expect("a rotation");
    world.advance(hours(A_DAY + 2));
    settle(&world);
    assert!(
        world.alive(&world.replaced_key),
        "it may sit in a file somewhere, whoever copied it"
    );
    world.advance(hours(A_WEEK));
    settle(&world);
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn a_key_of_ours_that_a_rollback_brought_back_is_no_hand_made_one() {
    let world = rotated_twice();
    roll_back_to(&world, &world.replaced);
    world.rotate().expect("a rotation");
    world.advance(hours(A_DAY + 2));
    settle(&world);
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn a_key_that_the_list_of_a_wrong_account_does_not_show_is_not_dead() {
    let world = world();
    let elsewhere = key_bound_elsewhere(&world, OTHER_SUB);
    let version = world.put_key(&elsewhere, "CANDIDATE");
    world.label("CANDIDATE", None);
    let replaced = protocol::label::Stamp {
        kind: protocol::label::StampKind::Replaced,
        at: world.now(),
    }
    .label(&version);
    world.label(replaced.as_str(), Some(&version));
    world.advance(hours(A_WEEK + 2));
    for _ in 0..4 {
        let answer = world.maintain();
        let dead = answer
            .secrets
            .iter()
            .flat_map(|row| &row.keys)
            .any(|key| key.alive == Some(false));
        assert!(!(dead && world.alive(&elsewhere.key)), "{answer:#?}");
        world.advance(hours(1));
    }
}

#[test]
fn a_wrong_signature_is_not_a_death() {
    let world = world();
    let elsewhere = world.key_by_hand(OTHER_SUB);
    let other = world.key_by_hand(OTHER_SUB);
    let mixed_up = Credential {
        key: elsewhere.key.clone(),
        secret: other.secret,
        passphrase: None,
    };
    let version = world.put_key(&mixed_up, "COMPROMISED");
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
            let world = rotated_twice();
            world.advance(hours(A_DAY + 1));
            world.maintain();
            world.advance(hours(1));
            world.plan(operation, occurrence, Fault::Throttled);
            let answer = world.maintain();
            assert!(
                !found(&answer, Code::HolderUnreadable),
                "{operation:?} {occurrence}: {answer:#?}"
            );
            world.advance(hours(1));
            world.maintain();
            assert!(!world.alive(&world.replaced_key), "{operation:?} {occurrence}");
        }
    }
}

#[test]
fn a_holder_that_cannot_be_read_is_told_once_however_many_wait_for_it() {
    let world = rotated_twice();
    let unreadable = world.add_secret_of("prod/bybit/unreadable", &world.key_by_hand(SUB));
    world.delete_secret(&unreadable);
    for version in [world.key_by_hand(SUB), world.key_by_hand(SUB)] {
        world.put_key(&version, "AWSCURRENT");
        world.maintain();
        world.advance(hours(1));
    }
    world.advance(hours(A_WEEK + 2));
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
    let world = rotated();
    world.advance(hours(A_DAY * 3));
    world.maintain();
    world.take_calls();
    world.maintain();
    let reads = world.take_count(Operation::ReadVersion);
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
    let key = world.key_by_hand(SUB);
    world.put_by_hand(&bare, &key, SUB, "AWSCURRENT");
    new_current_by_hand(&world);
    world.maintain();
    world.advance(hours(A_WEEK + 1));
    settle(&world);
    assert!(!world.alive(&key.key));
}

#[test]
fn what_stands_in_the_way_of_the_current_key_keeps_no_leaked_one_alive() {
    for fault in [Fault::Denied, Fault::Refused] {
        let world = rotated_twice();
        world.label("COMPROMISED", Some(&world.replaced));
        world.plan(Operation::ReadCurrent, 1, fault);
        let answer = world.maintain();
        assert!(found(&answer, Code::NotDone), "{answer:#?}");
        assert!(!world.alive(&world.replaced_key), "{fault:?}");
    }
}

#[test]
fn a_current_value_that_is_no_credential_is_told_and_replaced_keys_wait() {
    let world = rotated_twice();
    world.label("COMPROMISED", Some(&world.replaced));
    world.put_by_hand(
        "{\"exchange\":\"bybit\"",
        &world.key_by_hand(SUB),
        SUB,
        "AWSCURRENT",
    );
    let answer = world.maintain();
    assert!(
        found(&answer, Code::ValueInvalid) && found(&answer, Code::HolderUnreadable),
        "{answer:#?}"
    );
    assert!(
        world.alive(&world.replaced_key),
        "nobody knows what the current version names"
    );
}

#[test]
fn one_lost_key_that_cannot_be_asked_about_does_not_keep_the_others() {
    let world = world();
    let lost: Vec<KeyId> = (0..2)
        .map(|_| {
            let (_, key) = unstored(&world);
            world.label("AWSPENDING", None);
            key
        })
        .collect();
    world.advance(minutes(20));
    world.plan(Operation::ReadVersion, 1, Fault::Denied);
    world.maintain();
    assert_eq!(lost.iter().filter(|key| world.alive(key)).count(), 1);
}

#[test]
fn what_could_not_be_done_is_not_told_as_done() {
    let world = rotated_twice();
    world.advance(hours(A_DAY + 1));
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
    let mut world = rotated_twice();
    world.world.0.timeout = seconds(8);
    world.take_calls();
    assert_eq!(codes(&world.roll_back(Some(&world.replaced))), [Code::Refused]);
    assert_eq!(world.take_writes(), []);
    world.world.0.timeout = minutes(15);
    world.switch_off();
    world.take_calls();
    let answer = world.roll_back(Some(&world.replaced));
    assert!(answer.findings[0].say.contains("switched off"), "{answer:#?}");
    assert_eq!((world.take_writes(), world.holder("ROLLBACK")), (vec![], None));
}

#[test]
fn a_leaked_key_that_is_pending_is_given_up_by_a_pass_and_dies() {
    let world = rotated_twice();
    let token = created(&world);
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
    world.advance(hours(1));
    world.maintain();
    assert!(!world.alive(&key_in(&world, &token)));
}

#[test]
fn every_finding_is_logged_with_its_names_masked() {
    let world = world();
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::CurrentDead]);
    let said = world.said();
    assert!(
        said.contains(r#""severity":"page","code":"CURRENT_DEAD","secret":"prod/bybit/***""#),
        "{said}"
    );
}
