//! Starts, steps, CPU, memory and calls of rotations, round by round.

use std::error::Error;
use std::fmt::Write as _;

use serde_json::json;

use super::peer::{Peer, Peers};
use super::process::{Process, STEPS, Site, open_rotation};
use super::series::Series;
use super::table::table;
use super::tls::Identity;
use super::wire;
use crate::random::SplitMix64;

const STEP_NAMES: [&str; STEPS] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
/// How many round trips of createSecret come one after the other.
const CREATE_DEPTH: f64 = 5.0;

/// What the stand-ins speak.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Plain,
    Tls,
}

/// What was measured of a peer that rotates.
#[derive(Default)]
struct Figures {
    start: Series,
    start_and_first_step: Series,
    cold: [Series; STEPS],
    warm: [Series; STEPS],
    cpu: Series,
    cpu_warm: Series,
    memory: Series,
    store_calls: usize,
    venue_calls: usize,
}

/// What was measured of the floor.
#[derive(Default)]
struct FloorFigures {
    start: Series,
    memory: Series,
    cpu: Series,
}

pub(super) async fn measure(peers: &Peers, rounds: usize, wire: Wire) -> Result<String, Box<dyn Error>> {
    let identity = match wire {
        Wire::Plain => None,
        Wire::Tls => Some(Identity::new()?),
    };
    let identity = identity.as_ref();
    let rotating = peers.rotating();
    let mut floor = FloorFigures::default();
    let mut figures: Vec<Figures> = rotating.iter().map(|_| Figures::default()).collect();
    let (mut round_trips, mut handshakes) = (Series::default(), Series::default());
    let mut chance = SplitMix64::new(1);
    // The first round fills caches and counts for nothing.
    for round in 0..=rounds {
        let mut floor_now = FloorFigures::default();
        let mut figures_now: Vec<Figures> = rotating.iter().map(|_| Figures::default()).collect();
        measure_floor(&peers.floor, identity, &mut floor_now).await?;
        // Who comes after whom makes a difference.
        let mut turns: Vec<usize> = (0..rotating.len()).collect();
        turns.sort_by_cached_key(|_| chance.next());
        for turn in turns {
            measure_peer(rotating[turn], identity, &mut figures_now[turn]).await?;
        }
        if round > 0 {
            let site = Site::start(identity).await?;
            round_trips.push(wire::round_trip(&site).await?);
            if let Some(front) = &site.front {
                handshakes.push(wire::handshake(front).await?);
            }
            floor.add(&floor_now);
            figures
                .iter_mut()
                .zip(&figures_now)
                .for_each(|(all, now)| all.add(now));
        }
    }
    let mut text = report(wire, &rotating, &floor, &figures, &round_trips);
    if wire == Wire::Tls {
        // A String takes all that is written to it.
        let _ = writeln!(
            text,
            "\nA connection takes a bare client {handshakes} ms, the stand-ins' part of it included."
        );
    }
    Ok(text)
}

async fn measure_floor(
    peer: &Peer,
    identity: Option<&Identity>,
    figures: &mut FloorFigures,
) -> Result<(), Box<dyn Error>> {
    let site = Site::start(identity).await?;
    let process = Process::start(peer, &site.environment(peer)).await?;
    process.function().invoke(&json!({})).await?;
    figures.start.push(process.start_took());
    figures.memory.push(process.peak_memory());
    figures.cpu.push(process.end().await);
    Ok(())
}

async fn measure_peer(
    peer: &Peer,
    identity: Option<&Identity>,
    figures: &mut Figures,
) -> Result<(), Box<dyn Error>> {
    // A process for one rotation: what that takes in all.
    let site = Site::start(identity).await?;
    let process = Process::start(peer, &site.environment(peer)).await?;
    let steps = process.rotation(&site.local).await?;
    figures.start.push(process.start_took());
    figures.start_and_first_step.push(steps[0].since_start);
    figures.store_calls = steps.iter().map(|step| step.store_calls).sum();
    figures.venue_calls = steps.iter().map(|step| step.venue_calls).sum();
    figures.memory.push(process.peak_memory());
    figures.cpu.push(process.end().await);

    // A process for two: the second finds everything warm.
    let site = Site::start(identity).await?;
    let process = Process::start(peer, &site.environment(peer)).await?;
    process.rotation(&site.local).await?;
    let before = process.cpu();
    for (warm, step) in figures.warm.iter_mut().zip(process.rotation(&site.local).await?) {
        warm.push(step.took);
    }
    figures.cpu_warm.push(process.cpu() - before);
    process.end().await;

    // A process for each step: every one is cold.
    let site = Site::start(identity).await?;
    open_rotation(&site.local)?;
    for cold in &mut figures.cold {
        let process = Process::start(peer, &site.environment(peer)).await?;
        cold.push(process.step(&site.local).await?.took);
        process.end().await;
    }
    Ok(())
}

impl Figures {
    fn add(&mut self, now: &Self) {
        self.start.extend(&now.start);
        self.start_and_first_step.extend(&now.start_and_first_step);
        self.cold
            .iter_mut()
            .zip(&now.cold)
            .for_each(|(all, now)| all.extend(now));
        self.warm
            .iter_mut()
            .zip(&now.warm)
            .for_each(|(all, now)| all.extend(now));
        self.cpu.extend(&now.cpu);
        self.cpu_warm.extend(&now.cpu_warm);
        self.memory.extend(&now.memory);
        (self.store_calls, self.venue_calls) = (now.store_calls, now.venue_calls);
    }
}

impl FloorFigures {
    fn add(&mut self, now: &Self) {
        self.start.extend(&now.start);
        self.memory.extend(&now.memory);
        self.cpu.extend(&now.cpu);
    }
}

fn report(
    wire: Wire,
    rotating: &[&Peer],
    floor: &FloorFigures,
    figures: &[Figures],
    round_trips: &Series,
) -> String {
    let [function, others @ ..] = figures else {
        return String::new();
    };
    let columns = |name: &str, floor: String, of: &dyn Fn(&Figures) -> &Series| {
        let mut row = vec![name.to_owned()];
        row.extend(
            others
                .iter()
                .map(|other| of(function).times(of(other)).to_string()),
        );
        row.extend(figures.iter().map(|figures| of(figures).to_string()));
        row.push(floor);
        row
    };
    let none = || "–".to_owned();
    let mut rows = vec![
        columns(
            "start to first request for work, ms",
            floor.start.to_string(),
            &|peer| &peer.start,
        ),
        columns("start and first step, ms", none(), &|peer| {
            &peer.start_and_first_step
        }),
        columns(
            "CPU of start and a rotation, ms",
            floor.cpu.to_string(),
            &|peer| &peer.cpu,
        ),
        columns("CPU of a further rotation, ms", none(), &|peer| &peer.cpu_warm),
        columns("peak memory, MiB", floor.memory.to_string(), &|peer| &peer.memory),
    ];
    for (step, name) in STEP_NAMES.into_iter().enumerate() {
        rows.push(columns(&format!("{name}, cold, ms"), none(), &|peer| {
            &peer.cold[step]
        }));
        rows.push(columns(&format!("{name}, warm, ms"), none(), &|peer| {
            &peer.warm[step]
        }));
    }
    let say = "A ratio is taken round by round; in each, the peers take their turns in another order. A \
               cold step is the first of its process; its start is not in it.";
    let ratios: Vec<String> = rotating[1..]
        .iter()
        .map(|other| format!("{} ÷ function", other.name))
        .collect();
    let mut head = vec![""];
    head.extend(ratios.iter().map(String::as_str));
    head.extend(rotating.iter().map(|peer| peer.name.as_str()));
    head.push("floor");
    let title = match wire {
        Wire::Plain => "Rotations",
        Wire::Tls => "Rotations over TLS",
    };
    let mut text = table(title, say, &head, &rows);
    let above = function
        .start_and_first_step
        .minus(&floor.start)
        .with(round_trips, |above, trip| above - CREATE_DEPTH * trip);
    // A String takes all that is written to it.
    let _ = writeln!(
        text,
        "\nA round trip to the stand-ins takes a bare client {round_trips} ms. Start and first step, less \
         the floor's start and {CREATE_DEPTH} round trips: {above} ms.\n"
    );
    for (peer, figures) in rotating.iter().zip(figures) {
        let (store, venue) = (figures.store_calls, figures.venue_calls);
        let _ = writeln!(
            text,
            "Calls of a rotation, {}: {store} to Secrets Manager, {venue} to Bybit.",
            peer.name
        );
    }
    text
}
