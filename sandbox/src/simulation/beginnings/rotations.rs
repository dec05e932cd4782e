//! What happens before a rotation that is disturbed.

use protocol::rotation::Step;

use super::{Beginning, Then};
use crate::in_process::Operation;
use crate::secrets_manager::AWSPREVIOUS;
use crate::simulation::action::{Action, Kind};
use crate::simulation::preparing::{begin, dies_after, lose_a_key, position_of, step, twice, whole};

/// The one that nothing is special about.
pub(super) const PLAIN: Beginning = Beginning {
    name: "a plain rotation",
    seed: 0,
    prepare: begin,
    then: Then::Rotation,
};

/// The one where reads that are stale show another version current.
pub(super) const MOVED: Beginning = Beginning {
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

/// All of them.
pub(super) const BEGINNINGS: [Beginning; 21] = [
    PLAIN,
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
    Beginning {
        name: "a current value without a policy",
        seed: 3,
        prepare: begin,
        then: Then::Rotation,
    },
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
];
