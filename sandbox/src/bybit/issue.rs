//! `POST /v5/user/create-sub-api`.

use jiff::Timestamp;

use super::credential::{Credential, KeyId};
use super::ips::Ips;
use super::key::{By, Settings};
use super::model::{Model, Uid};
use super::permissions::{Permissions, Requested, Role};
use super::rate::Endpoint;
use super::refusal::{Refusal, code};

/// What a key is asked for with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSubApi {
    /// The sub-account.
    pub sub_uid: Uid,
    /// The remark; empty if absent.
    pub note: Option<String>,
    /// Whether it can only read.
    pub read_only: bool,
    /// Addresses with commas between; absent or `*` leaves the key unbound.
    pub ips: Option<String>,
    /// What it may do; at least one.
    pub permissions: Requested,
}

/// A key as it is shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedKey {
    /// The record's number.
    pub id: u64,
    /// The key and its secret.
    pub credential: Credential,
    /// The remark.
    pub note: String,
    /// Whether it can only read.
    pub read_only: bool,
    /// What it may do.
    pub permissions: Permissions,
}

impl Model {
    /// Issues a key for a sub-account of the caller's. There is no idempotency: called twice, it issues two.
    pub fn create_sub_api(
        &mut self,
        caller: &KeyId,
        request: CreateSubApi,
        now: Timestamp,
    ) -> Result<CreatedKey, Refusal> {
        let caller = self.admit(caller, Endpoint::CreateSubApi, now)?;
        caller.must_be_master()?;
        caller.must_manage_keys()?;
        self.entity_must_issue()?;
        let unified = self.sub_account(&caller, request.sub_uid)?.unified;
        let note = request.note.unwrap_or_default();
        self.note_must_do(request.sub_uid, &note)?;
        let ips = Ips::requested(request.ips.as_deref(), self.knobs.max_ips)?;
        let permissions = Permissions::requested(&request.permissions, Role::Sub)?
            .completed(unified, self.knobs.derivatives_on_every_key);
        self.slot_must_be_free(request.sub_uid)?;

        let settings = Settings {
            note,
            read_only: request.read_only,
            ips,
            permissions,
        };
        let key = self.issue(request.sub_uid, settings, By::Key(caller.key), now);
        let Settings {
            note,
            read_only,
            permissions,
            ..
        } = key.latest().settings.clone();
        Ok(CreatedKey {
            id: key.id,
            credential: key.credential.clone(),
            note,
            read_only,
            permissions,
        })
    }

    fn entity_must_issue(&self) -> Result<(), Refusal> {
        if self.knobs.eu_entity {
            let words = "The EU entity does not support creating API keys by API.";
            return Err(Refusal::new(
                code::EU_ENTITY,
                words,
                "the European entity issues no keys through the API",
            ));
        }
        if self.knobs.kyc_missing {
            return Err(Refusal::new(
                code::KYC,
                "Need KYC verification.",
                "the identity check is missing",
            ));
        }
        Ok(())
    }

    fn note_must_do(&self, uid: Uid, note: &str) -> Result<(), Refusal> {
        if note.chars().count() > self.knobs.max_note_length {
            return Err(Refusal::parameter("the note is too long"));
        }
        let taken = |key: &super::key::Key| !key.is_deleted() && key.latest().settings.note == note;
        if self.knobs.unique_notes && self.keys_of(uid).any(taken) {
            return Err(Refusal::parameter("another key has this note"));
        }
        Ok(())
    }

    /// An expired key takes up its slot until it is deleted.
    fn slot_must_be_free(&self, uid: Uid) -> Result<(), Refusal> {
        let kept = self.keys_of(uid).filter(|key| !key.is_deleted()).count();
        if kept < self.knobs.max_keys {
            return Ok(());
        }
        Err(Refusal::unverified(
            self.knobs.max_keys_ret_code,
            format!("the sub-account has {kept} keys already"),
        ))
    }
}
