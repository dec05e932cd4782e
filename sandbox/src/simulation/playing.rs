//! A history as it is played: the promises are checked after every action, and from every state that is new
//! the way to rest.

use super::action::{Action, History, Kind};
use super::coverage::Coverage;
use super::healing::{Tell, heal, look_after};
use super::stage::Stage;
use crate::invariants::{Invariant, Violation};

/// A history under way.
pub(super) struct Play {
    pub(super) stage: Stage,
    pub(super) history: History,
    pub(super) broken: Option<Violation>,
    /// The change of the world after which the way to rest was tried last.
    healed: u64,
    /// Whether it is tried at all: not over a beginning that was played before.
    pub(super) heals: bool,
    /// Whether it is tried at the end what passes make of it.
    pub(super) looks_after: bool,
    /// From one in so many new states.
    pub(super) one_in: u64,
}

impl Play {
    pub(super) fn new(seed: u64) -> Self {
        let stage = Stage::new(seed);
        let healed = stage.world.changes();
        Self {
            stage,
            history: History {
                seed,
                actions: Vec::new(),
            },
            broken: None,
            healed,
            heals: true,
            looks_after: true,
            one_in: 1,
        }
    }

    /// Plays a whole history again.
    pub(super) fn again(history: &History) -> Self {
        let mut play = Self::new(history.seed);
        for action in &history.actions {
            if play.act(*action).is_err() {
                return play;
            }
        }
        play.end();
        play
    }

    /// Lets an action happen.
    ///
    /// # Errors
    /// When a promise is broken: the history ends here.
    pub(super) fn act(&mut self, action: Action) -> Result<(), Broken> {
        let secret = self.concerns(&action);
        self.history.actions.push(action);
        self.stage.apply(&action);
        self.stage.coverage.states += 1;
        if let Some(violation) = self.stage.violation() {
            return self.broke(violation);
        }
        let changes = self.stage.world.changes();
        if !self.heals || changes == self.healed {
            return Ok(());
        }
        self.healed = changes;
        if !changes.is_multiple_of(self.one_in) {
            return Ok(());
        }
        self.heal(secret, false)
    }

    /// Lets an action happen, and tells it.
    pub(super) fn told(&mut self, action: Action) -> String {
        let call = if action.kind == Kind::Go {
            self.stage.waits(usize::from(action.which), action.how())
        } else {
            None
        };
        self.stage.ended = None;
        // What is broken is in the play.
        let _ = self.act(action);
        let call = call.map_or_else(String::new, |call| format!("  {call}"));
        let ended = self
            .stage
            .ended
            .as_ref()
            .map(|(task, ending)| format!("  -> {task} {}", ending.said));
        format!("{action}{call}{}", ended.unwrap_or_default())
    }

    /// The history is over: nothing was said that must not be, and every secret finds its way to rest.
    pub(super) fn end(&mut self) {
        self.end_telling(&mut |_, _| {});
    }

    /// The same, telling what the passes do that come round.
    pub(super) fn end_telling(&mut self, tell: Tell<'_>) {
        if self.broken.is_some() {
            return;
        }
        let leaks = self.stage.world.leaks();
        if !leaks.is_empty() {
            let what = format!("{} secrets were said", leaks.len());
            let at = self.stage.world.now();
            self.broken = Some(Violation {
                invariant: Invariant::Silent,
                at,
                what,
            });
            return;
        }
        if self.looks_after
            && self.heals
            && let Some(violation) = look_after(&self.stage.world, tell)
        {
            self.broken = Some(violation);
            return;
        }
        for secret in 0..self.stage.secrets.len() {
            if self.heals && self.heal(secret, true).is_err() {
                return;
            }
        }
    }

    fn heal(&mut self, secret: usize, thoroughly: bool) -> Result<(), Broken> {
        self.stage.coverage.healed += 1;
        match heal(&self.stage.world, &self.stage.secrets[secret], thoroughly) {
            Some(violation) => self.broke(violation),
            None => Ok(()),
        }
    }

    fn broke(&mut self, violation: Violation) -> Result<(), Broken> {
        self.broken = Some(violation);
        Err(Broken)
    }

    /// The secret whose state an action changes; for what may concern any of them, each in turn.
    fn concerns(&self, action: &Action) -> usize {
        let run = || {
            self.stage
                .secret_of(usize::from(action.which).checked_rem(self.stage.runs())?)
        };
        let secret = match action.kind {
            Kind::Go | Kind::Run | Kind::Kill => run(),
            Kind::Wait
            | Kind::Maintain
            | Kind::Due
            | Kind::Ways
            | Kind::RotateMaster
            | Kind::EditKey
            | Kind::DeleteKey
            | Kind::FillSlots
            | Kind::FreeSlots
            | Kind::Skew
            | Kind::Venue
            | Kind::Enemy => None,
            _ => Some(usize::from(action.which)),
        };
        secret.unwrap_or(self.history.actions.len()) % self.stage.secrets.len()
    }

    /// What was reached.
    pub(super) fn coverage(&mut self) -> Coverage {
        let mut coverage = std::mem::take(&mut self.stage.coverage);
        coverage.histories += 1;
        *coverage.kinds.entry(self.stage.world.kind().name).or_default() += 1;
        coverage
    }
}

/// A promise is broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;
