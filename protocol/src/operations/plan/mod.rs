//! Whether a rotation would succeed now: createSecret's own reading and asking, and what a person would want
//! to know before. Changes nothing, anywhere, and looks at secrets too that are not attached yet.

mod account;
mod calls;
mod keys;
mod master;
mod store;
mod venue;

use std::time::Duration;

use crate::error::{Error, ErrorType};
use crate::name::SecretId;
use crate::operations::answer::{Answer, Code, Finding, Planned, Row};
use crate::operations::commands::{list_versions, put_right};
use crate::operations::pass::{Pass, finding, told, with_retries};
use crate::operations::{Operation, OperationSettings};
use crate::ports::Description;
use crate::rotation::{Rehearsal, rehearse};

pub(crate) async fn plan(pass: &Pass<'_>, secret: &SecretId) -> Answer {
    let session = pass.session(secret);
    let description = match with_retries(pass, || session.describe()).await {
        Ok(description) => description,
        Err(error) => {
            let say = told(&error);
            return pass.refusal(secret.as_str(), say, pass.after(&error, secret.as_str()));
        }
    };
    let mut planning = Planning::new(pass, &description);
    let rehearsed = rehearse(session, &pass.settings.egress, description.clone()).await;
    if let Some(account) = rehearsed.as_ref().ok().and_then(Rehearsal::account) {
        session.stands_for(account);
    }
    planning.rotation(&description).await;
    planning.encryption(&description);
    planning.clients();
    if pass.settings.egress.is_empty() {
        let say = "EGRESS_IPS is empty: whether the keys may be used from this function's address is seen \
                   only where a call is refused";
        planning.warning(
            say,
            "set EGRESS_IPS to the addresses that the functions' calls leave from",
        );
    }
    let mut planned = Planned {
        client_cache_seconds: Some(OperationSettings::LONGEST_CLIENT_CACHE.as_secs()),
        ..Planned::default()
    };
    match rehearsed {
        Ok(rehearsal) => planning.rehearsed(&description, &rehearsal, &mut planned),
        Err(error) => planning.error(&error),
    }
    let count = |code| {
        planning
            .findings
            .iter()
            .filter(|finding| finding.code == code)
            .count() as u64
    };
    let (blockers, warnings) = (count(Code::Blocker), count(Code::Warning));
    planned.would_succeed = blockers == 0;
    let row = Row {
        secret: planning.name.clone(),
        arn: description.arn.clone(),
        plan: Some(Box::new(planned)),
        ..Row::default()
    };
    let mut builder = pass.builder();
    for (what, count) in [("blockers", blockers), ("warnings", warnings)] {
        if count > 0 {
            builder.count(what, count);
        }
    }
    for finding in planning.findings {
        builder.find(finding);
    }
    builder.row(row);
    builder.answer(false)
}

/// What would keep a rotation from a key, with what to do about each: the reasons that a rehearsal has found.
pub(crate) fn blockers(
    pass: &Pass<'_>,
    description: &Description,
    rehearsed: Result<Rehearsal, Error>,
) -> Vec<Finding> {
    let mut planning = Planning::new(pass, description);
    match rehearsed {
        Ok(rehearsal) => planning.rehearsed(description, &rehearsal, &mut Planned::default()),
        Err(error) => planning.error(&error),
    }
    planning
        .findings
        .into_iter()
        .filter(|finding| finding.code == Code::Blocker)
        .collect()
}

struct Planning<'a> {
    pass: &'a Pass<'a>,
    name: String,
    findings: Vec<Finding>,
    /// How long the key that would be replaced would stay alive.
    grace: Duration,
}

impl<'a> Planning<'a> {
    fn new(pass: &'a Pass<'a>, description: &Description) -> Self {
        let name = description.name.as_str().to_owned();
        Self {
            pass,
            name,
            findings: Vec::new(),
            grace: pass.settings.grace,
        }
    }

    fn blocker(&mut self, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.find(Code::Blocker, say, what_to_do);
    }

    fn warning(&mut self, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.find(Code::Warning, say, what_to_do);
    }

    fn find(&mut self, code: Code, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.findings.push(finding(code, &self.name, say, what_to_do));
    }

    /// What a step would end with.
    fn error(&mut self, error: &Error) {
        let what_to_do = match error.error_type {
            ErrorType::ValueInvalid
            | ErrorType::VenueUnsupported
            | ErrorType::AccountMismatch
            | ErrorType::CurrentUnusable => put_right(&self.name),
            ErrorType::RotatedTooOften => list_versions(&self.name),
            ErrorType::StoreUnavailable | ErrorType::VenueUnavailable => {
                self.pass.command(Operation::Plan, &self.name)
            }
            _ => format!(
                "put right what the message names; then: {}",
                self.pass.command(Operation::Plan, &self.name)
            ),
        };
        self.blocker(told(error), what_to_do);
    }
}
