//! The rotation code at work: one invocation of the function, call by call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use protocol::operations::{self, Answer, HolderCache};
use protocol::ports::Ports;
use protocol::rotation::{self, Caller, Done};
use protocol::{Error, ErrorType};
use serde::Serialize;
use tracing::Dispatch;

use super::call::{Fault, Operation};
use super::gate::{Gate, Point, Ticket};
use super::port::Port;
use super::state::Shared;
use super::{InProcessStore, InProcessVenues, ManualTime, MemoryJournal};
use crate::invariants::{Actor, Scene, Witness};

/// Why an invocation ended without having done its step.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// It says why.
    #[error("{0}")]
    Error(Error),
    /// Its process ended, by a crash or by its time-out.
    #[error("the invocation was cut off")]
    Crashed,
}

impl Failure {
    /// The error's fixed word; nothing for a crash.
    pub fn error_type(&self) -> Option<ErrorType> {
        match self {
            Self::Error(error) => Some(error.error_type),
            Self::Crashed => None,
        }
    }
}

/// One invocation under way. Dropping it is a crash. It stays on its thread, as a Lambda's does.
pub struct Invocation<T: fmt::Debug + Serialize = Done> {
    work: Option<Work<T>>,
    /// Tells the witness how it ended.
    ended: Ended<T>,
    gate: Gate,
    state: Shared,
    actor: Arc<Actor>,
    listener: Dispatch,
}

type Ended<T> = fn(&mut Witness, &Actor, &Result<T, Error>, &Scene<'_>);
type Work<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// Who is invoked, with what.
pub(super) struct Start {
    pub(super) actor: Actor,
    pub(super) caller: Caller,
    pub(super) listener: Dispatch,
}

/// The ports of one invocation.
struct Gates {
    store: InProcessStore,
    venues: InProcessVenues,
    time: ManualTime,
    journal: MemoryJournal,
}

impl Gates {
    fn ports(&self) -> Ports<'_> {
        Ports {
            store: &self.store,
            venues: &self.venues,
            time: &self.time,
            journal: &self.journal,
        }
    }
}

impl Invocation {
    pub(super) fn step(
        state: &Shared,
        start: Start,
        settings: rotation::RotationSettings,
        request: rotation::StepRequest,
    ) -> Self {
        Self::new(state, start, Witness::ended, |gates, caller| {
            Box::pin(async move { rotation::rotate(gates.ports(), &caller, &settings, &request).await })
        })
    }
}

impl Invocation<Answer> {
    pub(super) fn operation(
        state: &Shared,
        start: Start,
        settings: operations::OperationSettings,
        kept: Arc<HolderCache>,
        request: operations::OperationRequest,
    ) -> Self {
        Self::new(state, start, Witness::answered, |gates, caller| {
            Box::pin(async move {
                Ok(
                    operations::operate(gates.ports(), &gates.store, &caller, &settings, &kept, &request)
                        .await,
                )
            })
        })
    }
}

impl<T: fmt::Debug + Serialize> Invocation<T> {
    fn new(
        state: &Shared,
        start: Start,
        ended: Ended<T>,
        begin: impl FnOnce(Gates, Caller) -> Work<T>,
    ) -> Self {
        let Start {
            actor,
            caller,
            listener,
        } = start;
        let (gate, actor) = (Gate::default(), Arc::new(actor));
        let port = Port {
            state: state.clone(),
            gate: gate.clone(),
            actor: Arc::clone(&actor),
        };
        let ahead = {
            let mut state = state.lock();
            state.testify(|witness, scene| witness.begins(&actor, scene));
            state.function_ahead
        };
        let gates = Gates {
            store: InProcessStore::new(port.clone()),
            venues: InProcessVenues::new(port.clone()),
            time: ManualTime::new(port.clone(), ahead, actor.ends),
            journal: MemoryJournal::new(port),
        };
        Self {
            work: Some(begin(gates, caller)),
            ended,
            gate,
            state: state.clone(),
            actor,
            listener,
        }
    }

    /// Lets the code work until it ends, or until all it does is wait at the gate.
    pub fn poll(&mut self) -> Poll<Result<T, Failure>> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(Err(Failure::Crashed));
        };
        let mut context = Context::from_waker(Waker::noop());
        let polled = tracing::dispatcher::with_default(&self.listener, || work.as_mut().poll(&mut context));
        let Poll::Ready(result) = polled else {
            return Poll::Pending;
        };
        self.work = None;
        let mut state = self.state.lock();
        state.testify(|witness, scene| {
            (self.ended)(witness, &self.actor, &result, scene);
            witness.gone(&self.actor);
        });
        if state.listening {
            match &result {
                Ok(done) => {
                    state.say(&format!("{done:?}"));
                    let answer = serde_json::to_string(done).unwrap_or_default();
                    state.say(&answer);
                    state.answers.push(answer);
                }
                Err(error) => state.say(&format!("{error} {error:?} {error:#?}")),
            }
        }
        Poll::Ready(result.map_err(Failure::Error))
    }

    /// What waits at the gate, in the order in which it came.
    pub fn waiting(&self) -> Vec<(Ticket, Point)> {
        self.gate.waiting()
    }

    /// Lets a call through, or ends a sleep. A sleep takes the world's clock along.
    pub fn let_through(&mut self, ticket: Ticket, fault: Option<Fault>) {
        if let Some(until) = self.gate.sleep_of(ticket) {
            self.state.lock().advance_to(until);
        }
        self.gate.let_through(ticket, fault);
    }

    /// Drives it until it is about to make a call of this operation, and no further.
    ///
    /// # Panics
    /// When it never comes to that.
    #[track_caller]
    pub fn until(&mut self, operation: Operation) -> Ticket {
        for _ in 0..50 {
            assert!(self.poll().is_pending(), "it ended before {operation:?}");
            for (ticket, point) in self.waiting() {
                match point {
                    Point::Call(call) if call.operation == operation => return ticket,
                    _ => self.let_through(ticket, None),
                }
            }
        }
        panic!("it never came to {operation:?}");
    }

    /// Ends the process where it is.
    pub fn crash(&mut self) {
        if self.work.take().is_some() {
            self.state.lock().witness.gone(&self.actor);
        }
    }

    /// When its process should be ended, by the true clock.
    pub fn ends(&self) -> Timestamp {
        self.actor.ends
    }

    /// Drives it to its end: what waits together goes in one round, each call with the fault that was planned
    /// for it.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn finish(self) -> Result<T, Failure> {
        self.finish_beside(|| {})
    }

    /// The same, with what others do whenever it sleeps.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn finish_beside(mut self, mut others: impl FnMut()) -> Result<T, Failure> {
        loop {
            if let Poll::Ready(result) = self.poll() {
                return result;
            }
            let calls = self.gate.calls();
            if calls.is_empty() {
                others();
                // Time passes only when there is nothing else to do.
                let Some((_, first)) = self.gate.first_sleep() else {
                    return Err(Failure::Crashed);
                };
                self.let_through(first, None);
                if self.state.lock().now >= self.actor.ends {
                    return Err(Failure::Crashed);
                }
                continue;
            }
            self.gate.next_round();
            if self.takes_too_long() {
                return Err(Failure::Crashed);
            }
            for (ticket, operation) in calls {
                let fault = self.state.lock().plan.next_for(operation);
                self.let_through(ticket, fault);
                if let Poll::Ready(result) = self.poll() {
                    return result;
                }
                if fault.is_some_and(Fault::is_crash) {
                    return Err(Failure::Crashed);
                }
            }
        }
    }
}

impl<T: fmt::Debug + Serialize> Invocation<T> {
    /// A round of calls takes its time. Whether the process is ended in it.
    fn takes_too_long(&self) -> bool {
        let mut state = self.state.lock();
        let then = state.now + state.round_trip;
        state.advance_to(then);
        !state.round_trip.is_zero() && then >= self.actor.ends
    }
}

impl<T: fmt::Debug + Serialize> Drop for Invocation<T> {
    fn drop(&mut self) {
        self.crash();
    }
}

impl<T: fmt::Debug + Serialize> fmt::Debug for Invocation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
