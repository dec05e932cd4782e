//! Results as JSON, with the field names and types of the documentation.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::profile::GROUPS;
use crate::venue::{EditedKey, IssuedKey, KeyPage, ListedKey, OwnKey, Permissions};

/// `docs/v5/market/time`.
pub(super) fn server_time(now: Timestamp) -> Value {
    json!({"timeSecond": now.as_second().to_string(), "timeNano": now.as_nanosecond().to_string()})
}

/// The only reply that carries a secret.
pub(super) fn created(key: &IssuedKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "note": key.settings.note,
        "apiKey": key.credential.key.as_str(),
        "readOnly": i64::from(key.settings.read_only),
        "secret": key.credential.secret.expose(),
        "permissions": shown(&key.settings.permissions),
    })
}

/// `readOnly` is a number here, and the secret an empty string.
pub(super) fn updated(key: &EditedKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "note": key.settings.note,
        "apiKey": key.key.as_str(),
        "readOnly": i64::from(key.settings.read_only),
        "secret": "",
        "permissions": shown(&key.settings.permissions),
        "ips": key.settings.ips.shown(),
    })
}

/// `readOnly` is a number here, and the secret an empty string. The fields about the person behind the
/// account are those of an account about which there is nothing to say.
pub(super) fn own(own: &OwnKey, now: Timestamp) -> Value {
    let key = &own.key;
    json!({
        "id": key.id.to_string(),
        "note": key.settings.note,
        "apiKey": key.key.as_str(),
        "readOnly": i64::from(key.settings.read_only),
        "secret": "",
        "permissions": shown(&key.settings.permissions),
        "ips": key.settings.ips.shown(),
        "type": 1,
        "deadlineDay": days_left(key, now),
        "expiredAt": expired_at(key),
        "createdAt": whole_seconds(key.created_at),
        "unified": 0,
        "uta": i64::from(own.unified),
        "userID": own.uid,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": own.parent.is_none(),
        "parentUid": own.parent.unwrap_or(0).to_string(),
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
        "userIDInt64": "0",
        "inviterIDInt64": "0",
        "affiliateIDInt64": "0",
    })
}

pub(super) fn page(page: &KeyPage, now: Timestamp) -> Value {
    let keys: Vec<Value> = page.keys.iter().map(|key| listed(key, now)).collect();
    json!({"result": keys, "nextPageCursor": page.next_page_cursor})
}

/// `readOnly` is a boolean here, and the secret six stars.
fn listed(key: &ListedKey, now: Timestamp) -> Value {
    json!({
        "id": key.id.to_string(),
        "ips": key.settings.ips.shown(),
        "apiKey": key.key.as_str(),
        "note": key.settings.note,
        "status": status(key, now),
        "expiredAt": expired_at(key),
        "createdAt": whole_seconds(key.created_at),
        "type": 1,
        "permissions": shown(&key.settings.permissions),
        "secret": "******",
        "readOnly": key.settings.read_only,
        "deadlineDay": days_left(key, now),
        "flag": "hmac",
    })
}

/// The groups as a reply shows them: all that Bybit knows, empty or not, and any granted beyond those.
fn shown(permissions: &Permissions) -> BTreeMap<&str, Vec<&str>> {
    let known = GROUPS.iter().map(|group| (*group, Vec::new()));
    let granted = permissions
        .groups()
        .map(|(group, values)| (group, values.iter().map(String::as_str).collect()));
    known.chain(granted).collect()
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whole days until a key expires; -2 for a bound key, which doesn't. The documentation's samples round down.
/// Unverified: what an expired key shows.
fn days_left(key: &ListedKey, now: Timestamp) -> i64 {
    let days = |expiry: Timestamp| (expiry.duration_since(now).as_secs() / DAY.as_secs()).max(0);
    key.expires_at.map_or(-2, days)
}

/// 1 for a key that does not expire, 2 for one that has, 4 for one that will within 7 days, 3 for any other.
fn status(key: &ListedKey, now: Timestamp) -> i64 {
    match key.expires_at {
        None => 1,
        Some(expiry) if expiry <= now => 2,
        Some(expiry) if expiry < now + 7 * DAY => 4,
        Some(_) => 3,
    }
}

/// A key that doesn't expire shows the year 1970.
fn expired_at(key: &ListedKey) -> String {
    whole_seconds(key.expires_at.unwrap_or(Timestamp::UNIX_EPOCH))
}

fn whole_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::{Ips, KeyId, Settings};

    #[test]
    fn a_reply_shows_every_group_empty_where_nothing_is_granted() {
        let permissions = Permissions::of(&[("Spot", &["SpotTrade"]), ("Teleport", &["Beam"])]);
        let shown = shown(&permissions);
        assert_eq!(shown.len(), GROUPS.len() + 1);
        assert_eq!(shown["Spot"], ["SpotTrade"]);
        assert_eq!(shown["Teleport"], ["Beam"]);
        for group in [
            "BlockTrade",
            "CopyTrading",
            "NFT",
            "Affiliate",
            "FiatP2P",
            "ByXPost",
        ] {
            assert!(shown[group].is_empty(), "{group}");
        }
    }

    #[test]
    fn the_days_left_are_whole_days_and_the_status_follows_them() {
        let now = Timestamp::UNIX_EPOCH;
        let second = SignedDuration::from_secs(1);
        for (life, days, number) in [
            (None, -2, 1),
            (Some(SignedDuration::ZERO), 0, 2),
            (Some(7 * DAY - second), 6, 4),
            (Some(90 * DAY - second), 89, 3),
        ] {
            let key = ListedKey {
                id: 1,
                key: KeyId::from("k"),
                settings: Settings {
                    note: String::new(),
                    read_only: false,
                    ips: Ips::Any,
                    permissions: Permissions::default(),
                },
                created_at: now,
                expires_at: life.map(|life| now + life),
            };
            assert_eq!(
                (days_left(&key, now), status(&key, now)),
                (days, number),
                "{life:?}"
            );
        }
    }
}
