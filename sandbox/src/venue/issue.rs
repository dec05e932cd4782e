//! Issuing a key for a sub-account.

use jiff::Timestamp;

use super::credential::{Credential, KeyId, Passphrase};
use super::key::{By, Key, Settings, Uid};
use super::model::{Made, Model};
use super::permissions::{Permissions, Requested};
use super::profile::{Endpoint, Names, Role};
use super::refusal::{Reason, Refusal};

/// What a key is asked for with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueRequest {
    /// The sub-account.
    pub account: Uid,
    /// The remark; empty if there is none.
    pub note: String,
    /// Whether it can only read.
    pub read_only: bool,
    /// From where it may be used; none of them means from anywhere.
    pub addresses: Vec<String>,
    /// What it may do; at least one.
    pub permissions: Requested,
    /// Its passphrase, at a venue that has them.
    pub passphrase: Option<Passphrase>,
    /// Whether the caller makes a pair for it, and shows the venue the public half.
    pub pair: bool,
}

/// A key as it is shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedKey {
    /// The record's number.
    pub id: u64,
    /// The key and its secret.
    pub credential: Credential,
    /// Note, powers and addresses.
    pub settings: Settings,
}

impl Model {
    /// Issues a key for a sub-account of the caller's. There is no idempotency: called twice, it issues two,
    /// but for a venue where notes name keys.
    pub fn issue(
        &mut self,
        caller: &KeyId,
        request: IssueRequest,
        now: Timestamp,
    ) -> Result<IssuedKey, Refusal> {
        let caller = self.admit(caller, Endpoint::Issue, now)?;
        caller.must_be_master()?;
        self.must_manage_keys(&caller)?;
        self.site_must_issue()?;
        let account = self.sub_account(&caller, request.account)?;
        self.note_must_do(request.account, &request.note, None)?;
        let ips = self.addresses_asked_for(&request.addresses)?;
        let permissions = Permissions::requested(&request.permissions, self.profile, Role::Sub)?;
        let permissions = self.completed(permissions, account);
        let passphrase = self.passphrase_asked_for(request.passphrase)?;
        self.slot_must_be_free(request.account)?;

        let settings = Settings {
            note: request.note,
            read_only: request.read_only,
            ips,
            permissions,
        };
        let made = Made {
            passphrase,
            pair: request.pair,
        };
        let key = self.add_key(request.account, settings, made, By::Key(caller.key), now);
        Ok(IssuedKey {
            id: key.id,
            credential: key.credential.clone(),
            settings: key.latest().settings.clone(),
        })
    }

    fn site_must_issue(&self) -> Result<(), Refusal> {
        if self.knobs.issues_no_keys {
            let why = "the site issues no keys through the API";
            return Err(Refusal::new(Reason::IssuesNoKeys, why));
        }
        if self.knobs.kyc_missing {
            return Err(Refusal::new(Reason::Kyc, "the identity check is missing"));
        }
        Ok(())
    }

    /// Whether a key of this account may have the note; `of` is the key that is edited, if one is.
    pub(super) fn note_must_do(&self, uid: Uid, note: &str, of: Option<&KeyId>) -> Result<(), Refusal> {
        let longest = self.knobs.max_note_length.unwrap_or(self.profile.max_note_length);
        if note.chars().count() > longest {
            return Err(Refusal::parameter("the note is too long"));
        }
        let taken = |key: &Key| {
            !key.is_deleted() && key.latest().settings.note == note && of != Some(&key.credential.key)
        };
        let unique = self.knobs.unique_notes || self.profile.notes == Names::Unique;
        if unique && self.keys_of(uid).any(taken) {
            return Err(Refusal::new(Reason::NameTaken, "another key has this note"));
        }
        Ok(())
    }

    fn passphrase_asked_for(&self, asked: Option<Passphrase>) -> Result<Option<Passphrase>, Refusal> {
        match (self.profile.passphrase, asked) {
            (None, _) => Ok(None),
            (Some(will_do), Some(asked)) if will_do(asked.expose()) => Ok(Some(asked)),
            (Some(_), _) => {
                let why = "the passphrase is missing, or is none that the venue takes";
                Err(Refusal::new(Reason::BadPassphrase, why))
            }
        }
    }

    /// Whether an order about a key shows its passphrase, where the venue asks for it.
    pub(super) fn passphrase_must_be(
        &self,
        of: &Credential,
        shown: Option<&Passphrase>,
    ) -> Result<(), Refusal> {
        let is_it = of.passphrase.as_ref().map(Passphrase::expose) == shown.map(Passphrase::expose);
        if is_it || !self.profile.manages_by_passphrase {
            return Ok(());
        }
        let why = "the passphrase is not the one of the key that the order is about";
        Err(Refusal::new(Reason::KeyPassphrase, why))
    }

    /// An expired key takes up its slot until it is deleted.
    fn slot_must_be_free(&self, uid: Uid) -> Result<(), Refusal> {
        let kept = self.keys_of(uid).filter(|key| !key.is_deleted()).count();
        if kept < self.max_keys() {
            return Ok(());
        }
        let why = format!("the sub-account has {kept} keys already");
        Err(Refusal::new(Reason::SlotsFull, why).coded(self.knobs.max_keys_code))
    }
}
