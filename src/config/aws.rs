//! What the AWS SDK and Lambda's runtime library read of the environment by themselves.

use protocol::shown;

use super::{ConfigError, base_url};

/// What counts as not set here, or is read without the white space around it, the AWS SDK takes as it is.
pub(super) fn sdk_reads_the_same(var: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
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
pub(super) fn aws_can_be_used(read: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
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
