//! Deleting a sub-account's key, or the calling master key.

use jiff::Timestamp;

use super::credential::KeyId;
use super::key::{By, Target};
use super::model::Model;
use super::profile::{Endpoint, Gone};
use super::refusal::{Reason, Refusal};

impl Model {
    /// Deletes a sub-account's key.
    pub fn remove(&mut self, caller: &KeyId, target: &Target, now: Timestamp) -> Result<(), Refusal> {
        let caller = self.admit(caller, Endpoint::Remove, now)?;
        self.must_manage_keys(&caller)?;
        match self.sub_key(&caller, target) {
            Ok(key) => {
                let (found, _) = self.key_and_account(&key)?;
                self.passphrase_must_be(&found.credential, target.passphrase.as_ref())?;
                self.delete(&key, By::Key(caller.key), now)
            }
            Err(Refusal {
                reason: Reason::NoSuchKey,
                ..
            }) if self.profile.gone == Gone::Done => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Deletes the calling master key.
    pub fn remove_own(&mut self, caller: &KeyId, now: Timestamp) -> Result<(), Refusal> {
        let caller = self.admit(caller, Endpoint::RemoveOwn, now)?;
        caller.must_be_master()?;
        self.must_manage_keys(&caller)?;
        self.delete(&caller.key.clone(), By::Key(caller.key), now)
    }

    fn delete(&mut self, key: &KeyId, by: By, now: Timestamp) -> Result<(), Refusal> {
        let no_such_key = self.no_such_key();
        let key = self
            .keys
            .get_mut(key)
            .filter(|key| !key.is_deleted())
            .ok_or(no_such_key)?;
        key.deleted = Some((now, by));
        Ok(())
    }
}
