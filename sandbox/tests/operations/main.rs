//! The operations over the sandbox's models, in one process: each test is named after the promise it keeps.

mod adoption;
mod adversity;
mod audit;
mod audit_in_parts;
mod audited_account;
mod authority;
mod by_fingerprint;
mod current;
mod demo;
mod doubt;
mod emergency;
mod envelope;
mod fleet;
mod grace;
mod histories;
mod holders;
mod leaked_copies;
mod leaked_master;
mod offers_in_the_way;
mod orphans;
mod plan;
mod proof;
mod reported;
mod strain;
mod tags;
mod way_back;

use std::ops::Deref;

use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::operations::{Answer, Code, Outcome};
use sandbox::bybit::{Credential, Ips, KeyId, Permissions, Settings, Uid};
use sandbox::in_process::{BOT_ADDRESS, FUNCTION_ADDRESS, Operation, Setup, World};
use sandbox::secrets_manager::{Replica, ReplicaStatus, RotateSecret, RotationRules};

/// A world that has to have kept every secret to itself, and every promise, when a test is done with it.
struct Watched(World);

impl Deref for Watched {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.0.leaks(), Vec::<String>::new(), "a secret was said");
            assert_eq!(self.0.violations(), Vec::new(), "a promise was broken");
            envelope::must_all_fit(&self.0.answers());
        }
    }
}

fn world() -> Watched {
    Watched(World::with(Setup::default()))
}

/// A world where one rotation has just been done: its version, and the key and version it replaced.
fn rotated() -> (Watched, VersionId, KeyId, VersionId) {
    let world = world();
    let (key, version) = (world.first_key().clone(), world.first_version());
    let token = world.rotate().expect("a rotation");
    (world, token, key, version)
}

/// A world where two rotations have been done, the second just now: the key of the first is ours.
fn rotated_twice() -> (Watched, VersionId, KeyId, VersionId) {
    let (world, first, _, _) = rotated();
    world.advance(SignedDuration::from_hours(24 * 30));
    settle(&world);
    let key = key_in(&world, &first);
    let token = world.rotate().expect("a rotation");
    (world, token, key, first)
}

/// Passes until there is nothing more to do.
fn settle(world: &World) {
    for _ in 0..5 {
        world.maintain();
        hour(world);
    }
}

fn hour(world: &World) {
    world.advance(SignedDuration::from_hours(1));
}

fn hours(world: &World, count: i64) {
    world.advance(SignedDuration::from_hours(count));
}

fn key_in(world: &World, version: &VersionId) -> KeyId {
    world.key_in(version).expect("the version names a key")
}

fn key_by_hand(world: &World, uid: Uid) -> Credential {
    let permissions = Permissions::of(&[
        ("Spot", &["SpotTrade"]),
        ("ContractTrade", &["Order", "Position"]),
    ]);
    let ips = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
    let settings = Settings {
        note: "by hand".to_owned(),
        read_only: false,
        ips,
        permissions,
    };
    world
        .bybit(|model, now| model.create_key_by_hand(uid, settings, now))
        .expect("the account is there")
}

fn delete(world: &World, key: &KeyId) {
    world
        .bybit(|model, now| model.delete_key_by_hand(key, now))
        .expect("the key is there");
}

/// Sets how often the secret is to be rotated, and rotates nothing.
fn schedule(world: &World, days: u32) {
    let rules = RotateSecret {
        secret_id: world.secret().as_str().to_owned(),
        rotation_rules: Some(RotationRules {
            automatically_after_days: Some(i64::from(days)),
            ..Default::default()
        }),
        rotate_immediately: Some(false),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.rotate_secret(&rules, now))
        .expect("a schedule");
    while world.run_due().is_some() {}
}

/// Binds a key to other addresses, by hand.
fn bind(world: &World, key: &KeyId, ips: Ips) {
    let mut settings = world
        .bybit(|model, _| model.key(key))
        .expect("the key is there")
        .settings;
    settings.ips = ips;
    world
        .bybit(|model, now| model.edit_key_by_hand(key, settings, now))
        .expect("it is edited");
    hour(world);
}

/// A replica of the secret, and how it is.
fn replicate(world: &World, status: ReplicaStatus) {
    let replica = Replica {
        region: "eu-west-1".to_owned(),
        status,
        status_message: None,
    };
    world
        .secrets_manager(|model, _| model.set_replicas(world.secret().as_str(), vec![replica]))
        .expect("the secret is there");
}

/// The codes of what was found, the worst first.
fn codes(answer: &Answer) -> Vec<Code> {
    answer.findings.iter().map(|finding| finding.code).collect()
}

#[track_caller]
fn all_is_well(answer: &Answer) {
    assert_eq!(
        (answer.outcome, codes(answer)),
        (Outcome::Ok, vec![]),
        "{answer:#?}"
    );
}

/// What was written since the calls were last asked for.
fn writes(world: &World) -> Vec<Operation> {
    let operations = world.take_operations().into_iter();
    operations
        .filter(|operation| operation.writes() && *operation != Operation::Tag)
        .collect()
}
