//! Errors of the ports, in the words of an invocation's.

use crate::error::{Error, ErrorType};
use crate::ports::{ErrorClass, StoreError, StoreErrorKind, VenueError, Whose};

/// The operation whose limit is the number of labels that a secret can hold.
const LABELLING: &str = "UpdateSecretVersionStage";

pub(crate) fn store_error(error: &StoreError) -> Error {
    let StoreError {
        kind,
        operation,
        code,
    } = error;
    let (error_type, advice) = match kind {
        StoreErrorKind::NotFound => (ErrorType::SecretNotFound, "check the SecretId and the Region"),
        StoreErrorKind::Denied => (
            ErrorType::StoreDenied,
            "allow the function's role this operation on the secret; where its policy does, look for a \
             denial in the secret's resource policy, a permissions boundary, an organization's policy or \
             the VPC endpoint's",
        ),
        StoreErrorKind::Credentials => (
            ErrorType::StoreDenied,
            "AWS does not accept the credentials that the function signs with, or not any more: in Lambda \
             repeat it, and look whether the role is still there; elsewhere get new credentials",
        ),
        StoreErrorKind::Clock => (
            ErrorType::StoreUnavailable,
            "AWS does not accept the time that the request was signed at: set this machine's clock right, \
             and repeat it",
        ),
        StoreErrorKind::Kms => (
            ErrorType::KmsDenied,
            "the secret's KMS key cannot be used: check its state, its key policy and the role's grant on it",
        ),
        StoreErrorKind::Busy | StoreErrorKind::UnknownOutcome => (
            ErrorType::StoreUnavailable,
            "a step is repeated by Secrets Manager, and an operation may be asked for again; nothing else \
             need be done unless this lasts",
        ),
        StoreErrorKind::Limit if *operation == "PutSecretValue" => (
            ErrorType::StoreRefused,
            "the secret has as many versions as Secrets Manager keeps (about 100, and none younger than a \
             day is removed): wait until some are older than a day, or take labels off old ones; and find \
             out who stores so many",
        ),
        StoreErrorKind::Limit if *operation == LABELLING => (
            ErrorType::LabelsFull,
            "take labels off old versions whose keys are dead (aws secretsmanager \
             update-secret-version-stage --remove-from-version-id …)",
        ),
        StoreErrorKind::Exists | StoreErrorKind::Invalid | StoreErrorKind::Limit => (
            ErrorType::StoreRefused,
            "look at the secret's state with describe-secret",
        ),
    };
    Error::new(error_type, format!("{operation} failed ({code}): {advice}"))
}

pub(crate) fn venue_error(error: &VenueError) -> Error {
    let error_type = match error.class {
        ErrorClass::Clock | ErrorClass::Busy | ErrorClass::UnknownOutcome => ErrorType::VenueUnavailable,
        ErrorClass::Refused
        | ErrorClass::Impossible
        | ErrorClass::NoteTaken
        | ErrorClass::Gone
        | ErrorClass::PassphraseWrong => ErrorType::VenueRefused,
        class => match error.whose {
            Whose::Master => ErrorType::MasterRefused,
            Whose::Current => ErrorType::CurrentUnusable,
            Whose::Offered => ErrorType::OfferRefused,
            Whose::Pending if class.is_rejection() => ErrorType::PendingRejected,
            Whose::Pending if class == ErrorClass::Fault => ErrorType::VenueRefused,
            Whose::Pending => ErrorType::PendingDenied,
            Whose::Replaced => ErrorType::VenueRefused,
        },
    };
    Error::new(
        error_type,
        format!(
            "{} (signed with the {} credential)",
            error.say,
            error.whose.as_str()
        ),
    )
}

pub(crate) fn venue_class<T>(result: &Result<T, VenueError>) -> Option<ErrorClass> {
    result.as_ref().err().map(|error| error.class)
}

pub(crate) fn store_class<T>(result: &Result<T, StoreError>) -> Option<ErrorClass> {
    result.as_ref().err().map(|error| error.kind.class())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_which_it_is() {
        let said = |operation| {
            let (kind, code) = (StoreErrorKind::Limit, "LimitExceededException".into());
            let error = store_error(&StoreError {
                kind,
                operation,
                code,
            });
            (error.error_type, error.problem)
        };
        let (error_type, problem) = said("PutSecretValue");
        assert_eq!(error_type, ErrorType::StoreRefused);
        assert!(
            problem.contains("as many versions as Secrets Manager keeps"),
            "{problem}"
        );
        let (error_type, problem) = said(LABELLING);
        assert_eq!(error_type, ErrorType::LabelsFull);
        assert!(problem.contains("take labels off"), "{problem}");
    }
}
