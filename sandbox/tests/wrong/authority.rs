//! Variants of by whose authority something is done.

use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::SecretId;
use protocol::operations::{Code, Form, OperationRequest, Shard};
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::bybit::{Credential, Ips, KeyId, KeySecret, Permissions, Settings};
use sandbox::in_process::{BOT_ADDRESS, FUNCTION_ADDRESS, OTHER_SUB, SUB, Setup, World};
use sandbox::secrets_manager::{PutSecretValue, Sensitive};

use super::{Rule, SPOT, key_by_hand, seconds};

const MASTER: &str = r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>"}"#;
const HOUR: i64 = 3600;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::ClaimsBelieved, || {
        let world = unserved();
        world
            .bybit(|model, now| model.delete_key_by_hand(world.first_key(), now))
            .expect("the key is there");
        let token = world.begin_rotation();
        world.run(Step::Create, &token).is_err() && world.live_keys().is_empty()
    }),
    (Wrong::StolenKeyProves, || {
        let world = unserved();
        let token = world.rotate().expect("the victim's rotation");
        let value = world.document(&token);
        let text = |field: &str| value[field].as_str().expect("a text").to_owned();
        let stolen = Credential {
            key: KeyId::from(&*text("api_key")),
            secret: KeySecret::from(&*text("api_secret")),
        };
        let thief = world.add_secret("prod/bybit/thief", world.text_of_setup(), &stolen, SUB);
        let keys = world.live_keys().len();
        let begun = world.try_begin_rotation_of(&thief).expect("a rotation begins");
        let created = world
            .start(world.request_of(&thief, Step::Create, &begun))
            .finish();
        created.is_err() && world.live_keys().len() == keys
    }),
    (Wrong::IdRevokes, || {
        let world = World::new();
        let foreign = key_by_hand(&world, &[SPOT]);
        let by_id = Credential {
            secret: KeySecret::from("what-the-enemy-does-not-know-000000"),
            ..foreign.clone()
        };
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
    (Wrong::MarkerHides, || {
        let world = World::new();
        let enemy = planted(&world, world.first_credential(), &["SCRATCH"]);
        let note = Marker::new(enemy.as_str(), &VersionId::new("any"), 7).to_string();
        let permissions = Permissions::of(&[SPOT]);
        let settings = Settings {
            note,
            read_only: false,
            ips: Ips::only([BOT_ADDRESS]),
            permissions,
        };
        world
            .bybit(|model, now| model.create_key_by_hand(OTHER_SUB, settings, now))
            .expect("the account is there");
        let other = world.bybit(|model, now| {
            let ips = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
            let settings = Settings {
                note: String::new(),
                read_only: false,
                ips,
                permissions: Permissions::of(&[SPOT]),
            };
            model.create_key_by_hand(OTHER_SUB, settings, now)
        });
        world.add_secret(
            "prod/bybit/other",
            world.text_of_setup(),
            &other.expect("the account is there"),
            OTHER_SUB,
        );
        world.advance(seconds(HOUR));
        let form = Form::Findings;
        let audit = OperationRequest::Audit {
            shard: Shard::ALL,
            secret: None,
            fingerprint: None,
            after: None,
            form,
        };
        world
            .operate(audit)
            .findings
            .iter()
            .any(|found| found.code == Code::ForeignKeys && found.secret == "prod/bybit/other")
    }),
    (Wrong::AnothersReaped, || {
        let world = World::new();
        let other = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/bybit/of-another-stack-AbCdEf";
        let note = Marker::new(other, &VersionId::new("any"), 7).to_string();
        let settings = Settings {
            note,
            read_only: false,
            ips: Ips::only([BOT_ADDRESS]),
            permissions: Permissions::of(&[SPOT]),
        };
        let key = world
            .bybit(|model, now| model.create_key_by_hand(SUB, settings, now))
            .expect("the account is there")
            .key;
        passes(&world);
        world.alive(&key)
    }),
    (Wrong::OldStampsCount, || {
        // The stolen key is current nowhere any more, and no label says so.
        let world = World::new();
        let stolen = key_by_hand(&world, &[SPOT]);
        planted(
            &world,
            &stolen,
            &[
                "REPLACED-20200101T000000Z-66666666",
                "CONDEMNED-20200201T000000Z-66666666",
            ],
        );
        passes(&world);
        world.alive(&stolen.key)
    }),
];

fn unserved() -> World {
    World::with(Setup {
        master_document: Some(MASTER.to_owned()),
        ..Setup::default()
    })
}

fn passes(world: &World) {
    for _ in 0..3 {
        world.advance(seconds(HOUR));
        world.maintain();
    }
}

/// An enemy's secret, with a version that names this key under these labels.
fn planted(world: &World, credential: &Credential, labels: &[&str]) -> SecretId {
    let own = key_by_hand(world, &[SPOT]);
    let enemy = world.add_secret("prod/bybit/enemy", world.text_of_setup(), &own, SUB);
    let request = PutSecretValue {
        secret_id: enemy.as_str().to_owned(),
        client_request_token: Some("66666666-0000-4000-8000-000000000666".to_owned()),
        secret_string: Some(Sensitive::new(world.filled_in(
            world.text_of_setup(),
            credential,
            SUB,
        ))),
        version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
        ..PutSecretValue::default()
    };
    world
        .secrets_manager(|model, now| model.put_secret_value(&request, now))
        .expect("it is stored");
    enemy
}
