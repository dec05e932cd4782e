//! The model's state: accounts, keys, and what was asked lately.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::calls::Call;
use super::credential::{Generator, KeyId};
use super::key::{By, Key, Revision, Settings};
use super::knobs::Knobs;
use super::permissions::{Permissions, Role};
use super::rate::Endpoint;
use super::refusal::Refusal;

/// An account's number, a sub-account's too.
pub type Uid = u64;

/// The sites with accounts of their own. A key of one is an invalid key at another (10003), which from
/// outside looks just like a dead key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// `api.bybit.com`.
    #[default]
    Mainnet,
    /// `api-testnet.bybit.com`.
    Testnet,
    /// `api-demo.bybit.com`.
    Demo,
}

/// The exchange: accounts and keys, all there is to know. Cloning it forks the world.
#[derive(Clone, Debug)]
pub struct Model {
    /// The open questions, answered for this run. They may be changed while it runs.
    pub knobs: Knobs,
    pub(super) generator: Generator,
    pub(super) accounts: BTreeMap<Uid, Account>,
    pub(super) keys: BTreeMap<KeyId, Key>,
    pub(super) visits: BTreeMap<(Uid, Endpoint), VecDeque<Timestamp>>,
    pub(super) calls: Vec<Call>,
}

/// An account, with its parent if it is a sub-account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) parent: Option<Uid>,
    pub(super) environment: Environment,
    pub(super) unified: bool,
    pub(super) banned: bool,
    pub(super) password_changed_at: Option<Timestamp>,
}

/// Who is calling, and what the call may do by the settings that are in force for the caller's key.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) key: KeyId,
    pub(super) uid: Uid,
    pub(super) role: Role,
    read_only: bool,
    permissions: Permissions,
}

impl Model {
    /// An exchange without accounts. The seed decides the key ids and secrets that it will issue.
    pub fn new(seed: u64, knobs: Knobs) -> Self {
        Self {
            knobs,
            generator: Generator::new(seed),
            accounts: BTreeMap::new(),
            keys: BTreeMap::new(),
            visits: BTreeMap::new(),
            calls: Vec::new(),
        }
    }

    /// The answer of `GET /v5/market/time`: no key needed, no limit.
    pub fn server_time(&self, now: Timestamp) -> Timestamp {
        now
    }

    /// Counts the call against the caller's limit and looks the caller up.
    pub(super) fn admit(
        &mut self,
        caller: &KeyId,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Caller, Refusal> {
        let caller = self.caller(caller, now)?;
        self.count(caller.uid, endpoint, now)?;
        Ok(caller)
    }

    fn caller(&self, key: &KeyId, now: Timestamp) -> Result<Caller, Refusal> {
        let (key, account) = self.key_and_account(key)?;
        let Settings {
            read_only,
            permissions,
            ..
        } = &self.in_force(key, now).settings;
        Ok(Caller {
            key: key.credential.key.clone(),
            uid: key.uid,
            role: account.role(),
            read_only: *read_only,
            permissions: permissions.clone(),
        })
    }

    pub(super) fn key_and_account(&self, key: &KeyId) -> Result<(&Key, &Account), Refusal> {
        let found = self
            .keys
            .get(key)
            .and_then(|key| Some((key, self.accounts.get(&key.uid)?)));
        found.ok_or_else(|| Refusal::invalid_key("there is no such key"))
    }

    pub(super) fn in_force<'a>(&self, key: &'a Key, now: Timestamp) -> &'a Revision {
        key.in_force(now, self.knobs.edit_delay)
    }

    pub(super) fn password_changed_at(&self, uid: Uid) -> Option<Timestamp> {
        self.accounts
            .get(&uid)
            .and_then(|account| account.password_changed_at)
    }

    /// The key that an edit or a deletion is about, by the rules of `docs/v5/user/modify-sub-apikey` and
    /// `rm-sub-apikey`: a master key must name one of its sub-accounts' keys, a sub-account's key means
    /// itself and must name none.
    pub(super) fn sub_key(&self, caller: &Caller, named: Option<&KeyId>) -> Result<KeyId, Refusal> {
        let key = match (caller.role, named) {
            (Role::Master, Some(named)) => self
                .keys
                .get(named)
                .filter(|key| self.is_child(key.uid, caller.uid)),
            (Role::Master, None) => {
                return Err(Refusal::parameter("a master key has to name the key it means"));
            }
            (Role::Sub, None) => self.keys.get(&caller.key),
            (Role::Sub, Some(_)) => return Err(Refusal::parameter("a sub-account's key may not name a key")),
        };
        key.filter(|key| !key.is_deleted())
            .map(|key| key.credential.key.clone())
            .ok_or_else(|| self.no_such_key())
    }

    pub(super) fn no_such_key(&self) -> Refusal {
        Refusal::unverified(self.knobs.no_such_key_ret_code, "there is no such key")
    }

    /// The sub-account, if it is the caller's.
    pub(super) fn sub_account(&self, caller: &Caller, uid: Uid) -> Result<&Account, Refusal> {
        let account = self
            .accounts
            .get(&uid)
            .filter(|account| account.parent == Some(caller.uid));
        account.ok_or_else(|| {
            let why = format!("{uid} is no sub-account of {}", caller.uid);
            Refusal::unverified(self.knobs.no_such_sub_account_ret_code, why)
        })
    }

    fn is_child(&self, uid: Uid, parent: Uid) -> bool {
        self.accounts
            .get(&uid)
            .is_some_and(|account| account.parent == Some(parent))
    }

    pub(super) fn keys_of(&self, uid: Uid) -> impl Iterator<Item = &Key> {
        self.keys.values().filter(move |key| key.uid == uid)
    }

    /// Issues a key: the one way any key comes into being.
    pub(super) fn issue(&mut self, uid: Uid, settings: Settings, by: By, now: Timestamp) -> &Key {
        let credential = self.generator.credential();
        let id = self.generator.record_id();
        let name = credential.key.clone();
        self.keys
            .entry(name)
            .or_insert(Key::new(id, credential, uid, settings, by, now))
    }

    /// The delays that a listing sees.
    pub(super) fn listing_delays(&self) -> (SignedDuration, SignedDuration, SignedDuration) {
        let listed_for = self.knobs.deleted_listed_for;
        if self.knobs.listings_lag {
            (
                self.knobs.new_key_delay,
                self.knobs.deletion_delay.max(listed_for),
                self.knobs.edit_delay,
            )
        } else {
            (SignedDuration::ZERO, listed_for, SignedDuration::ZERO)
        }
    }
}

impl Account {
    pub(super) fn role(&self) -> Role {
        if self.parent.is_some() {
            Role::Sub
        } else {
            Role::Master
        }
    }
}

impl Caller {
    /// "Use master user's api key only". Unverified: the code that a sub-account's key gets.
    pub(super) fn must_be_master(&self) -> Result<(), Refusal> {
        match self.role {
            Role::Master => Ok(()),
            Role::Sub => Err(Refusal::permission("this is for master keys only")),
        }
    }

    /// A key that may write, with one of the permissions that the endpoint's page asks for.
    pub(super) fn must_manage_keys(&self) -> Result<(), Refusal> {
        if self.read_only {
            return Err(Refusal::permission("the caller's key is read-only"));
        }
        if !self.permissions.manage_keys(self.role) {
            return Err(Refusal::permission(
                "the caller's key may neither transfer nor withdraw",
            ));
        }
        Ok(())
    }
}
