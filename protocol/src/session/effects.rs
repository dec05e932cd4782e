//! Effects at the venue and on the secret, each with its audit line.

use std::collections::{BTreeMap, BTreeSet};

use super::{Act, Identity, SecretSession, store_class, store_error, venue_class};
use crate::audit::{Action, Outcome, Record};
use crate::bounds::{ATTEMPTS, LAST_MOMENT, REREAD_PAUSE, STAMP_RESOLUTION, is_past};
use crate::error::{Error, ErrorType};
use crate::label::{Label, Stamp, StampKind, VersionId};
use crate::marker::Marker;
use crate::ports::{
    Description, ErrorClass, Fleet, Grant, KeyToRevoke, LabelMove, ListedKey, StoreError, StoreErrorKind,
    VenueError,
};
use crate::secret::{Address, KeyId, SecretValue};
use crate::session::AccountAccess;

/// The secret's tag that names the version whose rotation a person has ordered.
pub(crate) const ORDER_TAG: &str = "RotationOrder";

/// What an effect was about, beside the version.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) key: Option<&'a KeyId>,
    pub(crate) marker: Option<&'a Marker>,
    pub(crate) label: Option<&'a Label>,
    /// The version that the label was on before.
    pub(crate) from: Option<&'a VersionId>,
    /// Whether a refusal says for certain that nothing was done.
    pub(crate) is_definite: bool,
}

impl<'a> About<'a> {
    pub(crate) fn key(key: &'a KeyId) -> Self {
        Self {
            key: Some(key),
            ..Self::default()
        }
    }
}

/// What became of an effect. The outer error says that nothing was tried: no time is left, or the secret may
/// not have this of the account. The inner one is the answer to what was tried.
pub(crate) type Tried<T, E> = Result<Result<T, E>, Error>;

impl SecretSession<'_> {
    pub(crate) async fn edit(
        &self,
        version: &VersionId,
        access: &AccountAccess<'_>,
        key: &ListedKey,
        value: &SecretValue,
        grant: &Grant,
        own: &BTreeSet<Address>,
    ) -> Tried<(), VenueError> {
        access.must_serve(Act::Have(grant, own))?;
        self.must_have_left(LAST_MOMENT)?;
        let passphrase = value.credential.passphrase.as_ref();
        let result = access
            .venue
            .edit(&access.master.signer, &access.account, key, passphrase, grant)
            .await;
        self.record(
            Action::EditKey,
            version,
            &About::key(&key.key_id),
            venue_class(&result),
        );
        Ok(result)
    }

    pub(crate) async fn revoke(
        &self,
        version: &VersionId,
        access: &AccountAccess<'_>,
        key: impl Into<KeyToRevoke<'_>>,
    ) -> Tried<(), VenueError> {
        let key = key.into();
        access.must_serve(Act::Die)?;
        self.must_have_left(LAST_MOMENT)?;
        let result = access
            .venue
            .revoke(&access.master.signer, &access.account, key)
            .await;
        // What the account had, and has not, is gone; a young key may not be known everywhere yet.
        let propagation = access.venue.facts().propagation;
        let was_there = key
            .listed_since
            .is_some_and(|made| is_past(made, propagation, self.now()));
        // Who deleted it is not known: this run may not say that it did.
        self.record(
            Action::RevokeKey,
            version,
            &About::key(key.key_id),
            venue_class(&result),
        );
        Ok(match result {
            Err(error) if error.class == ErrorClass::Gone && was_there => Ok(()),
            result => result,
        })
    }

    /// The version that the first or a later rotation of this invocation builds.
    pub(crate) fn rotation_token(&self, which: usize) -> VersionId {
        let id = &self.caller.request_id;
        VersionId::new(if which == 1 {
            id.clone()
        } else {
            format!("{id}-{which}")
        })
    }

    /// Marks a rotation as ordered by a person.
    pub(crate) async fn tag_order(&self, fleet: &dyn Fleet, token: &VersionId) -> Result<(), Error> {
        let tag = BTreeMap::from([(ORDER_TAG.to_owned(), token.to_string())]);
        let (mut pause, mut attempt) = (REREAD_PAUSE, 1);
        loop {
            self.must_have_left(LAST_MOMENT)?;
            match fleet.tag(self.secret, &tag).await {
                Err(error) if error.kind == StoreErrorKind::Busy && attempt < ATTEMPTS => {}
                result => return result.map_err(|error| store_error(&error)),
            }
            self.ports.time.sleep(pause).await;
            (pause, attempt) = (pause * 2, attempt + 1);
        }
    }

    /// Begins a rotation, the first or a later one of this invocation. Its version is the invocation's own
    /// id: asked for again, no second one begins.
    pub(crate) async fn begin_rotation(&self, fleet: &dyn Fleet, which: usize) -> Tried<(), StoreError> {
        let token = self.rotation_token(which);
        let (mut pause, mut attempt) = (REREAD_PAUSE, 1);
        loop {
            self.must_have_left(LAST_MOMENT)?;
            let result = fleet.start_rotation(self.secret, &token).await;
            self.record(
                Action::StartRotation,
                &token,
                &About::default(),
                store_class(&result),
            );
            if !result
                .as_ref()
                .is_err_and(|error| error.kind == StoreErrorKind::Busy)
                || attempt == ATTEMPTS
            {
                // A request that went out twice is refused the second time, and the answer to one may be
                // lost.
                let is_open =
                    |now: &Description| now.bears(&token, &Label::pending()) || now.is_current(&token);
                let begun = result.is_err() && self.describe().await.is_ok_and(|now| is_open(&now));
                if begun {
                    self.record(Action::StartRotation, &token, &About::default(), None);
                }
                return Ok(if begun { Ok(()) } else { result });
            }
            self.ports.time.sleep(pause).await;
            (pause, attempt) = (pause * 2, attempt + 1);
        }
    }

    /// Two versions whose ids begin alike have one stamp between them in each second: whoever is refused
    /// takes the next.
    pub(crate) async fn add_stamp(&self, kind: StampKind, version: &VersionId) -> Result<(), Error> {
        let stamped = self.stamp_now(kind, version).await;
        if !matches!(
            &stamped,
            Err(Error {
                error_type: ErrorType::StoreRefused,
                ..
            })
        ) {
            return stamped;
        }
        self.ports.time.sleep(STAMP_RESOLUTION).await;
        self.stamp_now(kind, version).await
    }

    async fn stamp_now(&self, kind: StampKind, version: &VersionId) -> Result<(), Error> {
        let label = Stamp { kind, at: self.now() }.label(version);
        let change = LabelMove {
            label,
            to: Some(version.clone()),
            from: None,
        };
        self.change_label(Action::AddLabel, change, version).await
    }

    pub(crate) async fn remove_label(&self, label: Label, version: &VersionId) -> Result<(), Error> {
        let change = LabelMove {
            label,
            to: None,
            from: Some(version.clone()),
        };
        self.change_label(Action::RemoveLabel, change, version).await
    }

    pub(crate) async fn move_label(&self, change: LabelMove, version: &VersionId) -> Result<(), Error> {
        self.change_label(Action::AddLabel, change, version).await
    }

    async fn change_label(
        &self,
        action: Action,
        change: LabelMove,
        version: &VersionId,
    ) -> Result<(), Error> {
        let (mut pause, mut unsure) = (REREAD_PAUSE, false);
        for attempt in 1.. {
            self.must_have_left(LAST_MOMENT)?;
            let result = self.ports.store.move_label(self.secret, &change).await;
            let from = change
                .from
                .as_ref()
                .filter(|from| change.to.as_ref().is_some_and(|to| to != *from));
            let is_definite = result
                .as_ref()
                .is_err_and(|error| error.kind == StoreErrorKind::Limit);
            let about = About {
                label: Some(&change.label),
                from,
                is_definite,
                ..About::default()
            };
            self.record(action, version, &about, store_class(&result));
            let Err(error) = result else { return Ok(()) };
            unsure |= error.kind == StoreErrorKind::UnknownOutcome;
            let again = error.kind.is_transient() && attempt < ATTEMPTS;
            // What was done already, by an attempt without an answer, by a request that went out twice or by
            // somebody else, is refused when it is asked for again.
            let may_be_made = unsure
                || change.to.is_none()
                || matches!(error.kind, StoreErrorKind::Invalid | StoreErrorKind::Limit);
            if !again && may_be_made && self.is_made(&change).await? {
                // A label that is there was put. One that is not may have been taken off by another, or not
                // be shown yet.
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

    /// # Errors
    /// STORE_UNAVAILABLE when that cannot be told.
    async fn is_made(&self, change: &LabelMove) -> Result<bool, Error> {
        let unknown = |error: Error| {
            let problem = format!(
                "nobody knows whether {} was changed, since the labels cannot be read: {}",
                change.label, error.problem
            );
            Error::new(ErrorType::StoreUnavailable, problem)
        };
        let description = self.describe().await.map_err(unknown)?;
        let holder = description.holder(&change.label);
        Ok(if change.to.is_some() {
            holder == change.to.as_ref()
        } else {
            holder != change.from.as_ref()
        })
    }

    pub(crate) fn record(
        &self,
        action: Action,
        version: &VersionId,
        about: &About<'_>,
        class: Option<ErrorClass>,
    ) {
        self.changes.note(self.secret, action, version, about, class);
        let name = self.secret.name();
        let Identity { arn_digest, account } = self.known.of(&name);
        self.ports.journal.record(&Record {
            time: self.now(),
            actor: self.caller.function_arn.clone(),
            request_id: self.caller.request_id.clone(),
            step: self.task,
            action,
            secret: name.to_string(),
            arn_digest,
            account,
            version: version.to_string(),
            key: about.key.map(KeyId::fingerprint),
            marker: about.marker.map(ToString::to_string),
            label: about.label.map(ToString::to_string),
            outcome: class.map_or(Outcome::Done, Outcome::from),
            class: class.map(ErrorClass::as_str),
            order: self.order.cloned(),
        });
    }
}
