//! Variants of what operations do on a person's order.

use protocol::label::VersionId;
use protocol::operations::{Answer, Code, Mode};
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{Fault, Operation, World};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::AbandonClaimed, || {
        let world = World::new();
        created(&world);
        world.plan(Operation::AddLabel, 1, Fault::Denied);
        says_nothing(&world.abandon())
    }),
    (Wrong::AbandonHalfTold, || {
        let world = World::new();
        created(&world);
        world.plan(Operation::RemoveLabel, 1, Fault::Denied);
        !says_nothing(&world.abandon())
    }),
    (Wrong::RollbackMovesCurrent, || {
        let world = World::new();
        world.rotate().expect("a rotation");
        world.roll_back(None);
        !world.is_current(&world.first_version())
    }),
    (Wrong::RollbackLabelLeft, || {
        let world = World::new();
        world.rotate().expect("a rotation");
        world.plan(Operation::Rotate, 1, Fault::Denied);
        world.roll_back(None);
        world.holder("ROLLBACK").is_none()
    }),
    (Wrong::RevokedBeforeReplaced, || {
        // The service performs nothing, so that no successor comes.
        let world = World::new();
        let token = world.rotate().expect("a rotation");
        replace_first(&world, None);
        world.key_in(&token).is_some_and(|key| world.alive(&key))
    }),
    (Wrong::OrderUnwritten, || {
        let world = World::new();
        let token = world.rotate().expect("a rotation");
        replace_first(&world, None);
        world.holder("COMPROMISED") == Some(token)
    }),
    (Wrong::OrderOutlivesLabel, || {
        let world = World::new();
        let token = world.rotate().expect("a rotation");
        let mut run = world.start_operation(break_glass(world.secret(), None, Mode::RevokeFirst));
        for _ in ["COMPROMISED", "REVOKE_FIRST"] {
            let label = run.until(Operation::AddLabel);
            run.let_through(label, None);
        }
        let inspect = run.until(Operation::Inspect);
        world.advance(seconds(61));
        world.label("COMPROMISED", None);
        run.let_through(inspect, None);
        drop(run.finish());
        world.key_in(&token).is_some_and(|key| world.alive(&key))
    }),
    (Wrong::LeakedCopyAtOnce, || {
        // A run has done all but its swap, back to the key before.
        let world = World::new();
        let leaked = world.rotate().expect("a rotation");
        world.rotate().expect("another");
        world.label("ROLLBACK", Some(&leaked));
        let token = copied(&world);
        let mut run = world.start(world.request(Step::Finish, &token));
        let swap = run.until(Operation::Swap);
        replace_first(&world, Some(&leaked));
        world.advance(seconds(1));
        run.let_through(swap, None);
        drop(run.finish());
        world.current_key().is_some_and(|key| world.alive(&key))
    }),
];

fn replace_first(world: &World, version: Option<&VersionId>) {
    world.operate(break_glass(world.secret(), version, Mode::ReplaceFirst));
}

fn says_nothing(answer: &Answer) -> bool {
    answer
        .findings
        .iter()
        .any(|finding| finding.code == Code::Refused)
        && answer.secrets.iter().all(|row| row.did.is_empty())
}
