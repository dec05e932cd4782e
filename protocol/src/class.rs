//! What an error from outside means.

/// What a venue's error means. Ambiguity is never an answer: only the first three tell something of the
/// signer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The signer's credential is bad: the venue knows no such key, or not any more.
    Rejected,
    /// The signer's credential is bad, and its key may well be alive: the signature is not one of that key's.
    Mismatched,
    /// The credential is good, and may not do this, or not from here.
    Denied,
    /// The signer was refused, and the venue does not tell whether its key, its address or a permission is
    /// the reason: the key may be dead, and may well be alive.
    Unexplained,
    /// The key was not asked: that could disturb who uses it.
    NotAsked,
    /// A definite no for another reason; nothing was done.
    Refused,
    /// A definite no to what was asked itself, which a repetition would get again; nothing was done.
    Impossible,
    /// A definite no: another key of the account bears the note that was asked for; nothing was done.
    NoteTaken,
    /// A definite no: the account has no such key, or not any more; nothing was done.
    Gone,
    /// A definite no: the key has another passphrase than the one that was sent with the order; nothing was
    /// done.
    PassphraseWrong,
    /// The clocks disagree; nothing was done.
    Clock,
    /// Too busy; nothing was done.
    Busy,
    /// Nobody knows whether it was done.
    UnknownOutcome,
    /// Our own request was wrong; nothing was done.
    Fault,
}

impl ErrorClass {
    /// Whether the credential is bad, for whatever reason.
    pub fn is_rejection(self) -> bool {
        matches!(self, Self::Rejected | Self::Mismatched)
    }

    /// Whether a key that is young may answer so where not everybody at the venue knows it yet.
    pub fn may_mean_not_yet(self) -> bool {
        self.is_rejection() || self == Self::Unexplained
    }

    /// Whether it tells nothing of a key, and will tell nothing more however often it is asked.
    pub fn tells_nothing(self) -> bool {
        matches!(self, Self::Unexplained | Self::NotAsked)
    }

    /// The word in audit lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected | Self::Mismatched => "rejected",
            Self::Denied => "denied",
            Self::Unexplained => "unexplained",
            Self::NotAsked => "not_asked",
            Self::Refused | Self::Impossible | Self::NoteTaken | Self::Gone | Self::PassphraseWrong => {
                "refused"
            }
            Self::Clock => "clock",
            Self::Busy => "busy",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Fault => "fault",
        }
    }
}
