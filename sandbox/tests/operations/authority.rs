//! Whoever may write one secret reaches no further than that secret: each of these was done once, and worked.

use protocol::marker::Marker;
use protocol::name::SecretId;
use sandbox::in_process::{OTHER_SUB, SUB};
use sandbox::venue::KeySecret;

use super::*;

/// The victim alone is served.
const SERVED: &str = concat!(
    r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>","#,
    r#""serves":{"prod/bybit/main":{"accounts":["53888000"],"#,
    r#""permissions":["derivatives","read","spot"],"ip_allowlist":["203.0.113.7"]}}}"#
);

/// A world whose master's value says this, with the victim, whose key is ours, and the enemy's secret beside
/// it.
fn with_an_enemy(master: &str) -> (Watched, SecretId) {
    let world = world_with_master(Some(master));
    world.rotate().expect("the victim's rotation");
    world.advance(hours(24 * 30));
    settle(&world);
    let own = world.key_by_hand(OTHER_SUB);
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

fn store(world: &World, enemy: &SecretId, value: &str, labels: &[&str]) {
    let version = VersionId::new(format!("{:08x}-0000-4000-8000-000000000666", world.chance()));
    world.put_value(enemy, &version, value, labels);
}

/// The victim's current credential, as whoever has stolen it has it.
fn stolen(world: &World) -> Credential {
    world.credential(&world.current_key().expect("a current key"))
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
    for master in [MASTER, SERVED] {
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
                    world.advance(hours(1));
                    world.maintain();
                }
                assert!(world.alive(&key), "{labels:?}: its grace lasts");
            }
        }
    }
}

/// OTHERS-UNHARMED: a hand wrote a stamp on a version that had just been made, and nobody stamps it anew.
#[test]
fn an_old_stamp_takes_no_grace_for_a_label_of_another_secret() {
    let world = world();
    let shared = world.key_by_hand(SUB);
    let other = world.add_secret_of("prod/bybit/other", &world.key_by_hand(SUB));
    plant(&world, &other, &shared, &["AWSCURRENT", LONG_OVER[0]]);
    plant(&world, &other, &world.key_by_hand(SUB), &["AWSCURRENT"]);
    let leaked = world.put_key(&shared, "COMPROMISED");
    let answer = world.maintain();
    assert!(world.alive(&shared.key), "{answer:#?}");
    assert!(found(&answer, Code::CompromisedHeld), "{answer:#?}");
    // Nor does it where another stamp of the key is old and true.
    world.label("COMPROMISED", None);
    world.label("REPLACED-20260101T000000Z-11111111", Some(&leaked));
    for _ in 0..3 {
        world.maintain();
        world.advance(hours(8));
    }
    assert!(world.alive(&shared.key));
}

#[test]
fn no_label_revokes_a_key_that_a_person_made_for_another_purpose() {
    for labels in [&ORDERED_DEAD[..], &LONG_OVER] {
        let (world, enemy) = with_an_enemy(MASTER);
        let foreign = world.key_by_hand(SUB);
        let by_id = Credential {
            secret: KeySecret::from("what-the-enemy-does-not-know-000000"),
            ..foreign.clone()
        };
        plant(&world, &enemy, &by_id, labels);
        world.advance(hours(24 * 8));
        settle(&world);
        assert!(world.alive(&foreign.key), "{labels:?}");
    }
}

/// HMAC takes a key with zero bytes after it for the same key: a value that says so signs alike, and looks
/// like another.
#[test]
fn a_stolen_credential_in_another_spelling_is_none() {
    let (world, enemy) = with_an_enemy(MASTER);
    let by_hand = world.key_by_hand(SUB);
    world.put_key(&by_hand, "AWSCURRENT");
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
    let world = rotated_twice();
    let copied = world.credential(&world.replaced_key);
    world.add_secret_of("prod/bybit/other", &copied);
    let mistyped = Credential {
        secret: KeySecret::from("mistyped-by-somebody-in-a-hurry-0000"),
        ..copied
    };
    for labels in [&["REPLACED-20260301T120000Z-66666666"][..], &ORDERED_DEAD] {
        plant(&world, &world.secret().clone(), &mistyped, labels);
        world.advance(hours(25));
        settle(&world);
        assert!(
            world.alive(&world.replaced_key),
            "{labels:?}: the other secret's consumers have it"
        );
    }
}

#[test]
fn an_unserved_leaked_key_that_answers_nobody_dies_by_an_order_naming_it() {
    let (world, _) = with_an_enemy(MASTER);
    let key = world.current_key().expect("a current key");
    bind(&world, &key, Ips::only([BOT_ADDRESS]));
    let order = naming(revoke_first(&world, None), &key);
    let answer = world.operate_beside_the_service(without_a_successor(order));
    assert!(!world.alive(&key), "{answer:#?}");
}

/// Whoever has stolen a key stores it with a stamp of a time to come: it would be in its grace for ever.
#[test]
fn no_stamp_of_a_time_to_come_keeps_the_victim_s_key_alive() {
    let (world, enemy) = with_an_enemy(MASTER);
    let key = world.current_key().expect("a current key");
    plant(
        &world,
        &enemy,
        &stolen(&world),
        &["REPLACED-20990101T000000Z-66666666"],
    );
    world.rotate().expect("the victim's next rotation");
    world.advance(hours(25));
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
    let version = VersionId::new("66666666-0000-4000-8000-000000000666");
    (value["created_by"], value["created_at"]) =
        ("exchange-key-rotation".into(), "2026-01-01T00:00:00Z".into());
    value["rotation"] = serde_json::json!({
        "token": version, "source": "issued", "based_on": based_on, "account": OTHER_SUB.to_string(),
        "permissions": ["spot"], "ip_allowlist": "any",
    });
    world.put_value(&enemy, &version, &value.to_string(), &["COMPROMISED"]);
    settle(&world);
    let answer = world.maintain();
    let said = answer
        .secrets
        .iter()
        .flat_map(|row| &row.keys)
        .find(|key| key.version == version.as_str())
        .expect("it was looked at");
    assert_ne!(said.alive, Some(false), "{answer:#?}");
    assert!(found(&answer, Code::GraceOverrun), "{answer:#?}");
}

#[test]
fn what_another_offers_or_breaks_keeps_no_key_of_the_victim_alive() {
    type Plant = fn(&World, &SecretId);
    let by_its_id: Plant = |world, enemy| plant(world, enemy, &by_id(world), &["CANDIDATE"]);
    let broken: Plant = |world, enemy| store(world, enemy, "{", &["CANDIDATE"]);
    for (master, planted) in [(MASTER, by_its_id), (SERVED, by_its_id), (SERVED, broken)] {
        let (world, enemy) = with_an_enemy(master);
        let key = world.current_key().expect("a current key");
        planted(&world, &enemy);
        world.rotate().expect("the victim's next rotation");
        world.advance(hours(25));
        settle(&world);
        assert!(!world.alive(&key), "its grace is over");
    }
    for (master, planted) in [(MASTER, by_its_id), (MASTER, broken), (SERVED, broken)] {
        let (world, enemy) = with_an_enemy(master);
        let key = world.current_key().expect("a current key");
        planted(&world, &enemy);
        let answer = world.operate_beside_the_service(leaked(&world, None));
        assert!(
            answer.outcome != Outcome::Failed && !world.alive(&key),
            "{answer:#?}"
        );
    }
}

#[test]
fn a_marker_of_another_secret_hides_no_key_and_no_power() {
    let (world, enemy) = with_an_enemy(MASTER);
    let marker = Marker::new(world.secret().as_str(), &VersionId::new("any"), 7).to_string();
    let mighty = Settings {
        note: marker,
        read_only: false,
        ips: Ips::only([BOT_ADDRESS]),
        permissions: Permissions::of(&[("Wallet", &["Withdraw"])]),
    };
    let mighty = world.key_by_hand_with(OTHER_SUB, mighty);
    world.advance(hours(1));
    let answer = world.operate(in_process::audit(Some(&enemy), Form::Json));
    let fingerprint = fingerprint(mighty.key.as_str());
    for code in [Code::ForeignKeys, Code::CanMoveFunds] {
        let told = answer
            .findings
            .iter()
            .any(|finding| finding.code == code && finding.say.contains(&fingerprint));
        assert!(told, "{code:?}: {answer:#?}");
    }
}

/// Nor does an id in a secret that is not served for the account.
#[test]
fn a_secret_that_is_not_served_for_the_account_hides_no_key_there() {
    for (master, hidden) in [(SERVED, false), (MASTER, true)] {
        let (world, enemy) = with_an_enemy(master);
        let foreign = world.key_by_hand(SUB);
        let by_id = Credential {
            secret: KeySecret::from("what-the-enemy-does-not-know-000000"),
            ..foreign.clone()
        };
        plant(&world, &enemy, &by_id, &["CANDIDATE"]);
        world.advance(hours(1));
        let answer = world.operate(in_process::audit(Some(world.secret()), Form::Json));
        let fingerprint = fingerprint(foreign.key.as_str());
        let told = |found: &Finding| found.code == Code::ForeignKeys && found.say.contains(&fingerprint);
        assert_eq!(answer.findings.iter().any(told), !hidden, "{answer:#?}");
    }
}

/// Whoever stores a value chooses its version's id, and can so write down that this function built it.
#[test]
fn a_value_that_claims_to_be_ours_is_not_taken_for_it() {
    let world = rotated_twice();
    let by_hand = world.key_by_hand(SUB);
    let forged = VersionId::new("66666666-0000-4000-8000-000000000666");
    let mut value = world.document(&world.token);
    value["rotation"]["token"] = forged.as_str().into();
    value["api_key"] = "<key>".into();
    value["api_secret"] = "<secret>".into();
    world.put_by_hand_as(&forged, &value.to_string(), &by_hand, SUB, "AWSCURRENT");
    world.advance(hours(1));
    assert!(found(&world.maintain(), Code::CurrentOverwritten));
    world.rotate().expect("a rotation");
    world.advance(hours(25));
    settle(&world);
    assert!(
        world.alive(&by_hand.key),
        "it was made by hand, and may sit in a file"
    );
    world.advance(hours(24 * 7));
    settle(&world);
    assert!(!world.alive(&by_hand.key));
}

#[test]
fn an_order_without_a_way_to_a_successor_is_refused_until_none_is_wanted() {
    let (world, _) = with_an_enemy(MASTER);
    let key = world.current_key().expect("a current key");
    let asked = revoke_first(&world, None);
    let answer = world.operate_beside_the_service(asked.clone());
    ended(&answer, Outcome::Failed, &[Code::Refused]);
    assert!(
        answer.findings[0].r#do.contains("serves") && answer.findings[0].r#do.contains("no_successor"),
        "{answer:#?}"
    );
    assert!(world.alive(&key));
    let insisted = without_a_successor(asked);
    let answer = world.operate_beside_the_service(insisted);
    assert!(!world.alive(&key), "{answer:#?}");
    // Where the master says whom it serves, nobody has to insist.
    let (world, _) = with_an_enemy(SERVED);
    let key = world.current_key().expect("a current key");
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert!(
        !world.alive(&key) && world.current_key().is_some_and(|current| world.alive(&current)),
        "{answer:#?}"
    );
}

#[test]
fn a_key_that_nothing_proves_dies_by_an_order_that_names_it() {
    for named in [false, true] {
        let (world, _) = with_an_enemy(SERVED);
        let bound = world.key_by_hand(SUB);
        bind(&world, &bound.key, Ips::only([BOT_ADDRESS]));
        let version = world.put_key(&bound, "KEPT");
        world.advance(hours(1));
        let order = revoke_first(&world, Some(&version));
        let order = if named { naming(order, &bound.key) } else { order };
        let answer = world.operate_beside_the_service(order);
        assert_eq!(world.alive(&bound.key), !named, "{answer:#?}");
    }
}
