//! How Bybit says no: a code, and its words. The codes are those of `docs/v5/error`.

use crate::venue::{Reason, Refusal};

/// Request parameter error.
pub(super) const PARAMETER: i64 = 10_001;

/// The code of a refusal, and the words that go with it.
pub(super) fn said(refusal: &Refusal) -> (i64, String) {
    let (own, words) = match refusal.reason {
        Reason::Clock => (
            10_002,
            "invalid request, please check your server timestamp or recv_window param.",
        ),
        Reason::InvalidKey | Reason::WrongEnvironment => (10_003, INVALID_KEY),
        Reason::Signature | Reason::Passphrase => (10_004, "error sign!"),
        Reason::Permission | Reason::MastersOnly | Reason::UnboundMaster => (10_005, PERMISSION),
        Reason::RateLimit => (10_006, "Too many visits. Exceeded the API Rate Limit."),
        Reason::NotLoggedIn => (10_007, "User not logged in."),
        Reason::Banned => (10_008, "User has been banned."),
        Reason::Address => (
            10_010,
            "Unmatched IP, please check your API key's bound IP addresses.",
        ),
        Reason::Kyc => (20_096, "Need KYC verification."),
        Reason::Expired => (33_004, "Your api key has expired."),
        Reason::IssuesNoKeys => (81_007, "The EU entity does not support creating API keys by API."),
        Reason::NoEdits => (141_019, "The key cannot be updated."),
        // Unverified for those that a knob can give another code.
        Reason::Parameter
        | Reason::BadPassphrase
        | Reason::KeyPassphrase
        | Reason::TooManyAddresses
        | Reason::NameTaken
        | Reason::SlotsFull
        | Reason::NoSuchKey
        | Reason::NoSuchAccount => (PARAMETER, "Request parameter error."),
    };
    match refusal.code {
        None => (own, words.to_owned()),
        Some(10_003) => (10_003, INVALID_KEY.to_owned()),
        Some(10_005) => (10_005, PERMISSION.to_owned()),
        Some(code) => (code, refusal.why.clone()),
    }
}

const INVALID_KEY: &str = "API key is invalid.";
const PERMISSION: &str = "Permission denied, please check your API key permissions.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_a_knob_names_counts_and_has_its_own_words() {
        let refusal = |code| Refusal {
            reason: Reason::NoSuchKey,
            why: "there is no such key".to_owned(),
            code,
        };
        for (named, code, words) in [
            (None, PARAMETER, "Request parameter error."),
            (Some(10_003), 10_003, INVALID_KEY),
            (Some(10_005), 10_005, PERMISSION),
            (Some(20_021), 20_021, "there is no such key"),
        ] {
            assert_eq!(said(&refusal(named)), (code, words.to_owned()));
        }
    }

    #[test]
    fn what_issues_nothing_has_codes_of_its_own() {
        for (reason, code) in [
            (Reason::Kyc, 20_096),
            (Reason::IssuesNoKeys, 81_007),
            (Reason::NoEdits, 141_019),
            (Reason::RateLimit, 10_006),
        ] {
            assert_eq!(said(&Refusal::new(reason, "")).0, code);
        }
    }
}
