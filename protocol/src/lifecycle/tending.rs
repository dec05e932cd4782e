//! What there is to do for one secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join;
use jiff::SignedDuration;

use super::answer::{Code, Finding, KeyRow, Row};
use super::checking::{faults, operation, put_right, rotate};
use super::death::{Life, life, listed};
use super::pass::{Pass, finding};
use super::retiring::{Ending, is_ours};
use super::rollback;
use crate::bounds::{LAST_MOMENT, UNSETTLED};
use crate::error::{Error, ErrorType};
use crate::hand::{Desk, Hand, has_stamp, must_fit, unstamped_previous, venue_error, venue_of};
use crate::label::{Label, StampKind, VersionId};
use crate::name::SecretId;
use crate::ports::{Description, ErrorClass, KeyList, KeyState, Signer, StoredValue, Venue, VenueError, Which, Whose};
use crate::secret::{AccountId, KeyId, SecretValue};

/// One secret's part of a pass: what was done, found and seen.
pub(super) struct Tending<'a> {
    pub(super) pass: &'a Pass<'a>,
    pub(super) hand: &'a Hand<'a>,
    name: String,
    row: Row,
    findings: Vec<Finding>,
    counts: BTreeMap<&'static str, u64>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Tended {
    pub(super) row: Option<Row>,
    pub(super) findings: Vec<Finding>,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

/// Looks after one secret. Whatever goes wrong is a finding: one bad secret never stops the others.
pub(super) async fn tend(pass: &Pass<'_>, listed: Description) -> Tended {
    let Ok(id) = SecretId::parse(&listed.arn) else { return Tended::default() };
    let hand = pass.hand(&id);
    let name = listed.name.as_str().to_owned();
    let row = Row { secret: name.clone(), arn: listed.arn.clone(), ..Row::default() };
    let mut tending = Tending { pass, hand: &hand, name, row, findings: Vec::new(), counts: BTreeMap::new() };
    if let Err(error) = tending.tend(listed).await {
        tending.trouble(&error);
    }
    let Tending { row, findings, counts, .. } = tending;
    let eventful = !row.did.is_empty() || !findings.is_empty();
    Tended { row: eventful.then_some(row), findings, counts }
}

/// The account that a value's key belongs to, as far as the value tells.
pub(super) fn account_in(value: &SecretValue) -> Option<AccountId> {
    let recorded = value.rotation.as_ref().map(|rotation| AccountId::new(&rotation.account));
    recorded.or_else(|| value.subaccount.clone())
}

/// The current value, with what the venue says of its key.
struct Current {
    version: VersionId,
    value: SecretValue,
    venue: Arc<dyn Venue>,
    state: Result<KeyState, VenueError>,
    /// The master credential, which the same host has accepted; with the account's keys, where the account is known.
    master: Result<(Signer, Option<(AccountId, KeyList)>), Error>,
}

/// What it means that the venue rejects the current key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rejection {
    /// Nothing yet.
    Unproven,
    /// The key is dead.
    Dead,
    /// The key is there, and its secret is another.
    Unusable,
    /// It does not work, and nobody knows how old it is.
    OfUnknownAge,
}

impl Tending<'_> {
    // Keeping the record.

    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    pub(super) fn find(&mut self, code: Code, say: impl Into<String>, what_to_do: impl Into<String>) {
        self.findings.push(finding(code, &self.name, say, what_to_do));
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Keeps what is done next. Whether it would only be done.
    pub(super) fn would(&mut self, what: String) -> bool {
        self.row.did.push(what);
        self.pass.is_dry_run()
    }

    pub(super) fn key(&mut self, version: &VersionId, key: &KeyId, alive: Option<bool>, state: String) {
        let (version, fingerprint) = (version.to_string(), key.fingerprint());
        self.row.keys.retain(|row| row.version != version);
        self.row.keys.push(KeyRow { version, fingerprint, alive, checked_at: self.pass.now(), state });
    }

    /// What stood in the way; the next pass tries again.
    fn trouble(&mut self, error: &Error) {
        let code = match error.error_type {
            ErrorType::LabelsFull => Code::LabelsFull,
            ErrorType::MasterInvalid | ErrorType::MasterRefused => Code::MasterUnusable,
            ErrorType::ValueInvalid | ErrorType::VenueUnsupported => Code::ValueInvalid,
            _ => Code::NotDone,
        };
        self.find(code, format!("{}: {}", error.error_type, error.problem), operation("maintain", &self.name));
    }

    /// Goes on after what stood in the way.
    fn note(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.trouble(&error);
        }
    }

    // What there is to do.

    async fn tend(&mut self, listed: Description) -> Result<(), Error> {
        let description = if needs_a_look(&listed) { self.hand.describe().await? } else { listed };
        if description.deleted || !self.pass.manages(&description) {
            return Ok(());
        }
        self.count("secrets");
        let stamped = self.set_stamps_right(&description).await;
        self.note(stamped);
        let finished = self.finish_giving_up(&description).await;
        self.note(finished);

        let Some(current) = self.current(&description).await? else { return Ok(()) };
        let alive = current.state.is_ok().then(|| current.value.credential.key_id.clone());
        let dead = self.judge(&description, &current);
        let in_grace = self.replaced_in_grace(&description);
        let soaked = self.soak(&description, &current, dead, in_grace).await;
        self.note(soaked);
        match &current.master {
            Err(error) => {
                let error = error.clone();
                self.trouble(&error);
            }
            Ok((_, None)) => {
                let say = "the account of the current key is not known, so that its keys cannot be listed: add `subaccount` to the value";
                self.find(Code::ValueInvalid, say, put_right(&self.name));
            }
            Ok((_, Some(_))) => {}
        }
        if description.holder(&Label::compromised()) == Some(&current.version) {
            let say = format!("the leaked key {} is the current one", current.value.credential.key_id);
            self.find(Code::CompromisedHeld, say, rotate(&self.name));
        }
        let due: Vec<VersionId> = self.due(&description).cloned().collect();
        for version in due {
            let retired = self.retire(&description, &version, alive.as_ref()).await;
            self.note(retired);
        }
        if let Ok((master, Some((account, list)))) = &current.master {
            let desk = Desk { venue: current.venue.as_ref(), master: master.clone(), account: account.clone() };
            let reaped = self.reap(&description, &desk, list, &current.value.credential.key_id).await;
            self.note(reaped);
        }
        let tagged = self.tag(&description, &current).await;
        self.note(tagged);
        Ok(())
    }

    async fn set_stamps_right(&mut self, description: &Description) -> Result<(), Error> {
        if let Some(previous) = unstamped_previous(description)
            && !self.would(format!("stamp version {previous}: it is not current any more"))
        {
            self.hand.stamp_previous(description).await?;
            self.count("stamped");
        }
        let Some(current) = description.holder(&Label::current()) else { return Ok(()) };
        let void = |label: &Label| label.stamp().is_some_and(|stamp| stamp.kind != StampKind::Suspect);
        if description.labels(current).any(void) && !self.would(format!("take void stamps off version {current}: it is current"))
        {
            self.hand.remove_void_stamps(description, current).await?;
        }
        Ok(())
    }

    /// A run died between condemning a version and taking AWSPENDING off it, and no replay came.
    async fn finish_giving_up(&mut self, description: &Description) -> Result<(), Error> {
        let Some(pending) = description.holder(&Label::pending()) else { return Ok(()) };
        let condemned = Ending::of(description, pending).condemned;
        let unsettled = SignedDuration::try_from(UNSETTLED).unwrap_or(SignedDuration::MAX);
        let long_ago = condemned.is_some_and(|at| self.pass.now().duration_since(at) > unsettled);
        if long_ago
            && description.holder(&Label::current()) != Some(pending)
            && !self.would(format!("take AWSPENDING off version {pending}, which was given up"))
        {
            self.hand.remove_label(Label::pending(), pending).await?;
        }
        Ok(())
    }

    /// The versions whose keys may have come to their end, as the labels tell.
    fn due<'d>(&self, description: &'d Description) -> impl Iterator<Item = &'d VersionId> {
        let (now, grace) = (self.pass.now(), self.pass.settings.grace);
        let not_current = |version: &&VersionId| description.holder(&Label::current()) != Some(*version);
        let due = move |version: &&VersionId| Ending::of(description, version).may_be_due(now, grace);
        description.versions.keys().filter(move |version| not_current(version)).filter(due)
    }

    fn replaced_in_grace<'d>(&self, description: &'d Description) -> Option<&'d VersionId> {
        let previous = description.holder(&Label::previous())?;
        let is_current = description.holder(&Label::current()) == Some(previous);
        let over = Ending::of(description, previous).may_be_due(self.pass.now(), self.pass.settings.grace);
        (!is_current && !over).then_some(previous)
    }

    async fn current(&mut self, description: &Description) -> Result<Option<Current>, Error> {
        let Some(StoredValue { version, text }) = self.hand.read(Which::Current).await? else {
            self.find(Code::ValueInvalid, "the secret has no current value that could be read", put_right(&self.name));
            return Ok(None);
        };
        let value = match SecretValue::parse(&text) {
            Ok(value) => value,
            Err(error) => {
                let say = format!("the current value cannot be used: {error}");
                self.find(Code::ValueInvalid, say, put_right(&self.name));
                return Ok(None);
            }
        };
        let venue = venue_of(self.pass.ports, description, &value)?;
        let signer = Signer { whose: Whose::Current, credential: value.credential.clone() };
        self.pass.turn(venue.as_ref()).await;
        let (state, master) = join(venue.inspect(&signer), self.pass.master(venue.id(), &value)).await;
        let account = account_in(&value).or_else(|| state.as_ref().ok().map(|state| state.account.clone()));
        let master = match (master, account) {
            (Ok(master), Some(account)) => {
                let desk = Desk { venue: venue.as_ref(), master: master.clone(), account: account.clone() };
                listed(self.pass, &desk).await.map(|list| (master, Some((account, list))))
            }
            (Ok(master), None) => {
                self.pass.turn_of(venue.as_ref(), &master).await;
                let accepted = venue.inspect(&master).await.map_err(|error| venue_error(&error));
                accepted.map(|_| (master, None))
            }
            (Err(error), _) => Err(error),
        };
        Ok(Some(Current { version, value, venue, state, master }))
    }

    /// What is wrong with the current key; whether it is definitely dead.
    fn judge(&mut self, description: &Description, current: &Current) -> bool {
        let Current { version, value, state, .. } = current;
        let key = &value.credential.key_id;
        match state {
            Ok(state) => {
                self.key(version, key, Some(true), "current".to_owned());
                self.findings.extend(faults(self.pass, description, value, state));
                let built_before =
                    description.versions.keys().any(|other| other != version && was_built_by_us(description, other));
                if !is_ours(value, version) && built_before {
                    let say = "the current value was not made by this function, though the one before was: a hand, or \
                               infrastructure code that carries the value, put a key back";
                    self.find(Code::CurrentOverwritten, say, rotate(&self.name));
                }
                false
            }
            Err(error) if error.class == ErrorClass::Rejected => {
                let rejection = self.rejection(current);
                let alive = match rejection {
                    Rejection::Dead => Some(false),
                    Rejection::Unusable => Some(true),
                    Rejection::OfUnknownAge | Rejection::Unproven => None,
                };
                self.key(version, key, alive, format!("current; {error}"));
                if rejection == Rejection::Unproven {
                    let say = format!("the current key was rejected, which proves nothing yet: {error}");
                    self.find(Code::CurrentUnchecked, say, "nothing: the next pass looks again");
                }
                rejection != Rejection::Unproven
            }
            Err(error) if error.class == ErrorClass::Denied => {
                self.key(version, key, None, format!("current; {error}"));
                let say = format!("the current key may not be used by this function: {error}");
                self.find(Code::CurrentDenied, say, rotate(&self.name));
                false
            }
            Err(error) => {
                self.key(version, key, None, format!("current; {error}"));
                self.find(
                    Code::CurrentUnchecked,
                    format!("the current key could not be asked: {error}"),
                    "nothing, unless this lasts",
                );
                false
            }
        }
    }

    /// What a rejection of the current key proves, by rule 7: the same host has to have accepted the master credential, and the key
    /// has to be so old that everybody at the venue knows it.
    fn rejection(&self, current: &Current) -> Rejection {
        let Ok((_, account)) = &current.master else { return Rejection::Unproven };
        let key = &current.value.credential.key_id;
        let listed = account.iter().flat_map(|(_, list)| &list.keys).find(|listed| listed.key_id == *key);
        let propagation = SignedDuration::try_from(current.venue.facts().propagation).unwrap_or(SignedDuration::MAX);
        let made = listed.map(|listed| listed.created_at).or(current.value.created_at);
        match (made, listed) {
            (Some(made), _) if self.pass.now().duration_since(made) < propagation => Rejection::Unproven,
            (_, Some(listed)) if !listed.expired => Rejection::Unusable,
            (Some(_), _) => Rejection::Dead,
            (None, _) => Rejection::OfUnknownAge,
        }
    }

    /// While a replaced key is in its grace there is a way back: a definite rejection of its successor is remembered, and a second
    /// one in a later pass is acted on.
    async fn soak(
        &mut self,
        description: &Description,
        current: &Current,
        dead: bool,
        in_grace: Option<&VersionId>,
    ) -> Result<(), Error> {
        let version = &current.version;
        let suspect =
            description.labels(version).find(|label| label.stamp().is_some_and(|stamp| stamp.kind == StampKind::Suspect));
        if !dead {
            if let Some(label) = suspect
                && current.state.is_ok()
                && !self.would(format!("take {label} off version {version}: its key answers"))
            {
                self.hand.remove_label(label.clone(), version).await?;
            }
            return Ok(());
        }
        let key = &current.value.credential.key_id;
        let Some(previous) = in_grace else {
            self.find(Code::CurrentDead, format!("the venue rejects the current key {key}"), rotate(&self.name));
            return Ok(());
        };
        let since = suspect.and_then(Label::stamp).map(|stamp| stamp.at);
        let unsettled = SignedDuration::try_from(UNSETTLED).unwrap_or(SignedDuration::MAX);
        let Some(since) = since else {
            if !self.would(format!("stamp version {version}: its key was rejected"))
                && !has_stamp(description, version, StampKind::Suspect)
            {
                must_fit(description, 1)?;
                self.hand.add_stamp(StampKind::Suspect, version).await?;
            }
            let say = format!("the venue rejects the current key {key} for the first time: the next pass decides");
            self.find(Code::CurrentSuspect, say, operation("maintain", &self.name));
            return Ok(());
        };
        if self.pass.now().duration_since(since) <= unsettled {
            return Ok(());
        }
        let way_back = self.is_alive(description, previous, current).await?;
        let what_to_do = if way_back { operation("rollback", &self.name) } else { rotate(&self.name) };
        let way = if way_back { "; the key before it is alive" } else { "" };
        let say = format!("the venue has rejected the current key {key} since {since}{way}");
        self.find(Code::CurrentDead, say, what_to_do);
        if way_back && current.value.policy.auto_rollback && !self.would(format!("roll back to version {previous}")) {
            match rollback::begin(self.pass, self.hand, description, previous).await {
                Ok(()) => self.count("rollbacks"),
                Err(refusal) => self.find(Code::NotDone, format!("no rollback: {}", refusal.say), refusal.what_to_do),
            }
        }
        Ok(())
    }

    async fn is_alive(&mut self, description: &Description, version: &VersionId, current: &Current) -> Result<bool, Error> {
        let Ok((master, Some((account, _)))) = &current.master else { return Ok(false) };
        let Some(stored) = self.hand.read(Which::Version(version)).await? else { return Ok(false) };
        let Ok(value) = SecretValue::parse(&stored.text) else { return Ok(false) };
        let venue = venue_of(self.pass.ports, description, &value)?;
        let desk = Desk { venue: venue.as_ref(), master: master.clone(), account: account.clone() };
        Ok(life(self.pass, &desk, &value, None).await? == Life::Alive)
    }

    /// Tags say to people and to cost reports what the labels say to programs. Never a reason to fail.
    async fn tag(&mut self, description: &Description, current: &Current) -> Result<(), Error> {
        let ours = is_ours(&current.value, &current.version);
        let rotated = current.value.created_at.filter(|_| ours).map(|at| at.to_string());
        let named: Vec<&str> = description.name.as_str().split('/').collect();
        let (environment, service) = match named[..] {
            [environment @ ("prod" | "staging" | "dev"), service, _, ..] => {
                (Some(environment.to_owned()), Some(service.to_owned()))
            }
            ["trading-bot", _, "credentials"] => (None, Some("trading-bot".to_owned())),
            _ => (None, None),
        };
        let missing = |tag: &str| !description.tags.contains_key(tag);
        let enabled = description.rotation_enabled.to_string();
        let wanted = [
            (LAST_ROTATED, rotated),
            (ROTATION_ENABLED, Some(enabled).filter(|_| ours || !missing(ROTATION_ENABLED))),
            ("Environment", environment.filter(|_| ours && missing("Environment"))),
            ("Service", service.filter(|_| ours && missing("Service"))),
        ];
        let tags: BTreeMap<String, String> = wanted
            .into_iter()
            .filter_map(|(tag, value)| Some((tag.to_owned(), value?)))
            .filter(|(tag, value)| description.tags.get(tag) != Some(value))
            .collect();
        if tags.is_empty() || self.pass.is_dry_run() {
            return Ok(());
        }
        self.hand.must_have_left(LAST_MOMENT)?;
        match self.pass.fleet.tag(self.hand.secret, &tags).await {
            Ok(()) => self.count("tagged"),
            Err(error) => tracing::warn!(%error, "the secret could not be tagged"),
        }
        Ok(())
    }
}

const LAST_ROTATED: &str = "LastRotated";
const ROTATION_ENABLED: &str = "RotationEnabled";

/// Whether the labels, which a list shows minutes late, say that there may be something to do.
fn needs_a_look(listed: &Description) -> bool {
    unstamped_previous(listed).is_some()
        || listed.versions.values().flatten().any(|label| label.stamp().is_some() || *label == Label::compromised())
        || listed.holder(&Label::pending()).is_some_and(|pending| listed.holder(&Label::current()) != Some(pending))
}

/// Whether the labels say that a version was one of a rotation's: only those bear stamps of their own making.
fn was_built_by_us(description: &Description, version: &VersionId) -> bool {
    description.tags.contains_key(LAST_ROTATED) && description.holder(&Label::previous()) == Some(version)
}
