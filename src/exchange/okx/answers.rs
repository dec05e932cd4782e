//! OKX's replies, field by field, and what they mean. Source: docs-v5, "Sub-account", "Trading Account".

use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::ports::{self, KeyState, OwnAccount, ToldAddresses};
use protocol::secret::{AccountId, Permission};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{OkxWire, powers};
use crate::exchange::kit::address;
use crate::exchange::kit::answer::{Read, Replies, ReplyTime, documented, each, key_id, only};
use crate::exchange::kit::json::Secret;

/// The reply of account/config.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnKey {
    uid: String,
    main_uid: String,
    perm: String,
    ip: Option<String>,
    /// `0` for a main account; sub-accounts have others.
    #[serde(default, rename = "type")]
    account_type: String,
}

/// One key of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedKey {
    api_key: String,
    label: Option<String>,
    perm: String,
    ip: String,
    /// When it was made, in milliseconds.
    #[serde(default)]
    ts: String,
}

/// The reply to a creation: the only place where a key's secret is shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    api_key: String,
    secret_key: Secret,
}

impl Replies for OkxWire {
    const KEY_ID: &'static str = "apiKey";

    fn state(result: &str) -> Read<KeyState> {
        let own: OwnKey = only(result)?;
        let is_uid = |uid: &String| (1..=20).contains(&uid.len()) && uid.bytes().all(|b| b.is_ascii_digit());
        if ![&own.uid, &own.main_uid].into_iter().all(is_uid) {
            return Err("names an account by what is no uid");
        }
        let powers = powers::powers(&own.perm);
        Ok(KeyState {
            is_master: own.account_type == "0" || own.uid == own.main_uid,
            // Calls name a sub-account by its name, and its keys answer with its number.
            account: OwnAccount::Alias(AccountId::new(own.uid)),
            read_only: powers.moves_funds.is_empty() && powers.permissions.iter().all(Permission::only_reads),
            powers,
            addresses: match own.ip {
                Some(ip) => ToldAddresses::Exact(address::split(&ip)?),
                None => ToldAddresses::Untold,
            },
            expires_at: None,
            kind: None,
        })
    }

    /// All keys are on one page.
    fn page(result: &str, _: ReplyTime) -> Read<(Vec<&RawValue>, String)> {
        Ok((each(result)?, String::new()))
    }

    fn listed(key: &str, as_of: Timestamp) -> Read<ports::ListedKey> {
        let key: ListedKey = documented(key)?;
        let made = key.ts.parse().map(Timestamp::from_millisecond);
        Ok(ports::ListedKey {
            key_id: key_id(&key.api_key)?,
            marker: key.label.as_deref().and_then(Marker::parse),
            powers: powers::powers(&key.perm),
            addresses: address::split(&key.ip)?,
            created_at: made.ok().and_then(Result::ok).unwrap_or(as_of),
            expired: false,
            kind: None,
        })
    }

    fn issued(result: &str) -> Read<(String, Secret)> {
        let created: Created = only(result)?;
        Ok((created.api_key, created.secret_key))
    }
}

#[cfg(test)]
mod tests {
    use protocol::label::VersionId;
    use protocol::ports::{ErrorClass, IssuedKey, Whose};
    use protocol::secret::{Addresses, Word};

    use super::*;
    use crate::exchange::kit::answer::{Answer, Failed, KeyPage, ServerTime, understood};

    const NOW: i64 = 1_772_366_400_123;

    fn reply<A: Answer<OkxWire>>(data: &str) -> Result<A, Failed> {
        understood(
            200,
            format!(r#"{{"code":"0","msg":"","data":{data}}}"#).as_bytes(),
            NOW,
        )
    }

    fn class(status: u16, body: &[u8]) -> ErrorClass {
        let error = understood::<OkxWire, KeyState>(status, body, NOW).unwrap_err();
        error.error(Whose::Current).class
    }

    #[track_caller]
    fn is_no_answer<A: Answer<OkxWire>>(data: &str) {
        let error = reply::<A>(data).map(drop).unwrap_err().error(Whose::Master);
        assert_eq!(error.class, ErrorClass::UnknownOutcome, "{error}");
    }

    fn own(field: &str) -> String {
        let all = [
            r#""uid":"446556034900000001""#,
            r#""mainUid":"446556034900000000""#,
            r#""type":"1""#,
            r#""perm":"read_only,trade""#,
            r#""ip":"203.0.113.7,10.0.0.1""#,
            r#""label":"bot""#,
        ];
        let name = field.split(':').next().unwrap();
        let fields = all.map(|known| if known.starts_with(name) { field } else { known });
        format!("[{{{}}}]", fields.join(","))
    }

    #[test]
    fn a_key_tells_its_powers_addresses_and_its_account_s_number() {
        let state = reply::<KeyState>(&own(r#""label":"bot""#)).unwrap();
        let words: Vec<String> = state.powers.permissions.iter().map(ToString::to_string).collect();
        assert_eq!(words, ["read", "trade"]);
        assert_eq!(state.addresses.to_string(), "10.0.0.1,203.0.113.7");
        assert_eq!(
            state.account,
            OwnAccount::Alias(AccountId::new("446556034900000001"))
        );
        assert!(!state.is_master && !state.read_only);
        assert!(
            reply::<KeyState>(&own(r#""perm":"read_only""#))
                .unwrap()
                .read_only
        );
        assert_eq!(
            reply::<KeyState>(&own(r#""ip":"""#)).unwrap().addresses,
            ToldAddresses::Exact(Addresses::Any)
        );
        for master in [r#""type":"0""#, r#""uid":"446556034900000000""#] {
            assert!(reply::<KeyState>(&own(master)).unwrap().is_master, "{master}");
        }
    }

    #[test]
    fn a_reply_of_another_form_is_no_answer() {
        for data in [
            "null",
            "[]",
            "{}",
            &own(r#""label":"bot""#).replace("}]", "},{}]"),
            &own(r#""uid":"zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO""#),
            &own(r#""perm":null"#),
            &own(r#""ip":"zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO""#),
        ] {
            is_no_answer::<KeyState>(data);
        }
        is_no_answer::<KeyPage>("null");
        is_no_answer::<IssuedKey>(r#"[{"apiKey":"k","secretKey":""}]"#);
        assert_eq!(
            class(500, br#"{"code":"0","data":[]}"#),
            ErrorClass::UnknownOutcome
        );
        assert_eq!(class(200, b"<html>"), ErrorClass::UnknownOutcome);
    }

    #[test]
    fn an_error_is_told_by_its_code_whatever_the_status_and_without_data() {
        assert_eq!(
            class(401, br#"{"msg":"Invalid OK-ACCESS-KEY","code":"50111"}"#),
            ErrorClass::Rejected
        );
        assert_eq!(
            class(401, br#"{"msg":"API key doesn't exist","code":"50119"}"#),
            ErrorClass::Rejected
        );
        assert_eq!(
            class(200, br#"{"msg":"","code":"50119","data":[]}"#),
            ErrorClass::Rejected
        );
        assert_eq!(
            class(401, br#"{"msg":"","code":"50105"}"#),
            ErrorClass::Mismatched
        );
        assert_eq!(class(429, br#"{"msg":"","code":"50011"}"#), ErrorClass::Busy);
    }

    #[test]
    fn a_list_tells_markers_powers_addresses_and_ages() {
        let note = Marker::new("arn", &VersionId::new("t"), 1).to_string();
        let page = reply::<KeyPage>(&format!(
            concat!(
                r#"[{{"label":"{}","apiKey":"ours","perm":"read,trade","ip":"203.0.113.7","#,
                r#""ts":"1597026383085"}},"#,
                r#"{{"label":"by hand","apiKey":"theirs","perm":"read_only","ip":"","ts":""}},"#,
                r#"{{"label":7,"apiKey":"odd","perm":"read_only","ip":"","ts":"1"}}]"#
            ),
            note
        ))
        .unwrap();
        let [ours, theirs, odd] = &page.list.keys[..] else {
            panic!("three keys")
        };
        assert_eq!(ours.marker.as_ref().map(ToString::to_string), Some(note));
        assert_eq!(ours.created_at.as_millisecond(), 1_597_026_383_085);
        assert_eq!(ours.addresses.to_string(), "203.0.113.7");
        assert!(ours.powers.permissions.contains(&Permission::whole(Word::Trade)));
        assert!(theirs.marker.is_none() && theirs.addresses == Addresses::Any);
        assert_eq!(theirs.created_at.as_millisecond(), NOW);
        assert!(odd.marker.is_none() && !odd.powers.unknown.is_empty());
        assert_eq!(page.list.as_of.as_millisecond(), NOW);
    }

    #[test]
    fn the_server_s_time_is_in_its_answer() {
        let time: ServerTime = reply(r#"[{"ts":"1597026383085"}]"#).unwrap();
        assert_eq!(time.0, 1_597_026_383_085);
        is_no_answer::<ServerTime>(r#"[{"ts":"soon"}]"#);
    }
}
