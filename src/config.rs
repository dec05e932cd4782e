//! The function's configuration: environment variables, parsed once at start. A wrong value is refused by its
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use protocol::name::unqualified;
use protocol::operations::{Duty, OperationSettings};
use protocol::secret::Address;
use protocol::shown;
use reqwest::Url;
use thiserror::Error;
use tracing::level_filters::LevelFilter;

use crate::exchange::EXCHANGES;

/// Three months: every venue's keys have been rotated again by then.
const MOST_GRACE_HOURS: u64 = 90 * 24;

/// What the environment says.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What replaces an exchange's own hosts, for tests and private gateways, by the exchange's name: the
    /// variable of each is in [`EXCHANGES`].
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

/// What this function is for. The same program is deployed three times: who may call one of them may not call
/// the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Secrets Manager calls it for the steps of rotations.
    Rotation,
    /// It performs the operations of a duty.
    Operations {
        /// Which.
        duty: Duty,
        /// The ARN of the function that rotates.
        rotation: String,
        /// The ARN of the function for the other duty.
        other: String,
    },
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

impl Purpose {
    /// How the template names the emergency function: like the one that rotates, with this behind it.
    const EMERGENCY_SUFFIX: &'static str = "-emergency";

    fn from_env(read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let arn = |name: &'static str| read(name).map(|arn| function_arn(name, arn)).transpose();
        let operations = arn("OPERATIONS_FUNCTION_ARN")?;
        let emergency = arn("EMERGENCY_FUNCTION_ARN")?;
        match (arn("ROTATION_FUNCTION_ARN")?, operations, emergency) {
            (None, None, None) => Ok(Self::Rotation),
            (None, ..) => {
                let problem = "is missing: a function for operations has to know the one that rotates".into();
                Err(ConfigError {
                    name: "ROTATION_FUNCTION_ARN",
                    problem,
                })
            }
            (Some(_), Some(_), Some(_)) => {
                let problem = "and EMERGENCY_FUNCTION_ARN are both set: the first makes this the emergency \
                               function, the second names another one"
                    .into();
                Err(ConfigError {
                    name: "OPERATIONS_FUNCTION_ARN",
                    problem,
                })
            }
            (Some(rotation), Some(other), None) => Ok(Self::Operations {
                duty: Duty::Emergency,
                rotation,
                other,
            }),
            (Some(rotation), None, other) => {
                let other =
                    other.unwrap_or_else(|| format!("{}{}", unqualified(&rotation), Self::EMERGENCY_SUFFIX));
                Ok(Self::Operations {
                    duty: Duty::Operations,
                    rotation,
                    other,
                })
            }
        }
    }
}

/// What counts as not set here, or is read without the white space around it, the AWS SDK takes as it is.
fn sdk_reads_the_same(var: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    for name in [
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL",
    ] {
        if var(name).is_some_and(|value| value.is_empty() || value.trim() != value) {
            return Err(ConfigError::new(
                name,
                "is empty, or has white space around its value: unset it, or set it to the value alone",
            ));
        }
    }
    Ok(())
}

/// Whether the variables that the AWS SDK reads by itself can be used. It would pass over a wrong one, or
/// fail at the first call.
fn aws_can_be_used(read: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    let ignored = flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &read)?;
    let mut endpoint = None;
    for name in ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"] {
        if let Some(url) = read(name).filter(|_| !ignored) {
            base_url(name, &url)?;
            endpoint = endpoint.or(Some(name));
        }
    }
    for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        if let (true, Some(endpoint)) = (flag(name, &read)?, endpoint) {
            let problem = format!(
                "is set beside {endpoint}: an endpoint that is named is used as it is. Unset one of them"
            );
            return Err(ConfigError::new(name, problem));
        }
    }
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        read(name).map_or(Ok(()), |region| aws_region(name, &region))?;
    }
    Ok(())
}

/// Whether the variables are there that Lambda sets and the runtime library cannot do without.
pub(crate) fn lambda_is_complete(var: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    for name in [
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
    ] {
        if var(name).is_none() {
            return Err(ConfigError {
                name,
                problem: "is missing, though Lambda sets it: set it when you run the binary yourself".into(),
            });
        }
    }
    if var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").is_some_and(|size| size.parse::<i32>().is_err()) {
        return Err(ConfigError {
            name: "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            problem: "is not a whole number".into(),
        });
    }
    Ok(())
}

fn flag(name: &'static str, read: impl Fn(&str) -> Option<String>) -> Result<bool, ConfigError> {
    match read(name).map(|value| value.to_lowercase()).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ConfigError {
            name,
            problem: "is neither true nor false".into(),
        }),
    }
}

/// Source: AWS General Reference, "Regional endpoints": letters, digits and hyphens, as in `us-gov-west-1`.
pub(crate) fn aws_region(name: &'static str, text: &str) -> Result<(), ConfigError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.len() <= 63 && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('-') {
        return Ok(());
    }
    Err(ConfigError::new(
        name,
        format!("is no Region: {} is not like us-east-1", shown(text)),
    ))
}

/// A proxy that the HTTP stack does not understand is passed over in silence, and the calls go nowhere.
fn proxies_can_be_used(read: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        let Some(text) = read(name) else { continue };
        // Without a scheme it is taken for http.
        let with_scheme = if text.contains("://") {
            text
        } else {
            format!("http://{text}")
        };
        let is_good = Url::parse(&with_scheme).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !is_good {
            return Err(ConfigError::new(
                name,
                "is no proxy that can be used: it has to be like http://proxy.example:3128",
            ));
        }
    }
    Ok(())
}

fn base_urls(read: impl Fn(&str) -> Option<String>) -> Result<BTreeMap<&'static str, Url>, ConfigError> {
    let set = EXCHANGES
        .iter()
        .filter_map(|exchange| Some((exchange, read(exchange.base_url)?)));
    set.map(|(exchange, url)| Ok((exchange.name, base_url(exchange.base_url, &url)?)))
        .collect()
}

pub(crate) fn base_url(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = |problem: &str| ConfigError {
        name,
        problem: problem.into(),
    };
    let url = Url::parse(text)
        .map_err(|_| wrong("is not a URL: it has to be like https://host or https://host:port"))?;
    // The standard reads `https:/host` and `https:host` like `https://host`: a person has misspelt something.
    if !text.to_lowercase().starts_with(&format!("{}://", url.scheme()))
        && matches!(url.scheme(), "http" | "https")
    {
        return Err(wrong(
            "has not two slashes behind its scheme: it has to be like https://host or https://host:port",
        ));
    }
    let host = url.host_str().ok_or_else(|| wrong("names no host"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err(wrong(
                "is plain http to another machine: key secrets are signed with and read over it, so use \
                 https",
            ));
        }
        _ => return Err(wrong("is neither https nor, for this machine alone, http")),
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("holds more than scheme, host, port and path"));
    }
    Ok(url)
}

/// Whether a URL's host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn addresses(name: &'static str, list: &str) -> Result<BTreeSet<Address>, ConfigError> {
    let parse = |address: &str| {
        address.trim().parse::<Address>().map_err(|error| ConfigError {
            name,
            problem: format!("is not a list of addresses: {error}"),
        })
    };
    list.split(',').map(parse).collect()
}

fn function_arn(name: &'static str, arn: String) -> Result<String, ConfigError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "lambda", _, _, "function", _] | ["arn", _, "lambda", _, _, "function", _, _] => Ok(arn),
        _ => Err(ConfigError {
            name,
            problem: "is not the ARN of a Lambda function".into(),
        }),
    }
}

fn kms_key_arn(name: &'static str, arn: String) -> Result<String, ConfigError> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts[..] {
        ["arn", _, "kms", _, _, key] if key.starts_with("key/") => Ok(arn),
        _ => Err(ConfigError {
            name,
            problem: "is not the ARN of a KMS key".into(),
        }),
    }
}

fn grace(name: &'static str, hours: &str) -> Result<Duration, ConfigError> {
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

fn log_level(name: &'static str, level: &str) -> Result<LevelFilter, ConfigError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> Result<Config, String> {
        Config::from_env(|asked| (asked == name).then(|| value.to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_environment_is_a_good_one() {
        let config = Config::from_env(|_| None).unwrap();
        assert!(
            config.base_urls.is_empty() && config.egress.is_empty() && config.log_level == LevelFilter::INFO
        );
        assert!(read("EGRESS_IPS", " ").unwrap().egress.is_empty());
    }

    #[test]
    fn plain_http_goes_to_loopback_only() {
        for good in [
            "http://127.0.0.1:9302",
            "http://localhost:1",
            "http://[::1]:1/",
            "https://gateway.example/bybit",
        ] {
            assert!(read("BYBIT_BASE_URL", good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.bybit.com",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "ftp://127.0.0.1",
            "api.bybit.com",
            "https://user:pass@host",
            "https://host/?a=b",
            "nonsense",
        ] {
            let error = read("BYBIT_BASE_URL", bad).unwrap_err();
            assert!(
                error.contains("BYBIT_BASE_URL") && !error.contains("pass@"),
                "{bad}: {error}"
            );
        }
    }

    #[test]
    fn a_wrong_value_is_refused_by_its_name() {
        for (name, value) in [
            ("EGRESS_IPS", "1.2.3.4,bot"),
            ("EGRESS_IPS", "0.0.0.0"),
            ("LOG_LEVEL", "loud"),
            ("ROTATION_FUNCTION_ARN", "exchange-key-rotation"),
            (
                "ROTATION_FUNCTION_ARN",
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
            ),
            ("OPERATIONS_FUNCTION_ARN", "exchange-key-rotation-operations"),
            ("EMERGENCY_FUNCTION_ARN", "exchange-key-rotation-emergency"),
            ("KMS_KEY_ARN", "arn:aws:kms:eu-west-1:123456789012:alias/trading"),
            ("GRACE_HOURS", "0"),
            ("GRACE_HOURS", "a day"),
            ("GRACE_HOURS", "-1"),
            ("ADOPTION_GRACE_HOURS", "99999"),
            ("AWS_USE_FIPS_ENDPOINT", "yes"),
            ("AWS_ENDPOINT_URL", "http://10.0.0.1:4566"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "localhost:9311"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https:/host"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "https:host"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "not a url"),
            ("AWS_REGION", "\"us-east-1\""),
            ("AWS_REGION", "us east 1"),
            ("AWS_REGION", ""),
            ("AWS_ENDPOINT_URL", " https://vpce.example"),
            ("AWS_DEFAULT_REGION", "US-EAST-1"),
            ("HTTPS_PROXY", "nonsense://x"),
            ("https_proxy", "http://"),
            ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ] {
            let error = read(name, value).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(
            read("EGRESS_IPS", "203.0.113.7, 203.0.113.8")
                .unwrap()
                .egress
                .len(),
            2
        );
    }

    #[test]
    fn what_the_function_is_for_is_told_by_which_others_it_knows() {
        let arn = |name: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}");
        let purpose = |names: &[&str]| {
            let known = |asked: &str| names.contains(&asked).then(|| arn(&asked.to_lowercase()));
            Config::from_env(known)
                .map(|config| config.purpose)
                .map_err(|error| error.to_string())
        };
        let operations = |duty, other: String| Purpose::Operations {
            duty,
            rotation: arn("rotation_function_arn"),
            other,
        };
        assert_eq!(purpose(&[]), Ok(Purpose::Rotation));
        assert_eq!(
            purpose(&["ROTATION_FUNCTION_ARN"]),
            Ok(operations(
                Duty::Operations,
                arn("rotation_function_arn-emergency")
            ))
        );
        assert_eq!(
            purpose(&["ROTATION_FUNCTION_ARN", "EMERGENCY_FUNCTION_ARN"]),
            Ok(operations(Duty::Operations, arn("emergency_function_arn")))
        );
        assert_eq!(
            purpose(&["ROTATION_FUNCTION_ARN", "OPERATIONS_FUNCTION_ARN"]),
            Ok(operations(Duty::Emergency, arn("operations_function_arn")))
        );
        assert!(
            purpose(&["OPERATIONS_FUNCTION_ARN"])
                .unwrap_err()
                .contains("ROTATION_FUNCTION_ARN is missing")
        );
        let all = purpose(&[
            "ROTATION_FUNCTION_ARN",
            "OPERATIONS_FUNCTION_ARN",
            "EMERGENCY_FUNCTION_ARN",
        ]);
        assert!(all.unwrap_err().contains("both set"));
    }

    #[test]
    fn an_endpoint_that_is_ignored_need_not_be_one() {
        let set = |names: &[&str]| {
            let value = |asked: &str| {
                if asked == "AWS_ENDPOINT_URL" {
                    "nonsense"
                } else {
                    "true"
                }
            };
            Config::from_env(|asked| names.contains(&asked).then(|| value(asked).to_owned())).is_ok()
        };
        assert!(!set(&["AWS_ENDPOINT_URL"]));
        assert!(set(&[
            "AWS_ENDPOINT_URL",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "AWS_USE_FIPS_ENDPOINT"
        ]));
    }

    #[test]
    fn fips_or_dual_stack_beside_an_endpoint_is_refused_by_name() {
        for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            let both = Config::from_env(|asked| match asked {
                "AWS_ENDPOINT_URL" => Some("https://vpce.example".to_owned()),
                other => (other == name).then(|| "true".to_owned()),
            });
            assert!(both.unwrap_err().to_string().contains(name));
            assert!(read(name, "true").is_ok());
        }
    }

    #[test]
    fn a_proxy_may_be_named_with_or_without_its_scheme() {
        for good in [
            "http://proxy.example:3128",
            "https://user:pass@proxy.example",
            "proxy.example:3128",
            "10.0.0.1:8080",
        ] {
            assert!(read("HTTPS_PROXY", good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_variable_that_lambda_sets_is_asked_for_by_name() {
        let error =
            lambda_is_complete(|name| (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| "f".into())).unwrap_err();
        assert!(error.to_string().contains("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }
}
