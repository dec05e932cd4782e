//! A key is leaked: a successor, the leaked key's death, and the proof of it. What is ordered is written down
//! as labels first, so that whoever comes next goes on where this run ends.

pub(crate) mod leaked_master;
pub(crate) mod successor;
pub(crate) mod unblock;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::bounds::{POLL, POLL_PAUSE, REREAD, REREAD_PAUSE};
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::name::SecretId;
use crate::operations::answer::builder::AnswerBuilder;
use crate::operations::answer::{Answer, Code, Finding, Moment, Row};
use crate::operations::commands::{describe_secret, take_off};
use crate::operations::emergency::leaked_master::leaked_master;
use crate::operations::emergency::unblock::{
    clear_the_way, names, open_rotation, proven_by_current_alone, take_refused_offers_back,
};
use crate::operations::maintain::add;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::{Pass, event, finding, is_transient, told, with_retries};
use crate::operations::retire::Retired;
use crate::operations::retire::end_of_life::is_ours;
use crate::operations::rollback::Refusal;
use crate::operations::{Mode, Operation, OperationRequest};
use crate::ports::{Description, LabelMove, StoredValue, Which};
use crate::secret::{KeyId, SecretValue};
use crate::session::SecretSession;
use crate::wrong::{self, Wrong};

/// What to do where nobody can tell which key is meant.
const NAME_IT: &str = "name the version that holds the leaked key";
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
    /// When COMPROMISED was written, or seen where it stood.
    written_at: Option<Timestamp>,
    /// The leaked key, once an order to revoke it went out.
    revoked: Option<KeyId>,
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

    /// The command that gives the order, or goes on with it.
    pub(crate) fn again(&self, secret: &str, version: Option<&VersionId>, mode: Mode) -> String {
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

    /// The version that is meant, with the labels as they were read beside it.
    async fn leaked(
        &self,
        description: Description,
        version: Option<&VersionId>,
    ) -> Result<(Description, Leaked), Refusal> {
        let (description, stored) = match version {
            Some(version) => (
                description,
                with_retries(self.pass, || self.session.read(Which::Version(version))).await?,
            ),
            None => match self.current(description.clone()).await {
                Ok(Some((description, stored))) => (description, Some(stored)),
                Ok(None) => (description, None),
                Err(error) => return Err(Refusal::new(told(&error), NAME_IT)),
            },
        };
        let name = description.name.as_str();
        // REVOKE_FIRST alone says nothing.
        if let Some(other) = description.holder(&Label::compromised())
            && version.or(description.holder(&Label::current())) != Some(other)
        {
            let say = format!(
                "version {other} is COMPROMISED already and its key not proven dead: finish that first"
            );
            let over = take_off(name, Label::compromised().as_str(), other.as_str());
            let what_to_do = format!(
                "{}; or, if that key is known to be dead: {over}",
                self.again(name, Some(other), self.mode)
            );
            return Err(Refusal::new(say, what_to_do));
        }
        let stored =
            stored.ok_or_else(|| Refusal::new("the version has no value that could be read", NAME_IT))?;
        let value = SecretValue::parse(&stored.text)
            .map_err(|error| Refusal::new(format!("the version's value cannot be used: {error}"), NAME_IT))?;
        if version.is_none() && self.is_a_successor(&description, &stored.version, &value) {
            let say = format!(
                "the current key {} is young, and the one before it is gone: an order was carried out \
                 already. If this one is leaked too, say so by its version",
                value.credential.key_id
            );
            return Err(Refusal::new(
                say,
                self.again(name, Some(&stored.version), self.mode),
            ));
        }
        Ok((
            description,
            Leaked {
                version: stored.version,
                key: value.credential.key_id.clone(),
                value,
            },
        ))
    }

    /// The current value and the labels, where the two reads agree: one that is stale would have the wrong
    /// key killed. `None` where there is no such value.
    pub(crate) async fn current(
        &self,
        mut description: Description,
    ) -> Result<Option<(Description, StoredValue)>, Error> {
        let until = self.pass.now() + REREAD;
        loop {
            match with_retries(self.pass, || self.session.read(Which::Current)).await? {
                Some(stored) if description.holder(&Label::current()) == Some(&stored.version) => {
                    return Ok(Some((description, stored)));
                }
                None if self.pass.now() >= until => return Ok(None),
                Some(_) if self.pass.now() >= until => {
                    let problem = "it cannot be read for certain which version is current";
                    return Err(Error::new(ErrorType::StoreUnavailable, problem));
                }
                _ => {}
            }
            self.pass.ports.time.sleep(REREAD_PAUSE).await;
            description = with_retries(self.pass, || self.session.describe()).await?;
        }
    }

    /// Whether the current version replaced one that had no grace: whoever says "the current key" may mean
    /// the one before.
    fn is_a_successor(&self, description: &Description, version: &VersionId, value: &SecretValue) -> bool {
        // In its grace a version that is not leaked keeps AWSPREVIOUS.
        let grace = SignedDuration::try_from(self.pass.settings.grace).unwrap_or(SignedDuration::MAX);
        let young = value
            .created_at
            .is_some_and(|at| self.pass.now().duration_since(at) < grace);
        let before = value.rotation.as_ref().map(|rotation| &rotation.based_on);
        young
            && is_ours(value, version)
            && before.is_some_and(|before| description.holder(&Label::previous()) != Some(before))
    }

    /// Where nothing but the leaked key proves the account, its death leaves the secret without a successor:
    /// who orders that has to say that none is needed.
    async fn must_leave_a_way(&self, description: &Description, leaked: &Leaked) -> Result<(), Refusal> {
        let asked = match self.pass.request {
            OperationRequest::BreakGlass { no_successor, .. } => !no_successor,
            _ => false,
        };
        if !asked || self.mode == Mode::ReplaceFirst || leaked.value.master_arn.is_none() {
            return Ok(());
        }
        // Whichever version is named, it is the key that counts.
        let current = self.current(description.clone()).await;
        if current.is_ok_and(|current| current.is_some_and(|(_, stored)| !names(&stored, &leaked.key))) {
            return Ok(());
        }
        let Some((account, serve)) = proven_by_current_alone(self.pass, self.session, description).await
        else {
            return Ok(());
        };
        let name = description.name.as_str();
        let mut order = self.order_again(name, Some(&leaked.version), self.mode);
        order.insert("no_successor".to_owned(), true.into());
        let fingerprint = leaked.key.fingerprint();
        order.insert(
            "fingerprint".to_owned(),
            fingerprint.split(' ').next().unwrap_or_default().into(),
        );
        let say = format!(
            "nothing but the leaked key {} proves that {account} is this secret's account: revoked first, \
             it could have no successor",
            leaked.key
        );
        let what_to_do = format!(
            "{serve}; then give the order again; or, to end the key without a successor: {}",
            self.pass.command_of(Operation::BreakGlass, order)
        );
        Err(Refusal::new(say, what_to_do))
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
        if needed && leaked.value.master_arn.is_some() {
            for what in take_refused_offers_back(self.pass, self.session).await? {
                self.happened(what);
            }
        }
        // Nobody uses a key that is not current: what counts is that no run makes it so.
        let first = self.mode == Mode::RevokeFirst || wrong::is(Wrong::RevokedBeforeReplaced);
        if first && !unused {
            self.end(leaked, false, row).await?;
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

    /// Writes the order down. A label sits on one version: another leaked one keeps it until its key is dead.
    async fn mark(&mut self, description: &Description, version: &VersionId) -> Result<(), Error> {
        self.stood = description.holder(&Label::compromised()) == Some(version);
        let first = Label::revoke_first();
        let (labels, taken_back) = match self.mode {
            Mode::ReplaceFirst => (
                vec![Label::compromised()],
                description.holder(&first) == Some(version),
            ),
            Mode::RevokeFirst => (vec![Label::compromised(), first.clone()], false),
        };
        if taken_back {
            self.session.remove_label(first, version).await?;
        }
        for label in labels {
            if description.holder(&label) != Some(version) {
                self.put(label, version, description).await?;
            }
            // COMPROMISED comes first.
            self.written_at.get_or_insert(self.pass.now());
        }
        Ok(())
    }

    async fn put(&mut self, label: Label, version: &VersionId, before: &Description) -> Result<(), Error> {
        // COMPROMISED on another version is another order.
        let from = before
            .holder(&label)
            .filter(|_| label == Label::revoke_first())
            .cloned();
        let change = LabelMove {
            label: label.clone(),
            to: Some(version.clone()),
            from,
        };
        self.session.move_label(change, version).await?;
        self.happened(format!("version {version} is labelled {label}"));
        Ok(())
    }

    /// The open rotation's version, where it names the leaked key: a run that has looked at it may promote it
    /// though it is given up.
    async fn open_copy(
        &self,
        description: &Description,
        leaked: &Leaked,
    ) -> Result<Option<(VersionId, SecretValue)>, Error> {
        let Some(pending) = open_rotation(description) else {
            return Ok(None);
        };
        let stored = with_retries(self.pass, || self.session.read(Which::Version(pending))).await?;
        let value = stored.and_then(|stored| SecretValue::parse(&stored.text).ok());
        Ok(value
            .filter(|value| value.credential.key_id == leaked.key)
            .map(|value| (pending.clone(), value)))
    }

    /// Whether a run may make the leaked key current that is not: where that is not certain, an order to
    /// revoke it first goes ahead.
    async fn is_not_used_yet(&self, description: &Description, leaked: &Leaked) -> bool {
        let current = self.current(description.clone()).await;
        current.is_ok_and(|current| current.is_some_and(|(_, stored)| !names(&stored, &leaked.key)))
    }

    /// Ends the leaked key, by the rules: again, until that is proven, or the time for it is up.
    async fn end(&mut self, leaked: &Leaked, is_replaced: bool, row: &mut Row) -> Result<(), Error> {
        let (until, mut looked_again) = (self.pass.now() + POLL + LONGEST_PAUSE, false);
        loop {
            let description = with_retries(self.pass, || self.session.describe()).await?;
            let mut visit = SecretVisit::new(self.pass, self.session, &description);
            let mode = if wrong::is(Wrong::RevokedBeforeReplaced) {
                Mode::RevokeFirst
            } else {
                self.mode
            };
            (visit.order, visit.order_written) = (Some(mode), self.written_at);
            visit.revoked = self.revoked.take();
            let current = visit.current(&description).await.unwrap_or_else(|error| {
                visit.trouble(&error);
                None
            });
            let ended = visit
                .retire(&description, &leaked.version, current.as_ref())
                .await;
            // A look may be older than the successor: at the labels, at the value, or at who else holds the
            // key.
            let again = match &ended {
                Ok(Retired::Unproven) => true,
                Ok(Retired::Stale) => is_replaced,
                Ok(Retired::Elsewhere) => is_replaced && !std::mem::replace(&mut looked_again, true),
                Ok(Retired::Dead | Retired::NotYet) => false,
                Err(error) => matches!(
                    error.error_type,
                    ErrorType::StoreUnavailable | ErrorType::VenueUnavailable
                ),
            };
            let is_dead = matches!(ended, Ok(Retired::Dead));
            let is_stale = matches!(ended, Ok(Retired::Stale | Retired::Elsewhere));
            let pause = if is_stale { LONGEST_PAUSE } else { POLL_PAUSE };
            self.revoked = visit.revoked.take();
            visit.note(ended.map(drop));
            let mut report = visit.over();
            // What was changed is told once, with the whole order's; and one key is retired once, whatever
            // stamp came late.
            report.row.did.clear();
            if self.builder.counted("retired") > 0 {
                report.counts.remove("retired");
            }
            if report.has_revoked {
                self.happened(format!("{} was revoked", leaked.key));
            }
            row.keys
                .retain(|key| !report.row.keys.iter().any(|newer| newer.version == key.version));
            row.keys.append(&mut report.row.keys);
            let over =
                !again || self.pass.now() + pause >= until || self.session.time_left() < TIME_TO_END + pause;
            // It is said once, of the last look; what others have to hear of, of the first.
            let of_this = |finding: &Finding| finding.secret == description.name.as_str();
            (self.last_look, report.findings) = report.findings.into_iter().partition(of_this);
            add(&mut self.builder, report);
            if is_dead && self.dead_at.is_none() {
                self.dead_at = Some(self.pass.now());
                self.happened(format!("{} is proven dead", leaked.key));
            }
            if over {
                return Ok(());
            }
            if is_stale {
                self.pass.read_holders_anew().await;
            }
            self.pass.ports.time.sleep(pause).await;
        }
    }
}
