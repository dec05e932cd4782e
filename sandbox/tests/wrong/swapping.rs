//! The swap, and the stamps around it.

use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{Fault, Operation, SUB, World};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::SwapFromAnyBase, what_a_person_made_current_stays),
    (Wrong::SwapAgain, a_person_who_moves_current_back_wins),
    (Wrong::CurrentTwice, a_late_finish_does_not_undo_a_rollback),
    (Wrong::UnknownSwapIsDone, success_means_that_it_is_current),
    (Wrong::OfferReleasedEarly, an_offer_that_was_not_promoted_stays),
    (Wrong::ThawedGoesOn, a_thawed_run_does_not_swap),
    (Wrong::SwapUnstamped, what_loses_previous_is_stamped),
    (
        Wrong::FullLabelsIgnored,
        nothing_is_swapped_without_room_for_the_stamps,
    ),
    (
        Wrong::VoidStampsKept,
        a_version_that_came_back_is_stamped_after_a_crash,
    ),
    (Wrong::OldStampTrusted, a_version_that_came_back_is_stamped),
];

fn what_a_person_made_current_stays() -> bool {
    let world = World::new();
    let (token, theirs) = overtaken(&world);
    drop(world.run(Step::Finish, &token));
    world.is_current(&theirs)
}

fn a_person_who_moves_current_back_wins() -> bool {
    let world = World::new();
    let token = created(&world);
    let mut run = world.start(world.request(Step::Finish, &token));
    let swap = run.until(Operation::Swap);
    just(&mut run, swap, Some(Fault::ReplyLost));
    world.make_current(&world.first_version());
    drop(run.finish());
    world.is_current(&world.first_version())
}

fn a_late_finish_does_not_undo_a_rollback() -> bool {
    let world = World::new();
    let token = created(&world);
    world.pass(&token).expect("nothing stands in the way");
    world.make_current(&world.first_version());
    drop(world.run(Step::Finish, &token));
    world.is_current(&world.first_version())
}

fn success_means_that_it_is_current() -> bool {
    let world = World::new();
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::Dropped);
    world.run(Step::Finish, &token).is_err() || world.is_current(&token)
}

fn an_offer_that_was_not_promoted_stays() -> bool {
    let world = World::new();
    let offer = world.put_key(&world.key_by_hand(SUB), "CANDIDATE");
    let token = copied(&world);
    world.plan(Operation::Swap, 1, Fault::Dropped);
    drop(world.run(Step::Finish, &token));
    world.holder("CANDIDATE") == Some(offer)
}

fn a_thawed_run_does_not_swap() -> bool {
    let world = World::new();
    let token = created(&world);
    let mut frozen = world.start(world.request(Step::Finish, &token));
    let look = frozen.until(Operation::Inspect);
    world.advance(hours(1));
    frozen.let_through(look, None);
    drop(frozen.finish());
    world.is_current(&world.first_version())
}

fn what_loses_previous_is_stamped() -> bool {
    let world = World::new();
    new_current_by_hand(&world);
    world.plan(Operation::AddLabel, 1, Fault::Denied);
    let token = created(&world);
    drop(world.run(Step::Finish, &token));
    world.has_stamp(&world.first_version(), "REPLACED-")
}

fn nothing_is_swapped_without_room_for_the_stamps() -> bool {
    let world = World::new();
    let token = created(&world);
    world.fill_labels(19, &world.first_version());
    drop(world.run(Step::Finish, &token));
    world.is_current(&world.first_version())
}

/// A world whose first version was replaced, and is current again since two days.
fn came_back() -> World {
    let world = World::new();
    world.rotate().expect("nothing stands in the way");
    world.make_current(&world.first_version());
    world.advance(hours(48));
    world
}

fn stamped_now(world: &World) -> bool {
    world.has_stamp(
        &world.first_version(),
        &world.now().strftime("REPLACED-%Y%m%dT%H%M%SZ").to_string(),
    )
}

fn a_version_that_came_back_is_stamped_after_a_crash() -> bool {
    let world = came_back();
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::CrashAfter);
    drop(world.run(Step::Finish, &token));
    drop(world.pass(&token));
    stamped_now(&world)
}

fn a_version_that_came_back_is_stamped() -> bool {
    let world = came_back();
    drop(world.rotate());
    stamped_now(&world)
}
