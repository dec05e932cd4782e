//! Every single fault at every call of a rotation or an operation, from every beginning, and pairs of faults
//! from some.

use protocol::rotation::Step;

use super::action::{Action, FAULTS, Kind, can_meet};
use super::beginnings::{Beginning, Then};
use super::playing::{Broken, Play};
use super::preparing::service_goes_on;
use crate::in_process::kind::VenueKind;
use crate::in_process::{Fault, Point};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING};

/// So many passes over the steps have to do for any two faults.
const PASSES: usize = 6;

/// So often an order is given.
const ORDERS: usize = 2;
/// After two faults of an operation, one end in so many is tried.
const SELDOM: usize = 4;

/// A fault at the so-manieth call of the rotation, counted from 1 over all its passes.
pub(super) type Planned = (usize, Fault);

/// A fault that could be planned.
pub(super) struct Open {
    pub(super) planned: Planned,
    /// Whether the call would change something.
    writes: bool,
}

/// Plays a rotation at a kind of venue with these faults, replayed until it is over. Gives the number of its
/// calls, and the faults each could meet from the last planned one on. The way to rest is tried from one in
/// so many of its new states.
pub(super) fn disturbed(
    kind: &VenueKind,
    beginning: &Beginning,
    planned: &[Planned],
    one_in: u64,
) -> (Play, Vec<Open>) {
    let mut play = Play::new(kind.seed(beginning.seed));
    play.one_in = one_in;
    play.heals = planned.is_empty();
    let operates = !matches!(beginning.then, Then::Rotation);
    play.looks_after = planned.is_empty() || operates;
    let mut course = Course {
        planned,
        calls: 0,
        open: Vec::new(),
    };
    if (beginning.prepare)(&mut play).is_ok() {
        // What is broken is in the play.
        let _ = match beginning.then {
            Then::Rotation => course.rotation(&mut play),
            Then::Operation(kind) => course.operation(&mut play, kind),
            Then::Order(kind, how) => course.order(&mut play, Action::new(kind, 0, how)),
        };
    }
    // What becomes of an operation takes longer to try than the operation itself.
    let [first, second] = [0, 1].map(|nth| planned.get(nth).map_or(0, |(at, _)| *at));
    let is_tried = !operates || planned.len() < 2 || (first + second).is_multiple_of(SELDOM);
    play.heals &= is_tried;
    play.end();
    (play, course.open)
}

/// The faults that are planned for a second one after the first: every one of a rotation's. An operation
/// makes too many calls for that: there those at calls that write, and at the call that follows the first
/// fault.
pub(super) fn seconds(kind: &VenueKind, beginning: &Beginning, first: Planned, one_in: u64) -> Vec<Planned> {
    let (_, open) = disturbed(kind, beginning, &[first], one_in);
    let every = matches!(beginning.then, Then::Rotation);
    let wanted = open
        .into_iter()
        .filter(|open| every || open.writes || open.planned.0 == first.0 + 1);
    wanted.map(|open| open.planned).collect()
}

/// The calls of what is disturbed, counted from 1, and the faults that are planned for them.
struct Course<'a> {
    planned: &'a [Planned],
    calls: usize,
    /// The faults that each call from the last planned one on could meet.
    open: Vec<Open>,
}

impl Course<'_> {
    /// Lets the run that has just begun go on to its end, call by call.
    fn drive(&mut self, play: &mut Play, is_served: bool) -> Result<(), Broken> {
        let last = self.planned.iter().map(|(at, _)| *at).max().unwrap_or(0);
        // A beginning may have left others that wait.
        let others = play.stage.runs().saturating_sub(1);
        while play.stage.runs() > others {
            let operation = play
                .stage
                .waiting(others)
                .first()
                .and_then(|waiting| match &waiting.point {
                    Point::Call(call) => Some(call.operation),
                    Point::Sleep(_) => None,
                });
            let Some(operation) = operation else {
                if is_served {
                    service_goes_on(play)?;
                }
                play.act(Action::go(others, 0, None))?;
                continue;
            };
            self.calls += 1;
            let fault = self
                .planned
                .iter()
                .find(|(at, _)| *at == self.calls)
                .map(|(_, fault)| *fault);
            play.heals |= self.calls >= last;
            play.act(Action::go(
                others,
                0,
                fault.filter(|fault| can_meet(*fault, operation)),
            ))?;
            if self.calls > last {
                let faults = FAULTS
                    .iter()
                    .map(|(_, fault)| *fault)
                    .filter(|fault| can_meet(*fault, operation));
                let calls = self.calls;
                self.open.extend(faults.map(|fault| Open {
                    planned: (calls, fault),
                    writes: operation.writes(),
                }));
            }
        }
        Ok(())
    }

    fn rotation(&mut self, play: &mut Play) -> Result<(), Broken> {
        for _ in 0..PASSES {
            for step in Step::ALL {
                let is_open = play.stage.look(0, |secret| {
                    secret
                        .holder(AWSPENDING)
                        .is_some_and(|pending| secret.holder(AWSCURRENT) != Some(pending))
                });
                if !is_open {
                    return Ok(());
                }
                play.act(Action::invoke(0, step))?;
                self.drive(play, false)?;
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
            self.drive(play, false)?;
            while play.stage.runs() > 0 {
                play.act(Action::new(Kind::Run, 0, 0))?;
            }
            // The second comes too early to act on what the first decided.
            play.act(Action::new(Kind::Wait, 0, if pass == 0 { 300 } else { 4000 }))?;
        }
        Ok(())
    }

    /// An order that is given again, while the service performs what is due.
    fn order(&mut self, play: &mut Play, order: Action) -> Result<(), Broken> {
        for _ in 0..ORDERS {
            play.act(order)?;
            self.drive(play, true)?;
            service_goes_on(play)?;
            play.act(Action::new(Kind::Wait, 0, 1300))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_process::kind::KINDS;
    use crate::simulation::beginnings;

    #[test]
    fn every_promise_holds_from_every_beginning_where_nothing_goes_wrong() {
        let mut broken = Vec::new();
        for kind in KINDS {
            for beginning in beginnings::all() {
                let violation = disturbed(kind, beginning, &[], 1).0.broken;
                broken.extend(violation.map(|said| format!("{}, {}: {said}", kind.name, beginning.name)));
            }
        }
        assert_eq!(broken, Vec::<String>::new());
    }
}
