//! Audit lines, and those of findings and operations, on standard output: JSON in Lambda, where a
//! subscription filter takes them to the archive; a sentence on a terminal.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;
use protocol::audit::{FindingRecord, Order, Record};
use protocol::operations::{Answer, Operation, Outcome};
use protocol::ports::Journal;
use serde::Serialize;

/// Writes every record, whatever the log level.
#[derive(Debug)]
pub(crate) struct AuditLog {
    readable: bool,
}

impl AuditLog {
    pub(crate) fn new() -> Self {
        Self {
            readable: io::stdout().is_terminal(),
        }
    }
}

/// A record with what Lambda's log handling looks for around it.
#[derive(Serialize)]
struct Line<'a, T> {
    timestamp: String,
    level: &'static str,
    r#type: &'static str,
    #[serde(flatten)]
    record: &'a T,
}

impl Journal for AuditLog {
    fn record(&self, record: &Record) {
        self.write("audit", record.time, record, sentence);
    }

    fn found(&self, found: &FindingRecord) {
        self.write("finding", found.time, found, |found| {
            let FindingRecord {
                time,
                operation,
                severity,
                code,
                secret,
                say,
                ..
            } = found;
            format!("{time} FOUND {operation} {severity} {code} at {secret}: {say}")
        });
    }
}

impl AuditLog {
    /// Notes how an operation ended: an alarm can tell by its absence that none has run.
    pub(crate) fn answered(&self, answer: &Answer, shard: Option<&str>, order: Option<&Order>) {
        let ended = Ended {
            time: Timestamp::now(),
            request_id: &answer.request_id,
            operation: answer.operation,
            outcome: answer.outcome,
            counts: &answer.counts,
            findings: answer.findings.len(),
            dry_run: answer.dry_run,
            shard,
            order,
        };
        self.write("operation", ended.time, &ended, |ended| {
            format!(
                "{} ENDED {}: {:?}, {} findings, {:?}",
                ended.time, ended.operation, ended.outcome, ended.findings, ended.counts
            )
        });
    }

    fn write<T: Serialize>(
        &self,
        r#type: &'static str,
        time: Timestamp,
        record: &T,
        sentence: impl Fn(&T) -> String,
    ) {
        let line = if self.readable {
            sentence(record)
        } else {
            let line = Line {
                timestamp: time.to_string(),
                level: "INFO",
                r#type,
                record,
            };
            serde_json::to_string(&line).unwrap_or_else(|_| sentence(record))
        };
        // An effect has happened: that its line cannot be written must not stop what follows from it.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
}

/// How an operation ended.
#[derive(Serialize)]
struct Ended<'a> {
    time: Timestamp,
    request_id: &'a str,
    operation: Operation,
    outcome: Outcome,
    counts: &'a BTreeMap<&'static str, u64>,
    findings: usize,
    dry_run: bool,
    /// Which part of all secrets it was over, where the event said one.
    shard: Option<&'a str>,
    /// The person's order that it acted on, where there was one.
    #[serde(flatten)]
    order: Option<&'a Order>,
}

fn sentence(record: &Record) -> String {
    let Record {
        time,
        step,
        action,
        secret,
        version,
        outcome,
        ..
    } = record;
    let about = record
        .key
        .as_ref()
        .or(record.label.as_ref())
        .map_or_else(String::new, |about| format!(" {about}"));
    let class = record
        .class
        .map_or_else(String::new, |class| format!(" ({class})"));
    format!("{time} AUDIT {step} {action:?}{about} on {secret} version {version}: {outcome:?}{class}")
}
