//! What becomes of the function's invocations.

use std::task::Poll;

use protocol::rotation::Done;

use super::{Ended, Running, Stage, Waiting};
use crate::in_process::{Failure, Fault, Point};

impl Stage {
    pub(super) fn go(&mut self, run: usize, point: usize, fault: Option<Fault>) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        let waiting = self.waiting(run);
        let Waiting { ticket, point } = waiting.get(point.checked_rem(waiting.len())?)?;
        let fault = match point {
            Point::Call(call) => {
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
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending if crashes => Err(Failure::Crashed),
            Poll::Pending => return,
        };
        self.over(run, result);
    }

    pub(super) fn over(&mut self, run: usize, result: Result<Done, Failure>) {
        let Running { due, step, .. } = self.runs.remove(run);
        self.coverage.ended(step, &result);
        if let Some(due) = due {
            self.world.secrets_manager(|model, now| model.invocation_finished(&due, result.is_ok(), now));
        }
        self.ended = Some(Ended { step, result });
    }

    pub(super) fn run_to_its_end(&mut self, run: usize) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        let runs = self.runs.len();
        for _ in 0..200 {
            if self.runs.len() < runs || self.violation().is_some() {
                return Some(());
            }
            // Time passes only where there is nothing else to do.
            let waiting = self.waiting(run);
            let call = waiting.iter().position(|waiting| matches!(waiting.point, Point::Call(_)));
            self.go(run, call.unwrap_or(0), None);
        }
        self.kill(run)
    }

    pub(super) fn kill(&mut self, run: usize) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        self.over(run, Err(Failure::Crashed));
        Some(())
    }
}
