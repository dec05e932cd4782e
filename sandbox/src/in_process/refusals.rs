//! What a model's refusals mean to the protocol, and what is refused before it is asked.

use protocol::ports::{ErrorClass, VenueError, Whose};

use super::kind::VenueKind;
use crate::venue::{Reason, Refusal};

/// What a refusal means to the protocol.
pub(super) fn said_no(kind: &VenueKind, whose: Whose, refusal: &Refusal) -> VenueError {
    let class = match refusal.reason {
        Reason::InvalidKey
        | Reason::WrongEnvironment
        | Reason::Expired
        | Reason::NotLoggedIn
        | Reason::Address
        | Reason::Banned
        | Reason::Permission
        | Reason::MastersOnly
            if !kind.explains_refusals =>
        {
            ErrorClass::Unexplained
        }
        Reason::InvalidKey | Reason::WrongEnvironment | Reason::Expired => ErrorClass::Rejected,
        Reason::Signature | Reason::Passphrase | Reason::NotLoggedIn => ErrorClass::Mismatched,
        Reason::Permission
        | Reason::MastersOnly
        | Reason::UnboundMaster
        | Reason::Address
        | Reason::Banned
        | Reason::Kyc
        | Reason::IssuesNoKeys => ErrorClass::Denied,
        Reason::Clock => ErrorClass::Clock,
        Reason::RateLimit => ErrorClass::Busy,
        Reason::NoEdits => ErrorClass::Impossible,
        Reason::NameTaken => ErrorClass::NoteTaken,
        Reason::KeyPassphrase => ErrorClass::PassphraseWrong,
        Reason::NoSuchKey if kind.tells_gone => ErrorClass::Gone,
        Reason::Parameter
        | Reason::BadPassphrase
        | Reason::TooManyAddresses
        | Reason::SlotsFull
        | Reason::NoSuchKey
        | Reason::NoSuchAccount => ErrorClass::Refused,
    };
    // The venue's own words may repeat what was signed.
    VenueError {
        class,
        whose,
        say: format!("the stand-in answers {refusal}"),
    }
}

/// Keys are made by a person alone.
pub(super) fn nobody_issues(whose: Whose) -> VenueError {
    VenueError {
        class: ErrorClass::Refused,
        whose,
        say: "the stand-in has no calls about other keys".into(),
    }
}

pub(super) fn no_such_power(whose: Whose) -> VenueError {
    VenueError {
        class: ErrorClass::Fault,
        whose,
        say: "the venue has no such permission".into(),
    }
}

pub(super) fn odd(whose: Whose, problem: &str) -> VenueError {
    VenueError {
        class: ErrorClass::UnknownOutcome,
        whose,
        say: format!("the stand-in says something odd: {problem}"),
    }
}

pub(super) fn no_such_account(whose: Whose) -> VenueError {
    VenueError {
        class: ErrorClass::Refused,
        whose,
        say: "there is no such account".into(),
    }
}

pub(super) fn no_passphrase(whose: Whose) -> VenueError {
    VenueError {
        class: ErrorClass::Fault,
        whose,
        say: "the venue takes no request without a passphrase".into(),
    }
}
