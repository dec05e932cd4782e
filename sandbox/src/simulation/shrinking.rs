//! The shortest history that can be found that breaks the same promise.

use super::action::History;
use super::playing::Play;
use crate::invariants::{Invariant, Violation};

/// So many histories are tried at most.
const MOST_TRIES: usize = 4_000;

/// Takes away what is not needed, as long as the promise stays broken.
pub(super) fn shrink(history: &History, broken: &Violation) -> (History, Violation) {
    let mut shrinker = Shrinker { best: history.clone(), broken: broken.clone(), tries: 0 };
    loop {
        let before = shrinker.best.actions.len();
        let mut size = before.div_ceil(2);
        while size > 0 {
            shrinker.without_chunks(size);
            size /= 2;
        }
        shrinker.without_faults();
        if shrinker.best.actions.len() == before || shrinker.tries >= MOST_TRIES {
            return (shrinker.best, shrinker.broken);
        }
    }
}

struct Shrinker {
    best: History,
    broken: Violation,
    tries: usize,
}

impl Shrinker {
    fn without_chunks(&mut self, size: usize) {
        let mut at = 0;
        while at < self.best.actions.len() {
            let mut shorter = self.best.clone();
            let end = (at + size).min(shorter.actions.len());
            shorter.actions.drain(at..end);
            if !self.takes(&shorter) {
                at += size;
            }
        }
    }

    fn without_faults(&mut self) {
        for at in 0..self.best.actions.len() {
            let mut simpler = self.best.clone();
            if simpler.actions.get_mut(at).and_then(|action| action.fault.take()).is_some() {
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
        let Some(violation) = play.broken.filter(|violation| self.is_same(violation.invariant)) else { return false };
        // What comes after the break is not needed either.
        self.best = play.history;
        self.broken = violation;
        true
    }

    fn is_same(&self, invariant: Invariant) -> bool {
        invariant == self.broken.invariant
    }
}
