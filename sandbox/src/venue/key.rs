//! One API key through its life: issued, edited, expired or deleted; and what of that is in force at a given
//! time.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::credential::{Credential, KeyId, Passphrase};
use super::ips::Ips;
use super::permissions::Permissions;
use super::profile::Unbound;

/// An account's number, a sub-account's too.
pub type Uid = u64;

/// Which key an edit or a deletion is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The account whose key it has to be, at a venue that asks for it.
    pub account: Option<Uid>,
    /// The key: to be named by a master key, not to be named by the key itself.
    pub key: Option<KeyId>,
    /// Its passphrase, at a venue that asks for it.
    pub passphrase: Option<Passphrase>,
}

impl Target {
    /// This key, whoever's it is.
    pub fn key(key: KeyId) -> Self {
        Self {
            key: Some(key),
            ..Self::default()
        }
    }
}

/// What can be set on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The remark.
    pub note: String,
    /// Whether the key can only read.
    pub read_only: bool,
    /// From where it may be used.
    pub ips: Ips,
    /// What it may do.
    pub permissions: Permissions,
}

/// Who did something to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A caller of the API, with this key.
    Key(KeyId),
    /// A person, at the venue's own pages.
    Hand,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Hand => f.write_str("hand"),
        }
    }
}

/// All there is to know of a key, for tests: what is true, not what the API shows yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTruth {
    /// The record's number. It rises with every key.
    pub id: u64,
    /// The key.
    pub key: KeyId,
    /// The account it belongs to.
    pub uid: Uid,
    /// Its settings as last edited.
    pub settings: Settings,
    /// When it was issued.
    pub created_at: Timestamp,
    /// Who issued it.
    pub created_by: By,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was deleted and by whom, if it was.
    pub deleted: Option<(Timestamp, By)>,
}

impl KeyTruth {
    /// Whether the key is neither deleted nor expired.
    pub fn alive(&self, now: Timestamp) -> bool {
        self.deleted.is_none() && self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

/// A key as the model keeps it. It is never forgotten.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) id: u64,
    pub(super) credential: Credential,
    pub(super) uid: Uid,
    pub(super) created_at: Timestamp,
    pub(super) created_by: By,
    pub(super) deleted: Option<(Timestamp, By)>,
    first: Revision,
    edits: Vec<Revision>,
}

/// Settings from one time on.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub(super) settings: Settings,
    since: Timestamp,
    unbound_since: Timestamp,
}

impl Key {
    pub(super) fn new(
        id: u64,
        credential: Credential,
        uid: Uid,
        settings: Settings,
        by: By,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            credential,
            uid,
            created_at: now,
            created_by: by,
            deleted: None,
            first: Revision {
                settings,
                since: now,
                unbound_since: now,
            },
            edits: Vec::new(),
        }
    }

    /// The settings as last edited.
    pub(super) fn latest(&self) -> &Revision {
        self.edits.last().unwrap_or(&self.first)
    }

    /// The settings that count at this time, when an edit needs `delay` to get through.
    pub(super) fn in_force(&self, now: Timestamp, delay: SignedDuration) -> &Revision {
        self.edits
            .iter()
            .rev()
            .find(|edit| edit.since + delay <= now)
            .unwrap_or(&self.first)
    }

    /// An edit through the API: it starts the time of an unbound key only if the key was bound before.
    /// (Saving "no restriction" anew extends them on the venue's pages alone.)
    pub(super) fn edit(&mut self, settings: Settings, now: Timestamp) {
        let before = self.latest();
        let unbound_since = if before.settings.ips.is_any() {
            before.unbound_since
        } else {
            now
        };
        self.edits.push(Revision {
            settings,
            since: now,
            unbound_since,
        });
    }

    /// An edit on the venue's pages.
    pub(super) fn edit_by_hand(&mut self, settings: Settings, now: Timestamp) {
        self.edits.push(Revision {
            settings,
            since: now,
            unbound_since: now,
        });
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// Whether those who look after `delay` see the key at this time: created that long ago, not deleted that
    /// long ago.
    pub(super) fn seen(
        &self,
        now: Timestamp,
        creation_delay: SignedDuration,
        deletion_delay: SignedDuration,
    ) -> Seen {
        if now < self.created_at + creation_delay {
            return Seen::NotYet;
        }
        match &self.deleted {
            Some((at, _)) if *at + deletion_delay <= now => Seen::NoMore,
            _ => Seen::Yes,
        }
    }

    pub(super) fn truth(&self, expires_at: Option<Timestamp>) -> KeyTruth {
        let latest = self.latest();
        KeyTruth {
            id: self.id,
            key: self.credential.key.clone(),
            uid: self.uid,
            settings: latest.settings.clone(),
            created_at: self.created_at,
            created_by: self.created_by.clone(),
            expires_at,
            deleted: self.deleted.clone(),
        }
    }
}

/// How a key looks to a part of the venue that hears of changes late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    NotYet,
    Yes,
    NoMore,
}

impl Revision {
    /// When a key with these settings expires. A bound key doesn't.
    pub(super) fn expires_at(
        &self,
        unbound: Unbound,
        password_changed_at: Option<Timestamp>,
    ) -> Option<Timestamp> {
        if !self.settings.ips.is_any() {
            return None;
        }
        let by_age = self.unbound_since + unbound.life;
        let by_password = password_changed_at
            .filter(|changed| self.unbound_since <= *changed)
            .map(|changed| changed + unbound.after_password_change);
        Some(by_password.map_or(by_age, |expiry| expiry.min(by_age)))
    }
}
