//! A whole rotation, and what it leaves.

use std::collections::BTreeSet;

use sandbox::local::{EVENTS_SECRET, EVENTS_TOKEN, SECRET};
use sandbox::secrets_manager::{Invocation, RotateSecret, TokenCheck};
use sandbox::venue::{Permissions, Settings};
use serde_json::{Value, json};

use crate::world::{STEPS, TOKEN, World};

#[tokio::test]
async fn a_rotation_issues_proves_and_promotes_a_key_and_leaves_the_old_alive() {
    let world = World::start().await;
    let before = world.current();
    world.open_rotation(TOKEN);
    assert_eq!(world.rotate().await, ["issued", "agreed", "proven", "promoted"]);

    let after = world.current();
    let keys = world.live_keys();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0].key.as_str(), before["api_key"]);
    assert_eq!(keys[1].key.as_str(), after["api_key"]);
    assert_ne!(before["api_secret"], after["api_secret"]);
    let note = &keys[1].settings.note;
    assert!(note.len() == 16 && note.starts_with("x1"), "{note}");
    assert_eq!(after["created_by"], "exchange-key-rotation");
    let rotation = &after["rotation"];
    assert_eq!(rotation["token"], TOKEN);
    assert_eq!(rotation["source"], "issued");
    assert_eq!(rotation["account"], "53888000");
    assert_eq!(rotation["permissions"], json!(["derivatives", "read", "spot"]));
    assert_eq!(rotation["ip_allowlist"], json!(["127.0.0.1", "203.0.113.7"]));

    let labels = world.labels();
    let replaced: BTreeSet<&str> = labels
        .iter()
        .find(|(id, _)| id != TOKEN)
        .unwrap()
        .1
        .iter()
        .map(String::as_str)
        .collect();
    let stamp = replaced
        .iter()
        .find(|label| label.starts_with("REPLACED-"))
        .unwrap();
    assert_eq!(stamp.len(), "REPLACED-20260101T000000Z-12345678".len());
    assert!(replaced.contains("AWSPREVIOUS"));
}

#[tokio::test]
async fn a_plain_rotation_calls_secrets_manager_sixteen_times_and_bybit_six() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.calls();
    let mut calls = Vec::new();
    for step in STEPS {
        world.succeed(step).await;
        calls.push(world.calls());
    }
    assert_eq!(calls, [(6, 3), (4, 1), (2, 1), (4, 1)]);
}

#[tokio::test]
async fn consumers_notice_nothing_but_new_values() {
    let world = World::start().await;
    let text = |world: &World| {
        let state = world.local.secrets_manager.lock();
        let secret = state.model.secret(SECRET).unwrap();
        secret.versions()[secret.holder("AWSCURRENT").unwrap()]
            .value()
            .unwrap()
            .text()
            .unwrap()
            .to_owned()
    };
    let before = world.current();
    let odd = format!(
        concat!(
            r#"{{"zeta":1.50,"secret":{},"api_key":{},"exchange":"bybit","environment":"mainnet","#,
            r#""subaccount":53888000,"masterarn":{},"big":12345678901234567890123,"#,
            r#""alpha":{{"b": 1,"a":[2 ,3]}}}}"#
        ),
        before["api_secret"], before["api_key"], before["masterarn"]
    );
    world.overwrite(&odd);
    world.open_rotation(TOKEN);
    world.rotate().await;
    let after = text(&world);
    let value = world.current();
    let expected = odd
        .replace(&before["api_secret"].to_string(), &value["secret"].to_string())
        .replace(&before["api_key"].to_string(), &value["api_key"].to_string());
    let (kept, ours) = after.split_at(expected.len() - 1);
    assert_eq!(kept, &expected[..expected.len() - 1]);
    assert!(
        ours.starts_with(r#","created_at":""#)
            && ours.contains(r#","created_by":"exchange-key-rotation","rotation":{"#),
        "{ours}"
    );
}

/// What Secrets Manager would invoke the function with now.
fn due(world: &World) -> Invocation {
    world.secrets_manager(|model, now| {
        std::iter::from_fn(|| model.due_invocation(now))
            .find(|due| due.secret_arn.contains(SECRET))
            .unwrap()
    })
}

#[tokio::test]
async fn the_rotation_token_goes_to_put_secret_value() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let event = due(&world).event();
    world.function.invoke(&event).await.unwrap();
    let state = world.local.secrets_manager.lock();
    let version = &state.model.secret(SECRET).unwrap().versions()[TOKEN];
    assert_eq!(version.rotation_token(), Some(TokenCheck::Matched));
}

#[tokio::test]
async fn every_effect_has_one_audit_line_with_the_documented_fields() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let audit = world.audit();
    let actions: Vec<&str> = audit
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["issue_key", "put_value", "move_current", "add_label"]);
    for line in &audit {
        let fields: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let documented = [
            "timestamp",
            "level",
            "type",
            "time",
            "actor",
            "request_id",
            "step",
            "action",
            "secret",
            "arn_digest",
            "account",
            "version",
            "key",
            "marker",
            "label",
            "outcome",
            "class",
        ];
        assert_eq!(fields, BTreeSet::from(documented), "{line}");
        assert_eq!(
            (&line["secret"], &line["outcome"]),
            (&json!("prod/bybit/***"), &json!("done"))
        );
    }
    assert!(audit[0]["key"].as_str().unwrap().starts_with("fp:"));
}

#[tokio::test]
async fn log_lines_are_json_with_what_lambda_and_an_operator_look_for() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.succeed("createSecret").await;
    world.overwrite("no document");
    world.fail("createSecret").await;
    for line in world.function.output() {
        let line: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert!(
            line["timestamp"].is_string() && line["level"].is_string(),
            "{line}"
        );
        if line["type"] != "audit" {
            let span = &line["span"];
            assert_eq!(span["secret"], "prod/bybit/***", "{line}");
            assert_eq!(span["step"], "createSecret");
            assert_eq!(span["version"], TOKEN);
            assert!(span["request_id"].is_string());
        }
    }
}

#[tokio::test]
async fn awss_own_dry_run_passes_and_changes_nothing() {
    let world = World::start().await;
    let before = (world.labels(), world.keys());
    let request = RotateSecret {
        secret_id: SECRET.into(),
        rotate_immediately: Some(false),
        ..RotateSecret::default()
    };
    world
        .secrets_manager(|model, now| model.rotate_secret(&request, now))
        .unwrap();
    let step = due(&world);
    assert_eq!(step.step.as_str(), "testSecret");
    world.function.invoke(&step.event()).await.unwrap();
    world.secrets_manager(|model, now| model.invocation_finished(&step, true, now));
    assert_eq!((world.labels(), world.keys()), before);
    assert!(world.audit().is_empty());
}

#[tokio::test]
async fn the_function_may_be_attached_by_an_alias() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let payload = world.event("createSecret", TOKEN).to_string().into_bytes();
    let deadline = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    let alias = format!("{}:live", sandbox::function::LAMBDA_ARN);
    world
        .function
        .invoke_raw(payload, deadline, &alias)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_deadline_that_is_a_duration_is_understood() {
    // cargo lambda watch sends the duration 600000 where Lambda sends a time.
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let payload = world.event("createSecret", TOKEN).to_string().into_bytes();
    let deadline = jiff::Timestamp::from_millisecond(600_000).unwrap();
    world
        .function
        .invoke_raw(payload, deadline, sandbox::function::LAMBDA_ARN)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_files_in_events_are_one_rotation_of_the_secret_that_serve_seeds() {
    let world = World::start().await;
    for (step, word) in STEPS.iter().zip(["issued", "agreed", "proven", "promoted"]) {
        let file = format!(
            "{}/events/{}.json",
            env!("CARGO_MANIFEST_DIR"),
            step.replace("Secret", "_secret")
        );
        let event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(
            (&event["Step"], &event["SecretId"]),
            (&json!(step), &json!(world.local.arn(EVENTS_SECRET)))
        );
        assert_eq!(event["ClientRequestToken"], EVENTS_TOKEN);
        let deadline = jiff::Timestamp::from_millisecond(600_000).unwrap();
        let answer = world
            .function
            .invoke_raw(event.to_string().into_bytes(), deadline, "function-arn")
            .await
            .unwrap();
        assert_eq!(answer["outcome"], word);
    }
}

#[tokio::test]
async fn what_is_to_be_taken_from_a_key_is_sent_empty() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.succeed("createSecret").await;
    let more = [
        ("Spot", &["SpotTrade"][..]),
        ("Wallet", &["AccountTransfer"]),
        ("Earn", &["Earn"]),
    ];
    world.venue(|model, now| {
        // Nobody documents whether an edit leaves alone what is not sent.
        model.knobs.edit_keeps_groups = true;
        let key = model.keys().last().unwrap().clone();
        let settings = Settings {
            permissions: Permissions::of(&more),
            ..key.settings
        };
        model.edit_key_by_hand(&key.key, settings, now).unwrap();
    });
    for (step, outcome) in [
        ("setSecret", "agreed"),
        ("testSecret", "proven"),
        ("finishSecret", "promoted"),
    ] {
        assert_eq!(world.succeed(step).await, outcome);
    }
    let permissions = &world.live_keys()[1].settings.permissions;
    assert!(
        !more
            .iter()
            .any(|(group, values)| *group != "Spot" && permissions.grants(group, values[0])),
        "{permissions:?}"
    );
    assert!(
        permissions.grants("Spot", "SpotTrade") && permissions.grants("ContractTrade", "Order"),
        "{permissions:?}"
    );
}
