//! Whether the simulation can see: every variant of the protocol that is wrong on purpose has to break a promise.

use protocol::wrong::{InForce, Wrong, in_force};

use super::command::{Counterexample, Options, Outcome, Search};
use crate::invariants::Violation;

/// Searches under each of these variants until a promise is broken.
/// `say` is told of each as it is done.
pub fn simulate_wrong(variants: &[Wrong], options: &Options, mut say: impl FnMut(&str)) -> Outcome {
    let mut caught = 0;
    for wrong in variants {
        let search = Search::of(*wrong, options);
        let _in_force = search.in_force();
        let found = search.until_broken(options);
        caught += usize::from(found.is_some());
        let word = wrong.as_str();
        say(&match found {
            Some(Counterexample { violation: Violation { invariant, what, .. }, history, place }) => format!(
                "{word:<28}{:<16} {what}\n    in {place}; the shortest history found has {} actions:\n    --wrong {word} --replay '{history}'",
                invariant.as_str(),
                history.actions.len(),
            ),
            None => format!("{word:<28}NOT CAUGHT"),
        });
    }
    Outcome { text: format!("{caught} of {} variants were caught.", variants.len()), good: caught == variants.len() }
}

impl Search {
    /// Puts the search's variant in force on this thread.
    pub(super) fn in_force(&self) -> InForce {
        in_force(self.wrong)
    }

    fn until_broken(self, options: &Options) -> Option<Counterexample> {
        let bar = indicatif::ProgressBar::hidden();
        // What takes least comes first.
        self.undisturbed();
        if !self.is_stopped() {
            self.random(options);
        }
        // Any of them may be the one that finds it at once, and take minutes where it does not.
        if !self.is_stopped() {
            std::thread::scope(|scope| {
                scope.spawn(|| self.singles(&bar, 1));
                scope.spawn(|| self.interleavings(&bar, 1));
                if options.exhaustive {
                    scope.spawn(|| self.pairs(&bar, 1));
                }
            });
        }
        self.into_found()
    }
}
