//! `sandbox rotate`: one rotation from end to end, on this machine, by the function's real binary.

use std::process::ExitCode;

use crate::function::{self, Function};
use crate::local::{Local, SUB_ACCOUNT, Venue};
use crate::report::{keys, masked, versions};
use crate::scheduler::{next_step, wait_until_due};
use crate::secrets_manager::{EventKind, RotateSecret};

/// Performs the rotation and prints it. `echo` shows the function's own log lines too.
///
/// # Errors
/// What could not be built or started.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub async fn rotate(venue: Venue, echo: bool) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let binary = function::build().await?;
    let local = Local::start(venue, 0, 0).await?;
    let function = Function::start(&binary, &local.environment(), echo).await?;
    let stand_in = local.stand_in;
    let (name, venue) = (masked(stand_in.secret), stand_in.title);

    println!(
        "Before: {name}, a key made by hand on {venue} sub-account {}\n",
        stand_in.account()
    );
    println!(
        "{}\n{}",
        versions(&local, stand_in.secret),
        keys(&local, SUB_ACCOUNT)
    );
    {
        let mut state = local.secrets_manager.lock();
        // A failed rotation is seen to fail at once here; Secrets Manager itself tries for hours.
        state.model.knobs_mut().replays = 0;
        let now = state.clock.now();
        state.model.rotate_secret(
            &RotateSecret {
                secret_id: stand_in.secret.into(),
                ..RotateSecret::default()
            },
            now,
        )?;
    }
    println!("Rotating, as Secrets Manager does: four invocations of the function's process\n");
    let mut calls = (0, 0);
    let ended = loop {
        while let Some(step) = next_step(&local, &function).await {
            calls = (calls.0 + step.store_calls.len(), calls.1 + step.venue_calls.len());
            println!("{step}");
        }
        if let Some(ended) = how_it_ended(&local) {
            break ended;
        }
        wait_until_due(&local).await;
    };
    println!(
        "After: {} calls to Secrets Manager, {} to {venue}\n",
        calls.0, calls.1
    );
    println!(
        "{}\n{}",
        versions(&local, stand_in.secret),
        keys(&local, SUB_ACCOUNT)
    );
    if ended == EventKind::RotationSucceeded {
        println!(
            "Rotated. Consumers read the new key from now on; the old one lives on for those that still \
             hold it."
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "The rotation failed ({}). The key in use is what it was.",
        ended.as_str()
    );
    Ok(ExitCode::FAILURE)
}

fn how_it_ended(local: &Local) -> Option<EventKind> {
    let state = local.secrets_manager.lock();
    let ended = |kind: &EventKind| [EventKind::RotationSucceeded, EventKind::RotationFailed].contains(kind);
    state
        .model
        .events()
        .iter()
        .filter(|event| event.secret_arn.contains(local.stand_in.secret))
        .map(|event| event.kind)
        .find(ended)
}
