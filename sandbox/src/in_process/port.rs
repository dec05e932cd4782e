//! The one way from an invocation into the world: every call of every port goes through here.

use std::future::pending;
use std::sync::Arc;

use jiff::Timestamp;
use protocol::ports::{ErrorClass, StoreError, StoreErrorKind, VenueError, Whose};

use super::call::{Call, Fault, Made};
use super::gate::{Gate, Point};
use super::state::{Shared, State};

/// An invocation's access to the world.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) state: Shared,
    pub(super) gate: Gate,
    pub(super) request_id: String,
}

/// What a port's caller is told of a fault.
pub(super) trait Told: Send {
    /// What to tell; `who` is the call's own knowledge of itself.
    fn of(class: ErrorClass, who: Who) -> Self;
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
    /// Makes a call: waits at the gate, then has its effect or suffers its fault. The effect is told when it was sent.
    pub(super) async fn call<T, E>(
        &self,
        call: Call,
        who: Who,
        effect: impl Fn(&mut State, Timestamp) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<T, E>
    where
        T: Send,
        E: Told,
    {
        let operation = call.operation;
        let fault = self.gate.pass(Point::Call(call.clone())).await;
        let told = |class| Err(E::of(class, who));
        {
            let mut state = self.state.lock();
            let sent = state.now;
            state.calls.push(Made { call, fault, round: self.gate.round(), request_id: self.request_id.clone() });
            match fault {
                Some(Fault::Dropped) => return told(ErrorClass::UnknownOutcome),
                Some(Fault::Throttled) => return told(ErrorClass::Busy),
                Some(Fault::Denied) => return told(ErrorClass::Denied),
                Some(Fault::Refused) => return told(ErrorClass::Refused),
                Some(Fault::Late(after)) => {
                    state.later(after, Arc::new(move |state| drop(effect(state, sent))));
                    return told(ErrorClass::UnknownOutcome);
                }
                Some(Fault::ReplyLost) => {
                    drop(effect(&mut state, sent));
                    return told(ErrorClass::UnknownOutcome);
                }
                Some(Fault::Stale(writes)) if !operation.writes() && !operation.is_venue() => {
                    return state.stale(writes, |state| effect(state, sent));
                }
                None | Some(Fault::Stale(_)) => return effect(&mut state, sent),
                Some(Fault::CrashAfter) => drop(effect(&mut state, sent)),
                Some(Fault::CrashBefore) => {}
            }
        }
        // The process is gone: whoever drives it drops it now.
        pending().await
    }
}

impl Told for StoreError {
    fn of(class: ErrorClass, who: Who) -> Self {
        let (kind, code) = match class {
            ErrorClass::Busy => (StoreErrorKind::Busy, "ThrottlingException"),
            ErrorClass::Denied | ErrorClass::Rejected => (StoreErrorKind::Denied, "AccessDeniedException"),
            ErrorClass::Refused | ErrorClass::Clock | ErrorClass::Fault => (StoreErrorKind::Invalid, "InvalidRequestException"),
            ErrorClass::UnknownOutcome => (StoreErrorKind::UnknownOutcome, "no answer"),
        };
        let Who::Store(operation) = who else { return Self { kind, operation: "a call", code: code.into() } };
        Self { kind, operation, code: code.into() }
    }
}

impl Told for VenueError {
    fn of(class: ErrorClass, who: Who) -> Self {
        let whose = if let Who::Venue(whose) = who { whose } else { Whose::Master };
        Self { class, whose, say: format!("the stand-in for Bybit was made to answer: {}", class.as_str()) }
    }
}
