//! Bybit v5. Source of every fact here: Bybit's API documentation, `docs/v5/user`, `docs/v5/guide` and
//! `docs/v5/error`.

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
    Grant, IssuedKey, KeyList, KeyState, KeyToRevoke, ListedKey, Signer, Venue, VenueError, VenueFacts, Whose,
};
use protocol::secret::{AccountId, Permissions};

pub use self::wire::BybitWire;
use self::wire::uid;
use super::kit::line::{Line, Place};
use super::kit::wire::Wire;
use super::{Exchange, Outside};

/// What the one list of exchanges has of it.
pub(super) const EXCHANGE: Exchange = Exchange {
    name: "bybit",
    base_url: BybitWire::BASE_URL,
    open: |id, outside| Ok(Arc::new(Bybit::new(id, outside)?)),
};

/// Bybit documents none.
const PROPAGATION: Duration = Duration::from_mins(5);
/// Nor this.
const SETTLING: Duration = Duration::from_mins(1);
/// 600 calls in 5 seconds from one address are allowed; bots behind the same NAT gateway make some of them.
/// Source: `docs/v5/rate-limit`.
const SPACING: Duration = Duration::from_millis(20);
/// 10 lists of a sub-account's keys a second. Source: `docs/v5/user/list-sub-apikeys`.
const MASTER_SPACING: Duration = Duration::from_millis(110);
/// How long a key lives that is bound to no address. Source: `docs/v5/user/create-subuid-apikey`.
const UNBOUND_LIFE: Duration = Duration::from_hours(90 * 24);
/// Not documented: 20 is what people say.
const MOST_KEYS: usize = 20;
/// One of these makes a master account's key one that issues keys. Source:
/// `docs/v5/user/create-subuid-apikey`.
const ISSUES: [&str; 4] = [
    "Wallet:AccountTransfer",
    "Wallet:SubMemberTransfer",
    "Wallet:SubMemberTransferList",
    "Wallet:Withdraw",
];
/// Keys of demo accounts are issued, edited and deleted by the production master credential at production's
/// host, and asked at demo's own. Source: `docs/v5/demo`.
const MASTERS_OF_DEMO: Environment = Environment::Mainnet;

/// Bybit in one environment, within one invocation.
#[derive(Debug)]
pub(super) struct Bybit {
    line: Line<BybitWire>,
    /// Where master credentials are asked, if elsewhere.
    masters: Option<Line<BybitWire>>,
}

impl Bybit {
    pub(super) fn new(id: &VenueId, outside: &Outside<'_>) -> Result<Self, String> {
        let line = Line::to(place(&id.environment)?, id, outside)?;
        let masters = match &id.environment {
            Environment::Demo => Some(Line::to(place(&MASTERS_OF_DEMO)?, id, outside)?),
            _ => None,
        };
        Ok(Self { line, masters })
    }

    /// The way for what a credential signs.
    fn line_of(&self, signer: &Signer) -> &Line<BybitWire> {
        match &self.masters {
            Some(masters) if signer.whose == Whose::Master => masters,
            _ => &self.line,
        }
    }
}

/// Source: Bybit's integration guidance, "Authentication"; its changelog of 2026-08-28 and 2026-08-31 for
/// Argentina and Brazil; the demo trading page, `docs/v5/demo`.
fn place(environment: &Environment) -> Result<Place, String> {
    let at = |host| Ok((host, None));
    match environment {
        Environment::Mainnet => at("https://api.bybit.com"),
        Environment::Testnet => at("https://api-testnet.bybit.com"),
        Environment::Demo => at("https://api-demo.bybit.com"),
        Environment::Site(site) => match site.as_str() {
            "nl" => at("https://api.bybit.nl"),
            "tr" => at("https://api.bybit.tr"),
            "kz" => at("https://api.bybit.kz"),
            "ge" => at("https://api.bybitgeorgia.ge"),
            "ae" => at("https://api.bybit.ae"),
            "eu" => at("https://api.bybit.eu"),
            "id" => at("https://api.bybit.id"),
            "jp" => at("https://api.manepa.jp"),
            "jp-testnet" => at("https://api-testnet.manepa.jp"),
            "hk" => Ok(("https://api.spark-fintech.com", Some(("x-refer-site-id", "HKG")))),
            "hk-testnet" => Ok((
                "https://api-testnet.spark-fintech.com",
                Some(("x-refer-site-id", "HKG")),
            )),
            "ar" => Ok(("https://api.bybit.com", Some(("x-site-id", "ARG_BTL")))),
            "br" => Ok(("https://api.bybit.com", Some(("x-site-id", "BRA_BTL")))),
            other => Err(format!(
                "Bybit has no site `{other}` that this function knows: nl, tr, kz, ge, ae, eu, id, jp, \
                 jp-testnet, hk, hk-testnet, ar, br"
            )),
        },
    }
}

#[async_trait]
impl Venue for Bybit {
    fn id(&self) -> &VenueId {
        self.line.id()
    }

    fn masters(&self) -> VenueId {
        let environment = match &self.masters {
            Some(_) => MASTERS_OF_DEMO,
            None => self.id().environment.clone(),
        };
        VenueId {
            environment,
            ..self.id().clone()
        }
    }

    fn facts(&self) -> VenueFacts {
        VenueFacts {
            propagation: PROPAGATION,
            settling: SETTLING,
            signature_window: BybitWire::WINDOW,
            spacing: SPACING,
            master_spacing: MASTER_SPACING,
            unbound_life: Some(UNBOUND_LIFE),
            most_keys: Some(MOST_KEYS),
            // Not documented.
            unique_notes: false,
        }
    }

    fn can_grant(&self, permissions: &Permissions) -> Result<(), String> {
        powers::request(permissions).map(drop)
    }

    fn may_issue(&self, master: &KeyState) -> Result<(), String> {
        if !master.is_master {
            return Err("it belongs to a sub-account, and only a master account's key issues keys".into());
        }
        if master.read_only {
            return Err("it is read-only: at Bybit's page, let it read and write".into());
        }
        if master
            .powers
            .moves_funds
            .iter()
            .any(|power| ISSUES.contains(&power.as_str()))
        {
            return Ok(());
        }
        Err(format!(
            "it has none of the permissions that issue keys: {}",
            ISSUES.join(", ")
        ))
    }

    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError> {
        self.line_of(key).call(key, wire::inspect()).await
    }

    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError> {
        let uid = uid(account, master.whose)?;
        self.line_of(master)
            .pages(master, |cursor| wire::list(uid, cursor))
            .await
    }

    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError> {
        let uid = uid(account, master.whose)?;
        let call =
            wire::create(uid, marker, grant).map_err(|problem| self.line.fault(master.whose, &problem))?;
        self.line_of(master).call(master, call).await
    }

    async fn edit(
        &self,
        master: &Signer,
        _account: &AccountId,
        key: &ListedKey,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let call = wire::update(key, grant).map_err(|problem| self.line.fault(master.whose, &problem))?;
        self.line_of(master).call(master, call).await
    }

    async fn revoke(
        &self,
        master: &Signer,
        _account: &AccountId,
        key: KeyToRevoke<'_>,
    ) -> Result<(), VenueError> {
        let call = wire::delete(key.key_id).map_err(|problem| self.line.fault(master.whose, &problem))?;
        self.line_of(master).call(master, call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_has_a_host_or_a_header_of_its_own() {
        let sites = [
            "nl",
            "tr",
            "kz",
            "ge",
            "ae",
            "eu",
            "id",
            "jp",
            "jp-testnet",
            "hk",
            "hk-testnet",
            "ar",
            "br",
        ];
        let sites = sites.map(|site| Environment::Site(site.into()));
        let known: Vec<Place> = sites
            .iter()
            .chain([&Environment::Mainnet, &Environment::Testnet, &Environment::Demo])
            .map(|at| place(at).unwrap())
            .collect();
        for (at, one) in known.iter().enumerate() {
            assert!(!known[..at].contains(one), "{one:?} is there twice");
        }
        assert!(place(&Environment::Site("xx".into())).is_err());
    }
}
