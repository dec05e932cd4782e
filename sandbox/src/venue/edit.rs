//! Editing a sub-account's key, or the calling master key.

use jiff::Timestamp;

use super::credential::KeyId;
use super::key::{Settings, Target};
use super::model::Model;
use super::permissions::{Permissions, Requested};
use super::profile::{Endpoint, Role, Unnamed};
use super::refusal::{Reason, Refusal};

/// What an edit changes. What becomes of the rest is the venue's way: see
/// [`Profile::unnamed`](super::Profile::unnamed).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Another note.
    pub note: Option<String>,
    /// Whether the key can only read.
    pub read_only: Option<bool>,
    /// From where it may be used; none of them means from anywhere.
    pub addresses: Option<Vec<String>>,
    /// What it may do, which replaces all there was.
    pub permissions: Option<Requested>,
}

/// A key after its edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedKey {
    /// The record's number.
    pub id: u64,
    /// The key.
    pub key: KeyId,
    /// The settings it was given.
    pub settings: Settings,
}

impl Model {
    /// Edits a sub-account's key.
    pub fn edit(
        &mut self,
        caller: &KeyId,
        target: &Target,
        changes: &Changes,
        now: Timestamp,
    ) -> Result<EditedKey, Refusal> {
        let caller = self.admit(caller, Endpoint::Edit, now)?;
        self.must_manage_keys(&caller)?;
        let shown = target.passphrase.as_ref();
        let target = self.sub_key(&caller, target)?;
        let (key, account) = self.key_and_account(&target)?;
        self.passphrase_must_be(&key.credential, shown)?;
        if self.knobs.no_edits {
            return Err(Refusal::new(Reason::NoEdits, "every edit is refused"));
        }
        let mut settings = key.latest().settings.clone();
        if let Some(requested) = &changes.permissions {
            let had = &settings.permissions;
            // What is sent empty is to go, whatever it is.
            let asked = requested
                .iter()
                .filter(|(group, values)| !values.is_empty() || !had.has_group(group))
                .map(|(group, values)| (group.clone(), values.clone()))
                .collect();
            let mut permissions = Permissions::requested(&asked, self.profile, Role::Sub)?;
            if self.knobs.edit_keeps_groups {
                permissions = permissions.with_groups_of(had, |group| !requested.contains_key(group));
            }
            settings.permissions = self.completed(permissions, account);
        }
        if let Some(addresses) = self.named(changes.addresses.as_ref(), Vec::new) {
            settings.ips = self.addresses_asked_for(&addresses)?;
        }
        if let Some(note) = &changes.note {
            self.note_must_do(key.uid, note, Some(&target))?;
            settings.note.clone_from(note);
        }
        self.keep(&target, settings, changes, now)
    }

    /// Edits the calling master key, and no other.
    pub fn edit_own(
        &mut self,
        caller: &KeyId,
        changes: &Changes,
        now: Timestamp,
    ) -> Result<EditedKey, Refusal> {
        let caller = self.admit(caller, Endpoint::EditOwn, now)?;
        caller.must_be_master()?;
        self.must_manage_keys(&caller)?;
        if changes.addresses.is_some() {
            return Err(Refusal::parameter(
                "a master key's addresses are not changed through the API",
            ));
        }
        let (key, account) = self.key_and_account(&caller.key)?;
        let mut settings = key.latest().settings.clone();
        if let Some(requested) = &changes.permissions {
            let permissions = Permissions::requested(requested, self.profile, Role::Master)?
                .keeping_from(&settings.permissions, self.profile);
            settings.permissions = self.completed(permissions, account);
        }
        self.keep(&caller.key, settings, changes, now)
    }

    /// What an edit says, or what it sets back by not saying it.
    fn named<T: Clone>(&self, said: Option<&T>, back: impl FnOnce() -> T) -> Option<T> {
        match self.profile.unnamed {
            Unnamed::Stays => said.cloned(),
            Unnamed::Reset => Some(said.cloned().unwrap_or_else(back)),
        }
    }

    fn keep(
        &mut self,
        key: &KeyId,
        mut settings: Settings,
        changes: &Changes,
        now: Timestamp,
    ) -> Result<EditedKey, Refusal> {
        if let Some(read_only) = self.named(changes.read_only.as_ref(), bool::default) {
            settings.read_only = read_only;
        }
        let no_such_key = self.no_such_key();
        let key = self
            .keys
            .get_mut(key)
            .filter(|key| !key.is_deleted())
            .ok_or(no_such_key)?;
        key.edit(settings.clone(), now);
        Ok(EditedKey {
            id: key.id,
            key: key.credential.key.clone(),
            settings,
        })
    }
}
