//! An answer as it grows: counted in full, and kept as far as an answer can be sent.

use std::collections::BTreeMap;

use crate::audit::{FindingRecord, Order};
use crate::name::SecretName;
use crate::operations::answer::{Answer, Code, Finding, Outcome, Row, Severity};
use crate::operations::{Operation, OperationRequest};
use crate::ports::Ports;
use crate::session::{Caller, Identity, Known};

/// The most findings of one answer, and the most bytes of it beyond which no row is added: together they stay
/// below what Lambda sends. Source: AWS Lambda quotas, 6 MB for a synchronous response.
const MOST: usize = 2000;
const MOST_BYTES: usize = 5_000_000;

/// See the [module](self).
pub(crate) struct AnswerBuilder<'a> {
    ports: Ports<'a>,
    caller: &'a Caller,
    operation: Operation,
    order: Option<&'a Order>,
    known: &'a Known,
    counts: BTreeMap<&'static str, u64>,
    findings: Vec<Finding>,
    worst: Option<Severity>,
    failed: bool,
    rows: Vec<Row>,
    has_rows: bool,
    /// How large the answer has grown, as JSON.
    bytes: usize,
}

impl<'a> AnswerBuilder<'a> {
    pub(crate) fn new(
        ports: Ports<'a>,
        caller: &'a Caller,
        request: &'a OperationRequest,
        known: &'a Known,
    ) -> Self {
        let (operation, order) = (request.operation(), request.order());
        let (counts, findings, rows) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self {
            ports,
            caller,
            operation,
            order,
            known,
            counts,
            findings,
            worst: None,
            failed: false,
            rows,
            has_rows: true,
            bytes: 0,
        }
    }

    pub(crate) fn count(&mut self, what: &'static str, more: u64) {
        *self.counts.entry(what).or_default() += more;
    }

    pub(crate) fn counted(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Notes that what was asked for is not done, whatever was.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    /// Whether there is so much that an answer should end here, where it can go on in another.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes > MOST_BYTES * 2 / 3 || self.findings.len() > MOST * 2 / 3
    }

    /// Notes a finding: in the answer, and in a line of its own, which an alarm can match.
    pub(crate) fn find(&mut self, mut finding: Finding) {
        self.identify(&mut finding);
        self.ports.journal.found(&self.line(&finding));
        self.worst = Some(
            self.worst
                .map_or(finding.severity, |worst| worst.min(finding.severity)),
        );
        self.failed |= finding.code == Code::Refused;
        self.bytes += size(&finding);
        self.findings.push(finding);
        if self.findings.len() >= 2 * MOST {
            self.keep_the_worst();
        }
    }

    /// Adds what tells the finding's secret apart, as far as it is known by now.
    fn identify(&self, finding: &mut Finding) {
        if finding.secret.is_empty() {
            return;
        }
        let Identity { arn_digest, account } = self.known.of(&SecretName::new(finding.secret.as_str()));
        (finding.arn_digest, finding.account) = (arn_digest, account);
    }

    fn line(&self, finding: &Finding) -> FindingRecord {
        FindingRecord {
            time: self.ports.time.now(),
            actor: self.caller.function_arn.clone(),
            request_id: self.caller.request_id.clone(),
            operation: self.operation,
            severity: finding.severity.as_str(),
            code: finding.code.as_str(),
            secret: if finding.secret.is_empty() {
                String::new()
            } else {
                masked(&finding.secret)
            },
            arn_digest: finding.arn_digest.clone(),
            account: finding.account.clone(),
            say: finding
                .say
                .split(' ')
                .map(|word| {
                    if word.contains('/') {
                        masked(word)
                    } else {
                        word.to_owned()
                    }
                })
                .collect::<Vec<_>>()
                .join(" "),
            runbook: finding.runbook.clone(),
            order: self.order.cloned(),
        }
    }

    /// From here on no row is kept.
    pub(crate) fn leave_out_rows(&mut self) {
        self.has_rows = false;
    }

    /// Notes which secret findings are about.
    pub(crate) fn knows(&self, row: &Row) {
        self.known.has_arn(&row.secret, &row.arn);
    }

    pub(crate) fn row(&mut self, row: Row) {
        if !self.has_rows {
            return;
        }
        self.bytes += size(&row);
        if self.bytes < MOST_BYTES {
            self.rows.push(row);
        } else {
            self.count("rows_left_out", 1);
        }
    }

    /// What answers the question comes first, then what is worst.
    fn keep_the_worst(&mut self) {
        let is_answer = |finding: &Finding| matches!(finding.code, Code::KeyFound | Code::KeyNotFound);
        self.findings.sort_by(|a, b| {
            let place = |finding| (!is_answer(finding), finding.severity, finding.code);
            place(a).cmp(&place(b)).then_with(|| a.secret.cmp(&b.secret))
        });
        let left_out = self.findings.len().saturating_sub(MOST);
        if left_out > 0 {
            self.findings.truncate(MOST);
            self.count("findings_left_out", left_out as u64);
        }
    }

    pub(crate) fn answer(mut self, dry_run: bool) -> Answer {
        self.keep_the_worst();
        let mut findings = std::mem::take(&mut self.findings);
        for finding in &mut findings {
            self.identify(finding);
        }
        let outcome = match self.worst {
            _ if self.failed => Outcome::Failed,
            Some(Severity::Page | Severity::Ticket) => Outcome::Attention,
            Some(Severity::Info) | None => Outcome::Ok,
        };
        Answer {
            operation: self.operation,
            outcome,
            version: env!("CARGO_PKG_VERSION"),
            request_id: self.caller.request_id.clone(),
            dry_run,
            counts: self.counts,
            findings,
            secrets: self.rows,
            timeline: Vec::new(),
            exposure_seconds: None,
            csv: None,
            next: None,
        }
    }
}

fn size(part: &impl serde::Serialize) -> usize {
    serde_json::to_vec(part).map_or(0, |json| json.len())
}

/// A secret's name as logs show it.
fn masked(name: &str) -> String {
    SecretName::new(name).to_string()
}
