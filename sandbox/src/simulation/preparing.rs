//! What beginnings are made of: rotations that go well, go wrong, or stop where they are needed.

use protocol::rotation::Step;

use super::action::{Action, Kind};
use super::playing::{Broken, Play};
use crate::in_process::{Fault, Operation, Point};

const DAY: usize = 24 * 60 * 60;

/// Two rotations, of which the second has replaced a key of ours.
pub(super) fn twice(play: &mut Play) -> Result<(), Broken> {
    whole(play)?;
    play.act(Action::new(Kind::Wait, 0, 61))?;
    whole(play)
}

/// A person makes a value current, and then a good one, and its grace is over.
pub(super) fn put_and_replaced(play: &mut Play, how: usize) -> Result<(), Broken> {
    play.act(Action::new(Kind::Put, 1, how))?;
    play.act(Action::new(Kind::Wait, 0, 4000))?;
    play.act(Action::new(Kind::Put, 1, 4))?;
    play.act(Action::new(Kind::Maintain, 0, 0))?;
    play.act(Action::new(Kind::Run, 0, 0))?;
    play.act(Action::new(Kind::Wait, 0, 8 * DAY))
}

pub(super) fn begin(play: &mut Play) -> Result<(), Broken> {
    play.act(Action::new(Kind::Begin, 0, 0))
}

pub(super) fn step(play: &mut Play, step: Step) -> Result<(), Broken> {
    step_of(play, 0, step)
}

pub(super) fn step_of(play: &mut Play, secret: usize, step: Step) -> Result<(), Broken> {
    play.act(Action::invoke(secret, step))?;
    play.act(Action::new(Kind::Run, 0, 0))
}

/// A rotation that nothing disturbs.
pub(super) fn whole(play: &mut Play) -> Result<(), Broken> {
    whole_of(play, 0)
}

pub(super) fn whole_of(play: &mut Play, secret: usize) -> Result<(), Broken> {
    play.act(Action::new(Kind::Begin, secret, 0))?;
    Step::ALL
        .into_iter()
        .try_for_each(|one| step_of(play, secret, one))
}

/// Lets the run under way go on to its end, each call of these operations with its fault.
pub(super) fn under(play: &mut Play, faults: &[(Operation, Fault)]) -> Result<(), Broken> {
    while play.stage.runs() > 0 {
        let fault = play
            .stage
            .waiting(0)
            .first()
            .and_then(|waiting| match &waiting.point {
                Point::Call(call) => faults
                    .iter()
                    .find(|(operation, _)| *operation == call.operation)
                    .map(|(_, fault)| *fault),
                Point::Sleep(_) => None,
            });
        play.act(Action::go(0, 0, fault))?;
    }
    Ok(())
}

/// The service performs the steps that are due, each to its end: what comes after a step that went well is
/// due at once.
pub(super) fn service_goes_on(play: &mut Play) -> Result<(), Broken> {
    loop {
        let before = play.stage.runs();
        play.act(Action::new(Kind::Due, 0, 0))?;
        if play.stage.runs() == before {
            return Ok(());
        }
        play.act(Action::new(Kind::Run, before, 0))?;
    }
}

/// Lets the first run go on until it is about to make a call of this operation.
pub(super) fn until(play: &mut Play, operation: Operation) -> Result<(), Broken> {
    let is_it = |play: &Play| {
        play.stage
            .waiting(0)
            .first()
            .is_none_or(|waiting| match &waiting.point {
                Point::Call(call) => call.operation == operation,
                Point::Sleep(_) => false,
            })
    };
    while !is_it(play) {
        play.act(Action::go(0, 0, None))?;
    }
    Ok(())
}

/// The first secret's version that has a label.
pub(super) fn holder_of(play: &Play, label: &str) -> Option<String> {
    play.stage
        .look(0, |secret| secret.holder(label).map(str::to_owned))
}

/// Which of the first secret's versions has a label.
pub(super) fn position_of(play: &Play, label: &str) -> usize {
    position_in(play, 0, label)
}

pub(super) fn position_in(play: &Play, secret: usize, label: &str) -> usize {
    let position = play.stage.look(secret, |secret| {
        let holder = secret.holder(label)?;
        secret.versions().keys().position(|version| version == holder)
    });
    position.unwrap_or_default()
}

/// createSecret dies with a key that it has not stored.
pub(super) fn lose_a_key(play: &mut Play) -> Result<(), Broken> {
    dies_after(play, Operation::Issue)
}

/// createSecret dies when the first call of this operation has had its effect.
pub(super) fn dies_after(play: &mut Play, operation: Operation) -> Result<(), Broken> {
    play.act(Action::invoke(0, Step::Create))?;
    while play.stage.runs() > 0 {
        let is_it = play
            .stage
            .waiting(0)
            .first()
            .is_some_and(|waiting| match &waiting.point {
                Point::Call(call) => call.operation == operation,
                Point::Sleep(_) => false,
            });
        play.act(Action::go(0, 0, is_it.then_some(Fault::CrashAfter)))?;
    }
    Ok(())
}
