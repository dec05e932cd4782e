//! Bybit v5. Source of every fact here: Bybit's API documentation, `docs/v5/{user,guide,error}`.

mod answers;
mod codes;
#[cfg(test)]
mod endless;
mod powers;
#[cfg(test)]
mod requests;
mod wire;

use std::time::Duration;

use protocol::marker::Marker;
use protocol::name::Environment;
use protocol::ports::{Asking, Grant, Issues, KeyState, KeyToRevoke, ListedKey, VenueFacts};
use protocol::secret::{AccountId, KeyForm, Permissions};
use protocol::shown;
use secrecy::SecretString;

use self::powers::VOCABULARY;
pub use self::wire::BybitWire;
use super::Exchange;
use super::kit::address;
use super::kit::call::{Call, Draft, Unmade};
use super::kit::venue::Keys;
use super::kit::wire::Wire;

/// What the one list of exchanges has of it.
pub(super) const EXCHANGE: Exchange = Exchange::of::<BybitWire>("bybit");

/// With one of these a master's key issues keys. Source: `docs/v5/user/create-subuid-apikey`.
const ISSUES: [&str; 4] = [
    "AccountTransfer",
    "SubMemberTransfer",
    "SubMemberTransferList",
    "Withdraw",
];
/// The most keys on one page of a list.
const PAGE: usize = 20;

impl Keys for BybitWire {
    const FACTS: VenueFacts = VenueFacts {
        // Bybit documents none.
        propagation: Duration::from_mins(5),
        // Nor this.
        settling: Duration::from_mins(1),
        signature_window: Self::WINDOW,
        // 600 calls in 5 seconds from one address are allowed; bots behind the same NAT gateway make some of
        // them. Source: `docs/v5/rate-limit`.
        spacing: Duration::from_millis(20),
        // 10 lists of a sub-account's keys a second. Source: `docs/v5/user/list-sub-apikeys`.
        master_spacing: Duration::from_millis(110),
        // Source: `docs/v5/user/create-subuid-apikey`.
        unbound_life: Some(Duration::from_hours(90 * 24)),
        // Not documented: 20 is what people say.
        most_keys: Some(20),
        // Not documented.
        unique_notes: false,
        issues: Issues::SubAccounts,
        forms: &[KeyForm::Hmac],
        asking: Asking::Free,
    };

    /// Keys of demo accounts are issued, edited and deleted by the production master credential at
    /// production's host, and asked at demo's own. Source: `docs/v5/demo`.
    fn masters(environment: &Environment) -> &Environment {
        match environment {
            Environment::Demo => &Environment::Mainnet,
            own => own,
        }
    }

    fn can_grant(permissions: &Permissions) -> Result<(), String> {
        VOCABULARY.request(permissions).map(drop)
    }

    fn to_issue(master: &KeyState) -> Vec<(bool, String)> {
        // Powers have words as they are shown, which cuts long ones.
        let issues = |power: &String| {
            let value = power.strip_prefix("Wallet:");
            value.is_some_and(|value| ISSUES.iter().any(|issues| shown(issues) == value))
        };
        let reads_alone = "it is read-only: at Bybit's page, let it read and write";
        let of_a_sub = "it belongs to a sub-account, and only a master account's key issues keys";
        let lacks = format!(
            "it has none of the permissions that issue keys: {}",
            ISSUES.map(|value| format!("Wallet:{value}")).join(", ")
        );
        vec![
            (master.is_master, of_a_sub.to_owned()),
            (!master.read_only, reads_alone.to_owned()),
            (master.powers.moves_funds.iter().any(issues), lacks),
        ]
    }

    /// query-api.
    fn inspect() -> Call {
        Call::read("/v5/user/query-api", Vec::new())
    }

    /// sub-apikeys.
    fn list(account: &AccountId, cursor: &str) -> Draft {
        let query = vec![
            ("subMemberId", uid(account)?.to_string()),
            ("limit", PAGE.to_string()),
            ("cursor", cursor.to_owned()),
        ];
        Ok(Call::read("/v5/user/sub-apikeys", query))
    }

    /// create-sub-api.
    fn issue(account: &AccountId, marker: &Marker, _: &str, grant: &Grant) -> Draft {
        let uid = uid(account)?;
        let (read_only, groups) = VOCABULARY.request(&grant.permissions)?;
        Call::once("/v5/user/create-sub-api")
            .with("subuid", uid)?
            .with("note", marker.to_string())?
            .with("readOnly", u8::from(read_only))?
            .with("ips", address::joined(&grant.addresses, "*"))?
            .with("permissions", groups)
    }

    /// update-sub-api.
    fn edit(_: &AccountId, key: &ListedKey, _: Option<&SecretString>, grant: &Grant) -> Draft {
        let (read_only, mut groups) = VOCABULARY.request(&grant.permissions)?;
        // Whether a group that is not sent stays as it is, is not documented: what is to go is sent empty.
        for group in VOCABULARY.groups_of(&key.powers) {
            groups.entry(group.to_owned()).or_default();
        }
        Call::repeatable("/v5/user/update-sub-api")
            .with("apikey", key.key_id.expose())?
            .with("readOnly", u8::from(read_only))?
            // They go with every edit: left out, they would be lifted.
            .with("ips", address::joined(&grant.addresses, "*"))?
            .with("permissions", groups)
    }

    /// delete-sub-api.
    fn revoke(_: &AccountId, key: KeyToRevoke<'_>) -> Draft {
        Call::repeatable("/v5/user/delete-sub-api").with("apikey", key.key_id.expose())
    }
}

/// Bybit numbers its accounts.
fn uid(account: &AccountId) -> Result<u64, Unmade> {
    let uid = account.as_str().parse();
    uid.map_err(|_| Unmade::Account("the uid of a Bybit sub-account, which is a number"))
}
