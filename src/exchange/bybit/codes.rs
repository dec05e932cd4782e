//! What Bybit's errors mean. Source: `docs/v5/error`, `docs/v5/rate-limit`.

use crate::exchange::kit::codes::{Code, Status, codes};

/// What each `retCode` means; 0 is no error and has no meaning here.
pub(super) const CODES: &[Code] = codes! {
    "-2015" Rejected "the key has expired";
    "-1" Clock "the request's time is outside its window";
    "10000" UnknownOutcome "its server timed out";
    "10001" Refused "it does not accept a parameter, or an account or key that one names";
    "10002" Clock "the request's time is outside its window";
    "10003" Rejected "it does not know the key: deleted, or of another environment or regional site";
    "10004" Mismatched "the signature is wrong: the key secret does not belong to the key";
    "10005" Denied "the key lacks the permission for this call: to manage a sub-account's keys a master \
        account's key needs Account Transfer, Subaccount Transfer or Withdrawal, and may not be read-only";
    "10006" Busy "too many calls were made";
    "10007" Mismatched "the key could not be authenticated";
    "10008" Denied "the account is banned: ask Bybit's support";
    "10009" Denied "it takes no calls from this region, or from this address: look at the Region of the \
        function's egress address, or ask Bybit's support";
    "10010" Denied "the key is bound to other addresses than this function's: name the function's own in \
        EGRESS_IPS, and add them to a key made by hand";
    "10014" UnknownOutcome "the request came twice";
    "10016" UnknownOutcome "its server failed";
    "10017" Fault "it has no such call: look at BYBIT_BASE_URL";
    "10018" Busy "too many calls came from this address";
    "10024" Denied "compliance rules forbid the call: ask Bybit's support";
    "10027" Denied "the account may not trade: ask Bybit's support";
    "10032" Denied "a demo account has no such call";
    "20096" Denied "the account has to pass identity verification first";
    "33004" Rejected "the key has expired";
    "81007" Denied "its EU entity issues no keys by API: make the key by hand, store it as CANDIDATE";
    "141004" Impossible "the sub-account cannot have such a key";
    "141019" Impossible "the key cannot have these addresses or permissions";
    "141020" Impossible "the key cannot have these addresses or permissions";
    "429" UnknownOutcome "it is overloaded";
};

/// What a status means that does not come with Bybit's own body.
pub(super) const STATUSES: &[Status] = codes! {
    // Source: `docs/v5/error`: "401, invalid request": the wrong key, or no parameters that authenticate.
    401 "" Mismatched "the request was not authenticated";
    // Source: `docs/v5/rate-limit`: "403, access too frequent" for 600 calls in 5 seconds from one address.
    403 "access too frequent" Busy "too many calls came from this address, and none is taken for ten minutes";
    // Source: Bybit's integration guidance: 403 is the limit of an address first. The page does not tell.
    403 "" Busy "too many calls came from this address, and none is taken for ten minutes; or Bybit takes \
        none from this country: where it lasts, look at the Region of the function's egress address";
};

#[cfg(test)]
mod tests {
    use protocol::ports::ErrorClass;

    use super::*;
    use crate::exchange::bybit::BybitWire;
    use crate::exchange::kit::codes::{Meaning, of_code, of_status};

    fn code(code: &str, message: &str) -> Meaning {
        of_code::<BybitWire>(200, code, message)
    }

    fn status(status: u16, body: &[u8]) -> Meaning {
        of_status::<BybitWire>(status, body)
    }

    #[test]
    fn every_code_has_one_meaning() {
        for (at, (code, ..)) in CODES.iter().enumerate() {
            assert!(
                !CODES[..at].iter().any(|(earlier, ..)| earlier == code),
                "{code} stands twice"
            );
        }
        assert_eq!(code("10003", "").class, ErrorClass::Rejected);
        assert_eq!(code("10004", "").class, ErrorClass::Mismatched);
        assert_eq!(code("10010", "").class, ErrorClass::Denied);
        assert_eq!(code("10016", "").class, ErrorClass::UnknownOutcome);
        assert_eq!(code("99999", "").class, ErrorClass::Refused);
    }

    #[test]
    fn no_message_of_the_venue_brings_a_secret_into_a_log() {
        let message = "error sign! origin_string[1658384314791AbCdEfGhIjKlMnOpQr5000], check (it) now 12345 \
                       AbCdEfGhIjKlMnOpQr deadbeefdeadbeef";
        let said = code("99999", message).say;
        assert!(said.contains("check (it) now 12345"), "{said}");
        for hidden in ["1658384314791", "AbCdEf", "deadbeef"] {
            assert!(!said.contains(hidden), "{said}");
        }
    }

    #[test]
    fn an_address_that_is_refused_may_have_asked_too_often() {
        assert_eq!(status(403, b"Access too frequent.").class, ErrorClass::Busy);
        let page = status(403, b"<html>");
        assert!(
            page.class == ErrorClass::Busy
                && page.say.contains("ten minutes")
                && page.say.contains("country"),
            "{page:?}"
        );
        assert_eq!(status(200, b"<html>").class, ErrorClass::UnknownOutcome);
        assert_eq!(status(502, b"").class, ErrorClass::UnknownOutcome);
    }
}
