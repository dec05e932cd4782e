//! How the venue says no: a code, its words, and (for people who run the sandbox) the reason in ours.

/// The codes that key endpoints answer with, as `docs/v5/error` lists them.
pub mod code {
    /// Request parameter error.
    pub const PARAMETER: i64 = 10_001;
    /// The request's timestamp lies outside the window.
    pub const CLOCK: i64 = 10_002;
    /// The key is invalid, or belongs to another environment.
    pub const INVALID_KEY: i64 = 10_003;
    /// The signature is wrong.
    pub const SIGNATURE: i64 = 10_004;
    /// The key lacks a permission, or is read-only, or is of the wrong kind of account.
    pub const PERMISSION: i64 = 10_005;
    /// The endpoint's rate limit for this account is used up.
    pub const RATE_LIMIT: i64 = 10_006;
    /// The account is banned.
    pub const BANNED: i64 = 10_008;
    /// The caller's address is not on the key's list.
    pub const ADDRESS: i64 = 10_010;
    /// The account has to pass an identity check first.
    pub const KYC: i64 = 20_096;
    /// The key has expired.
    pub const EXPIRED: i64 = 33_004;
    /// The European entity issues no keys through the API.
    pub const EU_ENTITY: i64 = 81_007;
}

/// A refusal in the venue's terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ret_code}: {why}")]
pub struct Refusal {
    /// The number that clients classify by.
    pub ret_code: i64,
    /// The venue's words. Those of [`code::SIGNATURE`] repeat the signed string, key id and request body
    /// included, as the venue's do: a client must not log them.
    pub ret_msg: String,
    /// The reason in our words, for the sandbox's own log. The venue sends no such thing.
    pub why: String,
}

impl Refusal {
    pub(super) fn parameter(why: impl Into<String>) -> Self {
        Self::new(code::PARAMETER, "Request parameter error.", why)
    }

    /// Worded as replies do that people have published.
    pub(super) fn clock(timestamp: i64, server: i64, window: i64) -> Self {
        let words = "invalid request, please check your server timestamp or recv_window param.";
        let figures = format!("req_timestamp[{timestamp}],server_timestamp[{server}],recv_window[{window}]");
        Self::new(
            code::CLOCK,
            format!("{words} {figures}"),
            format!("{} ms off", timestamp - server),
        )
    }

    pub(super) fn invalid_key(why: impl Into<String>) -> Self {
        Self::new(code::INVALID_KEY, "API key is invalid.", why)
    }

    /// Replies that people have published repeat the string that was signed.
    pub(super) fn signature(origin: &str) -> Self {
        Self::new(
            code::SIGNATURE,
            format!("error sign! origin_string[{origin}]"),
            "the signature does not match",
        )
    }

    pub(super) fn permission(why: impl Into<String>) -> Self {
        Self::new(
            code::PERMISSION,
            "Permission denied, please check your API key permissions.",
            why,
        )
    }

    pub(super) fn rate_limit() -> Self {
        Self::new(
            code::RATE_LIMIT,
            "Too many visits. Exceeded the API Rate Limit.",
            "the endpoint's limit is used up",
        )
    }

    pub(super) fn banned() -> Self {
        Self::new(code::BANNED, "User has been banned.", "the account is banned")
    }

    pub(super) fn address(why: impl Into<String>) -> Self {
        Self::new(
            code::ADDRESS,
            "Unmatched IP, please check your API key's bound IP addresses.",
            why,
        )
    }

    pub(super) fn expired() -> Self {
        Self::new(code::EXPIRED, "Your api key has expired.", "the key has expired")
    }

    /// A refusal whose code is a knob, because the venue's is not known.
    pub(super) fn unverified(ret_code: i64, why: impl Into<String>) -> Self {
        let why = why.into();
        match ret_code {
            code::PARAMETER => Self::parameter(why),
            code::INVALID_KEY => Self::invalid_key(why),
            code::PERMISSION => Self::permission(why),
            _ => Self::new(ret_code, why.clone(), why),
        }
    }

    pub(super) fn new(ret_code: i64, ret_msg: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            ret_code,
            ret_msg: ret_msg.into(),
            why: why.into(),
        }
    }
}
