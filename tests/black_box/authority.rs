//! Whoever may write one secret reaches no further than that secret, in both roles of the real binary.

use jiff::{SignedDuration, Timestamp};
use protocol::label::VersionId;
use protocol::marker::Marker;
use sandbox::function::LAMBDA_ARN;
use sandbox::in_process::{SPOT, TRADES};
use sandbox::local::{MASTER_SECRET, SECRET, SUB_ACCOUNT};
use sandbox::report::fingerprint;
use sandbox::secrets_manager::{PutSecretValue, RotateSecret, RotationSeed, SecretValue, Seed, Sensitive};
use sandbox::venue::{Ips, KeyTruth, Permissions, Settings};
use serde_json::{Value, json};

use crate::world::{
    Operators, ROTATION_TOKEN, STEPS, TOKEN, World, ask, break_glass, codes, findings, maintain,
};

const ENEMY: &str = "prod/bybit/enemy";
const INVENTED: &str = "a-secret-of-the-enemys-own-invention";
const ENEMYS_TOKEN: &str = "70000000-0000-4000-8000-000000000666";
const PLANTED: &str = "66666666-0000-4000-8000-000000000666";

/// The living keys of every account.
fn all_live(world: &World) -> Vec<KeyTruth> {
    world.venue(|model, now| {
        let keys = model.keys().into_iter();
        keys.filter(|key| key.alive(now)).collect()
    })
}

/// The master's value says nothing of whom it serves.
fn unserve(world: &World) {
    change_master(world, |value| {
        drop(value.as_object_mut().unwrap().remove("serves"));
    });
}

/// It serves the victim's secret alone.
fn serve_the_victim(world: &World) {
    change_master(world, |value| {
        value["serves"] = json!({SECRET: value["serves"]["prod/bybit/*"]});
    });
}

fn change_master(world: &World, change: impl FnOnce(&mut Value)) {
    let mut value = world.local.value(MASTER_SECRET, "AWSCURRENT").unwrap();
    change(&mut value);
    world.put_master(&value);
}

/// The enemy's secret, with a version that names this key id with a key secret of their own invention, under
/// these labels.
fn plant(world: &World, key: &str, labels: &[&str]) {
    let mut value = world.current();
    (value["api_key"], value["api_secret"]) = (key.into(), INVENTED.into());
    plant_value(world, &value.to_string(), labels);
}

/// The same with any value.
fn plant_value(world: &World, planted: &str, labels: &[&str]) {
    let mut value = world.current();
    (value["api_key"], value["api_secret"]) = ("a-key-of-the-enemy".into(), INVENTED.into());
    let seed = Seed {
        name: ENEMY.into(),
        value: Some(SecretValue::from_text(value.to_string())),
        rotation: Some(RotationSeed {
            lambda_arn: Some(LAMBDA_ARN.into()),
            rules: None,
        }),
        ..Seed::default()
    };
    world.secrets_manager(|model, now| model.seed(seed, now)).unwrap();
    world.put_in(ENEMY, PLANTED, planted, labels);
}

/// The steps of a rotation of the enemy's secret, as far as they succeed.
async fn rotate_the_enemys(world: &World) {
    let request = RotateSecret {
        secret_id: ENEMY.into(),
        client_request_token: Some(ENEMYS_TOKEN.into()),
        ..RotateSecret::default()
    };
    // An open one that was planted stands in the way of another, and is what the steps come for.
    let _ = world.secrets_manager(|model, now| model.rotate_secret(&request, now));
    for step in STEPS {
        let event = json!({
            "Step": step, "SecretId": world.local.arn(ENEMY), "ClientRequestToken": ENEMYS_TOKEN,
            "RotationToken": ROTATION_TOKEN,
        });
        if world.function.invoke(&event).await.is_err() {
            break;
        }
    }
}

/// What both functions do about the enemy's secret: a rotation of it, and passes before and after.
async fn rotate_and_maintain(world: &World, operators: &Operators) {
    maintain(operators).await;
    rotate_the_enemys(world).await;
    maintain(operators).await;
}

#[track_caller]
fn all_live_still(world: &World, before: &[KeyTruth], why: &str) {
    let live = all_live(world);
    assert!(
        before
            .iter()
            .all(|key| live.iter().any(|live| live.key == key.key)),
        "{why}: {live:?}"
    );
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
            value["policy"] =
                json!({"permissions": ["spot", "options", "derivatives"], "ip_allowlist": "any"});
        });
        let before = all_live(&world);
        world.open_rotation(TOKEN);
        let (error_type, message) = world.fail("createSecret").await;
        assert_eq!(error_type, "SCOPE_REFUSED", "{message}");
        assert!(message.contains("serves"), "{message}");
        assert_eq!(all_live(&world), before);
        // Nor where a label calls the key leaked: the pass begins a rotation, which fails alike.
        let operators = world.operators().await;
        ask(&operators, json!({"operation": "abandon", "secret": SECRET})).await;
        let current = "0b000000-0000-4000-8000-00000000000b";
        world.label("COMPROMISED", None, Some(current));
        let passed = maintain(&operators).await;
        let begun = world
            .open_version()
            .unwrap_or_else(|| panic!("no rotation was begun: {passed}"));
        let failed = world.function.invoke(&world.event(STEPS[0], &begun)).await;
        assert_eq!(failed.unwrap_err().error_type, "SCOPE_REFUSED");
        maintain(&operators).await;
        assert_eq!(all_live(&world), before);
        let answer = ask(&operators, json!({"operation": "plan", "secret": SECRET})).await;
        let blockers = findings(&answer)
            .iter()
            .filter(|finding| finding["code"] == "BLOCKER");
        let commands: Vec<&str> = blockers.map(|finding| finding["do"].as_str().unwrap()).collect();
        assert!(
            commands
                .iter()
                .any(|command| command.contains("jq -c '.serves += ")),
            "{answer}"
        );
    }
}

const ORDERED_DEAD: &[&str] = &["COMPROMISED", "REVOKE_FIRST"];
const LONG_OVER: &[&str] = &[
    "REPLACED-20200101T000000Z-66666666",
    "CONDEMNED-20200201T000000Z-66666666",
];

#[tokio::test]
async fn no_label_on_a_version_that_names_another_s_key_id_ends_that_key() {
    for labels in [ORDERED_DEAD, LONG_OVER, &["AWSCURRENT"], &["CANDIDATE"]] {
        let world = World::start().await;
        let operators = world.operators().await;
        let key = world.current_key();
        plant(&world, &key, labels);
        let before = all_live(&world);
        rotate_and_maintain(&world, &operators).await;
        all_live_still(&world, &before, &format!("{labels:?}"));
    }
}

#[tokio::test]
async fn no_label_ends_a_key_that_no_secret_names_but_the_enemys() {
    for labels in [ORDERED_DEAD, LONG_OVER] {
        let world = World::start().await;
        let operators = world.operators().await;
        let foreign = world.key_by_hand("a person's", Ips::Any, &[SPOT]);
        plant(&world, foreign.key.as_str(), labels);
        let before = all_live(&world);
        let answer = maintain(&operators).await;
        assert_eq!(
            codes(&answer).contains(&"EXPOSED"),
            labels == ORDERED_DEAD,
            "{answer}"
        );
        rotate_and_maintain(&world, &operators).await;
        all_live_still(&world, &before, &format!("{labels:?}"));
    }
}

/// A label that waits for the key to be replaced takes no grace from it.
#[tokio::test]
async fn a_label_from_before_takes_no_grace_from_what_another_replaces() {
    type Planted = fn(&World);
    let by_id: Planted = |world| plant(world, &world.current_key(), &["COMPROMISED"]);
    let stolen: Planted = |world| plant_value(world, &world.current().to_string(), &["COMPROMISED"]);
    let first: Planted = |world| plant_value(world, &world.current().to_string(), ORDERED_DEAD);
    for planted in [by_id, stolen, first] {
        let world = World::start().await;
        let operators = world.operators().await;
        planted(&world);
        let before = all_live(&world);
        maintain(&operators).await;
        world.open_rotation(TOKEN);
        world.rotate().await;
        rotate_and_maintain(&world, &operators).await;
        all_live_still(&world, &before, "its grace has just begun");
    }
}

#[tokio::test]
async fn what_another_offers_or_breaks_keeps_no_replaced_key_alive() {
    let by_id = |world: &World| {
        let mut value = world.current();
        value["api_secret"] = INVENTED.into();
        value.to_string()
    };
    let stolen = |world: &World| world.current().to_string();
    for offer in [by_id, stolen, |_: &World| "{".to_owned()] {
        let world = World::start().await;
        let operators = world.operators().await;
        serve_the_victim(&world);
        let replaced = world.current_key();
        plant_value(&world, &offer(&world), &["CANDIDATE"]);
        world.open_rotation(TOKEN);
        world.rotate().await;
        // It was made by hand: a week.
        world.backdate("REPLACED", 24 * 7 + 1);
        maintain(&operators).await;
        world.backdate("CONDEMNED", 1);
        let answer = maintain(&operators).await;
        let live = world.live_keys();
        assert!(live.iter().all(|key| key.key.as_str() != replaced), "{answer}");
    }
}

#[tokio::test]
async fn a_value_that_claims_to_be_ours_is_told_to_be_none() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let operations = world.operators().await;
    let ips = Ips::only(["127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()]);
    let by_hand = world.key_by_hand("by hand", ips, &[TRADES, SPOT]);
    let mut value = world.current();
    (value["api_key"], value["api_secret"]) = (by_hand.key.as_str().into(), by_hand.secret.expose().into());
    value["rotation"]["token"] = PLANTED.into();
    let put = PutSecretValue {
        secret_id: SECRET.into(),
        client_request_token: Some(PLANTED.into()),
        secret_string: Some(Sensitive::new(value.to_string())),
        version_stages: Some(vec!["AWSCURRENT".to_owned()]),
        ..PutSecretValue::default()
    };
    let long_ago = SignedDuration::from_hours(30);
    world
        .secrets_manager(|model, now| model.put_secret_value(&put, now - long_ago))
        .unwrap();
    let answer = maintain(&operations).await;
    assert!(codes(&answer).contains(&"CURRENT_OVERWRITTEN"), "{answer}");
    // It keeps the grace of a key that was made by hand: a week.
    let again = "70000000-0000-4000-8000-000000000002";
    world.open_rotation(again);
    world.complete(again).await;
    let stamp = |kind: &str| {
        let mut labels = world.labels().into_iter();
        let (_, labels) = labels.find(|(version, _)| version == PLANTED)?;
        labels.into_iter().find(|label| label.starts_with(kind))
    };
    let stamped = stamp("REPLACED-").unwrap();
    let then = Timestamp::now() - SignedDuration::from_hours(25);
    let before = format!("REPLACED-{}-66666666", then.strftime("%Y%m%dT%H%M%SZ"));
    world.label(&stamped, Some(PLANTED), None);
    world.label(&before, None, Some(PLANTED));
    let answer = maintain(&operations).await;
    assert!(codes(&answer).contains(&"ADOPTION_GRACE"), "{answer}");
    assert_eq!(stamp("CONDEMNED-"), None, "{answer}");
}

#[tokio::test]
async fn an_order_that_leaves_no_way_to_a_successor_is_refused_at_once() {
    let world = World::start().await;
    unserve(&world);
    let operations = world.operators().await;
    let before = all_live(&world);
    let mut order = break_glass();
    order["mode"] = "revoke_first".into();
    let answer = ask(&operations, order).await;
    assert_eq!(codes(&answer), ["REFUSED"], "{answer}");
    assert!(
        answer["findings"][0]["do"]
            .as_str()
            .unwrap()
            .contains("no_successor"),
        "{answer}"
    );
    assert_eq!(all_live(&world), before);
}

#[tokio::test]
async fn what_an_answer_gives_to_type_is_quoted() {
    let world = World::start().await;
    let operations = world.operators().await;
    let version = "$(touch /tmp/x); 0000-0000-4000-8000";
    world.put(version, &world.current().to_string(), "KEPT");
    world.label("COMPROMISED", None, Some(version));
    let answer = ask(&operations, break_glass()).await;
    let said = answer["findings"][0]["do"].as_str().unwrap();
    assert!(
        said.contains(&format!("--remove-from-version-id '{version}'")),
        "{answer}"
    );
}

#[tokio::test]
async fn what_another_offers_or_breaks_does_not_stop_a_persons_order() {
    let stolen = |world: &World| world.current().to_string();
    for offer in [stolen, |_: &World| "{".to_owned()] {
        let world = World::start().await;
        let operators = world.operators().await;
        serve_the_victim(&world);
        let leaked = world.current_key();
        plant_value(&world, &offer(&world), &["CANDIDATE"]);
        let answer = world.ask_beside_the_service(&operators, break_glass()).await;
        assert!(
            answer["exposure_seconds"].is_u64() && !codes(&answer).contains(&"EXPOSED"),
            "{answer}"
        );
        let live = world.live_keys();
        assert!(live.len() == 1 && live[0].key.as_str() != leaked, "{answer}");
    }
}

#[tokio::test]
async fn a_key_that_can_withdraw_hides_behind_no_other_secrets_marker() {
    let world = World::start().await;
    let operators = world.operators().await;
    plant(&world, "a-key-that-nobody-knows", &["SCRATCH"]);
    let settings = Settings {
        note: Marker::new(&world.local.arn(ENEMY), &VersionId::new(PLANTED), 1).to_string(),
        read_only: false,
        ips: Ips::only(["203.0.113.9".parse().unwrap()]),
        permissions: Permissions::of(&[("Wallet", &["Withdraw"])]),
    };
    let an_hour = SignedDuration::from_hours(1);
    let hidden = world
        .venue(|model, now| model.create_key_by_hand(SUB_ACCOUNT, settings, now - an_hour))
        .unwrap();
    let fingerprint = fingerprint(hidden.key.as_str());
    let answer = ask(&operators, json!({"operation": "audit"})).await;
    for (code, severity) in [("CAN_MOVE_FUNDS", "page"), ("FOREIGN_KEYS", "ticket")] {
        let told = findings(&answer).iter().find(|finding| {
            finding["code"] == code
                && finding["secret"] == SECRET
                && finding["say"].as_str().unwrap().contains(&fingerprint)
        });
        assert!(
            told.is_some_and(|told| told["severity"] == severity),
            "{code}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_cell_of_the_table_is_no_formula() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let operators = world.operators().await;
    world.edit_current(|value| {
        value["rotation"]["account"] = "=HYPERLINK(\"https://example.org\")".into();
        value["api_secret"] = INVENTED.into();
    });
    let answer = ask(&operators, json!({"operation": "audit", "format": "csv"})).await;
    let csv = answer["csv"].as_str().unwrap();
    let cells: Vec<&str> = csv
        .split([',', '\n'])
        .map(|cell| cell.trim_start_matches('"'))
        .collect();
    assert!(cells.iter().any(|cell| cell.contains("HYPERLINK")), "{csv}");
    assert!(
        !cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@'])),
        "{csv}"
    );
}

#[tokio::test]
async fn a_secret_that_is_rotated_in_a_loop_gets_no_more_keys() {
    let world = World::start().await;
    for number in 0..11 {
        world.put(
            &format!("0b000000-0000-4000-8000-{number:012}"),
            &world.current().to_string(),
            "SCRATCH",
        );
    }
    world.open_rotation(TOKEN);
    let before = all_live(&world);
    let (error_type, message) = world.fail("createSecret").await;
    assert_eq!(error_type, "ROTATED_TOO_OFTEN", "{message}");
    assert_eq!(all_live(&world), before);
}

/// A secret that was pointed at another account hides no key that was issued for it on the first: not behind
/// labels that were taken off, and not behind accounts that are made up.
#[tokio::test]
async fn a_key_on_an_account_that_the_secret_stood_for_before_is_told() {
    let world = World::start().await;
    let note = Marker::new(&world.local.arn(SECRET), &VersionId::new(PLANTED), 1).to_string();
    let settings = |note: String| Settings {
        note,
        read_only: false,
        ips: Ips::only(["127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()]),
        permissions: Permissions::of(&[SPOT]),
    };
    let an_hour = SignedDuration::from_hours(1);
    let made = |uid, note: &str| {
        let settings = settings(note.to_owned());
        world.venue(|model, now| model.create_key_by_hand(uid, settings, now - an_hour))
    };
    let hidden = made(SUB_ACCOUNT, &note).unwrap();
    let before = world.current();
    for number in 0..2 {
        let elsewhere = made(SUB_ACCOUNT + 1, "elsewhere").unwrap();
        let mut value = before.clone();
        (value["api_key"], value["api_secret"]) =
            (elsewhere.key.as_str().into(), elsewhere.secret.expose().into());
        value["subaccount"] = (SUB_ACCOUNT + 1).to_string().into();
        world.put(
            &format!("0c000000-0000-4000-8000-{number:012}"),
            &value.to_string(),
            "AWSCURRENT",
        );
    }
    let previous = "0c000000-0000-4000-8000-000000000000";
    world.label("AWSPREVIOUS", Some(previous), None);
    let operators = world.operators().await;
    let fingerprint = fingerprint(hidden.key.as_str());
    let is_told = |answer: &Value| {
        findings(answer).iter().any(|finding| {
            let say = finding["say"].as_str().unwrap();
            finding["code"] == "FOREIGN_KEYS" && say.contains(&fingerprint)
        })
    };
    let everything = ask(&operators, json!({"operation": "audit"})).await;
    assert!(is_told(&everything), "{everything}");
    for number in 0..6 {
        let mut value = before.clone();
        value["subaccount"] = (SUB_ACCOUNT + 100 + number).to_string().into();
        world.put(
            &format!("0d000000-0000-4000-8000-{number:012}"),
            &value.to_string(),
            "SCRATCH",
        );
    }
    let everything = ask(&operators, json!({"operation": "audit"})).await;
    assert!(codes(&everything).contains(&"ACCOUNTS_UNSEEN"), "{everything}");
    let alone = ask(&operators, json!({"operation": "audit", "secret": SECRET})).await;
    assert!(
        is_told(&alone) && !codes(&alone).contains(&"ACCOUNTS_UNSEEN"),
        "{alone}"
    );
}

#[tokio::test]
async fn keys_that_are_issued_in_a_loop_are_a_page() {
    let world = World::start().await;
    let operators = world.operators().await;
    for number in 0..11 {
        let note = Marker::new(&world.local.arn(SECRET), &VersionId::new(PLANTED), number).to_string();
        world.key_by_hand(&note, Ips::Any, &[SPOT]);
    }
    let answer = maintain(&operators).await;
    let page = findings(&answer)
        .iter()
        .find(|finding| finding["code"] == "MANY_KEYS_ISSUED");
    assert!(page.is_some_and(|page| page["severity"] == "page"), "{answer}");
    // Nor does the rotation function add one to them.
    let before = all_live(&world);
    world.open_rotation(TOKEN);
    let (error_type, message) = world.fail("createSecret").await;
    assert_eq!(error_type, "ROTATED_TOO_OFTEN", "{message}");
    assert_eq!(all_live(&world), before);
}
