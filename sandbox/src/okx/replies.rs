//! What goes back as JSON, with the field names and types of the documentation: every value is text.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::profile::READ;
use crate::venue::{EditedKey, Ips, IssuedKey, ListedKey, OwnKey, Passphrase, Permissions};

/// "Get system time".
pub(super) fn server_time(now: Timestamp) -> Value {
    json!({"ts": now.as_millisecond().to_string()})
}

/// "Create an API Key for a sub-account": the only reply that carries a secret.
pub(super) fn created(account: &str, key: &IssuedKey, now: Timestamp) -> Value {
    json!({
        "subAcct": account,
        "label": key.settings.note,
        "apiKey": key.credential.key.as_str(),
        "secretKey": key.credential.secret.expose(),
        "passphrase": key.credential.passphrase.as_ref().map(Passphrase::expose),
        "perm": permissions(&key.settings.permissions, READ),
        "ip": addresses(&key.settings.ips),
        "ts": now.as_millisecond().to_string(),
    })
}

/// "Query the API Key of a sub-account".
pub(super) fn listed(key: &ListedKey) -> Value {
    json!({
        "label": key.settings.note,
        "apiKey": key.key.as_str(),
        "perm": permissions(&key.settings.permissions, READ),
        "ip": addresses(&key.settings.ips),
        "ts": key.created_at.as_millisecond().to_string(),
    })
}

/// "Reset the API Key of a sub-account", whose sample has `read` where every other has `read_only`.
pub(super) fn edited(account: &str, key: &EditedKey) -> Value {
    json!({
        "subAcct": account,
        "apiKey": key.key.as_str(),
        "label": key.settings.note,
        "perm": permissions(&key.settings.permissions, "read"),
        "ip": addresses(&key.settings.ips),
    })
}

/// "Delete the API Key of sub-accounts".
pub(super) fn deleted(account: &str) -> Value {
    json!({"subAcct": account})
}

/// "Get account configuration". The fields about the account's trading are those of one that never traded.
pub(super) fn own(own: &OwnKey) -> Value {
    let settings = &own.key.settings;
    json!({
        "uid": own.uid.to_string(),
        "mainUid": own.parent.unwrap_or(own.uid).to_string(),
        "type": if own.parent.is_none() { "0" } else { "1" },
        "label": settings.note,
        "perm": permissions(&settings.permissions, READ),
        "ip": addresses(&settings.ips),
        "acctLv": "2",
        "acctStpMode": "cancel_maker",
        "autoLoan": false,
        "ctIsoMode": "automatic",
        "enableSpotBorrow": false,
        "greeksType": "PA",
        "kycLv": "2",
        "level": "Lv1",
        "levelTmp": "",
        "liquidationGear": "-1",
        "mgnIsoMode": "automatic",
        "opAuth": "0",
        "posMode": "long_short_mode",
        "roleType": "0",
        "spotBorrowAutoRepay": false,
        "spotOffsetType": "",
        "spotRoleType": "0",
        "spotTraderInsts": [],
        "traderInsts": [],
    })
}

/// A list with commas, in which reading is called this.
fn permissions(permissions: &Permissions, reading: &str) -> String {
    let values = permissions.granted().map(|(_, value)| value);
    let values: Vec<&str> = values
        .map(|value| if value == READ { reading } else { value })
        .collect();
    values.join(",")
}

/// A list with commas, empty for an unbound key.
fn addresses(ips: &Ips) -> String {
    if ips.is_any() {
        return String::new();
    }
    ips.shown().join(",")
}
