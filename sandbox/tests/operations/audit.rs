//! An audit says what every key is, and changes nothing.

use jiff::Timestamp;
use protocol::name::SecretId;
use protocol::operations::{Code, Form, OperationRequest, RotationState, Row, Shard};
use sandbox::in_process::SUB;
use serde_json::Value;

use super::*;

/// An audit that looks for the key with this fingerprint.
pub(super) fn request(shown: &str) -> OperationRequest {
    OperationRequest::Audit {
        shard: Shard::ALL,
        secret: None,
        fingerprint: Some(shown.parse().expect("a fingerprint")),
        after: None,
        form: Form::Json,
    }
}

/// What an audit says, having changed nothing.
pub(super) fn audit(world: &World) -> Answer {
    world.take_calls();
    let answer = world.operate(in_process::audit(None, Form::Json));
    assert_eq!(world.take_writes(), [], "an audit reads only");
    answer
}

pub(super) fn row(answer: &Answer, name: &str) -> Row {
    answer
        .secrets
        .iter()
        .find(|row| row.secret == name)
        .cloned()
        .expect("a row for the secret")
}

pub(super) fn by_hand(world: &World, name: &str) -> SecretId {
    world.add_secret_of(name, &world.key_by_hand(SUB))
}

#[test]
fn a_row_says_all_there_is_to_say_of_a_secret_and_its_keys() {
    let world = rotated_twice();
    let answer = audit(&world);
    all_is_well(&answer);
    let row = serde_json::to_value(row(&answer, "prod/bybit/main")).expect("a row is JSON");
    assert_eq!(
        (row["venue"].as_str(), row["account"].as_str()),
        (Some("bybit mainnet"), Some("53888000"))
    );
    assert_eq!(
        (row["strategy"].as_str(), row["rotation"].as_str()),
        (Some("issued"), Some("idle"))
    );
    assert!(
        row["slots"]["used"].as_u64() > Some(1) && row["slots"]["left"].as_u64().is_some(),
        "{row:#}"
    );
    assert!(
        row["last_rotated"].is_string() && row["replicas"].as_array().is_some_and(Vec::is_empty),
        "{row:#}"
    );
    assert_eq!(
        (&row["foreign_keys"], &row["orphans"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    for (version, id) in [
        (&world.token, key_in(&world, &world.token)),
        (&world.replaced, world.replaced_key),
    ] {
        let of_version = |row: &&Value| row["version"] == version.as_str();
        let said = row["keys"]
            .as_array()
            .expect("its keys")
            .iter()
            .find(of_version)
            .expect("a row for the key");
        assert_eq!(
            said["fingerprint"].as_str(),
            Some(fingerprint(id.as_str()).as_str())
        );
        assert_eq!(
            (said["origin"].as_str(), said["alive"].as_bool()),
            (Some("issued"), Some(true)),
            "{said:#}"
        );
        assert_eq!(said["within_policy"].as_bool(), Some(true), "{said:#}");
        assert!(
            said["powers"]
                .as_array()
                .is_some_and(|powers| powers.iter().any(|power| power == "spot")),
            "{said:#}"
        );
        assert!(
            said["addresses"]
                .as_str()
                .is_some_and(|held| held.contains("203.0.113.7")),
            "{said:#}"
        );
        assert!(
            said["age_days"].is_i64() && said["checked_at"].is_string() && said["labels"].is_array(),
            "{said:#}"
        );
    }
}

#[test]
fn what_a_pass_finds_about_the_current_key_an_audit_finds_too() {
    let world = rotated_twice();
    world.delete_key(&key_in(&world, &world.token));
    world.advance(hours(1));
    assert!(found(&audit(&world), Code::CurrentDead));
    assert_eq!(
        world.labels(&world.token),
        ["AWSCURRENT"],
        "no suspicion is stamped"
    );
    let world = rotated_twice();
    world.maintain();
    new_current_by_hand(&world);
    assert!(found(&audit(&world), Code::CurrentOverwritten));
    let world = rotated_twice();
    world.delete_key(world.master_key());
    world.advance(hours(1));
    assert!(found(&audit(&world), Code::MasterUnusable));
}

#[test]
fn a_rotation_that_is_overdue_stuck_or_switched_off_is_found() {
    let world = rotated_twice();
    schedule(&world, 30);
    world.advance(hours(24 * 20));
    assert!(!found(&audit(&world), Code::Overdue));
    world.advance(hours(24 * 20));
    assert!(found(&audit(&world), Code::Overdue));

    let world = rotated_twice();
    world.begin_rotation();
    let answer = audit(&world);
    assert!(!found(&answer, Code::StuckPending));
    assert_eq!(
        row(&answer, "prod/bybit/main").audit.map(|audit| audit.rotation),
        Some(RotationState::InFlight)
    );
    world.advance(hours(1));
    let answer = audit(&world);
    assert!(found(&answer, Code::StuckPending));
    assert_eq!(
        row(&answer, "prod/bybit/main").audit.map(|audit| audit.rotation),
        Some(RotationState::Stuck)
    );

    let world = rotated_twice();
    world.switch_off();
    assert!(found(&audit(&world), Code::RotationOff));
}

#[test]
fn a_replaced_key_that_lives_and_may_move_funds_is_a_page() {
    let world = rotated();
    world.grant(&world.replaced_key, &[SPOT, TRANSFERS]);
    world.advance(hours(1));
    let answer = audit(&world);
    assert!(
        answer.findings[0].code == Code::CanMoveFunds && answer.findings[0].say.contains("of version"),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_expires_before_its_successor_is_proven_is_found() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.edit_key(&key, |settings| settings.ips = Ips::Any);
    world.advance(hours(1));
    let answer = audit(&world);
    assert!(
        found(&answer, Code::ExpiresBeforeRotation) && found(&answer, Code::Unbound),
        "{answer:#?}"
    );
    let key = row(&answer, "prod/bybit/main")
        .keys
        .into_iter()
        .find(|key| key.version == world.token.as_str());
    assert!(key.and_then(|key| key.audit?.expires_at) > Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn a_replaced_key_that_outlives_its_grace_is_found() {
    let world = rotated_twice();
    world.advance(hours(26));
    assert!(!found(&audit(&world), Code::GraceOverrun));
    world.advance(hours(3));
    assert!(found(&audit(&world), Code::GraceOverrun));
}

#[test]
fn a_secret_named_like_the_others_that_nothing_rotates_is_found() {
    let world = rotated_twice();
    for name in [
        "prod/bybit/forgotten",
        "prod/postgres/main",
        "notes",
        "trading-bot/bybit/credentials",
    ] {
        unrotated(&world, name, Some("{}".to_owned()));
    }
    let answer = audit(&world);
    let unrotated: Vec<&str> = answer
        .findings
        .iter()
        .map(|finding| finding.secret.as_str())
        .collect();
    assert_eq!(codes(&answer), [Code::Unrotated, Code::Unrotated]);
    assert_eq!(
        unrotated,
        ["prod/bybit/forgotten", "trading-bot/bybit/credentials"]
    );
}

#[test]
fn an_audit_of_one_secret_is_refused_where_there_is_none_to_look_at() {
    let world = rotated_twice();
    unrotated(&world, "prod/bybit/forgotten", None);
    for name in ["prod/bybit/forgotten", "prod/bybit/nobodys", world.master_arn()] {
        let secret = SecretId::parse(name).expect("a name");
        let answer = world.operate(in_process::audit(Some(&secret), Form::Json));
        ended(&answer, Outcome::Failed, &[Code::Refused]);
        assert!(!answer.findings[0].secret.is_empty(), "{answer:#?}");
    }
}

#[test]
fn a_secret_that_is_scheduled_for_deletion_has_its_row() {
    let world = rotated_twice();
    world.delete_secret(world.secret());
    let answer = audit(&world);
    assert_eq!(
        row(&answer, "prod/bybit/main").audit.map(|audit| audit.rotation),
        Some(RotationState::Deleted)
    );
    let told = finding(&answer, Code::SecretDeleted);
    assert!(told.r#do.contains("restore-secret"), "{answer:#?}");
}

#[test]
fn a_schedule_that_loses_the_race_against_a_keys_end_is_found() {
    // The venue ends an unbound key after 90 days. The window is a day, and the grace another.
    for (days, is_found) in [(90, true), (89, true), (88, false), (30, false)] {
        let world = rotated_twice();
        schedule(&world, days);
        bind(&world, &key_in(&world, &world.token), Ips::Any);
        assert_eq!(
            found(&audit(&world), Code::ExpiresBeforeRotation),
            is_found,
            "{days} days"
        );
    }
}

#[test]
fn a_row_says_when_the_next_rotation_is_and_how_the_replicas_are() {
    let world = rotated();
    schedule(&world, 30);
    world.replicate(ReplicaStatus::Failed);
    world.delete_key(&world.replaced_key);
    let pending = created(&world);
    world.advance(hours(1));
    let answer = audit(&world);
    assert!(found(&answer, Code::ReplicaBehind), "{answer:#?}");
    let row = row(&answer, "prod/bybit/main");
    let audited = row.audit.expect("an audit");
    assert!(audited.next_rotation > Some(world.now()) && audited.last_rotated.is_some());
    assert_eq!(
        audited
            .replicas
            .iter()
            .map(|replica| replica.in_sync)
            .collect::<Vec<_>>(),
        [false]
    );
    let of = |key: &KeyId| {
        let row = row
            .keys
            .iter()
            .find(|row| row.fingerprint == fingerprint(key.as_str()))
            .expect("its row");
        (row.alive, row.audit.as_ref().expect("what is known of it").origin)
    };
    assert_eq!(of(&world.replaced_key), (Some(false), "hand_made"));
    assert_eq!(of(&key_in(&world, &pending)), (Some(true), "issued"));
}
