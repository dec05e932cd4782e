//! What a test or a person can see and do, and no caller of the API: accounts, the truth about keys, and
//! changes by hand.

use jiff::Timestamp;

use super::credential::{Credential, KeyId};
use super::ips::Ips;
use super::key::{By, Key, KeyTruth, Settings, Uid};
use super::model::{Account, Environment, Made, Model};
use super::permissions::Permissions;

/// The account or key does not exist. Whoever scripts the world has named the wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such account or key")]
pub struct NoSuch;

impl Model {
    /// Opens a parent account, unified.
    pub fn add_parent_account(&mut self, uid: Uid, environment: Environment) {
        self.accounts.insert(uid, Account::unified(None, environment));
    }

    /// Opens a sub-account, unified, in its parent's environment.
    pub fn add_sub_account(&mut self, parent: Uid, uid: Uid) -> Result<(), NoSuch> {
        let environment = self.account_mut(parent)?.environment;
        self.accounts
            .insert(uid, Account::unified(Some(parent), environment));
        Ok(())
    }

    /// Gives an account the name that it is called by at a venue that calls accounts by names.
    pub fn name_account(&mut self, uid: Uid, name: &str) -> Result<(), NoSuch> {
        self.account_mut(uid)?.name = Some(name.to_owned());
        Ok(())
    }

    /// The account of this name.
    pub fn account_named(&self, name: &str) -> Option<Uid> {
        let mut accounts = self.accounts.iter();
        let (uid, _) = accounts.find(|(_, account)| account.name.as_deref() == Some(name))?;
        Some(*uid)
    }

    /// Opens a demo account. Its keys are managed by its parent's at production's host, and known at demo's
    /// alone. Source: Bybit's `docs/v5/demo`.
    pub fn add_demo_account(&mut self, parent: Uid, uid: Uid) -> Result<(), NoSuch> {
        self.account_mut(parent)?;
        self.accounts
            .insert(uid, Account::unified(Some(parent), Environment::Demo));
        Ok(())
    }

    /// A key of a parent account that can issue, edit and delete its sub-accounts' keys. Only the venue's
    /// pages create one.
    pub fn add_master_key(&mut self, uid: Uid, ips: Ips, now: Timestamp) -> Result<Credential, NoSuch> {
        let permissions = Permissions::of(self.profile.master_grants);
        let settings = Settings {
            note: "master".to_owned(),
            read_only: false,
            ips,
            permissions,
        };
        self.create_key_by_hand(uid, settings, now)
    }

    /// Creates a key on the venue's pages: any permissions, even such as the venue doesn't have yet, and a
    /// passphrase where the venue has them.
    pub fn create_key_by_hand(
        &mut self,
        uid: Uid,
        settings: Settings,
        now: Timestamp,
    ) -> Result<Credential, NoSuch> {
        self.account_mut(uid)?;
        let passphrase = self.profile.passphrase.map(|_| self.generator.passphrase());
        let made = Made {
            passphrase,
            pair: self.knobs.pairs_by_hand,
        };
        let key = self.add_key(uid, settings, made, By::Hand, now);
        Ok(key.credential.clone())
    }

    /// Edits a key on the venue's pages, which starts an unbound key's time anew.
    pub fn edit_key_by_hand(
        &mut self,
        key: &KeyId,
        settings: Settings,
        now: Timestamp,
    ) -> Result<(), NoSuch> {
        let key = self
            .keys
            .get_mut(key)
            .filter(|key| !key.is_deleted())
            .ok_or(NoSuch)?;
        key.edit_by_hand(settings, now);
        Ok(())
    }

    /// Deletes a key on the venue's pages.
    pub fn delete_key_by_hand(&mut self, key: &KeyId, now: Timestamp) -> Result<(), NoSuch> {
        let key = self
            .keys
            .get_mut(key)
            .filter(|key| !key.is_deleted())
            .ok_or(NoSuch)?;
        key.deleted = Some((now, By::Hand));
        Ok(())
    }

    /// Changes an account's password: its unbound keys live for a few more days at most. Unverified: whether
    /// a parent's password counts for its sub-accounts' keys; here it doesn't.
    pub fn change_password(&mut self, uid: Uid, now: Timestamp) -> Result<(), NoSuch> {
        self.account_mut(uid)?.password_changed_at = Some(now);
        Ok(())
    }

    /// Bans an account, or lifts the ban.
    pub fn ban(&mut self, uid: Uid, banned: bool) -> Result<(), NoSuch> {
        self.account_mut(uid)?.banned = banned;
        Ok(())
    }

    /// Makes an account a unified one, as it is by default, or a classic one.
    pub fn set_unified(&mut self, uid: Uid, unified: bool) -> Result<(), NoSuch> {
        self.account_mut(uid)?.unified = unified;
        Ok(())
    }

    /// Every key that ever existed, oldest first, as it truly is.
    pub fn keys(&self) -> Vec<KeyTruth> {
        let mut keys: Vec<KeyTruth> = self.keys.values().map(|key| self.truth(key)).collect();
        keys.sort_by_key(|key| key.id);
        keys
    }

    /// The keys whose records are younger than the one of this number.
    pub fn keys_after(&self, id: u64) -> Vec<KeyTruth> {
        let younger = self.keys.values().filter(|key| key.id > id);
        younger.map(|key| self.truth(key)).collect()
    }

    /// The number of the youngest record of a key.
    pub fn last_record(&self) -> u64 {
        self.generator.last_record()
    }

    /// The key that was created last.
    pub fn newest_key(&self) -> Option<KeyTruth> {
        let newest = self.keys.values().max_by_key(|key| key.id)?;
        Some(self.truth(newest))
    }

    /// A key's credential, its secret included, if the key ever existed.
    pub fn credential(&self, key: &KeyId) -> Option<Credential> {
        self.keys.get(key).map(|key| key.credential.clone())
    }

    /// One key as it truly is, if it ever existed.
    pub fn key(&self, key: &KeyId) -> Option<KeyTruth> {
        self.keys.get(key).map(|key| self.truth(key))
    }

    /// Whether this is the key's secret: who has no more than its id has not the key.
    pub(crate) fn is_secret_of(&self, secret: &super::credential::KeySecret, key: &KeyId) -> bool {
        self.keys
            .get(key)
            .is_some_and(|key| key.credential.secret == *secret)
    }

    fn truth(&self, key: &Key) -> KeyTruth {
        let account = self.accounts.get(&key.uid);
        let password_changed_at = account.and_then(|account| account.password_changed_at);
        key.truth(self.expires_at(key.latest(), password_changed_at))
    }

    fn account_mut(&mut self, uid: Uid) -> Result<&mut Account, NoSuch> {
        self.accounts.get_mut(&uid).ok_or(NoSuch)
    }
}

impl Account {
    fn unified(parent: Option<Uid>, environment: Environment) -> Self {
        Self {
            parent,
            name: None,
            environment,
            unified: true,
            banned: false,
            password_changed_at: None,
        }
    }
}
