//! Whoever may write one secret reaches no further than that secret, in both roles of the real binary.

use sandbox::bybit::{Ips, KeyTruth, Permissions, Settings};
use sandbox::function::LAMBDA_ARN;
use sandbox::local::{MASTER_SECRET, SECRET, SUB_ACCOUNT};
use sandbox::secrets_manager::{PutSecretValue, RotationSeed, SecretValue, Seed, Sensitive, UpdateSecretVersionStage};
use serde_json::json;

use crate::world::{TOKEN, World, ask, codes};

const ENEMY: &str = "prod/bybit/enemy";
const PLANTED: &str = "66666666-0000-4000-8000-000000000666";

/// The living keys of every account.
fn all_live(world: &World) -> Vec<KeyTruth> {
    let now = world.local.clock.now();
    world.local.bybit.lock().model.keys().into_iter().filter(|key| key.alive(now)).collect()
}

/// The master's value says nothing of whom it serves.
fn unserve(world: &World) {
    let mut value = world.local.value(MASTER_SECRET, "AWSCURRENT").unwrap();
    value.as_object_mut().unwrap().remove("serves");
    let mut state = world.local.secrets_manager.lock();
    let now = state.clock.now();
    let request = PutSecretValue {
        secret_id: MASTER_SECRET.into(),
        client_request_token: Some("0b000000-0000-4000-8000-0000000000aa".into()),
        secret_string: Some(Sensitive::new(value.to_string())),
        ..PutSecretValue::default()
    };
    state.model.put_secret_value(&request, now).unwrap();
}

/// The enemy's secret, with a version that names this key id with a key secret of their own invention, under these labels.
fn plant(world: &World, key: &str, labels: &[&str]) {
    let mut value = world.current();
    (value["api_key"], value["api_secret"]) = ("a-key-of-the-enemy".into(), "a-secret-of-the-enemys-own-invention".into());
    let mut state = world.local.secrets_manager.lock();
    let now = state.clock.now();
    let seed = Seed {
        name: ENEMY.into(),
        value: Some(SecretValue::from_text(value.to_string())),
        version_id: None,
        tags: Vec::new(),
        rotation: Some(RotationSeed { lambda_arn: Some(LAMBDA_ARN.into()), rules: None }),
    };
    state.model.seed(seed, now).unwrap();
    value["api_key"] = key.into();
    let request = PutSecretValue {
        secret_id: ENEMY.into(),
        client_request_token: Some(PLANTED.into()),
        secret_string: Some(Sensitive::new(value.to_string())),
        version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
        ..PutSecretValue::default()
    };
    state.model.put_secret_value(&request, now).unwrap();
}

#[tokio::test]
async fn a_value_that_names_another_desks_account_gets_no_key_of_it() {
    for served in [true, false] {
        let world = World::start().await;
        if !served {
            unserve(&world);
        }
        world.edit_current(|value| {
            (value["api_key"], value["api_secret"]) = ("garbage".into(), "garbage-that-signs-nothing".into());
            value["subaccount"] = (SUB_ACCOUNT + 1).to_string().into();
            value["policy"] = json!({"permissions": ["spot", "options", "derivatives"], "ip_allowlist": "any"});
        });
        let before = all_live(&world);
        world.open_rotation(TOKEN);
        let (error_type, message) = world.fail("createSecret").await;
        assert_eq!(error_type, "SCOPE_REFUSED", "{message}");
        assert!(message.contains("serves"), "{message}");
        assert_eq!(all_live(&world), before);
        let answer = ask(&world.operators().await, json!({"operation": "plan", "secret": SECRET})).await;
        let blockers = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "BLOCKER");
        let commands: Vec<&str> = blockers.map(|finding| finding["do"].as_str().unwrap()).collect();
        assert!(commands.iter().any(|command| command.contains("jq -c '.serves += ")), "{answer}");
    }
}

#[tokio::test]
async fn no_label_on_a_version_that_names_another_s_key_id_ends_that_key() {
    for labels in
        [&["COMPROMISED", "REVOKE_FIRST"][..], &["REPLACED-20200101T000000Z-66666666", "CONDEMNED-20200201T000000Z-66666666"]]
    {
        let world = World::start().await;
        let operations = world.operators().await;
        let key = world.current()["api_key"].as_str().unwrap().to_owned();
        plant(&world, &key, labels);
        let before = all_live(&world);
        let answer = ask(&operations, json!({"operation": "maintain"})).await;
        ask(&operations, json!({"operation": "maintain"})).await;
        assert_eq!(all_live(&world), before, "{answer}");
    }
}

#[tokio::test]
async fn no_label_ends_a_key_that_no_secret_names_but_the_enemys() {
    let world = World::start().await;
    let operations = world.operators().await;
    let foreign = {
        let now = world.local.clock.now();
        let permissions = Permissions::of(&[("Spot", &["SpotTrade"])]);
        let settings = Settings { note: "a person's".into(), read_only: false, ips: Ips::Any, permissions };
        world.local.bybit.lock().model.create_key_by_hand(SUB_ACCOUNT, settings, now).unwrap()
    };
    plant(&world, foreign.key.as_str(), &["COMPROMISED", "REVOKE_FIRST"]);
    let before = all_live(&world);
    let answer = ask(&operations, json!({"operation": "maintain"})).await;
    assert_eq!(all_live(&world), before, "{answer}");
    assert!(codes(&answer).contains(&"EXPOSED"), "{answer}");
}

#[tokio::test]
async fn a_value_that_claims_to_be_ours_is_told_to_be_none() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let operations = world.operators().await;
    let by_hand = {
        let now = world.local.clock.now();
        let ips = Ips::only(["127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()]);
        let permissions = Permissions::of(&[("ContractTrade", &["Order", "Position"]), ("Spot", &["SpotTrade"])]);
        let settings = Settings { note: "by hand".into(), read_only: false, ips, permissions };
        world.local.bybit.lock().model.create_key_by_hand(SUB_ACCOUNT, settings, now).unwrap()
    };
    let mut value = world.current();
    (value["api_key"], value["api_secret"]) = (by_hand.key.as_str().into(), by_hand.secret.expose().into());
    value["rotation"]["token"] = PLANTED.into();
    world.put(PLANTED, &value.to_string(), "AWSCURRENT");
    let answer = ask(&operations, json!({"operation": "maintain"})).await;
    assert!(codes(&answer).contains(&"CURRENT_OVERWRITTEN"), "{answer}");
}

#[tokio::test]
async fn an_order_that_leaves_no_way_to_a_successor_is_refused_at_once() {
    let world = World::start().await;
    unserve(&world);
    let operations = world.operators().await;
    let before = all_live(&world);
    let order = json!({
        "operation": "break_glass", "secret": SECRET, "mode": "revoke_first", "reason": "seen in a log", "incident": "INC-7",
    });
    let answer = ask(&operations, order).await;
    assert_eq!(codes(&answer), ["REFUSED"], "{answer}");
    assert!(answer["findings"][0]["do"].as_str().unwrap().contains("no_successor"), "{answer}");
    assert_eq!(all_live(&world), before);
}

#[tokio::test]
async fn what_an_answer_gives_to_type_is_quoted() {
    let world = World::start().await;
    let operations = world.operators().await;
    let version = "$(touch /tmp/x); 0000-0000-4000-8000";
    world.put(version, &world.current().to_string(), "KEPT");
    let label = |label: &str| {
        let mut state = world.local.secrets_manager.lock();
        let now = state.clock.now();
        let request = UpdateSecretVersionStage {
            secret_id: SECRET.into(),
            version_stage: label.into(),
            move_to_version_id: Some(version.into()),
            remove_from_version_id: None,
        };
        state.model.update_secret_version_stage(&request, now).unwrap();
    };
    label("COMPROMISED");
    let order = json!({"operation": "break_glass", "secret": SECRET, "reason": "seen in a log", "incident": "INC-7"});
    let answer = ask(&operations, order).await;
    let said = answer["findings"][0]["do"].as_str().unwrap();
    assert!(said.contains(&format!("--remove-from-version-id '{version}'")), "{answer}");
}
