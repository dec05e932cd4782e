//! An audit says what every key is, and changes nothing.

use jiff::Timestamp;
use protocol::name::SecretId;
use protocol::operations::{Code, Form, OperationRequest, RotationState, Row, Shard};
use sandbox::in_process::{Fault, Operation, SUB};
use sandbox::secrets_manager::{CancelRotateSecret, DeleteSecret, SecretValue, Seed};
use serde_json::Value;

use super::*;

pub(super) fn request(fingerprint: Option<&str>, form: Form) -> OperationRequest {
    let fingerprint = fingerprint.map(|text| text.parse().expect("a fingerprint"));
    OperationRequest::Audit {
        shard: Shard::ALL,
        secret: None,
        fingerprint,
        after: None,
        form,
    }
}

/// What an audit says, having changed nothing.
pub(super) fn audit(world: &World) -> Answer {
    world.take_calls();
    let answer = world.operate(request(None, Form::Json));
    let changes: Vec<Operation> = world
        .take_operations()
        .into_iter()
        .filter(|operation| operation.writes())
        .collect();
    assert_eq!(changes, [], "an audit reads only");
    answer
}

fn found(answer: &Answer, code: Code) -> bool {
    codes(answer).contains(&code)
}

fn row(answer: &Answer, name: &str) -> Row {
    answer
        .secrets
        .iter()
        .find(|row| row.secret == name)
        .cloned()
        .expect("a row for the secret")
}

fn fingerprint(key: &KeyId) -> String {
    protocol::secret::KeyId::parse(key.as_str())
        .expect("a key id")
        .fingerprint()
}

fn by_hand(world: &World, name: &str) -> SecretId {
    world.add_secret(name, world.text_of_setup(), &key_by_hand(world, SUB), SUB)
}

#[test]
fn a_row_says_all_there_is_to_say_of_a_secret_and_its_keys() {
    let (world, token, key, previous) = rotated_twice();
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
    for (version, id) in [(&token, key_in(&world, &token)), (&previous, key)] {
        let of_version = |row: &&Value| row["version"] == version.as_str();
        let said = row["keys"]
            .as_array()
            .expect("its keys")
            .iter()
            .find(of_version)
            .expect("a row for the key");
        assert_eq!(said["fingerprint"].as_str(), Some(fingerprint(&id).as_str()));
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
    let (world, token, _, _) = rotated_twice();
    delete(&world, &key_in(&world, &token));
    hour(&world);
    assert!(found(&audit(&world), Code::CurrentDead));
    assert_eq!(world.labels(&token), ["AWSCURRENT"], "no suspicion is stamped");
    let (world, _, _, _) = rotated_twice();
    world.maintain();
    world.put_by_hand(
        world.text_of_setup(),
        &key_by_hand(&world, SUB),
        SUB,
        "AWSCURRENT",
    );
    assert!(found(&audit(&world), Code::CurrentOverwritten));
    let (world, _, _, _) = rotated_twice();
    world
        .bybit(|model, now| model.delete_key_by_hand(world.master_key(), now))
        .expect("it is there");
    hour(&world);
    assert!(found(&audit(&world), Code::MasterUnusable));
}

#[test]
fn a_rotation_that_is_overdue_stuck_or_switched_off_is_found() {
    let (world, _, _, _) = rotated_twice();
    schedule(&world, 30);
    hours(&world, 24 * 20);
    assert!(!found(&audit(&world), Code::Overdue));
    hours(&world, 24 * 20);
    assert!(found(&audit(&world), Code::Overdue));

    let (world, _, _, _) = rotated_twice();
    world.begin_rotation();
    let answer = audit(&world);
    assert!(!found(&answer, Code::StuckPending));
    assert_eq!(
        row(&answer, "prod/bybit/main").audit.map(|audit| audit.rotation),
        Some(RotationState::InFlight)
    );
    hour(&world);
    let answer = audit(&world);
    assert!(found(&answer, Code::StuckPending));
    assert_eq!(
        row(&answer, "prod/bybit/main").audit.map(|audit| audit.rotation),
        Some(RotationState::Stuck)
    );

    let (world, _, _, _) = rotated_twice();
    let off = CancelRotateSecret {
        secret_id: world.secret().as_str().to_owned(),
    };
    world
        .secrets_manager(|model, now| model.cancel_rotate_secret(&off, now))
        .expect("it is switched off");
    assert!(found(&audit(&world), Code::RotationOff));
}

#[test]
fn keys_on_the_account_that_nobody_names_are_told_apart() {
    let (world, _, _, _) = rotated_twice();
    let foreign = key_by_hand(&world, SUB);
    let others = by_hand(&world, "prod/bybit/other");
    let token = world.begin_rotation();
    world.plan(Operation::Put, 1, Fault::CrashBefore);
    assert!(world.run(protocol::rotation::Step::Create, &token).is_err());
    let lost = world.live_keys_for(&token).remove(0);
    world.label("AWSPENDING", None);
    hour(&world);
    let answer = audit(&world);
    let audited = row(&answer, "prod/bybit/main").audit.expect("an audit");
    let shown = |keys: Option<Vec<protocol::operations::KeyOnAccount>>| -> Vec<String> {
        keys.expect("they are known")
            .into_iter()
            .map(|key| key.fingerprint)
            .collect()
    };
    assert_eq!(shown(audited.foreign_keys), [fingerprint(&foreign.key)]);
    assert_eq!(shown(audited.orphans), [fingerprint(&lost)]);
    assert!(
        found(&answer, Code::ForeignKeys) && found(&answer, Code::Orphans),
        "{answer:#?}"
    );
    assert!(
        !answer
            .findings
            .iter()
            .any(|finding| finding.say.contains("no rotated key may")),
        "{answer:#?}"
    );
    let settings = Settings {
        note: "who knows".to_owned(),
        read_only: false,
        ips: Ips::only([BOT_ADDRESS]),
        permissions: Permissions::of(&[("Wallet", &["AccountTransfer"])]),
    };
    let mighty = world
        .bybit(|model, now| model.create_key_by_hand(SUB, settings, now))
        .expect("the account is there");
    let answer = audit(&world);
    let mighty_ones = answer
        .findings
        .iter()
        .find(|finding| finding.code == Code::CanMoveFunds)
        .expect("it is told");
    assert!(
        mighty_ones.say.ends_with(&fingerprint(&mighty.key)),
        "{answer:#?}"
    );
    assert!(row(&answer, others.name().as_str()).audit.is_some());
}

#[test]
fn a_replaced_key_that_lives_and_may_move_funds_is_a_page() {
    let (world, _, key, _) = rotated();
    let mut settings = world
        .bybit(|model, _| model.key(&key))
        .expect("the key is there")
        .settings;
    settings.permissions = Permissions::of(&[("Spot", &["SpotTrade"]), ("Wallet", &["AccountTransfer"])]);
    world
        .bybit(|model, now| model.edit_key_by_hand(&key, settings, now))
        .expect("it is edited");
    hour(&world);
    let answer = audit(&world);
    assert!(
        answer.findings[0].code == Code::CanMoveFunds && answer.findings[0].say.contains("of version"),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_two_secrets_name_is_found() {
    let world = world();
    world.add_secret(
        "prod/bybit/other",
        world.text_of_setup(),
        world.first_credential(),
        SUB,
    );
    let answer = audit(&world);
    let shared: Vec<&str> = answer
        .findings
        .iter()
        .filter(|finding| finding.code == Code::SharedKey)
        .map(|finding| finding.secret.as_str())
        .collect();
    assert_eq!(shared, ["prod/bybit/main", "prod/bybit/other"]);
}

#[test]
fn a_key_that_expires_before_its_successor_is_proven_is_found() {
    let (world, token, _, _) = rotated_twice();
    let key = key_in(&world, &token);
    let mut settings = world
        .bybit(|model, _| model.key(&key))
        .expect("the key is there")
        .settings;
    settings.ips = Ips::Any;
    world
        .bybit(|model, now| model.edit_key_by_hand(&key, settings, now))
        .expect("it is edited");
    hour(&world);
    let answer = audit(&world);
    assert!(
        found(&answer, Code::ExpiresBeforeRotation) && found(&answer, Code::Unbound),
        "{answer:#?}"
    );
    let key = row(&answer, "prod/bybit/main")
        .keys
        .into_iter()
        .find(|key| key.version == token.as_str());
    assert!(key.and_then(|key| key.audit?.expires_at) > Some(Timestamp::UNIX_EPOCH));
}

#[test]
fn a_replaced_key_that_outlives_its_grace_is_found() {
    let (world, _, _, _) = rotated_twice();
    hours(&world, 26);
    assert!(!found(&audit(&world), Code::GraceOverrun));
    hours(&world, 3);
    assert!(found(&audit(&world), Code::GraceOverrun));
}

#[test]
fn an_account_with_hardly_any_room_is_found() {
    let (world, _, _, _) = rotated_twice();
    while world.live_keys().len() < 19 {
        key_by_hand(&world, SUB);
    }
    assert!(found(&audit(&world), Code::SlotsLow));
}

#[test]
fn a_secret_named_like_the_others_that_nothing_rotates_is_found() {
    let (world, _, _, _) = rotated_twice();
    let forgotten = |name: &str| Seed {
        name: name.to_owned(),
        value: Some(SecretValue::from_text("{}".to_owned())),
        ..Seed::default()
    };
    for name in [
        "prod/bybit/forgotten",
        "prod/postgres/main",
        "notes",
        "trading-bot/bybit/credentials",
    ] {
        world
            .secrets_manager(|model, now| model.seed(forgotten(name), now))
            .expect("the name is free");
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
fn a_master_that_lists_keys_and_cannot_issue_any_is_found_once() {
    let (world, _, _, _) = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let mut settings = world
        .bybit(|model, _| model.key(world.master_key()))
        .expect("the key is there")
        .settings;
    settings.permissions = Permissions::of(&[("Spot", &["SpotTrade"])]);
    world
        .bybit(|model, now| model.edit_key_by_hand(world.master_key(), settings, now))
        .expect("it is edited");
    hour(&world);
    let answer = audit(&world);
    assert_eq!(
        codes(&answer)
            .iter()
            .filter(|code| **code == Code::MasterUnusable)
            .count(),
        1,
        "{answer:#?}"
    );
}

#[test]
fn a_master_that_cannot_be_read_is_unusable() {
    let (world, _, _, _) = rotated_twice();
    let request = DeleteSecret {
        secret_id: world.master_arn().to_owned(),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .expect("it is deleted");
    assert!(found(&audit(&world), Code::MasterUnusable));
    assert!(found(&world.maintain(), Code::MasterUnusable));
}

#[test]
fn an_audit_of_one_secret_is_refused_where_there_is_none_to_look_at() {
    let (world, _, _, _) = rotated_twice();
    let unattached = Seed {
        name: "prod/bybit/forgotten".to_owned(),
        ..Seed::default()
    };
    world
        .secrets_manager(|model, now| model.seed(unattached, now))
        .expect("the name is free");
    for name in ["prod/bybit/forgotten", "prod/bybit/nobodys", world.master_arn()] {
        let secret = Some(SecretId::parse(name).expect("a name"));
        let answer = world.operate(OperationRequest::Audit {
            shard: Shard::ALL,
            secret,
            fingerprint: None,
            after: None,
            form: Form::Json,
        });
        assert_eq!(
            (answer.outcome, codes(&answer)),
            (Outcome::Failed, vec![Code::Refused]),
            "{answer:#?}"
        );
        assert!(!answer.findings[0].secret.is_empty(), "{answer:#?}");
    }
}

#[test]
fn a_place_that_the_list_does_not_have_any_more_is_not_asked_for_again() {
    let (world, _, _, _) = rotated_twice();
    let after = Some("no-such-place".to_owned());
    let answer = world.operate(OperationRequest::Audit {
        shard: Shard::ALL,
        secret: None,
        fingerprint: None,
        after,
        form: Form::Json,
    });
    assert_eq!(answer.outcome, Outcome::Failed, "{answer:#?}");
    assert!(answer.findings[0].r#do.contains("without `after`"), "{answer:#?}");
}

#[test]
fn a_key_is_nowhere_only_where_everything_could_be_read() {
    let (world, _, _, _) = rotated_twice();
    let other = by_hand(&world, "prod/bybit/other");
    let request = DeleteSecret {
        secret_id: other.as_str().to_owned(),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .expect("it is deleted");
    let answer = world.operate(self::request(Some("fp:000000000000"), Form::Json));
    assert_eq!(codes(&answer), [Code::NotDone], "{answer:#?}");
    assert_eq!(answer.secrets[0].secret, "prod/bybit/other");
}

#[test]
fn the_secret_of_a_leaked_key_is_found_by_its_fingerprint() {
    let (world, _, key, version) = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let answer = world.operate(request(Some(&fingerprint(&key)), Form::Json));
    assert_eq!(codes(&answer), [Code::KeyFound], "{answer:#?}");
    let told = &answer.findings[0];
    assert_eq!(told.secret, "prod/bybit/main");
    assert!(
        told.say.contains(version.as_str()) && told.r#do.contains("break_glass"),
        "{told:#?}"
    );
    assert_eq!(answer.secrets.len(), 1);
}

#[test]
fn the_answer_to_the_question_comes_before_whatever_else_is_found() {
    let world = world();
    let token = world.rotate().expect("a rotation");
    let answer = world.operate(request(Some(&fingerprint(&key_in(&world, &token))), Form::Json));
    assert!(
        codes(&answer).contains(&Code::AdoptionGrace),
        "the key before was made by hand: {answer:#?}"
    );
    assert_eq!(answer.findings[0].code, Code::KeyFound, "{answer:#?}");
}

#[test]
fn a_leaked_master_is_found_by_its_fingerprint_once() {
    let (world, _, _, _) = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let answer = world.operate(request(Some(&fingerprint(world.master_key())), Form::Json));
    assert_eq!(codes(&answer), [Code::KeyFound], "{answer:#?}");
    assert!(
        answer.findings[0].r#do.contains("masters/bybit/parent"),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_no_version_names_is_said_to_be_nowhere() {
    let world = world();
    assert_eq!(
        codes(&world.operate(request(Some("fp:000000000000"), Form::Json))),
        [Code::KeyNotFound]
    );
    let OperationRequest::Audit {
        shard,
        fingerprint,
        after,
        form,
        ..
    } = request(Some("fp:000000000000"), Form::Json)
    else {
        panic!("an audit");
    };
    let secret = Some(world.secret().clone());
    assert_eq!(
        codes(&world.operate(OperationRequest::Audit {
            shard,
            secret,
            fingerprint,
            after,
            form
        })),
        [Code::KeyNotFound]
    );
}

#[test]
fn a_table_has_a_line_for_every_secret() {
    let (world, token, _, _) = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let answer = world.operate(request(None, Form::Csv));
    let table = answer.csv.expect("a table");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    let head: Vec<&str> = lines[0].split(',').collect();
    let at = head
        .iter()
        .position(|column| *column == "current_version")
        .expect("a column");
    assert!(
        lines
            .iter()
            .any(|line| line.split(',').nth(at) == Some(token.as_str())),
        "{table}"
    );
    assert!(answer.secrets.is_empty(), "said once");
}

#[test]
fn a_fleet_that_one_answer_cannot_hold_is_told_in_several_without_a_gap() {
    let mut world = desks(130);
    // Before the second page the list has to be asked for again, and then the time for a beginning is up.
    world.0.timeout = SignedDuration::from_millis(20_100);
    world.plan(Operation::Secrets, 4, Fault::Throttled);
    let (mut seen, mut after, mut answers) = (std::collections::BTreeSet::new(), None, 0);
    loop {
        let request = OperationRequest::Audit {
            shard: Shard::ALL,
            secret: None,
            fingerprint: None,
            after,
            form: Form::Json,
        };
        let answer = world.operate(request);
        answers += 1;
        for row in &answer.secrets {
            assert!(seen.insert(row.secret.clone()), "{} is told twice", row.secret);
        }
        let Some(next) = answer.next.clone() else { break };
        assert!(
            found(&answer, Code::More) && answer.findings.iter().any(|finding| finding.r#do.contains(&next))
        );
        after = Some(next);
    }
    assert_eq!((seen.len(), answers), (131, 2));
}

/// What `rotated_twice` leaves, and so many secrets more.
fn desks(number: usize) -> Watched {
    let (world, _, _, _) = rotated_twice();
    let key = key_by_hand(&world, SUB);
    for number in 0..number {
        world.add_secret(
            &format!("prod/bybit/desk-{number:04}"),
            world.text_of_setup(),
            &key,
            SUB,
        );
    }
    world
}

#[test]
fn an_audit_for_findings_alone_has_room_for_a_whole_fleet() {
    let world = desks(3);
    world.add_secret(
        "prod/bybit/weak",
        world.text_of_setup(),
        &key_by_hand(&world, SUB),
        SUB,
    );
    let rows = audit(&world);
    let answer = world.operate(request(None, Form::Findings));
    assert_eq!((answer.secrets.len(), answer.next.clone()), (0, None));
    assert_eq!(
        (&answer.counts, &answer.findings),
        (&rows.counts, &rows.findings),
        "nothing else is missing"
    );
}

#[test]
fn the_answers_of_one_audit_read_once_which_keys_are_held() {
    let world = desks(3);
    let calls = |after: Option<&str>| {
        world.take_calls();
        let after = after.map(str::to_owned);
        let answer = world.operate(OperationRequest::Audit {
            shard: Shard::ALL,
            secret: None,
            fingerprint: None,
            after,
            form: Form::Json,
        });
        assert_eq!(answer.secrets.len(), 4, "{answer:#?}");
        world
            .take_operations()
            .into_iter()
            .filter(|operation| *operation == Operation::Describe)
            .count()
    };
    let first = calls(None);
    let next = calls(Some(""));
    assert_eq!((first, next), (8, 4));
    assert_eq!(calls(None), 8, "an audit that begins anew reads it anew");
    world.advance(SignedDuration::from_mins(15));
    assert_eq!(calls(Some("")), 8, "it is too old");
}

#[test]
fn a_secret_that_is_scheduled_for_deletion_has_its_row() {
    let (world, _, _, _) = rotated_twice();
    let request = DeleteSecret {
        secret_id: world.secret().as_str().to_owned(),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .expect("it is deleted");
    let answer = audit(&world);
    assert_eq!(
        row(&answer, "prod/bybit/main").audit.map(|audit| audit.rotation),
        Some(RotationState::Deleted)
    );
    let told = answer
        .findings
        .iter()
        .find(|finding| finding.code == Code::SecretDeleted);
    assert!(
        told.is_some_and(|told| told.r#do.contains("restore-secret")),
        "{answer:#?}"
    );
}

#[test]
fn a_master_that_cannot_be_read_may_be_the_one_that_is_looked_for() {
    let (world, _, _, _) = rotated_twice();
    let request = DeleteSecret {
        secret_id: world.master_arn().to_owned(),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .expect("it is deleted");
    let answer = world.operate(self::request(Some(&fingerprint(world.master_key())), Form::Json));
    assert!(
        !found(&answer, Code::KeyNotFound) && answer.counts["unread"] > 0,
        "{answer:#?}"
    );
}

#[test]
fn a_schedule_that_loses_the_race_against_a_keys_end_is_found() {
    // The venue ends an unbound key after 90 days. The window is a day, and the grace another.
    for (days, is_found) in [(90, true), (89, true), (88, false), (30, false)] {
        let (world, token, _, _) = rotated_twice();
        schedule(&world, days);
        bind(&world, &key_in(&world, &token), Ips::Any);
        assert_eq!(
            found(&audit(&world), Code::ExpiresBeforeRotation),
            is_found,
            "{days} days"
        );
    }
}

#[test]
fn a_row_says_when_the_next_rotation_is_and_how_the_replicas_are() {
    let (world, _, key, _) = rotated();
    schedule(&world, 30);
    replicate(&world, ReplicaStatus::Failed);
    delete(&world, &key);
    let pending = world.begin_rotation();
    world
        .run(protocol::rotation::Step::Create, &pending)
        .expect("a key");
    hour(&world);
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
            .find(|row| row.fingerprint == fingerprint(key))
            .expect("its row");
        (row.alive, row.audit.as_ref().expect("what is known of it").origin)
    };
    assert_eq!(of(&key), (Some(false), "hand_made"));
    assert_eq!(of(&key_in(&world, &pending)), (Some(true), "issued"));
}
