//! What a person does in a world: at Secrets Manager and at the venue.

use std::convert::Infallible;

use jiff::Timestamp;
use protocol::label::VersionId;
use protocol::name::SecretId;

use super::kind::{Power, SPOT, TRADES};
use super::setup::{SUB, settings_by_hand};
use super::world::World;
use crate::secrets_manager::{
    self, AWSCURRENT, CancelRotateSecret, DeleteSecret, PutSecretValue, Replica, ReplicaStatus, Sensitive,
};
use crate::venue::{self, Credential, KeyId, Permissions, Settings, Uid};

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
    pub fn venue<T>(&self, act: impl FnOnce(&mut venue::Model, Timestamp) -> T) -> T {
        let mut state = self.state.lock();
        let now = state.now;
        let done = act(&mut state.venue, now);
        state.others_acted(true);
        done
    }

    // At the venue.

    /// Makes a key on an account, with all that the usual policy asks for.
    ///
    /// # Panics
    /// When the account is not there, or has no room.
    pub fn key_by_hand(&self, account: Uid) -> Credential {
        self.key_by_hand_with(account, settings_by_hand(&[TRADES, SPOT]))
    }

    /// The same with other settings.
    ///
    /// # Panics
    /// As [`World::key_by_hand`].
    pub fn key_by_hand_with(&self, account: Uid, settings: Settings) -> Credential {
        self.venue(|model, now| model.create_key_by_hand(account, settings, now))
            .expect("the account is there, and has room")
    }

    /// Changes what a key may do, or from where.
    ///
    /// # Panics
    /// When the key is not there.
    pub fn edit_key(&self, key: &KeyId, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings_of(key);
        change(&mut settings);
        self.venue(|model, now| model.edit_key_by_hand(key, settings, now))
            .expect("the key is there");
    }

    /// Gives a key these powers, and takes all others away.
    ///
    /// # Panics
    /// When the key is not there.
    pub fn grant(&self, key: &KeyId, powers: &[Power<'_>]) {
        self.edit_key(key, |settings| settings.permissions = Permissions::of(powers));
    }

    /// Deletes a key.
    ///
    /// # Panics
    /// When the key is not there.
    pub fn delete_key(&self, key: &KeyId) {
        self.venue(|model, now| model.delete_key_by_hand(key, now))
            .expect("the key is there");
    }

    // At Secrets Manager.

    /// Stores the usual value with this key of the secret's sub-account, under a label: AWSCURRENT makes it
    /// current, CANDIDATE offers it.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn put_key(&self, key: &Credential, label: &str) -> VersionId {
        self.put_by_hand(self.text_of_setup(), key, SUB, label)
    }

    /// Stores a version of the secret by hand, filled in with this key, and puts a label on it: AWSCURRENT
    /// makes it current.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn put_by_hand(&self, document: &str, key: &Credential, account: Uid, label: &str) -> VersionId {
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
        key: &Credential,
        account: Uid,
        label: &str,
    ) {
        let value = self.filled_in(document, key, account);
        self.put_value(self.secret(), version, &value, &[label]);
    }

    /// Stores a value as it is, as a version of any secret, under these labels.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn put_value(&self, secret: &SecretId, version: &VersionId, value: &str, labels: &[&str]) {
        let request = PutSecretValue {
            secret_id: secret.as_str().to_owned(),
            client_request_token: Some(version.as_str().to_owned()),
            secret_string: Some(Sensitive::new(value)),
            version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
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
    /// Puts labels of a person's own on a version, until the secret holds so many labels.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn fill_labels(&self, count: usize, version: &VersionId) {
        for own in 1.. {
            if self.label_count() >= count {
                break;
            }
            self.label(&format!("own-{own}"), Some(version));
        }
    }

    /// Schedules a secret for deletion.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn delete_secret(&self, secret: &SecretId) {
        let request = DeleteSecret {
            secret_id: secret.as_str().to_owned(),
            ..DeleteSecret::default()
        };
        self.secrets_manager(|model, now| model.delete_secret(&request, now))
            .expect("Secrets Manager schedules the secret for deletion");
    }

    /// Switches the secret's rotation off.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn switch_off(&self) {
        let request = CancelRotateSecret {
            secret_id: self.secret().as_str().to_owned(),
        };
        self.secrets_manager(|model, now| model.cancel_rotate_secret(&request, now))
            .expect("Secrets Manager switches the rotation off");
    }

    /// Lets the KMS key that encrypts the secret be used, or not.
    ///
    /// # Panics
    /// When the secret is not there.
    pub fn set_kms_key_usable(&self, usable: bool) {
        self.secrets_manager(|model, _| model.set_key_usable(self.secret().as_str(), usable))
            .expect("the secret is there");
    }

    /// Gives the secret a replica that is in this state.
    ///
    /// # Panics
    /// When the secret is not there.
    pub fn replicate(&self, status: ReplicaStatus) {
        let replica = Replica {
            region: "eu-west-1".to_owned(),
            status,
            status_message: None,
        };
        self.secrets_manager(|model, _| model.set_replicas(self.secret().as_str(), vec![replica]))
            .expect("the secret is there");
    }
}
