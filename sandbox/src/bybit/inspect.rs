//! `GET /v5/user/query-api` and `GET /v5/user/sub-apikeys`.

use jiff::{SignedDuration, Timestamp};

use super::credential::KeyId;
use super::key::{Key, Revision, Seen, Settings};
use super::model::{Model, Uid};
use super::rate::Endpoint;
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
    /// When it expires. A bound key doesn't, which replies show as 1970.
    pub expires_at: Option<Timestamp>,
    /// Whole days until then; -2 for a bound key.
    pub deadline_day: i64,
    /// How it stands.
    pub status: KeyStatus,
}

/// `status` of a listed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It does not expire.
    Permanent = 1,
    /// It has expired.
    Expired = 2,
    /// It will expire.
    Valid = 3,
    /// It will expire within 7 days.
    ExpiresSoon = 4,
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
pub struct SubApikeys {
    /// The sub-account.
    pub sub_uid: Uid,
    /// Keys on a page: 1 to 20, 20 if absent.
    pub limit: Option<usize>,
    /// Where the page before this one ended, as it said.
    pub cursor: Option<String>,
}

/// A page of keys, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubApikeysPage {
    /// The keys.
    pub keys: Vec<ListedKey>,
    /// Where the next page begins; empty on the last one.
    pub next_page_cursor: String,
}

/// `docs/v5/user/list-sub-apikeys`: limit in [1, 20], 20 by default.
const MAX_PAGE: usize = 20;
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Model {
    /// Tells the calling key about itself. Any permission will do.
    pub fn query_api(&mut self, caller: &KeyId, now: Timestamp) -> Result<OwnKey, Refusal> {
        let caller = self.admit(caller, Endpoint::QueryApi, now)?;
        let (key, account) = self.key_and_account(&caller.key)?;
        let revision = self.in_force(key, now);
        Ok(OwnKey {
            key: listed(key, revision, account.password_changed_at, now),
            uid: key.uid,
            parent: account.parent,
            unified: account.unified,
        })
    }

    /// Lists the keys of one of the caller's sub-accounts. Expired ones are among them, deleted ones not.
    pub fn sub_apikeys(
        &mut self,
        caller: &KeyId,
        request: &SubApikeys,
        now: Timestamp,
    ) -> Result<SubApikeysPage, Refusal> {
        let caller = self.admit(caller, Endpoint::SubApikeys, now)?;
        caller.must_be_master()?;
        let password_changed_at = self.sub_account(&caller, request.sub_uid)?.password_changed_at;
        let limit = request.limit.unwrap_or(MAX_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Refusal::parameter(format!("a page has 1 to {MAX_PAGE} keys")));
        }
        let after = after(request.cursor.as_deref())?;

        let (creation, deletion, edit) = self.listing_delays();
        let seen = |key: &&Key| key.id > after && key.seen(now, creation, deletion) == Seen::Yes;
        let mut keys: Vec<&Key> = self.keys_of(request.sub_uid).filter(seen).collect();
        keys.sort_by_key(|key| key.id);
        let next_page_cursor = if keys.len() > limit {
            keys.get(limit - 1).map(|key| cursor(key.id))
        } else {
            None
        }
        .unwrap_or_default();
        let shown = |key: &Key| listed(key, key.in_force(now, edit), password_changed_at, now);
        Ok(SubApikeysPage {
            keys: keys.into_iter().take(limit).map(shown).collect(),
            next_page_cursor,
        })
    }
}

fn listed(
    key: &Key,
    revision: &Revision,
    password_changed_at: Option<Timestamp>,
    now: Timestamp,
) -> ListedKey {
    let expires_at = revision.expires_at(password_changed_at);
    ListedKey {
        id: key.id,
        key: key.credential.key.clone(),
        settings: revision.settings.clone(),
        created_at: key.created_at,
        expires_at,
        deadline_day: expires_at.map_or(-2, |expiry| days_until(expiry, now)),
        status: KeyStatus::of(expires_at, now),
    }
}

/// Whole days: the documentation's samples round down. Unverified: what an expired key shows.
fn days_until(expiry: Timestamp, now: Timestamp) -> i64 {
    (expiry.duration_since(now).as_secs() / DAY.as_secs()).max(0)
}

impl KeyStatus {
    fn of(expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        match expires_at {
            None => Self::Permanent,
            Some(expiry) if expiry <= now => Self::Expired,
            Some(expiry) if expiry < now + 7 * DAY => Self::ExpiresSoon,
            Some(_) => Self::Valid,
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
