//! Proving a pending key, and the version it is in.

use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{Fault, OTHER_SUB, Operation, SUB, World};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::TestTidies, test_changes_nothing),
    (Wrong::DryRunRefused, the_dry_run_passes),
    (Wrong::UnknownGroupTrusted, an_unknown_power_is_not_promoted),
    (Wrong::AccountUnchecked, another_accounts_key_is_not_promoted),
    (Wrong::NoLastLook, a_dead_key_is_not_promoted),
    (
        Wrong::OvertakenUnseen,
        a_version_given_up_meanwhile_is_not_promoted,
    ),
    (Wrong::ProvenanceUnchecked, a_hands_version_is_not_promoted),
    (Wrong::CondemnedPromoted, a_condemned_version_is_not_promoted),
];

fn test_changes_nothing() -> bool {
    let world = World::new();
    let theirs = by_hand(&world);
    let token = created(&world);
    world.make_current(&theirs);
    world.take_calls();
    drop(world.run(Step::Test, &token));
    !world.take_operations().into_iter().any(Operation::writes)
}

fn the_dry_run_passes() -> bool {
    let world = World::new();
    world.begin_dry_run_of(world.secret()).expect("a dry run begins");
    world.run_due().expect("testSecret is due").is_ok()
}

fn an_unknown_power_is_not_promoted() -> bool {
    let world = World::new();
    let token = created(&world);
    world.grant(&key_in(&world, &token), &[SPOT, TRADES, ("Teleport", &["Beam"])]);
    drop(world.run(Step::Finish, &token));
    !world.is_current(&token)
}

/// A value that passes for ours in the store, and names a key of another sub-account.
fn another_accounts_key_is_not_promoted() -> bool {
    let world = World::new();
    let abandoned = created(&world);
    let ours = world.credential(&key_in(&world, &abandoned));
    let text = world.text(&abandoned).expect("it has a value");
    world.label("AWSPENDING", None);
    let token = world.begin_rotation();
    let text = text
        .replace(ours.key.as_str(), "<key>")
        .replace(ours.secret.expose(), "<secret>");
    let text = text.replace(abandoned.as_str(), token.as_str());
    let theirs = world.key_by_hand(OTHER_SUB);
    world.put_by_hand_as(&token, &text, &theirs, OTHER_SUB, "AWSPENDING");
    drop(world.run(Step::Finish, &token));
    !world.is_current(&token)
}

fn a_dead_key_is_not_promoted() -> bool {
    let world = World::new();
    let token = created(&world);
    world.delete_key(&key_in(&world, &token));
    drop(world.run(Step::Finish, &token));
    !world.is_current(&token)
}

fn a_version_given_up_meanwhile_is_not_promoted() -> bool {
    let world = World::new();
    let token = created(&world);
    let mut slow = world.start(world.request(Step::Finish, &token));
    let look = slow.until(Operation::Inspect);
    world.advance(seconds(6));
    world.label("AWSPENDING", None);
    slow.let_through(look, None);
    drop(slow.finish());
    !world.is_current(&token)
}

fn a_hands_version_is_not_promoted() -> bool {
    let world = World::new();
    let token = world.begin_rotation();
    world.put_by_hand_as(
        &token,
        world.text_of_setup(),
        &world.key_by_hand(SUB),
        SUB,
        "AWSPENDING",
    );
    drop(world.pass(&token));
    !world.is_current(&token)
}

/// The run that gave it up died halfway, and what doomed it is no longer so.
fn a_condemned_version_is_not_promoted() -> bool {
    let world = World::new();
    let (token, _) = overtaken(&world);
    world.plan(Operation::RemoveLabel, 1, Fault::CrashBefore);
    drop(world.run(Step::Create, &token));
    world.make_current(&world.first_version());
    drop(world.run(Step::Finish, &token));
    !world.is_current(&token)
}
