//! What becomes of the function's invocations.

use std::task::Poll;

use protocol::operations::Answer;

use super::super::action::can_meet;
use super::{Driven, Ending, Running, Stage, Waiting};
use crate::in_process::{Failure, Fault, Point, Ticket};

impl Driven {
    pub(super) fn waiting(&self) -> Vec<(Ticket, Point)> {
        match self {
            Self::Step(invocation) => invocation.waiting(),
            Self::Operation(invocation) => invocation.waiting(),
        }
    }

    fn let_through(&mut self, ticket: Ticket, fault: Option<Fault>) {
        match self {
            Self::Step(invocation) => invocation.let_through(ticket, fault),
            Self::Operation(invocation) => invocation.let_through(ticket, fault),
        }
    }

    fn poll(&mut self) -> Poll<Ending> {
        match self {
            Self::Step(invocation) => invocation.poll().map(|result| match result {
                Ok(done) => Ending {
                    well: true,
                    word: format!("{done:?}"),
                    said: format!("{done:?}"),
                },
                Err(failure) => Ending::of(&failure),
            }),
            Self::Operation(invocation) => invocation.poll().map(|result| match result {
                Ok(answer) => Ending {
                    well: true,
                    word: format!("{:?}", answer.outcome),
                    said: summary(&answer),
                },
                Err(failure) => Ending::of(&failure),
            }),
        }
    }
}

/// An answer in one line.
pub(in crate::simulation) fn summary(answer: &Answer) -> String {
    let codes: Vec<&str> = answer
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    let did: Vec<&str> = answer
        .secrets
        .iter()
        .flat_map(|row| &row.did)
        .map(String::as_str)
        .collect();
    format!("{:?} {} [{}]", answer.outcome, codes.join(" "), did.join("; "))
}

impl Ending {
    fn of(failure: &Failure) -> Self {
        let word = failure
            .error_type()
            .map_or_else(|| "cut off".to_owned(), |error| error.to_string());
        Self {
            well: false,
            word,
            said: failure.to_string(),
        }
    }

    fn cut_off() -> Self {
        Self::of(&Failure::Crashed)
    }
}

impl Stage {
    pub(super) fn go(&mut self, run: usize, point: usize, fault: Option<Fault>) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        let waiting = self.waiting(run);
        let Waiting { ticket, point } = waiting.get(point.checked_rem(waiting.len())?)?;
        let fault = match point {
            Point::Call(call) => {
                // A history from which something was taken out may bring a fault to another call.
                let fault = fault.filter(|fault| can_meet(*fault, call.operation));
                self.coverage.called(call.operation, fault);
                fault
            }
            Point::Sleep(_) => None,
        };
        self.runs[run].invocation.let_through(*ticket, fault);
        self.go_on(run, matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter)));
        Some(())
    }

    /// Lets a run work up to its next calls; takes it off the stage where it is over.
    pub(super) fn go_on(&mut self, run: usize, crashes: bool) {
        let polled = self.runs[run].invocation.poll();
        let ending = match polled {
            Poll::Ready(ending) => ending,
            Poll::Pending if crashes => Ending::cut_off(),
            Poll::Pending => return,
        };
        self.over(run, ending);
    }

    fn over(&mut self, run: usize, ending: Ending) {
        let Running { due, task, .. } = self.runs.remove(run);
        self.coverage.ended(task, &ending.word);
        if let Some(due) = due {
            self.world
                .secrets_manager(|model, now| model.invocation_finished(&due, ending.well, now));
        }
        self.ended = Some((task, ending));
    }

    pub(super) fn run_to_its_end(&mut self, run: usize) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        let runs = self.runs.len();
        for _ in 0..400 {
            if self.runs.len() < runs || self.violation().is_some() {
                return Some(());
            }
            // Time passes only where there is nothing else to do.
            let waiting = self.waiting(run);
            let call = waiting
                .iter()
                .position(|waiting| matches!(waiting.point, Point::Call(_)));
            self.go(run, call.unwrap_or(0), None);
        }
        self.kill(run)
    }

    pub(super) fn kill(&mut self, run: usize) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        self.over(run, Ending::cut_off());
        Some(())
    }
}
