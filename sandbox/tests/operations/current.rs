//! The current key is looked at in every pass.

use protocol::operations::Code;
use sandbox::in_process::{Fault, OTHER_SUB, Operation, SUB};

use super::audit::audit;
use super::*;

#[test]
fn a_current_key_that_is_rejected_is_a_page() {
    let world = world();
    world.delete_key(world.first_key());
    world.advance(hours(1));
    assert_eq!(codes(&world.maintain()), [Code::CurrentDead]);
}

#[test]
fn an_answer_that_says_nothing_is_not_a_death() {
    let world = world();
    for fault in [Fault::Dropped, Fault::Throttled, Fault::Denied, Fault::Refused] {
        world.plan(Operation::Inspect, 1, fault);
        let codes = codes(&world.maintain());
        assert!(
            !codes.contains(&Code::CurrentDead) && codes.len() == 1,
            "{fault:?}: {codes:?}"
        );
    }
}

#[test]
fn a_rejection_where_the_host_accepts_no_one_is_not_a_death() {
    let world = world();
    world.venue(|model, _| model.knobs.wrong_host = true);
    let codes = codes(&world.maintain());
    assert!(
        codes.contains(&Code::MasterUnusable) && !codes.contains(&Code::CurrentDead),
        "{codes:?}"
    );
}

#[test]
fn in_the_replaced_keys_grace_a_death_is_believed_only_when_told_twice() {
    let world = rotated_twice();
    world.advance(hours(1));
    world.delete_key(&key_in(&world, &world.token));
    assert_eq!(codes(&world.maintain()), [Code::CurrentSuspect]);
    assert!(world.has_stamp(&world.token, "SUSPECT-"));
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::CurrentDead]);
    assert!(answer.findings[0].r#do.contains("rollback"), "{answer:#?}");
    assert_eq!(
        world.holder("ROLLBACK"),
        None,
        "nobody said that it may be done without asking"
    );
}

#[test]
fn a_suspicion_is_told_in_every_pass_until_it_is_decided() {
    let world = rotated_twice();
    world.advance(hours(1));
    world.delete_key(&key_in(&world, &world.token));
    for _ in 0..3 {
        assert_eq!(codes(&world.maintain()), [Code::CurrentSuspect]);
        world.advance(minutes(5));
    }
}

#[test]
fn a_predecessor_made_by_hand_is_a_way_back_for_as_long_as_it_lives() {
    let world = rotated();
    world.advance(hours(48));
    world.maintain();
    world.delete_key(&key_in(&world, &world.token));
    world.advance(hours(1));
    let answer = world.maintain();
    assert!(found(&answer, Code::CurrentSuspect), "{answer:#?}");
    world.advance(hours(1));
    let answer = world.maintain();
    let dead = finding(&answer, Code::CurrentDead);
    assert!(
        world.alive(&world.replaced_key) && dead.r#do.contains("rollback"),
        "{answer:#?}"
    );
}

#[test]
fn a_suspicion_is_dropped_when_the_key_answers_again() {
    let world = rotated_twice();
    world.advance(hours(1));
    world.plan(Operation::Inspect, 1, Fault::Dropped);
    world.venue(|model, _| model.knobs.wrong_host = true);
    world.maintain();
    world.venue(|model, _| model.knobs.wrong_host = false);
    world.label("SUSPECT-20260301T000000Z-00000000", Some(&world.token));
    world.advance(hours(1));
    all_is_well(&world.maintain());
    assert!(!world.has_stamp(&world.token, "SUSPECT-"));
}

#[test]
fn where_the_policy_says_so_a_death_in_the_grace_is_rolled_back() {
    let world = world();
    let document = world
        .text_of_setup()
        .replace(r#""policy":{"#, r#""policy":{"auto_rollback":true,"#);
    let key = world.key_by_hand(SUB);
    world.put_by_hand(&document, &key, SUB, "AWSCURRENT");
    world.rotate().expect("a rotation");
    world.advance(hours(24 * 9));
    settle(&world);
    let first = world.holder("AWSCURRENT").expect("a current version");
    let token = world.rotate().expect("a rotation");
    world.advance(hours(1));
    world.delete_key(&key_in(&world, &token));
    world.maintain();
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!(answer.counts["rollbacks"], 1, "{answer:#?}");
    world.run_all_due().expect("the rotation back");
    assert_eq!(world.current_key(), Some(key_in(&world, &first)));
}

#[test]
fn a_current_key_moving_funds_is_a_page_and_one_beyond_policy_a_ticket() {
    let world = world();
    let edit = |powers: &[Power<'_>], ips| {
        world.edit_key(world.first_key(), |settings| {
            (settings.permissions, settings.ips) = (Permissions::of(powers), ips);
        });
        world.advance(hours(1));
    };
    let bound = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
    edit(&[TRADES, SPOT, TRANSFERS], bound.clone());
    assert_eq!(codes(&world.maintain()), [Code::CanMoveFunds]);
    edit(&[TRADES, SPOT, OPTIONS], bound.clone());
    assert_eq!(codes(&world.maintain()), [Code::MorePowerThanPolicy]);
    edit(&[TRADES], bound.clone());
    assert_eq!(codes(&world.maintain()), [Code::LessPowerThanPolicy]);
    edit(&[TRADES, SPOT], Ips::only([FUNCTION_ADDRESS]));
    assert_eq!(codes(&world.maintain()), [Code::LessPowerThanPolicy]);
    edit(&[TRADES, SPOT], Ips::Any);
    assert_eq!(codes(&world.maintain()), [Code::Unbound]);
    edit(&[TRADES, SPOT], bound);
    all_is_well(&world.maintain());
}

#[test]
fn a_key_that_a_hand_put_back_after_a_rotation_is_told() {
    let world = rotated_twice();
    world.maintain();
    let by_hand = world.key_by_hand(SUB);
    world.put_key(&by_hand, "AWSCURRENT");
    assert_eq!(codes(&world.maintain()), [Code::CurrentOverwritten]);
    // Once more: what was ours is not the version before any more.
    let again = world.key_by_hand(SUB);
    world.put_key(&again, "AWSCURRENT");
    assert!(found(&world.maintain(), Code::CurrentOverwritten));
}

#[test]
fn a_key_put_back_is_told_even_dead_and_before_a_pass_saw_the_rotation() {
    let world = rotated();
    let by_hand = world.key_by_hand(SUB);
    world.put_key(&by_hand, "AWSCURRENT");
    assert!(codes(&world.fork().maintain()).contains(&Code::CurrentOverwritten));
    world.delete_key(&by_hand.key);
    world.advance(hours(1));
    assert!(found(&world.maintain(), Code::CurrentOverwritten));
    // The function's own value, stored again by infrastructure code.
    let world = rotated();
    let ours = world
        .text(&world.holder("AWSCURRENT").expect("a version"))
        .expect("its value");
    world.put_by_hand(&ours, world.first_credential(), SUB, "AWSCURRENT");
    world.label("AWSPREVIOUS", Some(&world.first_version()));
    assert!(found(&world.maintain(), Code::CurrentOverwritten));
}

#[test]
fn a_key_put_back_is_told_until_it_is_rotated_though_only_a_tag_is_ours() {
    let world = rotated_twice();
    world.maintain();
    let by_hand = world.key_by_hand(SUB);
    world.put_key(&by_hand, "AWSCURRENT");
    world.maintain();
    world.advance(hours(25));
    settle(&world);
    assert!(world.labels(&world.token).is_empty(), "its key is dead");
    assert!(found(&audit(&world), Code::CurrentOverwritten));
    world.rotate().expect("a rotation");
    assert!(!found(&audit(&world), Code::CurrentOverwritten));
}

#[test]
fn a_version_of_ours_never_current_is_no_sign_that_a_key_was_put_back() {
    let world = world();
    let token = created(&world);
    let created_at = world.document(&token)["created_at"]
        .as_str()
        .expect("a date")
        .to_owned();
    world.label("AWSPENDING", None);
    // The time of another rotation, by whoever did the work before.
    tag(&world, "LastRotated", &created_at.replace("2026", "2025"));
    new_current_by_hand(&world);
    assert!(!found(&audit(&world), Code::CurrentOverwritten));
}

#[test]
fn a_tag_of_somebody_elses_is_no_sign_that_a_key_was_put_back() {
    let world = world();
    tag(&world, "LastRotated", "2026-01-01");
    new_current_by_hand(&world);
    assert!(!found(&world.maintain(), Code::CurrentOverwritten));
}

#[test]
fn a_supplied_key_has_no_master_to_miss_and_its_rejection_is_a_ticket() {
    let world = world_of(&document_without_master());
    all_is_well(&world.maintain());
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let answer = world.maintain();
    ended(&answer, Outcome::Attention, &[Code::CurrentSuspect]);
}

/// A world without a master, where a person's key has just taken the place of another: its version.
fn supplied(policy: &str) -> (Watched, VersionId) {
    let document = document_without_master().replace(r#""policy":{"#, policy);
    let world = world_of(&document);
    world.put_key(&world.key_by_hand(SUB), "CANDIDATE");
    let token = world.rotate().expect("a rotation");
    world.advance(hours(1));
    (world, token)
}

#[test]
fn the_key_before_proves_that_a_supplied_one_is_dead_and_is_the_way_back() {
    let (world, token) = supplied(r#""policy":{"#);
    assert_eq!(codes(&world.maintain()), [Code::AdoptionGrace]);
    world.delete_key(&key_in(&world, &token));
    assert!(found(&world.maintain(), Code::CurrentSuspect));
    assert!(world.has_stamp(&token, "SUSPECT-"));
    world.advance(hours(1));
    let answer = world.maintain();
    let dead = finding(&answer, Code::CurrentDead);
    assert!(dead.r#do.contains("rollback"), "{answer:#?}");
}

#[test]
fn an_audit_names_the_way_to_another_supplied_key() {
    let (world, token) = supplied(r#""policy":{"#);
    world.delete_key(&key_in(&world, &token));
    let way = |world: &World| finding(&audit(world), Code::CurrentDead).r#do;
    assert!(
        way(&world).contains("maintain"),
        "one look decides nothing where there is a way back"
    );
    world.maintain();
    world.advance(hours(1));
    assert!(way(&world).contains("rollback"));
    world.advance(hours(24 * 8));
    assert!(way(&world).contains("--version-stages CANDIDATE"));
}

#[test]
fn a_supplied_key_that_dies_is_rolled_back_where_the_policy_says_so() {
    let (world, token) = supplied(r#""policy":{"auto_rollback":true,"#);
    world.delete_key(&key_in(&world, &token));
    world.maintain();
    world.advance(hours(1));
    assert_eq!(world.maintain().counts["rollbacks"], 1);
    world.run_all_due().expect("the rotation back");
    assert_eq!(world.current_key().as_ref(), Some(world.first_key()));
}

#[test]
fn an_unusable_version_keeps_no_supplied_key_from_being_proven_dead() {
    let (world, token) = supplied(r#""policy":{"#);
    world.put_by_hand("{}", world.first_credential(), SUB, "unusable");
    world.put_key(&world.key_by_hand(SUB), "spare");
    world.delete_key(&key_in(&world, &token));
    world.plan(Operation::ReadVersion, 1, Fault::Denied);
    assert!(found(&world.maintain(), Code::CurrentSuspect));
    assert!(world.has_stamp(&token, "SUSPECT-"));
}

#[test]
fn where_the_key_before_is_dead_too_a_supplied_one_is_not_proven_dead() {
    let (world, token) = supplied(r#""policy":{"#);
    world.delete_key(&key_in(&world, &token));
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let codes = codes(&world.maintain());
    assert!(
        codes.contains(&Code::CurrentSuspect) && !codes.contains(&Code::CurrentDead),
        "{codes:?}"
    );
    assert!(!world.has_stamp(&token, "SUSPECT-"));
}

#[test]
fn a_key_of_another_secret_proves_that_a_supplied_one_is_dead() {
    let world = world_of(&document_without_master());
    for number in 0..24 {
        world.add_secret(
            &format!("prod/bybit/{number}"),
            world.text_of_setup(),
            &world.key_by_hand(OTHER_SUB),
            OTHER_SUB,
        );
    }
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::CurrentDead]);
    assert!(
        answer.findings[0].r#do.contains("--version-stages CANDIDATE"),
        "{answer:#?}"
    );
}

#[test]
fn a_supplied_key_that_was_stored_just_now_is_not_dead_yet() {
    let (world, token) = supplied(r#""policy":{"#);
    let by_hand = world.key_by_hand(SUB);
    let ours = world.text(&token).expect("a value");
    let date = ours.replace(r#""created_at":"2026-03"#, r#""created_at":"2025-03"#);
    assert_ne!(date, ours, "a hand keeps the date of the value that it changes");
    let document = date.replace(key_in(&world, &token).as_str(), "<key>");
    world.put_by_hand(&document, &by_hand, SUB, "AWSCURRENT");
    world.delete_key(&by_hand.key);
    let codes = codes(&world.maintain());
    assert!(
        codes.contains(&Code::CurrentUnchecked) && !codes.contains(&Code::CurrentDead),
        "{codes:?}"
    );
    assert_eq!(
        world.labels(&world.holder("AWSCURRENT").expect("a version")),
        ["AWSCURRENT"]
    );
}

#[test]
fn one_bad_secret_does_not_stop_the_others() {
    let world = rotated_twice();
    let other = world.key_by_hand(SUB);
    world.add_secret_of("prod/nowhere/other", &other);
    let bad = world.text_of_setup().replace("bybit", "nowhere");
    world.add_secret("prod/nowhere/third", &bad, &other, SUB);
    world.advance(hours(25));
    settle(&world);
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn a_dead_key_whose_suspicion_cannot_be_noted_is_a_page() {
    let world = rotated_twice();
    world.fill_labels(20, &world.token);
    world.advance(hours(1));
    world.delete_key(&key_in(&world, &world.token));
    let answer = world.maintain();
    assert_eq!(
        codes(&answer),
        [Code::CurrentDead, Code::LabelsFull],
        "{answer:#?}"
    );
}
