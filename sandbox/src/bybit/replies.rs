//! Results as JSON, with the field names and types of the documentation.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::edit::UpdatedKey;
use super::inspect::{ListedKey, OwnKey, SubApikeysPage};
use super::issue::CreatedKey;

/// `docs/v5/market/time`.
pub(super) fn server_time(now: Timestamp) -> Value {
    json!({"timeSecond": now.as_second().to_string(), "timeNano": now.as_nanosecond().to_string()})
}

/// The only reply that carries a secret.
pub(super) fn created(key: &CreatedKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "note": key.note,
        "apiKey": key.credential.key.as_str(),
        "readOnly": i64::from(key.read_only),
        "secret": key.credential.secret.expose(),
        "permissions": key.permissions.shown(),
    })
}

/// `readOnly` is a number here, and the secret an empty string.
pub(super) fn updated(key: &UpdatedKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "note": key.settings.note,
        "apiKey": key.key.as_str(),
        "readOnly": i64::from(key.settings.read_only),
        "secret": "",
        "permissions": key.settings.permissions.shown(),
        "ips": key.settings.ips.shown(),
    })
}

/// `readOnly` is a number here, and the secret an empty string. The fields about the person behind the
/// account are those of an account about which there is nothing to say.
pub(super) fn own(own: &OwnKey) -> Value {
    let key = &own.key;
    json!({
        "id": key.id.to_string(),
        "note": key.settings.note,
        "apiKey": key.key.as_str(),
        "readOnly": i64::from(key.settings.read_only),
        "secret": "",
        "permissions": key.settings.permissions.shown(),
        "ips": key.settings.ips.shown(),
        "type": 1,
        "deadlineDay": key.deadline_day,
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

pub(super) fn page(page: &SubApikeysPage) -> Value {
    let keys: Vec<Value> = page.keys.iter().map(listed).collect();
    json!({"result": keys, "nextPageCursor": page.next_page_cursor})
}

/// `readOnly` is a boolean here, and the secret six stars.
fn listed(key: &ListedKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "ips": key.settings.ips.shown(),
        "apiKey": key.key.as_str(),
        "note": key.settings.note,
        "status": key.status as i64,
        "expiredAt": expired_at(key),
        "createdAt": whole_seconds(key.created_at),
        "type": 1,
        "permissions": key.settings.permissions.shown(),
        "secret": "******",
        "readOnly": key.settings.read_only,
        "deadlineDay": key.deadline_day,
        "flag": "hmac",
    })
}

/// A key that doesn't expire shows the year 1970.
fn expired_at(key: &ListedKey) -> String {
    whole_seconds(key.expires_at.unwrap_or(Timestamp::UNIX_EPOCH))
}

fn whole_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
