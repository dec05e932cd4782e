//! What people have met, each as it was met: a state that nobody heard of, and words that did not help.

use protocol::operations::{Severity, Shard};
use sandbox::in_process::{SUB, Setup};
use sandbox::secrets_manager::ReplicaStatus;

use super::audit::{audit, request};
use super::*;

#[test]
fn the_end_of_a_master_is_told_by_every_pass_before_it_comes() {
    let mut setup = Setup::default();
    setup.master_key.ips = Ips::Any;
    let world = world_with(setup);
    world.rotate().expect("a rotation");
    settle(&world);
    assert_eq!(
        codes(&world.maintain()),
        [Code::AdoptionGrace],
        "three months are left, and nothing is scheduled"
    );
    schedule(&world, 85);
    for answer in [world.maintain(), audit(&world)] {
        let told = finding(&answer, Code::ExpiresBeforeRotation);
        assert!(
            told.say.contains("the master credential") && told.say.contains("expires on"),
            "{told:?}"
        );
    }
    world.advance(hours(24 * 83));
    for answer in [world.maintain(), audit(&world)] {
        assert_eq!(finding(&answer, Code::MasterExpiring).severity, Severity::Page);
    }
}

#[test]
fn a_rotation_that_is_stuck_is_told_by_every_pass() {
    let world = rotated_twice();
    world.begin_rotation();
    all_is_well(&world.maintain());
    world.advance(hours(1));
    let told = finding(&world.maintain(), Code::StuckPending);
    assert!(told.r#do.contains("abandon"), "{told:?}");
    world.label("AWSPENDING", Some(&world.replaced));
    let told = finding(&world.maintain(), Code::StuckPending);
    assert!(
        told.say.contains(world.replaced.as_str()) && told.say.contains("was current once"),
        "{told:?}"
    );
}

#[test]
fn a_kms_key_that_cannot_be_used_is_a_page_of_its_own() {
    let world = rotated_twice();
    world.set_kms_key_usable(false);
    for answer in [world.maintain(), audit(&world)] {
        let told = finding(&answer, Code::KmsKeyUnusable);
        assert!(
            told.severity == Severity::Page && told.r#do.contains("describe-secret"),
            "{told:?}"
        );
    }
}

#[test]
fn a_replaced_key_that_another_secret_holds_names_its_holder() {
    let world = rotated();
    world.add_secret_of("prod/bybit/other", world.first_credential());
    world.advance(hours(24 * 8));
    let told = finding(&world.maintain(), Code::SharedKey);
    assert!(told.say.contains("prod/bybit/other"), "{told:?}");
    let told = finding(&audit(&world), Code::GraceOverrun);
    assert!(
        told.say.contains("AWSCURRENT key of prod/bybit/other") && told.r#do.contains("prod/bybit/other"),
        "{told:?}"
    );
    assert!(world.alive(&world.replaced_key));
}

#[test]
fn a_key_of_a_secret_that_nothing_rotates_is_held_and_that_is_said() {
    let world = rotated();
    let text = world.filled_in(world.text_of_setup(), world.first_credential(), SUB);
    unrotated(&world, "prod/bybit/a-bot-of-its-own", Some(text));
    world.advance(hours(24 * 8));
    settle(&world);
    assert!(world.alive(&world.replaced_key));
    for answer in [world.maintain(), audit(&world)] {
        assert!(says(&answer, "prod/bybit/a-bot-of-its-own"), "{answer:#?}");
    }
}

#[test]
fn an_order_says_why_no_successor_comes_and_what_to_do_about_it() {
    let powerless: fn(&World) = |world| {
        let master = world.master_key().clone();
        world.grant(&master, &[SPOT]);
    };
    let full: fn(&World) = |world| {
        fill_account(world, 20);
    };
    for (spoil, why, remedy) in [
        (powerless, "cannot issue keys", "make a better one"),
        (full, "no room", "delete keys"),
    ] {
        let world = rotated_twice();
        world.advance(hours(25));
        settle(&world);
        spoil(&world);
        let told = finding(
            &world.operate_beside_the_service(leaked(&world, None)),
            Code::Exposed,
        );
        assert!(
            told.say.contains(why) && told.r#do.contains(remedy) && told.r#do.contains("break_glass"),
            "{told:?}"
        );
    }
}

#[test]
fn an_order_given_again_at_once_says_what_it_waits_for_and_until_when() {
    let world = rotated_twice();
    world.venue(|model, _| model.knobs.kyc_missing = true);
    let begun = world.begin_rotation();
    let answer = world.operate_beside_the_service(leaked(&world, None));
    let said = format!("{:?}", answer.timeline);
    assert!(
        said.contains(begun.as_str()) && said.contains("is waited for until"),
        "{answer:#?}"
    );
}

#[test]
fn a_master_that_is_dead_is_said_to_be_that_by_an_order_to_revoke_first() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.delete_key(world.master_key());
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(
        world.alive(&key) && finding(&answer, Code::MasterUnusable).say.contains("master"),
        "{answer:#?}"
    );
}

#[test]
fn one_list_that_fails_is_no_control_for_the_next() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    // Another environment's host rejects every key as if it were dead, and heals while the order is at work.
    world.venue(|model, _| model.knobs.wrong_host = true);
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(world.alive(&key) && !answer.findings.is_empty(), "{answer:#?}");
    assert!(
        answer
            .timeline
            .iter()
            .all(|moment| !moment.what.contains("proven dead")),
        "{answer:#?}"
    );
}

#[test]
fn a_version_that_never_had_a_value_is_not_counted_as_a_key_that_died() {
    let world = rotated_twice();
    let (token, lost) = unstored(&world);
    world.label("COMPROMISED", Some(&token));
    let mut retired = 0;
    for _ in 0..4 {
        let answer = world.operate_beside_the_service(in_process::maintain(Shard::ALL, false));
        let did: Vec<&String> = answer.secrets.iter().flat_map(|row| &row.did).collect();
        assert!(
            !did.iter()
                .any(|did| did.contains(token.as_str()) && did.contains("its key is dead")),
            "{did:?}"
        );
        retired += answer.counts.get("retired").copied().unwrap_or_default();
        world.advance(hours(1));
    }
    assert_eq!(retired, 0);
    assert!(
        !world.alive(&lost),
        "it was issued for the version, and never stored"
    );
}

#[test]
fn an_audit_that_has_no_time_for_anything_is_not_well() {
    let mut world = rotated_twice().world;
    world.0.timeout = seconds(15);
    assert_eq!(audit(&world).outcome, Outcome::Failed);
    let answer = world.operate(request("fp:000000000000"));
    assert_eq!(
        (answer.outcome, finding(&answer, Code::Unfinished).severity),
        (Outcome::Attention, Severity::Ticket),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_a_rotation_may_be_about_to_store_is_listed_as_young() {
    let world = rotated_twice();
    let (_token, _) = unstored(&world);
    let answer = audit(&world);
    let young = answer.secrets[0]
        .audit
        .as_ref()
        .and_then(|audit| audit.young_keys.as_ref())
        .map(Vec::len);
    assert_eq!((young, codes(&answer)), (Some(1), vec![]), "{answer:#?}");
}

#[test]
fn a_harmless_power_is_a_ticket_and_no_page() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.grant(&key, &[SPOT, ("CopyTrading", &["CopyTrading"])]);
    world.advance(hours(1));
    let answer = world.maintain();
    assert!(
        finding(&answer, Code::MorePowerThanPolicy)
            .say
            .contains("CopyTrading"),
        "{answer:#?}"
    );
    assert!(!found(&answer, Code::CanMoveFunds), "{answer:#?}");
}

#[test]
fn labels_of_what_is_over_are_left_while_a_replica_catches_up() {
    let world = rotated_twice();
    let empty = world.begin_rotation();
    assert_eq!(world.abandon().outcome, Outcome::Ok);
    world.advance(hours(1));
    world.replicate(ReplicaStatus::InProgress);
    world.maintain();
    assert!(!world.labels(&empty).is_empty());
    world.replicate(ReplicaStatus::InSync);
    world.maintain();
    assert!(world.labels(&empty).is_empty());
}

#[test]
fn a_void_condemnation_is_left_while_a_replica_catches_up() {
    let world = rotated_twice();
    let stamp = "CONDEMNED-20260301T000000Z-00000000";
    world.label(stamp, Some(&world.token));
    world.replicate(ReplicaStatus::InProgress);
    world.maintain();
    assert!(world.has_stamp(&world.token, "CONDEMNED-"));
    world.replicate(ReplicaStatus::InSync);
    world.maintain();
    assert!(!world.has_stamp(&world.token, "CONDEMNED-"));
}

/// Once the version is replaced by a hand, its grace would count from there.
#[test]
fn an_old_replacement_of_the_current_version_waits_for_no_replica() {
    let world = rotated_twice();
    world.label("REPLACED-20260301T000000Z-00000000", Some(&world.token));
    world.replicate(ReplicaStatus::InProgress);
    world.maintain();
    assert!(!world.has_stamp(&world.token, "REPLACED-"));
}

#[test]
fn a_key_that_is_deleted_and_still_listed_is_no_failed_revocation() {
    let world = rotated_twice();
    world.advance(hours(25));
    world.maintain();
    world.advance(hours(1));
    assert!(
        world.has_stamp(&world.replaced, "CONDEMNED-"),
        "its end is decided"
    );
    world.venue(|model, _| model.knobs.deleted_listed_for = hours(2));
    world.delete_key(&world.replaced_key);
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::NotProvenDead], "{answer:#?}");
    assert!(
        says(&answer, "is rejected, and its deletion is refused"),
        "{answer:#?}"
    );
    world.advance(hours(2));
    all_is_well(&world.maintain());
    assert!(
        !world.has_stamp(&world.replaced, "CONDEMNED-"),
        "its death is proven"
    );
}
