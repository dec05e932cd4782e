//! Variants of by whose authority something is done.

use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::SecretId;
use protocol::operations::{Code, Form};
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{self, BOT_ADDRESS, OTHER_SUB, SUB, Setup, World};
use sandbox::venue::{Credential, Ips, KeySecret, Settings};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::ClaimsBelieved, || {
        let world = unserved();
        world.delete_key(world.first_key());
        let token = world.begin_rotation();
        world.run(Step::Create, &token).is_err() && world.live_keys().is_empty()
    }),
    (Wrong::StolenKeyProves, || {
        let world = unserved();
        let token = world.rotate().expect("the victim's rotation");
        let stolen = world.credential(&key_in(&world, &token));
        let thief = world.add_secret_of("prod/bybit/thief", &stolen);
        let keys = world.live_keys().len();
        let begun = world.try_begin_rotation_of(&thief).expect("a rotation begins");
        let created = world
            .start(world.request_of(&thief, Step::Create, &begun))
            .finish();
        created.is_err() && world.live_keys().len() == keys
    }),
    (Wrong::IdRevokes, || {
        let world = World::new();
        let foreign = world.key_by_hand(SUB);
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
        world.key_by_hand_with(OTHER_SUB, noted(note));
        world.add_secret(
            "prod/bybit/other",
            world.text_of_setup(),
            &world.key_by_hand(OTHER_SUB),
            OTHER_SUB,
        );
        world.advance(hours(1));
        world
            .operate(in_process::audit(None, Form::Findings))
            .findings
            .iter()
            .any(|found| found.code == Code::ForeignKeys && found.secret == "prod/bybit/other")
    }),
    (Wrong::AnothersReaped, || {
        let world = World::new();
        let other = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/bybit/of-another-stack-AbCdEf";
        let note = Marker::new(other, &VersionId::new("any"), 7).to_string();
        let key = world.key_by_hand_with(SUB, noted(note)).key;
        passes(&world);
        world.alive(&key)
    }),
    (Wrong::OldStampsCount, || {
        // The stolen key is current nowhere any more, and no label says so.
        let world = World::new();
        let stolen = world.key_by_hand(SUB);
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

/// What a key is that a person noted this on, for the consumers alone.
fn noted(note: String) -> Settings {
    Settings {
        note,
        ips: Ips::only([BOT_ADDRESS]),
        ..settings_by_hand(&[SPOT])
    }
}

/// An enemy's secret, with a version that names this key under these labels.
fn planted(world: &World, credential: &Credential, labels: &[&str]) -> SecretId {
    let enemy = world.add_secret_of("prod/bybit/enemy", &world.key_by_hand(SUB));
    let value = world.filled_in(world.text_of_setup(), credential, SUB);
    let version = VersionId::new("66666666-0000-4000-8000-000000000666");
    world.put_value(&enemy, &version, &value, labels);
    enemy
}
