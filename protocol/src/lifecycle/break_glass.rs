//! A key is leaked: a successor, the leaked key's death, and the proof of it. What is ordered is written down as labels first, so
//! that whoever comes next goes on where this run ends.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, Code, Moment, Row};
use super::maintain::add;
use super::pass::{Pass, finding, patiently};
use super::row::look;
use super::tally::Tally;
use super::tending::Tending;
use super::walk::Walk;
use super::{Mode, Operation};
use crate::bounds::POLL_PAUSE;
use crate::error::{Error, ErrorType};
use crate::hand::{Hand, is_condemned, store_error};
use crate::label::{Label, VersionId};
use crate::name::SecretId;
use crate::ports::{Description, LabelMove, Which};
use crate::secret::{KeyId, SecretValue};

/// A rotation that began this short a time ago is not stuck: its successor is waited for.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// This much of the invocation is kept for the leaked key's end, whatever is waited for.
const TIME_TO_END: Duration = Duration::from_secs(30);

pub(super) async fn break_glass(pass: &Pass<'_>, secret: &SecretId, version: Option<&VersionId>, mode: Mode) -> Answer {
    let hand = pass.hand(secret);
    let mut order = Order { pass, hand: &hand, mode, began: pass.now(), timeline: Vec::new(), tally: pass.tally() };
    order.happened("the order was given");
    let description = match patiently(pass, || hand.describe()).await {
        Ok(description) => description,
        Err(error) => return pass.refusal(secret.name().as_str(), told(&error), "look at the secret with describe-secret"),
    };
    if !pass.manages(&description) {
        return master(order, &description).await;
    }
    let name = description.name.as_str();
    let leaked = match order.leaked(&description, version).await {
        Ok(leaked) => leaked,
        Err(error) => return pass.refusal(name, told(&error), "name the version that holds the leaked key"),
    };
    let mut row = Row { secret: name.to_owned(), arn: description.arn.clone(), ..Row::default() };
    if let Err(error) = order.carry_out(&description, &leaked, &mut row).await {
        let what_to_do = order.again(name, &leaked.version);
        order.tally.find(finding(Code::Exposed, name, format!("the order is not carried out: {}", told(&error)), what_to_do));
    }
    order.answer(row)
}

/// The version that names the leaked key.
struct Leaked {
    version: VersionId,
    key: KeyId,
}

struct Order<'a> {
    pass: &'a Pass<'a>,
    hand: &'a Hand<'a>,
    mode: Mode,
    began: Timestamp,
    timeline: Vec<Moment>,
    tally: Tally<'a>,
}

impl Order<'_> {
    fn happened(&mut self, what: impl Into<String>) {
        let at = self.pass.now();
        self.timeline.push(Moment { at, seconds: at.duration_since(self.began).as_secs(), what: what.into() });
    }

    fn answer(self, row: Row) -> Answer {
        let Self { timeline, mut tally, began, .. } = self;
        let dead = timeline.iter().find(|moment| moment.what.ends_with(PROVEN));
        let exposure = dead.map(|moment| moment.at.duration_since(began).as_secs());
        tally.row(row);
        let mut answer = tally.answer(false);
        (answer.timeline, answer.exposure_seconds) = (timeline, exposure);
        answer
    }

    /// The command that goes on with the order.
    fn again(&self, secret: &str, version: &VersionId) -> String {
        let order = self.pass.request.order();
        let (reason, incident) = order.map_or(("", ""), |order| (order.reason.as_str(), order.incident.as_str()));
        let mode = match self.mode {
            Mode::ReplaceFirst => "replace_first",
            Mode::RevokeFirst => "revoke_first",
        };
        let fields =
            [("secret", secret), ("version", version.as_str()), ("mode", mode), ("reason", reason), ("incident", incident)];
        self.pass.command_with(Operation::BreakGlass, &fields)
    }

    async fn leaked(&self, description: &Description, version: Option<&VersionId>) -> Result<Leaked, Error> {
        let refused = |problem: &str| Error::new(ErrorType::ValueInvalid, problem);
        let current = description.holder(&Label::current());
        let version = version.or(current).ok_or_else(|| refused("the secret has no current version"))?;
        let stored = patiently(self.pass, || self.hand.read(Which::Version(version))).await?;
        let stored = stored.ok_or_else(|| refused("the version has no value that could be read"))?;
        let value =
            SecretValue::parse(&stored.text).map_err(|error| refused(&format!("the version's value cannot be used: {error}")))?;
        Ok(Leaked { version: version.clone(), key: value.credential.key_id })
    }

    async fn carry_out(&mut self, description: &Description, leaked: &Leaked, row: &mut Row) -> Result<(), Error> {
        let Leaked { version, key } = leaked;
        self.mark(description, version, row).await?;
        let description = self.hand.describe().await?;
        self.give_up_what_is_in_the_way(&description, leaked, row).await?;
        if self.mode == Mode::RevokeFirst {
            self.end(leaked, row).await?;
        }
        let description = self.hand.describe().await?;
        if self.is_current(&description, key).await? {
            self.rotate(&description, row).await?;
            if !self.wait_for_a_successor(leaked).await? {
                let name = description.name.as_str();
                let say = format!("the leaked key {key} is still current: no successor came in time, or its rotation fails");
                let what_to_do = format!("read the log of the rotation function; then: {}", self.again(name, version));
                self.tally.find(finding(Code::Exposed, name, say, what_to_do));
                return Ok(());
            }
            self.happened("a successor is current");
        }
        if self.mode == Mode::ReplaceFirst {
            self.end(leaked, row).await?;
        }
        Ok(())
    }

    /// Writes the order down. A label sits on one version: another leaked one keeps it until its key is dead.
    async fn mark(&mut self, description: &Description, version: &VersionId, row: &mut Row) -> Result<(), Error> {
        let mut labels = vec![Label::compromised()];
        if self.mode == Mode::RevokeFirst {
            labels.push(Label::revoke_first());
        }
        for label in labels {
            match description.holder(&label) {
                Some(holder) if holder == version => continue,
                Some(other) => {
                    let problem = format!(
                        "version {other} is {label} already and its key not proven dead: finish that first, by the same order for it"
                    );
                    return Err(Error::new(ErrorType::StoreRefused, problem));
                }
                None => {}
            }
            let change = LabelMove { label: label.clone(), to: Some(version.clone()), from: None };
            self.hand.move_label(change, version).await?;
            self.happened(format!("version {version} is labelled {label}"));
            row.did.push(format!("labelled version {version} {label}"));
        }
        Ok(())
    }

    /// A rotation that is stuck, or that builds on the leaked key itself, keeps every other from beginning.
    async fn give_up_what_is_in_the_way(
        &mut self,
        description: &Description,
        leaked: &Leaked,
        row: &mut Row,
    ) -> Result<(), Error> {
        let Some(pending) = description.holder(&Label::pending()) else { return Ok(()) };
        if description.holder(&Label::current()) == Some(pending) {
            return Ok(());
        }
        let stored = patiently(self.pass, || self.hand.read(Which::Version(pending))).await?;
        let names_it = stored
            .is_some_and(|stored| SecretValue::parse(&stored.text).map_or(true, |value| value.credential.key_id == leaked.key));
        let versions = patiently(self.pass, || self.hand.versions()).await?;
        let begun = versions.into_iter().find(|version| version.id == *pending).and_then(|version| version.created_at);
        let is_fresh = begun.is_some_and(|begun| self.pass.now().duration_since(begun) < FRESH);
        if is_fresh && !names_it && !is_condemned(description, pending) {
            self.happened(format!("a rotation is in flight: version {pending}"));
            return Ok(());
        }
        self.hand.give_up(pending, "a key is leaked, and this rotation was in the way").await?;
        self.happened(format!("the rotation that was open, version {pending}, was given up"));
        row.did.push(format!("gave up version {pending}: it is condemned and has lost AWSPENDING"));
        Ok(())
    }

    async fn is_current(&self, description: &Description, key: &KeyId) -> Result<bool, Error> {
        if description.holder(&Label::current()).is_none() {
            return Ok(false);
        }
        let stored = patiently(self.pass, || self.hand.read(Which::Current)).await?;
        Ok(stored.is_some_and(|stored| SecretValue::parse(&stored.text).map_or(true, |value| value.credential.key_id == *key)))
    }

    async fn rotate(&mut self, description: &Description, row: &mut Row) -> Result<(), Error> {
        let open =
            description.holder(&Label::pending()).filter(|pending| description.holder(&Label::current()) != Some(*pending));
        if open.is_some() {
            return Ok(());
        }
        self.hand.begin_rotation(self.pass.fleet).await?.map_err(|error| store_error(&error))?;
        self.happened("a rotation was begun");
        row.did.push("began a rotation".to_owned());
        Ok(())
    }

    /// Whether another key is current before the time for that is up.
    async fn wait_for_a_successor(&self, leaked: &Leaked) -> Result<bool, Error> {
        loop {
            let description = patiently(self.pass, || self.hand.describe()).await?;
            if description.holder(&Label::current()) != Some(&leaked.version)
                && !self.is_current(&description, &leaked.key).await?
            {
                return Ok(true);
            }
            let open = description.holder(&Label::pending());
            if open.is_none() || self.hand.time_left() < TIME_TO_END {
                return Ok(false);
            }
            self.pass.ports.time.sleep(POLL_PAUSE).await;
        }
    }

    /// Ends the leaked key, by the rules, and says how that went.
    async fn end(&mut self, leaked: &Leaked, row: &mut Row) -> Result<(), Error> {
        let description = patiently(self.pass, || self.hand.describe()).await?;
        let mut tending = Tending::new(self.pass, self.hand, &description);
        let current = tending.current(&description).await.unwrap_or_else(|error| {
            tending.trouble(&error);
            None
        });
        let ended = tending.retire(&description, &leaked.version, current.as_ref()).await;
        tending.note(ended);
        let mut tended = tending.over();
        let revoked = tended.counts.contains_key("revoked");
        let dead = tended.row.keys.iter().any(|key| key.version == leaked.version.as_str() && key.alive == Some(false));
        row.did.append(&mut tended.row.did);
        row.keys.retain(|key| !tended.row.keys.iter().any(|newer| newer.version == key.version));
        row.keys.append(&mut tended.row.keys);
        add(&mut self.tally, tended);
        let name = description.name.as_str();
        if revoked {
            self.happened(format!("{} was revoked", leaked.key));
        }
        if dead {
            self.happened(format!("{} {PROVEN}", leaked.key));
        } else {
            let say = format!("the leaked key {} is not proven dead", leaked.key);
            let what_to_do = self.again(name, &leaked.version);
            self.tally.find(finding(Code::Exposed, name, say, what_to_do));
        }
        Ok(())
    }
}

/// What the moment says at which a leaked key is gone.
const PROVEN: &str = "is proven dead";

/// A leaked master comes before its children: who has it can issue keys, and has perhaps. No function replaces it: a person does.
async fn master(mut order: Order<'_>, description: &Description) -> Answer {
    let (pass, name) = (order.pass, description.name.as_str());
    let holders = match pass.holders().await {
        Ok(holders) => holders,
        Err(error) => return pass.refusal(name, told(&error), "try again"),
    };
    if !holders.are_children_of(description) {
        return pass.refusal(
            name,
            "another function rotates this secret, or none does, and no secret names it as its master",
            "name a secret of this function's",
        );
    }
    let row = Row { secret: name.to_owned(), arn: description.arn.clone(), ..Row::default() };
    let say = "a master credential is leaked: whoever has it can issue keys that trade on every sub-account of the parent";
    let what_to_do = format!(
        "now, by hand: delete it at the venue, make another, bound to the function's addresses, and store it: aws secretsmanager put-secret-value --secret-id {name} --secret-string file://master.json; then delete the suspects below at the venue, and break the glass for each child"
    );
    order.tally.find(finding(Code::MasterLeaked, name, say, what_to_do));
    if let Err(error) = suspects(&mut order, description).await {
        order.tally.find(finding(Code::NotDone, name, told(&error), "try again: not all children were looked at"));
    }
    order.happened("the children were looked at");
    order.answer(row)
}

/// The children of a master, each with the foreign keys on its account: any of them may have been issued by the thief.
async fn suspects(order: &mut Order<'_>, master: &Description) -> Result<(), Error> {
    let pass = order.pass;
    let mut walk = Walk::of_all();
    while let Some(page) = walk.next(pass).await? {
        for child in page {
            if !pass.has_time() {
                return Err(Error::new(ErrorType::DeadlineNear, "the time was up before all children were looked at"));
            }
            if is_child(pass, &child, master).await? {
                add(&mut order.tally, look(pass, &child).await);
                order.tally.count("children", 1);
            }
        }
    }
    Ok(())
}

async fn is_child(pass: &Pass<'_>, child: &Description, master: &Description) -> Result<bool, Error> {
    let Ok(id) = SecretId::parse(&child.arn) else { return Ok(false) };
    let hand = pass.hand(&id);
    let Some(stored) = patiently(pass, || hand.read(Which::Current)).await? else { return Ok(false) };
    let Ok(value) = SecretValue::parse(&stored.text) else { return Ok(false) };
    Ok(value.master_arn.is_some_and(|named| named == master.arn || named == master.name.as_str()))
}

fn told(error: &Error) -> String {
    format!("{}: {}", error.error_type, error.problem)
}
