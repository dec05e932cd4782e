//! OKX v5. Source of every fact here: OKX's API documentation, <https://www.okx.com/docs-v5/en/>, by the
//! names of its sections.

mod answers;
mod codes;
mod powers;
#[cfg(test)]
mod requests;
mod wire;

use std::time::Duration;

use protocol::marker::Marker;
use protocol::ports::{Asking, Grant, Issues, KeyState, KeyToRevoke, ListedKey, VenueFacts};
use protocol::secret::{AccountId, Addresses, KeyForm, Permission, Permissions, Word};
use secrecy::SecretString;

pub use self::wire::OkxWire;
use super::Exchange;
use super::kit::address;
use super::kit::call::{Call, Draft, Unmade};
use super::kit::venue::Keys;
use super::kit::wire::Wire;

/// What the one list of exchanges has of it.
pub(super) const EXCHANGE: Exchange = Exchange::of::<OkxWire>("okx");

/// Where a sub-account's keys are listed and issued.
const KEYS: &str = "/api/v5/users/subaccount/apikey";

impl Keys for OkxWire {
    const FACTS: VenueFacts = VenueFacts {
        // OKX documents none.
        propagation: Duration::from_mins(5),
        // Nor this.
        settling: Duration::from_mins(1),
        signature_window: Self::WINDOW,
        // Limits are a user's, not an address's; bots behind the same NAT gateway make calls of their own.
        spacing: Duration::from_millis(20),
        // 20 lists of a sub-account's keys in 2 seconds. Source: "Query the API Key of a sub-account".
        master_spacing: Duration::from_millis(110),
        // What ends a key after 14 days is that nobody uses it.
        unbound_life: None,
        // Source: error 59501.
        most_keys: Some(50),
        // Source: error 59502.
        unique_notes: true,
        issues: Issues::SubAccounts,
        forms: &[KeyForm::Hmac],
        asking: Asking::Free,
    };
    const PASSPHRASES: bool = true;

    fn can_grant(permissions: &Permissions) -> Result<(), String> {
        powers::request(permissions).map(drop)
    }

    fn to_issue(master: &KeyState) -> Vec<(bool, String)> {
        let of_a_sub = "it belongs to a sub-account, and only the main account's key issues keys";
        let trade = Permission::whole(Word::Trade);
        let trades_not = "it lacks the permission Trade, with which keys are issued";
        let is_unbound = master.addresses.exact() == Some(&Addresses::Any);
        let unbound = "it is bound to no address, and OKX takes a request for a key from a bound one alone \
            (50035): bind it to this function's address";
        vec![
            (master.is_master, of_a_sub.to_owned()),
            (master.powers.permissions.contains(&trade), trades_not.to_owned()),
            (!is_unbound, unbound.to_owned()),
        ]
    }

    /// account/config.
    fn inspect() -> Call {
        Call::read("/api/v5/account/config", Vec::new())
    }

    fn list(account: &AccountId, _: &str) -> Draft {
        let query = vec![("subAcct", name(account)?.to_owned())];
        Ok(Call::read(KEYS, query))
    }

    fn issue(account: &AccountId, marker: &Marker, passphrase: &str, grant: &Grant) -> Draft {
        let ip = address::joined(&grant.addresses, "");
        Call::once(KEYS)
            .with("subAcct", name(account)?)?
            .with("label", marker.to_string())?
            .with("passphrase", passphrase)?
            .with("perm", powers::request(&grant.permissions)?)?
            .with("ip", Some(ip).filter(|ip| !ip.is_empty()))
    }

    /// A key's secret and passphrase stay.
    fn edit(account: &AccountId, key: &ListedKey, _: Option<&SecretString>, grant: &Grant) -> Draft {
        Call::repeatable("/api/v5/users/subaccount/modify-apikey")
            .with("subAcct", name(account)?)?
            .with("apiKey", key.key_id.expose())?
            .with("perm", powers::request(&grant.permissions)?)?
            // Empty, it lifts the binding; left out, it would stay.
            .with("ip", address::joined(&grant.addresses, ""))
    }

    fn revoke(account: &AccountId, key: KeyToRevoke<'_>) -> Draft {
        Call::repeatable("/api/v5/users/subaccount/delete-apikey")
            .with("subAcct", name(account)?)?
            .with("apiKey", key.key_id.expose())
    }
}

/// OKX names its sub-accounts: 6 to 20 letters and digits.
fn name(account: &AccountId) -> Result<&str, Unmade> {
    let name = account.as_str();
    let fits = (6..=20).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(name).ok_or(Unmade::Account(
        "the name of an OKX sub-account, which has 6 to 20 letters and digits",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_account_s_name_is_told_from_what_is_none() {
        let fits = |text: &str| name(&AccountId::new(text)).is_ok();
        assert!(fits("desk01") && fits("Desk0000000000000020"));
        for none in [
            "",
            "desk1",
            "desk-01",
            "desk 001",
            "désk001",
            "Desk00000000000000021",
        ] {
            assert!(!fits(none), "{none}");
        }
    }
}
