//! Faults that a front injects into calls on its model.

use std::collections::VecDeque;
use std::fmt;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request never arrives: no effect, and the caller sees a broken connection.
    Dropped,
    /// The request takes effect, and the caller sees a broken connection.
    ReplyLost,
    /// The service says it is busy: no effect, and the caller gets the service's own throttling answer.
    Throttled,
    /// The service fails: no effect, and the caller gets an HTTP 500 that is no answer of the service's own.
    ServerError,
}

/// A plan of faults: asked once at every call, by the operation's name.
#[derive(Default)]
pub struct Faults {
    planned: VecDeque<(String, Fault)>,
}

impl Faults {
    /// Plans `fault` for the next call of `operation` that no earlier plan takes.
    pub fn plan(&mut self, operation: impl Into<String>, fault: Fault) {
        self.planned.push_back((operation.into(), fault));
    }

    /// The fault for this call, if one is planned; each plan is used once.
    pub fn next_for(&mut self, operation: &str) -> Option<Fault> {
        let at = self.planned.iter().position(|(name, _)| name == operation)?;
        self.planned.remove(at).map(|(_, fault)| fault)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.planned).finish()
    }
}
