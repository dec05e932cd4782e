//! Two runs under way at once, each of them told by the order in which they were started, and what can happen
//! next in them.

use super::action::Action;
use super::playing::Play;
use super::stage::Waiting;
use crate::in_process::{Operation, Point, Ticket};

/// A play with two runs on its stage.
pub(super) struct TwoRuns {
    pub(super) play: Play,
    /// For each run that is still on the stage, which of the two it is.
    runs: Vec<usize>,
}

impl TwoRuns {
    /// Those that are on the stage now.
    pub(super) fn of(play: Play) -> Self {
        let runs = (0..play.stage.runs()).collect();
        Self { play, runs }
    }

    /// Those that are not over.
    pub(super) fn runs(&self) -> &[usize] {
        &self.runs
    }

    /// What waits in one of them, in the order in which it came; nothing where it is over.
    pub(super) fn waiting(&self, run: usize) -> Vec<Waiting> {
        self.place(run)
            .map(|at| self.play.stage.waiting(at))
            .unwrap_or_default()
    }

    /// Lets go through what waits there, where it still does. Whether the promises still hold.
    pub(super) fn go(&mut self, run: usize, ticket: Ticket) -> bool {
        let Some(at) = self.place(run) else { return true };
        let Some(point) = self
            .play
            .stage
            .waiting(at)
            .iter()
            .position(|waiting| waiting.ticket == ticket)
        else {
            return true;
        };
        let before = self.play.stage.runs();
        let held = self.play.act(Action::go(at, point, None)).is_ok();
        if self.play.stage.runs() < before {
            self.runs.remove(at);
        }
        held
    }

    fn place(&self, run: usize) -> Option<usize> {
        self.runs.iter().position(|known| *known == run)
    }
}

/// What happens next: a call, the end of a sleep, or a person's move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Call(Operation),
    Sleep,
    Hand,
}

impl What {
    pub(super) fn of(point: &Point) -> Self {
        match point {
            Point::Call(call) => Self::Call(call.operation),
            Point::Sleep(_) => Self::Sleep,
        }
    }

    /// Whether it makes no difference which of two comes first.
    pub(super) fn commutes_with(self, other: Self) -> bool {
        let writes = |what: Self| match what {
            Self::Call(operation) => operation.writes(),
            Self::Sleep => false,
            Self::Hand => true,
        };
        let is_venue = |what: Self| matches!(what, Self::Call(operation) if operation.is_venue());
        match (self, other) {
            (Self::Sleep, Self::Sleep) => false,
            _ if !writes(self) && !writes(other) => true,
            (Self::Sleep, _) | (_, Self::Sleep) => false,
            _ => is_venue(self) != is_venue(other),
        }
    }
}
