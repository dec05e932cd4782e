//! What happens before an operation that is disturbed.

use protocol::rotation::Step;

use super::{Beginning, Then};
use crate::in_process::{Fault, Operation};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};
use crate::simulation::action::{Action, Kind};
use crate::simulation::preparing::{
    begin, holder_of, lose_a_key, position_in, position_of, put_and_replaced, step, twice, under, until,
    whole, whole_of,
};

const DAY: usize = 24 * 60 * 60;

/// A person replaces a leaked key.
pub(super) const LEAKED: Beginning = Beginning {
    name: "an order to replace a leaked key",
    seed: 0,
    prepare: whole,
    then: Then::Order(Kind::BreakGlass, 0),
};

/// A pass ends what the one before decided.
pub(super) const CONDEMNED: Beginning = Beginning {
    name: "a key that is condemned, and one that was issued and never stored",
    seed: 0,
    prepare: |play| {
        whole(play)?;
        play.act(Action::new(Kind::Wait, 0, 8 * DAY))?;
        play.act(Action::new(Kind::Maintain, 0, 1))?;
        play.act(Action::new(Kind::Run, 0, 0))?;
        begin(play)?;
        lose_a_key(play)?;
        play.act(Action::new(Kind::Wait, 0, 1300))
    },
    then: Then::Order(Kind::Maintain, 1),
};

/// A person goes back.
pub(super) const WAY_BACK: Beginning = Beginning {
    name: "a way back",
    seed: 0,
    prepare: twice,
    then: Then::Operation(Kind::Rollback),
};

/// A person gives a rotation up.
pub(super) const STUCK: Beginning = Beginning {
    name: "a stuck rotation",
    seed: 0,
    prepare: |play| {
        begin(play)?;
        step(play, Step::Create)
    },
    then: Then::Operation(Kind::Abandon),
};

/// All of them.
pub(super) const BEGINNINGS: [Beginning; 30] = [
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
            under(
                play,
                &[
                    (Operation::List, Fault::PageMissing),
                    (Operation::Inspect, Fault::Dropped),
                ],
            )
        },
        then: Then::Operation(Kind::Maintain),
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
            let at = play.stage.look(0, |secret| {
                secret
                    .versions()
                    .keys()
                    .position(|version| Some(version) == previous.as_ref())
            });
            play.act(Action::new(Kind::Label, 0, 5 * at.unwrap_or_default() + 4))
        },
        then: Then::Operation(Kind::Maintain),
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
    Beginning {
        name: "an audit",
        seed: 0,
        prepare: twice,
        then: Then::Operation(Kind::Audit),
    },
    Beginning {
        name: "a plan",
        seed: 0,
        prepare: twice,
        then: Then::Operation(Kind::Plan),
    },
    WAY_BACK,
    STUCK,
    LEAKED,
    Beginning {
        name: "an order to revoke a leaked key first, beside a rotation under way",
        seed: 0,
        prepare: |play| {
            whole(play)?;
            begin(play)?;
            step(play, Step::Create)
        },
        then: Then::Order(Kind::BreakGlass, 1),
    },
    CONDEMNED,
    Beginning {
        name: "an order to replace a leaked key beside a rotation that is stuck, and brings it back",
        seed: 0,
        prepare: |play| {
            twice(play)?;
            let previous = position_of(play, AWSPREVIOUS);
            play.act(Action::new(Kind::Label, 0, 5 * previous + 3))?;
            begin(play)?;
            step(play, Step::Create)?;
            play.act(Action::new(Kind::Wait, 0, 400))
        },
        then: Then::Order(Kind::BreakGlass, 0),
    },
    Beginning {
        name: "a leaked master",
        seed: 0,
        prepare: whole,
        then: Then::Order(Kind::BreakGlass, 12),
    },
    Beginning {
        name: "a current key that dies in the grace of the one before, where the policy says to go back",
        seed: 4,
        prepare: |play| {
            twice(play)?;
            play.act(Action::new(Kind::Wait, 0, 4000))?;
            play.act(Action::new(Kind::DeleteKey, 0, 0))
        },
        then: Then::Order(Kind::Maintain, 1),
    },
];
