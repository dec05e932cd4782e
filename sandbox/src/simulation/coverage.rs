//! What was reached.

use std::collections::BTreeMap;
use std::fmt;

use protocol::task::Task;

use super::action::{FAULTS, Kind, can_meet, fault_name};
use crate::in_process::{Fault, Operation};

/// Counts of everything that happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    pub(super) histories: u64,
    /// How many of them at each kind of venue.
    pub(super) kinds: BTreeMap<&'static str, u64>,
    /// States that the promises were checked in: one after every action.
    pub(super) states: u64,
    /// States from which the way to rest was tried.
    pub(super) healed: u64,
    actions: BTreeMap<Kind, u64>,
    calls: BTreeMap<(Operation, Option<&'static str>), u64>,
    endings: BTreeMap<(String, String), u64>,
}

impl Coverage {
    pub(super) fn happened(&mut self, kind: Kind) {
        *self.actions.entry(kind).or_default() += 1;
    }

    pub(super) fn called(&mut self, operation: Operation, fault: Option<Fault>) {
        *self.calls.entry((operation, fault.map(fault_name))).or_default() += 1;
    }

    pub(super) fn ended(&mut self, task: Task, how: &str) {
        *self
            .endings
            .entry((task.to_string(), how.to_owned()))
            .or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        sum(&mut self.kinds, &other.kinds);
        self.states += other.states;
        self.healed += other.healed;
        sum(&mut self.actions, &other.actions);
        sum(&mut self.calls, &other.calls);
        sum(&mut self.endings, &other.endings);
    }

    /// How many calls were made, and how many of them met a fault.
    pub(super) fn calls(&self) -> (u64, u64) {
        let faults = self
            .calls
            .iter()
            .filter(|((_, fault), _)| fault.is_some())
            .map(|(_, count)| count)
            .sum();
        (self.calls.values().sum(), faults)
    }

    /// The actions, and the faults at calls, that were never reached.
    pub(super) fn missing(&self) -> Vec<String> {
        let kinds = Kind::ALL
            .iter()
            .filter(|kind| !self.actions.contains_key(kind))
            .map(|kind| kind.word().to_owned());
        let faults = Operation::ALL.into_iter().flat_map(|operation| {
            let missing = FAULTS.iter().filter(move |(name, fault)| {
                can_meet(*fault, operation) && !self.calls.contains_key(&(operation, Some(*name)))
            });
            missing.map(move |(name, _)| format!("{name} at {operation:?}"))
        });
        kinds.chain(faults).collect()
    }
}

fn sum<K: Clone + Ord>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *into.entry(key.clone()).or_default() += count;
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kinds of venues")?;
        for (kind, count) in &self.kinds {
            writeln!(f, "  {kind:<16}{count:>14}")?;
        }
        writeln!(f, "actions")?;
        for (kind, count) in &self.actions {
            writeln!(f, "  {:<16}{count:>14}", kind.word())?;
        }
        writeln!(f, "calls, and the faults that they met")?;
        for operation in Operation::ALL {
            let count = |fault| self.calls.get(&(operation, fault)).copied().unwrap_or_default();
            write!(f, "  {:<16}{:>14}", format!("{operation:?}"), count(None))?;
            for (name, _) in FAULTS.iter().filter(|(_, fault)| can_meet(*fault, operation)) {
                write!(f, "  {name} {}", count(Some(*name)))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "how the steps ended")?;
        for ((step, how), count) in &self.endings {
            writeln!(f, "  {step:<16}{count:>14}  {how}")?;
        }
        Ok(())
    }
}
