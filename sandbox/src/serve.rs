//! `sandbox serve`: the stand-ins on fixed ports, and Secrets Manager's scheduler behind them, until
//! interrupted.

use crate::function::{self, Function, REGION};
use crate::local::{EVENTS_SECRET, EVENTS_TOKEN, Local, MASTER_SECRET, SECRET};
use crate::report::{fingerprint, masked};
use crate::scheduler::{next_step, wait_until_due};

/// Where Secrets Manager listens unless told otherwise.
pub const SECRETS_MANAGER_PORT: u16 = 9311;
/// Where Bybit listens unless told otherwise.
pub const BYBIT_PORT: u16 = 9312;

/// Serves until interrupted. `echo` shows the function's own log lines too.
///
/// # Errors
/// What could not be built or started.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub async fn serve(
    secrets_manager_port: u16,
    bybit_port: u16,
    echo: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let binary = function::build().await?;
    let local = Local::start(secrets_manager_port, bybit_port).await?;
    println!("{}", introduction(&local));
    let mut function = Function::start(&binary, &local.environment(), echo).await?;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            result = &mut interrupted => return Ok(result?),
            () = wait_until_due(&local) => {}
        }
        while let Some(step) = next_step(&local, &function).await {
            let secret = local
                .secrets_manager
                .lock()
                .model
                .secret(&step.invocation.secret_arn)
                .map(|s| masked(s.name()));
            println!("{}: {step}", secret.unwrap_or_default());
            if step
                .outcome
                .as_ref()
                .is_err_and(|failed| failed.error_type == "Runtime.ExitError")
            {
                function = Function::start(&binary, &local.environment(), echo).await?;
            }
        }
    }
}

/// All that a client has to know. The credentials are the stand-ins' own and worth nothing anywhere else.
fn introduction(local: &Local) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("The stand-ins are up, until you press Ctrl-C. For any client:\n\n");
    for (name, value) in local.environment().variables() {
        // A String takes all that is written to it.
        let _ = writeln!(text, "export {name}={value}");
    }
    // The first version of the AWS CLI looks for the Region under this name alone.
    let _ = writeln!(text, "export AWS_DEFAULT_REGION={REGION}");
    let _ = writeln!(
        text,
        "\nBybit, to sign as the master key and as the key in {SECRET}:\n\n\
         export BYBIT_STAND_IN_URL=http://{}\n\
         export BYBIT_MASTER_KEY={} BYBIT_MASTER_SECRET={}\n\
         export BYBIT_SUB_KEY={} BYBIT_SUB_SECRET={} BYBIT_SUB_UID={}\n",
        local.venue_address,
        local.master.key.as_str(),
        local.master.secret.expose(),
        local.hand_made.key.as_str(),
        local.hand_made.secret.expose(),
        crate::local::SUB_ACCOUNT,
    );
    let _ = writeln!(text, "Secrets:");
    for (name, what) in [
        (
            SECRET,
            format!(
                "to rotate with `aws secretsmanager rotate-secret`; its key is {}",
                fingerprint(local.hand_made.key.as_str())
            ),
        ),
        (
            EVENTS_SECRET,
            format!("with an open rotation, of version {EVENTS_TOKEN}, for the files in events/"),
        ),
        (MASTER_SECRET, "the master credential".into()),
    ] {
        let _ = writeln!(text, "  {}  {what}", local.arn(name));
    }
    text
}
