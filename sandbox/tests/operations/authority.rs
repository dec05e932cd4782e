//! Whoever may write one secret reaches no further than that secret: each of these was done once, and worked.

use protocol::marker::Marker;
use protocol::name::SecretId;
use protocol::operations::{Mode, OperationRequest};
use sandbox::bybit::KeySecret;
use sandbox::in_process::{OTHER_SUB, SUB};
use sandbox::secrets_manager::{PutSecretValue, Sensitive};

use super::emergency;
use super::*;

const UNSERVED: &str = r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>"}"#;
/// The victim alone is served.
const SERVED: &str = r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>","serves":{"prod/bybit/main":{"accounts":["53888000"],"permissions":["derivatives","read","spot"],"ip_allowlist":["203.0.113.7"]}}}"#;

/// A world whose master's value says this, with the victim, whose key is ours, and the enemy's secret beside
/// it.
fn with_an_enemy(master: &str) -> (Watched, SecretId) {
    let world = Watched(World::with(Setup {
        master_document: Some(master.to_owned()),
        ..Setup::default()
    }));
    world.rotate().expect("the victim's rotation");
    hours(&world, 24 * 30);
    settle(&world);
    let own = key_by_hand(&world, OTHER_SUB);
    let enemy = world.add_secret("prod/bybit/enemy", world.text_of_setup(), &own, OTHER_SUB);
    (world, enemy)
}

/// What the enemy stores: this key, whoever's it is, under these labels.
fn plant(world: &World, enemy: &SecretId, credential: &Credential, labels: &[&str]) {
    store(
        world,
        enemy,
        &world.filled_in(world.text_of_setup(), credential, SUB),
        labels,
    );
}

fn store(world: &World, enemy: &SecretId, value: &str, labels: &[&str]) -> VersionId {
    let version = format!("{:08x}-0000-4000-8000-000000000666", world.chance());
    let request = PutSecretValue {
        secret_id: enemy.as_str().to_owned(),
        client_request_token: Some(version.clone()),
        secret_string: Some(Sensitive::new(value.to_owned())),
        version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
        ..PutSecretValue::default()
    };
    world
        .secrets_manager(|model, now| model.put_secret_value(&request, now))
        .expect("it is stored");
    VersionId::new(version)
}

/// The victim's current credential, as whoever has stolen it has it.
fn stolen(world: &World) -> Credential {
    let version = world.holder("AWSCURRENT").expect("a version is current");
    let secret = KeySecret::from(
        world.document(&version)["api_secret"]
            .as_str()
            .expect("a key secret"),
    );
    Credential {
        key: key_in(world, &version),
        secret,
    }
}

/// The victim's current key by its id alone.
fn by_id(world: &World) -> Credential {
    Credential {
        secret: KeySecret::from("what-the-enemy-does-not-know-000000"),
        ..stolen(world)
    }
}

const ORDERED_DEAD: [&str; 2] = ["COMPROMISED", "REVOKE_FIRST"];
const LONG_OVER: [&str; 2] = [
    "REPLACED-20200101T000000Z-00000000",
    "CONDEMNED-20200201T000000Z-00000000",
];

#[test]
fn no_label_on_a_version_that_names_another_s_key_harms_that_key() {
    for master in [UNSERVED, SERVED] {
        for labels in [&ORDERED_DEAD[..], &LONG_OVER, &["COMPROMISED"]] {
            for has_it in [false, true] {
                let (world, enemy) = with_an_enemy(master);
                let key = world.current_key().expect("a current key");
                let credential = if has_it { stolen(&world) } else { by_id(&world) };
                plant(&world, &enemy, &credential, labels);
                settle(&world);
                assert!(world.alive(&key), "{labels:?}");
                // Nor does it take the grace from the key that the victim replaces next.
                world.rotate().expect("the victim's next rotation");
                for _ in 0..20 {
                    hour(&world);
                    world.maintain();
                }
                assert!(world.alive(&key), "{labels:?}: its grace lasts");
            }
        }
    }
}

#[test]
fn no_label_revokes_a_key_that_a_person_made_for_another_purpose() {
    for labels in [&ORDERED_DEAD[..], &LONG_OVER] {
        let (world, enemy) = with_an_enemy(UNSERVED);
        let foreign = key_by_hand(&world, SUB);
        let by_id = Credential {
            secret: KeySecret::from("what-the-enemy-does-not-know-000000"),
            ..foreign.clone()
        };
        plant(&world, &enemy, &by_id, labels);
        hours(&world, 24 * 8);
        settle(&world);
        assert!(world.alive(&foreign.key), "{labels:?}");
    }
}

/// HMAC takes a key with zero bytes after it for the same key: a value that says so signs alike, and looks
/// like another.
#[test]
fn a_stolen_credential_in_another_spelling_is_none() {
    let (world, enemy) = with_an_enemy(UNSERVED);
    let by_hand = key_by_hand(&world, SUB);
    world.put_by_hand(world.text_of_setup(), &by_hand, SUB, "AWSCURRENT");
    let spelt = KeySecret::from(format!("{}\\u0000", by_hand.secret.expose()).as_str());
    plant(
        &world,
        &enemy,
        &Credential {
            secret: spelt,
            ..by_hand.clone()
        },
        &["COMPROMISED"],
    );
    settle(&world);
    assert!(world.alive(&by_hand.key));
}

/// A version that names a key of its own secret with a wrong key secret ends it no more than any other does.
#[test]
fn a_mistyped_copy_does_not_end_a_key_that_another_secret_has() {
    let (world, _, key, _) = rotated_twice();
    let secret =
        world.document(&world.holder("AWSPREVIOUS").expect("a version before"))["api_secret"].clone();
    let copied = Credential {
        key: key.clone(),
        secret: KeySecret::from(secret.as_str().expect("a key secret")),
    };
    world.add_secret("prod/bybit/other", world.text_of_setup(), &copied, SUB);
    let mistyped = Credential {
        secret: KeySecret::from("mistyped-by-somebody-in-a-hurry-0000"),
        ..copied
    };
    for labels in [&["REPLACED-20260301T120000Z-66666666"][..], &ORDERED_DEAD] {
        plant(&world, &world.secret().clone(), &mistyped, labels);
        hours(&world, 25);
        settle(&world);
        assert!(
            world.alive(&key),
            "{labels:?}: the other secret's consumers have it"
        );
    }
}

#[test]
fn an_unserved_leaked_key_that_answers_nobody_dies_by_an_order_naming_it() {
    let (world, _) = with_an_enemy(UNSERVED);
    let key = world.current_key().expect("a current key");
    bind(&world, &key, Ips::only([BOT_ADDRESS]));
    let OperationRequest::BreakGlass {
        secret,
        version,
        mode,
        order,
        ..
    } = emergency::order(world.secret(), None, Mode::RevokeFirst)
    else {
        panic!("another request")
    };
    let fingerprint = protocol::secret::KeyId::parse(key.as_str())
        .expect("a key id")
        .fingerprint()
        .parse()
        .ok();
    let answer = world.operate_beside_the_service(OperationRequest::BreakGlass {
        secret,
        version,
        mode,
        fingerprint,
        no_successor: true,
        order,
    });
    assert!(!world.alive(&key), "{answer:#?}");
}

/// Whoever has stolen a key stores it with a stamp of a time to come: it would be in its grace for ever.
#[test]
fn no_stamp_of_a_time_to_come_keeps_the_victim_s_key_alive() {
    let (world, enemy) = with_an_enemy(UNSERVED);
    let key = world.current_key().expect("a current key");
    plant(
        &world,
        &enemy,
        &stolen(&world),
        &["REPLACED-20990101T000000Z-66666666"],
    );
    world.rotate().expect("the victim's next rotation");
    hours(&world, 25);
    settle(&world);
    assert!(!world.alive(&key), "its grace is over");
}

/// A version that names another's key, and says of itself that this function built it for an account where
/// that key is not.
#[test]
fn another_s_key_is_not_said_to_be_dead() {
    let (world, enemy) = with_an_enemy(SERVED);
    let victim = by_id(&world);
    let based_on = world
        .of(&enemy, |secret| secret.holder("AWSCURRENT").map(str::to_owned))
        .expect("a current version");
    let mut value: serde_json::Value =
        serde_json::from_str(&world.filled_in(world.text_of_setup(), &victim, OTHER_SUB)).expect("a value");
    let version = "66666666-0000-4000-8000-000000000666";
    (value["created_by"], value["created_at"]) =
        ("exchange-key-rotation".into(), "2026-01-01T00:00:00Z".into());
    value["rotation"] = serde_json::json!({
        "token": version, "source": "issued", "based_on": based_on, "account": OTHER_SUB.to_string(),
        "permissions": ["spot"], "ip_allowlist": "any",
    });
    let request = PutSecretValue {
        secret_id: enemy.as_str().to_owned(),
        client_request_token: Some(version.to_owned()),
        secret_string: Some(Sensitive::new(value.to_string())),
        version_stages: Some(vec!["COMPROMISED".to_owned()]),
        ..PutSecretValue::default()
    };
    world
        .secrets_manager(|model, now| model.put_secret_value(&request, now))
        .expect("it is stored");
    settle(&world);
    let answer = world.maintain();
    let said = answer
        .secrets
        .iter()
        .flat_map(|row| &row.keys)
        .find(|key| key.version == version)
        .expect("it was looked at");
    assert_ne!(said.alive, Some(false), "{answer:#?}");
    assert!(codes(&answer).contains(&Code::GraceOverrun), "{answer:#?}");
}

#[test]
fn what_another_offers_or_breaks_keeps_no_key_of_the_victim_alive() {
    type Plant = fn(&World, &SecretId);
    let by_its_id: Plant = |world, enemy| plant(world, enemy, &by_id(world), &["CANDIDATE"]);
    let broken: Plant = |world, enemy| drop(store(world, enemy, "{", &["CANDIDATE"]));
    for (master, planted) in [(UNSERVED, by_its_id), (SERVED, by_its_id), (SERVED, broken)] {
        let (world, enemy) = with_an_enemy(master);
        let key = world.current_key().expect("a current key");
        planted(&world, &enemy);
        world.rotate().expect("the victim's next rotation");
        hours(&world, 25);
        settle(&world);
        assert!(!world.alive(&key), "its grace is over");
    }
    for (master, planted) in [(UNSERVED, by_its_id), (UNSERVED, broken), (SERVED, broken)] {
        let (world, enemy) = with_an_enemy(master);
        let key = world.current_key().expect("a current key");
        planted(&world, &enemy);
        let answer =
            world.operate_beside_the_service(emergency::order(world.secret(), None, Mode::ReplaceFirst));
        assert!(
            answer.outcome != Outcome::Failed && !world.alive(&key),
            "{answer:#?}"
        );
    }
}

#[test]
fn a_marker_of_another_secret_hides_no_key_and_no_power() {
    let (world, enemy) = with_an_enemy(UNSERVED);
    let marker = Marker::new(world.secret().as_str(), &VersionId::new("any"), 7).to_string();
    let mighty = Settings {
        note: marker,
        read_only: false,
        ips: Ips::only([BOT_ADDRESS]),
        permissions: Permissions::of(&[("Wallet", &["Withdraw"])]),
    };
    let mighty = world
        .bybit(|model, now| model.create_key_by_hand(OTHER_SUB, mighty, now))
        .expect("the account is there");
    hour(&world);
    let audit = OperationRequest::Audit {
        shard: protocol::operations::Shard::ALL,
        secret: Some(enemy),
        fingerprint: None,
        after: None,
        form: protocol::operations::Form::Json,
    };
    let answer = world.operate(audit);
    let fingerprint = protocol::secret::KeyId::parse(mighty.key.as_str())
        .expect("a key id")
        .fingerprint();
    for code in [Code::ForeignKeys, Code::CanMoveFunds] {
        let told = answer
            .findings
            .iter()
            .any(|finding| finding.code == code && finding.say.contains(&fingerprint));
        assert!(told, "{code:?}: {answer:#?}");
    }
}

/// Whoever stores a value chooses its version's id, and can so write down that this function built it.
#[test]
fn a_value_that_claims_to_be_ours_is_not_taken_for_it() {
    let (world, token, _, _) = rotated_twice();
    let by_hand = key_by_hand(&world, SUB);
    let forged = VersionId::new("66666666-0000-4000-8000-000000000666");
    let mut value = world.document(&token);
    value["rotation"]["token"] = forged.as_str().into();
    value["api_key"] = "<key>".into();
    value["api_secret"] = "<secret>".into();
    world.put_by_hand_as(&forged, &value.to_string(), &by_hand, SUB, "AWSCURRENT");
    hour(&world);
    assert!(codes(&world.maintain()).contains(&Code::CurrentOverwritten));
    world.rotate().expect("a rotation");
    hours(&world, 25);
    settle(&world);
    assert!(
        world.alive(&by_hand.key),
        "it was made by hand, and may sit in a file"
    );
    hours(&world, 24 * 7);
    settle(&world);
    assert!(!world.alive(&by_hand.key));
}

#[test]
fn an_order_without_a_way_to_a_successor_is_refused_until_none_is_wanted() {
    let (world, _) = with_an_enemy(UNSERVED);
    let key = world.current_key().expect("a current key");
    let asked = emergency::order(world.secret(), None, Mode::RevokeFirst);
    let answer = world.operate_beside_the_service(asked.clone());
    assert_eq!(
        (answer.outcome, codes(&answer)),
        (Outcome::Failed, vec![Code::Refused]),
        "{answer:#?}"
    );
    assert!(
        answer.findings[0].r#do.contains("serves") && answer.findings[0].r#do.contains("no_successor"),
        "{answer:#?}"
    );
    assert!(world.alive(&key));
    let OperationRequest::BreakGlass {
        secret,
        version,
        mode,
        fingerprint,
        order,
        ..
    } = asked
    else {
        panic!("another request")
    };
    let insisted = OperationRequest::BreakGlass {
        secret,
        version,
        mode,
        fingerprint,
        no_successor: true,
        order,
    };
    let answer = world.operate_beside_the_service(insisted);
    assert!(!world.alive(&key), "{answer:#?}");
    // Where the master says whom it serves, nobody has to insist.
    let (world, _) = with_an_enemy(SERVED);
    let key = world.current_key().expect("a current key");
    let answer = world.operate_beside_the_service(emergency::order(world.secret(), None, Mode::RevokeFirst));
    assert!(
        !world.alive(&key) && world.current_key().is_some_and(|current| world.alive(&current)),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_nothing_proves_dies_by_an_order_that_names_it() {
    for named in [false, true] {
        let (world, _) = with_an_enemy(SERVED);
        let bound = key_by_hand(&world, SUB);
        bind(&world, &bound.key, Ips::only([BOT_ADDRESS]));
        let version = world.put_by_hand(world.text_of_setup(), &bound, SUB, "KEPT");
        hour(&world);
        let OperationRequest::BreakGlass {
            secret,
            version,
            mode,
            no_successor,
            order,
            ..
        } = emergency::order(world.secret(), Some(&version), Mode::RevokeFirst)
        else {
            panic!("another request")
        };
        let key = protocol::secret::KeyId::parse(bound.key.as_str()).expect("a key id");
        let fingerprint = named.then(|| key.fingerprint().parse().expect("a fingerprint"));
        let answer = world.operate_beside_the_service(OperationRequest::BreakGlass {
            secret,
            version,
            mode,
            fingerprint,
            no_successor,
            order,
        });
        assert_eq!(world.alive(&bound.key), !named, "{answer:#?}");
    }
}
