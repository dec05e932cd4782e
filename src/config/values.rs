//! What one variable says: addresses, a KMS key, a time, a level of the log.

use std::collections::BTreeSet;
use std::time::Duration;

use protocol::operations::OperationSettings;
use protocol::secret::Address;
use tracing::level_filters::LevelFilter;

use super::ConfigError;

/// Three months: every venue's keys have been rotated again by then.
const MOST_GRACE_HOURS: u64 = 90 * 24;

pub(super) fn addresses(name: &'static str, list: &str) -> Result<BTreeSet<Address>, ConfigError> {
    let parse = |address: &str| {
        address.trim().parse::<Address>().map_err(|error| ConfigError {
            name,
            problem: format!("is not a list of addresses: {error}"),
        })
    };
    list.split(',').map(parse).collect()
}

pub(super) fn kms_key_arn(name: &'static str, arn: String) -> Result<String, ConfigError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "kms", _, _, key] if key.starts_with("key/") => Ok(arn),
        _ => Err(ConfigError {
            name,
            problem: "is not the ARN of a KMS key".into(),
        }),
    }
}

pub(super) fn grace(name: &'static str, hours: &str) -> Result<Duration, ConfigError> {
    let hours: u64 = hours.parse().map_err(|_| ConfigError {
        name,
        problem: "is not a whole number of hours".into(),
    })?;
    let grace = Duration::from_hours(hours.min(MOST_GRACE_HOURS));
    if hours > MOST_GRACE_HOURS {
        return Err(ConfigError {
            name,
            problem: format!("is more than {MOST_GRACE_HOURS} hours: no key should wait that long"),
        });
    }
    if grace < OperationSettings::LEAST_GRACE {
        return Err(ConfigError {
            name,
            problem: "is less than an hour: clients cache a key that long".into(),
        });
    }
    Ok(grace)
}

pub(super) fn log_level(name: &'static str, level: &str) -> Result<LevelFilter, ConfigError> {
    match level.to_lowercase().as_str() {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err(ConfigError {
            name,
            problem: "is not one of error, warn, info, debug, trace".into(),
        }),
    }
}
