//! Every interleaving of the calls of two overlapping invocations. Orders that differ only in calls that
//! can't tell which came first (both read, or one is Secrets Manager's and one the venue's) are played once.

use protocol::rotation::Step;

use super::action::{Action, Kind};
use super::playing::Play;
use super::two_runs::{TwoRuns, What};
use crate::in_process::Ticket;
use crate::in_process::kind::VenueKind;

/// Two steps at once, and what was done before.
#[derive(Clone, Debug)]
pub(super) struct Overlap {
    pub(super) steps: [Step; 2],
    /// How many steps went well before.
    pub(super) before: usize,
    /// What a person does before all that.
    pub(super) first: Option<Action>,
    /// What a person does meanwhile.
    pub(super) by_hand: Option<Action>,
}

impl Overlap {
    /// The same step twice, neighbours, and the last with the first of a replay; each alone, and with a
    /// person between.
    pub(super) fn all() -> Vec<Self> {
        let current = Action::new(Kind::Put, 0, 7);
        let (offer, another) = (Action::new(Kind::Offer, 0, 0), Action::new(Kind::Offer, 0, 1));
        let full = Action::new(Kind::FillSlots, 0, 1);
        let mut all = vec![
            Self {
                steps: [Step::Create; 2],
                before: 0,
                first: Some(full),
                by_hand: None,
            },
            Self {
                steps: [Step::Finish, Step::Create],
                before: 3,
                first: Some(offer),
                by_hand: Some(another),
            },
        ];
        for (first, step) in Step::ALL.into_iter().enumerate() {
            let partners = [step, Step::ALL[(first + 1) % Step::ALL.len()]];
            for partner in partners {
                for by_hand in [None, Some(current)] {
                    all.push(Self {
                        steps: [step, partner],
                        before: first,
                        first: None,
                        by_hand,
                    });
                    // A step that comes before anything is there for it.
                    if first == 0 && partner != step {
                        all.push(Self {
                            steps: [step, partner],
                            before: 1,
                            first: None,
                            by_hand,
                        });
                    }
                }
            }
        }
        all
    }

    pub(super) fn name(&self) -> String {
        let [one, other] = self.steps;
        let first = self
            .first
            .map_or_else(String::new, |action| format!("{action}, then "));
        let by_hand = self
            .by_hand
            .map_or_else(String::new, |action| format!(" and {action}"));
        format!("{first}{one} beside {other}{by_hand} after {} steps", self.before)
    }

    fn begun(&self, kind: &VenueKind, one_in: u64) -> Play {
        let mut play = Play::new(kind.seed(0));
        play.one_in = one_in;
        play.heals = false;
        let begin = self.first.into_iter().chain([Action::new(Kind::Begin, 0, 0)]);
        let before = Step::ALL.into_iter().take(self.before);
        let before = before.flat_map(|step| [Action::invoke(0, step), Action::new(Kind::Run, 0, 0)]);
        let both = self.steps.into_iter().map(|step| Action::invoke(0, step));
        for action in begin.chain(before).chain(both) {
            // The beginning was seen to hold without anything beside it.
            let _ = play.act(action);
        }
        play.heals = true;
        play
    }
}

/// What can happen next: a run's waiting call or sleep, or the person's move.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    /// In the order in which they were started; the person comes last.
    run: usize,
    ticket: Option<Ticket>,
    what: What,
}

/// Plays every interleaving. `seen` is shown each play when it is over, and says whether to go on.
pub(super) fn every(kind: &VenueKind, overlap: &Overlap, one_in: u64, seen: &mut impl FnMut(Play) -> bool) {
    let mut explorer = Explorer {
        kind,
        overlap,
        one_in,
        seen,
        stopped: false,
    };
    explorer.explore(&[], &[]);
}

struct Explorer<'a, F> {
    kind: &'a VenueKind,
    overlap: &'a Overlap,
    one_in: u64,
    seen: &'a mut F,
    stopped: bool,
}

impl<F: FnMut(Play) -> bool> Explorer<'_, F> {
    /// Plays on from a prefix of choices; those that sleep were tried before, and nothing since depends on
    /// them.
    fn explore(&mut self, prefix: &[Choice], asleep: &[Choice]) {
        if self.stopped {
            return;
        }
        let mut path = prefix.to_vec();
        let mut asleep = asleep.to_vec();
        let Some(mut both) = self.played(&path) else {
            return;
        };
        loop {
            let choices: Vec<Choice> = choices(&both, self.overlap.by_hand.is_some(), &path);
            let mut awake = choices.iter().filter(|choice| !asleep.contains(choice)).cloned();
            let Some(first) = awake.next() else {
                // Where all that is left was tried before, another play covers it.
                if choices.is_empty() {
                    both.play.end();
                    self.stopped = !(self.seen)(both.play);
                }
                return;
            };
            let mut tried = asleep.clone();
            tried.push(first.clone());
            for other in awake {
                let mut branch = path.clone();
                branch.push(other.clone());
                let still: Vec<Choice> = tried
                    .iter()
                    .filter(|choice| choice.what.commutes_with(other.what))
                    .cloned()
                    .collect();
                self.explore(&branch, &still);
                tried.push(other);
            }
            asleep.retain(|choice| choice.what.commutes_with(first.what));
            if !self.take(&mut both, &first) {
                self.stopped = !(self.seen)(both.play);
                return;
            }
            path.push(first);
        }
    }

    /// The play after these choices; nothing where a promise was broken on the way, which another play has
    /// shown.
    fn played(&self, path: &[Choice]) -> Option<TwoRuns> {
        let mut both = TwoRuns::of(self.overlap.begun(self.kind, self.one_in));
        // Whoever played the prefix first tried its ways to rest.
        let (last, before) = match path.split_last() {
            Some((last, before)) => (Some(last), before),
            None => (None, path),
        };
        both.play.heals = false;
        if !before.iter().all(|choice| self.take(&mut both, choice)) {
            return None;
        }
        both.play.heals = true;
        match last {
            Some(last) if !self.take(&mut both, last) => None,
            _ => Some(both),
        }
    }

    /// Lets it happen. Whether the promises still hold.
    fn take(&self, both: &mut TwoRuns, choice: &Choice) -> bool {
        match choice.ticket {
            Some(ticket) => both.go(choice.run, ticket),
            None => self
                .overlap
                .by_hand
                .is_none_or(|action| both.play.act(action).is_ok()),
        }
    }
}

fn choices(both: &TwoRuns, by_hand: bool, path: &[Choice]) -> Vec<Choice> {
    let mut choices = Vec::new();
    for run in both.runs() {
        for waiting in both.waiting(*run) {
            choices.push(Choice {
                run: *run,
                ticket: Some(waiting.ticket),
                what: What::of(&waiting.point),
            });
        }
    }
    if by_hand && !path.iter().any(|choice| choice.what == What::Hand) {
        choices.push(Choice {
            run: 2,
            ticket: None,
            what: What::Hand,
        });
    }
    choices
}
