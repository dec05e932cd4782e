//! Every single fault at every call of a rotation or an operation, from every beginning that leads through other code, and every
//! pair of faults from some.

use protocol::rotation::Step;

use super::action::{Action, FAULTS, Kind, can_meet};
use super::playing::{Broken, Play};
use crate::in_process::{Fault, Operation, Point};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};

const DAY: usize = 24 * 60 * 60;

/// So many passes over the steps have to do for any two faults.
const PASSES: usize = 6;

/// A fault at the so-manieth call of the rotation, counted from 1 over all its passes.
pub(super) type Planned = (usize, Fault);

/// A beginning: what happens before the rotation that is disturbed.
pub(super) struct Beginning {
    pub(super) name: &'static str,
    /// How the world begins.
    seed: u64,
    prepare: fn(&mut Play) -> Result<(), Broken>,
    then: Then,
}

/// What is disturbed.
#[derive(Clone, Copy)]
enum Then {
    Rotation,
    Operation(Kind),
}

/// The one where reads that are stale show another version current.
const MOVED: Beginning = Beginning {
    name: "a version built on what a hand made current just now",
    seed: 0,
    prepare: |play| {
        whole(play)?;
        begin(play)?;
        // The stalest read is one minute old.
        play.act(Action::new(Kind::Wait, 0, 61))?;
        play.act(Action::new(Kind::Label, 0, 0))?;
        step(play, Step::Create)
    },
    then: Then::Rotation,
};

/// The beginnings that every pair of faults is played from.
pub(super) const FOR_PAIRS: [&Beginning; 2] = [&BEGINNINGS[0], &MOVED];

/// The beginnings.
pub(super) const BEGINNINGS: [Beginning; 32] = [
    Beginning { name: "a plain rotation", seed: 0, prepare: begin, then: Then::Rotation },
    Beginning {
        name: "a credential that a person offers",
        seed: 0,
        prepare: |play| {
            play.act(Action::new(Kind::Offer, 0, 0))?;
            begin(play)
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a return to the version before",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Label, 0, 3))?;
            begin(play)
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a current key that is dead",
        seed: 0,
        prepare: |play| {
            play.act(Action::new(Kind::DeleteKey, 0, 1))?;
            begin(play)
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a key that was issued and lost just now",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            lose_a_key(play)
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "an account whose key slots are full, one of them with a key that was lost",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            whole(play)?;
            begin(play)?;
            lose_a_key(play)?;
            play.act(Action::new(Kind::Wait, 0, 1100))?;
            play.act(Action::new(Kind::FillSlots, 0, 0))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "an account whose key slots are full, one of them with the key of a version without labels",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            whole(play)?;
            whole(play)?;
            play.act(Action::new(Kind::Unlabel, 0, 4))?;
            play.act(Action::new(Kind::Unlabel, 0, 4))?;
            begin(play)?;
            lose_a_key(play)?;
            play.act(Action::new(Kind::Wait, 0, 1100))?;
            play.act(Action::new(Kind::FillSlots, 0, 0))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a pending key that was given more by hand",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::EditKey, 0, 0))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a pending key that was given what nobody knows",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::EditKey, 0, 1))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a pending version whose base was replaced",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::Label, 0, 0))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a pending value that somebody else put",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            play.act(Action::new(Kind::PutPending, 0, 0))
        },
        then: Then::Rotation,
    },
    MOVED,
    Beginning {
        name: "a rotation after a hand brought a version back",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Wait, 0, 300))?;
            play.act(Action::new(Kind::Label, 0, 0))?;
            step(play, Step::Create)?;
            begin(play)
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a secret with room for one label",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::FillLabels, 0, 1))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a version that was condemned and whose base came back",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::Label, 0, 0))?;
            dies_after(play, Operation::AddLabel)?;
            let previous = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * previous))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a current key that is not of the account it is said to be of",
        seed: 0,
        prepare: |play| play.act(Action::new(Kind::Put, 0, 3)),
        then: Then::Rotation,
    },
    Beginning { name: "a current value without a policy", seed: 3, prepare: begin, then: Then::Rotation },
    Beginning {
        name: "a person's key without a master, at a host that knows no key",
        seed: 5,
        prepare: |play| {
            play.act(Action::new(Kind::Offer, 0, 0))?;
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::Wait, 0, 400))?;
            play.act(Action::new(Kind::Venue, 0, 5 * 54))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a current version that came back by a hand",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Label, 0, 0))?;
            begin(play)
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a replaced key whose grace is over",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            play.act(Action::new(Kind::Wait, 0, 90_000))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a leaked key that was replaced, and one that was issued and never stored",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            let previous = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * previous + 4))?;
            begin(play)?;
            lose_a_key(play)?;
            play.act(Action::new(Kind::Wait, 0, 1100))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a current key that dies in the grace of the one before",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            play.act(Action::new(Kind::Wait, 0, 4000))?;
            play.act(Action::new(Kind::DeleteKey, 0, 0))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a key that two secrets name, and the second has replaced later",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Wait, 0, 8 * DAY))?;
            whole_of(play, 2)?;
            play.act(Action::new(Kind::Wait, 0, 4000))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced key that a replica may still hand out",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            play.act(Action::new(Kind::Replica, 0, 1))?;
            play.act(Action::new(Kind::Wait, 0, 2 * DAY))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced key that is on offer at another secret",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Put, 2, 4))?;
            let previous = position_in(play, 2, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 2, 5 * previous + 2))?;
            play.act(Action::new(Kind::Wait, 0, 9 * DAY))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced key that a deleted secret may hold",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Delete, 2, 0))?;
            play.act(Action::new(Kind::Wait, 0, 8 * DAY))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a key that was issued just now and may still be stored",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            lose_a_key(play)
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "the key of a version that lost its labels just now",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            play.act(Action::new(Kind::Wait, 0, 1100))?;
            play.act(Action::new(Kind::Put, 0, 4))?;
            play.act(Action::new(Kind::Put, 0, 4))?;
            play.act(Action::new(Kind::Wait, 0, 300))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a key that is condemned, under a list without it and no answer from it",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            play.act(Action::new(Kind::Wait, 0, 90_000))?;
            play.act(Action::new(Kind::Maintain, 0, 0))?;
            play.act(Action::new(Kind::Run, 0, 0))?;
            play.act(Action::new(Kind::Wait, 0, 4000))?;
            play.act(Action::new(Kind::Maintain, 0, 0))?;
            under(play, &[(Operation::List, Fault::PageMissing), (Operation::Inspect, Fault::Dropped)])
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a way back to a key whose end is decided",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            play.act(Action::new(Kind::Wait, 0, 90_000))?;
            play.act(Action::new(Kind::Maintain, 0, 0))?;
            play.act(Action::new(Kind::Run, 0, 0))?;
            play.act(Action::new(Kind::Wait, 0, 1300))?;
            let previous = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * previous + 3))?;
            begin(play)
        },
        then: Then::Rotation,
    },
    Beginning { name: "a way back", seed: 0, prepare: twice, then: Then::Operation(Kind::Rollback) },
    Beginning {
        name: "a stuck rotation",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            step(play, Step::Create)
        },
        then: Then::Operation(Kind::Abandon),
    },
];

/// Two rotations, of which the second has replaced a key of ours.
fn twice(play: &mut Play) -> Result<(), Broken> {
    whole(play)?;
    play.act(Action::new(Kind::Wait, 0, 61))?;
    whole(play)
}

fn begin(play: &mut Play) -> Result<(), Broken> {
    play.act(Action::new(Kind::Begin, 0, 0))
}

fn step(play: &mut Play, step: Step) -> Result<(), Broken> {
    step_of(play, 0, step)
}

fn step_of(play: &mut Play, secret: usize, step: Step) -> Result<(), Broken> {
    play.act(Action::invoke(secret, step))?;
    play.act(Action::new(Kind::Run, 0, 0))
}

/// A rotation that nothing disturbs.
fn whole(play: &mut Play) -> Result<(), Broken> {
    whole_of(play, 0)
}

fn whole_of(play: &mut Play, secret: usize) -> Result<(), Broken> {
    play.act(Action::new(Kind::Begin, secret, 0))?;
    Step::ALL.into_iter().try_for_each(|one| step_of(play, secret, one))
}

/// Lets the run under way go on to its end, each call of these operations with its fault.
fn under(play: &mut Play, faults: &[(Operation, Fault)]) -> Result<(), Broken> {
    while play.stage.runs() > 0 {
        let fault = play.stage.waiting(0).first().and_then(|waiting| match &waiting.point {
            Point::Call(call) => faults.iter().find(|(operation, _)| *operation == call.operation).map(|(_, fault)| *fault),
            Point::Sleep(_) => None,
        });
        play.act(Action::go(0, 0, fault))?;
    }
    Ok(())
}

/// Which of the first secret's versions has a label.
fn position_of(play: &Play, label: &str) -> usize {
    position_in(play, 0, label)
}

fn position_in(play: &Play, secret: usize, label: &str) -> usize {
    let position = play.stage.look(secret, |secret| {
        let holder = secret.holder(label)?;
        secret.versions().keys().position(|version| version == holder)
    });
    position.unwrap_or_default()
}

/// createSecret dies with a key that it has not stored.
fn lose_a_key(play: &mut Play) -> Result<(), Broken> {
    dies_after(play, Operation::Issue)
}

/// createSecret dies when the first call of this operation has had its effect.
fn dies_after(play: &mut Play, operation: Operation) -> Result<(), Broken> {
    play.act(Action::invoke(0, Step::Create))?;
    while play.stage.runs() > 0 {
        let is_it = play.stage.waiting(0).first().is_some_and(|waiting| match &waiting.point {
            Point::Call(call) => call.operation == operation,
            Point::Sleep(_) => false,
        });
        play.act(Action::go(0, 0, is_it.then_some(Fault::CrashAfter)))?;
    }
    Ok(())
}

/// Plays a rotation with these faults, replayed until it is over. Gives the number of its calls, and the faults each could meet
/// from the last planned one on.
pub(super) fn disturbed(beginning: &Beginning, planned: &[Planned]) -> (Play, Vec<Planned>) {
    let mut play = Play::new(beginning.seed);
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
        while play.stage.runs() > 0 {
            let operation = play.stage.waiting(0).first().and_then(|waiting| match &waiting.point {
                Point::Call(call) => Some(call.operation),
                Point::Sleep(_) => None,
            });
            let Some(operation) = operation else {
                play.act(Action::go(0, 0, None))?;
                continue;
            };
            self.calls += 1;
            let fault = self.planned.iter().find(|(at, _)| *at == self.calls).map(|(_, fault)| *fault);
            play.heals |= self.calls >= last;
            play.act(Action::go(0, 0, fault.filter(|fault| can_meet(*fault, operation))))?;
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
            // The second comes too early to act on what the first decided.
            play.act(Action::new(Kind::Wait, 0, if pass == 0 { 300 } else { 4000 }))?;
        }
        Ok(())
    }
}
