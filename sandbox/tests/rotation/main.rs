//! The rotation over the sandbox's models, in one process: each test is named after the promise it keeps.

mod bad_input;
mod create;
mod doomed;
mod faults;
mod finish;
mod inherit;
mod leaked_offers;
mod not_given_up;
mod offers;
mod often;
mod plain;
mod scope;
mod set;
mod slots;
mod supplied;
mod swap;
mod test_step;

use std::ops::Deref;

use jiff::SignedDuration;
use protocol::ErrorType;
use protocol::label::VersionId;
use protocol::rotation::{Done, Step};
use sandbox::bybit::{Credential, Ips, KeyId, Permissions, Settings, Uid};
use sandbox::in_process::{
    BOT_ADDRESS, FUNCTION_ADDRESS, Failure, Invocation, Operation, Point, SUB, Setup, Ticket, World,
};

/// A world that has to have kept every secret to itself when a test is done with it.
struct Silent(World);

impl Deref for Silent {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.0.leaks(), Vec::<String>::new(), "a secret was said");
            assert_eq!(self.0.violations(), Vec::new(), "a promise was broken");
        }
    }
}

fn world() -> Silent {
    world_with(Setup::default())
}

fn world_with(setup: Setup) -> Silent {
    Silent(World::with(setup))
}

/// A world whose secret has this value.
fn world_of(document: &str) -> Silent {
    world_with(Setup {
        document: document.to_owned(),
        ..Setup::default()
    })
}

/// The least value there can be, and these fields.
fn value(fields: &str) -> String {
    format!(r#"{{"api_key":"<key>","api_secret":"<secret>","masterarn":"<master>"{fields}}}"#)
}

/// A master's value that does not say whom it serves.
const MASTER: &str = r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>"}"#;

const POLICY: &str = r#","policy":{"permissions":["read","spot"],"ip_allowlist":["203.0.113.7"]}"#;
const SUBACCOUNT: &str = r#","subaccount":"<account>""#;

/// The error's message, where it is of this type.
#[track_caller]
fn refused(result: Result<Done, Failure>, expected: ErrorType) -> String {
    match result {
        Err(Failure::Error(error)) if error.error_type == expected => error.to_string(),
        other => panic!("{expected} was expected, and this came: {other:?}"),
    }
}

#[track_caller]
fn crashed(result: &Result<Done, Failure>) {
    assert!(matches!(result, Err(Failure::Crashed)), "{result:?}");
}

#[track_caller]
fn done(result: Result<Done, Failure>, expected: Done) {
    match result {
        Ok(done) if done == expected => {}
        other => panic!("{expected:?} was expected, and this came: {other:?}"),
    }
}

/// The rest of a rotation whose createSecret is done.
#[track_caller]
fn completes(world: &World, token: &VersionId) {
    done(world.run(Step::Set, token), Done::Agreed);
    done(world.run(Step::Test, token), Done::Proven);
    done(world.run(Step::Finish, token), Done::Promoted);
    assert_eq!(world.holder("AWSCURRENT").as_ref(), Some(token));
}

/// A token with a value: createSecret is done.
#[track_caller]
fn created(world: &World) -> VersionId {
    let token = world.begin_rotation();
    done(world.run(Step::Create, &token), Done::Issued);
    token
}

/// Drives an invocation until it is about to make a call of this operation, and no further.
#[track_caller]
fn until(run: &mut Invocation, operation: Operation) -> Ticket {
    for _ in 0..50 {
        assert!(run.poll().is_pending(), "it ended before {operation:?}");
        for (ticket, point) in run.waiting() {
            match point {
                Point::Call(call) if call.operation == operation => return ticket,
                _ => run.let_through(ticket, None),
            }
        }
    }
    panic!("it never came to {operation:?}");
}

/// What was written since the calls were last asked for.
fn writes(world: &World) -> Vec<Operation> {
    world
        .take_operations()
        .into_iter()
        .filter(|operation| operation.writes())
        .collect()
}

/// Settings by hand, bound to the bot's and the function's address.
fn settings(groups: &[(&str, &[&str])]) -> Settings {
    let ips = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
    Settings {
        note: "by hand".to_owned(),
        read_only: false,
        ips,
        permissions: Permissions::of(groups),
    }
}

const SPOT: (&str, &[&str]) = ("Spot", &["SpotTrade"]);

fn key_by_hand(world: &World, uid: Uid, settings: Settings) -> Credential {
    world
        .bybit(|model, now| model.create_key_by_hand(uid, settings, now))
        .expect("the account is there")
}

fn settings_of(world: &World, key: &KeyId) -> Settings {
    world
        .bybit(|model, _| model.key(key))
        .expect("the key existed")
        .settings
}

fn change(world: &World, key: &KeyId, change: impl FnOnce(&mut Settings)) {
    let mut settings = settings_of(world, key);
    change(&mut settings);
    world
        .bybit(|model, now| model.edit_key_by_hand(key, settings, now))
        .expect("the key is there");
}

fn delete(world: &World, key: &KeyId) {
    world
        .bybit(|model, now| model.delete_key_by_hand(key, now))
        .expect("the key is there");
}

/// The key that a version names.
fn key_in(world: &World, version: &VersionId) -> KeyId {
    world.key_in(version).expect("the version names a key")
}

/// The keys that are alive, as the venue numbers its accounts' keys: oldest first.
fn live(world: &World) -> Vec<KeyId> {
    world.live_keys().into_iter().map(|key| key.key).collect()
}

/// Makes a version current that a person stored, with a new key of the sub-account, as `put-secret-value`
/// does.
fn new_current_by_hand(world: &World) -> VersionId {
    let key = key_by_hand(world, SUB, settings(&[SPOT]));
    world.put_by_hand(&value(&format!("{SUBACCOUNT}{POLICY}")), &key, SUB, "AWSCURRENT")
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// A little more than the time after which a key that was not stored will never be.
const SETTLED: SignedDuration = SignedDuration::from_secs(17 * 60 + 1);
