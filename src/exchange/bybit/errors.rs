//! What Bybit's errors mean, in one table. Source: `docs/v5/error`, `docs/v5/rate-limit`.

use protocol::ports::ErrorClass;

/// What an error means, and what to tell the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) class: ErrorClass,
    pub(super) say: String,
}

/// The table: code, class, and what happened and what to do, after "Bybit says that …".
const TABLE: &[(i64, ErrorClass, &str)] = &[
    (-2015, ErrorClass::Rejected, "the key has expired"),
    (-1, ErrorClass::Clock, "the request's time is outside its window"),
    (10000, ErrorClass::UnknownOutcome, "its server timed out"),
    (
        10001,
        ErrorClass::Refused,
        "it does not accept a parameter, or an account or key that one names",
    ),
    (
        10002,
        ErrorClass::Clock,
        "the request's time is outside its window",
    ),
    (
        10003,
        ErrorClass::Rejected,
        "it does not know the key: deleted, or of another environment or regional site",
    ),
    (
        10004,
        ErrorClass::Mismatched,
        "the signature is wrong: the key secret does not belong to the key",
    ),
    (
        10005,
        ErrorClass::Denied,
        "the key lacks the permission for this call: to manage a sub-account's keys a master account's key \
         needs Account Transfer, Subaccount Transfer or Withdrawal, and may not be read-only",
    ),
    (10006, ErrorClass::Busy, "too many calls were made"),
    (
        10007,
        ErrorClass::Mismatched,
        "the key could not be authenticated",
    ),
    (
        10008,
        ErrorClass::Denied,
        "the account is banned: ask Bybit's support",
    ),
    (
        10009,
        ErrorClass::Denied,
        "it takes no calls from this region, or from this address: look at the Region of the function's \
         egress address, or ask Bybit's support",
    ),
    (
        10010,
        ErrorClass::Denied,
        "the key is bound to other addresses than this function's: name the function's own in EGRESS_IPS, \
         and add them to a key made by hand",
    ),
    (10014, ErrorClass::UnknownOutcome, "the request came twice"),
    (10016, ErrorClass::UnknownOutcome, "its server failed"),
    (
        10017,
        ErrorClass::Fault,
        "it has no such call: look at BYBIT_BASE_URL",
    ),
    (10018, ErrorClass::Busy, "too many calls came from this address"),
    (
        10024,
        ErrorClass::Denied,
        "compliance rules forbid the call: ask Bybit's support",
    ),
    (
        10027,
        ErrorClass::Denied,
        "the account may not trade: ask Bybit's support",
    ),
    (10032, ErrorClass::Denied, "a demo account has no such call"),
    (
        20096,
        ErrorClass::Denied,
        "the account has to pass identity verification first",
    ),
    (33004, ErrorClass::Rejected, "the key has expired"),
    (
        81007,
        ErrorClass::Denied,
        "its EU entity issues no keys by API: make the key by hand, store it as CANDIDATE",
    ),
    (
        141_004,
        ErrorClass::Impossible,
        "the sub-account cannot have such a key",
    ),
    (
        141_019,
        ErrorClass::Impossible,
        "the key cannot have these addresses or permissions",
    ),
    (
        141_020,
        ErrorClass::Impossible,
        "the key cannot have these addresses or permissions",
    ),
    (429, ErrorClass::UnknownOutcome, "it is overloaded"),
];

/// What a reply's `retCode` means; 0 is no error and has no meaning here.
pub(super) fn of_code(code: i64, message: &str) -> Meaning {
    if let Some((_, class, say)) = TABLE.iter().find(|(known, ..)| *known == code) {
        return Meaning {
            class: *class,
            say: format!("Bybit says that {say} (retCode {code})"),
        };
    }
    // A definite no of a kind that the table does not have: its own words are all there is to go by.
    Meaning {
        class: ErrorClass::Refused,
        say: format!("Bybit refused (retCode {code}: {})", harmless(message)),
    }
}

/// What a reply means that is no envelope of Bybit's.
pub(super) fn of_status(status: u16, body: &[u8]) -> Meaning {
    let (class, say) = match status {
        401 => (ErrorClass::Mismatched, "the request was not authenticated"),
        403 if says_too_frequent(body) => (
            ErrorClass::Busy,
            "too many calls came from this address, and none is taken for ten minutes",
        ),
        // Source: Bybit's integration guidance: 403 is the limit of an address first. The page does not tell.
        403 => (
            ErrorClass::Busy,
            "too many calls came from this address, and none is taken for ten minutes; or Bybit takes none \
             from this country: where it lasts, look at the Region of the function's egress address",
        ),
        429 => (ErrorClass::Busy, "too many calls were made"),
        404 | 405 => (
            ErrorClass::Fault,
            "there is no such call at this host: look at BYBIT_BASE_URL",
        ),
        300..=399 => (
            ErrorClass::Fault,
            "the host redirects, which is not followed: look at BYBIT_BASE_URL",
        ),
        _ => (ErrorClass::UnknownOutcome, "an answer came that is not Bybit's"),
    };
    Meaning {
        class,
        say: format!("{say} (HTTP {status})"),
    }
}

/// Source: `docs/v5/rate-limit`: "403, access too frequent" for 600 calls in 5 seconds from one address.
fn says_too_frequent(body: &[u8]) -> bool {
    String::from_utf8_lossy(body)
        .to_lowercase()
        .contains("access too frequent")
}

/// The venue's words, without anything that could be a key, a secret or a signature: those have no short
/// words. (The message of 10004 repeats all that was signed.)
fn harmless(message: &str) -> String {
    let word = |word: &str| {
        let plain = word.len() <= 14
            && word
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b".,:;'()-".contains(&b))
            || word.len() <= 6 && word.bytes().all(|b| b.is_ascii_digit());
        if plain { word.to_owned() } else { "…".into() }
    };
    message
        .split_whitespace()
        .take(20)
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_meaning() {
        for (at, (code, ..)) in TABLE.iter().enumerate() {
            assert!(
                !TABLE[..at].iter().any(|(earlier, ..)| earlier == code),
                "{code} stands twice"
            );
        }
        assert_eq!(of_code(10003, "").class, ErrorClass::Rejected);
        assert_eq!(of_code(10004, "").class, ErrorClass::Mismatched);
        assert_eq!(of_code(10010, "").class, ErrorClass::Denied);
        assert_eq!(of_code(10016, "").class, ErrorClass::UnknownOutcome);
        assert_eq!(of_code(99999, "").class, ErrorClass::Refused);
    }

    #[test]
    fn no_message_of_the_venue_brings_a_secret_into_a_log() {
        let message = "error sign! origin_string[1658384314791AbCdEfGhIjKlMnOpQr5000], check (it) now 12345 \
                       AbCdEfGhIjKlMnOpQr deadbeefdeadbeef";
        let said = of_code(99999, message).say;
        assert!(said.contains("check (it) now 12345"), "{said}");
        for hidden in ["1658384314791", "AbCdEf", "deadbeef"] {
            assert!(!said.contains(hidden), "{said}");
        }
    }

    #[test]
    fn an_address_that_is_refused_may_have_asked_too_often() {
        assert_eq!(of_status(403, b"Access too frequent.").class, ErrorClass::Busy);
        let page = of_status(403, b"<html>");
        assert!(
            page.class == ErrorClass::Busy
                && page.say.contains("ten minutes")
                && page.say.contains("country"),
            "{page:?}"
        );
        assert_eq!(of_status(200, b"<html>").class, ErrorClass::UnknownOutcome);
        assert_eq!(of_status(502, b"").class, ErrorClass::UnknownOutcome);
    }
}
