//! One invocation at work: its reads, its effects with their audit lines, and its errors' places.

use std::time::Duration;

use secrecy::SecretString;

use super::wrong::{self, Wrong};
use super::{RotationSettings, StepRequest};
use crate::audit::Action;
use crate::bounds::{LAST_MOMENT, REREAD, REREAD_PAUSE};
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::marker::Marker;
use crate::ports::{
    ErrorClass, Grant, IssuedKey, LabelMove, ListedKey, Ports, Put, StoreError, StoredValue, VenueError,
    Which,
};
use crate::secret::{KeyId, SecretValue};
use crate::session::{
    About, AccountAccess, Act, Caller, Changes, Known, SecretSession, Tried, store_class, venue_class,
    venue_error,
};
use crate::task::Task;

pub(super) struct Run<'a> {
    pub(super) session: SecretSession<'a>,
    pub(super) settings: &'a RotationSettings,
    pub(super) request: &'a StepRequest,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        ports: Ports<'a>,
        caller: &'a Caller,
        settings: &'a RotationSettings,
        request: &'a StepRequest,
        (changes, known): (&'a Changes, &'a Known),
    ) -> Self {
        let session = SecretSession {
            ports,
            caller,
            task: Task::Step(request.step),
            secret: &request.secret,
            order: None,
            changes,
            known,
        };
        Self {
            session,
            settings,
            request,
        }
    }

    pub(super) fn token(&self) -> &'a VersionId {
        &self.request.token
    }

    /// The token's value. A read right after the write may miss it: asked again for a bounded time.
    pub(super) async fn read_token_patiently(&self) -> Result<Option<StoredValue>, Error> {
        let until = self.session.now() + REREAD.min(self.session.time_left().saturating_sub(LAST_MOMENT));
        let mut pause = REREAD_PAUSE;
        while self.session.now() < until {
            self.session.ports.time.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            if let Some(stored) = self.session.read(Which::Version(self.token())).await? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    /// The token's value, where `first` is what a first read of it gave.
    pub(super) async fn pending(
        &self,
        first: Result<Option<StoredValue>, Error>,
    ) -> Result<StoredValue, Error> {
        let stored = match first? {
            Some(stored) => Some(stored),
            None => self.read_token_patiently().await?,
        };
        stored.ok_or_else(|| {
            let problem = "the pending version has no value: createSecret has to store one first";
            Error::new(ErrorType::PendingEmpty, problem)
        })
    }

    // Effects, like those of the session.

    pub(super) async fn issue(
        &self,
        access: &AccountAccess<'_>,
        marker: &Marker,
        grant: &Grant,
    ) -> Tried<IssuedKey, VenueError> {
        access.must_serve(Act::Have(grant, &self.settings.egress))?;
        self.session.must_have_left(LAST_MOMENT)?;
        let result = access
            .venue
            .issue(&access.master.signer, &access.account, marker, grant)
            .await;
        let key = result
            .as_ref()
            .ok()
            .map(|issued| issued.credential.key_id.clone());
        let about = About {
            key: key.as_ref(),
            marker: Some(marker),
            ..About::default()
        };
        self.session
            .record(Action::IssueKey, self.token(), &about, venue_class(&result));
        Ok(result)
    }

    /// Revokes a key of the token's whose secret is lost. One that nobody can delete, since the master is
    /// another one by now, is in no rotation's way: a pass tells a person of it.
    pub(super) async fn revoke_unstored(
        &self,
        access: &AccountAccess<'_>,
        key: &ListedKey,
    ) -> Result<(), Error> {
        match self.session.revoke(self.token(), access, key).await? {
            Err(error) if error.class == ErrorClass::PassphraseWrong => {
                tracing::warn!(%error, key = %key.key_id, "a key cannot be deleted without its passphrase");
                Ok(())
            }
            revoked => revoked.map_err(|error| venue_error(&error)),
        }
    }

    pub(super) async fn put(&self, text: &SecretString, key: &KeyId) -> Tried<(), StoreError> {
        self.session.must_have_left(LAST_MOMENT)?;
        let pending = [Label::pending()];
        let labels = if wrong::is(Wrong::PutUnlabelled) {
            &[][..]
        } else {
            &pending
        };
        let put = Put {
            token: self.token(),
            text,
            labels,
            rotation_token: self.request.rotation_token.as_ref(),
        };
        let result = self.session.ports.store.put(self.session.secret, &put).await;
        self.session.record(
            Action::PutValue,
            self.token(),
            &About::key(key),
            store_class(&result),
        );
        Ok(result)
    }

    pub(super) async fn move_current(&self, from: &VersionId, key: &KeyId) -> Tried<(), StoreError> {
        self.session.must_have_left(LAST_MOMENT)?;
        let change = LabelMove {
            label: Label::current(),
            to: Some(self.token().clone()),
            from: Some(from.clone()),
        };
        let result = self
            .session
            .ports
            .store
            .move_label(self.session.secret, &change)
            .await;
        self.session.record(
            Action::MoveCurrent,
            self.token(),
            &About::key(key),
            store_class(&result),
        );
        Ok(result)
    }

    /// The audit line of a move whose answer was lost, once a look has shown that it was made.
    pub(super) fn record_that_current_moved(&self, key: &KeyId) {
        self.session
            .record(Action::MoveCurrent, self.token(), &About::key(key), None);
    }
}

/// # Errors
/// VALUE_INVALID, naming the version and the field.
pub(super) fn parse(stored: &StoredValue) -> Result<SecretValue, Error> {
    stored.value().map_err(|error| {
        let problem = format!("the value of version {} cannot be used: {error}", stored.version);
        Error::new(ErrorType::ValueInvalid, problem)
    })
}
