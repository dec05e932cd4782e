//! `sandbox bench`: how fast the function is, beside a floor and beside what one would write in Python, in
//! one run and against the same stand-ins.

mod delay;
mod fleet;
mod machine;
mod peer;
mod process;
mod rotations;
mod series;
mod simulations;
mod table;
mod tls;
mod usage;
mod wire;
mod zip;

use std::process::ExitCode;

use clap::ValueEnum;

pub use self::peer::OtherBuild;
use self::peer::Peers;
use self::rotations::Wire;

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Starts, steps, CPU, memory and calls of rotations.
    Rotations,
    /// The same over TLS.
    Tls,
    /// How many round trips of a rotation come one after the other.
    Depth,
    /// Maintain and audit over many secrets.
    Fleet,
    /// Simulated histories a second.
    Simulation,
    /// The size of what is deployed.
    Zip,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Rotations,
        Self::Tls,
        Self::Depth,
        Self::Fleet,
        Self::Simulation,
        Self::Zip,
    ];
}

/// How it is measured.
#[derive(Debug)]
pub struct Options {
    /// How often the processes are started, and their steps taken.
    pub rounds: usize,
    /// How many secrets a fleet has, one fleet after the other.
    pub secrets: Vec<u32>,
    /// Other builds of the function, which take their turns in rotations.
    pub beside: Vec<OtherBuild>,
}

/// Measures these parts, or all where none is named, and prints what came of it as Markdown.
///
/// # Errors
/// What could not be built or started.
#[expect(clippy::print_stdout, reason = "this is what the command is for")]
pub async fn bench(parts: &[Part], options: &Options) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let parts = if parts.is_empty() { &Part::ALL[..] } else { parts };
    let peers = Peers::prepare(&options.beside).await?;
    println!("{}", machine::described());
    if let Err(why) = &peers.python {
        println!("The Python peer is left out: {why}\n");
    }
    for part in parts {
        let text = match part {
            Part::Rotations => rotations::measure(&peers, options.rounds, Wire::Plain).await?,
            Part::Tls => rotations::measure(&peers, options.rounds, Wire::Tls).await?,
            Part::Depth => delay::measure(&peers).await?,
            Part::Fleet => fleet::measure(&peers, &options.secrets).await?,
            Part::Simulation => simulations::measure(),
            Part::Zip => zip::measure().await,
        };
        println!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}
