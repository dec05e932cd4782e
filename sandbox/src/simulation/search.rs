//! A search under way, in several threads: what is played, and what was found broken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::action::fault_name;
use super::beginnings::{self, FOR_PAIRS};
use super::coverage::Coverage;
use super::crossing;
use super::crossings::CROSSINGS;
use super::exhaustive::{Planned, disturbed, seconds};
use super::interleaving::{self, Overlap};
use super::playing::Play;
use super::random;
use super::shrinking::Counterexample;
use crate::in_process::kind::{KINDS, PLAIN, VenueKind};
use crate::random::SplitMix64;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many histories by chance.
    pub histories: u64,
    /// What decides them.
    pub seed: u64,
    /// From one in so many states the way to rest is tried.
    pub rest_from_one_in: u64,
    /// Whether every fault, pairs of faults, every interleaving and operations beside steps are played too.
    pub exhaustive: bool,
    /// In how many threads.
    pub threads: usize,
    /// Whether the search goes on after a promise was broken, and counts what breaks and how often.
    pub keep_going: bool,
    /// The one kind of venue to play; all of them where there is none.
    pub kind: Option<&'static VenueKind>,
}

/// A search under way, in several threads.
#[derive(Default)]
pub(super) struct Search {
    /// The variant of the protocol that is searched.
    #[cfg(feature = "wrong-on-purpose")]
    pub(super) wrong: Option<protocol::wrong::Wrong>,
    /// The way to rest is tried from one in so many states.
    pub(super) rest_from_one_in: u64,
    /// Whether it goes on after a promise was broken.
    keep_going: bool,
    /// The one kind of venue that is played, if it is one.
    kind: Option<&'static VenueKind>,
    /// Which kind has the first turn, where what is played is dealt out among them.
    turn: usize,
    coverage: Mutex<Coverage>,
    /// What was broken, by its kind: how often, and the first history that did.
    found: Mutex<BTreeMap<String, (u64, Counterexample)>>,
    stop: AtomicBool,
    parts: Mutex<Vec<String>>,
}

/// What a search came to.
pub(super) struct Searched {
    pub(super) coverage: Coverage,
    /// What was broken, by its kind: how often, and the first history that did.
    pub(super) found: BTreeMap<String, (u64, Counterexample)>,
    /// What was played, and how long that took.
    pub(super) parts: Vec<String>,
}

impl Search {
    /// A search of the protocol as it is.
    pub(super) fn for_all(options: &Options) -> Self {
        Self {
            rest_from_one_in: options.rest_from_one_in,
            keep_going: options.keep_going,
            kind: options.kind,
            turn: usize::try_from(options.seed % 1024).unwrap_or_default(),
            ..Self::default()
        }
    }

    pub(super) fn exhaustive(&self, threads: usize) {
        let began = Instant::now();
        let bar = progress(None, "single faults");
        let singles = self.singles(&bar, threads);
        self.part(
            &format!(
                "{singles} histories with one fault, from {} beginnings",
                beginnings::all().len()
            ),
            began,
        );
        let began = Instant::now();
        let pairs = self.pairs(&bar, threads);
        self.part(&format!("{pairs} histories with two faults"), began);
        let began = Instant::now();
        let interleavings = self.interleavings(&bar, threads);
        self.part(
            &format!(
                "{interleavings} interleavings of {} overlaps",
                Overlap::all().len()
            ),
            began,
        );
        let began = Instant::now();
        let crossed = self.crossings(&bar, threads);
        self.part(
            &format!("{crossed} orders of {} operations beside steps", CROSSINGS.len()),
            began,
        );
        bar.finish_and_clear();
    }

    /// Every beginning, and no fault: most of what is wrong shows there.
    #[cfg(feature = "wrong-on-purpose")]
    pub(super) fn undisturbed(&self) {
        for (kind, beginning) in self.at_each_kind(&beginnings::all()) {
            let (play, _) = disturbed(kind, beginning, &[], 1);
            self.played(play, &format!("{}, {}", kind.name, beginning.name));
            if self.is_stopped() {
                return;
            }
        }
    }

    /// Each of these at each kind of venue.
    fn at_each_kind<T: Copy>(&self, items: &[T]) -> Vec<(&'static VenueKind, T)> {
        let kinds = KINDS
            .into_iter()
            .filter(|kind| self.kind.is_none_or(|only| only.name == kind.name));
        kinds
            .flat_map(|kind| items.iter().map(move |item| (kind, *item)))
            .collect()
    }

    /// Each of these at one kind of venue, in turn.
    fn in_turn<T>(&self, items: impl Iterator<Item = T>) -> Vec<(&'static VenueKind, T)> {
        let kinds = KINDS.into_iter().cycle().skip(self.turn % KINDS.len());
        kinds.map(|kind| self.kind.unwrap_or(kind)).zip(items).collect()
    }

    /// Every fault at every call, one at a time, from every beginning.
    pub(super) fn singles(&self, bar: &ProgressBar, threads: usize) -> u64 {
        let beginnings = self.at_each_kind(&beginnings::all());
        let (next, count) = (AtomicU64::new(0), AtomicU64::new(0));
        self.in_threads(threads, || {
            while let Some((kind, beginning)) = take(&next, &beginnings) {
                let (play, open) = disturbed(kind, beginning, &[], 1);
                self.played(play, &format!("{}, {}", kind.name, beginning.name));
                for planned in open.into_iter().map(|open| open.planned) {
                    if self.is_stopped() {
                        return;
                    }
                    let (play, _) = disturbed(kind, beginning, &[planned], self.one_in());
                    self.played(
                        play,
                        &format!("{}, {}, {}", kind.name, beginning.name, told(planned)),
                    );
                    count.fetch_add(1, Ordering::Relaxed);
                    bar.inc(1);
                }
            }
        });
        count.into_inner()
    }

    /// Every fault at every call, and then every other at a later call: at every one, or at those that matter
    /// most.
    pub(super) fn pairs(&self, bar: &ProgressBar, threads: usize) -> u64 {
        bar.set_message("pairs of faults");
        // What can go wrong first at the usual kind goes wrong at each in turn.
        let firsts = FOR_PAIRS.iter().flat_map(|beginning| {
            disturbed(&PLAIN, beginning, &[], 1)
                .1
                .into_iter()
                .map(|first| (*beginning, first.planned))
        });
        let firsts = self.in_turn(firsts);
        let (next, count) = (AtomicU64::new(0), AtomicU64::new(0));
        self.in_threads(threads, || {
            while let Some((kind, (beginning, first))) = take(&next, &firsts) {
                for second in seconds(kind, beginning, *first, self.one_in()) {
                    if self.is_stopped() {
                        return;
                    }
                    let (play, _) = disturbed(kind, beginning, &[*first, second], self.one_in());
                    let place = format!(
                        "{}, {}, {}, {}",
                        kind.name,
                        beginning.name,
                        told(*first),
                        told(second)
                    );
                    self.played(play, &place);
                    count.fetch_add(1, Ordering::Relaxed);
                    bar.inc(1);
                }
            }
        });
        count.into_inner()
    }

    pub(super) fn interleavings(&self, bar: &ProgressBar, threads: usize) -> u64 {
        bar.set_message("interleavings");
        let overlaps = self.in_turn(Overlap::all().into_iter());
        let (next, count) = (AtomicU64::new(0), AtomicU64::new(0));
        self.in_threads(threads, || {
            while let Some((kind, overlap)) = take(&next, &overlaps) {
                interleaving::every(kind, overlap, self.one_in(), &mut |play| {
                    self.played(play, &format!("{}, {}", kind.name, overlap.name()));
                    count.fetch_add(1, Ordering::Relaxed);
                    bar.inc(1);
                    !self.is_stopped()
                });
            }
        });
        count.into_inner()
    }

    /// Every order of an operation's calls and a step's, with few switches between the two.
    pub(super) fn crossings(&self, bar: &ProgressBar, threads: usize) -> u64 {
        bar.set_message("operations beside steps");
        let crossings = self.in_turn(CROSSINGS.iter());
        let (next, count) = (AtomicU64::new(0), AtomicU64::new(0));
        self.in_threads(threads, || {
            while let Some((kind, crossing)) = take(&next, &crossings) {
                crossing::every(kind, crossing, self.one_in(), &mut |play| {
                    self.played(play, &format!("{}, {}", kind.name, crossing.name));
                    count.fetch_add(1, Ordering::Relaxed);
                    bar.inc(1);
                    !self.is_stopped()
                });
            }
        });
        count.into_inner()
    }

    pub(super) fn random(&self, options: &Options) {
        let began = Instant::now();
        let bar = progress(Some(options.histories), "histories by chance");
        let (next, count) = (AtomicU64::new(0), AtomicU64::new(0));
        self.in_threads(options.threads, || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= options.histories || self.is_stopped() {
                    return;
                }
                let seed =
                    SplitMix64::new(options.seed.wrapping_add(at.wrapping_mul(0x2545_f491_4f6c_dd1d))).next();
                let seed = options.kind.map_or(seed, |kind| kind.seed(seed));
                self.played(
                    random::play(seed, self.one_in()),
                    &format!("history {at} of seed {}", options.seed),
                );
                count.fetch_add(1, Ordering::Relaxed);
                bar.inc(1);
            }
        });
        bar.finish_and_clear();
        self.part(
            &format!(
                "{} histories by chance, of seed {}",
                count.into_inner(),
                options.seed
            ),
            began,
        );
    }

    pub(super) fn played(&self, mut play: Play, place: &str) {
        lock(&self.coverage).add(&play.coverage());
        let Some(violation) = play.broken else { return };
        if !self.keep_going && self.stop.swap(true, Ordering::SeqCst) {
            return;
        }
        let found = Counterexample {
            violation,
            history: play.history,
            place: place.to_owned(),
        };
        lock(&self.found)
            .entry(found.violation.kind())
            .or_insert((0, found))
            .0 += 1;
    }

    fn one_in(&self) -> u64 {
        self.rest_from_one_in.max(1)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    #[cfg_attr(
        not(feature = "wrong-on-purpose"),
        expect(clippy::unused_self, reason = "only a variant needs it")
    )]
    fn in_threads(&self, threads: usize, work: impl Fn() + Sync) {
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                scope.spawn(|| {
                    #[cfg(feature = "wrong-on-purpose")]
                    let _in_force = self.in_force();
                    work();
                });
            }
        });
    }

    /// A search of a variant.
    #[cfg(feature = "wrong-on-purpose")]
    pub(super) fn of(wrong: protocol::wrong::Wrong, options: &Options) -> Self {
        Self {
            wrong: Some(wrong),
            rest_from_one_in: options.rest_from_one_in,
            ..Self::default()
        }
    }

    /// The promise that was found broken.
    #[cfg(feature = "wrong-on-purpose")]
    pub(super) fn into_found(self) -> Option<Counterexample> {
        let found = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found
            .into_values()
            .next()
            .map(|(_, found)| super::shrinking::shrink(found))
    }

    /// What it came to.
    pub(super) fn over(self) -> Searched {
        Searched {
            coverage: self.coverage.into_inner().unwrap_or_else(PoisonError::into_inner),
            found: self.found.into_inner().unwrap_or_else(PoisonError::into_inner),
            parts: self.parts.into_inner().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn part(&self, what: &str, began: Instant) {
        lock(&self.parts).push(format!("{what} in {:.1} s", began.elapsed().as_secs_f64()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take<'a, T>(next: &AtomicU64, from: &'a [T]) -> Option<&'a T> {
    from.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).ok()?)
}

/// A fault as a person reads it.
fn told((call, fault): Planned) -> String {
    format!("{} at call {call}", fault_name(fault))
}

fn progress(total: Option<u64>, what: &'static str) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = if total.is_some() {
        "{msg} [{bar:40}] {pos}/{len}, {per_sec}, {eta} to go"
    } else {
        "{msg} {spinner} {pos}, {per_sec}"
    };
    // The template is a constant that is known to be one.
    bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}
