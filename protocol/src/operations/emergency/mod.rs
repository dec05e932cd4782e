//! A key is leaked: a successor, the leaked key's death, and the proof of it. What is ordered is written down
//! as labels first, so that whoever comes next goes on where this run ends.

mod end;
mod leaked_key;
pub(crate) mod leaked_master;
pub(crate) mod successor;
pub(crate) mod unblock;
mod written;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::name::SecretId;
use crate::operations::answer::builder::AnswerBuilder;
use crate::operations::answer::{Answer, Code, Finding, Moment, Row};
use crate::operations::commands::describe_secret;
use crate::operations::emergency::leaked_master::leaked_master;
use crate::operations::emergency::unblock::{clear_the_way, take_refused_offers_back};
use crate::operations::maintain::visit::OrderedDeletion;
use crate::operations::pass::{Pass, event, finding, is_transient, told, with_retries};
use crate::operations::rollback::Refusal;
use crate::operations::{Mode, Operation, OperationRequest};
use crate::ports::Description;
use crate::secret::{KeyId, SecretValue};
use crate::session::SecretSession;
use crate::wrong::{self, Wrong};

/// This much of the invocation is kept for the leaked key's end, whatever is waited for.
pub(crate) const TIME_TO_END: Duration = Duration::from_secs(30);
/// Between two looks for a successor, at most.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(crate) async fn break_glass(
    pass: &Pass<'_>,
    secret: &SecretId,
    version: Option<&VersionId>,
    mode: Mode,
) -> Answer {
    let session = pass.session(secret);
    let mut order = Emergency::new(pass, &session, mode);
    order.happened("the order was given");
    let description = match with_retries(pass, || session.describe()).await {
        Ok(description) => description,
        Err(error) => {
            // What was given: only Secrets Manager knows which name an ARN has.
            let again = order.again(secret.as_str(), version, mode);
            let what_to_do = if is_transient(&error) {
                again
            } else {
                describe_secret(secret.as_str())
            };
            return pass.refusal(secret.as_str(), told(&error), what_to_do);
        }
    };
    if !pass.manages(&description) {
        return leaked_master(order, &description).await;
    }
    let named = description.name.clone();
    let (description, leaked) = match order.leaked(description, version).await {
        Ok(leaked) => leaked,
        Err(Refusal { say, what_to_do }) => return pass.refusal(named.as_str(), say, what_to_do),
    };
    if let Err(Refusal { say, what_to_do }) = order.must_leave_a_way(&description, &leaked).await {
        return pass.refusal(description.name.as_str(), say, what_to_do);
    }
    let name = description.name.as_str();
    let mut row = Row {
        secret: name.to_owned(),
        arn: description.arn.clone(),
        ..Row::default()
    };
    let carried_out = order.carry_out(&description, &leaked, &mut row).await;
    let again = order.again(name, Some(&leaked.version), mode);
    if let Err(error) = carried_out {
        let code = if order.dead_at.is_some() {
            Code::NotDone
        } else {
            Code::Exposed
        };
        let what_to_do = match error.error_type {
            ErrorType::LabelsFull => {
                format!(
                    "take a label off that nobody needs; they are shown by: {}; then: {again}",
                    describe_secret(name)
                )
            }
            _ => again,
        };
        order.builder.fail();
        order.builder.find(finding(
            code,
            name,
            format!("the order is not carried out: {}", told(&error)),
            what_to_do,
        ));
    } else if order.dead_at.is_none() {
        let say = format!("the leaked key {} is not proven dead{}", leaked.key, order.why);
        let what_to_do = order
            .remedy
            .iter()
            .chain([&again])
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("; then: ");
        order.builder.fail();
        order.builder.find(finding(Code::Exposed, name, say, what_to_do));
    }
    row.did.splice(0..0, session.changed());
    order.answer(row)
}

/// The version that names the leaked key.
pub(crate) struct Leaked {
    pub(crate) version: VersionId,
    pub(crate) key: KeyId,
    pub(crate) value: SecretValue,
}

/// An order as it is carried out.
pub(crate) struct Emergency<'a> {
    pub(crate) pass: &'a Pass<'a>,
    pub(crate) session: &'a SecretSession<'a>,
    pub(crate) mode: Mode,
    began: Timestamp,
    /// Whether it was given before: since when, no label says.
    stood: bool,
    /// When COMPROMISED was written, or was there for certain after this run began.
    written_at: Option<Timestamp>,
    /// Whether somebody has taken the order back.
    taken_back: bool,
    /// The leaked key, once an order to revoke it went out.
    revoked: Option<OrderedDeletion>,
    /// When it was proven dead.
    dead_at: Option<Timestamp>,
    /// A rotation that was to bring the leaked key back.
    pub(crate) copy: Option<(VersionId, SecretValue)>,
    /// The version whose rotation is marked as ordered.
    pub(crate) tagged: Option<VersionId>,
    /// Why it is not, where that is known, and what to do about it.
    why: String,
    pub(crate) remedy: Option<String>,
    pub(crate) timeline: Vec<Moment>,
    /// What the last look at the leaked key's end found.
    last_look: Vec<Finding>,
    pub(crate) builder: AnswerBuilder<'a>,
}

impl<'a> Emergency<'a> {
    fn new(pass: &'a Pass<'a>, session: &'a SecretSession<'a>, mode: Mode) -> Self {
        Self {
            pass,
            session,
            mode,
            began: pass.now(),
            stood: false,
            written_at: None,
            taken_back: false,
            revoked: None,
            dead_at: None,
            copy: None,
            tagged: None,
            why: String::new(),
            remedy: None,
            timeline: Vec::new(),
            last_look: Vec::new(),
            builder: pass.builder(),
        }
    }

    async fn carry_out(
        &mut self,
        description: &Description,
        leaked: &Leaked,
        row: &mut Row,
    ) -> Result<(), Error> {
        if !wrong::is(Wrong::OrderUnwritten) {
            self.mark(description, &leaked.version).await?;
        }
        let description = with_retries(self.pass, || self.session.describe()).await?;
        // A rotation that does not bring the leaked key back is in the way only of the one that is needed.
        self.copy = self.open_copy(&description, leaked).await?;
        let needed = self.must_be_replaced(&description, leaked).await?;
        let unused = needed && self.is_not_used_yet(&description, leaked).await;
        for what in clear_the_way(self.pass, self.session, &description, &leaked.key, needed).await? {
            self.happened(what);
        }
        if needed && self.has_master(&description, &leaked.value) {
            for what in take_refused_offers_back(self.pass, self.session).await? {
                self.happened(what);
            }
        }
        // Nobody uses a key that is not current: what counts is that no run makes it so.
        let first = self.mode == Mode::RevokeFirst || wrong::is(Wrong::RevokedBeforeReplaced);
        if first && !unused {
            self.end(leaked, false, row).await?;
        }
        if self.taken_back {
            return Ok(());
        }
        let why = match self.replace(leaked, row).await {
            Ok(true) => return self.end(leaked, true, row).await,
            Ok(false) => self.why_not(&description).await,
            Err(error) if self.dead_at.is_some() => format!(" ({})", told(&error)),
            Err(error) => return Err(error),
        };
        if self.dead_at.is_none() && self.mode == Mode::RevokeFirst {
            self.end(leaked, false, row).await?;
        }
        if self.taken_back {
            return Ok(());
        }
        if self.dead_at.is_none() {
            self.why = format!(": no successor came in time{why}");
            return Ok(());
        }
        let (name, key) = (description.name.as_str(), &leaked.key);
        let say = format!(
            "the leaked key {key} is dead and still what consumers read: no successor came in time{why}"
        );
        let again = self.again(name, Some(&leaked.version), self.mode);
        let remedy = self
            .remedy
            .as_deref()
            .unwrap_or("read the log of the rotation function");
        let what_to_do = format!("{remedy}; then: {again}");
        self.builder.fail();
        self.builder
            .find(finding(Code::CurrentDead, name, say, what_to_do));
        Ok(())
    }

    pub(crate) fn happened(&mut self, what: impl Into<String>) {
        let at = self.pass.now();
        self.timeline.push(Moment {
            at,
            seconds: at.duration_since(self.began).as_secs(),
            what: what.into(),
        });
    }

    pub(crate) fn answer(self, row: Row) -> Answer {
        let Self {
            timeline,
            mut builder,
            stood,
            last_look,
            began,
            dead_at,
            ..
        } = self;
        for finding in last_look {
            builder.find(finding);
        }
        let exposure = dead_at
            .filter(|_| !stood)
            .map(|at| at.duration_since(began).as_secs());
        builder.row(row);
        let mut answer = builder.answer(false);
        (answer.timeline, answer.exposure_seconds) = (timeline, exposure);
        answer
    }

    /// The command that gives the order, or goes on with it. In another account no name is looked up.
    pub(crate) fn again(&self, secret: &str, version: Option<&VersionId>, mode: Mode) -> String {
        let given = self.session.secret.as_str();
        let secret = if self.pass.is_of_this_account(given) {
            secret
        } else {
            given
        };
        self.pass
            .command_of(Operation::BreakGlass, self.order_again(secret, version, mode))
    }

    fn order_again(&self, secret: &str, version: Option<&VersionId>, mode: Mode) -> Map<String, Value> {
        let order = self.pass.request.order();
        let (reason, incident) =
            order.map_or(("", ""), |order| (order.reason.as_str(), order.incident.as_str()));
        let mode = match mode {
            Mode::ReplaceFirst => "replace_first",
            Mode::RevokeFirst => "revoke_first",
        };
        let mut fields = vec![
            ("secret", secret),
            ("mode", mode),
            ("reason", reason),
            ("incident", incident),
        ];
        fields.extend(version.map(|version| ("version", version.as_str())));
        let mut order = event(Operation::BreakGlass, &fields);
        if let OperationRequest::BreakGlass {
            fingerprint,
            no_successor,
            ..
        } = self.pass.request
        {
            order.extend(
                fingerprint
                    .as_ref()
                    .map(|named| ("fingerprint".to_owned(), named.to_string().into())),
            );
            if *no_successor {
                order.insert("no_successor".to_owned(), true.into());
            }
        }
        order
    }
}
