//! Telling a key about itself, and listing a sub-account's keys.

use jiff::Timestamp;

use super::credential::KeyId;
use super::key::{Key, Revision, Seen, Settings, Uid};
use super::model::Model;
use super::profile::Endpoint;
use super::refusal::Refusal;

/// A key as the venue lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The record's number.
    pub id: u64,
    /// The key.
    pub key: KeyId,
    /// Note, powers and addresses.
    pub settings: Settings,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
}

impl ListedKey {
    /// Whether it has expired.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expiry| expiry <= now)
    }
}

/// A key as it is told about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKey {
    /// The key.
    pub key: ListedKey,
    /// Its account.
    pub uid: Uid,
    /// The account's parent, if it has one.
    pub parent: Option<Uid>,
    /// Whether the account is a unified one.
    pub unified: bool,
}

/// Which page of which sub-account's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// The sub-account.
    pub account: Uid,
    /// Keys on a page; as many as a page has, if absent.
    pub limit: Option<usize>,
    /// Where the page before this one ended, as it said.
    pub cursor: Option<String>,
}

/// A page of keys, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<ListedKey>,
    /// Where the next page begins; empty on the last one.
    pub next_page_cursor: String,
}

impl Model {
    /// Tells the calling key about itself. Any permission will do.
    pub fn inspect(&mut self, caller: &KeyId, now: Timestamp) -> Result<OwnKey, Refusal> {
        let caller = self.admit(caller, Endpoint::Inspect, now)?;
        let (key, account) = self.key_and_account(&caller.key)?;
        let revision = self.in_force(key, now);
        Ok(OwnKey {
            key: self.listed(key, revision, account.password_changed_at),
            uid: key.uid,
            parent: account.parent,
            unified: account.unified,
        })
    }

    /// Lists the keys of one of the caller's sub-accounts. Expired ones are among them, deleted ones not.
    pub fn list(
        &mut self,
        caller: &KeyId,
        request: &ListRequest,
        now: Timestamp,
    ) -> Result<KeyPage, Refusal> {
        let caller = self.admit(caller, Endpoint::List, now)?;
        caller.must_be_master()?;
        let password_changed_at = self.sub_account(&caller, request.account)?.password_changed_at;
        let limit = request.limit.unwrap_or(self.profile.page);
        if !(1..=self.profile.page).contains(&limit) {
            let why = format!("a page has 1 to {} keys", self.profile.page);
            return Err(Refusal::parameter(why));
        }
        let after = after(request.cursor.as_deref())?;

        let (creation, deletion, edit) = self.listing_delays();
        let seen = |key: &&Key| key.id > after && key.seen(now, creation, deletion) == Seen::Yes;
        let mut keys: Vec<&Key> = self.keys_of(request.account).filter(seen).collect();
        keys.sort_by_key(|key| key.id);
        let next_page_cursor = if keys.len() > limit {
            keys.get(limit - 1).map(|key| cursor(key.id))
        } else {
            None
        }
        .unwrap_or_default();
        let shown = |key: &Key| self.listed(key, key.in_force(now, edit), password_changed_at);
        Ok(KeyPage {
            keys: keys.into_iter().take(limit).map(shown).collect(),
            next_page_cursor,
        })
    }

    fn listed(&self, key: &Key, revision: &Revision, password_changed_at: Option<Timestamp>) -> ListedKey {
        ListedKey {
            id: key.id,
            key: key.credential.key.clone(),
            settings: revision.settings.clone(),
            created_at: key.created_at,
            expires_at: self.expires_at(revision, password_changed_at),
        }
    }
}

/// The token is the venue's own business; here it is the last record shown.
fn cursor(id: u64) -> String {
    format!("after{id}")
}

fn after(cursor: Option<&str>) -> Result<u64, Refusal> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
        return Ok(0);
    };
    let id = cursor.strip_prefix("after").and_then(|id| id.parse().ok());
    id.ok_or_else(|| Refusal::parameter("the cursor is none of ours"))
}
