//! Why an invocation failed: one fixed word that an alarm can match, and a message that says what to do.

use std::fmt;

use thiserror::Error;

use crate::name::SecretName;
use crate::step::Step;

/// The page that says what to do about each error and finding, from the root of this project.
pub(crate) const RUNBOOK: &str = "docs/runbook.md";

macro_rules! error_types {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// The `errorType` of a failed invocation. The words are a contract: alarms match them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorType {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as it is reported.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The section of the runbook about such errors, from the root of this project.
            pub fn runbook(self) -> String {
                format!("{RUNBOOK}#{}", self.as_str().to_lowercase())
            }
        }
    };
}

error_types! {
    /// The event is none that this function takes.
    EventInvalid = "EVENT_INVALID",
    /// An environment variable of the function is wrong.
    ConfigInvalid = "CONFIG_INVALID",
    /// Secrets Manager knows no such secret.
    SecretNotFound = "SECRET_NOT_FOUND",
    /// The secret is scheduled for deletion.
    SecretDeleted = "SECRET_DELETED",
    /// Rotation is switched off.
    RotationDisabled = "ROTATION_DISABLED",
    /// Another function rotates this secret.
    WrongFunction = "WRONG_FUNCTION",
    /// The token is no version of the secret.
    VersionUnknown = "VERSION_UNKNOWN",
    /// The version is not AWSPENDING.
    VersionNotPending = "VERSION_NOT_PENDING",
    /// The version can never be promoted.
    VersionDoomed = "VERSION_DOOMED",
    /// The secret has no current value yet.
    NoCurrentValue = "NO_CURRENT_VALUE",
    /// The pending version has no value.
    PendingEmpty = "PENDING_EMPTY",
    /// A value cannot be read as a credential.
    ValueInvalid = "VALUE_INVALID",
    /// Exchange or environment is unknown or not supported.
    VenueUnsupported = "VENUE_UNSUPPORTED",
    /// No master credential is named, or its value is unusable.
    MasterInvalid = "MASTER_INVALID",
    /// The venue did not accept the master credential, or not for this.
    MasterRefused = "MASTER_REFUSED",
    /// Neither the master's value nor a key of the secret says that the secret may have this of the account.
    ScopeRefused = "SCOPE_REFUSED",
    /// The current key cannot be asked for what its successor needs, and the value does not say it.
    CurrentUnusable = "CURRENT_UNUSABLE",
    /// The accounts that are known do not agree.
    AccountMismatch = "ACCOUNT_MISMATCH",
    /// The venue cannot give a key exactly what the policy says.
    GrantImpossible = "GRANT_IMPOSSIBLE",
    /// The key would be usable from anywhere, and no policy says so.
    KeyUnbound = "KEY_UNBOUND",
    /// The version labelled CANDIDATE or ROLLBACK cannot be used.
    OfferRefused = "OFFER_REFUSED",
    /// Only a person makes keys at this venue, and none is labelled CANDIDATE.
    CandidateMissing = "CANDIDATE_MISSING",
    /// The venue refused to issue a key, and nothing of ours could make room.
    IssueRefused = "ISSUE_REFUSED",
    /// Keys were issued and not stored, too many to issue another now.
    IssueUnstored = "ISSUE_UNSTORED",
    /// The secret has had too many versions within a day to issue another key for it.
    RotatedTooOften = "ROTATED_TOO_OFTEN",
    /// The venue rejects the pending key.
    PendingRejected = "PENDING_REJECTED",
    /// The venue refuses the pending key: it is good, and may not be used from here, or the venue does not
    /// tell why.
    PendingDenied = "PENDING_DENIED",
    /// The pending key may do what it must not.
    PendingTooPowerful = "PENDING_TOO_POWERFUL",
    /// The pending key may not do what it must.
    PendingTooWeak = "PENDING_TOO_WEAK",
    /// The secret has no room for the label that must come.
    LabelsFull = "LABELS_FULL",
    /// AWSCURRENT moved to another version meanwhile.
    SwapLost = "SWAP_LOST",
    /// AWSCURRENT was not moved, or nobody knows.
    SwapFailed = "SWAP_FAILED",
    /// The function's role does not allow a call to Secrets Manager, or AWS does not accept its credentials.
    StoreDenied = "STORE_DENIED",
    /// The secret's KMS key cannot be used.
    KmsDenied = "KMS_DENIED",
    /// Secrets Manager refused a call.
    StoreRefused = "STORE_REFUSED",
    /// Secrets Manager was throttling or did not answer, or its answers disagree for now.
    StoreUnavailable = "STORE_UNAVAILABLE",
    /// The venue was too busy or did not answer.
    VenueUnavailable = "VENUE_UNAVAILABLE",
    /// The venue refused a call for a reason of its own.
    VenueRefused = "VENUE_REFUSED",
    /// Too little is left of the invocation to go on.
    DeadlineNear = "DEADLINE_NEAR",
    /// A fault of this function.
    Internal = "INTERNAL",
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failed invocation.
#[derive(Clone, Debug, Error)]
#[error("{}{problem}", self.place())]
pub struct Error {
    /// The fixed word.
    pub error_type: ErrorType,
    /// What happened, and what to do.
    pub problem: String,
    /// In which step, once that is known.
    pub step: Option<Step>,
    /// To which secret, once that is known.
    pub secret: Option<SecretName>,
}

impl Error {
    /// An error that does not know yet where it happened.
    pub fn new(error_type: ErrorType, problem: impl Into<String>) -> Self {
        Self {
            error_type,
            problem: problem.into(),
            step: None,
            secret: None,
        }
    }

    /// The same, in its place.
    #[must_use]
    pub fn at(mut self, step: Step, secret: SecretName) -> Self {
        self.step = Some(step);
        self.secret = Some(secret);
        self
    }

    fn place(&self) -> String {
        match (&self.step, &self.secret) {
            (Some(step), Some(secret)) => format!("{step} of {secret}: "),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_step_and_masked_secret_before_what_happened() {
        let error = Error::new(ErrorType::LabelsFull, "no room");
        assert_eq!(error.to_string(), "no room");
        let error = error.at(Step::Finish, SecretName::new("prod/bybit/main"));
        assert_eq!(error.to_string(), "finishSecret of prod/bybit/***: no room");
    }
}
