//! What a person does in a world: at Secrets Manager and at the venue.

use std::convert::Infallible;

use jiff::Timestamp;
use protocol::label::VersionId;

use super::world::World;
use crate::bybit::{self, Uid};
use crate::secrets_manager::{self, AWSCURRENT, PutSecretValue, Sensitive};

impl World {
    /// Does something at Secrets Manager. For stale reads it counts as one write.
    pub fn secrets_manager<T>(&self, act: impl FnOnce(&mut secrets_manager::Model, Timestamp) -> T) -> T {
        let mut state = self.state.lock();
        let done: Result<T, Infallible> = state.write(|model, now| Ok(act(model, now)));
        state.others_acted(false);
        let Ok(done) = done;
        done
    }

    /// Does something at the venue.
    pub fn bybit<T>(&self, act: impl FnOnce(&mut bybit::Model, Timestamp) -> T) -> T {
        let mut state = self.state.lock();
        let now = state.now;
        let done = act(&mut state.bybit, now);
        state.others_acted(true);
        done
    }

    /// Stores a version of the secret by hand, filled in with this key, and puts a label on it: AWSCURRENT
    /// makes it current.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn put_by_hand(
        &self,
        document: &str,
        key: &bybit::Credential,
        account: Uid,
        label: &str,
    ) -> VersionId {
        let random = self.state.lock().random.next();
        let token = VersionId::new(format!("{random:016x}-stored-by-one-hand"));
        self.put_by_hand_as(&token, document, key, account, label);
        token
    }

    /// The same, under a version id that is given, such as that of an open rotation.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn put_by_hand_as(
        &self,
        version: &VersionId,
        document: &str,
        key: &bybit::Credential,
        account: Uid,
        label: &str,
    ) {
        let request = PutSecretValue {
            secret_id: self.secret().as_str().to_owned(),
            client_request_token: Some(version.as_str().to_owned()),
            secret_string: Some(Sensitive::new(self.filled_in(document, key, account))),
            version_stages: Some(vec![label.to_owned()]),
            ..PutSecretValue::default()
        };
        let stored = self.secrets_manager(|model, now| model.put_secret_value(&request, now));
        stored.expect("Secrets Manager stores a version by hand");
    }

    /// Moves a label by hand: onto the version, from wherever it is, or off where no version is given.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn label(&self, label: &str, to: Option<&VersionId>) {
        let from = self.holder(label);
        let request = secrets_manager::UpdateSecretVersionStage {
            secret_id: self.secret().as_str().to_owned(),
            version_stage: label.to_owned(),
            remove_from_version_id: from.map(|version| version.to_string()),
            move_to_version_id: to.map(ToString::to_string),
        };
        let moved = self.secrets_manager(|model, now| model.update_secret_version_stage(&request, now));
        moved.expect("Secrets Manager moves a label by hand");
    }

    /// Makes a version current by hand, as `update-secret-version-stage` does.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn make_current(&self, version: &VersionId) {
        self.label(AWSCURRENT, Some(version));
    }
}
