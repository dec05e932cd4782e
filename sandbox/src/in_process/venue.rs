//! The protocol's venue over the model of Bybit. Every call shows its signer's credential and is checked by
//! the model, so that secrets, addresses, expiry and propagation count.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::name::{Environment, VenueId};
use protocol::ports::{
    ErrorClass, Grant, IssuedKey, KeyList, KeyState, KeyToRevoke, ListedKey, OwnAccount, Signer,
    ToldAddresses, Venue, VenueError, VenueFacts, Venues, Whose,
};
use protocol::secret::{AccountId, Address, Addresses, Credential, KeyId, Permissions};
use secrecy::{ExposeSecret, SecretString};

use super::call::{About, Call, Operation};
use super::port::{Port, Who};
use super::powers::{powers, requested};
use super::state::State;
use crate::bybit::{
    self, CreateSubApi, DeleteSubApi, Ips, KeyStatus, Refusal, SignedRequest, SubApikeys, UpdateSubApi,
};
use crate::invariants::Asked;

/// How long after its timestamp a request may take effect, as every call says.
const RECV_WINDOW_MS: &str = "5000";
const RECV_WINDOW: Duration = Duration::from_secs(5);
/// The venue documents none; this is the design's bound for such venues.
const PROPAGATION: Duration = Duration::from_mins(5);
/// Nor this.
const SETTLING: Duration = Duration::from_mins(1);
/// How long a key lives that is bound to no address.
const UNBOUND_LIFE: Duration = Duration::from_hours(90 * 24);

/// Bybit in those of its environments that the model knows, within one invocation.
#[derive(Clone, Debug)]
pub struct InProcessVenues {
    port: Port,
}

/// Bybit in one environment, within one invocation.
#[derive(Clone, Debug)]
pub struct InProcessVenue {
    id: VenueId,
    site: bybit::Environment,
    port: Port,
}

impl InProcessVenues {
    pub(super) fn new(port: Port) -> Self {
        Self { port }
    }
}

impl Venues for InProcessVenues {
    fn venue(&self, id: &VenueId) -> Result<Arc<dyn Venue>, String> {
        let site = match (&id.environment, id.exchange.as_str()) {
            (Environment::Mainnet, "bybit") => bybit::Environment::Mainnet,
            (Environment::Testnet, "bybit") => bybit::Environment::Testnet,
            (Environment::Demo, "bybit") => bybit::Environment::Demo,
            _ => {
                return Err(format!(
                    "there is no stand-in for {} {}",
                    protocol::shown(&id.exchange),
                    id.environment
                ));
            }
        };
        Ok(Arc::new(InProcessVenue {
            id: id.clone(),
            site,
            port: self.port.clone(),
        }))
    }
}

#[async_trait]
impl Venue for InProcessVenue {
    fn id(&self) -> &VenueId {
        &self.id
    }

    fn masters(&self) -> VenueId {
        let environment = match self.site {
            bybit::Environment::Demo => Environment::Mainnet,
            _ => self.id.environment.clone(),
        };
        VenueId {
            exchange: self.id.exchange.clone(),
            environment,
        }
    }

    fn facts(&self) -> VenueFacts {
        let [spacing, master_spacing] = self.port.state.lock().spacing;
        VenueFacts {
            propagation: PROPAGATION,
            settling: SETTLING,
            signature_window: RECV_WINDOW,
            spacing,
            master_spacing,
            unbound_life: Some(UNBOUND_LIFE),
            most_keys: Some(20),
            unique_notes: false,
        }
    }

    fn can_grant(&self, permissions: &Permissions) -> Result<(), String> {
        let granted = requested(permissions).map(drop);
        granted.ok_or_else(|| "the stand-in for Bybit has no such permission".to_owned())
    }

    fn may_issue(&self, master: &KeyState) -> Result<(), String> {
        let moves = master
            .powers
            .moves_funds
            .iter()
            .any(|power| power.starts_with("Wallet:"));
        if master.is_master && moves && !master.read_only {
            Ok(())
        } else {
            Err("the stand-in for Bybit issues no keys for it".into())
        }
    }

    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError> {
        let about = About::Signer(key.whose, key.credential.key_id.clone());
        let whose = key.whose;
        let asked = Asked::Inspect(bybit::KeyId::from(key.credential.key_id.expose()));
        self.signed(Operation::Inspect, about, asked, key, move |state, caller| {
            let own = state
                .venue
                .query_api(caller, state.now)
                .map_err(|refusal| said_no(whose, &refusal))?;
            Ok(KeyState {
                account: OwnAccount::Named(AccountId::new(own.uid.to_string())),
                is_master: own.parent.is_none(),
                powers: powers(&own.key.settings),
                addresses: ToldAddresses::Exact(addresses(&own.key.settings.ips, whose)?),
                expires_at: own.key.expires_at,
                read_only: own.key.settings.read_only,
                kind: None,
            })
        })
        .await
    }

    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError> {
        let (whose, sub_uid) = (master.whose, uid(account, master.whose)?);
        self.signed(
            Operation::List,
            About::Words(account.to_string()),
            Asked::List(sub_uid),
            master,
            move |state, caller| {
                Ok(KeyList {
                    keys: all_keys(state, caller, sub_uid, whose)?,
                    as_of: state.now,
                })
            },
        )
        .await
    }

    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError> {
        let (whose, sub_uid) = (master.whose, uid(account, master.whose)?);
        let (read_only, permissions) = requested(&grant.permissions).ok_or_else(|| no_such_power(whose))?;
        let (note, ips) = (Some(marker.to_string()), Some(ips(&grant.addresses)));
        let request = CreateSubApi {
            sub_uid,
            note,
            read_only,
            ips,
            permissions,
        };
        self.signed(
            Operation::Issue,
            About::Words(marker.to_string()),
            Asked::Issue,
            master,
            move |state, caller| {
                let created = state.venue.create_sub_api(caller, request.clone(), state.now);
                let created = created.map_err(|refusal| said_no(whose, &refusal))?.credential;
                let secret = SecretString::from(created.secret.expose());
                Ok(IssuedKey {
                    credential: Credential {
                        key_id: key_id(&created.key, whose)?,
                        secret,
                        passphrase: None,
                    },
                })
            },
        )
        .await
    }

    async fn edit(
        &self,
        master: &Signer,
        _account: &AccountId,
        key: &ListedKey,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let (whose, key) = (master.whose, &key.key_id);
        let (read_only, permissions) = requested(&grant.permissions).ok_or_else(|| no_such_power(whose))?;
        let request = UpdateSubApi {
            key: Some(bybit::KeyId::from(key.expose())),
            read_only: Some(read_only),
            ips: Some(ips(&grant.addresses)),
            permissions: Some(permissions),
        };
        let asked = Asked::Edit(bybit::KeyId::from(key.expose()));
        self.signed(
            Operation::Edit,
            About::Key(key.clone()),
            asked,
            master,
            move |state, caller| {
                let edited = state.venue.update_sub_api(caller, &request, state.now);
                edited.map(drop).map_err(|refusal| said_no(whose, &refusal))
            },
        )
        .await
    }

    async fn revoke(
        &self,
        master: &Signer,
        account: &AccountId,
        key: KeyToRevoke<'_>,
    ) -> Result<(), VenueError> {
        let key = key.key_id;
        let (whose, sub_uid) = (master.whose, uid(account, master.whose)?);
        let named = key.clone();
        let asked = Asked::Revoke(bybit::KeyId::from(key.expose()));
        self.signed(
            Operation::Revoke,
            About::Key(key.clone()),
            asked,
            master,
            move |state, caller| {
                let request = DeleteSubApi {
                    key: Some(bybit::KeyId::from(named.expose())),
                };
                let Err(refusal) = state.venue.delete_sub_api(caller, &request, state.now) else {
                    return Ok(());
                };
                // The code for a key that is gone is not documented: the list tells, where it shows other
                // keys.
                let left = all_keys(state, caller, sub_uid, whose).unwrap_or_default();
                let gone = !left.is_empty() && left.iter().all(|other| other.key_id != named);
                if gone {
                    Ok(())
                } else {
                    Err(said_no(whose, &refusal))
                }
            },
        )
        .await
    }
}

impl InProcessVenue {
    /// Makes a call in the signer's name: whatever is wrong with its credential is found out first.
    async fn signed<T: Send>(
        &self,
        operation: Operation,
        about: About,
        asked: Asked,
        signer: &Signer,
        endpoint: impl Fn(&mut State, &bybit::KeyId) -> Result<T, VenueError> + Send + Sync + 'static,
    ) -> Result<T, VenueError> {
        let signer = signer.clone();
        let whose = signer.whose;
        // Demo's keys are asked at demo's host, and managed at production's.
        let site = match (whose, self.site) {
            (Whose::Master, bybit::Environment::Demo) => bybit::Environment::Mainnet,
            (_, site) => site,
        };
        let effect = move |state: &mut State, sent: Timestamp| {
            let caller = authenticated(state, &signer.credential, site, sent)
                .map_err(|refusal| said_no(whose, &refusal))?;
            endpoint(state, &caller)
        };
        self.port
            .call(Call::new(operation, about), asked, Who::Venue(whose), effect)
            .await
    }
}

fn authenticated(
    state: &State,
    credential: &Credential,
    site: bybit::Environment,
    sent: Timestamp,
) -> Result<bybit::KeyId, Refusal> {
    let timestamp = sent.as_millisecond().to_string();
    let request = SignedRequest {
        key: credential.key_id.expose(),
        timestamp: &timestamp,
        recv_window: Some(RECV_WINDOW_MS),
        signature: "",
        payload: b"the same on both sides",
        address: state.address,
        environment: site,
    };
    state
        .venue
        .authenticate_by_secret(credential.secret.expose_secret(), &request, state.now)
}

fn all_keys(
    state: &mut State,
    caller: &bybit::KeyId,
    sub_uid: u64,
    whose: Whose,
) -> Result<Vec<ListedKey>, VenueError> {
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let request = SubApikeys {
            sub_uid,
            limit: None,
            cursor,
        };
        let page = state
            .venue
            .sub_apikeys(caller, &request, state.now)
            .map_err(|refusal| said_no(whose, &refusal))?;
        for key in page.keys {
            keys.push(ListedKey {
                key_id: key_id(&key.key, whose)?,
                marker: Marker::parse(&key.settings.note),
                powers: powers(&key.settings),
                addresses: addresses(&key.settings.ips, whose)?,
                // Replies show whole seconds.
                created_at: Timestamp::from_second(key.created_at.as_second()).unwrap_or(key.created_at),
                expired: key.status == KeyStatus::Expired,
                kind: None,
            });
        }
        if page.next_page_cursor.is_empty() {
            if state.page_missing {
                keys.sort_by_key(|key: &ListedKey| key.created_at);
                keys.truncate(keys.len().div_ceil(2));
            }
            return Ok(keys);
        }
        cursor = Some(page.next_page_cursor);
    }
}

/// What the venue's codes mean, by the table of its facts.
fn said_no(whose: Whose, refusal: &Refusal) -> VenueError {
    let class = match refusal.ret_code {
        10_003 | 33_004 | -2_015 => ErrorClass::Rejected,
        10_004 | 10_007 => ErrorClass::Mismatched,
        10_005 | 10_008 | 10_009 | 10_010 | 10_024 | 10_027 | 20_096 | 81_007 => ErrorClass::Denied,
        10_002 | -1 => ErrorClass::Clock,
        10_006 => ErrorClass::Busy,
        141_004 | 141_019 | 141_020 => ErrorClass::Impossible,
        10_000 | 10_014 | 10_016 | 429 => ErrorClass::UnknownOutcome,
        _ => ErrorClass::Refused,
    };
    // The venue's own words may repeat what was signed.
    VenueError {
        class,
        whose,
        say: format!(
            "the stand-in for Bybit answers {}: {}",
            refusal.ret_code, refusal.why
        ),
    }
}

fn no_such_power(whose: Whose) -> VenueError {
    VenueError {
        class: ErrorClass::Fault,
        whose,
        say: "Bybit has no such permission".into(),
    }
}

fn odd(whose: Whose, problem: &str) -> VenueError {
    VenueError {
        class: ErrorClass::UnknownOutcome,
        whose,
        say: format!("the stand-in for Bybit says something odd: {problem}"),
    }
}

fn uid(account: &AccountId, whose: Whose) -> Result<u64, VenueError> {
    let no_uid = VenueError {
        class: ErrorClass::Refused,
        whose,
        say: "the account is no Bybit uid".into(),
    };
    account.as_str().parse().map_err(|_| no_uid)
}

fn key_id(key: &bybit::KeyId, whose: Whose) -> Result<KeyId, VenueError> {
    KeyId::parse(key.as_str()).map_err(|problem| odd(whose, problem))
}

fn ips(addresses: &Addresses) -> String {
    match addresses {
        Addresses::Any => "*".to_owned(),
        Addresses::Only(addresses) => addresses
            .iter()
            .map(Address::as_str)
            .collect::<Vec<_>>()
            .join(","),
    }
}

fn addresses(ips: &Ips, whose: Whose) -> Result<Addresses, VenueError> {
    let Ips::Only(ips) = ips else {
        return Ok(Addresses::Any);
    };
    let read: Result<_, _> = ips.iter().map(|ip| ip.to_string().parse::<Address>()).collect();
    read.map(Addresses::Only)
        .map_err(|_| odd(whose, "an address that is none"))
}
