//! One operation at work: whom it serves, at which pace, and what all its secrets share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::lock::Mutex as AsyncMutex;
use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, Code, Finding, Outcome, Row, Severity};
use super::holders::Holders;
use super::{Request, Settings};
use crate::bounds::{ATTEMPTS, REREAD_PAUSE};
use crate::error::Error;
use crate::hand::{Caller, Hand, master_id, master_in, read_master, store_error};
use crate::name::{SecretId, VenueId, unqualified};
use crate::ports::{Description, Fleet, Ports, SecretPage, Signer, StoredValue, Venue};
use crate::secret::SecretValue;
use crate::task::Task;

/// This much of an invocation is kept for what is under way and for the answer: no other secret is begun.
const LAST_BEGINNING: Duration = Duration::from_secs(20);
/// What is known of all holders counts for so long.
const HOLDERS_KEEP: SignedDuration = SignedDuration::from_mins(2);

/// See the [module](self).
pub(super) struct Pass<'a> {
    pub(super) ports: Ports<'a>,
    pub(super) fleet: &'a dyn Fleet,
    pub(super) caller: &'a Caller,
    pub(super) settings: &'a Settings,
    pub(super) request: &'a Request,
    /// The values of master credentials, by ARN: a parent account has many children.
    masters: Mutex<BTreeMap<String, Result<Arc<StoredValue>, Error>>>,
    /// Whose next call goes out when.
    pace: Mutex<BTreeMap<String, Timestamp>>,
    holders: AsyncMutex<Option<Arc<Holders>>>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        ports: Ports<'a>,
        fleet: &'a dyn Fleet,
        caller: &'a Caller,
        settings: &'a Settings,
        request: &'a Request,
    ) -> Self {
        let (masters, pace, holders) = (Mutex::default(), Mutex::default(), AsyncMutex::default());
        Self { ports, fleet, caller, settings, request, masters, pace, holders }
    }

    pub(super) fn hand<'s>(&'s self, secret: &'s SecretId) -> Hand<'s> {
        Hand { ports: self.ports, caller: self.caller, task: Task::Operation(self.request.operation()), secret }
    }

    pub(super) fn is_dry_run(&self) -> bool {
        matches!(self.request, Request::Maintain { dry_run: true, .. })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.time.now()
    }

    /// Whether there is time to begin with another secret.
    pub(super) fn has_time(&self) -> bool {
        let left = self.ports.time.deadline().duration_since(self.now());
        Duration::try_from(left).is_ok_and(|left| left > LAST_BEGINNING)
    }

    // The fleet.

    /// Whether the rotation function rotates this secret, or did until rotation was switched off.
    pub(super) fn manages(&self, secret: &Description) -> bool {
        secret
            .rotation_function
            .as_ref()
            .is_some_and(|function| unqualified(function) == unqualified(&self.settings.rotation_function))
    }

    pub(super) async fn list(&self, after: Option<&str>) -> Result<SecretPage, Error> {
        let mut pause = REREAD_PAUSE;
        for attempt in 1.. {
            match self.fleet.list(after).await {
                Ok(page) => return Ok(page),
                Err(error) if error.kind.passes() && attempt < ATTEMPTS => {}
                Err(error) => return Err(store_error(&error)),
            }
            self.ports.time.sleep(pause).await;
            pause *= 2;
        }
        Ok(SecretPage::default())
    }

    /// Which keys are held, by any secret of any shard. Built when it is first needed, by one for all.
    pub(super) async fn holders(&self) -> Result<Arc<Holders>, Error> {
        let mut known = self.holders.lock().await;
        if let Some(holders) = known.as_ref().filter(|holders| self.now().duration_since(holders.as_of) < HOLDERS_KEEP) {
            return Ok(Arc::clone(holders));
        }
        let holders = Arc::new(Holders::of_all(self).await?);
        *known = Some(Arc::clone(&holders));
        Ok(holders)
    }

    // The venue.

    /// The master credential that a value names.
    pub(super) async fn master(&self, venue: &VenueId, value: &SecretValue) -> Result<Signer, Error> {
        let id = master_id(value)?;
        let known = self.masters.lock().unwrap_or_else(PoisonError::into_inner).get(id.as_str()).cloned();
        let stored = if let Some(stored) = known {
            stored
        } else {
            let read = read_master(self.ports, &id).await.map(Arc::new);
            self.masters.lock().unwrap_or_else(PoisonError::into_inner).insert(id.as_str().to_owned(), read.clone());
            read
        };
        master_in(&id, stored.as_deref().map_err(Clone::clone)?, venue, value)
    }

    /// Waits until it is a venue's turn for another call of this function's.
    pub(super) async fn turn(&self, venue: &dyn Venue) {
        self.wait_for(venue.id().to_string(), venue.facts().spacing).await;
    }

    /// The same for a call that the master credential signs.
    pub(super) async fn turn_of(&self, venue: &dyn Venue, master: &Signer) {
        self.turn(venue).await;
        self.wait_for(master.credential.key_id.fingerprint(), venue.facts().master_spacing).await;
    }

    async fn wait_for(&self, whose: String, spacing: Duration) {
        if spacing.is_zero() {
            return;
        }
        let now = self.now();
        let slot = {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let next = pace.entry(whose).or_insert(now);
            let slot = now.max(*next);
            *next = slot + spacing;
            slot
        };
        if let Ok(wait) = Duration::try_from(slot.duration_since(now))
            && !wait.is_zero()
        {
            self.ports.time.sleep(wait).await;
        }
    }

    // The answer.

    pub(super) fn answer(&self, counts: BTreeMap<&'static str, u64>, mut findings: Vec<Finding>, secrets: Vec<Row>) -> Answer {
        findings.sort_by(|a, b| (a.severity, a.code, &a.secret).cmp(&(b.severity, b.code, &b.secret)));
        let worst = findings.first().map_or(Severity::Info, |finding| finding.severity);
        let refused = findings.iter().any(|finding| finding.code == Code::Refused);
        let outcome = match worst {
            _ if refused => Outcome::Failed,
            Severity::Page | Severity::Ticket => Outcome::Attention,
            Severity::Info => Outcome::Ok,
        };
        Answer {
            operation: self.request.operation(),
            outcome,
            version: env!("CARGO_PKG_VERSION"),
            request_id: self.caller.request_id.clone(),
            dry_run: self.is_dry_run(),
            counts,
            findings,
            secrets,
        }
    }

    /// The answer of an operation that was refused.
    pub(super) fn refusal(&self, secret: &SecretId, say: impl Into<String>, what_to_do: impl Into<String>) -> Answer {
        let finding = finding(Code::Refused, secret.name().as_str(), say, what_to_do);
        self.answer(BTreeMap::new(), vec![finding], Vec::new())
    }
}

pub(super) fn finding(code: Code, secret: &str, say: impl Into<String>, what_to_do: impl Into<String>) -> Finding {
    Finding { severity: code.severity(), code, secret: secret.to_owned(), say: say.into(), r#do: what_to_do.into() }
}
