//! The journal that keeps its records.

use protocol::audit::{FindingRecord, Record};
use protocol::ports::Journal;

use super::port::Port;

/// Collects the audit records of one invocation into the world.
#[derive(Clone, Debug)]
pub struct MemoryJournal {
    port: Port,
}

impl MemoryJournal {
    pub(super) fn new(port: Port) -> Self {
        Self { port }
    }
}

impl Journal for MemoryJournal {
    fn record(&self, record: &Record) {
        let mut state = self.port.state.lock();
        state.testify(|witness, scene| witness.recorded(&self.port.actor, record, scene));
        if !state.listening {
            return;
        }
        state.records.push(record.clone());
        let line = serde_json::to_string(record).unwrap_or_default();
        state.say(&line);
        state.say(&format!("{record:?}"));
    }

    fn found(&self, found: &FindingRecord) {
        let mut state = self.port.state.lock();
        let line = serde_json::to_string(found).unwrap_or_default();
        state.say(&line);
    }
}
