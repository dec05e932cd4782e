//! Long histories by chance.

use super::action::{Action, FAULTS, Kind, can_meet};
use super::playing::Play;
use crate::in_process::Point;
use crate::random::SplitMix64;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING};

/// So many actions a history has.
const LENGTH: u64 = 90;
/// One call in so many meets a fault.
const FAULT_AT_ONE_IN: u64 = 9;
/// The seconds that pass at once: less than a pause, the staleness of a read, a run's life, an hour, a day.
const WAITS: [usize; 12] = [1, 3, 6, 20, 61, 61, 130, 950, 1100, 60_000, 4_000, 90_000];
/// What a person does, and what the service does beside invoking: each with its weight.
const SELDOM: [(u64, Kind); 29] = [
    (24, Kind::Maintain),
    (3, Kind::Abandon),
    (6, Kind::Rollback),
    (4, Kind::BreakGlass),
    (2, Kind::Audit),
    (2, Kind::Plan),
    (3, Kind::DryRun),
    (4, Kind::Ways),
    (1, Kind::Purge),
    (6, Kind::Put),
    (8, Kind::Offer),
    (4, Kind::PutPending),
    (10, Kind::Label),
    (5, Kind::Unlabel),
    (1, Kind::FillLabels),
    (3, Kind::Cancel),
    (4, Kind::SwitchOn),
    (2, Kind::Delete),
    (4, Kind::Restore),
    (4, Kind::RotateMaster),
    (8, Kind::EditKey),
    (5, Kind::DeleteKey),
    (5, Kind::FillSlots),
    (5, Kind::FreeSlots),
    (6, Kind::Skew),
    (6, Kind::Venue),
    (4, Kind::Client),
    (4, Kind::Replica),
    (12, Kind::Enemy),
];

/// The history that a seed decides, played until its end or until a promise is broken. The way to rest is
/// tried from one in so many new states.
pub(super) fn play(seed: u64, one_in: u64) -> Play {
    let mut play = Play::new(seed);
    play.one_in = one_in;
    let mut chance = Chance(SplitMix64::new(seed ^ 0x0005_eed0_fa15_7012));
    for _ in 0..LENGTH {
        let action = chance.action(&play);
        if play.act(action).is_err() {
            return play;
        }
    }
    play.end();
    play
}

struct Chance(SplitMix64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next() % bound.max(1)
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(u64::try_from(bound).unwrap_or(1))).unwrap_or(0)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn action(&mut self, play: &Play) -> Action {
        let stage = &play.stage;
        let runs = stage.runs();
        match self.below(100) {
            0..62 if runs > 0 => self.call(play),
            62..66 if runs > 0 => Action::new(Kind::Run, self.index(runs), 0),
            66..67 if runs > 0 => Action::new(Kind::Kill, self.index(runs), 0),
            78..85 => Action::new(Kind::Wait, 0, WAITS[self.index(WAITS.len())]),
            85..100 if runs > 0 && !self.one_in(3) => self.call(play),
            85..97 => self.seldom(),
            _ => self.invocation(play),
        }
    }

    fn call(&mut self, play: &Play) -> Action {
        let run = self.index(play.stage.runs());
        let waiting = play.stage.waiting(run);
        let point = self.index(waiting.len());
        let mut fault = None;
        if let Some(Point::Call(call)) = waiting.get(point).map(|waiting| &waiting.point)
            && self.one_in(FAULT_AT_ONE_IN)
        {
            let open: Vec<_> = FAULTS
                .iter()
                .map(|(_, fault)| *fault)
                .filter(|fault| can_meet(*fault, call.operation))
                .collect();
            fault = open.get(self.index(open.len())).copied();
        }
        Action::go(run, point, fault)
    }

    /// The service goes on with a rotation, or begins one.
    fn invocation(&mut self, play: &Play) -> Action {
        // Most of what happens is about the first secret: histories grow long where they meet.
        let secret = [0, 0, 0, 0, 1, 1, 2, 2][self.index(8)];
        let open = play.stage.look(secret, |secret| {
            secret
                .holder(AWSPENDING)
                .is_some_and(|pending| secret.holder(AWSCURRENT) != Some(pending))
        });
        match self.below(20) {
            0..9 => Action::new(Kind::Due, 0, 0),
            9..10 => Action::new(Kind::Stray, secret, self.index(64)),
            _ if !open => Action::new(Kind::Begin, secret, 0),
            _ => Action::new(Kind::Invoke, secret, self.index(4)),
        }
    }

    fn seldom(&mut self) -> Action {
        let total = SELDOM.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, kind) in SELDOM {
            if left < weight {
                let (which, how) = (self.index(6), self.index(720));
                return Action::new(kind, which, how);
            }
            left -= weight;
        }
        Action::new(Kind::Wait, 0, 1)
    }
}
