//! OKX: keys with passphrases, labels that are on one key, accounts that have names, trading as a whole.

mod faults;
mod refused;

use sandbox::fault::Fault;
use sandbox::in_process::Power;
use sandbox::local::{EVENTS_TOKEN, PARENT, SUB_ACCOUNT, Venue};
use sandbox::venue::{Credential, Environment, Ips, Passphrase, Permissions, Settings};
use serde_json::{Value, json};

use crate::world::{STEPS, TOKEN, World, ask, codes, findings, maintain};

const CREATE: &str = "POST /api/v5/users/subaccount/apikey";
const LIST: &str = "GET /api/v5/users/subaccount/apikey";
const CONFIG: &str = "/api/v5/account/config";
const BOTH: Power<'_> = ("perm", &["read_only", "trade"]);
const OFFERED: &str = "0c000000-0000-4000-8000-00000000000c";

async fn world() -> World {
    World::at(Venue::Okx).await
}

/// A credential's passphrase.
fn passphrase(credential: &Credential) -> &str {
    credential.passphrase.as_ref().map(Passphrase::expose).unwrap()
}

/// The current key works with all that its value says, and no other key is left but the one before.
fn rests_on(world: &World, keys_ever: usize) {
    let (live, value) = (world.live_keys(), world.current());
    assert_eq!(world.keys().len(), keys_ever, "so many were ever made");
    assert_eq!(live.len(), 2, "the old key and the one that was stored");
    assert_eq!(live[1].key.as_str(), value["api_key"]);
    let credential = world.venue(|model, _| model.credential(&live[1].key)).unwrap();
    assert_eq!(value["api_secret"], credential.secret.expose());
    assert_eq!(value["passphrase"], passphrase(&credential));
}

#[tokio::test]
async fn a_rotation_gives_a_key_with_a_passphrase_of_its_own() {
    let world = world().await;
    let before = world.current();
    world.open_rotation(TOKEN);
    assert_eq!(world.succeed("createSecret").await, "issued");
    // From its first second on it may do what it is to do, and no more.
    let as_issued = world.live_keys()[1].settings.clone();
    for (step, word) in STEPS[1..].iter().zip(["agreed", "proven", "promoted"]) {
        assert_eq!(world.succeed(step).await, word);
    }
    rests_on(&world, 2);
    let mut after = world.current();
    for field in ["api_key", "api_secret", "passphrase"] {
        assert_ne!(before[field], after[field]);
        after[field] = before[field].clone();
    }
    assert_eq!(after["passphrase"], passphrase(&world.local.hand_made));
    let rotation = after["rotation"].clone();
    assert_eq!(rotation["account"], "desk01");
    assert_eq!(rotation["permissions"], json!(["read", "trade"]));
    assert_eq!(rotation["ip_allowlist"], json!(["127.0.0.1", "203.0.113.7"]));
    // All that consumers put there is as it was.
    let fields = after.as_object_mut().unwrap();
    for ours in ["created_at", "created_by", "rotation"] {
        fields.remove(ours).unwrap();
    }
    assert_eq!(after, before);
    assert_eq!(as_issued.permissions, Permissions::of(&[BOTH]));
    assert_eq!(as_issued.ips.shown(), ["127.0.0.1", "203.0.113.7"]);
    assert_eq!(as_issued, world.live_keys()[1].settings);
    let label = &as_issued.note;
    assert!(label.len() == 16 && label.starts_with("x1"), "{label}");
}

#[tokio::test]
async fn a_replaced_key_of_okx_is_revoked_after_its_grace_and_proven_dead() {
    let world = world().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let operators = world.operators().await;
    world.backdate("REPLACED", 24 * 7 + 1);
    let answer = maintain(&operators).await;
    assert_eq!(answer["counts"]["condemned"], 1, "{answer}");
    assert_eq!(world.live_keys().len(), 2);
    world.backdate("CONDEMNED", 1);
    let answer = maintain(&operators).await;
    assert_eq!(answer["counts"]["revoked"], 1, "{answer}");
    let live = world.live_keys();
    assert!(
        live.len() == 1 && live[0].key.as_str() == world.current_key(),
        "{answer}"
    );
    let audit = world.audit();
    let proofs = audit.iter().filter(|line| line["action"] == "prove_dead");
    assert_eq!(proofs.count(), 1, "{audit:?}");
}

#[tokio::test]
async fn a_leaked_key_of_okx_is_replaced_revoked_and_proven_dead() {
    let world = world().await;
    let operators = world.operators().await;
    let leaked = world.current_key();
    let order = json!({
        "operation": "break_glass", "secret": world.secret(), "reason": "seen in a log", "incident": "INC-7",
    });
    let answer = world.ask_beside_the_service(&operators, order).await;
    assert!(answer["exposure_seconds"].is_u64(), "{answer}");
    let live = world.live_keys();
    assert!(
        live.len() == 1 && live[0].key.as_str() == world.current_key(),
        "{answer}"
    );
    assert_ne!(world.current_key(), leaked);
    let audit = world.audit();
    let proofs = audit.iter().filter(|line| line["action"] == "prove_dead");
    assert_eq!(proofs.count(), 1, "{audit:?}");
}

#[tokio::test]
async fn a_policy_of_reading_gives_a_key_that_reads_from_its_addresses_alone() {
    let world = world().await;
    world.edit_current(|value| {
        value["policy"] = json!({"permissions": ["read"], "ip_allowlist": ["127.0.0.1"]});
    });
    world.open_rotation(TOKEN);
    world.rotate().await;
    let settings = &world.live_keys()[1].settings;
    assert_eq!(settings.permissions, Permissions::of(&[("perm", &["read_only"])]));
    assert_eq!(settings.ips.shown(), ["127.0.0.1"]);
}

#[tokio::test]
async fn no_passphrase_is_said_in_any_form_even_at_trace() {
    let world = World::at_with(Venue::Okx, |environment| {
        environment.with("LOG_LEVEL", "trace").with("RUST_LOG", "trace")
    })
    .await;
    world.local.venue.lock().faults.plan(CREATE, Fault::ServerError);
    world.open_rotation(TOKEN);
    world.rotate().await;
    world.edit_current(|value| value["passphrase"] = "A-wrong/passphrase+odd=1".into());
    let next = "70000000-0000-4000-8000-000000000002";
    world.open_rotation(next);
    let event = world.event("createSecret", next);
    world.function.invoke(&event).await.unwrap_err();
    // The search is made when the world ends: here, that there is something to search for.
    let (secrets, unbound) = (world.secrets(), world.local.unbound_master.as_ref().unwrap());
    let live = world.live_keys();
    let issued = world.venue(|model, _| model.credential(&live[1].key)).unwrap();
    for credential in [&world.local.master, unbound, &world.local.hand_made, &issued] {
        assert!(secrets.contains(passphrase(credential)));
        assert!(secrets.contains(credential.secret.expose()));
    }
    assert!(secrets.contains("A-wrong/passphrase+odd=1"));
}

#[tokio::test]
#[should_panic(expected = "a secret was said")]
async fn a_passphrase_that_is_said_is_noticed_when_the_world_ends() {
    let world = world().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    // A version id is written in full wherever it comes: here it is the new key's passphrase.
    let value = world.current();
    let event = world.event("createSecret", value["passphrase"].as_str().unwrap());
    world.function.invoke(&event).await.unwrap_err();
}

#[tokio::test]
async fn the_files_in_events_are_okxs_with_its_name_in_place_of_bybits() {
    let world = world().await;
    for (step, word) in STEPS.iter().zip(["issued", "agreed", "proven", "promoted"]) {
        let event = event(&step.replace("Secret", "_secret"));
        let secret = world.local.arn(world.local.stand_in.events_secret);
        assert_eq!(
            (&event["Step"], &event["SecretId"]),
            (&json!(step), &json!(secret))
        );
        assert_eq!(event["ClientRequestToken"], EVENTS_TOKEN);
        let (payload, deadline) = (
            event.to_string().into_bytes(),
            jiff::Timestamp::from_second(600).unwrap(),
        );
        let answer = world.function.invoke_raw(payload, deadline, "function-arn").await;
        assert_eq!(answer.unwrap()["outcome"], word);
    }
    let operators = world.operators().await;
    for file in ["plan", "audit", "maintain", "maintain_secret"] {
        let answer = ask(&operators, event(file)).await;
        let failed = answer["outcome"] == "failed" || codes(&answer).contains(&"NOT_DONE");
        assert!(!failed, "{file}: {answer}");
    }
}

/// A file of `events/` for OKX.
fn event(file: &str) -> Value {
    let path = format!("{}/events/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text.replace("bybit", "okx")).unwrap()
}
