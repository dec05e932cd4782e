//! Audit lines on standard output: JSON in Lambda, where a subscription filter takes them to the archive; a sentence on a terminal.

use std::io::{self, IsTerminal, Write};

use protocol::audit::Record;
use protocol::ports::Journal;
use serde::Serialize;

/// Writes every record, whatever the log level.
#[derive(Debug)]
pub(crate) struct AuditLog {
    readable: bool,
}

impl AuditLog {
    pub(crate) fn new() -> Self {
        Self { readable: io::stdout().is_terminal() }
    }
}

/// The record with what Lambda's log handling looks for around it.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    r#type: &'static str,
    #[serde(flatten)]
    record: &'a Record,
}

impl Journal for AuditLog {
    fn record(&self, record: &Record) {
        let line = if self.readable {
            sentence(record)
        } else {
            let line = Line { timestamp: record.time.to_string(), level: "INFO", r#type: "audit", record };
            serde_json::to_string(&line).unwrap_or_else(|_| sentence(record))
        };
        // An effect has happened: that its line cannot be written must not stop what follows from it.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
}

fn sentence(record: &Record) -> String {
    let Record { time, step, action, secret, version, outcome, .. } = record;
    let about = record.key.as_ref().or(record.label.as_ref()).map_or_else(String::new, |about| format!(" {about}"));
    let class = record.class.map_or_else(String::new, |class| format!(" ({class})"));
    format!("{time} AUDIT {step} {action:?}{about} on {secret} version {version}: {outcome:?}{class}")
}
