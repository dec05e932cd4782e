//! Variants of what operations do on a person's order.

use protocol::label::VersionId;
use protocol::operations::{Answer, Code, Mode, OperationRequest, Order};
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{Fault, Operation, World};

use super::{Rule, created, is_current, seconds, until};

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::AbandonClaimed, || {
        let world = World::new();
        created(&world);
        world.plan(Operation::AddLabel, 1, Fault::Denied);
        says_nothing(&abandon(&world))
    }),
    (Wrong::AbandonHalfTold, || {
        let world = World::new();
        created(&world);
        world.plan(Operation::RemoveLabel, 1, Fault::Denied);
        !says_nothing(&abandon(&world))
    }),
    (Wrong::RollbackMovesCurrent, || {
        let world = World::new();
        world.rotate().expect("a rotation");
        world.operate(OperationRequest::Rollback {
            secret: world.secret().clone(),
            version: None,
        });
        !is_current(&world, &world.first_version())
    }),
    (Wrong::RollbackLabelLeft, || {
        let world = World::new();
        world.rotate().expect("a rotation");
        world.plan(Operation::Rotate, 1, Fault::Denied);
        world.operate(OperationRequest::Rollback {
            secret: world.secret().clone(),
            version: None,
        });
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
        let mut run = world.start_operation(order(&world, None, Mode::RevokeFirst));
        for _ in ["COMPROMISED", "REVOKE_FIRST"] {
            let label = until(&mut run, Operation::AddLabel);
            run.let_through(label, None);
        }
        let inspect = until(&mut run, Operation::Inspect);
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
        let token = created(&world);
        let mut run = world.start(world.request(Step::Finish, &token));
        let swap = until(&mut run, Operation::Swap);
        replace_first(&world, Some(leaked));
        world.advance(seconds(1));
        run.let_through(swap, None);
        drop(run.finish());
        world.current_key().is_some_and(|key| world.alive(&key))
    }),
];

fn abandon(world: &World) -> Answer {
    world.operate(OperationRequest::Abandon {
        secret: world.secret().clone(),
    })
}

fn replace_first(world: &World, version: Option<VersionId>) {
    world.operate(order(world, version, Mode::ReplaceFirst));
}

fn order(world: &World, version: Option<VersionId>, mode: Mode) -> OperationRequest {
    let order = Order {
        reason: "seen in a public log".to_owned(),
        incident: "INC-7".to_owned(),
    };
    OperationRequest::BreakGlass {
        secret: world.secret().clone(),
        version,
        mode,
        fingerprint: None,
        no_successor: false,
        order,
    }
}

fn says_nothing(answer: &Answer) -> bool {
    answer
        .findings
        .iter()
        .any(|finding| finding.code == Code::Refused)
        && answer.secrets.iter().all(|row| row.did.is_empty())
}
