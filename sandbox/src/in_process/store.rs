//! The protocol's store over the model of Secrets Manager.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use async_trait::async_trait;
use protocol::label::{Label, VersionId};
use protocol::name::{SecretId, SecretName};
use protocol::ports::{
    Description, Fleet, LabelMove, ListedVersion, Put, Replica, Schedule, SecretPage, Store, StoreError,
    StoreErrorKind, StoredValue, Which,
};
use secrecy::{ExposeSecret, SecretString};

use super::call::{About, Call, Operation};
use super::port::{Port, Who};
use super::state::State;
use crate::invariants::{Asked, Labelled};
use crate::secrets_manager::{
    self, AWSCURRENT, DescribeSecret, ErrorKind, GetSecretValue, ListSecretVersionIds, ListSecrets,
    PutSecretValue, RotateSecret, Sensitive, Tag, TagResource, UpdateSecretVersionStage,
};

/// Secrets Manager within one invocation.
#[derive(Clone, Debug)]
pub struct InProcessStore {
    port: Port,
}

impl InProcessStore {
    pub(super) fn new(port: Port) -> Self {
        Self { port }
    }
}

#[async_trait]
impl Store for InProcessStore {
    async fn describe(&self, secret: &SecretId) -> Result<Description, StoreError> {
        let call = Call::new(Operation::Describe, About::Secret(secret.clone()));
        let request = DescribeSecret {
            secret_id: secret.as_str().to_owned(),
        };
        let effect = move |state: &mut State, _| {
            let now = state.now;
            let described = state.secrets_manager.describe_secret(&request, now);
            described
                .map(description)
                .map_err(|error| refused("DescribeSecret", &error))
        };
        self.port
            .call(call, Asked::Labels, Who::Store("DescribeSecret"), effect)
            .await
    }

    async fn read(&self, secret: &SecretId, which: Which<'_>) -> Result<Option<StoredValue>, StoreError> {
        let (operation, about, version_id) = match which {
            Which::Version(version) => (
                Operation::ReadVersion,
                About::Words(version.to_string()),
                Some(version.as_str().to_owned()),
            ),
            Which::Current => (Operation::ReadCurrent, About::Secret(secret.clone()), None),
        };
        let asked = version_id
            .clone()
            .map_or_else(|| Asked::Current(secret.as_str().to_owned()), Asked::Value);
        let version_stage = version_id.is_none().then(|| AWSCURRENT.to_owned());
        let request = GetSecretValue {
            secret_id: secret.as_str().to_owned(),
            version_id,
            version_stage,
        };
        let effect = move |state: &mut State, _| {
            let now = state.now;
            match state.secrets_manager.secret_value(&request, now) {
                Ok(value) => {
                    let text = value.secret_string.as_ref().map_or("", Sensitive::expose);
                    Ok(Some(StoredValue {
                        version: VersionId::new(value.version_id),
                        text: SecretString::from(text),
                    }))
                }
                Err(error) if error.kind == ErrorKind::ResourceNotFound => Ok(None),
                Err(error) => Err(refused("GetSecretValue", &error)),
            }
        };
        self.port
            .call(
                Call::new(operation, about),
                asked,
                Who::Store("GetSecretValue"),
                effect,
            )
            .await
    }

    async fn versions(&self, secret: &SecretId) -> Result<Vec<ListedVersion>, StoreError> {
        let call = Call::new(Operation::Versions, About::Secret(secret.clone()));
        let secret_id = secret.as_str().to_owned();
        let effect = move |state: &mut State, _| {
            let (now, mut versions, mut next_token) = (state.now, Vec::new(), None);
            loop {
                let request = ListSecretVersionIds {
                    secret_id: secret_id.clone(),
                    include_deprecated: true,
                    next_token,
                    ..ListSecretVersionIds::default()
                };
                let page = state.secrets_manager.list_secret_version_ids(&request, now);
                let page = page.map_err(|error| refused("ListSecretVersionIds", &error))?;
                versions.extend(page.versions.into_iter().map(|version| ListedVersion {
                    id: VersionId::new(version.version_id),
                    created_at: Some(version.created_date),
                }));
                next_token = page.next_token;
                if next_token.is_none() {
                    return Ok(versions);
                }
            }
        };
        self.port
            .call(call, Asked::Versions, Who::Store("ListSecretVersionIds"), effect)
            .await
    }

    async fn put(&self, secret: &SecretId, put: &Put<'_>) -> Result<(), StoreError> {
        let call = Call::new(Operation::Put, About::Words(put.token.to_string()));
        let request = PutSecretValue {
            secret_id: secret.as_str().to_owned(),
            client_request_token: Some(put.token.as_str().to_owned()),
            secret_string: Some(Sensitive::new(put.text.expose_secret())),
            // As on the wire: an empty list of labels is none, and the value becomes current.
            version_stages: Some(
                put.labels
                    .iter()
                    .map(|label| label.as_str().to_owned())
                    .collect::<Vec<_>>(),
            )
            .filter(|labels| !labels.is_empty()),
            rotation_token: put
                .rotation_token
                .map(|token| Sensitive::new(token.expose_secret())),
            ..PutSecretValue::default()
        };
        let asked = Asked::Store(digest(put.text.expose_secret()));
        let effect = move |state: &mut State, _| {
            let stored = state.write(|model, now| model.put_secret_value(&request, now));
            stored
                .map(drop)
                .map_err(|error| refused("PutSecretValue", &error))
        };
        self.port
            .call(call, asked, Who::Store("PutSecretValue"), effect)
            .await
    }

    async fn move_label(&self, secret: &SecretId, change: &LabelMove) -> Result<(), StoreError> {
        let text = |version: &Option<VersionId>| version.as_ref().map(|version| version.as_str().to_owned());
        let operation = match &change.to {
            _ if change.label == Label::current() => Operation::Swap,
            Some(_) => Operation::AddLabel,
            None => Operation::RemoveLabel,
        };
        let version = change
            .to
            .as_ref()
            .or(change.from.as_ref())
            .map_or(String::new(), ToString::to_string);
        let call = Call::new(operation, About::Words(format!("{} {version}", change.label)));
        let label = change.label.as_str().to_owned();
        let asked = match operation {
            Operation::Swap => Asked::Promote,
            Operation::AddLabel => Asked::Label(Labelled {
                secret: secret.as_str().to_owned(),
                version,
                label,
            }),
            _ => Asked::Unlabel(Labelled {
                secret: secret.as_str().to_owned(),
                version,
                label,
            }),
        };
        let request = UpdateSecretVersionStage {
            secret_id: secret.as_str().to_owned(),
            version_stage: change.label.as_str().to_owned(),
            remove_from_version_id: text(&change.from),
            move_to_version_id: text(&change.to),
        };
        let effect = move |state: &mut State, _| {
            let moved = state.write(|model, now| model.update_secret_version_stage(&request, now));
            moved
                .map(drop)
                .map_err(|error| refused("UpdateSecretVersionStage", &error))
        };
        self.port
            .call(call, asked, Who::Store("UpdateSecretVersionStage"), effect)
            .await
    }
}

#[async_trait]
impl Fleet for InProcessStore {
    async fn list(&self, after: Option<&str>) -> Result<SecretPage, StoreError> {
        let call = Call::new(Operation::Secrets, About::Words(String::new()));
        let next_token = after.map(str::to_owned);
        let effect = move |state: &mut State, _| {
            let request = ListSecrets {
                include_planned_deletion: true,
                next_token: next_token.clone(),
                ..ListSecrets::default()
            };
            let now = state.now;
            let page = state
                .secrets_manager
                .list_secrets(&request, now)
                .map_err(|error| refused("ListSecrets", &error))?;
            Ok(SecretPage {
                secrets: page.secret_list.into_iter().map(listed).collect(),
                next: page.next_token,
            })
        };
        self.port
            .call(call, Asked::Other, Who::Store("ListSecrets"), effect)
            .await
    }

    async fn start_rotation(&self, secret: &SecretId, token: &VersionId) -> Result<(), StoreError> {
        let call = Call::new(Operation::Rotate, About::Secret(secret.clone()));
        let request = RotateSecret {
            secret_id: secret.as_str().to_owned(),
            client_request_token: Some(token.as_str().to_owned()),
            ..RotateSecret::default()
        };
        let effect = move |state: &mut State, _| {
            let begun = state.write(|model, now| model.rotate_secret(&request, now));
            begun.map(drop).map_err(|error| refused("RotateSecret", &error))
        };
        self.port
            .call(call, Asked::Rotate, Who::Store("RotateSecret"), effect)
            .await
    }

    async fn tag(&self, secret: &SecretId, tags: &BTreeMap<String, String>) -> Result<(), StoreError> {
        let call = Call::new(Operation::Tag, About::Secret(secret.clone()));
        let tags = tags
            .iter()
            .map(|(key, value)| Tag {
                key: key.clone(),
                value: value.clone(),
            })
            .collect();
        let request = TagResource {
            secret_id: secret.as_str().to_owned(),
            tags,
        };
        let effect = move |state: &mut State, _| {
            let tagged = state.write(|model, now| model.tag_resource(&request, now));
            tagged.map_err(|error| refused("TagResource", &error))
        };
        self.port
            .call(call, Asked::Tag, Who::Store("TagResource"), effect)
            .await
    }
}

/// Tells two values apart without keeping either.
fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn description(described: secrets_manager::Description) -> Description {
    let secrets_manager::Description {
        summary,
        version_ids_to_stages,
        replication_status,
    } = described;
    let replica = |replica: secrets_manager::Replica| Replica {
        region: replica.region,
        in_sync: replica.status == secrets_manager::ReplicaStatus::InSync,
        in_progress: replica.status == secrets_manager::ReplicaStatus::InProgress,
        status: format!("{:?}", replica.status),
    };
    let replicas = replication_status.into_iter().map(replica).collect();
    Description {
        versions: versions(version_ids_to_stages),
        replicas,
        ..listed(summary)
    }
}

fn listed(summary: secrets_manager::SecretSummary) -> Description {
    let schedule = |rules: secrets_manager::RotationRules| Schedule {
        days: rules
            .automatically_after_days
            .and_then(|days| u32::try_from(days).ok()),
        expression: rules.schedule_expression,
        window_hours: rules
            .duration
            .and_then(|hours| hours.trim_end_matches('h').parse().ok()),
    };
    Description {
        arn: summary.arn,
        name: SecretName::new(summary.name),
        rotation_enabled: summary.rotation_enabled == Some(true),
        rotation_function: summary.rotation_lambda_arn.filter(|arn| !arn.is_empty()),
        deleted: summary.deleted_date.is_some(),
        versions: versions(summary.secret_versions_to_stages),
        last_rotated: summary.last_rotated_date,
        next_rotation: summary.next_rotation_date,
        schedule: summary.rotation_rules.map(schedule),
        replicas: Vec::new(),
        tags: summary.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        kms_key: summary.kms_key_id,
    }
}

fn versions(stages: BTreeMap<String, Vec<String>>) -> BTreeMap<VersionId, BTreeSet<Label>> {
    let labelled = |labels: Vec<String>| labels.into_iter().map(Label::new).collect();
    stages
        .into_iter()
        .map(|(version, labels)| (VersionId::new(version), labelled(labels)))
        .collect()
}

fn refused(operation: &'static str, error: &secrets_manager::Error) -> StoreError {
    let kind = match error.kind {
        ErrorKind::ResourceNotFound => StoreErrorKind::NotFound,
        ErrorKind::ResourceExists => StoreErrorKind::Exists,
        ErrorKind::LimitExceeded => StoreErrorKind::Limit,
        ErrorKind::DecryptionFailure | ErrorKind::EncryptionFailure => StoreErrorKind::Kms,
        ErrorKind::UnrecognizedClient => StoreErrorKind::Denied,
        ErrorKind::Throttling => StoreErrorKind::Busy,
        ErrorKind::InternalService => StoreErrorKind::UnknownOutcome,
        ErrorKind::InvalidRequest
        | ErrorKind::InvalidParameter
        | ErrorKind::InvalidNextToken
        | ErrorKind::Validation
        | ErrorKind::Serialization
        | ErrorKind::UnknownOperation => StoreErrorKind::Invalid,
    };
    StoreError {
        kind,
        operation,
        code: error.kind.as_str().to_owned(),
    }
}
