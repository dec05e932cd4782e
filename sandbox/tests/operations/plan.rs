//! A plan says whether a rotation would succeed, by the very code that rotates, and changes nothing.

use protocol::name::SecretId;
use protocol::operations::{self, Code, OperationRequest, Severity};
use sandbox::in_process::{Fault, Operation, SUB, Setup};
use sandbox::secrets_manager::UpdateSecret;

use super::*;

fn plan_of(world: &World, secret: &SecretId) -> Answer {
    world.take_calls();
    let answer = world.operate(OperationRequest::Plan {
        secret: secret.clone(),
    });
    let changes: Vec<Operation> = world.take_writes();
    assert_eq!(changes, [], "a plan changes nothing");
    answer
}

fn plan(world: &World) -> Answer {
    plan_of(world, world.secret())
}

fn would_succeed(answer: &Answer) -> bool {
    answer.secrets[0].plan.as_ref().expect("a plan").would_succeed
}

#[track_caller]
fn blocked(answer: &Answer, why: &str) {
    assert!(!would_succeed(answer), "{answer:#?}");
    let blockers: Vec<&str> = answer
        .findings
        .iter()
        .filter(|finding| finding.code == Code::Blocker)
        .map(|finding| finding.say.as_str())
        .collect();
    assert!(blockers.iter().any(|say| say.contains(why)), "{blockers:#?}");
}

#[track_caller]
fn warned(answer: &Answer, why: &str) {
    let warnings = answer
        .findings
        .iter()
        .filter(|finding| finding.code == Code::Warning);
    assert!(
        warnings.clone().any(|finding| finding.say.contains(why)),
        "{:#?}",
        warnings.collect::<Vec<_>>()
    );
}

#[test]
fn a_rotation_that_would_succeed_is_planned_as_it_then_happens() {
    let world = world();
    let answer = plan(&world);
    let planned = answer.secrets[0].plan.clone().expect("a plan");
    assert!(planned.would_succeed, "{answer:#?}");
    assert_eq!(
        (planned.source, planned.account.as_deref()),
        (Some("issued"), Some("53888000"))
    );
    assert_eq!(
        planned.grace_hours,
        Some(168),
        "the key that would be replaced was made by hand"
    );
    assert!(found(&answer, Code::AdoptionGrace), "{answer:#?}");
    world.take_calls();
    let token = world.rotate().expect("a rotation");
    let made = world.take_operations();
    let venue = made.iter().filter(|operation| operation.is_venue()).count();
    let told = planned
        .calls
        .iter()
        .flat_map(|line| line.split([',', ';']))
        .count();
    assert_eq!(told, made.len(), "{:#?} {made:?}", planned.calls);
    let told = planned
        .calls
        .iter()
        .flat_map(|line| line.split([',', ';']))
        .filter(|call| call.contains("the venue"))
        .count();
    assert_eq!(told, venue);
    let rotation = &world.document(&token)["rotation"];
    assert_eq!(rotation["permissions"], serde_json::json!(planned.permissions));
    let bound: Vec<&str> = rotation["ip_allowlist"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|at| at.as_str())
        .collect();
    assert_eq!(planned.addresses, Some(bound.join(",")));
}

#[test]
fn a_plan_says_how_long_clients_keep_a_value_beside_the_grace() {
    let planned = |grace| {
        plan(&World::with(Setup {
            grace,
            ..Setup::default()
        }))
    };
    let answer = planned(operations::OperationSettings::GRACE);
    assert_eq!(
        answer.secrets[0]
            .plan
            .as_ref()
            .and_then(|plan| plan.client_cache_seconds),
        Some(3600)
    );
    assert!(!says(&answer, "clients keep"), "{answer:#?}");
    let world = rotated();
    assert_eq!(
        plan(&world).secrets[0]
            .plan
            .as_ref()
            .and_then(|plan| plan.grace_hours),
        Some(24)
    );
    warned(
        &planned(operations::OperationSettings::LEAST_GRACE),
        "clients keep a value for up to 3600 s, and the grace is 3600 s",
    );
}

/// What stands in the way, by its word, and how it comes to.
type Breakage = (&'static str, fn(&World));

#[test]
fn a_plan_and_the_rotation_agree_on_whatever_stands_in_the_way() {
    let breakages: [Breakage; 6] = [
        ("MASTER_REFUSED", |world| {
            world.delete_key(world.master_key());
        }),
        ("VALUE_INVALID", |world| {
            world.put_by_hand(
                r#"{"api_key":"<key>""#,
                world.first_credential(),
                SUB,
                "AWSCURRENT",
            );
        }),
        ("MASTER_INVALID", |world| {
            let document = world.text_of_setup().replace(r#""masterarn":"<master>","#, "");
            world.put_by_hand(&document, world.first_credential(), SUB, "AWSCURRENT");
        }),
        ("ACCOUNT_MISMATCH", |world| {
            let document = world.text_of_setup().replace("<account>", "53888001");
            world.put_by_hand(&document, world.first_credential(), SUB, "AWSCURRENT");
        }),
        ("VENUE_UNSUPPORTED", |world| {
            let document = world.text_of_setup().replace("bybit", "nowhere");
            world.put_by_hand(&document, world.first_credential(), SUB, "AWSCURRENT");
        }),
        ("OFFER_REFUSED", |world| {
            world.put_by_hand("{}", world.first_credential(), SUB, "CANDIDATE");
        }),
    ];
    for (error_type, break_it) in breakages {
        let world = world();
        break_it(&world);
        world.advance(hours(1));
        blocked(&plan(&world), error_type);
        let failure = world.rotate().expect_err(error_type);
        assert_eq!(
            failure.error_type().map(protocol::ErrorType::as_str),
            Some(error_type)
        );
    }
}

#[test]
fn a_rotation_that_is_open_or_stuck_is_in_the_way() {
    let world = world();
    world.begin_rotation();
    blocked(&plan(&world), "in flight");
    world.advance(hours(1));
    let answer = plan(&world);
    blocked(&answer, "stuck");
    assert!(advises(&answer, "abandon"), "{answer:#?}");
}

#[test]
fn a_secret_that_is_not_attached_yet_is_planned_too() {
    let world = world();
    let value = world.filled_in(world.text_of_setup(), &world.key_by_hand(SUB), SUB);
    let secret = unrotated(&world, "prod/bybit/new", Some(value));
    let answer = plan_of(&world, &secret);
    assert!(would_succeed(&answer), "{answer:#?}");
    warned(&answer, "no function rotates this secret yet");
}

#[test]
fn a_master_that_cannot_issue_blocks_and_one_with_too_much_power_is_told() {
    let mut setup = Setup::default();
    setup.master_key.permissions = Permissions::of(&[SPOT]);
    blocked(&plan(&world_with(setup)), "cannot issue keys");
    let mut setup = Setup::default();
    setup.master_key.permissions = Permissions::of(&[("Wallet", &["SubMemberTransfer", "Withdraw"])]);
    setup.master_key.ips = Ips::Any;
    let world = world_with(setup);
    let answer = plan(&world);
    warned(&answer, "may withdraw");
    warned(&answer, "from anywhere");
    assert!(would_succeed(&answer), "{answer:#?}");
}

#[test]
fn addresses_slots_replicas_and_clocks_are_told() {
    let mut setup = Setup::default();
    setup.key.ips = Ips::only([FUNCTION_ADDRESS]);
    setup.egress.insert("203.0.113.99".parse().expect("an address"));
    let world = world_with(setup);
    fill_account(&world, 19);
    world.set_function_ahead(seconds(4));
    let answer = plan(&world);
    warned(&answer, "203.0.113.99");
    warned(&answer, "room for one more");
    warned(&answer, "clock");
    blocked(
        &answer,
        "master credential is not bound to this function's 203.0.113.99",
    );
}

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef";

/// A plan for a secret that this key encrypts, by a function whose role is granted that one.
fn plan_with_keys(encrypts: &str, granted: Option<&str>) -> Answer {
    let world = world_with(Setup {
        kms_key: granted.map(str::to_owned),
        ..Setup::default()
    });
    let secret_id = world.secret().as_str().to_owned();
    let change = UpdateSecret {
        secret_id,
        kms_key_id: Some(encrypts.to_owned()),
        ..UpdateSecret::default()
    };
    world
        .secrets_manager(|model, now| model.update_secret(&change, now))
        .expect("a key can be named");
    plan(&world)
}

#[test]
fn a_kms_key_that_nobody_granted_to_the_functions_is_told() {
    let id = KEY.rsplit('/').next().expect("an id");
    for (encrypts, granted) in [(KEY, None), (KEY, Some("arn:aws:kms:us-east-1:1:key/0"))] {
        let answer = plan_with_keys(encrypts, granted);
        warned(&answer, &format!("the KMS key {encrypts} encrypts the secret"));
        assert!(advises(&answer, "kms describe-key"), "{answer:#?}");
    }
    for (encrypts, granted) in [
        (KEY, Some(KEY)),
        (id, Some(KEY)),
        ("alias/aws/secretsmanager", None),
        ("", None),
    ] {
        let answer = plan_with_keys(encrypts, granted);
        assert!(!says(&answer, "KMS"), "{encrypts}: {answer:#?}");
    }
}

#[test]
fn a_kms_key_named_by_its_alias_is_no_warning_that_nobody_can_end() {
    let answer = plan_with_keys("alias/trading", Some(KEY));
    let untold = finding(&answer, Code::KmsKeyUntold);
    assert!(
        untold.r#do.contains("kms describe-key --key-id alias/trading"),
        "{untold:?}"
    );
    assert!(
        !answer
            .findings
            .iter()
            .any(|finding| finding.code == Code::Warning && finding.say.contains("KMS")),
        "{answer:#?}"
    );
}

#[test]
fn a_kms_key_that_cannot_be_used_is_in_the_way() {
    let world = world();
    world.set_kms_key_usable(false);
    blocked(&plan(&world), "KMS key cannot be used");
}

#[test]
fn an_answer_that_does_not_come_is_no_plan() {
    let world = world();
    world.plan(Operation::List, 1, Fault::Dropped);
    let answer = plan(&world);
    blocked(&answer, "VENUE_UNAVAILABLE");
    assert!(
        answer
            .findings
            .iter()
            .all(|finding| finding.severity != Severity::Page)
    );
}

#[test]
fn an_account_without_room_is_in_the_way_unless_a_lost_key_makes_some() {
    for lost in [false, true] {
        let world = world();
        if lost {
            let (_token, _) = unstored(&world);
            world.label("AWSPENDING", None);
            world.advance(hours(1));
        }
        fill_account(&world, 20);
        world.advance(hours(1));
        let answer = plan(&world);
        assert_eq!(would_succeed(&answer), lost, "{answer:#?}");
        assert_eq!(world.rotate().is_ok(), lost);
        if lost {
            warned(&answer, "room only where one is revoked first");
        } else {
            blocked(&answer, "no room for another");
        }
    }
}

#[test]
fn a_key_that_dies_before_it_is_rotated_is_told() {
    for (days, is_told) in [(90, true), (30, false)] {
        let document = Setup::default()
            .document
            .replace(r#"["203.0.113.7"]"#, r#""any""#);
        let world = world_of(&document);
        schedule(&world, days);
        bind(&world, world.first_key(), Ips::Any);
        let answer = plan(&world);
        let says = |what: &str| {
            answer
                .findings
                .iter()
                .any(|finding| finding.code == Code::Warning && finding.say.contains(what))
        };
        assert_eq!(says("the current key expires on"), is_told, "{days}: {answer:#?}");
        assert_eq!(
            says("a key without addresses lives 90 days"),
            is_told,
            "{days}: {answer:#?}"
        );
    }
    let mut setup = Setup::default();
    setup.master_key.ips = Ips::Any;
    warned(&plan(&world_with(setup)), "the master credential expires on");
}

#[test]
fn a_replica_that_is_behind_is_told() {
    let world = world();
    world.replicate(ReplicaStatus::InSync);
    assert!(!says(&plan(&world), "replica"));
    world.replicate(ReplicaStatus::Failed);
    warned(&plan(&world), "the replica in eu-west-1 (Failed) is not in sync");
}

#[test]
fn whether_the_keys_may_be_used_from_here_is_told_as_the_venue_says_it() {
    let world = world_with(Setup {
        egress: std::collections::BTreeSet::new(),
        ..Setup::default()
    });
    warned(&plan(&world), "EGRESS_IPS is empty");
    bind(&world, world.first_key(), Ips::only([BOT_ADDRESS]));
    let answer = plan(&world);
    warned(
        &answer,
        "the current key may not be used from this function's address",
    );
    assert!(would_succeed(&answer), "{answer:#?}");
    bind(&world, world.master_key(), Ips::only([BOT_ADDRESS]));
    blocked(&plan(&world), "MASTER_REFUSED");
}

#[test]
fn a_rotation_that_copies_is_planned_as_it_then_happens() {
    for (label, source) in [("CANDIDATE", "candidate"), ("ROLLBACK", "rollback")] {
        let world = rotated_twice();
        let offered = world.key_by_hand(SUB);
        world.put_key(&offered, label);
        let planned = plan(&world).secrets[0].plan.clone().expect("a plan");
        assert_eq!((planned.source, planned.would_succeed), (Some(source), true));
        world.take_calls();
        world.rotate().expect("a rotation");
        let made = world.take_operations().len();
        let told = planned
            .calls
            .iter()
            .flat_map(|line| line.split([',', ';']))
            .filter(|call| !call.contains("where one is"))
            .count();
        assert!(
            made.abs_diff(told) <= 2,
            "{label}: {made} {told} {:#?}",
            planned.calls
        );
    }
}
