//! From where faults are played: the beginnings that lead through other code.

use protocol::rotation::Step;

use super::action::{Action, Kind};
use super::playing::{Broken, Play};
use super::preparing::{
    begin, dies_after, holder_of, lose_a_key, position_in, position_of, put_and_replaced, step, twice, under, until, whole,
    whole_of,
};
use crate::in_process::{Fault, Operation};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};

const DAY: usize = 24 * 60 * 60;

/// A beginning: what happens before the rotation that is disturbed.
pub(super) struct Beginning {
    pub(super) name: &'static str,
    /// How the world begins.
    pub(super) seed: u64,
    pub(super) prepare: fn(&mut Play) -> Result<(), Broken>,
    pub(super) then: Then,
}

/// What is disturbed.
#[derive(Clone, Copy)]
pub(super) enum Then {
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
pub(super) const BEGINNINGS: [Beginning; 45] = [
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
    Beginning {
        name: "a key made by hand that a way back copied, replaced a day ago",
        seed: 0,
        prepare: |play| {
            whole_of(play, 1)?;
            let previous = position_in(play, 1, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 1, 5 * previous + 3))?;
            whole_of(play, 1)?;
            whole_of(play, 1)?;
            play.act(Action::new(Kind::Wait, 0, 90_000))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a key made by hand that was offered, replaced a day ago",
        seed: 0,
        prepare: |play| {
            play.act(Action::new(Kind::Offer, 1, 0))?;
            whole_of(play, 1)?;
            whole_of(play, 1)?;
            play.act(Action::new(Kind::Wait, 0, 90_000))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced key that the function may not use, of another account than is said",
        seed: 0,
        prepare: |play| put_and_replaced(play, 12),
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced key with a mistyped secret, of another account than is said",
        seed: 0,
        prepare: |play| put_and_replaced(play, 14),
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced value that does not say its master",
        seed: 0,
        prepare: |play| put_and_replaced(play, 8),
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced value that does not say its account",
        seed: 0,
        prepare: |play| put_and_replaced(play, 9),
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a replaced key that the function may not use",
        seed: 0,
        prepare: |play| put_and_replaced(play, 11),
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a current key that is leaked",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            let current = position_of(play, AWSCURRENT);
            play.act(Action::new(Kind::Label, 0, 5 * current + 4))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a leaked key that a way back has copied",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            let previous = holder_of(play, AWSPREVIOUS);
            let at = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * at + 3))?;
            whole(play)?;
            let at = play.stage.look(0, |secret| secret.versions().keys().position(|version| Some(version) == previous.as_ref()));
            play.act(Action::new(Kind::Label, 0, 5 * at.unwrap_or_default() + 4))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning {
        name: "a way back to a key that is leaked by now",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            let previous = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * previous + 3))?;
            begin(play)?;
            step(play, Step::Create)?;
            let previous = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * previous + 4))
        },
        then: Then::Rotation,
    },
    Beginning {
        name: "a leaked key that was given up just before a run promotes it",
        seed: 0,
        prepare: |play| {
            begin(play)?;
            step(play, Step::Create)?;
            let pending = position_of(play, AWSPENDING);
            play.act(Action::invoke(0, Step::Finish))?;
            until(play, Operation::Swap)?;
            play.act(Action::new(Kind::Abandon, 0, 0))?;
            play.act(Action::new(Kind::Run, 1, 0))?;
            play.act(Action::new(Kind::Label, 0, 5 * pending + 4))
        },
        then: Then::Operation(Kind::Maintain),
    },
    Beginning { name: "an audit", seed: 0, prepare: twice, then: Then::Operation(Kind::Audit) },
    Beginning { name: "a plan", seed: 0, prepare: twice, then: Then::Operation(Kind::Plan) },
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
