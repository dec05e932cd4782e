//! Which operations cross which steps, each from where the operation has something to do with that rotation.

use protocol::rotation::Step;

use super::action::{Action, Kind};
use super::crossing::Crossing;
use super::playing::{Broken, Play};
use super::preparing::{begin, lose_a_key, position_of, step, twice, until, whole};
use crate::in_process::{Fault, Operation};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};

const ABANDON: Action = plain(Kind::Abandon, 0);
const ROLLBACK: Action = plain(Kind::Rollback, 0);
const REPLACE_FIRST: Action = plain(Kind::BreakGlass, 0);
const REVOKE_FIRST: Action = plain(Kind::BreakGlass, 1);
/// Of the one secret.
const MAINTAIN: Action = plain(Kind::Maintain, 1);

const fn plain(kind: Kind, how: u32) -> Action {
    Action {
        kind,
        which: 0,
        how,
        fault: None,
    }
}

/// An order about the version that has a label; replacing first, or revoking first.
fn about(play: &Play, holder: &str, mode: usize) -> Action {
    Action::new(Kind::BreakGlass, 0, mode + 2 + 4 * position_of(play, holder))
}

/// The crossings.
pub(super) const CROSSINGS: [Crossing; 29] = [
    Crossing {
        name: "abandon beside createSecret",
        prepare: creates,
        operation: |_| ABANDON,
    },
    Crossing {
        name: "abandon beside a createSecret that is about to store",
        prepare: stores,
        operation: |_| ABANDON,
    },
    Crossing {
        name: "abandon beside createSecret of a way back",
        prepare: |play| {
            twice(play)?;
            label(play, AWSPREVIOUS, 3)?;
            creates(play)
        },
        operation: |_| ABANDON,
    },
    Crossing {
        name: "abandon beside finishSecret",
        prepare: finishes,
        operation: |_| ABANDON,
    },
    Crossing {
        name: "abandon beside finishSecret of a way back",
        prepare: goes_back,
        operation: |_| ABANDON,
    },
    Crossing {
        name: "break_glass beside createSecret",
        prepare: |play| after_one(play, creates),
        operation: |_| REPLACE_FIRST,
    },
    Crossing {
        name: "break_glass beside finishSecret",
        prepare: |play| after_one(play, finishes),
        operation: |_| REPLACE_FIRST,
    },
    Crossing {
        name: "break_glass, revoking first, beside createSecret",
        prepare: |play| after_one(play, creates),
        operation: |_| REVOKE_FIRST,
    },
    Crossing {
        name: "break_glass, revoking first, beside finishSecret",
        prepare: |play| after_one(play, finishes),
        operation: |_| REVOKE_FIRST,
    },
    Crossing {
        name: "break_glass beside createSecret of a stuck rotation",
        prepare: |play| after_one(play, late),
        operation: |_| REPLACE_FIRST,
    },
    Crossing {
        name: "break_glass, revoking first, beside createSecret of a stuck rotation",
        prepare: |play| after_one(play, late),
        operation: |_| REVOKE_FIRST,
    },
    Crossing {
        name: "break_glass for the pending key beside finishSecret",
        prepare: |play| after_one(play, finishes),
        operation: |play| about(play, AWSPENDING, 0),
    },
    Crossing {
        name: "break_glass, revoking first, for the pending key beside finishSecret",
        prepare: |play| after_one(play, finishes),
        operation: |play| about(play, AWSPENDING, 1),
    },
    Crossing {
        name: "break_glass for the key before beside finishSecret of a way back to it",
        prepare: goes_back,
        operation: |play| about(play, AWSPREVIOUS, 0),
    },
    Crossing {
        name: "break_glass, revoking first, for the key before beside finishSecret of a way back to it",
        prepare: goes_back,
        operation: |play| about(play, AWSPREVIOUS, 1),
    },
    Crossing {
        name: "rollback beside createSecret",
        prepare: |play| after_one(play, creates),
        operation: |_| ROLLBACK,
    },
    Crossing {
        name: "rollback beside a createSecret whose version was given up",
        prepare: |play| {
            whole(play)?;
            stores(play)?;
            play.act(ABANDON)?;
            play.act(Action::new(Kind::Run, 1, 0))
        },
        operation: |_| ROLLBACK,
    },
    Crossing {
        name: "rollback beside finishSecret",
        prepare: |play| after_one(play, finishes),
        operation: |_| ROLLBACK,
    },
    Crossing {
        name: "rollback beside a finishSecret whose version was given up",
        prepare: |play| {
            whole(play)?;
            finishes(play)?;
            until(play, Operation::Swap)?;
            play.act(ABANDON)?;
            play.act(Action::new(Kind::Run, 1, 0))
        },
        operation: |_| ROLLBACK,
    },
    Crossing {
        name: "maintain in a grace beside finishSecret",
        prepare: |play| {
            twice(play)?;
            finishes(play)
        },
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain after a grace beside createSecret",
        prepare: |play| after_a_grace(play, creates),
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain after a grace beside finishSecret",
        prepare: |play| after_a_grace(play, finishes),
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a condemned key beside createSecret of a way back to it",
        prepare: |play| {
            twice(play)?;
            condemned(play)?;
            label(play, AWSPREVIOUS, 3)?;
            creates(play)
        },
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a condemned key beside finishSecret of a way back to it",
        prepare: |play| {
            twice(play)?;
            label(play, AWSPREVIOUS, 3)?;
            begin(play)?;
            step(play, Step::Create)?;
            condemned(play)?;
            play.act(Action::invoke(0, Step::Finish))
        },
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a version that was half given up beside createSecret",
        prepare: |play| half_given_up(play, Step::Create),
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a version that was half given up beside finishSecret",
        prepare: |play| half_given_up(play, Step::Finish),
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a leaked current key beside createSecret, and a key that was lost",
        prepare: |play| {
            whole(play)?;
            begin(play)?;
            lose_a_key(play)?;
            play.act(Action::new(Kind::Wait, 0, 1100))?;
            label(play, AWSCURRENT, 4)?;
            play.act(Action::invoke(0, Step::Create))
        },
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a leaked key beside finishSecret of a way back to it",
        prepare: |play| {
            goes_back(play)?;
            label(play, AWSPREVIOUS, 4)
        },
        operation: |_| MAINTAIN,
    },
    Crossing {
        name: "maintain of a leaked current key beside finishSecret",
        prepare: |play| {
            whole(play)?;
            finishes(play)?;
            label(play, AWSCURRENT, 4)
        },
        operation: |_| MAINTAIN,
    },
];

/// A rotation's first step is under way.
fn creates(play: &mut Play) -> Result<(), Broken> {
    begin(play)?;
    play.act(Action::invoke(0, Step::Create))
}

/// A rotation's first step comes late.
fn late(play: &mut Play) -> Result<(), Broken> {
    begin(play)?;
    play.act(Action::new(Kind::Wait, 0, 400))?;
    play.act(Action::invoke(0, Step::Create))
}

/// A rotation's first step has issued a key, and is about to store it.
fn stores(play: &mut Play) -> Result<(), Broken> {
    creates(play)?;
    until(play, Operation::Put)
}

/// A rotation's last step is under way.
fn finishes(play: &mut Play) -> Result<(), Broken> {
    begin(play)?;
    [Step::Create, Step::Set, Step::Test]
        .into_iter()
        .try_for_each(|one| step(play, one))?;
    play.act(Action::invoke(0, Step::Finish))
}

/// The last step of a rotation that goes back to the key before is under way.
fn goes_back(play: &mut Play) -> Result<(), Broken> {
    twice(play)?;
    label(play, AWSPREVIOUS, 3)?;
    finishes(play)
}

/// A rotation after one that went well.
fn after_one(play: &mut Play, then: fn(&mut Play) -> Result<(), Broken>) -> Result<(), Broken> {
    whole(play)?;
    play.act(Action::new(Kind::Wait, 0, 4000))?;
    then(play)
}

/// A rotation, when the grace of what was replaced before is over.
fn after_a_grace(play: &mut Play, then: fn(&mut Play) -> Result<(), Broken>) -> Result<(), Broken> {
    twice(play)?;
    play.act(Action::new(Kind::Wait, 0, 90_000))?;
    then(play)
}

/// A pass has condemned what was replaced, and the next one may revoke it.
fn condemned(play: &mut Play) -> Result<(), Broken> {
    play.act(Action::new(Kind::Wait, 0, 90_000))?;
    play.act(MAINTAIN)?;
    play.act(Action::new(Kind::Run, 0, 0))?;
    play.act(Action::new(Kind::Wait, 0, 1300))
}

/// Who gave a rotation up died before AWSPENDING was off, and a step of it comes again.
fn half_given_up(play: &mut Play, again: Step) -> Result<(), Broken> {
    begin(play)?;
    step(play, Step::Create)?;
    play.act(ABANDON)?;
    until(play, Operation::AddLabel)?;
    play.act(Action::go(0, 0, Some(Fault::CrashAfter)))?;
    play.act(Action::new(Kind::Wait, 0, 1300))?;
    play.act(Action::invoke(0, again))
}

/// A person puts one of their labels on the version that holds another.
fn label(play: &mut Play, holder: &str, label: usize) -> Result<(), Broken> {
    let at = position_of(play, holder);
    play.act(Action::new(Kind::Label, 0, 5 * at + label))
}
