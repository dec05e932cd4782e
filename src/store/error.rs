//! What Secrets Manager's errors mean, in one table.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::result::DispatchFailure;
use protocol::ports::{StoreError, StoreErrorKind};

use super::client::Unreached;

/// Waits for a call, and no longer than that.
pub(super) async fn within<T, E: ProvideErrorMetadata>(
    patience: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(patience, call).await {
        Ok(reply) => reply.map_err(|error| classify(operation, &error)),
        Err(_) => Err(StoreError {
            kind: StoreErrorKind::UnknownOutcome,
            operation,
            code: "the time is up".into(),
        }),
    }
}

/// What an error means for the caller. Messages are left out: they quote ARNs and may quote values.
pub(super) fn classify<E: ProvideErrorMetadata>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> StoreError {
    let (kind, code) = match error {
        SdkError::ConstructionFailure(_) => (
            StoreErrorKind::Invalid,
            "the request could not be built".to_owned(),
        ),
        SdkError::TimeoutError(_) => (StoreErrorKind::UnknownOutcome, "no answer in time".into()),
        SdkError::DispatchFailure(failure) => (StoreErrorKind::UnknownOutcome, why(failure)),
        SdkError::ServiceError(refusal) => match refusal.err().code() {
            Some(code) => (
                kind(code, refusal.err().message().unwrap_or_default()),
                code.to_owned(),
            ),
            None => (
                StoreErrorKind::UnknownOutcome,
                format!("HTTP {}", refusal.raw().status()),
            ),
        },
        _ => (
            StoreErrorKind::UnknownOutcome,
            "an answer that is not Secrets Manager's".into(),
        ),
    };
    StoreError {
        kind,
        operation,
        code,
    }
}

/// Why a request was not answered. The SDK has one variant for what the way to the host does and for
/// credentials that cannot be had.
fn why(failure: &DispatchFailure) -> String {
    let mut source = failure
        .as_connector_error()
        .map(|error| error as &(dyn Error + 'static));
    while let Some(error) = source {
        if let Some(Unreached(why)) = error.downcast_ref() {
            return why.clone();
        }
        source = error.source();
    }
    "the request could not be sent, or there are no AWS credentials to sign it".into()
}

/// Source: the errors that the API reference lists for each operation, and the errors common to all actions.
/// A code may stand for two causes, of which the message tells which: "Access to KMS is not allowed" (AWS
/// Secrets Manager user guide, "Troubleshoot") where the role or the key's policy keeps Secrets Manager from
/// the KMS key; "Signature expired" and "Signature not yet current" (AWS IAM user guide, "Troubleshoot
/// Signature Version 4 requests") where the clock is off.
fn kind(code: &str, message: &str) -> StoreErrorKind {
    match code {
        _ if message.contains("Access to KMS is not allowed") => StoreErrorKind::Kms,
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => StoreErrorKind::Clock,
        _ if message.contains("Signature expired") || message.contains("Signature not yet current") => {
            StoreErrorKind::Clock
        }
        "ResourceNotFoundException" => StoreErrorKind::NotFound,
        "ResourceExistsException" => StoreErrorKind::Exists,
        "AccessDeniedException" | "OptInRequired" | "NotAuthorized" => StoreErrorKind::Denied,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "ExpiredToken"
        | "ExpiredTokenException" => StoreErrorKind::Credentials,
        "DecryptionFailure" | "EncryptionFailure" => StoreErrorKind::Kms,
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled" => StoreErrorKind::Busy,
        "InvalidRequestException"
        | "InvalidParameterException"
        | "InvalidNextTokenException"
        | "PreconditionNotMetException"
        | "ValidationException"
        | "ValidationError" => StoreErrorKind::Invalid,
        "LimitExceededException" => StoreErrorKind::Limit,
        _ => StoreErrorKind::UnknownOutcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_nobody_knows_says_nothing_definite() {
        for code in [
            "InternalServiceError",
            "InternalFailure",
            "ServiceUnavailable",
            "SomethingNew",
            "",
        ] {
            assert_eq!(kind(code, ""), StoreErrorKind::UnknownOutcome, "{code}");
        }
    }

    #[test]
    fn a_denial_is_the_roles_the_keys_the_credentials_or_the_clocks() {
        for (code, message, expected) in [
            (
                "AccessDeniedException",
                "User: … is not authorized to perform: …",
                StoreErrorKind::Denied,
            ),
            (
                "AccessDeniedException",
                "Access to KMS is not allowed",
                StoreErrorKind::Kms,
            ),
            (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
                StoreErrorKind::Credentials,
            ),
            (
                "ExpiredTokenException",
                "The security token included in the request is expired",
                StoreErrorKind::Credentials,
            ),
            (
                "InvalidSignatureException",
                "The request signature we calculated does not match …",
                StoreErrorKind::Credentials,
            ),
            (
                "InvalidSignatureException",
                "Signature expired: 20261127T000000Z is now earlier than …",
                StoreErrorKind::Clock,
            ),
            (
                "InvalidSignatureException",
                "Signature not yet current: … is still later than …",
                StoreErrorKind::Clock,
            ),
            ("RequestTimeTooSkewed", "", StoreErrorKind::Clock),
        ] {
            assert_eq!(kind(code, message), expected, "{code}: {message}");
        }
    }
}
