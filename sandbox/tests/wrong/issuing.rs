//! Whose key it is, issuing, making room, storing.

use protocol::audit::{Action, Outcome};
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{Fault, Operation, SUB, World};
use sandbox::venue::{Ips, KeyId, Settings};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::StoredValueIgnored, a_replay_issues_nothing),
    (Wrong::MarkerWithoutSecret, another_secrets_key_lives),
    (Wrong::LosersByAge, a_replaced_key_lives),
    (Wrong::LosersKept, the_lost_key_dies),
    (Wrong::StaleMissBelieved, a_stale_miss_issues_nothing),
    (Wrong::UnstoredUnbounded, the_third_key_waits),
    (Wrong::IssueAgain, the_unanswered_key_dies),
    (Wrong::UnlistedIsNotIssued, an_unlisted_key_ends_the_run),
    (Wrong::IssuedUnbound, the_key_is_bound),
    (Wrong::StaleBase, the_base_is_current),
    (Wrong::YoungReaped, a_key_about_to_be_stored_lives),
    (Wrong::HeldReaped, a_stored_key_lives),
    (Wrong::UnreadableReaped, an_unreadable_versions_key_lives),
    (Wrong::UnlistedVersionReaped, an_unlisted_versions_key_lives),
    (Wrong::SweepBeforePut, the_key_that_a_slower_run_stores_lives),
    (Wrong::PutUnlabelled, a_stored_value_is_not_current),
    (Wrong::ValueAnew, the_second_attempt_finds_its_own_value),
    (Wrong::ExistsIsLoss, a_lost_put_is_read),
    (Wrong::ValueAnewAndLost, the_key_of_a_lost_reply_lives),
    (
        Wrong::UnknownPutIsRefusal,
        the_key_of_a_put_that_nobody_knows_of_lives,
    ),
];

/// A world whose sub-account has room for so many keys.
fn slots(max_keys: usize) -> World {
    let world = World::new();
    world.venue(|model, _| model.knobs.max_keys = Some(max_keys));
    world
}

fn rotated(world: &World) -> VersionId {
    world.advance(hours(1));
    world.rotate().expect("nothing stands in the way")
}

fn a_replay_issues_nothing() -> bool {
    let world = World::new();
    let token = created(&world);
    world.take_calls();
    drop(world.run(Step::Create, &token));
    world.take_count(Operation::Issue) == 0
}

fn another_secrets_key_lives() -> bool {
    let world = slots(2);
    let other = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/bybit/other-AbCdEf";
    let note = Marker::new(other, &VersionId::new("t"), 1).to_string();
    let settings = Settings {
        note,
        ..settings_by_hand(&[TRADES, SPOT])
    };
    let theirs = world.key_by_hand_with(SUB, settings);
    world.advance(SETTLED);
    begun(&world);
    world.alive(&theirs.key)
}

fn a_replaced_key_lives() -> bool {
    let world = World::new();
    let replaced = rotated(&world);
    rotated(&world);
    rotated(&world);
    world.alive(&key_in(&world, &replaced))
}

fn the_lost_key_dies() -> bool {
    let world = World::new();
    let (token, _) = unstored(&world);
    world.pass(&token).expect("nothing stands in the way");
    world.live_keys_for(&token).len() == 1
}

fn a_stale_miss_issues_nothing() -> bool {
    let world = World::new();
    let token = created(&world);
    world.take_calls();
    world.plan(Operation::ReadVersion, 1, Fault::Stale(1));
    drop(world.run(Step::Create, &token));
    world.take_count(Operation::Issue) == 0
}

fn the_third_key_waits() -> bool {
    let world = World::new();
    let (token, _) = unstored(&world);
    world.plan(Operation::Issue, 1, Fault::CrashAfter);
    drop(world.run(Step::Create, &token));
    drop(world.run(Step::Create, &token));
    world.live_keys_for(&token).len() == 2
}

fn the_unanswered_key_dies() -> bool {
    let world = World::new();
    world.plan(Operation::Issue, 1, Fault::ReplyLost);
    let token = begun(&world);
    world.live_keys_for(&token).len() == 1
}

fn an_unlisted_key_ends_the_run() -> bool {
    let world = lagging();
    world.plan(Operation::Issue, 1, Fault::ReplyLost);
    let token = begun(&world);
    world.live_keys_for(&token).len() == 1
}

fn the_key_is_bound() -> bool {
    let world = World::new();
    begun(&world);
    world.live_keys().iter().all(|key| key.settings.ips != Ips::Any)
}

fn the_base_is_current() -> bool {
    let world = World::new();
    let current = new_current_by_hand(&world);
    let token = world.begin_rotation();
    world.plan(Operation::ReadCurrent, 1, Fault::Stale(2));
    drop(world.run(Step::Create, &token));
    world.document(&token)["rotation"]["based_on"] == current.as_str()
}

fn a_key_about_to_be_stored_lives() -> bool {
    survives_another_run(&slots(2))
}

/// Whether the key that a slow run has issued and not stored survives a run beside it.
fn survives_another_run(world: &World) -> bool {
    let token = world.begin_rotation();
    let mut slow = world.start(world.request(Step::Create, &token));
    slow.until(Operation::Put);
    let key = world.live_keys_for(&token).remove(0);
    drop(world.run(Step::Create, &token));
    world.alive(&key)
}

fn a_stored_key_lives() -> bool {
    let world = slots(3);
    let replaced = rotated(&world);
    rotated(&world);
    world.advance(hours(1));
    begun(&world);
    world.alive(&key_in(&world, &replaced))
}

fn an_unreadable_versions_key_lives() -> bool {
    let world = slots(3);
    let replaced = rotated(&world);
    rotated(&world);
    world.advance(hours(1));
    let token = world.begin_rotation();
    world.plan_all(Operation::ReadVersion, 2..=3, Fault::Denied);
    drop(world.run(Step::Create, &token));
    world.alive(&key_in(&world, &replaced))
}

fn an_unlisted_versions_key_lives() -> bool {
    let world = slots(4);
    let unlabelled = rotated(&world);
    rotated(&world);
    rotated(&world);
    for label in world.labels(&unlabelled) {
        world.label(&label, None);
    }
    world.advance(hours(1));
    world.plan(Operation::Versions, 2, Fault::Denied);
    begun(&world);
    world.alive(&key_in(&world, &unlabelled))
}

fn the_key_that_a_slower_run_stores_lives() -> bool {
    let world = World::new();
    let token = world.begin_rotation();
    let mut slow = world.start(world.request(Step::Create, &token));
    let put = slow.until(Operation::Put);
    let mut quick = world.start(world.request(Step::Create, &token));
    quick.until(Operation::Put);
    slow.let_through(put, None);
    drop(slow.finish());
    drop(quick.finish());
    world.alive(&key_in(&world, &token))
}

fn a_stored_value_is_not_current() -> bool {
    let world = World::new();
    begun(&world);
    world.is_current(&world.first_version())
}

fn the_second_attempt_finds_its_own_value() -> bool {
    let world = World::new();
    world.plan(Operation::Put, 1, Fault::ReplyLost);
    begun(&world);
    let puts = world
        .take_records()
        .into_iter()
        .filter(|record| record.action == Action::PutValue);
    puts.map(|record| record.outcome)
        .eq([Outcome::Unknown, Outcome::Done])
}

fn a_lost_put_is_read() -> bool {
    let world = World::new();
    let token = world.begin_rotation();
    let mut slow = world.start(world.request(Step::Create, &token));
    let put = slow.until(Operation::Put);
    drop(world.run(Step::Create, &token));
    world.take_calls();
    slow.let_through(put, None);
    drop(slow.finish());
    world
        .take_operations()
        .starts_with(&[Operation::Put, Operation::ReadVersion])
}

fn the_key_of_a_lost_reply_lives() -> bool {
    let world = World::new();
    world.plan(Operation::Put, 1, Fault::ReplyLost);
    stored_key_lives(&world)
}

fn the_key_of_a_put_that_nobody_knows_of_lives() -> bool {
    let world = World::new();
    for (occurrence, fault) in (1..).zip([
        Fault::ReplyLost,
        Fault::Throttled,
        Fault::Throttled,
        Fault::Throttled,
    ]) {
        world.plan(Operation::Put, occurrence, fault);
    }
    stored_key_lives(&world)
}

fn stored_key_lives(world: &World) -> bool {
    let token = begun(world);
    let key: KeyId = key_in(world, &token);
    world.alive(&key)
}
