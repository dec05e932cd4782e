//! Secrets Manager's rotation scheduler at work: it invokes the function's process step by step.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::function::{Failed, Function};
use crate::local::{Local, StandIn};
use crate::secrets_manager::Invocation;
use crate::{secrets_manager, venue};

/// One step as it went.
#[derive(Debug)]
pub struct StepReport {
    /// What Secrets Manager asked for.
    pub invocation: Invocation,
    /// What the function answered.
    pub outcome: Result<Value, Failed>,
    /// How long that took, seen from outside.
    pub took: Duration,
    /// The calls it made to Secrets Manager.
    pub store_calls: Vec<secrets_manager::Call>,
    /// The calls it made to the venue.
    pub venue_calls: Vec<venue::Call>,
    /// Which venue that is.
    pub stand_in: &'static StandIn,
}

/// Takes the next step that is due, if one is, and lets the function do it. A rotation of a secret that names
/// no function is left to whoever invokes one by hand.
pub async fn next_step(local: &Local, function: &Function) -> Option<StepReport> {
    let invocation = loop {
        let due = {
            let mut state = local.secrets_manager.lock();
            let now = state.clock.now();
            state.model.due_invocation(now)
        };
        match due {
            Some(invocation) if invocation.lambda_arn.is_none() => {}
            Some(invocation) => break invocation,
            None => return None,
        }
    };
    // The calls of whoever came before are not this step's.
    drop(take_calls(local));
    let began = Instant::now();
    let outcome = function.invoke(&invocation.event()).await;
    let took = began.elapsed();
    let (store_calls, venue_calls) = take_calls(local);
    {
        let mut state = local.secrets_manager.lock();
        let now = state.clock.now();
        state.model.invocation_finished(&invocation, outcome.is_ok(), now);
    }
    Some(StepReport {
        invocation,
        outcome,
        took,
        store_calls,
        venue_calls,
        stand_in: local.stand_in,
    })
}

/// Waits until a step may be due: a call came in, or the time has come.
pub async fn wait_until_due(local: &Local) {
    let next = {
        let state = local.secrets_manager.lock();
        let now = state.clock.now();
        state.model.next_due().map(|due| due.duration_since(now))
    };
    // Never longer than a second: the sandbox's clock may be moved meanwhile.
    let pause = next.map_or(Duration::from_secs(1), |due| {
        Duration::try_from(due).unwrap_or_default()
    });
    let pause = pause.clamp(Duration::from_millis(50), Duration::from_secs(1));
    tokio::select! {
        () = local.secrets_manager.due().notified() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

fn take_calls(local: &Local) -> (Vec<secrets_manager::Call>, Vec<venue::Call>) {
    (
        local.secrets_manager.lock().model.take_calls(),
        local.venue.lock().model.take_calls(),
    )
}
