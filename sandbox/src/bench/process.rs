//! One process of a peer, from its start to its end, and what it took.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use super::peer::Peer;
use super::tls::{Front, Identity};
use super::usage;
use crate::function::{Environment, Function};
use crate::local::{Local, SECRET, Venue};
use crate::scheduler::{StepReport, next_step};
use crate::secrets_manager::RotateSecret;

/// How many steps a rotation has.
pub(super) const STEPS: usize = 4;

/// A running process.
pub(super) struct Process {
    began: Instant,
    cpu_before: Duration,
    function: Function,
}

/// A step, as it was seen from outside.
pub(super) struct Step {
    /// In milliseconds, from the moment the process had it.
    pub(super) took: f64,
    /// In milliseconds, from the process's start.
    pub(super) since_start: f64,
    pub(super) store_calls: usize,
    pub(super) venue_calls: usize,
}

impl Process {
    pub(super) async fn start(peer: &Peer, environment: &Environment) -> io::Result<Self> {
        let cpu_before = usage::cpu_of_ended_children();
        let began = Instant::now();
        let function = Function::start_command(peer.command(), environment, false).await?;
        Ok(Self {
            began,
            cpu_before,
            function,
        })
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    /// From the process's start to its first request for work, in milliseconds.
    pub(super) fn start_took(&self) -> f64 {
        self.function
            .first_asked()
            .map_or(f64::NAN, |asked| milliseconds(asked.duration_since(self.began)))
    }

    /// The step that is due, which waits for the process where it has only begun.
    pub(super) async fn step(&self, local: &Local) -> Result<Step, Box<dyn Error>> {
        let handed_out = Instant::now();
        let report = next_step(local, &self.function).await.ok_or("no step is due")?;
        let answered = Instant::now();
        let StepReport {
            invocation,
            outcome,
            store_calls,
            venue_calls,
            ..
        } = report;
        outcome.map_err(|failed| format!("{} failed: {failed}", invocation.step.as_str()))?;
        let had_it = self
            .function
            .first_asked()
            .map_or(handed_out, |asked| asked.max(handed_out));
        Ok(Step {
            took: milliseconds(answered.duration_since(had_it)),
            since_start: milliseconds(answered.duration_since(self.began)),
            store_calls: store_calls.len(),
            venue_calls: venue_calls.len(),
        })
    }

    /// A whole rotation.
    pub(super) async fn rotation(&self, local: &Local) -> Result<Vec<Step>, Box<dyn Error>> {
        open_rotation(local)?;
        let mut steps = Vec::new();
        for _ in 0..STEPS {
            steps.push(self.step(local).await?);
        }
        Ok(steps)
    }

    /// The CPU time that it has had so far, in milliseconds.
    pub(super) fn cpu(&self) -> f64 {
        self.function
            .id()
            .and_then(usage::cpu)
            .map_or(f64::NAN, milliseconds)
    }

    /// The most memory that it has had, in MiB.
    pub(super) fn peak_memory(&self) -> f64 {
        let bytes = self
            .function
            .id()
            .and_then(usage::peak_memory)
            .and_then(|bytes| u32::try_from(bytes / 1024).ok());
        bytes.map_or(f64::NAN, |kilobytes| f64::from(kilobytes) / 1024.0)
    }

    /// Ends it, and tells the CPU time of its whole life, in milliseconds.
    pub(super) async fn end(self) -> f64 {
        self.function.kill().await;
        milliseconds(usage::cpu_of_ended_children().saturating_sub(self.cpu_before))
    }
}

/// Asks for a rotation, as a person would.
pub(super) fn open_rotation(local: &Local) -> Result<(), crate::secrets_manager::Error> {
    let mut state = local.secrets_manager.lock();
    let now = state.clock.now();
    state
        .model
        .rotate_secret(
            &RotateSecret {
                secret_id: SECRET.into(),
                ..RotateSecret::default()
            },
            now,
        )
        .map(drop)
}

/// The stand-ins, as the peers reach them.
pub(super) struct Site {
    pub(super) local: Local,
    /// What is before them, where they are behind TLS.
    pub(super) front: Option<Front>,
}

impl Site {
    pub(super) async fn start(identity: Option<&Identity>) -> Result<Self, Box<dyn Error>> {
        let local = world().await?;
        let front = match identity {
            Some(identity) => {
                Some(Front::start(identity, [local.secrets_manager_address, local.venue_address]).await?)
            }
            None => None,
        };
        Ok(Self { local, front })
    }

    /// What a peer's process sees of them.
    pub(super) fn environment(&self, peer: &Peer) -> Environment {
        let plain = self.local.environment();
        peer.seeing(match &self.front {
            Some(front) => front.environment(plain),
            None => plain,
        })
    }
}

/// The stand-ins, which refuse nobody for coming too often.
pub(super) async fn world() -> Result<Local, crate::local::StartError> {
    let local = Local::start(Venue::Bybit, 0, 0).await?;
    local.venue.lock().model.knobs.rate_limits = false;
    Ok(local)
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
