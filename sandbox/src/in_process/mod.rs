//! The function's ports over the sandbox's models, without network, sleep or chance: what tests and
//! simulations run the real rotation code on.
//!
//! A [`World`] is both models, one clock, and what everybody said. An [`Invocation`] is the rotation code at
//! work in it. Every call it makes of a port, and every sleep, waits at a gate until whoever drives it lets
//! it through, with or without a [`Fault`]: [`World::run`] drives one invocation to its end by the faults
//! that were planned, and a simulation may drive
//! several, one call at a time. The ports do not retry: a fault is what is left after an implementation's own
//! retries.
//!
//! | question | file |
//! | --- | --- |
//! | what a world is made of, and how it is set up | `world`, `setup`, `state` |
//! | how the rotation code is run in it | `running` |
//! | what a person does in it | `by_hand`, `orders` |
//! | the kinds of venues that there are | `kind` |
//! | what is true in it | `truth` |
//! | what was logged | `silence` |
//! | how an invocation is driven, and what may go wrong with a call | `invocation`, `gate`, `call` |
//! | the ports | `store`, `venue`, `powers`, `refusals`, `time`, `journal`; the one hook of all is `port` |

mod by_hand;
mod call;
mod gate;
mod invocation;
mod journal;
pub mod kind;
mod orders;
mod port;
mod powers;
mod refusals;
mod running;
mod setup;
pub mod silence;
mod state;
mod store;
mod time;
mod truth;
mod venue;
mod world;

pub use call::{Call, Fault, Made, Operation, Told};
pub use gate::{Point, Ticket};
pub use invocation::{Failure, Invocation};
pub use journal::MemoryJournal;
pub use kind::{OPTIONS, Power, SPOT, TRADES, TRANSFERS};
pub use orders::{audit, break_glass, maintain, naming, without_a_successor};
pub(crate) use powers::powers;
pub use setup::{
    BOT_ADDRESS, ELSEWHERE, FUNCTION_ADDRESS, FUNCTION_ARN, MASTER, OTHER_SUB, PARENT, SETTLED, SUB, Setup,
    settings_by_hand,
};
pub use store::InProcessStore;
pub use time::ManualTime;
pub use venue::{InProcessVenue, InProcessVenues};
pub use world::World;
