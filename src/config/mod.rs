//! The function's configuration: environment variables, parsed once at start. A wrong value is refused by its
//! name.

mod aws;
mod purpose;
#[cfg(test)]
mod tests;
mod urls;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::operations::OperationSettings;
use protocol::secret::Address;
use reqwest::Url;
use thiserror::Error;
use tracing::level_filters::LevelFilter;

use self::aws::{aws_can_be_used, sdk_reads_the_same};
pub(crate) use self::aws::{aws_region, lambda_is_complete};
pub(crate) use self::purpose::Purpose;
pub(crate) use self::urls::{base_url, is_loopback};
use self::urls::{base_urls, proxies_can_be_used};
use self::values::{addresses, grace, kms_key_arn, log_level};

/// What the environment says.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What replaces an exchange's own hosts, for tests and private gateways, by the exchange's name: the
    /// variable of each is in [`EXCHANGES`](crate::exchange::EXCHANGES).
    pub(crate) base_urls: BTreeMap<&'static str, Url>,
    /// `EGRESS_IPS`: the addresses this function's calls leave from, separated by commas.
    pub(crate) egress: BTreeSet<Address>,
    /// `ROTATION_FUNCTION_ARN`, `OPERATIONS_FUNCTION_ARN` and `EMERGENCY_FUNCTION_ARN`: which of the three
    /// functions this is.
    pub(crate) purpose: Purpose,
    /// `GRACE_HOURS`: how long a replaced key stays alive.
    pub(crate) grace: Duration,
    /// `ADOPTION_GRACE_HOURS`: the same for a key that was made by hand.
    pub(crate) adoption_grace: Duration,
    /// `KMS_KEY_ARN`: the KMS key that the roles of the functions may use.
    pub(crate) kms_key: Option<String>,
    /// `LOG_LEVEL`: error, warn, info, debug or trace.
    pub(crate) log_level: LevelFilter,
}

impl Config {
    /// Reads the configuration; `var` looks a variable up. One that is empty counts as not set.
    pub(crate) fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        sdk_reads_the_same(&var)?;
        let read = |name: &str| {
            var(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        proxies_can_be_used(read)?;
        aws_can_be_used(read)?;
        Ok(Self {
            base_urls: base_urls(read)?,
            egress: read("EGRESS_IPS")
                .map(|list| addresses("EGRESS_IPS", &list))
                .transpose()?
                .unwrap_or_default(),
            purpose: Purpose::from_env(read)?,
            grace: read("GRACE_HOURS")
                .map_or(Ok(OperationSettings::GRACE), |hours| grace("GRACE_HOURS", &hours))?,
            adoption_grace: read("ADOPTION_GRACE_HOURS")
                .map_or(Ok(OperationSettings::ADOPTION_GRACE), |hours| {
                    grace("ADOPTION_GRACE_HOURS", &hours)
                })?,
            kms_key: read("KMS_KEY_ARN")
                .map(|arn| kms_key_arn("KMS_KEY_ARN", arn))
                .transpose()?,
            log_level: read("LOG_LEVEL")
                .map(|level| log_level("LOG_LEVEL", &level))
                .transpose()?
                .unwrap_or(LevelFilter::INFO),
        })
    }
}

/// An environment variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the environment variable {name} {problem}")]
pub(crate) struct ConfigError {
    name: &'static str,
    problem: String,
}

impl ConfigError {
    pub(crate) fn new(name: &'static str, problem: impl Into<String>) -> Self {
        Self {
            name,
            problem: problem.into(),
        }
    }
}
