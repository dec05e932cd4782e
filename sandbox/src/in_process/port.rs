//! The one way from an invocation into the world: every call of every port goes through here.

use std::future::pending;
use std::sync::Arc;

use jiff::Timestamp;
use protocol::ports::{ErrorClass, StoreError, StoreErrorKind, VenueError, Whose};

use super::call::{Call, Fault, Made, Operation};
use super::gate::{Gate, Point};
use super::state::{Shared, State};
use crate::invariants::{Act, Actor, Asked};

/// An invocation's access to the world.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) state: Shared,
    pub(super) gate: Gate,
    pub(super) actor: Arc<Actor>,
}

/// What a port's caller is told of a fault.
pub(super) trait Answered: Send {
    /// What to tell; `who` is the call's own knowledge of itself.
    fn of(class: ErrorClass, who: Who) -> Self;
    /// What to tell who asks for what is done already.
    fn done_already(who: Who, operation: Operation) -> Self;
}

/// Who calls what, for errors.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    /// An operation of Secrets Manager.
    Store(&'static str),
    /// A credential at the venue.
    Venue(Whose),
}

impl Port {
    /// Makes a call: waits at the gate, then has its effect or suffers its fault. The effect is told when it
    /// was sent.
    pub(super) async fn call<T, E>(
        &self,
        call: Call,
        asked: Asked,
        who: Who,
        effect: impl Fn(&mut State, Timestamp) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send,
        E: Answered,
    {
        let operation = call.operation;
        let decided = {
            let mut state = self.state.lock();
            state.testify(|witness, _| witness.sent(&self.actor, &asked));
            state.now
        };
        let fault = self.gate.pass(Point::Call(call.clone())).await;
        let told = |class| Err(E::of(class, who));
        {
            let mut state = self.state.lock();
            let sent = state.now;
            if state.noting {
                let (round, request_id) = (self.gate.round(), self.actor.request_id.clone());
                state.calls.push(Made {
                    call: call.told(),
                    fault,
                    round,
                    request_id,
                });
            }
            let actor = Arc::clone(&self.actor);
            let fair = !matches!(fault, Some(Fault::Twice | Fault::PageMissing | Fault::Stale(_)));
            let perform = move |state: &mut State| {
                let result = effect(state, sent);
                let act = Act {
                    actor: &actor,
                    asked: &asked,
                    decided,
                    done: result.is_ok(),
                    fair,
                };
                state.witnessed(&act);
                result
            };
            if let Some(for_good) = fault.and_then(Fault::fails)
                && !operation.writes()
            {
                state.witness.failed(&self.actor, for_good);
            }
            match fault {
                Some(Fault::Dropped) => return told(ErrorClass::UnknownOutcome),
                Some(Fault::Throttled) => return told(ErrorClass::Busy),
                Some(Fault::Denied) => return told(ErrorClass::Denied),
                Some(Fault::Refused) => return told(ErrorClass::Refused),
                Some(Fault::Late(after)) => {
                    if operation.writes() {
                        state.later(after, Arc::new(move |state| drop(perform(state))));
                    }
                    return told(ErrorClass::UnknownOutcome);
                }
                Some(Fault::ReplyLost) => {
                    if operation.writes() {
                        drop(perform(&mut state));
                    }
                    return told(ErrorClass::UnknownOutcome);
                }
                Some(Fault::Twice) if operation.writes() => {
                    let first = perform(&mut state);
                    return first.and_then(|_| Err(E::done_already(who, operation)));
                }
                Some(Fault::PageMissing) if operation == Operation::List => {
                    state.page_missing = true;
                    let listed = perform(&mut state);
                    state.page_missing = false;
                    return listed;
                }
                Some(Fault::Stale(writes)) if !operation.writes() && !operation.is_venue() => {
                    return state.stale(writes, perform);
                }
                None | Some(Fault::Twice | Fault::PageMissing | Fault::Stale(_)) => {
                    return perform(&mut state);
                }
                Some(Fault::CrashAfter) => {
                    if operation.writes() {
                        drop(perform(&mut state));
                    }
                }
                Some(Fault::CrashBefore) => {}
            }
        }
        // The process is gone: whoever drives it drops it now.
        pending().await
    }
}

impl Answered for StoreError {
    fn of(class: ErrorClass, who: Who) -> Self {
        let (kind, code) = match class {
            ErrorClass::Busy => (StoreErrorKind::Busy, "ThrottlingException"),
            ErrorClass::Denied | ErrorClass::Rejected | ErrorClass::Mismatched | ErrorClass::Unexplained => {
                (StoreErrorKind::Denied, "AccessDeniedException")
            }
            ErrorClass::Refused
            | ErrorClass::Impossible
            | ErrorClass::NoteTaken
            | ErrorClass::Gone
            | ErrorClass::NotAsked
            | ErrorClass::PassphraseWrong
            | ErrorClass::Clock
            | ErrorClass::Fault => (StoreErrorKind::Invalid, "InvalidRequestException"),
            ErrorClass::UnknownOutcome => (StoreErrorKind::UnknownOutcome, "no answer"),
        };
        Self {
            kind,
            operation: who.operation(),
            code: code.into(),
        }
    }

    fn done_already(who: Who, operation: Operation) -> Self {
        let (kind, code) = match operation {
            Operation::Put => (StoreErrorKind::Exists, "ResourceExistsException"),
            _ => (StoreErrorKind::Invalid, "InvalidRequestException"),
        };
        Self {
            kind,
            operation: who.operation(),
            code: code.into(),
        }
    }
}

impl Who {
    fn operation(self) -> &'static str {
        if let Self::Store(operation) = self {
            operation
        } else {
            "a call"
        }
    }
}

impl Answered for VenueError {
    fn of(class: ErrorClass, who: Who) -> Self {
        let whose = if let Who::Venue(whose) = who {
            whose
        } else {
            Whose::Master
        };
        Self {
            class,
            whose,
            say: format!("the stand-in was made to answer: {}", class.as_str()),
        }
    }

    fn done_already(who: Who, _: Operation) -> Self {
        Self::of(ErrorClass::Refused, who)
    }
}
