//! Events, secrets and settings that are wrong: a clear error, and nothing changed.

use sandbox::function::LAMBDA_ARN;
use sandbox::local::SECRET;
use sandbox::secrets_manager::{CancelRotateSecret, DeleteSecret};
use sandbox::venue::{Ips, Settings};
use serde_json::{Value, json};

use crate::world::{TOKEN, World};

#[tokio::test]
async fn an_event_that_is_no_rotation_step_is_refused_by_what_came() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let before = (world.labels(), world.keys());
    world.calls();
    let good = world.event("createSecret", TOKEN).to_string();
    let deadline = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    for (payload, named) in [
        (good[..good.len() / 2].to_owned(), "not JSON"),
        (String::new(), "not JSON"),
        ("null".into(), "null"),
        ("{}".into(), "Step"),
        (good.replace("createSecret", "create_secret"), "create_secret"),
        (good.replace(TOKEN, "short"), "ClientRequestToken"),
        (
            good.replace(crate::world::ROTATION_TOKEN, "short"),
            "RotationToken",
        ),
        (
            good.replace("arn:aws:secretsmanager", "arn:aws:lambda"),
            "SecretId",
        ),
        (r#"{"operation":"maintain"}"#.into(), "operation"),
    ] {
        let failed = world
            .function
            .invoke_raw(payload.clone().into_bytes(), deadline, LAMBDA_ARN)
            .await
            .unwrap_err();
        assert_eq!(failed.error_type, "EVENT_INVALID", "{payload}: {failed}");
        assert!(failed.message.contains(named), "{payload}: {failed}");
    }
    assert_eq!(world.calls(), (0, 0));
    assert_eq!((world.labels(), world.keys()), before);
}

#[tokio::test]
async fn a_secret_that_cannot_be_rotated_says_why_and_stays_as_it_is() {
    for (change, expected, named) in bad_documents() {
        let world = World::start().await;
        world.edit_current(change);
        world.open_rotation(TOKEN);
        let before = (world.labels(), world.keys());
        let (error_type, message) = world.fail("createSecret").await;
        assert_eq!(
            (error_type.as_str(), message.contains(named)),
            (expected, true),
            "{named}: {message}"
        );
        assert!(
            message.starts_with("createSecret of prod/bybit/***: "),
            "{message}"
        );
        assert_eq!((world.labels(), world.keys()), before, "{named}");
    }
}

type Change = Box<dyn FnOnce(&mut Value)>;

fn bad_documents() -> Vec<(Change, &'static str, &'static str)> {
    let set = |name: &'static str, value: Value| {
        Box::new(move |document: &mut Value| document[name] = value) as Change
    };
    let remove = |name: &'static str| {
        Box::new(move |document: &mut Value| {
            document.as_object_mut().unwrap().remove(name);
        }) as Change
    };
    vec![
        (
            Box::new(|document| *document = json!([])),
            "VALUE_INVALID",
            "JSON object",
        ),
        (
            Box::new(|document| *document = json!({})),
            "VALUE_INVALID",
            "api_key",
        ),
        (set("api_key", json!("")), "VALUE_INVALID", "api_key"),
        (set("api_secret", json!("")), "VALUE_INVALID", "api_secret"),
        (set("api_secret", json!(7)), "VALUE_INVALID", "api_secret"),
        (set("secret", json!("twice")), "VALUE_INVALID", "api_secret"),
        (
            set("policy", json!({"permissions": ["withdraw"]})),
            "VALUE_INVALID",
            "withdraw",
        ),
        (
            set("policy", json!({"ip_allowlist": []})),
            "VALUE_INVALID",
            "ip_allowlist",
        ),
        (set("exchange", json!("nowhere")), "VENUE_UNSUPPORTED", "nowhere"),
        (set("environment", json!("moon")), "VENUE_UNSUPPORTED", "moon"),
        (
            set("environment", json!("xx")),
            "VENUE_UNSUPPORTED",
            "no site `xx`",
        ),
        (remove("masterarn"), "MASTER_INVALID", "masterarn"),
        (
            set("masterarn", json!("nonsense nonsense")),
            "MASTER_INVALID",
            "masterarn",
        ),
        (
            set("subaccount", json!("53888999")),
            "ACCOUNT_MISMATCH",
            "53888999",
        ),
        (
            set("policy", json!({"auto_approve": true})),
            "VALUE_INVALID",
            "auto_approve",
        ),
    ]
}

#[tokio::test]
async fn a_dead_current_key_is_rescued_where_the_value_says_enough() {
    let world = World::start().await;
    world.delete_current();
    world.open_rotation(TOKEN);
    let (error_type, message) = world.fail("createSecret").await;
    assert_eq!(error_type, "CURRENT_UNUSABLE");
    assert!(
        message.contains("policy.permissions") && message.contains("policy.ip_allowlist"),
        "{message}"
    );
    assert_eq!(world.live_keys().len(), 0);

    let world = World::start().await;
    world.delete_current();
    world.edit_current(|document| {
        document["policy"] = json!({"permissions": ["spot"], "ip_allowlist": ["203.0.113.7"]});
    });
    world.open_rotation(TOKEN);
    world.rotate().await;
    let keys = world.live_keys();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].key.as_str(), world.current()["api_key"]);
}

#[tokio::test]
async fn a_master_credential_that_is_refused_is_named_as_the_one() {
    let world = World::start().await;
    world.put_master(&json!({"api_key": "nobodyskey", "api_secret": "nobodyssecret"}));
    world.open_rotation(TOKEN);
    let (error_type, message) = world.fail("createSecret").await;
    assert_eq!(error_type, "MASTER_REFUSED");
    assert!(
        message.contains("10003") && message.contains("master"),
        "{message}"
    );
}

#[tokio::test]
async fn preconditions_that_do_not_hold_are_named() {
    let world = World::start().await;
    assert_eq!(world.fail("createSecret").await.0, "VERSION_UNKNOWN");
    world.open_rotation(TOKEN);
    let payload = world.event("createSecret", TOKEN).to_string().into_bytes();
    let deadline = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    let other = LAMBDA_ARN.replace("exchange-key-rotation", "another");
    let failed = world
        .function
        .invoke_raw(payload, deadline, &other)
        .await
        .unwrap_err();
    assert_eq!(failed.error_type, "WRONG_FUNCTION");
    let off = CancelRotateSecret {
        secret_id: SECRET.into(),
    };
    world
        .secrets_manager(|model, now| model.cancel_rotate_secret(&off, now))
        .unwrap();
    assert_eq!(world.fail("createSecret").await.0, "ROTATION_DISABLED");
    let nowhere = world
        .event("createSecret", TOKEN)
        .to_string()
        .replace("prod/bybit/main", "prod/bybit/none");
    let failed = world
        .function
        .invoke_raw(nowhere.into_bytes(), deadline, LAMBDA_ARN)
        .await
        .unwrap_err();
    assert_eq!(failed.error_type, "SECRET_NOT_FOUND");
}

#[tokio::test]
async fn a_key_that_could_be_used_from_anywhere_needs_a_policy_that_says_so() {
    let world = World::start().await;
    let key = &world.local.hand_made.key;
    world.venue(|model, now| {
        let settings = Settings {
            ips: Ips::Any,
            ..model.key(key).unwrap().settings
        };
        model.edit_key_by_hand(key, settings, now).unwrap();
    });
    world.open_rotation(TOKEN);
    let (error_type, message) = world.fail("createSecret").await;
    assert_eq!(error_type, "KEY_UNBOUND");
    assert!(message.contains("policy.ip_allowlist"), "{message}");
    assert_eq!(world.keys().len(), 1);
}

#[tokio::test]
async fn a_dead_key_of_an_unknown_account_is_refused_by_what_to_add() {
    let world = World::start().await;
    world.delete_current();
    world.edit_current(|document| {
        document.as_object_mut().unwrap().remove("subaccount");
    });
    world.open_rotation(TOKEN);
    let (error_type, message) = world.fail("createSecret").await;
    assert_eq!(error_type, "CURRENT_UNUSABLE");
    assert!(message.contains("`subaccount`"), "{message}");
}

#[tokio::test]
async fn a_pending_value_not_ours_is_given_up_and_the_next_rotation_succeeds() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let text = world.current().to_string();
    world.put(TOKEN, &text, "AWSPENDING");
    for step in [
        "setSecret",
        "finishSecret",
        "createSecret",
        "createSecret",
        "testSecret",
    ] {
        assert_eq!(world.fail(step).await.0, "VERSION_DOOMED", "{step}");
    }
    let (_, labels) = world
        .labels()
        .into_iter()
        .find(|(version, _)| version == TOKEN)
        .unwrap();
    assert!(
        labels.len() == 1 && labels[0].starts_with("CONDEMNED-"),
        "{labels:?}"
    );

    let next = "70000000-0000-4000-8000-000000000002";
    world.open_rotation(next);
    world.complete(next).await;
    assert_eq!(world.current()["rotation"]["token"], next);
}

#[tokio::test]
async fn a_secret_that_is_being_deleted_is_left_alone() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let request = DeleteSecret {
        secret_id: SECRET.into(),
        ..DeleteSecret::default()
    };
    world
        .secrets_manager(|model, now| model.delete_secret(&request, now))
        .unwrap();
    assert_eq!(world.fail("createSecret").await.0, "SECRET_DELETED");
}

#[tokio::test]
async fn too_little_time_is_seen_before_a_key_is_issued() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let payload = world.event("createSecret", TOKEN).to_string().into_bytes();
    let deadline = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4);
    let failed = world
        .function
        .invoke_raw(payload, deadline, LAMBDA_ARN)
        .await
        .unwrap_err();
    assert_eq!(failed.error_type, "DEADLINE_NEAR");
    assert_eq!(world.keys().len(), 1);
}

#[tokio::test]
async fn a_wrong_setting_is_refused_at_the_start_by_its_name() {
    let world = World::start().await;
    for (name, value) in [
        ("BYBIT_BASE_URL", "http://api.bybit.com"),
        ("EGRESS_IPS", "everywhere"),
        ("LOG_LEVEL", "loud"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://203.0.113.5:4566"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "localhost:9311"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https:/host"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_REGION", "\"us-east-1\""),
        ("HTTPS_PROXY", "nonsense://x"),
        ("SSL_CERT_FILE", "/nonexistent.pem"),
    ] {
        let function = world.process(&world.local.environment().with(name, value)).await;
        assert_eq!(function.exit_code().await, 1);
        let failed = function.invoke(&json!({})).await.unwrap_err();
        assert_eq!(failed.error_type, "CONFIG_INVALID");
        assert!(failed.message.contains(name), "{failed}");
        assert!(
            function
                .output()
                .iter()
                .any(|line| line.contains("CONFIG_INVALID") && line.contains(name)),
            "{name}"
        );
    }
}

#[test]
fn the_runbook_has_a_section_for_every_error_type() {
    let runbook = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbook.md")).unwrap();
    for error_type in protocol::ErrorType::ALL {
        let heading = format!("\n### {error_type}\n");
        assert!(
            runbook.contains(&heading),
            "docs/runbook.md has no section `### {error_type}`"
        );
    }
}
