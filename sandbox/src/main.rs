//! The sandbox's command line.

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sandbox::bench::{self, OtherBuild, Part};
use sandbox::in_process::kind::VenueKind;
use sandbox::local::Venue;
use sandbox::serve::SECRETS_MANAGER_PORT;
use sandbox::simulation::{self, History, Options, Outcome};

/// A simulation allocates for each call it makes: this allocator does it in less than half the time of the
/// system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
        /// At which venue.
        #[arg(long, value_enum, default_value_t)]
        venue: Venue,
        /// Show the function's own log lines too.
        #[arg(long)]
        logs: bool,
    },
    /// A day in the life of a key, told while it happens: rotation, grace, an overwrite, a leak, a bad
    /// deployment, an audit.
    Story {
        /// At which venue.
        #[arg(long, value_enum, default_value_t)]
        venue: Venue,
        /// Show the functions' own log lines too.
        #[arg(long)]
        logs: bool,
    },
    /// Simulate rotations: every fault, pairs of faults, every interleaving, operations beside steps, and
    /// long histories by chance.
    Simulate {
        /// How many histories by chance.
        #[arg(long, default_value_t = 10_000)]
        histories: u64,
        /// What decides them.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Try the way to rest from one in so many states, instead of from every one.
        #[arg(long, default_value_t = 1)]
        rest_from_one_in: u64,
        /// Leave out what is not by chance.
        #[arg(long)]
        only_random: bool,
        /// Go on after a promise was broken, and say how often each was, and in which way.
        #[arg(long)]
        keep_going: bool,
        /// In how many threads; as many as there are cores where left out.
        #[arg(long)]
        threads: Option<usize>,
        /// Play one kind of venue alone: plain, plain-coarse, terse, …; all of them where left out.
        #[arg(long, value_parser = VenueKind::named)]
        kind: Option<&'static VenueKind>,
        /// Play this one history, and tell it.
        #[arg(
            long,
            conflicts_with_all = ["histories", "seed", "rest_from_one_in", "only_random", "keep_going"]
        )]
        replay: Option<History>,
        /// Do all this to a protocol that is wrong on purpose, until the wrong is seen: a variant's word, or
        /// all.
        #[cfg(feature = "wrong-on-purpose")]
        #[arg(long)]
        wrong: Option<String>,
        /// Search for what is known to show the wrong, too.
        #[cfg(feature = "wrong-on-purpose")]
        #[arg(long, requires = "wrong")]
        anew: bool,
    },
    /// Measure how fast the function is, beside a floor and beside what one would write in Python. Build with
    /// --release.
    Bench {
        /// What to measure; everything where left out.
        parts: Vec<Part>,
        /// How often the processes are started, and their steps taken.
        #[arg(long, default_value_t = 20)]
        rounds: usize,
        /// How many secrets a fleet has, one fleet after the other.
        #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
        secrets: Vec<u32>,
        /// Measure another build of the function beside this one: NAME=PROGRAM. May be given more than once.
        #[arg(long)]
        beside: Vec<OtherBuild>,
    },
    /// Serve the stand-ins until interrupted, and rotate whenever a client asks for it.
    Serve {
        /// Which venue, beside Secrets Manager.
        #[arg(long, value_enum, default_value_t)]
        venue: Venue,
        /// The port of Secrets Manager; 0 takes any that is free.
        #[arg(long, default_value_t = SECRETS_MANAGER_PORT)]
        secrets_manager_port: u16,
        /// The port of the venue, 0 for any that is free; 9312 for Bybit and 9313 for OKX if left out.
        #[arg(long)]
        venue_port: Option<u16>,
        /// Show the function's own log lines too.
        #[arg(long)]
        logs: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "a command-line tool says why it failed")]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Rotate { venue, logs } => sandbox::rotate::rotate(venue, logs).await,
        Command::Story { venue, logs } => sandbox::story::tell(venue, logs)
            .await
            .map(|()| ExitCode::SUCCESS),
        Command::Simulate {
            histories,
            seed,
            rest_from_one_in,
            only_random,
            keep_going,
            threads,
            kind,
            replay,
            #[cfg(feature = "wrong-on-purpose")]
            wrong,
            #[cfg(feature = "wrong-on-purpose")]
            anew,
        } => {
            let threads =
                threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
            let options = Options {
                histories,
                seed,
                rest_from_one_in,
                exhaustive: !only_random,
                threads,
                keep_going,
                kind,
            };
            #[cfg(feature = "wrong-on-purpose")]
            let outcome = wrong
                .map(|word| simulate_wrong(&word, replay.as_ref(), &options, anew))
                .transpose();
            #[cfg(not(feature = "wrong-on-purpose"))]
            let outcome: Result<Option<Outcome>, Box<dyn Error>> = Ok(None);
            outcome.map(|outcome| {
                let right = || {
                    replay.map_or_else(
                        || simulation::simulate(&options),
                        |history| simulation::replay(&history),
                    )
                };
                say(&outcome.unwrap_or_else(right))
            })
        }
        Command::Bench {
            parts,
            rounds,
            secrets,
            beside,
        } => {
            bench::bench(
                &parts,
                &bench::Options {
                    rounds,
                    secrets,
                    beside,
                },
            )
            .await
        }
        Command::Serve {
            venue,
            secrets_manager_port,
            venue_port,
            logs,
        } => sandbox::serve::serve(venue, secrets_manager_port, venue_port, logs)
            .await
            .map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("sandbox: {error}");
        ExitCode::FAILURE
    })
}

/// Prints what came of a simulation.
#[expect(clippy::print_stdout, reason = "a command-line tool says what came of it")]
fn say(outcome: &Outcome) -> ExitCode {
    println!("{}", outcome.text);
    if outcome.good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(feature = "wrong-on-purpose")]
#[expect(clippy::print_stdout, reason = "a command-line tool says what came of it")]
fn simulate_wrong(
    word: &str,
    replay: Option<&History>,
    options: &Options,
    anew: bool,
) -> Result<Outcome, Box<dyn Error>> {
    use protocol::wrong::{Wrong, in_force};
    let variants = if word == "all" {
        Wrong::ALL.to_vec()
    } else {
        vec![word.parse()?]
    };
    let Some(history) = replay else {
        return Ok(simulation::simulate_wrong(&variants, options, anew, |line| {
            println!("{line}");
        }));
    };
    let _in_force = in_force(variants.first().copied());
    Ok(simulation::replay(history))
}
