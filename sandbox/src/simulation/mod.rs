//! The simulation: the real steps over the sandbox's models, every fault at every call, operators and the
//! service beside them, and the protocol's promises checked in every state.
//!
//! | question | file |
//! | --- | --- |
//! | what can happen, and how a history is written | `action` |
//! | how it happens | `stage` |
//! | what has to come right again from every state | `healing` |
//! | every fault, pairs of faults | `beginnings`, `preparing`, `exhaustive` |
//! | two steps at once, an operation beside a step | `interleaving`, `crossings`, `crossing`, `two_runs` |
//! | long histories by chance, and the shortest that breaks a promise | `random`, `shrinking` |
//! | what was reached | `coverage` |
//! | what is played, in how many threads | `search` |
//! | the command, and what it prints | `command` |

mod action;
mod beginnings;
mod command;
mod coverage;
mod crossing;
mod crossings;
mod exhaustive;
mod healing;
mod interleaving;
mod playing;
mod preparing;
mod random;
mod search;
mod shrinking;
mod stage;
mod two_runs;
#[cfg(feature = "wrong-on-purpose")]
mod wrong;

pub use action::{History, NoAction};
pub use command::{Outcome, replay, simulate};
pub use search::Options;
pub use shrinking::Counterexample;
#[cfg(feature = "wrong-on-purpose")]
pub use wrong::simulate_wrong;
