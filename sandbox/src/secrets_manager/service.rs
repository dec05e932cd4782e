//! The model behind a lock, with its clock and its faults: what the fronts share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Model;
use super::random::Random;
use crate::clock::SandboxClock;
use crate::fault::Faults;

/// A handle on one stand-in; clones are the same one.
#[derive(Clone, Debug)]
pub struct Service {
    state: Arc<Mutex<State>>,
    due: Arc<Notify>,
    requests: Arc<AtomicU64>,
}

/// What the lock guards.
#[derive(Debug)]
pub struct State {
    /// The model.
    pub model: Model,
    /// Faults planned for calls over HTTP, by the operation's name.
    pub faults: Faults,
    /// What time it is for this stand-in.
    pub clock: SandboxClock,
}

impl Service {
    /// Serves this model by this clock, without faults.
    pub fn new(model: Model, clock: SandboxClock) -> Self {
        let state = State {
            model,
            faults: Faults::default(),
            clock,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            due: Arc::default(),
            requests: Arc::default(),
        }
    }

    /// Exclusive access. Never hold it over an await.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a state that is still of use for looking at.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notified whenever a call may have made an invocation due. A permit is kept while nobody waits.
    pub fn due(&self) -> &Notify {
        &self.due
    }

    /// An id for a reply. Not from the model's generator: what a model does must not hang on who asked how
    /// often.
    pub(super) fn request_id(&self) -> String {
        Random::new(self.requests.fetch_add(1, Ordering::Relaxed)).uuid()
    }
}
