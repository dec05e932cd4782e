//! Simulated histories a second.

use std::time::Instant;

use super::series::Series;
use crate::simulation::{Options, simulate};

const HISTORIES: u32 = 1_000;
const ROUNDS: u64 = 3;

pub(super) fn measure() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut series = Series::default();
    for seed in 1..=ROUNDS {
        let options = Options {
            histories: HISTORIES.into(),
            seed,
            rest_from_one_in: 1,
            exhaustive: false,
            threads,
            keep_going: false,
            kind: None,
        };
        let began = Instant::now();
        // What held and what was reached is for `sandbox simulate` to say: so few histories reach little.
        simulate(&options);
        series.push(f64::from(HISTORIES) / began.elapsed().as_secs_f64());
    }
    format!("## Simulation\n\n{series} histories by chance a second, in {threads} threads.\n")
}
