//! The command: what is simulated, and what is said about it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::action::History;
use super::playing::Play;
use super::search::{Options, Search, Searched};
use super::shrinking::{Counterexample, shrink};
use super::stage::summary;

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What to print.
    pub text: String,
    /// Whether every promise held, and everything was reached where everything was played.
    pub good: bool,
}

/// Simulates.
pub fn simulate(options: &Options) -> Outcome {
    let began = Instant::now();
    let search = Search::for_all(options);
    if options.exhaustive {
        search.exhaustive(options.threads);
    }
    search.random(options);
    report(search, options, began.elapsed())
}

/// Plays one history and tells it action by action.
pub fn replay(history: &History) -> Outcome {
    let mut play = Play::new(history.seed);
    let mut text = String::new();
    for action in &history.actions {
        let line = play.told(*action);
        // A String takes all that is written to it.
        let _ = writeln!(text, "{}  {line}", play.stage.world.now());
        if play.broken.is_some() {
            break;
        }
    }
    let mut passes = String::new();
    play.end_telling(&mut |world, answer| {
        let _ = writeln!(passes, "{}  a pass  -> {}", world.now(), summary(answer));
    });
    let good = play.broken.is_none();
    if !good {
        let _ = write!(text, "{passes}");
    }
    let _ = match &play.broken {
        Some(violation) => writeln!(text, "\n{violation}"),
        None => writeln!(text, "\nEvery promise holds."),
    };
    Outcome { text, good }
}

/// What a search came to, in words.
fn report(search: Search, options: &Options, took: Duration) -> Outcome {
    let Searched {
        coverage,
        found,
        parts,
    } = search.over();
    let (calls, faults) = coverage.calls();
    let seconds = took.as_secs_f64().max(0.001);
    let mut text = format!("{coverage}\n");
    for part in &parts {
        let _ = writeln!(text, "{part}");
    }
    let each = |count: u64| {
        #[expect(clippy::cast_precision_loss, reason = "a rate to be read")]
        let rate = count as f64 / seconds;
        rate
    };
    let _ = writeln!(
        text,
        "{} histories, {} states checked, from {} of them to rest; {calls} calls, {faults} of them with \
         a fault",
        coverage.histories, coverage.states, coverage.healed
    );
    let _ = writeln!(
        text,
        "in {seconds:.1} s with {} threads: {:.0} histories and {:.0} states a second",
        options.threads,
        each(coverage.histories),
        each(coverage.states)
    );
    let missing = coverage.missing();
    // Some histories by chance cannot reach everything.
    let good = found.is_empty() && (missing.is_empty() || !options.exhaustive);
    let mut found: Vec<(u64, Counterexample)> = found.into_values().collect();
    found.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
    for (times, found) in found {
        let Counterexample {
            violation,
            history,
            place,
        } = shrink(found);
        let times = if options.keep_going {
            format!(" {times} times,")
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "\nBROKEN {violation}\n{times} in {place}; the shortest history found:"
        );
        let _ = writeln!(
            text,
            "  cargo run --release -p sandbox -- simulate --replay '{history}'"
        );
    }
    if good {
        let _ = writeln!(text, "\nEvery promise held.");
    }
    let _ = match missing.as_slice() {
        [] => writeln!(text, "\nEvery action and fault was reached."),
        missing => writeln!(
            text,
            "\nNever reached, so more histories are needed: {}",
            missing.join(", ")
        ),
    };
    Outcome { text, good }
}
