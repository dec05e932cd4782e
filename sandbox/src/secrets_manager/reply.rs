//! What the service answers. Serialised as AWS's JSON: absent members are left out, dates are epoch seconds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{RotationRules, SecretValue, Sensitive, Tag};

/// Which secret, and which version where one was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretRef {
    /// The ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The name.
    pub name: String,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// The answer to `PutSecretValue`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StagedRef {
    /// The ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version_id: String,
    /// The labels that the version has now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub version_stages: Vec<String>,
}

/// The answer to `GetSecretValue`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Value {
    /// The ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The name.
    pub name: String,
    /// The version that was read.
    pub version_id: String,
    /// The value, where it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_string: Option<Sensitive>,
    /// The value in base64, where it is bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_binary: Option<Sensitive>,
    /// The version's labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub version_stages: Vec<String>,
    /// When the version was made.
    #[serde(serialize_with = "epoch")]
    pub created_date: Timestamp,
}

impl Value {
    pub(super) fn with_value(mut self, value: &SecretValue) -> Self {
        match value {
            SecretValue::Text(text) => self.secret_string = Some(text.clone()),
            SecretValue::Binary(base64) => self.secret_binary = Some(base64.clone()),
        }
        self
    }
}

/// The answer to `DescribeSecret`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Description {
    /// What `ListSecrets` shows too.
    #[serde(flatten)]
    pub summary: SecretSummary,
    /// Versions that have labels, and their labels. Unlabelled versions are left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub version_ids_to_stages: BTreeMap<String, Vec<String>>,
    /// The replicas.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replication_status: Vec<Replica>,
}

/// One secret, without its versions' values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretSummary {
    /// The ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The name.
    pub name: String,
    /// The description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The key; absent for the account's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether rotation is on; absent where it was never configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_enabled: Option<bool>,
    /// The function that rotates.
    #[serde(rename = "RotationLambdaARN", skip_serializing_if = "Option::is_none")]
    pub rotation_lambda_arn: Option<String>,
    /// The schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_rules: Option<RotationRules>,
    /// When a rotation last completed.
    #[serde(serialize_with = "epoch_if_any", skip_serializing_if = "Option::is_none")]
    pub last_rotated_date: Option<Timestamp>,
    /// When anything last changed.
    #[serde(serialize_with = "epoch")]
    pub last_changed_date: Timestamp,
    /// The day on which a value was last read.
    #[serde(serialize_with = "epoch_if_any", skip_serializing_if = "Option::is_none")]
    pub last_accessed_date: Option<Timestamp>,
    /// Set while the secret is marked for deletion.
    #[serde(serialize_with = "epoch_if_any", skip_serializing_if = "Option::is_none")]
    pub deleted_date: Option<Timestamp>,
    /// When the next scheduled rotation is over at the latest.
    #[serde(serialize_with = "epoch_if_any", skip_serializing_if = "Option::is_none")]
    pub next_rotation_date: Option<Timestamp>,
    /// The tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// In `ListSecrets`: versions that have labels, and their labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_versions_to_stages: BTreeMap<String, Vec<String>>,
    /// When the secret was made.
    #[serde(serialize_with = "epoch")]
    pub created_date: Timestamp,
    /// The region that the replicas copy; absent without replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_region: Option<String>,
}

/// A copy of the secret in another region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Replica {
    /// The region.
    pub region: String,
    /// Its state.
    pub status: ReplicaStatus,
    /// A message about the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
}

/// The state of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ReplicaStatus {
    /// It has what the primary has.
    InSync,
    /// It is being written.
    InProgress,
    /// It could not be written.
    Failed,
}

/// A page of `ListSecrets`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretPage {
    /// The secrets.
    pub secret_list: Vec<SecretSummary>,
    /// There is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A page of `ListSecretVersionIds`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionPage {
    /// The secret's ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The secret's name.
    pub name: String,
    /// The versions, oldest first (the order is unverified).
    pub versions: Vec<VersionSummary>,
    /// There is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// One version, without its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionSummary {
    /// The version's id.
    pub version_id: String,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub version_stages: Vec<String>,
    /// The day on which it was last read.
    #[serde(serialize_with = "epoch_if_any", skip_serializing_if = "Option::is_none")]
    pub last_accessed_date: Option<Timestamp>,
    /// When it was made.
    #[serde(serialize_with = "epoch")]
    pub created_date: Timestamp,
}

/// The answer to `DeleteSecret`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deletion {
    /// The ARN; made up where a forced deletion found nothing.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// The name.
    pub name: String,
    /// When the secret may be gone for good.
    #[serde(serialize_with = "epoch")]
    pub deletion_date: Timestamp,
}

/// A date as the JSON protocols of AWS send it: seconds since the epoch with a fraction.
#[allow(
    clippy::cast_precision_loss,
    reason = "milliseconds of any year to come fit the 53 bits of a double"
)]
fn epoch<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_millisecond() as f64 / 1000.0)
}

#[allow(clippy::ref_option, reason = "the signature that serde calls")]
fn epoch_if_any<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => epoch(at, serializer),
        None => serializer.serialize_none(),
    }
}
