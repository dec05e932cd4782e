//! `POST /v5/user/update-sub-api` and `POST /v5/user/update-api`.

use jiff::Timestamp;

use super::credential::KeyId;
use super::ips::Ips;
use super::key::Settings;
use super::model::Model;
use super::permissions::{Permissions, Requested, Role};
use super::rate::Endpoint;
use super::refusal::Refusal;

/// An edit of a sub-account's key. What is left out is not left alone: see the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateSubApi {
    /// The key: to be named by a master key, not to be named by the key itself.
    pub key: Option<KeyId>,
    /// "`0` (default)": absent makes the key one that writes.
    pub read_only: Option<bool>,
    /// "don't pass ips or pass with `*` means no bind": absent unbinds the key.
    pub ips: Option<String>,
    /// "Don't send this param if you don't want to change the permission". What is sent replaces all there
    /// was.
    pub permissions: Option<Requested>,
}

/// An edit of the calling master key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateApi {
    /// Absent makes the key one that writes.
    pub read_only: Option<bool>,
    /// Gone from the documentation in 2026: a master key's addresses can't be changed through the API.
    /// Unverified: whether naming them is refused, as here, or ignored.
    pub ips: Option<String>,
    /// Absent leaves them alone; what is sent replaces all there was.
    pub permissions: Option<Requested>,
}

/// A key after its edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatedKey {
    /// The record's number.
    pub id: u64,
    /// The key.
    pub key: KeyId,
    /// The settings it was given.
    pub settings: Settings,
}

impl Model {
    /// Edits a sub-account's key. A note can't be changed this way.
    pub fn update_sub_api(
        &mut self,
        caller: &KeyId,
        request: &UpdateSubApi,
        now: Timestamp,
    ) -> Result<UpdatedKey, Refusal> {
        let caller = self.admit(caller, Endpoint::UpdateSubApi, now)?;
        caller.must_manage_keys()?;
        let target = self.sub_key(&caller, request.key.as_ref())?;
        let (key, account) = self.key_and_account(&target)?;
        if let Some(code) = self.knobs.edit_ret_code {
            return Err(Refusal::new(
                code,
                "The key cannot be updated.",
                "every edit is refused",
            ));
        }
        let had = &key.latest().settings.permissions;
        let permissions = match &request.permissions {
            Some(requested) => {
                // What is sent empty is to go, whatever it is.
                let asked = requested
                    .iter()
                    .filter(|(group, values)| !values.is_empty() || !had.has_group(group));
                let asked = asked
                    .map(|(group, values)| (group.clone(), values.clone()))
                    .collect();
                let mut permissions = Permissions::requested(&asked, Role::Sub)?;
                if self.knobs.edit_keeps_groups {
                    permissions = permissions.with_groups_of(had, |group| !requested.contains_key(group));
                }
                permissions.completed(account.unified, self.knobs.derivatives_on_every_key)
            }
            None => key.latest().settings.permissions.clone(),
        };
        let ips = Ips::requested(request.ips.as_deref(), self.knobs.max_ips)?;
        let note = key.latest().settings.note.clone();
        self.store(
            &target,
            Settings {
                note,
                read_only: request.read_only.unwrap_or(false),
                ips,
                permissions,
            },
            now,
        )
    }

    /// Edits the calling master key, and no other.
    pub fn update_api(
        &mut self,
        caller: &KeyId,
        request: &UpdateApi,
        now: Timestamp,
    ) -> Result<UpdatedKey, Refusal> {
        let caller = self.admit(caller, Endpoint::UpdateApi, now)?;
        caller.must_be_master()?;
        caller.must_manage_keys()?;
        if request.ips.is_some() {
            return Err(Refusal::parameter(
                "a master key's addresses are not changed through the API",
            ));
        }
        let (key, account) = self.key_and_account(&caller.key)?;
        let mut settings = key.latest().settings.clone();
        settings.read_only = request.read_only.unwrap_or(false);
        if let Some(requested) = &request.permissions {
            settings.permissions = Permissions::requested(requested, Role::Master)?
                .keeping_from(&settings.permissions)
                .completed(account.unified, self.knobs.derivatives_on_every_key);
        }
        self.store(&caller.key, settings, now)
    }

    fn store(&mut self, key: &KeyId, settings: Settings, now: Timestamp) -> Result<UpdatedKey, Refusal> {
        let no_such_key = self.no_such_key();
        let key = self
            .keys
            .get_mut(key)
            .filter(|key| !key.is_deleted())
            .ok_or(no_such_key)?;
        key.edit(settings.clone(), now);
        Ok(UpdatedKey {
            id: key.id,
            key: key.credential.key.clone(),
            settings,
        })
    }
}
