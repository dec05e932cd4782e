//! What all tests over the models in one process have in common. What a person does in a world, and what is
//! true in it, are methods of [`World`].

use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::rotation::{Done, Step};
use sandbox::in_process::{Failure, Fault, Operation, SUB, World};
use sandbox::venue::KeyId;

/// A master's value that does not say whom it serves.
pub(crate) const MASTER: &str = r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>"}"#;

pub(crate) const fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

pub(crate) const fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

pub(crate) const fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// The key that a version names.
#[track_caller]
pub(crate) fn key_in(world: &World, version: &VersionId) -> KeyId {
    world.key_in(version).expect("the version names a key")
}

/// A token with a key that was issued for it: createSecret is done.
#[track_caller]
pub(crate) fn created(world: &World) -> VersionId {
    let token = world.begin_rotation();
    let ended = world.run(Step::Create, &token);
    assert!(matches!(ended, Ok(Done::Issued)), "{ended:?}");
    token
}

/// A token with the key of an offer: createSecret is done.
#[track_caller]
pub(crate) fn copied(world: &World) -> VersionId {
    let token = world.begin_rotation();
    let ended = world.run(Step::Create, &token);
    assert!(matches!(ended, Ok(Done::Copied)), "{ended:?}");
    token
}

/// A token, and the key that was issued for it by a run that died before it could store it.
#[track_caller]
pub(crate) fn unstored(world: &World) -> (VersionId, KeyId) {
    let token = world.begin_rotation();
    world.plan(Operation::Issue, 1, Fault::CrashAfter);
    let ended = world.run(Step::Create, &token);
    assert!(matches!(ended, Err(Failure::Crashed)), "{ended:?}");
    let issued = <[KeyId; 1]>::try_from(world.live_keys_for(&token));
    let [lost] = issued.expect("one key was issued");
    (token, lost)
}

/// Makes a version current that a person stored, with a new key of the sub-account, as `put-secret-value`
/// does.
pub(crate) fn new_current_by_hand(world: &World) -> VersionId {
    world.put_key(&world.key_by_hand(SUB), "AWSCURRENT")
}
