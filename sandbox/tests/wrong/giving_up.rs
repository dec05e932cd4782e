//! Giving a version up, and what counts as its key's death.

use protocol::label::VersionId;
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{Fault, Operation, SUB, Setup, World};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::JudgedOnce, two_stale_reads_cost_nothing),
    (Wrong::RevokeOnDoom, the_current_key_lives),
    (Wrong::DoomedKeepsPending, the_next_rotation_begins),
    (Wrong::DoomUncondemned, a_doomed_version_is_condemned),
    (Wrong::ReplacedCondemned, a_replaced_version_is_not_condemned),
    (Wrong::TimeoutIsDeath, no_answer_costs_nothing),
    (Wrong::RefusalIsDeath, a_refusal_costs_nothing),
    (Wrong::AbsenceIsDeath, a_list_that_lags_costs_nothing),
    (Wrong::YoungRejectionIsDeath, a_list_that_lags_costs_nothing),
    (Wrong::NoControl, a_host_that_accepts_no_one_costs_nothing),
];

fn is_pending(world: &World, token: &VersionId) -> bool {
    world.holder("AWSPENDING").as_ref() == Some(token)
}

fn two_stale_reads_cost_nothing() -> bool {
    let world = World::new();
    let theirs = by_hand(&world);
    let token = world.begin_rotation();
    world.make_current(&theirs);
    drop(world.run(Step::Create, &token));
    world.plan(Operation::Describe, 1, Fault::Stale(3));
    world.plan(Operation::ReadCurrent, 1, Fault::Stale(3));
    drop(world.run(Step::Create, &token));
    is_pending(&world, &token)
}

/// The pending version is a copy of the current one, as a dry run may leave it.
fn the_current_key_lives() -> bool {
    let world = World::new();
    let token = world.begin_rotation();
    let current = world.credential(world.first_key());
    world.put_by_hand_as(&token, world.text_of_setup(), &current, SUB, "AWSPENDING");
    drop(world.run(Step::Create, &token));
    world.alive(world.first_key())
}

fn the_next_rotation_begins() -> bool {
    let world = World::new();
    let (token, _) = overtaken(&world);
    drop(world.run(Step::Create, &token));
    world.try_begin_rotation().is_ok()
}

fn a_doomed_version_is_condemned() -> bool {
    let world = World::new();
    let (token, _) = overtaken(&world);
    drop(world.run(Step::Create, &token));
    world.has_stamp(&token, "CONDEMNED-")
}

fn a_replaced_version_is_not_condemned() -> bool {
    let world = World::new();
    let replaced = world.rotate().expect("nothing stands in the way");
    world.rotate().expect("nothing stands in the way");
    world.label("AWSPENDING", Some(&replaced));
    drop(world.run(Step::Create, &replaced));
    !world.has_stamp(&replaced, "CONDEMNED-")
}

/// A token whose key the venue neither lists nor knows yet.
fn unlisted() -> (World, VersionId) {
    let world = lagging();
    let token = created(&world);
    (world, token)
}

fn no_answer_costs_nothing() -> bool {
    let (world, token) = unlisted();
    world.plan(Operation::Inspect, 1, Fault::Dropped);
    drop(world.run(Step::Set, &token));
    is_pending(&world, &token)
}

fn a_refusal_costs_nothing() -> bool {
    let (world, token) = unlisted();
    world.plan(Operation::Inspect, 1, Fault::Denied);
    drop(world.run(Step::Set, &token));
    is_pending(&world, &token)
}

fn a_list_that_lags_costs_nothing() -> bool {
    let (world, token) = unlisted();
    drop(world.run(Step::Set, &token));
    is_pending(&world, &token)
}

/// Nothing is issued for the secret, so that its two keys are all there is to ask with, and the venue accepts
/// neither.
fn a_host_that_accepts_no_one_costs_nothing() -> bool {
    let document = concat!(
        r#"{"api_key":"<key>","secret":"<secret>","#,
        r#""policy":{"permissions":["spot"],"ip_allowlist":["203.0.113.7"]}}"#
    );
    let world = World::with(Setup {
        document: document.to_owned(),
        ..Setup::default()
    });
    world.put_by_hand(
        document,
        &world.key_by_hand_with(SUB, settings_by_hand(&[SPOT])),
        SUB,
        "CANDIDATE",
    );
    let token = copied(&world);
    world.advance(hours(1));
    for key in [world.first_key().clone(), key_in(&world, &token)] {
        world.delete_key(&key);
    }
    drop(world.run(Step::Set, &token));
    is_pending(&world, &token)
}
