//! Bybit's replies. Source: its documentation, `docs/v5/user` and `docs/v5/error`.

use std::collections::BTreeSet;

use exchange_key_rotation::exchange::bybit::BybitWire;
use protocol::ports::{KeyState, ListedKey};
use protocol::secret::AccountId;
use serde_json::value::RawValue;

use super::{Envelope, Fields, Replies};
use crate::json::{field, fields, string};

pub(super) struct Bybit;

impl Replies for Bybit {
    type Wire = BybitWire;
    const GOOD: &'static str = "0";
    const REJECTIONS: &'static [&'static str] = &["-2015", "10003", "10004", "10007", "33004"];
    const REJECTS_BY_STATUS: bool = true;
    const SECRET: &'static str = "secret";

    fn envelope(body: &str) -> Option<Envelope<'_>> {
        let fields = fields(body)?;
        let number = |name| field(&fields, name).and_then(|raw| raw.parse::<i64>().ok());
        Some(Envelope {
            code: number("retCode")?.to_string(),
            result: field(&fields, "result"),
            time: number("time"),
        })
    }

    fn object(result: &str) -> Option<Vec<(String, &str)>> {
        fields(result)
    }

    fn keys(result: &str) -> Option<Vec<&RawValue>> {
        let result = fields(result)?;
        let keys: Option<Vec<&RawValue>> = serde_json::from_str(field(&result, "result")?).ok()?;
        Some(keys.unwrap_or_default())
    }

    fn time(envelope: &Envelope<'_>) -> Option<i64> {
        envelope.time
    }

    fn is_own_key(own: &Fields<'_>, state: &KeyState) {
        let user_id = field(own, "userID").expect("the key's account");
        let user_id = string(user_id).unwrap_or_else(|| user_id.to_owned());
        let number: u64 = user_id.parse().expect("an account has a number");
        let account = state.account.named().map(AccountId::as_str);
        assert_eq!(account, Some(number.to_string().as_str()));
        let is_master = field(own, "isMaster").is_some_and(|raw| raw == "true");
        assert_eq!(state.is_master, is_master);
        is_described(own, state.powers.forbidden().is_empty());
    }

    fn is_listed(listed: &Fields<'_>, key: &ListedKey) {
        assert_eq!(field(listed, "status") == Some("2"), key.expired);
        is_described(listed, key.powers.forbidden().is_empty());
    }
}

/// What query-api and sub-apikeys both say of a key.
fn is_described(key: &Fields<'_>, harmless: bool) {
    let read_only = field(key, "readOnly").expect("whether it only reads");
    assert!(
        ["0", "1", "true", "false"].contains(&read_only),
        "readOnly is {read_only}"
    );
    let groups = fields(field(key, "permissions").expect("its permissions")).expect("groups of permissions");
    let names: BTreeSet<&String> = groups.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names.len(),
        groups.len(),
        "one of two groups of one name was lost"
    );
    let values = |raw| {
        serde_json::from_str::<Option<Vec<String>>>(raw)
            .expect("a group is a list of words")
            .unwrap_or_default()
    };
    let moves_funds = groups
        .iter()
        .any(|(name, raw)| name == "Wallet" && !values(raw).is_empty());
    assert!(
        !(moves_funds && harmless),
        "a key that moves funds passes for one that does not"
    );
}
