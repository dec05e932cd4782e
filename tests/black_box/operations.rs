//! The operations, asked of the real binary.

use sandbox::fault::Fault;
use sandbox::function::{EMERGENCY_ARN, LAMBDA_ARN, OPERATIONS_ARN};
use sandbox::in_process::{SPOT, TRADES};
use sandbox::local::{MASTER_SECRET, SECRET, SUB_ACCOUNT};
use sandbox::secrets_manager::{Replica, ReplicaStatus, RotateSecret, RotationSeed, SecretValue, Seed};
use sandbox::venue::Ips;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::world::{Operators, STEPS, TOKEN, World, ask, codes, findings, maintain};

/// A world where a rotation has been done, and the functions for operations.
async fn rotated() -> (World, Operators) {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let operations = world.operators().await;
    (world, operations)
}

#[tokio::test]
async fn a_replaced_key_is_condemned_then_revoked_and_proven_dead() {
    let (world, operations) = rotated().await;
    let maintain = || maintain(&operations);
    let answer = maintain().await;
    assert_eq!(
        (&answer["operation"], &answer["outcome"]),
        (&json!("maintain"), &json!("ok")),
        "{answer}"
    );
    assert_eq!(world.live_keys().len(), 2);

    // The key was made by hand: a week.
    world.backdate("REPLACED", 24 * 7 + 1);
    assert_eq!(maintain().await["counts"]["condemned"], 1);
    assert_eq!(world.live_keys().len(), 2);
    world.backdate("CONDEMNED", 1);
    let answer = maintain().await;
    assert_eq!(
        (&answer["counts"]["revoked"], &answer["counts"]["retired"]),
        (&json!(1), &json!(1)),
        "{answer}"
    );
    assert_eq!(answer["secrets"][0]["keys"][1]["alive"], false, "{answer}");
    let current = world.current();
    let live = world.live_keys();
    assert_eq!(
        live.iter().map(|key| key.key.as_str()).collect::<Vec<_>>(),
        [current["api_key"].as_str().unwrap()]
    );
    assert_eq!(world.labels().len(), 1, "{:?}", world.labels());

    let audit = world.audit();
    let done: Vec<&str> = audit
        .iter()
        .filter(|line| line["step"] == "maintain")
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(done[..3], ["add_label", "revoke_key", "prove_dead"], "{audit:?}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_writes_nothing() {
    let (world, operations) = rotated().await;
    world.backdate("REPLACED", 24 * 7 + 1);
    let labels = world.labels();
    let answer = ask(&operations, json!({"operation": "maintain", "dry_run": true})).await;
    assert!(
        answer["secrets"][0]["did"][0]
            .as_str()
            .unwrap()
            .starts_with("condemn"),
        "{answer}"
    );
    assert_eq!(world.labels(), labels);
}

#[tokio::test]
async fn each_of_the_three_functions_refuses_the_others_events() {
    let (
        world,
        Operators {
            operations,
            emergency,
        },
    ) = rotated().await;
    let abandon = json!({"operation": "abandon", "secret": SECRET});
    let batch = json!({"Records": []});
    for (function, event, named) in [
        (
            &world.function,
            json!({"operation": "maintain"}),
            "ROTATION_FUNCTION_ARN",
        ),
        (&world.function, batch.clone(), "no Step"),
        (&operations, world.event("createSecret", TOKEN), "operations"),
        (&operations, batch.clone(), "without a message"),
        (&operations, abandon, "emergency function"),
        (&emergency, world.event("createSecret", TOKEN), "operations"),
        (
            &emergency,
            json!({"operation": "maintain"}),
            "operations function",
        ),
        (&emergency, batch, "names none"),
    ] {
        let failed = function.invoke(&event).await.unwrap_err();
        assert!(
            failed.error_type == "EVENT_INVALID" && failed.message.contains(named),
            "{event}: {failed}"
        );
    }
}

#[tokio::test]
async fn labels_moved_within_a_minute_are_taken_up_once_for_each_secret() {
    let (_world, Operators { operations, .. }) = rotated().await;
    let maintain = json!({"operation": "maintain", "secret": SECRET});
    let moved = json!({"eventSource": "aws:sqs", "body": maintain.to_string()});
    let answer = operations
        .invoke(&json!({"Records": [moved, moved, moved]}))
        .await
        .unwrap();
    assert_eq!(
        (&answer["operation"], &answer["counts"]["secrets"]),
        (&json!("maintain"), &json!(1)),
        "{answer}"
    );
}

#[tokio::test]
async fn a_command_names_the_function_that_performs_it() {
    let world = World::start().await;
    let operators = world.operators().await;
    let audit = ask(&operators, json!({"operation": "audit", "secret": SECRET})).await;
    let key = audit["secrets"][0]["keys"][0]["fingerprint"].clone();
    let search = json!({"operation": "audit", "match": {"fingerprint": key}});
    let unattached = json!({"operation": "abandon", "secret": MASTER_SECRET});
    for (event, operation, function) in [
        (search, "break_glass", EMERGENCY_ARN),
        (unattached, "audit", OPERATIONS_ARN),
    ] {
        let answer = ask(&operators, event).await;
        let findings = findings(&answer);
        let commands: Vec<&str> = findings
            .iter()
            .filter_map(|finding| finding["do"].as_str())
            .collect();
        let payload = format!(r#""operation":"{operation}""#);
        let command = commands
            .iter()
            .find(|command| command.contains(&payload))
            .copied()
            .unwrap_or_default();
        assert!(
            command.contains(&format!("--function-name {function} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_stuck_rotation_is_abandoned_and_the_next_one_begins_fresh() {
    let world = World::start().await;
    let operations = world.operators().await;
    world.open_rotation(TOKEN);
    world.succeed("createSecret").await;
    let answer = ask(&operations, json!({"operation": "abandon", "secret": SECRET})).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    assert_eq!(world.fail("testSecret").await.0, "VERSION_DOOMED");
    let answer = ask(
        &operations,
        json!({"operation": "abandon", "secret": world.local.arn(SECRET)}),
    )
    .await;
    assert_eq!(
        (&answer["outcome"], codes(&answer)),
        (&json!("failed"), vec!["REFUSED"]),
        "{answer}"
    );
}

#[tokio::test]
async fn a_rollback_begins_a_rotation_that_brings_the_key_before_back() {
    let (world, operations) = rotated().await;
    roll_back(&world, &operations).await;
}

#[tokio::test]
async fn a_rollback_leaves_a_dead_key_behind_with_no_policy_that_describes_it() {
    let (world, operations) = rotated().await;
    world.delete_current();
    roll_back(&world, &operations).await;
}

async fn roll_back(world: &World, operations: &Operators) {
    let before = world.local.value(SECRET, "AWSPREVIOUS").unwrap();
    let answer = ask(operations, json!({"operation": "rollback", "secret": SECRET})).await;
    assert_eq!(answer["outcome"], "ok", "{answer}");
    let token = world.open_version().unwrap();
    world.complete(&token).await;
    assert_eq!(world.current()["api_key"], before["api_key"]);
    assert_eq!(world.current()["rotation"]["source"], "rollback");
}

#[tokio::test]
async fn a_replica_that_failed_is_told_with_its_region_and_its_message() {
    let (world, operations) = rotated().await;
    let replica = Replica {
        region: "eu-west-1".into(),
        status: ReplicaStatus::Failed,
        status_message: Some("Replication failed: Secret name simple conflict.".into()),
    };
    world
        .secrets_manager(|model, _| model.set_replicas(SECRET, vec![replica]))
        .unwrap();
    for operation in ["audit", "plan"] {
        let answer = ask(&operations, json!({"operation": operation, "secret": SECRET})).await;
        let said = "eu-west-1 (Failed: Replication failed: Secret name simple conflict.)";
        assert!(
            findings(&answer)
                .iter()
                .any(|finding| finding["say"].as_str().unwrap().contains(said)),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_secret_of_another_account_is_rotated_and_its_limits_are_told() {
    let world = World::start().await;
    let operations = world.operators().await;
    let ips = Ips::only(["127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()]);
    let by_hand = world.key_by_hand("theirs", ips, &[TRADES, SPOT]);
    let mut value = world.current();
    (value["api_key"], value["api_secret"]) = (by_hand.key.as_str().into(), by_hand.secret.expose().into());
    let seed = Seed {
        name: "prod/bybit/theirs".into(),
        value: Some(SecretValue::from_text(value.to_string())),
        rotation: Some(RotationSeed {
            lambda_arn: Some(LAMBDA_ARN.into()),
            rules: None,
        }),
        owner: Some("210987654321".into()),
        ..Seed::default()
    };
    let arn = world.secrets_manager(|model, now| model.seed(seed, now)).unwrap();
    let request = RotateSecret {
        secret_id: arn.clone(),
        client_request_token: Some(TOKEN.into()),
        ..RotateSecret::default()
    };
    world
        .secrets_manager(|model, now| model.rotate_secret(&request, now))
        .unwrap();
    for step in STEPS {
        let event = json!({"Step": step, "SecretId": arn, "ClientRequestToken": TOKEN});
        world
            .function
            .invoke(&event)
            .await
            .unwrap_or_else(|failed| panic!("{failed}"));
    }
    let answer = ask(&operations, json!({"operation": "audit", "secret": arn})).await;
    let said = findings(&answer)
        .iter()
        .find(|finding| finding["code"] == "HOLDER_UNREADABLE")
        .unwrap_or_else(|| panic!("{answer}"));
    assert!(
        said["say"].as_str().unwrap().contains("of another AWS account"),
        "{answer}"
    );
    assert!(said["do"].as_str().unwrap().contains(&arn), "{answer}");
}

#[tokio::test]
async fn the_files_that_ask_for_operations_are_understood() {
    let (_world, operations) = rotated().await;
    for file in ["maintain", "maintain_dry_run", "abandon", "rollback"] {
        let path = format!("{}/events/{file}.json", env!("CARGO_MANIFEST_DIR"));
        let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let answer = ask(&operations, event.clone()).await;
        assert_eq!(answer["operation"], event["operation"], "{answer}");
    }
}

#[tokio::test]
async fn a_fleet_that_cannot_be_listed_is_told() {
    let (world, operations) = rotated().await;
    for _ in 0..20 {
        world.plan("ListSecrets", Fault::ServerError);
    }
    let answer = maintain(&operations).await;
    assert_eq!(
        (&answer["outcome"], codes(&answer)),
        (&json!("failed"), vec!["NOT_DONE"]),
        "{answer}"
    );
}

#[tokio::test]
async fn every_event_file_of_an_operation_is_answered() {
    let (_world, operations) = rotated().await;
    let mut names = Vec::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/events")).unwrap() {
        let file = file.unwrap().path();
        let event: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        // What begins a rotation waits for Secrets Manager to do it: the story has those.
        if event["operation"].is_string()
            && event["operation"] != "break_glass"
            && event["operation"] != "rollback"
        {
            let answer = ask(&operations, event.clone()).await;
            assert_eq!(answer["operation"], event["operation"], "{answer}");
            names.push(file.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "abandon",
            "audit",
            "audit_csv",
            "audit_findings",
            "audit_match",
            "maintain",
            "maintain_dry_run",
            "maintain_secret",
            "maintain_shard",
            "plan"
        ]
    );
}

#[tokio::test]
async fn an_operations_end_and_each_finding_are_lines_that_an_alarm_can_match() {
    let (world, operations) = rotated().await;
    world.delete_current();
    let answer = ask(&operations, json!({"operation": "audit", "shard": "1/1"})).await;
    assert_eq!(answer["outcome"], "attention", "{answer}");
    let lines = operations.lines();
    let found = lines.iter().find(|line| line["type"] == "finding").unwrap();
    assert_eq!(
        (&found["operation"], &found["secret"]),
        (&json!("audit"), &json!("prod/bybit/***")),
        "{found}"
    );
    // `printf %s ARN | sha256sum`
    let digest = Sha256::digest(world.local.arn(SECRET).as_bytes());
    let digest = digest
        .iter()
        .take(6)
        .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let digest = format!("{digest:012x}");
    let first = world
        .audit()
        .into_iter()
        .find(|line| line["action"] == "issue_key")
        .unwrap();
    let of_it = |finding: &&Value| finding["arn_digest"] == digest.as_str();
    let told = findings(&answer).iter().find(of_it).unwrap();
    assert_eq!(told["secret"], SECRET);
    for line in [
        lines
            .iter()
            .find(|line| line["type"] == "finding" && of_it(line))
            .unwrap(),
        &first,
        told,
    ] {
        assert_eq!(
            (&line["arn_digest"], &line["account"]),
            (&json!(digest), &json!(SUB_ACCOUNT.to_string())),
            "{line}"
        );
    }
    assert!(
        found["severity"].is_string() && found["code"].is_string() && found["timestamp"].is_string(),
        "{found}"
    );
    let ended = lines.iter().find(|line| line["type"] == "operation").unwrap();
    assert_eq!(
        (&ended["operation"], &ended["outcome"], &ended["shard"]),
        (&json!("audit"), &json!("attention"), &json!("1/1"))
    );
    assert_eq!(ended["dry_run"], false);
}

#[tokio::test]
async fn an_order_to_revoke_first_ends_the_key_and_waits_for_its_successor() {
    let (world, operations) = rotated().await;
    let leaked = world.current_key();
    let order = include_str!("../../events/break_glass_revoke_first.json");
    let order: Value = serde_json::from_str(order).unwrap();
    let rotating = async {
        // As Secrets Manager does it once it was asked to.
        let token = loop {
            match world.open_version() {
                Some(token) => break token,
                None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        assert!(
            !world.live_keys().iter().any(|key| key.key.as_str() == leaked),
            "it died before its successor was there"
        );
        world.complete(&token).await;
    };
    let (answer, ()) = tokio::join!(ask(&operations, order), rotating);
    assert_eq!(
        (&answer["outcome"], codes(&answer)),
        (&json!("ok"), vec![]),
        "{answer}"
    );
    assert!(
        answer["exposure_seconds"]
            .as_u64()
            .is_some_and(|seconds| seconds < 60),
        "{answer}"
    );
    let told: Vec<&str> = answer["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|moment| moment["what"].as_str())
        .collect();
    assert!(
        told.last()
            .is_some_and(|last| last.contains("a successor is current") || last.contains("proven dead")),
        "{told:?}"
    );
    assert_ne!(world.current()["api_key"], leaked);
    // Of a leaked master there is no effect that could bear it.
    let master = json!({
        "operation": "break_glass", "secret": "masters/bybit/parent",
        "reason": "in a log", "incident": "INC-9",
    });
    let answer = ask(&operations, master).await;
    let lines = operations.lines();
    for (kind, incident) in [
        ("audit", "INC-8"),
        ("operation", "INC-8"),
        ("finding", "INC-9"),
        ("operation", "INC-9"),
    ] {
        assert!(
            lines
                .iter()
                .any(|line| line["type"] == kind && line["incident"] == incident),
            "{kind}: {answer}"
        );
    }
}
