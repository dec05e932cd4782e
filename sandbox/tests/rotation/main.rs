//! The rotation over the sandbox's models, in one process: each test is named after the promise it keeps.

mod accounts;
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
mod ways;

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/other_venues.rs"]
mod other_venues;
#[path = "../harness/watched.rs"]
mod watched;

use harness::{MASTER, copied, created, hours, key_in, minutes, new_current_by_hand, seconds, unstored};
use jiff::SignedDuration;
use protocol::ErrorType;
use protocol::label::VersionId;
use protocol::rotation::{Done, Step};
use sandbox::in_process::{
    BOT_ADDRESS, FUNCTION_ADDRESS, Failure, OPTIONS, Operation, Power, SETTLED, SPOT, SUB, Setup, TRADES,
    TRANSFERS, World, settings_by_hand,
};
use sandbox::venue::{Ips, KeyId, Permissions, Settings};
use watched::{Watched, world, world_of, world_with, world_with_master};

/// The least value there can be, and these fields.
fn value(fields: &str) -> String {
    format!(r#"{{"api_key":"<key>","api_secret":"<secret>","masterarn":"<master>"{fields}}}"#)
}

const POLICY: &str = r#","policy":{"permissions":["read","spot"],"ip_allowlist":["203.0.113.7"]}"#;
const SUBACCOUNT: &str = r#","subaccount":"<account>""#;
/// A value that says all that a dead key does not tell.
const FULL: &str = concat!(
    r#"{"api_key":"<key>","api_secret":"<secret>","masterarn":"<master>","subaccount":"<account>","#,
    r#""policy":{"permissions":["read","spot"],"ip_allowlist":["203.0.113.7"]}}"#
);

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

/// What createSecret says that is refused like this, and writes nothing.
#[track_caller]
fn issues_nothing(world: &World, expected: ErrorType) -> String {
    let token = world.begin_rotation();
    world.take_calls();
    let said = refused(world.run(Step::Create, &token), expected);
    assert_eq!(world.take_writes(), [], "{said}");
    said
}

/// The first version is the one before, and was replaced then.
#[track_caller]
fn first_was_replaced_at(world: &World, time: &str) {
    assert_eq!(
        world.labels(&world.first_version()),
        ["AWSPREVIOUS".to_owned(), format!("REPLACED-{time}-00000000")]
    );
}

/// The rest of a rotation whose createSecret is done.
#[track_caller]
fn completes(world: &World, token: &VersionId) {
    done(world.run(Step::Set, token), Done::Agreed);
    done(world.run(Step::Test, token), Done::Proven);
    done(world.run(Step::Finish, token), Done::Promoted);
    assert_eq!(world.holder("AWSCURRENT").as_ref(), Some(token));
}

/// The keys that are alive, as the venue numbers its accounts' keys: oldest first.
fn live(world: &World) -> Vec<KeyId> {
    world.live_keys().into_iter().map(|key| key.key).collect()
}
