//! Secrets Manager behind the protocol's store: the only place that knows the AWS SDK.

mod error;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Config;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use protocol::label::{Label, VersionId};
use protocol::name::{SecretId, SecretName};
use protocol::ports::{Description, LabelMove, Put, Store, StoreError, StoreErrorKind, StoredValue, Which};
use secrecy::{ExposeSecret, SecretString};

use self::error::{classify, within};
use crate::time::InvocationTime;

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
    StoreError { kind: StoreErrorKind::UnknownOutcome, operation, code: "an answer that is not Secrets Manager's".into() }
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
        let arn = reply.arn.filter(|arn| !arn.is_empty()).ok_or_else(|| not_an_answer("DescribeSecret"))?;
        let versions: BTreeMap<_, _> = reply
            .version_ids_to_stages
            .unwrap_or_default()
            .into_iter()
            .map(|(version, labels)| (VersionId::new(version), labels.into_iter().map(Label::new).collect()))
            .collect();
        Ok(Description {
            name: SecretName::new(reply.name.unwrap_or_default()),
            arn,
            rotation_enabled: reply.rotation_enabled.unwrap_or(false),
            rotation_function: reply.rotation_lambda_arn.filter(|arn| !arn.is_empty()),
            deleted: reply.deleted_date.is_some(),
            versions,
        })
    }

    async fn read(&self, secret: &SecretId, which: Which<'_>) -> Result<Option<StoredValue>, StoreError> {
        let call = self.client.get_secret_value().secret_id(secret.as_str());
        let call = match which {
            Which::Version(version) => call.version_id(version.as_str()),
            // Named though it is the default: a role may be allowed this stage alone, and not every stand-in has the default.
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
        let version = reply.version_id.filter(|version| !version.is_empty()).ok_or_else(|| not_an_answer("GetSecretValue"))?;
        Ok(Some(StoredValue { version: VersionId::new(version), text: SecretString::from(text) }))
    }

    async fn versions(&self, secret: &SecretId) -> Result<Vec<VersionId>, StoreError> {
        let operation = "ListSecretVersionIds";
        let mut versions = Vec::new();
        let mut pages =
            self.client.list_secret_version_ids().secret_id(secret.as_str()).include_deprecated(true).into_paginator().send();
        while let Some(page) = tokio::time::timeout(self.patience(), pages.next()).await.map_err(|_| StoreError {
            kind: StoreErrorKind::UnknownOutcome,
            operation,
            code: "the time is up".into(),
        })? {
            let page = page.map_err(|error| classify(operation, &error))?;
            // What is not listed counts as never stored: a page without a list, or an entry without an id, proves nothing.
            for version in page.versions.ok_or_else(|| not_an_answer(operation))? {
                versions.push(VersionId::new(version.version_id.ok_or_else(|| not_an_answer(operation))?));
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
        stored.then_some(()).ok_or_else(|| not_an_answer("PutSecretValue"))
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
        reply.arn.map(drop).ok_or_else(|| not_an_answer("UpdateSecretVersionStage"))
    }
}
