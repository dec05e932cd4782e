//! What callers send, one struct an operation. `Default` stands for "left out"; an empty `secret_id` is
//! refused.

use serde::Deserialize;

use super::{Error, RotationRules, SecretValue, Sensitive};

/// `CreateSecret`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CreateSecret {
    /// The new secret's name.
    pub name: String,
    /// Becomes the version's id; demanded where there is a value.
    pub client_request_token: Option<String>,
    /// The value as text.
    pub secret_string: Option<Sensitive>,
    /// The value as base64 of bytes.
    pub secret_binary: Option<Sensitive>,
    /// A description.
    pub description: Option<String>,
    /// The key that protects the values.
    pub kms_key_id: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// `DescribeSecret`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeSecret {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
}

/// `GetSecretValue`; without version and stage it reads AWSCURRENT.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetSecretValue {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// The version to read.
    pub version_id: Option<String>,
    /// The label whose version to read.
    pub version_stage: Option<String>,
}

/// `PutSecretValue`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PutSecretValue {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// Becomes the version's id; demanded.
    pub client_request_token: Option<String>,
    /// The value as text.
    pub secret_string: Option<Sensitive>,
    /// The value as base64 of bytes.
    pub secret_binary: Option<Sensitive>,
    /// The labels to put on the version; left out, it becomes AWSCURRENT.
    pub version_stages: Option<Vec<String>>,
    /// The token of the event that the rotation function was invoked with.
    pub rotation_token: Option<Sensitive>,
}

/// `UpdateSecretVersionStage`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct UpdateSecretVersionStage {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// The label.
    pub version_stage: String,
    /// The version that has the label now.
    pub remove_from_version_id: Option<String>,
    /// The version that is to have it.
    pub move_to_version_id: Option<String>,
}

/// `ListSecretVersionIds`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ListSecretVersionIds {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// At most so many on the page, 1 to 100.
    pub max_results: Option<usize>,
    /// Where the last page ended.
    pub next_token: Option<String>,
    /// Whether versions without labels are listed too.
    pub include_deprecated: bool,
}

/// `ListSecrets`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ListSecrets {
    /// All of them must match.
    pub filters: Vec<Filter>,
    /// At most so many on the page, 1 to 100.
    pub max_results: Option<usize>,
    /// Where the last page ended.
    pub next_token: Option<String>,
    /// Whether secrets marked for deletion are listed too.
    pub include_planned_deletion: bool,
    /// The order; ascending where left out (unverified).
    pub sort_order: Option<SortOrder>,
    /// What to order by; the creation date where left out.
    pub sort_by: Option<SortBy>,
}

/// One filter of `ListSecrets`: any of the values must match.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Filter {
    /// `name`, `description`, `tag-key`, `tag-value`, `primary-region`, `owning-service` or `all`.
    pub key: String,
    /// Prefixes, or words for `all`; a leading `!` turns the match round.
    pub values: Vec<String>,
}

/// The direction of `ListSecrets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortOrder {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// What `ListSecrets` orders by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SortBy {
    /// When it was created.
    CreatedDate,
    /// When a value was last read.
    LastAccessedDate,
    /// When anything last changed.
    LastChangedDate,
    /// By name.
    Name,
}

/// `UpdateSecret`: description, key, and a new current value.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct UpdateSecret {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// Becomes the version's id; demanded where there is a value.
    pub client_request_token: Option<String>,
    /// The value as text.
    pub secret_string: Option<Sensitive>,
    /// The value as base64 of bytes.
    pub secret_binary: Option<Sensitive>,
    /// A new description.
    pub description: Option<String>,
    /// A new key; empty for the account's own.
    pub kms_key_id: Option<String>,
}

/// A tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// `TagResource`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagResource {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// The tags to set.
    pub tags: Vec<Tag>,
}

/// `UntagResource`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct UntagResource {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// The keys of the tags to remove.
    pub tag_keys: Vec<String>,
}

/// `DeleteSecret`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DeleteSecret {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// 7 to 30; 30 where left out.
    pub recovery_window_in_days: Option<i64>,
    /// Whether to delete at once and for good.
    pub force_delete_without_recovery: bool,
}

/// `RestoreSecret`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RestoreSecret {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
}

/// `RotateSecret`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RotateSecret {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
    /// Becomes the pending version's id. AWS demands it of callers without an SDK; here it is made up where
    /// left out.
    pub client_request_token: Option<String>,
    /// The function that rotates; the stored one where left out.
    #[serde(rename = "RotationLambdaARN")]
    pub rotation_lambda_arn: Option<String>,
    /// The schedule; the stored one where left out.
    pub rotation_rules: Option<RotationRules>,
    /// True where left out. False runs testSecret alone, on a copy of the current value.
    pub rotate_immediately: Option<bool>,
}

/// `CancelRotateSecret`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CancelRotateSecret {
    /// Name, ARN, or ARN without its suffix.
    pub secret_id: String,
}

/// The quota: "Secret value size: 65,536 bytes".
const LARGEST_VALUE: usize = 65_536;

/// The one value of a request that may carry one.
pub(super) fn value_of(
    text: Option<&Sensitive>,
    binary: Option<&Sensitive>,
) -> Result<Option<SecretValue>, Error> {
    let value = match (text, binary) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(Error::parameter(
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            ));
        }
        (Some(text), None) => SecretValue::Text(text.clone()),
        (None, Some(binary)) => SecretValue::Binary(binary.clone()),
    };
    if (1..=LARGEST_VALUE).contains(&value.size()) {
        Ok(Some(value))
    } else {
        Err(Error::parameter(format!(
            "A secret value must be 1 to {LARGEST_VALUE} bytes long."
        )))
    }
}

/// Checks the form of a `ClientRequestToken`.
pub(super) fn check_token(token: &str) -> Result<(), Error> {
    if (32..=64).contains(&token.len()) {
        Ok(())
    } else {
        Err(Error::parameter(
            "ClientRequestToken must be 32-64 characters long.",
        ))
    }
}

/// The `ClientRequestToken` of a request that makes a version. SDKs always fill it in; the service demands
/// it.
pub(super) fn demanded_token(token: Option<&String>) -> Result<&str, Error> {
    let token = token.ok_or_else(|| {
        Error::request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    })?;
    check_token(token)?;
    Ok(token)
}
