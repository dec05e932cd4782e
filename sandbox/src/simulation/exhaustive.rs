//! Every single fault at every call of a rotation or an operation, from every beginning, and every pair of faults from some.

use protocol::rotation::Step;

use super::action::{Action, FAULTS, Kind, can_meet};
use super::beginnings::{Beginning, Then};
use super::playing::{Broken, Play};
use crate::in_process::{Fault, Point};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING};

/// So many passes over the steps have to do for any two faults.
const PASSES: usize = 6;

/// A fault at the so-manieth call of the rotation, counted from 1 over all its passes.
pub(super) type Planned = (usize, Fault);

/// Plays a rotation with these faults, replayed until it is over. Gives the number of its calls, and the faults each could meet
/// from the last planned one on. The way to rest is tried from one in so many of its new states.
pub(super) fn disturbed(beginning: &Beginning, planned: &[Planned], one_in: u64) -> (Play, Vec<Planned>) {
    let mut play = Play::new(beginning.seed);
    play.one_in = one_in;
    play.heals = planned.is_empty();
    play.looks_after = planned.is_empty() || matches!(beginning.then, Then::Operation(_));
    let mut course = Course { planned, calls: 0, open: Vec::new() };
    if (beginning.prepare)(&mut play).is_ok() {
        // What is broken is in the play.
        let _ = match beginning.then {
            Then::Rotation => course.rotation(&mut play),
            Then::Operation(kind) => course.operation(&mut play, kind),
        };
    }
    play.end();
    (play, course.open)
}

/// The calls of what is disturbed, counted from 1, and the faults that are planned for them.
struct Course<'a> {
    planned: &'a [Planned],
    calls: usize,
    /// The faults that each call from the last planned one on could meet.
    open: Vec<Planned>,
}

impl Course<'_> {
    /// Lets the run that has just begun go on to its end, call by call.
    fn drive(&mut self, play: &mut Play) -> Result<(), Broken> {
        let last = self.planned.iter().map(|(at, _)| *at).max().unwrap_or(0);
        // A beginning may have left others that wait.
        let others = play.stage.runs().saturating_sub(1);
        while play.stage.runs() > others {
            let operation = play.stage.waiting(others).first().and_then(|waiting| match &waiting.point {
                Point::Call(call) => Some(call.operation),
                Point::Sleep(_) => None,
            });
            let Some(operation) = operation else {
                play.act(Action::go(others, 0, None))?;
                continue;
            };
            self.calls += 1;
            let fault = self.planned.iter().find(|(at, _)| *at == self.calls).map(|(_, fault)| *fault);
            play.heals |= self.calls >= last;
            play.act(Action::go(others, 0, fault.filter(|fault| can_meet(*fault, operation))))?;
            if self.calls > last {
                let faults = FAULTS.iter().map(|(_, fault)| *fault).filter(|fault| can_meet(*fault, operation));
                let calls = self.calls;
                self.open.extend(faults.map(|fault| (calls, fault)));
            }
        }
        Ok(())
    }

    fn rotation(&mut self, play: &mut Play) -> Result<(), Broken> {
        for _ in 0..PASSES {
            for step in Step::ALL {
                let is_open = play.stage.look(0, |secret| {
                    secret.holder(AWSPENDING).is_some_and(|pending| secret.holder(AWSCURRENT) != Some(pending))
                });
                if !is_open {
                    return Ok(());
                }
                play.act(Action::invoke(0, step))?;
                self.drive(play)?;
                if play.stage.ended.as_ref().is_some_and(|(_, ending)| !ending.well) {
                    break;
                }
            }
            play.act(Action::new(Kind::Wait, 0, 60))?;
        }
        Ok(())
    }

    /// An operation on the first secret, or on all of them, over and over as a schedule or a person does.
    fn operation(&mut self, play: &mut Play, kind: Kind) -> Result<(), Broken> {
        for pass in 0..PASSES {
            play.act(Action::new(kind, 0, 0))?;
            self.drive(play)?;
            while play.stage.runs() > 0 {
                play.act(Action::new(Kind::Run, 0, 0))?;
            }
            // The second comes too early to act on what the first decided.
            play.act(Action::new(Kind::Wait, 0, if pass == 0 { 300 } else { 4000 }))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::beginnings::BEGINNINGS;

    #[test]
    fn every_promise_holds_from_every_beginning_where_nothing_goes_wrong() {
        let broken = BEGINNINGS.iter().filter_map(|beginning| {
            let violation = disturbed(beginning, &[], 1).0.broken?;
            Some(format!("{}: {violation}", beginning.name))
        });
        assert_eq!(broken.collect::<Vec<_>>(), Vec::<String>::new());
    }
}
