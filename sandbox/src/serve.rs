//! `sandbox serve`: the stand-ins on fixed ports, and Secrets Manager's scheduler behind them, until
//! interrupted.

use crate::function::{self, Function, REGION};
use crate::local::{EVENTS_TOKEN, Local, Venue};
use crate::report::{fingerprint, masked};
use crate::scheduler::{next_step, wait_until_due};
use crate::venue::{Credential, Passphrase};

/// Where Secrets Manager listens unless told otherwise.
pub const SECRETS_MANAGER_PORT: u16 = 9311;

/// Serves until interrupted. `echo` shows the function's own log lines too.
///
/// # Errors
/// What could not be built or started.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub async fn serve(
    venue: Venue,
    secrets_manager_port: u16,
    venue_port: Option<u16>,
    echo: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let binary = function::build().await?;
    let local = Local::start(
        venue,
        secrets_manager_port,
        venue_port.unwrap_or(venue.stand_in().port),
    )
    .await?;
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
    let _ = writeln!(text, "{}", of_venue(local));
    let _ = writeln!(text, "Secrets:");
    for (name, what) in [
        (
            local.stand_in.secret,
            format!(
                "to rotate with `aws secretsmanager rotate-secret`; its key is {}",
                fingerprint(local.hand_made.key.as_str())
            ),
        ),
        (
            local.stand_in.events_secret,
            format!("with an open rotation, of version {EVENTS_TOKEN}, for the files in events/"),
        ),
        (local.stand_in.master_secret, "the master credential".into()),
    ] {
        let _ = writeln!(text, "  {}  {what}", local.arn(name));
    }
    text
}

/// The keys at the venue, each in a line of exports.
fn of_venue(local: &Local) -> String {
    let stand_in = local.stand_in;
    let prefix = stand_in.profile.name.to_uppercase();
    let exports = |whose: &str, credential: &Credential| {
        let (key, secret) = (credential.key.as_str(), credential.secret.expose());
        let passphrase = credential.passphrase.as_ref().map(Passphrase::expose);
        let passphrase = passphrase.map(|text| format!(" {prefix}_{whose}_PASSPHRASE={text}"));
        format!(
            "export {prefix}_{whose}_KEY={key} {prefix}_{whose}_SECRET={secret}{}",
            passphrase.unwrap_or_default()
        )
    };
    let unbound = local.unbound_master.as_ref();
    let lines = [
        Some(format!(
            "export {prefix}_STAND_IN_URL=http://{}",
            local.venue_address
        )),
        Some(exports("MASTER", &local.master)),
        unbound.map(|master| exports("UNBOUND_MASTER", master)),
        Some(format!(
            "{} {prefix}_{}={}",
            exports("SUB", &local.hand_made),
            stand_in.account_variable,
            stand_in.account()
        )),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    let other = unbound.map_or("", |_| ", as one that is bound to no address,");
    format!(
        "\n{}, to sign as the master key{other} and as the key in {}:\n\n{}\n",
        stand_in.title,
        stand_in.secret,
        lines.join("\n")
    )
}
