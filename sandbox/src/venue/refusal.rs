//! Why the venue says no. Its codes and words are the front's.

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such key, or not any more, or it belongs to another host.
    InvalidKey,
    /// The key belongs to another environment.
    WrongEnvironment,
    /// The key is not known everywhere yet, and the venue says so.
    NotLoggedIn,
    /// The key has expired.
    Expired,
    /// The signature is wrong.
    Signature,
    /// The passphrase is wrong.
    Passphrase,
    /// The request's time lies outside the window.
    Clock,
    /// The caller's address is not on the key's list.
    Address,
    /// The account is banned.
    Banned,
    /// The endpoint's limit for this account is used up.
    RateLimit,
    /// The caller's key lacks a permission, or only reads.
    Permission,
    /// The caller's key is a sub-account's.
    MastersOnly,
    /// The caller's key is a master key that is bound to no address.
    UnboundMaster,
    /// A parameter is missing or wrong.
    Parameter,
    /// The passphrase asked for is none that the venue takes.
    BadPassphrase,
    /// The passphrase sent with an order is not the one of the key that the order is about.
    KeyPassphrase,
    /// The key asked for would have more addresses than a key may have.
    TooManyAddresses,
    /// Another key of the account has the note.
    NameTaken,
    /// The account has as many keys as it may have.
    SlotsFull,
    /// The key that the call is about is not there, or not the caller's.
    NoSuchKey,
    /// The account that the call is about is not there, or not the caller's.
    NoSuchAccount,
    /// The key cannot be edited.
    NoEdits,
    /// The parent account has to pass an identity check first.
    Kyc,
    /// The site issues no keys through the API.
    IssuesNoKeys,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason:?}: {why}")]
pub struct Refusal {
    /// Why, for the front and for the protocol.
    pub reason: Reason,
    /// Why, in our words, for the sandbox's own log. The venue sends no such thing.
    pub why: String,
    /// The venue's code, where the reason alone does not tell it: a knob decides it because nobody knows it,
    /// or the front that could make no sense of a request.
    pub code: Option<i64>,
}

impl Refusal {
    /// Refuses.
    pub fn new(reason: Reason, why: impl Into<String>) -> Self {
        Self {
            reason,
            why: why.into(),
            code: None,
        }
    }

    /// Refuses a parameter.
    pub fn parameter(why: impl Into<String>) -> Self {
        Self::new(Reason::Parameter, why)
    }

    /// The usual throttling.
    pub fn rate_limit() -> Self {
        Self::new(Reason::RateLimit, "the endpoint's limit is used up")
    }

    pub(super) fn permission(why: impl Into<String>) -> Self {
        Self::new(Reason::Permission, why)
    }

    /// With a code of its own.
    #[must_use]
    pub fn coded(self, code: Option<i64>) -> Self {
        Self { code, ..self }
    }
}
