//! One secret's part of a pass: the record that everybody keeps who does something for it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::operations::Mode;
use crate::operations::answer::{AuditedKey, Code, Finding, KeyRow, Row};
use crate::operations::commands::{describe_secret, put_right};
use crate::operations::pass::{Pass, finding, told};
use crate::ports::Description;
use crate::secret::KeyId;
use crate::session::SecretSession;
use crate::task::Operation;

/// One secret's part of a pass: what was done, found and seen.
pub(crate) struct SecretVisit<'a> {
    pub(crate) pass: &'a Pass<'a>,
    pub(crate) session: &'a SecretSession<'a>,
    pub(crate) name: String,
    pub(crate) row: Row,
    pub(crate) findings: Vec<Finding>,
    /// What a person ordered of the key that is retired, whatever a stale read shows of the labels that say
    /// so.
    pub(crate) order: Option<Mode>,
    /// When this invocation wrote that order down, or saw that it was.
    pub(crate) order_written: Option<Timestamp>,
    /// Whether somebody has taken the order back.
    pub(crate) taken_back: bool,
    /// The key that this invocation has revoked, or may have.
    pub(crate) revoked: Option<OrderedDeletion>,
    /// Whether the venue has confirmed that.
    pub(crate) has_revoked: bool,
    /// What a person has to do so that a key dies whose time has come.
    pub(super) left_to_person: Option<String>,
    /// So many changes of this secret are told elsewhere: a list may show it twice.
    told_before: usize,
    counts: BTreeMap<&'static str, u64>,
}

/// A key whose deletion was ordered, and not refused.
pub(crate) struct OrderedDeletion {
    pub(crate) key: KeyId,
    /// Whether the venue has answered that it is done.
    pub(crate) is_done: bool,
}

/// What a rotation that was begun has changed beside.
pub(crate) const SWITCHED_ON: &str = "rotation was switched off, and is on again";

/// What came of it.
#[derive(Default)]
pub(crate) struct VisitReport {
    pub(crate) row: Row,
    pub(crate) findings: Vec<Finding>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// Whether the venue has confirmed that it revoked a key.
    pub(crate) has_revoked: bool,
}

impl VisitReport {
    /// Whether anything was done or found.
    pub(crate) fn is_eventful(&self) -> bool {
        !self.row.did.is_empty() || !self.findings.is_empty() || self.row.audit.is_some()
    }
}

impl<'a> SecretVisit<'a> {
    pub(crate) fn new(pass: &'a Pass<'a>, session: &'a SecretSession<'a>, secret: &Description) -> Self {
        let name = secret.name.as_str().to_owned();
        let row = Row {
            secret: name.clone(),
            arn: secret.arn.clone(),
            ..Row::default()
        };
        let (told_before, counts) = (session.changed().len(), BTreeMap::new());
        Self {
            pass,
            session,
            name,
            row,
            findings: Vec::new(),
            order: None,
            order_written: None,
            taken_back: false,
            revoked: None,
            has_revoked: false,
            left_to_person: None,
            told_before,
            counts,
        }
    }

    pub(crate) fn over(mut self) -> VisitReport {
        self.row
            .did
            .splice(0..0, self.session.changed().into_iter().skip(self.told_before));
        VisitReport {
            row: self.row,
            findings: self.findings,
            counts: self.counts,
            has_revoked: self.has_revoked,
        }
    }

    pub(crate) fn find(&mut self, code: Code, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.findings.push(finding(code, &self.name, say, what_to_do));
    }

    /// The same about another secret, which this pass says once.
    pub(crate) fn find_elsewhere(&mut self, code: Code, secret: &str, say: String, what_to_do: String) {
        if self.pass.is_news(format!("{} {secret}", code.as_str())) {
            self.findings.push(finding(code, secret, say, what_to_do));
        }
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Whether this would only be done: a dry run notes it, and does not.
    pub(crate) fn would(&mut self, what: &str) -> bool {
        if self.pass.is_dry_run() {
            self.row.did.push(what.to_owned());
        }
        self.pass.is_dry_run()
    }

    /// Notes what else there is to know of what was done.
    pub(crate) fn did(&mut self, what: impl Into<String>) {
        self.row.did.push(what.into());
    }

    pub(crate) fn key(&mut self, version: &VersionId, key: &KeyId, alive: Option<bool>, state: String) {
        self.key_at(self.pass.now(), version, key, alive, state);
    }

    /// The same of what was seen a while ago.
    pub(crate) fn key_at(
        &mut self,
        at: Timestamp,
        version: &VersionId,
        key: &KeyId,
        alive: Option<bool>,
        state: String,
    ) {
        let (version, fingerprint) = (version.to_string(), key.fingerprint());
        self.row.keys.retain(|row| row.version != version);
        self.row.keys.push(KeyRow {
            version,
            fingerprint,
            alive,
            checked_at: at,
            state,
            audit: None,
        });
    }

    /// The same of a key whose time has come, and which this function cannot end.
    pub(crate) fn leave_to_person(
        &mut self,
        code: Code,
        say: impl Into<String>,
        what_to_do: impl Into<String>,
    ) {
        let what_to_do = what_to_do.into();
        self.left_to_person = Some(what_to_do.clone());
        self.find(code, say, what_to_do);
    }

    /// What stood in the way; the next pass tries again. What a person can do about it.
    pub(crate) fn trouble(&mut self, error: &Error) -> String {
        let code = match error.error_type {
            ErrorType::LabelsFull => Code::LabelsFull,
            ErrorType::KmsDenied => Code::KmsKeyUnusable,
            ErrorType::MasterInvalid | ErrorType::MasterRefused => Code::MasterUnusable,
            ErrorType::ScopeRefused => Code::MasterUnscoped,
            ErrorType::ValueInvalid | ErrorType::VenueUnsupported => Code::ValueInvalid,
            _ => Code::NotDone,
        };
        let again = if self.pass.request.operation().only_reads() {
            Operation::Audit
        } else {
            Operation::Maintain
        };
        let what_to_do = match code {
            Code::LabelsFull => format!(
                "take labels off that nobody needs; they are shown by: {}",
                describe_secret(&self.name)
            ),
            // A plan tells what is wrong with it.
            Code::MasterUnusable | Code::MasterUnscoped => self.pass.command(Operation::Plan, &self.name),
            Code::ValueInvalid => put_right(&self.name),
            Code::KmsKeyUnusable => {
                format!(
                    "enable the key, or allow it to be used; which one it is, is shown by: {}",
                    describe_secret(&self.name)
                )
            }
            _ => self.pass.command(again, &self.name),
        };
        self.find(code, told(error), what_to_do.clone());
        what_to_do
    }

    /// Goes on after what stood in the way.
    pub(crate) fn note(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.trouble(&error);
        }
    }

    /// Adds what an audit says of a key that was looked at.
    pub(crate) fn describe_key(&mut self, version: &VersionId, audited: AuditedKey) {
        if let Some(row) = self
            .row
            .keys
            .iter_mut()
            .find(|row| row.version == version.as_str())
        {
            row.audit = Some(Box::new(audited));
        }
    }
}
