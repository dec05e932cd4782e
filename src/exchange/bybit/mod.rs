//! Bybit v5. Source of every fact here: Bybit's API documentation, `docs/v5/user`, `docs/v5/guide` and
//! `docs/v5/error`.

mod call;
mod errors;
mod permissions;
pub mod reply;
#[cfg(test)]
mod requests;
mod sign;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::name::{Environment, VenueId};
use protocol::ports::{
    ErrorClass, Grant, IssuedKey, KeyList, KeyState, ListedKey, Signer, Venue, VenueError, VenueFacts, Whose,
};
use protocol::secret::{AccountId, KeyId};
use reqwest::Url;

use self::reply::KeyPage;
use super::http::Http;
use crate::time::InvocationTime;

/// A request may take effect this long after its timestamp.
const RECV_WINDOW: Duration = Duration::from_secs(5);
/// Bybit documents none.
const PROPAGATION: Duration = Duration::from_mins(5);
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
/// More pages than an account's keys can fill; a cursor that never ends must not hold us.
const MOST_PAGES: usize = 50;

/// What is kept from one invocation to the next.
#[derive(Debug)]
pub(super) struct Site {
    base_url: Option<Url>,
    /// How far each host's clock is ahead of ours, in milliseconds. One for each: whoever may name a host
    /// whose clock is wrong moves no other's.
    clock_offsets: Mutex<BTreeMap<String, Arc<AtomicI64>>>,
}

/// Bybit in one environment, within one invocation.
#[derive(Debug)]
pub(super) struct Bybit {
    id: VenueId,
    base: Url,
    /// What every call of a site that shares its host bears.
    site_header: Option<(&'static str, &'static str)>,
    /// How far its host's clock is ahead of ours, in milliseconds.
    clock_offset: Arc<AtomicI64>,
    http: Http,
    time: InvocationTime,
}

impl Site {
    pub(super) fn new(base_url: Option<Url>) -> Self {
        Self {
            base_url,
            clock_offsets: Mutex::default(),
        }
    }

    fn clock_offset_of(&self, base: &Url) -> Arc<AtomicI64> {
        let mut offsets = self.clock_offsets.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(offsets.entry(base.authority().to_owned()).or_default())
    }
}

impl Bybit {
    pub(super) fn new(id: &VenueId, site: &Site, http: Http, time: InvocationTime) -> Result<Self, String> {
        let (own, site_header) = place(&id.environment)?;
        let base = match &site.base_url {
            Some(base) => base.clone(),
            None => Url::parse(own).map_err(|error| format!("Bybit's own host cannot be read: {error}"))?,
        };
        let clock_offset = site.clock_offset_of(&base);
        Ok(Self {
            id: id.clone(),
            base,
            site_header,
            clock_offset,
            http,
            time,
        })
    }

    /// The time by Bybit's clock, in milliseconds.
    fn venue_now(&self) -> i64 {
        Timestamp::now()
            .as_millisecond()
            .saturating_add(self.clock_offset.load(Ordering::Relaxed))
    }
}

/// Where an environment's keys are known: the host, and the header that tells a site which shares it.
type Place = (&'static str, Option<(&'static str, &'static str)>);

/// Source: Bybit's integration guidance, "Authentication"; its changelog of 2026-08-28 and 2026-08-31 for
/// Argentina and Brazil; the demo trading page, whose list of available calls has none about keys.
fn place(environment: &Environment) -> Result<Place, String> {
    let at = |host| Ok((host, None));
    match environment {
        Environment::Mainnet => at("https://api.bybit.com"),
        Environment::Testnet => at("https://api-testnet.bybit.com"),
        Environment::Demo => Err(
            "Bybit's demo host has no calls to issue or revoke keys. Production's host has them, for the \
             production master credential, which this function does not call for another environment yet: \
             make demo keys by hand"
                .into(),
        ),
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
        &self.id
    }

    fn facts(&self) -> VenueFacts {
        VenueFacts {
            propagation: PROPAGATION,
            signature_window: RECV_WINDOW,
            spacing: SPACING,
            master_spacing: MASTER_SPACING,
            unbound_life: Some(UNBOUND_LIFE),
            most_keys: Some(MOST_KEYS),
        }
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
        self.call(key, wire::inspect()).await
    }

    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError> {
        let uid = uid(account, master.whose)?;
        let mut list = KeyList {
            keys: Vec::new(),
            as_of: Timestamp::now(),
        };
        let (mut cursor, mut seen) = (String::new(), BTreeSet::new());
        for _ in 0..MOST_PAGES {
            let page: KeyPage = self.call(master, wire::list(uid, &cursor)).await?;
            list.as_of = page.list.as_of;
            list.keys.extend(page.list.keys);
            cursor = page.next;
            if cursor.is_empty() {
                return Ok(list);
            }
            // One that comes again would go on for ever.
            if !seen.insert(cursor.clone()) {
                break;
            }
        }
        Err(self.endless(master.whose))
    }

    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError> {
        let uid = uid(account, master.whose)?;
        let call = wire::create(uid, marker, grant).map_err(|problem| self.fault(master.whose, &problem))?;
        self.call(master, call).await
    }

    async fn edit(
        &self,
        master: &Signer,
        _account: &AccountId,
        key: &ListedKey,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let call = wire::update(key, grant).map_err(|problem| self.fault(master.whose, &problem))?;
        self.call(master, call).await
    }

    async fn revoke(&self, master: &Signer, _account: &AccountId, key: &KeyId) -> Result<(), VenueError> {
        let call = wire::delete(key).map_err(|problem| self.fault(master.whose, &problem))?;
        self.call(master, call).await
    }
}

/// Bybit numbers its accounts.
fn uid(account: &AccountId, whose: Whose) -> Result<u64, VenueError> {
    account.as_str().parse().map_err(|_| VenueError {
        class: ErrorClass::Refused,
        whose,
        say: "the `subaccount` is not the uid of a Bybit sub-account, which is a number".into(),
    })
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
            .chain([&Environment::Mainnet, &Environment::Testnet])
            .map(|at| place(at).unwrap())
            .collect();
        for (at, one) in known.iter().enumerate() {
            assert!(!known[..at].contains(one), "{one:?} is there twice");
        }
        assert!(place(&Environment::Site("xx".into())).is_err() && place(&Environment::Demo).is_err());
    }

    #[test]
    fn one_host_s_clock_says_nothing_of_another_s() {
        let site = Site::new(None);
        let (mainnet, testnet) = (
            "https://api.bybit.com/".parse().unwrap(),
            "https://api-testnet.bybit.com/".parse().unwrap(),
        );
        site.clock_offset_of(&testnet)
            .store(-3_600_000, Ordering::Relaxed);
        assert_eq!(site.clock_offset_of(&mainnet).load(Ordering::Relaxed), 0);
        assert_eq!(site.clock_offset_of(&testnet).load(Ordering::Relaxed), -3_600_000);
    }
}
