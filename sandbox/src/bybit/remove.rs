//! `POST /v5/user/delete-sub-api` and `POST /v5/user/delete-api`.

use jiff::Timestamp;

use super::credential::KeyId;
use super::key::By;
use super::model::Model;
use super::rate::Endpoint;
use super::refusal::Refusal;

/// Which key to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteSubApi {
    /// The key: to be named by a master key, not to be named by the key itself.
    pub key: Option<KeyId>,
}

impl Model {
    /// Deletes a sub-account's key.
    pub fn delete_sub_api(
        &mut self,
        caller: &KeyId,
        request: &DeleteSubApi,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let caller = self.admit(caller, Endpoint::DeleteSubApi, now)?;
        caller.must_manage_keys()?;
        let target = self.sub_key(&caller, request.key.as_ref())?;
        self.delete(&target, By::Key(caller.key), now)
    }

    /// Deletes the calling master key.
    pub fn delete_api(&mut self, caller: &KeyId, now: Timestamp) -> Result<(), Refusal> {
        let caller = self.admit(caller, Endpoint::DeleteApi, now)?;
        caller.must_be_master()?;
        caller.must_manage_keys()?;
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
