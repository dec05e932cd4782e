//! What OKX's errors mean. Source: docs-v5, "Error Code", "Sub-account error class".

use crate::exchange::kit::codes::{Code, codes};

/// What each `code` means; `0` is no error and has no meaning here.
pub(super) const CODES: &[Code] = codes! {
    "50000" Fault "the request's body is empty";
    "50001" UnknownOutcome "its service is not available for now";
    "50002" Fault "the request's body is no JSON";
    "50004" UnknownOutcome "its endpoint timed out, and nobody knows whether the call was carried out";
    "50006" Fault "the request's content type is wrong";
    "50011" Busy "too many calls were made";
    "50013" Busy "its systems are busy";
    "50014" Fault "a parameter is missing";
    "50026" UnknownOutcome "its system failed";
    "50030" Denied "the key may not do this";
    "50035" Denied "this call needs a key that is bound to addresses, and the master key is bound to none: \
        bind it at OKX's page to this function's address";
    "50038" Denied "demo trading has no such call";
    "50040" Busy "too many calls were made";
    "50100" Denied "the API is frozen for this account: ask OKX's support";
    "50101" Mismatched "the key is not of this environment, live or demo: look at `environment` in the value";
    "50102" Clock "the request's time is outside its window";
    "50103" Fault "the header with the key is missing";
    "50104" Fault "the header with the passphrase is missing";
    "50105" Mismatched "the passphrase is wrong: it does not belong to the key";
    "50106" Fault "the header with the signature is missing";
    "50107" Fault "the header with the time is missing";
    "50110" Denied "the key is bound to other addresses than this function's: name the function's own in \
        EGRESS_IPS, and add them to a key made by hand";
    "50111" Rejected "it does not know the key: deleted, or of another environment or regional site";
    "50112" Clock "the request's time is none, or outside its window";
    "50113" Mismatched "the signature is wrong: the key secret does not belong to the key";
    "50114" Denied "the key lacks the authorization for this call";
    "50115" Fault "the call has another method";
    "50119" Rejected "the key does not exist: deleted, or of another regional site";
    "50120" Denied "the key lacks the permission for this call: to manage a sub-account's keys a master \
        account's key needs Trade";
    "50121" Denied "it takes no calls from this address: look at the Region of the function's egress \
        address, or ask OKX's support";
    "51000" Refused "it does not accept a parameter, or an account or key that one names";
    "59500" Denied "only a key of the main account may do this";
    "59501" Refused "the sub-account has 50 keys, which is all that it can have";
    "59502" NoteTaken "another key of the sub-account has this label";
    "59503" Impossible "a key can be bound to 20 addresses at most";
    "59504" Impossible "a sub-account's key cannot have the permission to withdraw";
    "59505" Fault "the passphrase is not of the form that it has to have";
    "59506" Gone "there is no such key";
    "59508" Refused "the sub-account is suspended";
    "59510" Refused "there is no such sub-account: look at `subaccount` in the value";
};

#[cfg(test)]
mod tests {
    use protocol::ports::ErrorClass;

    use super::*;
    use crate::exchange::kit::codes::of_code;
    use crate::exchange::okx::OkxWire;

    #[test]
    fn every_code_has_one_meaning() {
        for (at, (code, ..)) in CODES.iter().enumerate() {
            assert!(
                !CODES[..at].iter().any(|(earlier, ..)| earlier == code),
                "{code} stands twice"
            );
        }
        let class = |code| of_code::<OkxWire>(200, code, "").class;
        assert_eq!(class("50111"), ErrorClass::Rejected);
        assert_eq!(class("50119"), ErrorClass::Rejected);
        assert_eq!(class("50105"), ErrorClass::Mismatched);
        assert_eq!(class("59502"), ErrorClass::NoteTaken);
        assert_eq!(class("59506"), ErrorClass::Gone);
        assert_eq!(class("50035"), ErrorClass::Denied);
        assert_eq!(class("99999"), ErrorClass::Refused);
    }
}
