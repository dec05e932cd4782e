//! The sandbox's command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sandbox::serve::{BYBIT_PORT, SECRETS_MANAGER_PORT};

/// Stand-ins to rotate against without an AWS account.
#[derive(Parser)]
#[command(name = "sandbox", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Rotate a key from end to end, once, and show it.
    Rotate {
        /// Show the function's own log lines too.
        #[arg(long)]
        logs: bool,
    },
    /// Serve the stand-ins until interrupted, and rotate whenever a client asks for it.
    Serve {
        /// The port of Secrets Manager; 0 takes any that is free.
        #[arg(long, default_value_t = SECRETS_MANAGER_PORT)]
        secrets_manager_port: u16,
        /// The port of Bybit; 0 takes any that is free.
        #[arg(long, default_value_t = BYBIT_PORT)]
        bybit_port: u16,
        /// Show the function's own log lines too.
        #[arg(long)]
        logs: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "a command-line tool says why it failed")]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Rotate { logs } => sandbox::rotate::rotate(logs).await,
        Command::Serve { secrets_manager_port, bybit_port, logs } => {
            sandbox::serve::serve(secrets_manager_port, bybit_port, logs).await.map(|()| ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("sandbox: {error}");
        ExitCode::FAILURE
    })
}
