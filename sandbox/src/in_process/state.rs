//! What changes in a world: the models, the clock, and what is kept of all that happened.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocol::audit::Record;

use super::call::{Made, Plan};
use super::kind::VenueKind;
use crate::invariants::{Act, Scene, Witness};
use crate::random::SplitMix64;
use crate::{secrets_manager, venue};

/// How stale a read of Secrets Manager may be.
const STALENESS: SignedDuration = SignedDuration::from_mins(1);

/// A world's state. Cloning it forks the world.
#[derive(Clone)]
pub(super) struct State {
    pub(super) secrets_manager: secrets_manager::Model,
    pub(super) venue: venue::Model,
    /// What kind of venue it is.
    pub(super) kind: &'static VenueKind,
    pub(super) now: Timestamp,
    /// How far the function's clock is ahead of everybody else's.
    pub(super) function_ahead: SignedDuration,
    /// How long a round of calls takes that is driven to its end.
    pub(super) round_trip: SignedDuration,
    /// The least time between two calls to a venue, and between two of one master credential.
    pub(super) spacing: [Duration; 2],
    /// Where the function's calls come from.
    pub(super) address: IpAddr,
    pub(super) random: SplitMix64,
    pub(super) invocations: u64,
    pub(super) plan: Plan,
    pub(super) calls: Vec<Made>,
    pub(super) records: Vec<Record>,
    /// What invocations answered, as JSON.
    pub(super) answers: Vec<String>,
    /// Everything that was printed or could have been.
    pub(super) said: String,
    /// The RotationTokens that ever were.
    pub(super) rotation_tokens: BTreeSet<String>,
    /// Who checks the protocol's promises.
    pub(super) witness: Witness,
    /// The list that is made now lacks a page.
    pub(super) page_missing: bool,
    /// Whether what is said is kept, and what was, for stale reads.
    pub(super) listening: bool,
    /// Whether calls are kept.
    pub(super) noting: bool,
    /// Secrets Manager before each of its last writes, and when that was.
    past: Vec<(Timestamp, secrets_manager::Model)>,
    late: Vec<Late>,
}

/// An effect to come.
#[derive(Clone)]
struct Late {
    due: Timestamp,
    effect: Arc<dyn Fn(&mut State) + Send + Sync>,
}

impl State {
    pub(super) fn new(
        mut secrets_manager: secrets_manager::Model,
        venue: venue::Model,
        kind: &'static VenueKind,
        now: Timestamp,
        address: IpAddr,
        seed: u64,
    ) -> Self {
        secrets_manager.note_nothing();
        let mut state = Self {
            secrets_manager,
            venue,
            kind,
            now,
            function_ahead: SignedDuration::ZERO,
            round_trip: SignedDuration::ZERO,
            spacing: [Duration::ZERO; 2],
            address,
            // Not the sequence that Secrets Manager draws its ids from.
            random: SplitMix64::new(!seed),
            invocations: 0,
            plan: Plan::default(),
            calls: Vec::new(),
            records: Vec::new(),
            answers: Vec::new(),
            said: String::new(),
            rotation_tokens: BTreeSet::new(),
            witness: Witness::default(),
            page_missing: false,
            listening: true,
            noting: true,
            past: Vec::new(),
            late: Vec::new(),
        };
        state.others_acted(false);
        state
    }

    /// The same state, with an empty record of what was said and called, which stays empty.
    pub(super) fn without_what_was_said(&mut self) -> Self {
        Self {
            secrets_manager: self.secrets_manager.clone(),
            venue: self.venue.clone(),
            random: self.random.clone(),
            plan: self.plan.clone(),
            calls: Vec::new(),
            records: Vec::new(),
            answers: Vec::new(),
            said: String::new(),
            rotation_tokens: BTreeSet::new(),
            witness: self.witness.without_runs(self.late.is_empty()),
            listening: false,
            noting: false,
            past: Vec::new(),
            late: self.late.clone(),
            ..*self
        }
    }

    // What the witness is told.

    pub(super) fn witnessed(&mut self, act: &Act<'_>) {
        self.testify(|witness, scene| witness.saw(act, scene));
    }

    pub(super) fn others_acted(&mut self, at_the_venue: bool) {
        self.testify(|witness, scene| witness.others_acted(at_the_venue, scene));
    }

    pub(super) fn testify<T>(&mut self, tell: impl FnOnce(&mut Witness, &Scene<'_>) -> T) -> T {
        let Self {
            witness,
            secrets_manager: secrets,
            venue,
            now,
            kind,
            ..
        } = self;
        tell(
            witness,
            &Scene {
                secrets,
                venue,
                now: *now,
                kind,
            },
        )
    }

    /// Whether an effect is still to come.
    pub(super) fn is_more_to_come(&self) -> bool {
        !self.late.is_empty()
    }

    /// Lets time pass; late effects come when they are due.
    pub(super) fn advance_to(&mut self, time: Timestamp) {
        while let Some(at) = (0..self.late.len())
            .filter(|at| self.late[*at].due <= time)
            .min_by_key(|at| self.late[*at].due)
        {
            let Late { due, effect } = self.late.remove(at);
            self.now = self.now.max(due);
            effect(self);
        }
        self.now = self.now.max(time);
    }

    pub(super) fn later(&mut self, after: SignedDuration, effect: Arc<dyn Fn(&mut Self) + Send + Sync>) {
        self.late.push(Late {
            due: self.now + after,
            effect,
        });
    }

    /// Writes to Secrets Manager, and keeps it as it was for stale reads, unless nothing came of it.
    pub(super) fn write<T, E>(
        &mut self,
        act: impl FnOnce(&mut secrets_manager::Model, Timestamp) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.listening {
            return act(&mut self.secrets_manager, self.now);
        }
        let before = self.secrets_manager.clone();
        let written = act(&mut self.secrets_manager, self.now)?;
        let oldest = self.now - STALENESS;
        self.past.retain(|(replaced, _)| *replaced >= oldest);
        self.past.push((self.now, before));
        Ok(written)
    }

    /// What is seen by a look that does not know of the last `writes` writes.
    pub(super) fn stale<T>(&mut self, writes: usize, look: impl FnOnce(&mut Self) -> T) -> T {
        let oldest = self.now - STALENESS;
        let within: Vec<usize> = (0..self.past.len())
            .filter(|at| self.past[*at].0 >= oldest)
            .collect();
        let Some(at) = within
            .len()
            .checked_sub(writes.min(within.len()))
            .and_then(|at| within.get(at))
        else {
            return look(self);
        };
        let past = self.past[*at].1.clone();
        let present = std::mem::replace(&mut self.secrets_manager, past);
        let seen = look(self);
        self.secrets_manager = present;
        seen
    }

    pub(super) fn say(&mut self, words: &str) {
        if !self.listening {
            return;
        }
        self.said.push_str(words);
        self.said.push('\n');
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("now", &self.now)
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}

/// The state behind its lock, which is never held over an await.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<State>>);

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
