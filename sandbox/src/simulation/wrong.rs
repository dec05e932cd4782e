//! Whether the simulation can see: every variant of the protocol that is wrong on purpose has to break a
//! promise.

use protocol::wrong::{InForce, Wrong, in_force};

use super::action::History;
use super::command::Outcome;
use super::playing::Play;
use super::search::{Options, Search};
use super::shrinking::Counterexample;
use crate::invariants::Violation;

/// The shortest history that was found for each variant, after its word: what is found once is not searched
/// for again.
const KNOWN: &str = include_str!("known.txt");

/// Plays under each of these variants what is known to break a promise, and where that does not, or is to be
/// found `anew`, searches until one is broken. `say` is told of each as it is done.
pub fn simulate_wrong(
    variants: &[Wrong],
    options: &Options,
    anew: bool,
    mut say: impl FnMut(&str),
) -> Outcome {
    let mut caught = 0;
    for wrong in variants {
        let search = Search::of(*wrong, options);
        let _in_force = search.in_force();
        let found = search.until_broken(options, anew);
        caught += usize::from(found.is_some());
        let word = wrong.as_str();
        say(&match found {
            Some(Counterexample {
                violation: Violation { invariant, what, .. },
                history,
                place,
            }) => format!(
                "{word:<28}{:<16} {what}\n    in {place}; the shortest history found has {} actions:\n    \
                 --wrong {word} --replay '{history}'",
                invariant.as_str(),
                history.actions.len(),
            ),
            None => format!("{word:<28}NOT CAUGHT"),
        });
    }
    Outcome {
        text: format!("{caught} of {} variants were caught.", variants.len()),
        good: caught == variants.len(),
    }
}

impl Search {
    /// Puts the search's variant in force on this thread.
    pub(super) fn in_force(&self) -> InForce {
        in_force(self.wrong)
    }

    fn until_broken(self, options: &Options, anew: bool) -> Option<Counterexample> {
        let bar = indicatif::ProgressBar::hidden();
        if !anew {
            self.known();
        }
        // What takes least comes first.
        if !self.is_stopped() {
            self.undisturbed();
        }
        if !self.is_stopped() {
            self.random(options);
        }
        // Any of them may be the one that finds it at once, and take minutes where it does not.
        if !self.is_stopped() {
            std::thread::scope(|scope| {
                scope.spawn(|| self.singles(&bar, 1));
                scope.spawn(|| self.interleavings(&bar, 1));
                scope.spawn(|| self.crossings(&bar, 1));
                if options.exhaustive {
                    scope.spawn(|| self.pairs(&bar, 1));
                }
            });
        }
        self.into_found()
    }

    fn known(&self) {
        let word = self.wrong.map(Wrong::as_str);
        for (_, history) in known().filter(|(of, _)| Some(*of) == word) {
            if let Ok(history) = history {
                self.played(Play::again(&history), "a history that is known");
            }
        }
    }
}

fn known() -> impl Iterator<Item = (&'static str, Result<History, super::NoAction>)> {
    KNOWN
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(word, history)| (word, history.parse()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_known_for_every_variant() {
        let of: Vec<&str> = known()
            .map(|(word, history)| history.map(|_| word).unwrap())
            .collect();
        let all: Vec<&str> = Wrong::ALL.iter().copied().map(Wrong::as_str).collect();
        assert_eq!(of, all);
    }
}
