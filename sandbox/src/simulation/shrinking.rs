//! The shortest history that can be found that breaks the same promise.

use super::action::History;
use super::playing::Play;
use crate::invariants::Violation;

/// So many histories are tried at most.
const MOST_TRIES: usize = 4_000;

/// A promise that was broken, and the shortest history that was found to break it.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// Which promise, and how.
    pub violation: Violation,
    /// The history.
    pub history: History,
    /// What was going on.
    pub place: String,
}

/// Takes away what is not needed, as long as the promise stays broken in the same way. What does not even
/// break when it is played again is left as it is.
pub(super) fn shrink(found: Counterexample) -> Counterexample {
    let mut shrinker = Shrinker {
        best: found,
        tries: 0,
    };
    loop {
        let before = shrinker.best.history.actions.len();
        let mut size = before.div_ceil(2);
        while size > 0 {
            shrinker.without_chunks(size);
            size /= 2;
        }
        shrinker.without_faults();
        if shrinker.best.history.actions.len() == before || shrinker.tries >= MOST_TRIES {
            return shrinker.best;
        }
    }
}

struct Shrinker {
    best: Counterexample,
    tries: usize,
}

impl Shrinker {
    fn without_chunks(&mut self, size: usize) {
        let mut at = 0;
        while at < self.best.history.actions.len() {
            let mut shorter = self.best.history.clone();
            let end = (at + size).min(shorter.actions.len());
            shorter.actions.drain(at..end);
            if !self.takes(&shorter) {
                at += size;
            }
        }
    }

    fn without_faults(&mut self) {
        for at in 0..self.best.history.actions.len() {
            let mut simpler = self.best.history.clone();
            if simpler
                .actions
                .get_mut(at)
                .and_then(|action| action.fault.take())
                .is_some()
            {
                self.takes(&simpler);
            }
        }
    }

    fn takes(&mut self, history: &History) -> bool {
        self.tries += 1;
        if self.tries > MOST_TRIES {
            return false;
        }
        let play = Play::again(history);
        let Some(violation) = play
            .broken
            .filter(|violation| violation.kind() == self.best.violation.kind())
        else {
            return false;
        };
        // What comes after the break is not needed either.
        self.best.history = play.history;
        self.best.violation = violation;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::{Invariant, Violation};

    fn found(history: &str, what: &str) -> Counterexample {
        let history = history.parse().expect("a history");
        let at = jiff::Timestamp::UNIX_EPOCH;
        let violation = Violation {
            invariant: Invariant::Honest,
            at,
            what: what.to_owned(),
        };
        Counterexample {
            violation,
            history,
            place: "a test".to_owned(),
        }
    }

    #[test]
    fn what_does_not_break_when_played_again_is_printed_as_it_was_found() {
        let history = "7 begin:0:0 due:0:0 run:0:0 wait:0:61";
        let shrunk = shrink(found(history, "nothing of the kind"));
        assert_eq!(shrunk.history.to_string(), history);
        assert_eq!(shrunk.violation.what, "nothing of the kind");
    }
}
