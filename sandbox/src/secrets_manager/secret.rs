//! One secret: its versions, its labels, its rotation. Only what holds for every operation is here.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    AWSCURRENT, AWSPENDING, AWSPREVIOUS, Error, Replica, ReplicaStatus, Rotation, RotationRules, SecretValue,
};

/// The quota: "Staging labels attached across all versions of a secret: 20".
pub(super) const MOST_LABELS: usize = 20;
/// "Secrets Manager removes outdated versions when there are more than 100".
pub(super) const MOST_VERSIONS: usize = 100;
/// "it does not remove versions created less than 24 hours ago".
const YOUNGEST_PURGED: SignedDuration = SignedDuration::from_hours(24);

/// A secret as the model keeps it; tests and simulations look at it with these methods, which log no call.
#[derive(Clone, Debug)]
pub struct Secret {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) versions: BTreeMap<String, Version>,
    /// Label to version id: a label sits on one version by construction.
    pub(super) labels: BTreeMap<String, String>,
    pub(super) rotation_enabled: Option<bool>,
    pub(super) rotation_lambda_arn: Option<String>,
    pub(super) rotation_rules: Option<RotationRules>,
    pub(super) rotation: Option<Rotation>,
    /// What the schedule counts from: the last rotation, hand-made value or change of the schedule.
    pub(super) scheduled_from: Timestamp,
    /// When a rotation was last given up, so that the schedule tries again in the next window.
    pub(super) given_up: Option<Timestamp>,
    pub(super) created: Timestamp,
    pub(super) last_changed: Timestamp,
    pub(super) last_accessed: Option<Timestamp>,
    pub(super) last_rotated: Option<Timestamp>,
    /// When deletion was asked for, and when it happens.
    pub(super) deletion: Option<(Timestamp, Timestamp)>,
    pub(super) replicas: Vec<Replica>,
    /// Whether the key that protects the values can be used.
    pub(super) key_usable: bool,
    /// Whether it is of another account.
    pub(super) is_elsewhere: bool,
    /// See [`Self::edition`].
    pub(super) edition: u64,
}

impl Secret {
    pub(super) fn new(arn: String, name: String, now: Timestamp) -> Self {
        Self {
            arn,
            name,
            description: None,
            kms_key_id: None,
            tags: BTreeMap::new(),
            versions: BTreeMap::new(),
            labels: BTreeMap::new(),
            rotation_enabled: None,
            rotation_lambda_arn: None,
            rotation_rules: None,
            rotation: None,
            scheduled_from: now,
            given_up: None,
            created: now,
            last_changed: now,
            last_accessed: None,
            last_rotated: None,
            deletion: None,
            replicas: Vec::new(),
            key_usable: true,
            is_elsewhere: false,
            edition: 0,
        }
    }

    /// The full ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A number that is another one once anything of the secret has changed, in one model and the clones that
    /// it comes from.
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// The versions by id, unlabelled ones among them.
    pub fn versions(&self) -> &BTreeMap<String, Version> {
        &self.versions
    }

    /// Each label and the id of the version that has it.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// The id of the version that has this label.
    pub fn holder(&self, label: &str) -> Option<&str> {
        self.labels.get(label).map(String::as_str)
    }

    /// Whether rotation is switched on.
    pub fn rotation_is_enabled(&self) -> bool {
        self.rotation_enabled == Some(true)
    }

    /// Whether the secret is marked for deletion.
    pub fn is_deleted(&self) -> bool {
        self.deletion.is_some()
    }

    /// Whether it is of another account.
    pub fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// The function that rotates it, or did until rotation was switched off.
    pub fn rotation_function(&self) -> Option<&str> {
        self.rotation_lambda_arn.as_deref()
    }

    /// The rotation that is open, if one is.
    pub fn rotation(&self) -> Option<&Rotation> {
        self.rotation.as_ref()
    }

    /// When a rotation last completed, whatever `DescribeSecret` shows.
    pub fn last_rotated(&self) -> Option<Timestamp> {
        self.last_rotated
    }

    /// Whether every replica holds what the secret holds.
    pub fn replicas_in_sync(&self) -> bool {
        self.replicas
            .iter()
            .all(|replica| replica.status == ReplicaStatus::InSync)
    }

    /// The version's labels in alphabetical order.
    pub fn stages_of(&self, version_id: &str) -> Vec<String> {
        self.labels
            .iter()
            .filter(|(_, id)| *id == version_id)
            .map(|(label, _)| label.clone())
            .collect()
    }

    /// The labelled versions and their labels.
    pub fn versions_to_stages(&self) -> BTreeMap<String, Vec<String>> {
        let mut stages: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (label, id) in &self.labels {
            stages.entry(id.clone()).or_default().push(label.clone());
        }
        stages
    }

    /// The version that blocks new rotations: it has AWSPENDING and is not current.
    pub(super) fn open_pending(&self) -> Option<&str> {
        self.holder(AWSPENDING)
            .filter(|pending| self.holder(AWSCURRENT) != Some(*pending))
    }

    /// The labels once `version_id` has `added` too. Moving AWSCURRENT takes AWSPREVIOUS along: "Secrets
    /// Manager also automatically moves the staging label AWSPREVIOUS to the version that AWSCURRENT was
    /// removed from".
    pub(super) fn labels_with(
        &self,
        version_id: &str,
        added: &[String],
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut labels = self.labels.clone();
        for label in added.iter().filter(|label| *label != AWSCURRENT) {
            labels.insert(label.clone(), version_id.to_owned());
        }
        if added.iter().any(|label| label == AWSCURRENT)
            && let Some(before) = labels.insert(AWSCURRENT.to_owned(), version_id.to_owned())
            && before != version_id
        {
            labels.insert(AWSPREVIOUS.to_owned(), before);
        }
        if labels.len() > MOST_LABELS {
            // The wording is unverified.
            return Err(Error::limit(format!(
                "A secret can't have more than {MOST_LABELS} staging labels."
            )));
        }
        Ok(labels)
    }

    /// The versions to purge so that one more fits, given the labels as they will be: unlabelled ones, oldest
    /// first, none younger than a day. Where that isn't enough, the quota is reached.
    pub(super) fn room_for_one(
        &self,
        labels: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Vec<String>, Error> {
        let excess = (self.versions.len() + 1).saturating_sub(MOST_VERSIONS);
        let mut purgeable: Vec<(Timestamp, &String)> = self
            .versions
            .iter()
            .filter(|(id, version)| {
                !labels.values().any(|held| held == *id)
                    && now.duration_since(version.created) >= YOUNGEST_PURGED
            })
            .map(|(id, version)| (version.created, id))
            .collect();
        purgeable.sort();
        if purgeable.len() < excess {
            // The wording is unverified.
            return Err(Error::limit(format!(
                "A secret can't have more than {MOST_VERSIONS} versions."
            )));
        }
        Ok(purgeable
            .into_iter()
            .take(excess)
            .map(|(_, id)| id.clone())
            .collect())
    }

    /// Its tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// Adds a version with these labels, or nothing at all where a quota forbids it.
    pub(super) fn add_version(
        &mut self,
        id: &str,
        version: Version,
        stages: &[String],
        now: Timestamp,
    ) -> Result<(), Error> {
        let labels = self.labels_with(id, stages)?;
        for purged in self.room_for_one(&labels, now)? {
            self.versions.remove(&purged);
        }
        self.versions.insert(id.to_owned(), version);
        self.labels = labels;
        self.last_changed = now;
        Ok(())
    }
}

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub(super) value: Option<SecretValue>,
    pub(super) created: Timestamp,
    pub(super) last_accessed: Option<Timestamp>,
    pub(super) rotation_token: Option<TokenCheck>,
}

impl Version {
    pub(super) fn new(value: Option<SecretValue>, now: Timestamp) -> Self {
        Self {
            value,
            created: now,
            last_accessed: None,
            rotation_token: None,
        }
    }

    /// The value; none where the rotation scheduler made the version and nothing was put yet.
    pub fn value(&self) -> Option<&SecretValue> {
        self.value.as_ref()
    }

    /// When it was made.
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// What the `RotationToken` was worth when the value was put with `PutSecretValue`.
    pub fn rotation_token(&self) -> Option<TokenCheck> {
        self.rotation_token
    }
}

/// How the `RotationToken` of a put compared with that of the open rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCheck {
    /// None was sent.
    Absent,
    /// It was the open rotation's.
    Matched,
    /// It wasn't, or no rotation was open.
    Mismatched,
}

impl TokenCheck {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Matched => "matched",
            Self::Mismatched => "mismatched",
        }
    }
}
