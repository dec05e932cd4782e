//! The model's state: accounts, keys, and what was asked lately.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::calls::Call;
use super::credential::{Credential, Generator, KeyId, Passphrase};
use super::ips::Ips;
use super::key::{By, Key, Revision, Settings, Target, Uid};
use super::knobs::Knobs;
use super::permissions::Permissions;
use super::profile::{Bound, Endpoint, Profile, Role, SelfService};
use super::refusal::{Reason, Refusal};

/// The sites with accounts of their own. A key of one is an invalid key at another, which from
/// outside may look just like a dead key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// Production.
    #[default]
    Mainnet,
    /// A site to try things out, with accounts of its own.
    Testnet,
    /// Production's accounts with play money.
    Demo,
}

/// The exchange: accounts and keys, all there is to know. Cloning it forks the world.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) profile: &'static Profile,
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
    pub(super) name: Option<String>,
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
    bound: bool,
    permissions: Permissions,
}

/// How a key's credential is made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) passphrase: Option<Passphrase>,
    /// Whether its secret is the private half of a pair.
    pub(super) pair: bool,
}

impl Model {
    /// An exchange without accounts. The seed decides the key ids and secrets that it will issue.
    pub fn new(seed: u64, profile: &'static Profile, knobs: Knobs) -> Self {
        Self {
            profile,
            knobs,
            generator: Generator::new(seed),
            accounts: BTreeMap::new(),
            keys: BTreeMap::new(),
            visits: BTreeMap::new(),
            calls: Vec::new(),
        }
    }

    /// Adds a call to the log. Fronts do this; the endpoints don't, since they see neither faults nor bad
    /// signatures.
    pub fn record(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// The calls since this was last asked.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// What the venue is.
    pub fn profile(&self) -> &'static Profile {
        self.profile
    }

    /// How many keys an account may have.
    pub fn max_keys(&self) -> usize {
        self.knobs.max_keys.unwrap_or(self.profile.max_keys)
    }

    pub(super) fn addresses_asked_for(&self, addresses: &[String]) -> Result<Ips, Refusal> {
        let max = self.knobs.max_ips.unwrap_or(self.profile.max_ips);
        Ips::requested(addresses, max, self.profile.segments)
    }

    /// Refuses a call whose request makes no sense to the front: those who may not make the call at all
    /// hear that first, and it counts against the limit.
    pub fn turn_away(&mut self, caller: &KeyId, endpoint: Endpoint, no: Refusal, now: Timestamp) -> Refusal {
        let may = self.admit(caller, endpoint, now).and_then(|caller| {
            if endpoint == Endpoint::List {
                caller.must_be_master()
            } else {
                self.must_manage_keys(&caller)
            }
        });
        may.err().unwrap_or(no)
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
            ips,
            ..
        } = &self.in_force(key, now).settings;
        Ok(Caller {
            key: key.credential.key.clone(),
            uid: key.uid,
            role: account.role(),
            read_only: *read_only,
            bound: !ips.is_any(),
            permissions: permissions.clone(),
        })
    }

    pub(super) fn key_and_account(&self, key: &KeyId) -> Result<(&Key, &Account), Refusal> {
        let found = self
            .keys
            .get(key)
            .and_then(|key| Some((key, self.accounts.get(&key.uid)?)));
        found.ok_or_else(|| self.invalid_key("there is no such key"))
    }

    pub(super) fn in_force<'a>(&self, key: &'a Key, now: Timestamp) -> &'a Revision {
        key.in_force(now, self.knobs.edit_delay)
    }

    /// When a key with these settings expires, if it does.
    pub(super) fn expires_at(
        &self,
        revision: &Revision,
        password_changed_at: Option<Timestamp>,
    ) -> Option<Timestamp> {
        revision.expires_at(self.profile.unbound?, password_changed_at)
    }

    /// The permissions with what the venue adds by itself according to the account's type.
    pub(super) fn completed(&self, mut permissions: Permissions, account: &Account) -> Permissions {
        for added in self.profile.added {
            let due = self.knobs.adds_to_every_key || permissions.has_group(added.beside);
            if account.unified && due {
                permissions.grant(added.group, added.value);
            }
        }
        permissions
    }

    /// The key that an edit or a deletion is about: a master key must name one of its sub-accounts' keys, a
    /// sub-account's key means itself and must name none.
    pub(super) fn sub_key(&self, caller: &Caller, target: &Target) -> Result<KeyId, Refusal> {
        if let Some(account) = target.account {
            self.sub_account(caller, account)?;
        }
        let is_meant = |key: &&Key| {
            self.is_child(key.uid, caller.uid) && target.account.is_none_or(|account| account == key.uid)
        };
        let key = match (caller.role, &target.key) {
            (Role::Master, Some(named)) => self.keys.get(named).filter(is_meant),
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

    pub(super) fn invalid_key(&self, why: &str) -> Refusal {
        Refusal::new(Reason::InvalidKey, why).coded(self.knobs.invalid_key_code)
    }

    pub(super) fn no_such_key(&self) -> Refusal {
        Refusal::new(Reason::NoSuchKey, "there is no such key").coded(self.knobs.no_such_key_code)
    }

    /// The sub-account, if it is the caller's.
    pub(super) fn sub_account(&self, caller: &Caller, uid: Uid) -> Result<&Account, Refusal> {
        let account = self
            .accounts
            .get(&uid)
            .filter(|account| account.parent == Some(caller.uid));
        account.ok_or_else(|| {
            let why = format!("{uid} is no sub-account of {}", caller.uid);
            Refusal::new(Reason::NoSuchAccount, why).coded(self.knobs.no_such_account_code)
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

    /// Adds a key: the one way any key comes into being.
    pub(super) fn add_key(
        &mut self,
        uid: Uid,
        settings: Settings,
        made: Made,
        by: By,
        now: Timestamp,
    ) -> &Key {
        let (name, mut secret) = self.generator.key(self.profile);
        if made.pair {
            secret = secret.as_private_key();
        }
        let id = self.generator.record_id();
        let credential = Credential {
            key: name.clone(),
            secret,
            passphrase: made.passphrase,
        };
        self.keys
            .entry(name)
            .or_insert(Key::new(id, credential, uid, settings, by, now))
    }

    /// A key that may write, with one of the permissions that the venue asks for.
    pub(super) fn must_manage_keys(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.profile.self_service == SelfService::MastersOnly {
            caller.must_be_master()?;
        }
        if caller.read_only {
            return Err(Refusal::permission("the caller's key is read-only"));
        }
        if !caller.permissions.grants_any(self.profile.manage_by(caller.role)) {
            return Err(Refusal::permission("the caller's key may not manage keys"));
        }
        if caller.role == Role::Master && self.profile.masters == Bound::Required && !caller.bound {
            let why = "the caller's key is bound to no address";
            return Err(Refusal::new(Reason::UnboundMaster, why));
        }
        Ok(())
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
    pub(super) fn must_be_master(&self) -> Result<(), Refusal> {
        match self.role {
            Role::Master => Ok(()),
            Role::Sub => Err(Refusal::new(Reason::MastersOnly, "this is for master keys only")),
        }
    }
}
