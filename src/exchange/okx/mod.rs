//! OKX v5. Source of every fact here: OKX's API documentation, <https://www.okx.com/docs-v5/en/>, by the names
//! of its sections.

mod answers;
mod codes;
mod powers;
#[cfg(test)]
mod requests;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use protocol::marker::Marker;
use protocol::name::{Environment, VenueId};
use protocol::ports::{
    ErrorClass, Grant, IssuedKey, KeyList, KeyState, KeyToRevoke, ListedKey, Signer, Venue, VenueError,
    VenueFacts,
};
use protocol::secret::{AccountId, Addresses, Permission, Permissions, Word};
use rustls::crypto::SecureRandom;
use secrecy::ExposeSecret;

pub use self::wire::OkxWire;
use self::wire::name;
use super::kit::line::{Line, Place};
use super::kit::passphrase;
use super::kit::wire::Wire;
use super::{Exchange, Outside};

/// What the one list of exchanges has of it.
pub(super) const EXCHANGE: Exchange = Exchange {
    name: "okx",
    base_url: OkxWire::BASE_URL,
    open: |id, outside| Ok(Arc::new(Okx::new(id, outside)?)),
};

/// OKX documents none.
const PROPAGATION: Duration = Duration::from_mins(5);
/// Nor this.
const SETTLING: Duration = Duration::from_mins(1);
/// Limits are a user's, not an address's; bots behind the same NAT gateway make calls of their own.
const SPACING: Duration = Duration::from_millis(20);
/// 20 lists of a sub-account's keys in 2 seconds. Source: "Query the API Key of a sub-account".
const MASTER_SPACING: Duration = Duration::from_millis(110);
/// Source: error 59501.
const MOST_KEYS: usize = 50;
/// What a call of demo trading bears. Source: "Demo Trading Services".
const DEMO: (&str, &str) = ("x-simulated-trading", "1");

/// OKX in one environment, within one invocation.
#[derive(Debug)]
pub(super) struct Okx {
    line: Line<OkxWire>,
    random: &'static dyn SecureRandom,
}

impl Okx {
    pub(super) fn new(id: &VenueId, outside: &Outside<'_>) -> Result<Self, String> {
        Ok(Self {
            line: Line::to(place(&id.environment)?, id, outside)?,
            random: outside.shared.random,
        })
    }
}

/// A site's own host, and the header that tells demo trading, which shares it. Source: "Production Trading
/// Services", "Demo Trading Services" of each site's documentation.
fn place(environment: &Environment) -> Result<Place, String> {
    const GLOBAL: &str = "https://www.okx.com";
    const EEA: &str = "https://eea.okx.com";
    const US: &str = "https://us.okx.com";
    match environment {
        Environment::Mainnet => Ok((GLOBAL, None)),
        Environment::Demo => Ok((GLOBAL, Some(DEMO))),
        Environment::Testnet => {
            Err("OKX has no test network: write `demo` as `environment` for its demo trading".into())
        }
        Environment::Site(site) => match site.as_str() {
            "eea" => Ok((EEA, None)),
            "eea-demo" => Ok((EEA, Some(DEMO))),
            "us" => Ok((US, None)),
            "us-demo" => Ok((US, Some(DEMO))),
            other => Err(format!(
                "OKX has no site `{other}` that this function knows: eea, eea-demo, us, us-demo"
            )),
        },
    }
}

#[async_trait]
impl Venue for Okx {
    fn id(&self) -> &VenueId {
        self.line.id()
    }

    fn facts(&self) -> VenueFacts {
        VenueFacts {
            propagation: PROPAGATION,
            settling: SETTLING,
            signature_window: OkxWire::WINDOW,
            spacing: SPACING,
            master_spacing: MASTER_SPACING,
            // What ends a key after 14 days is that nobody uses it.
            unbound_life: None,
            most_keys: Some(MOST_KEYS),
            unique_notes: true,
        }
    }

    fn can_grant(&self, permissions: &Permissions) -> Result<(), String> {
        powers::request(permissions).map(drop)
    }

    fn may_issue(&self, master: &KeyState) -> Result<(), String> {
        if !master.is_master {
            return Err("it belongs to a sub-account, and only the main account's key issues keys".into());
        }
        if !master
            .powers
            .permissions
            .contains(&Permission::whole(Word::Trade))
        {
            return Err("it lacks the permission Trade, with which keys are issued".into());
        }
        if master.addresses.exact() == Some(&Addresses::Any) {
            return Err(
                "it is bound to no address, and OKX takes a request for a key from a bound one alone (50035): \
                 bind it to this function's address"
                    .into(),
            );
        }
        Ok(())
    }

    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError> {
        self.line.call(key, wire::inspect()).await
    }

    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError> {
        let account = name(account, master.whose)?;
        self.line.pages(master, |_| wire::list(account)).await
    }

    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError> {
        let account = name(account, master.whose)?;
        let passphrase =
            passphrase::random(self.random).map_err(|problem| self.line.fault(master.whose, problem))?;
        let call = wire::create(account, marker, passphrase.expose_secret(), grant)
            .map_err(|problem| self.line.fault(master.whose, &problem))?;
        let mut issued: IssuedKey = self.line.call(master, call).await?;
        issued.credential.passphrase = Some(passphrase);
        Ok(issued)
    }

    async fn edit(
        &self,
        master: &Signer,
        account: &AccountId,
        key: &ListedKey,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let account = name(account, master.whose)?;
        let call = wire::modify(account, &key.key_id, grant)
            .map_err(|problem| self.line.fault(master.whose, &problem))?;
        self.line.call(master, call).await
    }

    async fn revoke(
        &self,
        master: &Signer,
        account: &AccountId,
        key: KeyToRevoke<'_>,
    ) -> Result<(), VenueError> {
        let account = name(account, master.whose)?;
        let call =
            wire::delete(account, key.key_id).map_err(|problem| self.line.fault(master.whose, &problem))?;
        match self.line.call(master, call).await {
            Err(error) if error.class == ErrorClass::Gone => Ok(()),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_has_a_host_or_a_header_of_its_own() {
        let sites = ["eea", "eea-demo", "us", "us-demo"].map(|site| Environment::Site(site.into()));
        let known: Vec<Place> = sites
            .iter()
            .chain([&Environment::Mainnet, &Environment::Demo])
            .map(|at| place(at).unwrap())
            .collect();
        for (at, one) in known.iter().enumerate() {
            assert!(!known[..at].contains(one), "{one:?} is there twice");
        }
        assert!(place(&Environment::Site("xx".into())).is_err());
        assert!(place(&Environment::Testnet).unwrap_err().contains("`demo`"));
    }
}
