//! OKX's replies. Source: its documentation, docs-v5, "Sub-account", "Trading Account", "Error Code".

use std::collections::BTreeSet;

use exchange_key_rotation::exchange::okx::OkxWire;
use protocol::marker::Marker;
use protocol::ports::{KeyState, ListedKey, OwnAccount, Powers, ToldAddresses};
use protocol::secret::{AccountId, Addresses, Permission, Word};
use serde_json::value::RawValue;

use super::{Envelope, Fields, NOW, Replies};
use crate::json::{field, fields, string};

pub(super) struct Okx;

impl Replies for Okx {
    type Wire = OkxWire;
    const GOOD: &'static str = "0";
    const REJECTIONS: &'static [&'static str] = &["50101", "50105", "50111", "50113", "50119"];
    const REJECTS_BY_STATUS: bool = false;
    const SECRET: &'static str = "secretKey";

    fn envelope(body: &str) -> Option<Envelope<'_>> {
        let fields = fields(body)?;
        Some(Envelope {
            code: field(&fields, "code").and_then(string)?,
            result: field(&fields, "data"),
            time: None,
        })
    }

    fn object(result: &str) -> Option<Vec<(String, &str)>> {
        match Self::keys(result)?[..] {
            [one] => fields(one.get()),
            _ => None,
        }
    }

    fn keys(result: &str) -> Option<Vec<&RawValue>> {
        serde_json::from_str(result).ok()
    }

    fn time(envelope: &Envelope<'_>) -> Option<i64> {
        let time = Self::object(envelope.result?)?;
        text(&time, "ts")?.parse().ok()
    }

    fn is_own_key(own: &Fields<'_>, state: &KeyState) {
        let [uid, main] = ["uid", "mainUid"].map(|name| text(own, name).expect("an account"));
        let is_uid = |uid: &str| !uid.is_empty() && uid.bytes().all(|byte| byte.is_ascii_digit());
        assert!(is_uid(&uid) && is_uid(&main), "an account has a number");
        assert_eq!(
            state.is_master,
            text(own, "type").as_deref() == Some("0") || uid == main
        );
        assert_eq!(state.account, OwnAccount::Alias(AccountId::new(uid)));
        let ToldAddresses::Exact(addresses) = &state.addresses else {
            panic!("a key tells its addresses");
        };
        assert!(state.expires_at.is_none() && state.kind.is_none());
        let trades = is_described(own, &state.powers, addresses);
        assert_eq!(state.read_only, !trades && state.powers.moves_funds.is_empty());
    }

    fn is_listed(listed: &Fields<'_>, key: &ListedKey) {
        is_described(listed, &key.powers, &key.addresses);
        let made = text(listed, "ts").and_then(|made| made.parse().ok());
        let told = key.created_at.as_millisecond();
        assert!(
            told == made.unwrap_or(NOW) || told == NOW,
            "a key is made {told}, not {made:?}"
        );
        assert_eq!(
            key.marker,
            text(listed, "label").as_deref().and_then(Marker::parse)
        );
        assert!(!key.expired);
    }
}

fn text(fields: &Fields<'_>, name: &str) -> Option<String> {
    field(fields, name).and_then(string)
}

/// What account/config and a list both say of a key; whether it trades.
fn is_described(key: &Fields<'_>, powers: &Powers, addresses: &Addresses) -> bool {
    let perm = text(key, "perm").expect("its permissions");
    let words: BTreeSet<&str> = perm
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect();
    let harmless = words
        .iter()
        .all(|word| ["read", "read_only", "trade"].contains(word));
    assert_eq!(
        powers.forbidden().is_empty(),
        harmless,
        "a key that moves funds, or may do what nobody knows, passes for one that does not"
    );
    let trades = words.contains("trade");
    assert_eq!(
        powers.permissions.contains(&Permission::whole(Word::Trade)),
        trades
    );
    let ip = text(key, "ip").unwrap_or_default();
    let is_bound = ip.split(',').any(|ip| !ip.trim().is_empty());
    let everywhere = |ip: &str| ["*", "0.0.0.0", "::"].contains(&ip) || ip.ends_with("/0");
    let is_unbound = !is_bound || ip.split(',').any(|ip| everywhere(ip.trim()));
    assert_eq!(*addresses == Addresses::Any, is_unbound, "a key is bound to {ip}");
    trades
}
