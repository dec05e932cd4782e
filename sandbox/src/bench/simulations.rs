//! Simulated histories a second.

use std::time::Instant;

use super::series::{Series, figure};
use crate::simulation::{Options, simulate};

const HISTORIES: u32 = 4_000;
const ROUNDS: u64 = 3;

pub(super) fn measure() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut series = Series::default();
    let mut good = true;
    for seed in 1..=ROUNDS {
        let options = Options { histories: HISTORIES.into(), seed, rest_from_one_in: 1, exhaustive: false, threads };
        let began = Instant::now();
        good &= simulate(&options).good;
        series.push(f64::from(HISTORIES) / began.elapsed().as_secs_f64());
    }
    let held = if good { "" } else { " NOT EVERYTHING HELD OR WAS REACHED: see `sandbox simulate`." };
    let each = figure(series.median() / f64::from(u32::try_from(threads).unwrap_or(1)));
    format!("## Simulation\n\n{series} histories by chance a second in {threads} threads, {each} in each.{held}\n")
}
