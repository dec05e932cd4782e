//! Operations beside the steps of a rotation of the same secret: every order of their calls with few switches
//! between the two.
//!
//! An operation makes too many calls for every order of them to be played. So one of the two goes on until it
//! is over or sleeps, and then the other. Only so many times in a history ([`MOST_SWITCHES`]) one has to wait
//! though it could go on: for calls of the other, or for the end of the other's sleep. Calls of one parallel
//! batch are one turn; while a run sleeps, the service performs what is due. Orders that differ only in calls
//! that can't tell which came first are played once, as where two steps overlap.

use super::action::Action;
use super::playing::{Broken, Play};
use super::preparing::service_goes_on;
use super::two_runs::{TwoRuns, What};
use crate::in_process::Point;
use crate::in_process::kind::VenueKind;

/// So many times one has to wait though it could go on.
const MOST_SWITCHES: usize = 3;

/// An operation beside a step.
pub(super) struct Crossing {
    pub(super) name: &'static str,
    /// What was before; a run of the step is begun then, and waits.
    pub(super) prepare: fn(&mut Play) -> Result<(), Broken>,
    pub(super) operation: fn(&Play) -> Action,
}

impl Crossing {
    fn begun(&self, kind: &VenueKind, one_in: u64) -> TwoRuns {
        let mut play = Play::new(kind.seed(0));
        play.one_in = one_in;
        play.heals = false;
        // The beginning was seen to hold without anything beside it.
        let _ = (self.prepare)(&mut play).and_then(|()| play.act((self.operation)(&play)));
        play.heals = true;
        TwoRuns::of(play)
    }
}

/// Plays every order with few switches. `seen` is shown each play when it is over, and says whether to go on.
pub(super) fn every(kind: &VenueKind, crossing: &Crossing, one_in: u64, seen: &mut impl FnMut(Play) -> bool) {
    let mut explorer = Explorer {
        kind,
        crossing,
        one_in,
        seen,
        stopped: false,
    };
    explorer.explore(&[]);
}

/// What one run did without the other.
struct Turn {
    run: usize,
    did: Vec<What>,
    /// Whether somebody waited for it who could go on.
    switched: bool,
}

impl Turn {
    /// Whether it makes no difference which of two comes first. Time that passes makes one.
    fn commutes_with(&self, other: &Self) -> bool {
        let commute =
            |one: &What, two: &What| *one != What::Sleep && *two != What::Sleep && one.commutes_with(*two);
        self.did
            .iter()
            .all(|one| other.did.iter().all(|two| commute(one, two)))
    }
}

struct Explorer<'a, F> {
    kind: &'a VenueKind,
    crossing: &'a Crossing,
    one_in: u64,
    seen: &'a mut F,
    stopped: bool,
}

impl<F: FnMut(Play) -> bool> Explorer<'_, F> {
    /// Plays on from a prefix: whose turn it was, one after the other.
    fn explore(&mut self, prefix: &[usize]) {
        let Some((mut both, mut turns)) = self.played(prefix) else {
            return;
        };
        while !self.stopped {
            if ends_a_detour(&turns) {
                return;
            }
            let next = next(&both, &turns);
            let Some((first, others)) = next.split_first() else {
                both.play.end();
                self.stopped = !(self.seen)(both.play);
                return;
            };
            for other in others {
                let branch: Vec<usize> = turns.iter().map(|turn: &Turn| turn.run).chain([*other]).collect();
                self.explore(&branch);
            }
            if !take(&mut both, &mut turns, *first) {
                self.stopped = !(self.seen)(both.play);
                return;
            }
        }
    }

    /// The play after these turns; nothing where a promise was broken on the way, which another play has
    /// shown.
    fn played(&mut self, prefix: &[usize]) -> Option<(TwoRuns, Vec<Turn>)> {
        let (mut both, mut turns) = (self.crossing.begun(self.kind, self.one_in), Vec::new());
        for (at, run) in prefix.iter().enumerate() {
            // Whoever played the prefix first tried its ways to rest.
            both.play.heals = at + 1 == prefix.len();
            if !take(&mut both, &mut turns, *run) {
                // The last turn is new.
                if both.play.heals {
                    self.stopped = !(self.seen)(both.play);
                }
                return None;
            }
        }
        both.play.heals = true;
        Some((both, turns))
    }
}

/// Whose turn may come next, whoever goes on first.
fn next(both: &TwoRuns, turns: &[Turn]) -> Vec<usize> {
    let going = both.runs().iter().any(|run| can_go_on(both, *run));
    if !going {
        let until = |run: &usize| {
            both.waiting(*run)
                .iter()
                .filter_map(|waiting| as_sleep(&waiting.point))
                .min()
        };
        return both
            .runs()
            .iter()
            .copied()
            .min_by_key(until)
            .into_iter()
            .collect();
    }
    let may_switch = turns.iter().filter(|turn| turn.switched).count() < MOST_SWITCHES;
    let open = both
        .runs()
        .iter()
        .copied()
        .filter(|run| may_switch || !is_switch(both, turns, *run));
    let mut open: Vec<usize> = open.collect();
    open.sort_by_key(|run| is_switch(both, turns, *run));
    open
}

/// Whether somebody has to wait who could go on, if this run takes its turn now.
fn is_switch(both: &TwoRuns, turns: &[Turn], run: usize) -> bool {
    let others = || {
        both.runs()
            .iter()
            .any(|other| *other != run && can_go_on(both, *other))
    };
    let last = turns
        .last()
        .is_none_or(|last| last.run == run || !can_go_on(both, last.run));
    if can_go_on(both, run) { !last } else { others() }
}

/// Whether the last turn comes after a detour to the other run that could have been made one turn earlier,
/// without a difference. That order is played too.
fn ends_a_detour(turns: &[Turn]) -> bool {
    let Some((last, before)) = turns.split_last() else {
        return false;
    };
    let detour = before
        .iter()
        .rev()
        .take_while(|turn| turn.run != last.run)
        .count();
    let (earlier, detour) = before.split_at(before.len() - detour);
    match (earlier.last(), detour.first()) {
        (Some(left), Some(first)) if first.switched => detour.iter().all(|turn| turn.commutes_with(left)),
        _ => false,
    }
}

/// Lets a run take its turn. Whether the promises still hold.
fn take(both: &mut TwoRuns, turns: &mut Vec<Turn>, run: usize) -> bool {
    let switched = is_switch(both, turns, run);
    let waiting = both.waiting(run);
    let calls: Vec<_> = waiting
        .iter()
        .filter(|waiting| as_sleep(&waiting.point).is_none())
        .collect();
    let did = if calls.is_empty() {
        vec![What::Sleep]
    } else {
        calls.iter().map(|call| What::of(&call.point)).collect()
    };
    let held = if calls.is_empty() {
        let first = waiting.iter().min_by_key(|waiting| as_sleep(&waiting.point));
        service_goes_on(&mut both.play).is_ok() && first.is_none_or(|first| both.go(run, first.ticket))
    } else {
        calls.iter().all(|call| both.go(run, call.ticket))
    };
    turns.push(Turn { run, did, switched });
    held
}

fn can_go_on(both: &TwoRuns, run: usize) -> bool {
    both.waiting(run)
        .iter()
        .any(|waiting| as_sleep(&waiting.point).is_none())
}

fn as_sleep(point: &Point) -> Option<jiff::Timestamp> {
    if let Point::Sleep(until) = point {
        Some(*until)
    } else {
        None
    }
}
