//! From where faults are played: the beginnings that lead through other code.

mod operations;
mod rotations;

use super::action::Kind;
use super::playing::{Broken, Play};

/// A beginning: what happens before what is disturbed.
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
    /// An operation that comes round, on the first secret or on all of them.
    Operation(Kind),
    /// One on the first secret that says how, a few times, while the service performs what is due.
    Order(Kind, usize),
}

/// The beginnings.
pub(super) fn all() -> Vec<&'static Beginning> {
    rotations::BEGINNINGS
        .iter()
        .chain(&operations::BEGINNINGS)
        .collect()
}

/// The beginnings that pairs of faults are played from.
pub(super) const FOR_PAIRS: [&Beginning; 6] = [
    &rotations::PLAIN,
    &rotations::MOVED,
    &operations::STUCK,
    &operations::WAY_BACK,
    &operations::CONDEMNED,
    &operations::LEAKED,
];
