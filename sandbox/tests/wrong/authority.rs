//! Variants of by whose authority something is done.

use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::bybit::{Credential, KeyId, KeySecret};
use sandbox::in_process::{SUB, Setup, World};
use sandbox::secrets_manager::{PutSecretValue, Sensitive};

use super::{Rule, SPOT, key_by_hand, seconds};

const MASTER: &str = r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>"}"#;
const HOUR: i64 = 3600;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::ClaimsBelieved, || {
        let world = unserved();
        world.bybit(|model, now| model.delete_key_by_hand(world.first_key(), now)).expect("the key is there");
        let token = world.begin_rotation();
        world.run(Step::Create, &token).is_err() && world.live_keys().is_empty()
    }),
    (Wrong::StolenKeyProves, || {
        let world = unserved();
        let token = world.rotate().expect("the victim's rotation");
        let value = world.document(&token);
        let text = |field: &str| value[field].as_str().expect("a text").to_owned();
        let stolen = Credential { key: KeyId::from(&*text("api_key")), secret: KeySecret::from(&*text("api_secret")) };
        let thief = world.add_secret("prod/bybit/thief", world.text_of_setup(), &stolen, SUB);
        let keys = world.live_keys().len();
        let begun = world.try_begin_rotation_of(&thief).expect("a rotation begins");
        let created = world.start(world.request_of(&thief, Step::Create, &begun)).finish();
        created.is_err() && world.live_keys().len() == keys
    }),
    (Wrong::IdRevokes, || {
        let world = World::new();
        let foreign = key_by_hand(&world, &[SPOT]);
        let by_id = Credential { secret: KeySecret::from("what-the-enemy-does-not-know-000000"), ..foreign.clone() };
        planted(&world, &by_id, &["COMPROMISED", "REVOKE_FIRST"]);
        passes(&world);
        world.alive(&foreign.key)
    }),
    (Wrong::LabelOrdersAnothers, || {
        let world = World::new();
        planted(&world, world.first_credential(), &["COMPROMISED", "REVOKE_FIRST"]);
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::LabelTakesAnothersGrace, || {
        let world = World::new();
        planted(&world, world.first_credential(), &["COMPROMISED"]);
        world.rotate().expect("the victim's rotation");
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::OftenUncounted, || {
        let world = World::new();
        (0..15).take_while(|_| world.rotate().is_ok()).count() <= 11
    }),
    (Wrong::OldStampsCount, || {
        // The stolen key is current nowhere any more, and no label says so.
        let world = World::new();
        let stolen = key_by_hand(&world, &[SPOT]);
        planted(&world, &stolen, &["REPLACED-20200101T000000Z-66666666", "CONDEMNED-20200201T000000Z-66666666"]);
        passes(&world);
        world.alive(&stolen.key)
    }),
];

fn unserved() -> World {
    World::with(Setup { master_document: Some(MASTER.to_owned()), ..Setup::default() })
}

fn passes(world: &World) {
    for _ in 0..3 {
        world.advance(seconds(HOUR));
        world.maintain();
    }
}

/// An enemy's secret, with a version that names this key under these labels.
fn planted(world: &World, credential: &Credential, labels: &[&str]) {
    let own = key_by_hand(world, &[SPOT]);
    let enemy = world.add_secret("prod/bybit/enemy", world.text_of_setup(), &own, SUB);
    let request = PutSecretValue {
        secret_id: enemy.as_str().to_owned(),
        client_request_token: Some("66666666-0000-4000-8000-000000000666".to_owned()),
        secret_string: Some(Sensitive::new(world.filled_in(world.text_of_setup(), credential, SUB))),
        version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
        ..PutSecretValue::default()
    };
    world.secrets_manager(|model, now| model.put_secret_value(&request, now)).expect("it is stored");
}
