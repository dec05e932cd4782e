//! What is true in a world, which no invocation can see.

use std::collections::BTreeSet;

use protocol::audit::Record;
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::SecretId;
use protocol::operations::{Answer, Finding};
use serde_json::Value;

use super::call::{Made, Operation};
use super::setup::SUB;
use super::world::World;
use crate::invariants::{Violation, Witness};
use crate::leak::found;
use crate::secrets_manager::{AWSCURRENT, Secret, SecretValue, Version};
use crate::venue::{Credential, KeyId, KeyTruth, Settings};

impl World {
    // The secret.

    /// The version that has a label.
    pub fn holder(&self, label: &str) -> Option<VersionId> {
        self.of_secret(|secret| secret.holder(label).map(VersionId::new))
    }

    /// The labels on a version, in alphabetical order.
    pub fn labels(&self, version: &VersionId) -> Vec<String> {
        self.of_secret(|secret| secret.stages_of(version.as_str()))
    }

    /// Whether a label on a version begins like this, as a stamp does with its kind.
    pub fn has_stamp(&self, version: &VersionId, kind: &str) -> bool {
        self.labels(version).iter().any(|label| label.starts_with(kind))
    }

    /// Whether a version is current.
    pub fn is_current(&self, version: &VersionId) -> bool {
        self.holder(AWSCURRENT).as_ref() == Some(version)
    }

    /// How many labels the secret holds.
    pub fn label_count(&self) -> usize {
        self.of_secret(|secret| secret.labels().len())
    }

    /// Every version there is.
    pub fn versions(&self) -> Vec<VersionId> {
        self.of_secret(|secret| secret.versions().keys().map(VersionId::new).collect())
    }

    /// The text of a version's value.
    pub fn text(&self, version: &VersionId) -> Option<String> {
        self.of_secret(
            |secret| match secret.versions().get(version.as_str()).and_then(Version::value) {
                Some(SecretValue::Text(text)) => Some(text.expose().to_owned()),
                _ => None,
            },
        )
    }

    /// A version's value as JSON; null where it has none.
    pub fn document(&self, version: &VersionId) -> Value {
        self.text(version)
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// The key that a version names.
    pub fn key_in(&self, version: &VersionId) -> Option<KeyId> {
        self.document(version)["api_key"].as_str().map(KeyId::from)
    }

    /// Whether the master's value says that it serves every secret on every account with whatever is asked
    /// for.
    pub fn master_serves_all(&self) -> bool {
        let state = self.state.lock();
        let master = state.secrets_manager.secret(self.master_arn());
        let current = master.and_then(|master| master.versions().get(master.holder(AWSCURRENT)?));
        let text = current.and_then(|version| version.value()?.text());
        text.and_then(|text| serde_json::from_str::<Value>(text).ok())
            .is_some_and(|value| value["serves"]["*"].is_object())
    }

    /// The key that AWSCURRENT names.
    pub fn current_key(&self) -> Option<KeyId> {
        self.key_in(&self.holder(AWSCURRENT)?)
    }

    /// Looks at the secret in any other way.
    pub fn of_secret<T: Default>(&self, look: impl FnOnce(&Secret) -> T) -> T {
        self.of(self.secret(), look)
    }

    /// Looks at any secret, where it is there.
    pub fn of<T: Default>(&self, secret: &SecretId, look: impl FnOnce(&Secret) -> T) -> T {
        self.state
            .lock()
            .secrets_manager
            .secret(secret.as_str())
            .map(look)
            .unwrap_or_default()
    }

    /// The secrets that the function rotates.
    pub fn rotated(&self) -> Vec<SecretId> {
        let state = self.state.lock();
        let rotated = state
            .secrets_manager
            .secrets()
            .filter(|secret| secret.rotation_function().is_some());
        rotated
            .filter_map(|secret| SecretId::parse(secret.arn()).ok())
            .collect()
    }

    // The keys.

    /// Looks at the venue.
    pub fn at_venue<T>(&self, look: impl FnOnce(&crate::venue::Model) -> T) -> T {
        look(&self.state.lock().venue)
    }

    /// Whether a key is alive.
    pub fn alive(&self, key: &KeyId) -> bool {
        let state = self.state.lock();
        state.venue.key(key).is_some_and(|truth| truth.alive(state.now))
    }

    /// What a key is, or was when it died.
    ///
    /// # Panics
    /// When there was no such key.
    pub fn settings_of(&self, key: &KeyId) -> Settings {
        self.at_venue(|model| model.key(key))
            .expect("the key existed")
            .settings
    }

    /// A key with its secret.
    ///
    /// # Panics
    /// When there was no such key.
    pub fn credential(&self, key: &KeyId) -> Credential {
        self.at_venue(|model| model.credential(key))
            .expect("the key existed")
    }

    /// The living keys of the secret's sub-account, oldest first.
    pub fn live_keys(&self) -> Vec<KeyTruth> {
        let state = self.state.lock();
        state
            .venue
            .keys()
            .into_iter()
            .filter(|key| key.uid == SUB && key.alive(state.now))
            .collect()
    }

    /// How many living keys that are younger than a day bear a secret's marker.
    pub fn keys_of_today(&self, secret: &SecretId) -> usize {
        let ours = Marker::new(secret.as_str(), &VersionId::new(""), 0);
        let state = self.state.lock();
        let since = state.now - jiff::SignedDuration::from_hours(24);
        let is_ours = |key: &KeyTruth| {
            Marker::parse(&key.settings.note).is_some_and(|marker| marker.same_secret(&ours))
        };
        state
            .venue
            .keys()
            .into_iter()
            .filter(|key| key.alive(state.now) && key.created_at > since && is_ours(key))
            .count()
    }

    /// The living keys that were issued for a version of the secret, oldest first.
    pub fn live_keys_for(&self, token: &VersionId) -> Vec<KeyId> {
        let ours = Marker::new(self.secret().as_str(), token, 0);
        let issued =
            |key: &KeyTruth| Marker::parse(&key.settings.note).is_some_and(|marker| marker.same_token(&ours));
        self.live_keys()
            .into_iter()
            .filter(issued)
            .map(|key| key.key)
            .collect()
    }

    // The promises.

    /// What was broken so far of what is promised whatever happens.
    pub fn violations(&self) -> Vec<Violation> {
        self.state.lock().witness.violations().to_vec()
    }

    /// How often the world has changed.
    pub fn changes(&self) -> u64 {
        self.state.lock().witness.changes()
    }

    /// Checks what has to be true where no invocation is under way, and no effect is to come.
    pub fn must_be_at_rest(&self) {
        let mut state = self.state.lock();
        if !state.is_more_to_come() {
            state.testify(Witness::at_rest);
            state.testify(Witness::no_grace_is_over_early);
        }
    }

    /// Checks what has to be true where every grace is over and undisturbed passes have come round, the first
    /// of which made its stamps then.
    pub fn nothing_may_be_left(&self, stamped: jiff::Timestamp) {
        self.state
            .lock()
            .testify(|witness, scene| witness.nothing_is_left(stamped, scene));
    }

    /// Checks what has to be true of leaked keys where passes have come round, and the rotations they began.
    pub fn no_leak_may_be_left(&self, rotations_fail: bool) {
        self.state
            .lock()
            .testify(|witness, scene| witness.no_leak_is_left(rotations_fail, scene));
    }

    /// Checks that passes have told of what none of them can delete; `masterless` where nobody lists the keys
    /// of one of these secrets.
    pub fn what_is_left_must_be_told(&self, told: &[Finding], of: &[SecretId], masterless: bool) {
        let mut state = self.state.lock();
        if !masterless {
            state.testify(|witness, scene| witness.undeletable_is_told(told, of, scene));
        }
        state.testify(|witness, scene| witness.replaced_is_told(told, of, scene));
    }

    /// Checks what an audit has to tell of the keys that bear a secret's marker.
    pub fn nothing_may_be_hidden(&self, secret: &SecretId, audit: &Answer) {
        self.state
            .lock()
            .testify(|witness, scene| witness.nothing_is_hidden(secret.as_str(), audit, scene));
    }

    /// Checks what has to be true where a rotation has just ended well, undisturbed.
    pub fn grace_must_count(&self, secret: &SecretId) {
        self.state
            .lock()
            .testify(|witness, scene| witness.grace_counts(secret.as_str(), scene));
    }

    /// A client reads the secret or its replica, and keeps what it read for as long as clients do.
    pub fn client_reads(&self, secret: &SecretId, from_replica: bool) {
        self.state
            .lock()
            .testify(|witness, scene| witness.client_reads(secret.as_str(), from_replica, scene));
    }

    // What happened.

    /// The calls since this was last asked.
    pub fn take_calls(&self) -> Vec<Made> {
        std::mem::take(&mut self.state.lock().calls)
    }

    /// The operations since the calls were last asked for, in order.
    pub fn take_operations(&self) -> Vec<Operation> {
        self.take_calls()
            .into_iter()
            .map(|made| made.call.operation)
            .collect()
    }

    /// Those of them that write.
    pub fn take_writes(&self) -> Vec<Operation> {
        let mut operations = self.take_operations();
        operations.retain(|operation| operation.writes());
        operations
    }

    /// How many of them there were of one kind.
    pub fn take_count(&self, of: Operation) -> usize {
        self.take_operations()
            .into_iter()
            .filter(|operation| *operation == of)
            .count()
    }

    /// The audit records since this was last asked.
    pub fn take_records(&self) -> Vec<Record> {
        std::mem::take(&mut self.state.lock().records)
    }

    /// What every invocation that succeeded has answered, as JSON.
    pub fn answers(&self) -> Vec<String> {
        self.state.lock().answers.clone()
    }

    /// Everything that was said: audit records, errors, logs, and what could be printed for debugging.
    pub fn said(&self) -> String {
        let state = self.state.lock();
        let models = format!(
            "{:?} {:?}",
            state.secrets_manager.secrets().collect::<Vec<_>>(),
            state.calls
        );
        format!("{}{}{models}", state.said, self.log.text())
    }

    /// The secrets that ever were: of keys, and RotationTokens.
    pub fn secrets(&self) -> BTreeSet<String> {
        let state = self.state.lock();
        let keys = state
            .venue
            .keys()
            .into_iter()
            .filter_map(|key| state.venue.credential(&key.key));
        keys.flat_map(|credential| {
            let passphrase = credential
                .passphrase
                .as_ref()
                .map(|text| text.expose().to_owned());
            passphrase
                .into_iter()
                .chain([credential.secret.expose().to_owned()])
        })
        .chain(state.rotation_tokens.iter().cloned())
        .collect()
    }

    /// Those secrets that were said, and the key ids that were said by the function in full.
    pub fn leaks(&self) -> Vec<String> {
        let mut leaks = found(self.secrets().iter().map(String::as_str), &self.said());
        let (by_function, keys) = {
            let state = self.state.lock();
            (format!("{}{}", state.said, self.log.text()), state.venue.keys())
        };
        leaks.extend(found(keys.iter().map(|key| key.key.as_str()), &by_function));
        leaks
    }
}
