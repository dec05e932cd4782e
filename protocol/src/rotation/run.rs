//! One invocation at work: its reads, its effects with their audit lines, and its errors' places.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::bounds::{ATTEMPTS, LAST_MOMENT, LONGEST_RUN, REREAD, REREAD_PAUSE};
use super::wrong::{self, Wrong};
use super::{Caller, Request, Settings};
use crate::audit::{Action, Outcome, Record};
use crate::error::{Error, ErrorType};
use crate::label::{Label, MOST_LABELS, Stamp, StampKind, VersionId};
use crate::marker::Marker;
use crate::ports::{
    Description, ErrorClass, Grant, IssuedKey, LabelMove, Ports, Put, StoreError, StoreErrorKind, StoredValue, Venue, VenueError,
    Which, Whose,
};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::step::Step;

pub(super) struct Run<'a> {
    pub(super) ports: Ports<'a>,
    pub(super) caller: &'a Caller,
    pub(super) settings: &'a Settings,
    pub(super) request: &'a Request,
}

/// What an effect was about, beside the version.
#[derive(Default)]
struct About<'a> {
    key: Option<&'a KeyId>,
    marker: Option<&'a Marker>,
    label: Option<&'a Label>,
}

impl<'a> About<'a> {
    fn key(key: &'a KeyId) -> Self {
        Self { key: Some(key), ..Self::default() }
    }
}

/// A venue, its master credential and the account: whom to ask about the keys of a secret.
pub(super) struct Desk<'a> {
    pub(super) venue: &'a dyn Venue,
    pub(super) master: crate::ports::Signer,
    pub(super) account: AccountId,
}

impl<'a> Run<'a> {
    pub(super) fn new(ports: Ports<'a>, caller: &'a Caller, settings: &'a Settings, request: &'a Request) -> Self {
        Self { ports, caller, settings, request }
    }

    pub(super) fn token(&self) -> &'a VersionId {
        &self.request.token
    }

    pub(super) fn now(&self) -> Timestamp {
        self.ports.time.now()
    }

    /// What is left of the invocation, by the wall clock: a process that was frozen sees here how late it is.
    pub(super) fn time_left(&self) -> Duration {
        if wrong::is(Wrong::ThawedGoesOn) {
            return LONGEST_RUN;
        }
        let left = self.ports.time.deadline().duration_since(self.now());
        Duration::try_from(left.max(SignedDuration::ZERO)).unwrap_or_default()
    }

    /// # Errors
    /// DEADLINE_NEAR when less than `needed` is left.
    pub(super) fn must_have_left(&self, needed: Duration) -> Result<(), Error> {
        let left = self.time_left();
        if left >= needed {
            return Ok(());
        }
        let problem = format!(
            "only {:.1} s of the invocation are left, too little to begin a change: nothing more was done, and the step can be \
             repeated. If this recurs, raise the function's Timeout",
            left.as_secs_f32()
        );
        Err(Error::new(ErrorType::DeadlineNear, problem))
    }

    // Reads.

    pub(super) async fn describe(&self) -> Result<Description, Error> {
        self.ports.store.describe(&self.request.secret).await.map_err(|error| store_error(&error))
    }

    pub(super) async fn read(&self, which: Which<'_>) -> Result<Option<StoredValue>, Error> {
        self.ports.store.read(&self.request.secret, which).await.map_err(|error| store_error(&error))
    }

    /// The token's value. A read right after the write may miss it: asked again for a bounded time.
    pub(super) async fn read_token_patiently(&self) -> Result<Option<StoredValue>, Error> {
        let until = self.now() + REREAD.min(self.time_left().saturating_sub(LAST_MOMENT));
        let mut pause = REREAD_PAUSE;
        while self.now() < until {
            self.ports.time.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            if let Some(stored) = self.read(Which::Version(self.token())).await? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    /// The token's value, where `first` is what a first read of it gave.
    pub(super) async fn pending(&self, first: Result<Option<StoredValue>, Error>) -> Result<StoredValue, Error> {
        let stored = match first? {
            Some(stored) => Some(stored),
            None => self.read_token_patiently().await?,
        };
        stored.ok_or_else(|| {
            let problem = "the pending version has no value: createSecret has to store one first";
            Error::new(ErrorType::PendingEmpty, problem)
        })
    }

    // Effects. The outer error says that nothing was tried.

    pub(super) async fn issue(
        &self,
        desk: &Desk<'_>,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<Result<IssuedKey, VenueError>, Error> {
        self.must_have_left(LAST_MOMENT)?;
        let result = desk.venue.issue(&desk.master, &desk.account, marker, grant).await;
        let key = result.as_ref().ok().map(|issued| issued.credential.key_id.clone());
        let about = About { key: key.as_ref(), marker: Some(marker), label: None };
        self.record(Action::IssueKey, self.token(), &about, venue_class(&result));
        Ok(result)
    }

    pub(super) async fn edit(&self, desk: &Desk<'_>, key: &KeyId, grant: &Grant) -> Result<Result<(), VenueError>, Error> {
        self.must_have_left(LAST_MOMENT)?;
        let result = desk.venue.edit(&desk.master, &desk.account, key, grant).await;
        self.record(Action::EditKey, self.token(), &About::key(key), venue_class(&result));
        Ok(result)
    }

    pub(super) async fn revoke(&self, desk: &Desk<'_>, key: &KeyId) -> Result<Result<(), VenueError>, Error> {
        self.must_have_left(LAST_MOMENT)?;
        let result = desk.venue.revoke(&desk.master, &desk.account, key).await;
        self.record(Action::RevokeKey, self.token(), &About::key(key), venue_class(&result));
        Ok(result)
    }

    pub(super) async fn put(&self, text: &SecretString, key: &KeyId) -> Result<Result<(), StoreError>, Error> {
        self.must_have_left(LAST_MOMENT)?;
        let pending = [Label::pending()];
        let labels = if wrong::is(Wrong::PutUnlabelled) { &[][..] } else { &pending };
        let put = Put { token: self.token(), text, labels, rotation_token: self.request.rotation_token.as_ref() };
        let result = self.ports.store.put(&self.request.secret, &put).await;
        self.record(Action::PutValue, self.token(), &About::key(key), store_class(&result));
        Ok(result)
    }

    pub(super) async fn move_current(&self, from: &VersionId, key: &KeyId) -> Result<Result<(), StoreError>, Error> {
        self.must_have_left(LAST_MOMENT)?;
        let change = LabelMove { label: Label::current(), to: Some(self.token().clone()), from: Some(from.clone()) };
        let result = self.ports.store.move_label(&self.request.secret, &change).await;
        self.record(Action::MoveCurrent, self.token(), &About::key(key), store_class(&result));
        Ok(result)
    }

    /// The audit line of a move whose answer was lost, once a look has shown that it was made.
    pub(super) fn record_that_current_moved(&self, key: &KeyId) {
        self.record(Action::MoveCurrent, self.token(), &About::key(key), None);
    }

    pub(super) async fn add_stamp(&self, kind: StampKind, version: &VersionId) -> Result<(), Error> {
        let label = Stamp { kind, at: self.now() }.label(version);
        let change = LabelMove { label, to: Some(version.clone()), from: None };
        self.change_label(Action::AddLabel, change, version).await
    }

    pub(super) async fn remove_label(&self, label: Label, version: &VersionId) -> Result<(), Error> {
        let change = LabelMove { label, to: None, from: Some(version.clone()) };
        self.change_label(Action::RemoveLabel, change, version).await
    }

    async fn change_label(&self, action: Action, change: LabelMove, version: &VersionId) -> Result<(), Error> {
        let (mut pause, mut unsure) = (REREAD_PAUSE, false);
        for attempt in 1.. {
            self.must_have_left(LAST_MOMENT)?;
            let result = self.ports.store.move_label(&self.request.secret, &change).await;
            let about = About { label: Some(&change.label), ..About::default() };
            self.record(action, version, &about, store_class(&result));
            let Err(error) = result else { return Ok(()) };
            unsure |= error.kind == StoreErrorKind::UnknownOutcome;
            let again = error.kind.passes() && attempt < ATTEMPTS;
            // What was done already, by an attempt without an answer or by somebody else, is refused when it is asked for again.
            if !again && (unsure || change.to.is_none()) && self.is_made(&change).await? {
                // A label that is there was put. One that is not may have been taken off by another, or not be shown yet.
                if change.to.is_some() {
                    self.record(action, version, &about, None);
                }
                return Ok(());
            }
            if !again {
                return Err(store_error(&error));
            }
            self.ports.time.sleep(pause).await;
            pause *= 2;
        }
        Ok(())
    }

    async fn is_made(&self, change: &LabelMove) -> Result<bool, Error> {
        let description = self.describe().await?;
        let holder = description.holder(&change.label);
        Ok(if change.to.is_some() { holder == change.to.as_ref() } else { holder != change.from.as_ref() })
    }

    /// Grace counts from the stamp on the replaced version: the first run other than testSecret that sees one without adds it.
    pub(super) async fn stamp_previous(&self, description: &Description) -> Result<(), Error> {
        if wrong::is(Wrong::SwapUnstamped) && self.request.step == Step::Finish {
            return Ok(());
        }
        let Some(previous) = unstamped_previous(description) else { return Ok(()) };
        must_fit(description, 1)?;
        // What was stamped before it became current says nothing, and a condemnation would cut its grace short.
        self.remove_void_stamps(description, previous).await?;
        self.add_stamp(StampKind::Replaced, previous).await
    }

    /// The stamps on a version that is current, or was until just now, say nothing: it was replaced and came back by a hand, or it
    /// was given up while it was being promoted. Left there they would count against it once it is replaced.
    pub(super) async fn remove_void_stamps(&self, description: &Description, version: &VersionId) -> Result<(), Error> {
        if wrong::is(Wrong::VoidStampsKept) || wrong::is(Wrong::OldStampTrusted) {
            return Ok(());
        }
        let stamps: Vec<Label> = description.labels(version).filter(|label| label.stamp().is_some()).cloned().collect();
        for stamp in stamps {
            self.remove_label(stamp, version).await?;
        }
        Ok(())
    }

    fn record(&self, action: Action, version: &VersionId, about: &About<'_>, class: Option<ErrorClass>) {
        self.ports.journal.record(&Record {
            time: self.now(),
            actor: self.caller.function_arn.clone(),
            request_id: self.caller.request_id.clone(),
            step: self.request.step,
            action,
            secret: self.request.secret.name().to_string(),
            version: version.to_string(),
            key: about.key.map(KeyId::fingerprint),
            marker: about.marker.map(ToString::to_string),
            label: about.label.map(ToString::to_string),
            outcome: class.map_or(Outcome::Done, Outcome::from),
            class: class.map(ErrorClass::as_str),
        });
    }
}

/// # Errors
/// VALUE_INVALID, naming the version and the field.
pub(super) fn parse(stored: &StoredValue) -> Result<SecretValue, Error> {
    SecretValue::parse(&stored.text).map_err(|error| {
        let problem = format!("the value of version {} cannot be used: {error}", stored.version);
        Error::new(ErrorType::ValueInvalid, problem)
    })
}

/// The version that was current last, where no stamp says since when it is not.
pub(super) fn unstamped_previous(description: &Description) -> Option<&VersionId> {
    description.holder(&Label::previous()).filter(|version| {
        let current = description.holder(&Label::current()) == Some(*version);
        !current && !has_stamp(description, version, StampKind::Replaced)
    })
}

/// Whether a version has been current: no version becomes so twice.
pub(super) fn was_current(description: &Description, version: &VersionId) -> bool {
    description.holder(&Label::previous()) == Some(version) || has_stamp(description, version, StampKind::Replaced)
}

pub(super) fn has_stamp(description: &Description, version: &VersionId, kind: StampKind) -> bool {
    description.labels(version).any(|label| label.stamp().is_some_and(|stamp| stamp.kind == kind))
}

/// # Errors
/// LABELS_FULL when the secret has no room for so many more labels.
pub(super) fn must_fit(description: &Description, more: usize) -> Result<(), Error> {
    let held: usize = description.versions.values().map(std::collections::BTreeSet::len).sum();
    if held + more <= MOST_LABELS || wrong::is(Wrong::FullLabelsIgnored) {
        return Ok(());
    }
    let problem = format!(
        "the secret holds {held} staging labels of the {MOST_LABELS} it can hold, and {more} more must come: take labels off old \
         versions whose keys are dead (aws secretsmanager update-secret-version-stage --remove-from-version-id …)"
    );
    Err(Error::new(ErrorType::LabelsFull, problem))
}

pub(super) fn store_error(error: &StoreError) -> Error {
    let StoreError { kind, operation, code } = error;
    let (error_type, advice) = match kind {
        StoreErrorKind::NotFound => (ErrorType::SecretNotFound, "check the SecretId and the Region"),
        StoreErrorKind::Denied => (ErrorType::StoreDenied, "allow the function's role this operation on the secret"),
        StoreErrorKind::Kms => {
            (ErrorType::StoreDenied, "the secret's KMS key cannot be used: check its state and the role's grant on it")
        }
        StoreErrorKind::Busy | StoreErrorKind::UnknownOutcome => {
            (ErrorType::StoreUnavailable, "Secrets Manager repeats the rotation; nothing need be done unless this lasts")
        }
        StoreErrorKind::Exists | StoreErrorKind::Invalid | StoreErrorKind::Limit => {
            (ErrorType::StoreRefused, "look at the secret's state with describe-secret")
        }
    };
    Error::new(error_type, format!("{operation} failed ({code}): {advice}"))
}

pub(super) fn venue_error(error: &VenueError) -> Error {
    let error_type = match (error.class, error.whose) {
        (ErrorClass::Rejected | ErrorClass::Denied, Whose::Master) => ErrorType::MasterRefused,
        (ErrorClass::Rejected | ErrorClass::Denied, Whose::Current) => ErrorType::CurrentUnusable,
        (ErrorClass::Rejected | ErrorClass::Denied, Whose::Offered) => ErrorType::OfferRefused,
        (ErrorClass::Rejected, Whose::Pending) => ErrorType::PendingRejected,
        (ErrorClass::Denied, Whose::Pending) => ErrorType::PendingDenied,
        (ErrorClass::Refused | ErrorClass::Fault, _) => ErrorType::VenueRefused,
        (ErrorClass::Clock | ErrorClass::Busy | ErrorClass::UnknownOutcome, _) => ErrorType::VenueUnavailable,
    };
    Error::new(error_type, format!("{} (signed with the {} credential)", error.say, error.whose.as_str()))
}

fn venue_class<T>(result: &Result<T, VenueError>) -> Option<ErrorClass> {
    result.as_ref().err().map(|error| error.class)
}

fn store_class<T>(result: &Result<T, StoreError>) -> Option<ErrorClass> {
    result.as_ref().err().map(|error| error.kind.class())
}
