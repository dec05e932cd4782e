//! What the service refuses, under AWS's own exception names.

use std::fmt;

/// A refusal: the exception that AWS names, and its message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Error {
    /// Which exception.
    pub kind: ErrorKind,
    /// The text, in AWS's wording where that is known.
    pub message: String,
}

impl Error {
    /// A refusal of this kind with this text.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            ErrorKind::ResourceNotFound,
            "Secrets Manager can't find the specified secret.",
        )
    }

    pub(super) fn deleted() -> Self {
        Self::new(
            ErrorKind::InvalidRequest,
            "You can't perform this operation on the secret because it was marked for deletion.",
        )
    }

    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidParameter, message)
    }

    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::LimitExceeded, message)
    }

    pub(super) fn token_in_use(token: &str, arn: &str) -> Self {
        Self::new(
            ErrorKind::ResourceExists,
            format!(
                "You can't use ClientRequestToken {token} because that value is already in use for a \
                 version of secret {arn}."
            ),
        )
    }
}

/// The exceptions of Secrets Manager and of the layer in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The secret, version or label isn't there, or the version has no value.
    ResourceNotFound,
    /// The name or the token is taken.
    ResourceExists,
    /// Not valid for the state that the secret is in.
    InvalidRequest,
    /// A parameter is wrong in itself, or the compare-and-swap on a label failed.
    InvalidParameter,
    /// The page token is not one of ours, or its place in the list has gone.
    InvalidNextToken,
    /// A quota: versions, labels.
    LimitExceeded,
    /// The key that protects the value can't be used to read.
    DecryptionFailure,
    /// The key that protects the value can't be used to write.
    EncryptionFailure,
    /// A required member is missing or malformed.
    Validation,
    /// The body isn't the JSON that the operation takes.
    Serialization,
    /// No such operation.
    UnknownOperation,
    /// The caller isn't known.
    UnrecognizedClient,
    /// Too many calls.
    Throttling,
    /// The service failed.
    InternalService,
}

impl ErrorKind {
    /// AWS's name of the exception.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ResourceExists => "ResourceExistsException",
            Self::InvalidRequest => "InvalidRequestException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidNextToken => "InvalidNextTokenException",
            Self::LimitExceeded => "LimitExceededException",
            Self::DecryptionFailure => "DecryptionFailure",
            Self::EncryptionFailure => "EncryptionFailure",
            Self::Validation => "ValidationException",
            Self::Serialization => "SerializationException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::Throttling => "ThrottlingException",
            Self::InternalService => "InternalServiceError",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
