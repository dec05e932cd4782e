//! How OKX says no: a code, its words and an HTTP status. The codes are those of "Error Code", with the
//! statuses of its tables unless replies that people have published have another.

use axum::http::StatusCode;

use crate::venue::{Reason, Refusal};

pub(super) const NO_BODY: i64 = 50_000;
pub(super) const NO_JSON: i64 = 50_002;
pub(super) const CONTENT_TYPE: i64 = 50_006;
pub(super) const MISSING: i64 = 50_014;
pub(super) const NO_KEY: i64 = 50_103;
pub(super) const NO_PASSPHRASE: i64 = 50_104;
pub(super) const NO_SIGNATURE: i64 = 50_106;
pub(super) const NO_TIME: i64 = 50_107;
pub(super) const BAD_TIME: i64 = 50_112;
pub(super) const METHOD: i64 = 50_115;
pub(super) const WITHDRAWS: i64 = 59_504;

/// The code of a refusal: what its reason is called here, unless it names one itself.
pub(super) fn code(refusal: &Refusal) -> i64 {
    let own = match refusal.reason {
        Reason::RateLimit => 50_011,
        // Unverified: nobody has seen a new key refused for a while.
        Reason::InvalidKey | Reason::NotLoggedIn | Reason::Expired => 50_111,
        Reason::WrongEnvironment => 50_101,
        Reason::Clock => 50_102,
        Reason::Passphrase | Reason::KeyPassphrase => 50_105,
        Reason::Address => 50_110,
        Reason::Signature => 50_113,
        Reason::Banned => 50_100,
        // Unverified: OKX documents no site that issues no keys.
        Reason::Kyc | Reason::IssuesNoKeys | Reason::NoEdits => 50_030,
        Reason::UnboundMaster => 50_035,
        Reason::Permission => 50_120,
        Reason::Parameter => 51_000,
        Reason::MastersOnly => 59_500,
        Reason::SlotsFull => 59_501,
        Reason::NameTaken => 59_502,
        Reason::TooManyAddresses => 59_503,
        Reason::BadPassphrase => 59_505,
        Reason::NoSuchKey => 59_506,
        Reason::NoSuchAccount => 59_510,
    };
    refusal.code.unwrap_or(own)
}

/// The status and the words that go with a code. All of 595xx come as if all were well.
pub(super) fn said(code: i64) -> (StatusCode, &'static str) {
    let words = match code {
        NO_BODY => "Body for POST request cannot be empty.",
        NO_JSON => "JSON syntax error",
        CONTENT_TYPE => "Invalid Content-Type, please use the application/json format.",
        50_011 => "Too Many Requests",
        MISSING => "Required parameter cannot be empty.",
        50_030 => "No permission to use this API endpoint",
        50_035 => "This endpoint requires that APIKey must be bound to IP",
        50_100 => "API frozen, please contact customer service.",
        50_101 => "APIKey does not match current environment.",
        50_102 => "Timestamp request expired",
        NO_KEY => "Request header OK-ACCESS-KEY cannot be empty.",
        NO_PASSPHRASE => "Request header OK-ACCESS-PASSPHRASE cannot be empty.",
        50_105 => "Request header OK-ACCESS-PASSPHRASE incorrect.",
        NO_SIGNATURE => "Request header OK-ACCESS-SIGN cannot be empty.",
        NO_TIME => "Request header OK-ACCESS-TIMESTAMP cannot be empty.",
        50_110 => "Your IP is not included in your API key's IP whitelist.",
        50_111 => "Invalid OK-ACCESS-KEY",
        BAD_TIME => "Invalid OK-ACCESS-TIMESTAMP",
        50_113 => "Invalid Sign",
        METHOD => "Invalid request method",
        50_119 => "API key doesn't exist",
        50_120 => "This API key doesn't have permission to use this function",
        51_000 => "Parameter error",
        59_500 => "Only the APIKey of the main account has permission.",
        59_501 => "Only 50 APIKeys can be created per account.",
        59_502 => "Note name cannot be duplicate with the currently created APIKey note name.",
        59_503 => "Each APIKey can bind up to 20 IP addresses.",
        WITHDRAWS => "The sub account does not support the withdrawal function.",
        59_505 => "The passphrase format is incorrect.",
        59_506 => "APIKey does not exist.",
        59_510 => "Sub-account does not exist",
        _ => "Operation failed.",
    };
    let status = match code {
        50_011 => StatusCode::TOO_MANY_REQUESTS,
        50_035 => StatusCode::FORBIDDEN,
        NO_BODY | NO_JSON | CONTENT_TYPE | MISSING | 50_100 | 51_000 => StatusCode::BAD_REQUEST,
        METHOD => StatusCode::METHOD_NOT_ALLOWED,
        50_101..=50_113 | 50_119 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::OK,
    };
    (status, words)
}

/// A refusal of a parameter under a code of its own.
pub(super) fn parameter(code: i64, why: impl Into<String>) -> Refusal {
    Refusal::parameter(why).coded(Some(code))
}
