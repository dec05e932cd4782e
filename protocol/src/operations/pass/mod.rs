//! One operation at work: whom it serves, at which pace, and what all its secrets share.

pub(crate) mod digest;
pub(crate) mod holders;
pub(crate) mod secret_pages;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::lock::Mutex as AsyncMutex;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::bounds::{ATTEMPTS, REREAD_PAUSE};
use crate::error::{Error, ErrorType};
use crate::name::{SecretId, VenueId, unqualified};
use crate::operations::answer::builder::AnswerBuilder;
use crate::operations::answer::{Answer, Code, Finding, Row};
use crate::operations::commands::describe_secret;
use crate::operations::pass::holders::{HolderCache, Holders};
use crate::operations::{Operation, OperationRequest, OperationSettings};
use crate::ports::{Description, Fleet, KeyState, Ports, SecretPage, Signer, StoredValue, Venue};
use crate::secret::SecretValue;
use crate::session::{
    Caller, Changes, Known, Master, SecretSession, master_at, master_in, read_master, store_error,
};
use crate::task::Task;

/// This much of an invocation is kept for what is under way and for the answer: no other secret is begun.
const LAST_BEGINNING: Duration = Duration::from_secs(20);
/// What is known of all holders counts for so long once it is read, where a key may be revoked for it.
const HOLDERS_KEEP: SignedDuration = SignedDuration::from_mins(2);

/// Which keys are held, or why that is not known.
type Index = Result<Arc<Holders>, Error>;

/// See the [module](self).
pub(crate) struct Pass<'a> {
    pub(crate) ports: Ports<'a>,
    pub(crate) fleet: &'a dyn Fleet,
    pub(crate) caller: &'a Caller,
    pub(crate) settings: &'a OperationSettings,
    pub(crate) request: &'a OperationRequest,
    /// The values of master credentials, by ARN: a parent account has many children.
    masters: Mutex<BTreeMap<String, Result<Arc<StoredValue>, Error>>>,
    /// What the venue says of them, by the fingerprint of their keys; nothing where it did not say.
    master_states: AsyncMutex<BTreeMap<String, Option<KeyState>>>,
    /// Of each venue the last credential that it has accepted in this run.
    accepted: Mutex<BTreeMap<String, Signer>>,
    /// What was said of one secret while others were looked after.
    told: Mutex<BTreeSet<String>>,
    /// Whose next call goes out when.
    pace: Mutex<BTreeMap<String, Timestamp>>,
    /// Since when that is known.
    holders: AsyncMutex<Option<(Timestamp, Index)>>,
    /// What the answers of one audit share.
    cache: &'a HolderCache,
    changes: Changes,
    pub(crate) known: Known,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        ports: Ports<'a>,
        fleet: &'a dyn Fleet,
        caller: &'a Caller,
        settings: &'a OperationSettings,
        cache: &'a HolderCache,
        request: &'a OperationRequest,
    ) -> Self {
        let (masters, told, pace, holders) = (
            Mutex::default(),
            Mutex::default(),
            Mutex::default(),
            AsyncMutex::default(),
        );
        let (accepted, changes) = (Mutex::default(), Changes::default());
        let (known, master_states) = (Known::default(), AsyncMutex::default());
        Self {
            ports,
            fleet,
            caller,
            settings,
            request,
            masters,
            master_states,
            accepted,
            told,
            pace,
            holders,
            cache,
            changes,
            known,
        }
    }

    pub(crate) fn session<'s>(&'s self, secret: &'s SecretId) -> SecretSession<'s> {
        SecretSession {
            ports: self.ports,
            caller: self.caller,
            task: Task::Operation(self.request.operation()),
            secret,
            order: self.request.order(),
            changes: &self.changes,
            known: &self.known,
        }
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        matches!(self.request, OperationRequest::Maintain { dry_run: true, .. })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.time.now()
    }

    /// Whether there is time to begin with another secret.
    pub(crate) fn has_time(&self) -> bool {
        let left = self.ports.time.deadline().duration_since(self.now());
        Duration::try_from(left).is_ok_and(|left| left > LAST_BEGINNING)
    }

    // The fleet.

    /// Whether the rotation function rotates this secret, or did until rotation was switched off.
    pub(crate) fn manages(&self, secret: &Description) -> bool {
        secret
            .rotation_function
            .as_ref()
            .is_some_and(|function| unqualified(function) == unqualified(&self.settings.rotation_function))
    }

    /// What the venue says of a master credential, which is asked once for all its children.
    pub(crate) async fn state_of(&self, venue: &dyn Venue, master: &Master) -> Option<KeyState> {
        let mut states = self.master_states.lock().await;
        let key = master.signer.credential.key_id.fingerprint();
        if let Some(state) = states.get(&key) {
            return state.clone();
        }
        self.turn_of(venue, master).await;
        let state = venue.ask(&master.signer).await.ok();
        states.insert(key, state.clone());
        state
    }

    /// Whether a secret is of the account that this function runs in: where its name is given, or that is not
    /// told, it is.
    pub(crate) fn is_of_this_account(&self, secret: &str) -> bool {
        let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
        let own = account(&self.settings.rotation_function);
        own.is_none() || account(secret).is_none_or(|account| own == Some(account))
    }

    /// What follows from it that a secret is of another account, where it is, and what to do.
    pub(crate) fn of_another_account(&self, arn: &str) -> Option<(&'static str, String)> {
        let say = "the secret is of another AWS account, whose secrets cannot be listed from here: who holds \
                   its keys is not known, and none of them is revoked";
        let what_to_do = format!(
            "deploy the functions in that account, and attach the secret to them; until then, say its ARN \
             instead of its name in every command: {arn}"
        );
        (!self.is_of_this_account(arn)).then_some((say, what_to_do))
    }

    pub(crate) async fn list(&self, after: Option<&str>) -> Result<SecretPage, Error> {
        with_retries(self, || async {
            self.fleet.list(after).await.map_err(|error| store_error(&error))
        })
        .await
    }

    /// Which keys are held, by any secret of any shard. Read when it is first needed, by one for all; where
    /// that fails, it is not tried again for everyone who asks.
    pub(crate) async fn holders(&self) -> Index {
        let mut known = self.holders.lock().await;
        let only_reads = self.request.operation().only_reads();
        if let Some((at, holders)) = known.as_ref()
            && (only_reads || self.now().duration_since(*at) < HOLDERS_KEEP)
        {
            return holders.clone();
        }
        let holders = self.find_holders().await;
        // An order looks again: what kept it from knowing may pass.
        if holders.is_ok() || self.request.order().is_none() {
            *known = Some((self.now(), holders.clone()));
        }
        holders
    }

    /// Has whoever asks next for the keys that are held read them once more.
    pub(crate) async fn read_holders_anew(&self) {
        *self.holders.lock().await = None;
    }

    /// The answers of one audit share what its first one read: they revoke nothing.
    async fn find_holders(&self) -> Index {
        let OperationRequest::Audit { after, .. } = self.request else {
            return Holders::of_all(self).await.map(Arc::new);
        };
        if after.is_some()
            && let Some(holders) = self.cache.holders_at(self.now())
        {
            return Ok(holders);
        }
        let holders = Arc::new(Holders::of_all(self).await?);
        self.cache.keep(self.now(), &holders);
        Ok(holders)
    }

    // The venue.

    /// The master credential that a value names.
    pub(crate) async fn master(&self, venue: &dyn Venue, value: &SecretValue) -> Result<Master, Error> {
        let id = master_at(venue, value)?;
        let known = self
            .masters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id.as_str())
            .cloned();
        let stored = if let Some(stored) = known {
            stored
        } else {
            let read = with_retries(self, || read_master(self.ports, &id))
                .await
                .map(Arc::new);
            // Whatever keeps it from being read, nothing of its accounts can be done until a person puts that
            // right.
            let unusable = |error: Error| {
                if is_transient(&error) {
                    error
                } else {
                    Error::new(ErrorType::MasterInvalid, error.problem)
                }
            };
            let read = read.map_err(unusable);
            // What passes may be over for the next child.
            if !read.as_ref().is_err_and(is_transient) {
                self.masters
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(id.as_str().to_owned(), read.clone());
            }
            read
        };
        master_in(
            &id,
            stored.as_deref().map_err(Clone::clone)?,
            &venue.masters(),
            value,
        )
    }

    /// Notes that a venue has accepted a credential.
    pub(crate) fn note_accepted(&self, venue: &VenueId, key: Signer) {
        self.accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(venue.to_string(), key);
    }

    /// A credential that a venue has accepted in this run. By itself that says nothing of the host that
    /// answers now.
    pub(crate) fn accepted_at(&self, venue: &VenueId) -> Option<Signer> {
        self.accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&venue.to_string())
            .cloned()
    }

    /// Waits until it is a venue's turn for another call of this function's.
    pub(crate) async fn turn(&self, venue: &dyn Venue) {
        self.wait_for(venue.id().to_string(), venue.facts().spacing).await;
    }

    /// The same for a call that the master credential signs.
    pub(crate) async fn turn_of(&self, venue: &dyn Venue, master: &Master) {
        self.turn(venue).await;
        self.wait_for(
            master.signer.credential.key_id.fingerprint(),
            venue.facts().master_spacing,
        )
        .await;
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

    /// Whether this is said for the first time in this pass.
    pub(crate) fn is_news(&self, what: String) -> bool {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(what)
    }

    /// The command that asks for an operation on a secret.
    pub(crate) fn command(&self, operation: Operation, secret: &str) -> String {
        self.command_with(operation, &[("secret", secret)])
    }

    /// The command that shows which secrets there are to name.
    pub(crate) fn command_that_lists(&self) -> String {
        self.command_with(Operation::Audit, &[])
    }

    /// What to do where a secret could not be looked at: what passes is asked for once more.
    pub(crate) fn after(&self, error: &Error, secret: &str) -> String {
        if is_transient(error) {
            self.command(self.request.operation(), secret)
        } else {
            describe_secret(secret)
        }
    }

    /// The command that asks for an operation, with what it is to say.
    pub(crate) fn command_with(&self, operation: Operation, fields: &[(&str, &str)]) -> String {
        self.command_of(operation, event(operation, fields))
    }

    /// The command that sends an operation's event to the function that performs it.
    pub(crate) fn command_of(&self, operation: Operation, event: Map<String, Value>) -> String {
        let is_ours = operation.duty() == self.request.operation().duty();
        let function = if is_ours {
            &self.caller.function_arn
        } else {
            &self.settings.other_function
        };
        // A shell would take the apostrophe of a reason for the payload's end. The CLI asks twice where an
        // answer takes long.
        let payload = Value::from(event).to_string().replace('\'', "\\u0027");
        format!(
            "aws lambda invoke --function-name {function} --cli-read-timeout 0 --cli-binary-format \
             raw-in-base64-out --payload '{payload}' /dev/stdout"
        )
    }

    /// An answer with nothing in it yet.
    pub(crate) fn builder(&self) -> AnswerBuilder<'_> {
        AnswerBuilder::new(self.ports, self.caller, self.request, &self.known)
    }

    /// The answer of an operation that was refused.
    pub(crate) fn refusal(
        &self,
        secret: &str,
        say: impl Into<String>,
        what_to_do: impl Into<String>,
    ) -> Answer {
        let mut builder = self.builder();
        builder.find(finding(Code::Refused, secret, say, what_to_do));
        builder.answer(self.is_dry_run())
    }
}

/// The event that asks for an operation.
pub(crate) fn event(operation: Operation, fields: &[(&str, &str)]) -> Map<String, Value> {
    let mut event = Map::from_iter([("operation".to_owned(), operation.as_str().into())]);
    event.extend(
        fields
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).into())),
    );
    event
}

/// The answer of an operation that was not done: refused, where nothing was changed, and where something was
/// with what that is.
pub(crate) fn not_done(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    description: &Description,
    say: impl Into<String>,
    what_to_do: impl Into<String>,
) -> Answer {
    let row = row_of(session, description);
    if row.did.is_empty() {
        return pass.refusal(&row.secret, say, what_to_do);
    }
    let mut builder = pass.builder();
    builder.fail();
    builder.find(finding(Code::NotDone, &row.secret, say, what_to_do));
    builder.row(row);
    builder.answer(false)
}

/// The row of a secret that an operation is about, with what it has changed.
pub(crate) fn row_of(session: &SecretSession<'_>, description: &Description) -> Row {
    let (secret, arn) = (description.name.as_str().to_owned(), description.arn.clone());
    Row {
        secret,
        arn,
        did: session.changed(),
        ..Row::default()
    }
}

pub(crate) fn finding(
    code: Code,
    secret: &str,
    say: impl Into<String>,
    what_to_do: impl Into<String>,
) -> Finding {
    // What tells the secret apart is added where the finding goes into the answer.
    let (arn_digest, account) = (None, None);
    let (secret, say, r#do) = (secret.to_owned(), say.into(), what_to_do.into());
    Finding {
        severity: code.severity(),
        code,
        secret,
        arn_digest,
        account,
        say,
        r#do,
        runbook: code.runbook(),
    }
}

pub(crate) fn is_transient(error: &Error) -> bool {
    error.error_type == ErrorType::StoreUnavailable
}

/// An error in an answer's words.
pub(crate) fn told(error: &Error) -> String {
    format!("{}: {}", error.error_type, error.problem)
}

/// A read that is made again where what stands in its way passes.
pub(crate) async fn with_retries<T, F>(pass: &Pass<'_>, mut read: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut pause = REREAD_PAUSE;
    for _ in 1..ATTEMPTS {
        match read().await {
            Err(error) if is_transient(&error) => {}
            answer => return answer,
        }
        pass.ports.time.sleep(pause).await;
        pause *= 2;
    }
    read().await
}
