//! The protocol's venue over the model of one. Every call shows its signer's credential and is checked by
//! the model, so that secrets, addresses, expiry and propagation count.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use protocol::marker::Marker;
use protocol::name::{Environment, VenueId};
use protocol::ports::{
    Grant, IssuedKey, KeyList, KeyState, KeyToRevoke, ListedKey, Signer, Venue, VenueError, VenueFacts,
    Venues, Whose,
};
use protocol::secret::{AccountId, Address, Addresses, Credential, KeyForm, KeyId, Permissions};
use secrecy::{ExposeSecret, SecretString};

use super::call::{About, Call, Operation};
use super::kind::VenueKind;
use super::port::{Port, Who};
use super::powers::{only_reads, powers, requested};
use super::refusals::{no_passphrase, no_such_account, no_such_power, nobody_issues, odd, said_no};
use super::state::State;
use crate::invariants::Asked;
use crate::venue::{
    self, Bound, Changes, Claim, Ips, IssueRequest, ListRequest, Names, Passphrase, Profile, Refusal,
    Requested, Target,
};

/// No account has this number: a name that none has stands for it.
const NOBODY: u64 = 0;

/// The venue in those of its environments that the model knows, within one invocation.
#[derive(Clone, Debug)]
pub struct InProcessVenues {
    port: Port,
}

/// The venue in one environment, within one invocation.
#[derive(Clone, Debug)]
pub struct InProcessVenue {
    id: VenueId,
    site: venue::Environment,
    kind: &'static VenueKind,
    profile: &'static Profile,
    port: Port,
}

impl InProcessVenues {
    pub(super) fn new(port: Port) -> Self {
        Self { port }
    }
}

impl Venues for InProcessVenues {
    fn venue(&self, id: &VenueId) -> Result<Arc<dyn Venue>, String> {
        let kind = self.port.state.lock().kind;
        let profile = kind.profile;
        let is_it = id.exchange.as_str() == profile.name;
        let site = match &id.environment {
            Environment::Mainnet if is_it => venue::Environment::Mainnet,
            Environment::Testnet if is_it => venue::Environment::Testnet,
            Environment::Demo if is_it => venue::Environment::Demo,
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
            kind,
            profile,
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
            venue::Environment::Demo => Environment::Mainnet,
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
            propagation: self.kind.propagation,
            settling: self.kind.settling,
            signature_window: Duration::from_millis(self.profile.window.behind.unsigned_abs()),
            spacing,
            master_spacing,
            unbound_life: self.profile.unbound.map(|unbound| unbound.life.unsigned_abs()),
            most_keys: Some(self.profile.max_keys),
            unique_notes: self.profile.notes == Names::Unique,
            issues: self.kind.issues,
            forms: self.kind.forms,
            asking: self.kind.asking,
        }
    }

    fn can_grant(&self, permissions: &Permissions) -> Result<(), String> {
        let granted = requested(&self.profile.vocabulary, permissions).map(drop);
        granted.ok_or_else(|| "the stand-in grants no such permission".to_owned())
    }

    fn may_issue(&self, master: &KeyState) -> Result<(), String> {
        let issues = self.profile.vocabulary.issues;
        let unbound = master.addresses.exact() == Some(&Addresses::Any);
        let may_be_unbound = self.profile.masters == Bound::Optional;
        if master.is_master && issues(&master.powers) && !master.read_only && (may_be_unbound || !unbound) {
            Ok(())
        } else {
            Err("the stand-in issues no keys for it".into())
        }
    }

    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError> {
        let about = About::Signer(key.whose, key.credential.key_id.clone());
        let (whose, kind) = (key.whose, self.kind);
        let asked = Asked::Inspect(venue::KeyId::from(key.credential.key_id.expose()));
        self.signed(Operation::Inspect, about, asked, key, move |state, caller| {
            let own = state
                .venue
                .inspect(caller, state.now)
                .map_err(|refusal| said_no(state.kind, whose, &refusal))?;
            let powers = powers(&kind.profile.vocabulary, &own.key.settings);
            Ok(KeyState {
                account: kind.told_account(own.uid),
                is_master: own.parent.is_none(),
                addresses: kind.told_addresses(addresses(&own.key.settings.ips, whose)?),
                expires_at: own.key.expires_at,
                read_only: only_reads(&kind.profile.vocabulary, &own.key.settings, &powers),
                powers,
                kind: None,
            })
        })
        .await
    }

    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError> {
        let (whose, sub_uid) = (master.whose, self.uid(account, master.whose)?);
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
        let (whose, sub_uid) = (master.whose, self.uid(account, master.whose)?);
        let (read_only, permissions) = self.requested(grant, whose)?;
        let request = IssueRequest {
            account: sub_uid,
            note: marker.to_string(),
            read_only,
            addresses: asked_for(&grant.addresses),
            permissions,
            passphrase: self.profile.passphrase.map(|_| self.passphrase(master, marker)),
            pair: grant.form == KeyForm::Pair,
        };
        self.signed(
            Operation::Issue,
            About::Words(marker.to_string()),
            Asked::Issue,
            master,
            move |state, caller| {
                let created = state.venue.issue(caller, request.clone(), state.now);
                let created = created
                    .map_err(|refusal| said_no(state.kind, whose, &refusal))?
                    .credential;
                let secret = SecretString::from(created.secret.expose());
                let passphrase = created.passphrase.as_ref().map(Passphrase::expose);
                Ok(IssuedKey {
                    credential: Credential {
                        key_id: key_id(&created.key, whose)?,
                        secret,
                        passphrase: passphrase.map(SecretString::from),
                    },
                })
            },
        )
        .await
    }

    async fn edit(
        &self,
        master: &Signer,
        account: &AccountId,
        key: &ListedKey,
        passphrase: Option<&SecretString>,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let (whose, listed, key) = (master.whose, key, &key.key_id);
        let (read_only, permissions) = self.requested(grant, whose)?;
        let shown = self.passphrase_of(master, passphrase, listed.marker.as_ref());
        let target = self.target(account, key, shown, whose)?;
        let changes = Changes {
            note: None,
            read_only: Some(read_only),
            addresses: Some(asked_for(&grant.addresses)),
            permissions: Some(permissions),
        };
        let asked = Asked::Edit(venue::KeyId::from(key.expose()));
        self.signed(
            Operation::Edit,
            About::Key(key.clone()),
            asked,
            master,
            move |state, caller| {
                let edited = state.venue.edit(caller, &target, &changes, state.now);
                edited
                    .map(drop)
                    .map_err(|refusal| said_no(state.kind, whose, &refusal))
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
        let shown = self.passphrase_of(master, key.passphrase, key.marker);
        let (whose, key) = (master.whose, key.key_id);
        let target = self.target(account, key, shown, whose)?;
        let asked = Asked::Revoke(venue::KeyId::from(key.expose()));
        self.signed(
            Operation::Revoke,
            About::Key(key.clone()),
            asked,
            master,
            move |state, caller| {
                let removed = state.venue.remove(caller, &target, state.now);
                removed.map_err(|refusal| said_no(state.kind, whose, &refusal))
            },
        )
        .await
    }
}

impl InProcessVenue {
    /// The passphrase of a new key: one that can be derived again where its deletion asks for it, and else
    /// one that is the same whenever a history is replayed.
    fn passphrase(&self, master: &Signer, marker: &Marker) -> Passphrase {
        if self.profile.manages_by_passphrase {
            derived(master, marker)
        } else {
            passphrase_for(marker)
        }
    }

    /// What an order about a key shows for its passphrase: the one that a value has, or what follows from its
    /// marker.
    fn passphrase_of(
        &self,
        master: &Signer,
        known: Option<&SecretString>,
        marker: Option<&Marker>,
    ) -> Option<Passphrase> {
        let known = known.map(|known| Passphrase::from(known.expose_secret()));
        known
            .or_else(|| marker.map(|marker| derived(master, marker)))
            .filter(|_| self.profile.manages_by_passphrase)
    }

    /// The key that a call is about; where calls name accounts, with its account.
    fn target(
        &self,
        account: &AccountId,
        key: &KeyId,
        passphrase: Option<Passphrase>,
        whose: Whose,
    ) -> Result<Target, VenueError> {
        let named = self.kind.names_accounts.then(|| self.uid(account, whose));
        Ok(Target {
            account: named.transpose()?,
            passphrase,
            ..Target::key(venue::KeyId::from(key.expose()))
        })
    }

    /// The number of an account that calls name. Only the venue knows which names there are.
    fn uid(&self, account: &AccountId, whose: Whose) -> Result<u64, VenueError> {
        let text = account.as_str();
        if self.kind.names_accounts {
            return Ok(self.port.state.lock().venue.account_named(text).unwrap_or(NOBODY));
        }
        text.parse().map_err(|_| no_such_account(whose))
    }

    /// What to ask the venue for: whether the key only reads, and its groups.
    fn requested(&self, grant: &Grant, whose: Whose) -> Result<(bool, Requested), VenueError> {
        requested(&self.profile.vocabulary, &grant.permissions).ok_or_else(|| no_such_power(whose))
    }

    /// Makes a call in the signer's name: whatever is wrong with its credential is found out first.
    async fn signed<T: Send>(
        &self,
        operation: Operation,
        about: About,
        asked: Asked,
        signer: &Signer,
        endpoint: impl Fn(&mut State, &venue::KeyId) -> Result<T, VenueError> + Send + Sync + 'static,
    ) -> Result<T, VenueError> {
        let signer = signer.clone();
        let whose = signer.whose;
        let is_own = operation == Operation::Inspect;
        if self.kind.is_supplied() && !is_own {
            return Err(nobody_issues(whose));
        }
        if self.profile.passphrase.is_some() && signer.credential.passphrase.is_none() {
            return Err(no_passphrase(whose));
        }
        // Demo's keys are asked at demo's host, and managed at production's.
        let site = match (whose, self.site) {
            (Whose::Master, venue::Environment::Demo) => venue::Environment::Mainnet,
            (_, site) => site,
        };
        let effect = move |state: &mut State, sent: Timestamp| {
            let caller = authenticated(state, &signer.credential, site, sent)
                .map_err(|refusal| said_no(state.kind, whose, &refusal))?;
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
    site: venue::Environment,
    sent: Timestamp,
) -> Result<venue::KeyId, Refusal> {
    let claim = Claim {
        key: credential.key_id.expose(),
        passphrase: credential.passphrase.as_ref().map(ExposeSecret::expose_secret),
        signed_at: sent.as_millisecond(),
        window: None,
        address: state.address,
        environment: site,
    };
    state
        .venue
        .authenticate_by_secret(credential.secret.expose_secret(), &claim, state.now)
}

fn all_keys(
    state: &mut State,
    caller: &venue::KeyId,
    sub_uid: u64,
    whose: Whose,
) -> Result<Vec<ListedKey>, VenueError> {
    let vocabulary = &state.venue.profile().vocabulary;
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let request = ListRequest {
            account: sub_uid,
            limit: None,
            cursor,
        };
        let page = state
            .venue
            .list(caller, &request, state.now)
            .map_err(|refusal| said_no(state.kind, whose, &refusal))?;
        for key in page.keys {
            keys.push(ListedKey {
                key_id: key_id(&key.key, whose)?,
                marker: Marker::parse(&key.settings.note),
                powers: powers(vocabulary, &key.settings),
                addresses: addresses(&key.settings.ips, whose)?,
                // Replies show whole seconds.
                created_at: Timestamp::from_second(key.created_at.as_second()).unwrap_or(key.created_at),
                expired: key.expired(state.now),
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

fn key_id(key: &venue::KeyId, whose: Whose) -> Result<KeyId, VenueError> {
    KeyId::parse(key.as_str()).map_err(|problem| odd(whose, problem))
}

fn derived(master: &Signer, marker: &Marker) -> Passphrase {
    Passphrase::from(marker.passphrase(&master.credential.secret).expose_secret())
}

/// A passphrase of all kinds of characters, the same whenever a history is replayed.
fn passphrase_for(marker: &Marker) -> Passphrase {
    let text: String = marker.to_string().chars().take(16).collect();
    Passphrase::from(format!("{text}-aA1!").as_str())
}

fn asked_for(addresses: &Addresses) -> Vec<String> {
    match addresses {
        Addresses::Any => Vec::new(),
        Addresses::Only(addresses) => addresses.iter().map(|ip| ip.as_str().to_owned()).collect(),
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
