//! Secrets Manager behind the protocol's store: the only place that knows the AWS SDK.

mod client;
mod error;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Config;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::{ReplicationStatusType, RotationRulesType, StatusType, Tag};
use jiff::Timestamp;
use protocol::label::{Label, VersionId};
use protocol::name::{SecretId, SecretName};
use protocol::ports::{
    Description, Fleet, LabelMove, ListedVersion, Put, Replica, Schedule, SecretPage, Store, StoreError,
    StoreErrorKind, StoredValue, Which,
};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use self::client::{client, http};
use self::error::{classify, within};
use crate::time::InvocationTime;

/// The most that ListSecrets shows on one page. Source: AWS, Secrets Manager API reference, MaxResults.
const MOST_ON_A_PAGE: i32 = 100;

/// Secrets Manager within one invocation.
pub(crate) struct SecretsManager<'a> {
    client: &'a Client,
    time: InvocationTime,
}

impl<'a> SecretsManager<'a> {
    pub(crate) fn new(client: &'a Client, time: InvocationTime) -> Self {
        Self { client, time }
    }

    /// What a call may take: all that is left but the moment it takes to answer.
    fn patience(&self) -> Duration {
        self.time.left().saturating_sub(Duration::from_millis(500))
    }
}

impl fmt::Debug for SecretsManager<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManager").finish_non_exhaustive()
    }
}

/// JSON that lacks what every answer of the operation has: somebody else said that all is well.
fn not_an_answer(operation: &'static str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::UnknownOutcome,
        operation,
        code: "an answer that is not Secrets Manager's".into(),
    }
}

fn versions(stages: Option<HashMap<String, Vec<String>>>) -> BTreeMap<VersionId, BTreeSet<Label>> {
    let labelled = |(version, labels): (String, Vec<String>)| {
        (
            VersionId::new(version),
            labels.into_iter().map(Label::new).collect(),
        )
    };
    stages.unwrap_or_default().into_iter().map(labelled).collect()
}

fn timestamp(at: DateTime) -> Option<Timestamp> {
    Timestamp::from_second(at.secs()).ok()
}

fn schedule(rules: RotationRulesType) -> Schedule {
    // "3h": a whole number of hours.
    let window = rules
        .duration
        .as_deref()
        .and_then(|hours| hours.trim_end_matches('h').parse().ok());
    let days = rules
        .automatically_after_days
        .and_then(|days| u32::try_from(days).ok());
    Schedule {
        days,
        expression: rules.schedule_expression,
        window_hours: window,
    }
}

fn replica(status: ReplicationStatusType) -> Replica {
    let (in_sync, in_progress) = (
        status.status == Some(StatusType::InSync),
        status.status == Some(StatusType::InProgress),
    );
    let said = status
        .status
        .map(|status| status.as_str().to_owned())
        .into_iter()
        .chain(status.status_message);
    let said: Vec<String> = said.filter(|said| !said.is_empty()).collect();
    Replica {
        region: status.region.unwrap_or_default(),
        in_sync,
        in_progress,
        status: said.join(": "),
    }
}

fn tags(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    tags.unwrap_or_default().into_iter().filter_map(pair).collect()
}

/// For calls whose every attempt's outcome the protocol must see.
fn one_attempt() -> aws_sdk_secretsmanager::config::Builder {
    Config::builder().retry_config(RetryConfig::disabled())
}

#[async_trait]
impl Store for SecretsManager<'_> {
    async fn describe(&self, secret: &SecretId) -> Result<Description, StoreError> {
        let call = self.client.describe_secret().secret_id(secret.as_str()).send();
        let reply = within(self.patience(), "DescribeSecret", call).await?;
        // Markers are made of the ARN: without it keys of different secrets would look alike.
        let arn = reply
            .arn
            .filter(|arn| !arn.is_empty())
            .ok_or_else(|| not_an_answer("DescribeSecret"))?;
        Ok(Description {
            name: SecretName::new(reply.name.unwrap_or_default()),
            arn,
            rotation_enabled: reply.rotation_enabled.unwrap_or(false),
            rotation_function: reply.rotation_lambda_arn.filter(|arn| !arn.is_empty()),
            deleted: reply.deleted_date.is_some(),
            versions: versions(reply.version_ids_to_stages),
            last_rotated: reply.last_rotated_date.and_then(timestamp),
            next_rotation: reply.next_rotation_date.and_then(timestamp),
            schedule: reply.rotation_rules.map(schedule),
            replicas: reply
                .replication_status
                .unwrap_or_default()
                .into_iter()
                .map(replica)
                .collect(),
            tags: tags(reply.tags),
            kms_key: reply.kms_key_id.filter(|key| !key.is_empty()),
        })
    }

    async fn read(&self, secret: &SecretId, which: Which<'_>) -> Result<Option<StoredValue>, StoreError> {
        let call = self.client.get_secret_value().secret_id(secret.as_str());
        let call = match which {
            Which::Version(version) => call.version_id(version.as_str()),
            // Named though it is the default: a role may be allowed this stage alone, and not every stand-in
            // has the default.
            Which::Current => call.version_stage(Label::current().as_str()),
        };
        let reply = match within(self.patience(), "GetSecretValue", call.send()).await {
            Ok(reply) => reply,
            Err(error) if error.kind == StoreErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = match (reply.secret_string, reply.secret_binary) {
            (Some(text), _) => text,
            // A binary value is none that we could use: it is read as an empty text, which no document is.
            (None, Some(_)) => String::new(),
            (None, None) => return Err(not_an_answer("GetSecretValue")),
        };
        let version = reply
            .version_id
            .filter(|version| !version.is_empty())
            .ok_or_else(|| not_an_answer("GetSecretValue"))?;
        Ok(Some(StoredValue {
            version: VersionId::new(version),
            text: SecretString::from(text),
        }))
    }

    async fn versions(&self, secret: &SecretId) -> Result<Vec<ListedVersion>, StoreError> {
        let operation = "ListSecretVersionIds";
        let mut versions = Vec::new();
        let mut pages = self
            .client
            .list_secret_version_ids()
            .secret_id(secret.as_str())
            .include_deprecated(true)
            .into_paginator()
            .send();
        while let Some(page) = tokio::time::timeout(self.patience(), pages.next())
            .await
            .map_err(|_| StoreError {
                kind: StoreErrorKind::UnknownOutcome,
                operation,
                code: "the time is up".into(),
            })?
        {
            let page = page.map_err(|error| classify(operation, &error))?;
            // What is not listed counts as never stored: a page without a list, or an entry without an id,
            // proves nothing.
            for version in page.versions.ok_or_else(|| not_an_answer(operation))? {
                let id = VersionId::new(version.version_id.ok_or_else(|| not_an_answer(operation))?);
                versions.push(ListedVersion {
                    id,
                    created_at: version.created_date.and_then(timestamp),
                });
            }
        }
        Ok(versions)
    }

    async fn put(&self, secret: &SecretId, put: &Put<'_>) -> Result<(), StoreError> {
        let labels = put.labels.iter().map(|label| label.as_str().to_owned()).collect();
        let call = self
            .client
            .put_secret_value()
            .secret_id(secret.as_str())
            .client_request_token(put.token.as_str())
            .secret_string(put.text.expose_secret())
            .set_version_stages(Some(labels))
            .set_rotation_token(put.rotation_token.map(|token| token.expose_secret().to_owned()))
            .customize()
            .config_override(one_attempt())
            .send();
        let reply = within(self.patience(), "PutSecretValue", call).await?;
        // Whoever stored the value says as which version.
        let stored = reply.version_id.as_deref() == Some(put.token.as_str());
        stored
            .then_some(())
            .ok_or_else(|| not_an_answer("PutSecretValue"))
    }

    async fn move_label(&self, secret: &SecretId, change: &LabelMove) -> Result<(), StoreError> {
        let text = |version: &Option<VersionId>| version.as_ref().map(|version| version.as_str().to_owned());
        let call = self
            .client
            .update_secret_version_stage()
            .secret_id(secret.as_str())
            .version_stage(change.label.as_str())
            .set_move_to_version_id(text(&change.to))
            .set_remove_from_version_id(text(&change.from))
            .customize()
            .config_override(one_attempt())
            .send();
        let reply = within(self.patience(), "UpdateSecretVersionStage", call).await?;
        reply
            .arn
            .map(drop)
            .ok_or_else(|| not_an_answer("UpdateSecretVersionStage"))
    }
}

#[async_trait]
impl Fleet for SecretsManager<'_> {
    async fn list(&self, after: Option<&str>) -> Result<SecretPage, StoreError> {
        let operation = "ListSecrets";
        let call = self
            .client
            .list_secrets()
            .include_planned_deletion(true)
            .max_results(MOST_ON_A_PAGE)
            .set_next_token(after.map(str::to_owned))
            .send();
        let page = within(self.patience(), operation, call).await?;
        // A fleet that is not listed would not be looked after, and nobody would notice.
        let entries = page.secret_list.ok_or_else(|| not_an_answer(operation))?;
        let secrets = entries.into_iter().map(|entry| {
            Ok(Description {
                arn: entry
                    .arn
                    .filter(|arn| !arn.is_empty())
                    .ok_or_else(|| not_an_answer(operation))?,
                name: SecretName::new(entry.name.unwrap_or_default()),
                rotation_enabled: entry.rotation_enabled.unwrap_or(false),
                rotation_function: entry.rotation_lambda_arn.filter(|arn| !arn.is_empty()),
                deleted: entry.deleted_date.is_some(),
                versions: versions(entry.secret_versions_to_stages),
                last_rotated: entry.last_rotated_date.and_then(timestamp),
                next_rotation: entry.next_rotation_date.and_then(timestamp),
                schedule: entry.rotation_rules.map(schedule),
                replicas: Vec::new(),
                tags: tags(entry.tags),
                kms_key: entry.kms_key_id.filter(|key| !key.is_empty()),
            })
        });
        Ok(SecretPage {
            secrets: secrets.collect::<Result<_, _>>()?,
            next: page.next_token.filter(|token| !token.is_empty()),
        })
    }

    async fn start_rotation(&self, secret: &SecretId, token: &VersionId) -> Result<(), StoreError> {
        let call = self
            .client
            .rotate_secret()
            .secret_id(secret.as_str())
            .client_request_token(token.as_str())
            .customize()
            .config_override(one_attempt())
            .send();
        let reply = within(self.patience(), "RotateSecret", call).await?;
        reply.arn.map(drop).ok_or_else(|| not_an_answer("RotateSecret"))
    }

    async fn tag(&self, secret: &SecretId, tags: &BTreeMap<String, String>) -> Result<(), StoreError> {
        let tags = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        let call = self
            .client
            .tag_resource()
            .secret_id(secret.as_str())
            .set_tags(Some(tags))
            .send();
        within(self.patience(), "TagResource", call).await.map(drop)
    }
}
