//! A venue: what it is asked, what it answers, and what became of a call.

use std::fmt::{self, Debug};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use thiserror::Error;

use crate::class::ErrorClass;
use crate::marker::Marker;
use crate::name::VenueId;
use crate::secret::{AccountId, Addresses, Credential, KeyForm, KeyId, Permission, Permissions, Word};
use crate::wrong::{self, Wrong};

/// Finds a venue.
pub trait Venues: Send + Sync + Debug {
    /// The venue of this id.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    fn venue(&self, id: &VenueId) -> Result<Arc<dyn Venue>, String>;
}

/// One exchange in one environment. Implementations retry what is safe to retry, inside what is left of the
/// invocation.
#[async_trait]
pub trait Venue: Send + Sync + Debug {
    /// Which venue this is.
    fn id(&self) -> &VenueId;
    /// What is known of the venue's ways.
    fn facts(&self) -> VenueFacts;
    /// The venue whose master credentials issue and revoke this one's keys: another, where this one has no
    /// such calls of its own.
    fn masters(&self) -> VenueId {
        self.id().clone()
    }
    /// Whether master credentials are asked at another host than keys: that one's answers prove nothing of
    /// the host that rejects a key.
    fn asks_masters_elsewhere(&self) -> bool {
        self.masters() != *self.id()
    }
    /// Whether a key can be given exactly these powers, no fewer and no more: not every venue grants our
    /// words one by one.
    ///
    /// # Errors
    /// Why not, and what to write instead, in words for the operator.
    fn can_grant(&self, permissions: &Permissions) -> Result<(), String>;
    /// Whether a key like this may issue and revoke the keys of sub-accounts.
    ///
    /// # Errors
    /// What it lacks, in words for the operator.
    fn may_issue(&self, master: &KeyState) -> Result<(), String>;
    /// Asks what a key may do, signed by that key. The protocol asks by `ask`, below.
    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError>;
    /// All keys of an account, over all pages.
    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError>;
    /// Issues a key with these powers from its first second on.
    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError>;
    /// Sets a key's powers and addresses to exactly these, where a list has shown what it has. Some venues
    /// ask for its passphrase too, where a value has it.
    async fn edit(
        &self,
        master: &Signer,
        account: &AccountId,
        key: &ListedKey,
        passphrase: Option<&SecretString>,
        grant: &Grant,
    ) -> Result<(), VenueError>;
    /// Deletes a key. One that the account has not is an error, of the class [`ErrorClass::Gone`] where the
    /// venue says so.
    async fn revoke(
        &self,
        master: &Signer,
        account: &AccountId,
        key: KeyToRevoke<'_>,
    ) -> Result<(), VenueError>;
}

impl dyn Venue + '_ {
    /// Asks what a key may do, signed by that key; but never a key that consumers may hold, where asking
    /// could disturb them.
    ///
    /// # Errors
    /// Those of [`Venue::inspect`], and [`ErrorClass::NotAsked`].
    pub async fn ask(&self, key: &Signer) -> Result<KeyState, VenueError> {
        let is_used = matches!(key.whose, Whose::Current | Whose::Replaced);
        if self.facts().asking == Asking::Free || !is_used || wrong::is(Wrong::ConsumerDisturbed) {
            return self.inspect(key).await;
        }
        Err(VenueError {
            class: ErrorClass::NotAsked,
            whose: key.whose,
            say: "it was not asked, since a request that is signed with it could shut out who uses it".into(),
        })
    }
}

/// A venue's ways, from its documentation where it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueFacts {
    /// How long after a key was made a rejection may still mean "not yet".
    pub propagation: Duration,
    /// How long a step waits at most for a new key, or an edit of one, to be known everywhere: an edit that
    /// is not shown by then was not made.
    pub settling: Duration,
    /// How long after it was signed a request may still take effect.
    pub signature_window: Duration,
    /// The least time between two calls of one address, so that a pass over many keys stays below the
    /// venue's limits.
    pub spacing: Duration,
    /// The same for two calls of one master credential.
    pub master_spacing: Duration,
    /// How long a key lives that is bound to no address, where the venue ends it.
    pub unbound_life: Option<Duration>,
    /// How many keys an account can have, as far as anybody says: never a reason to refuse.
    pub most_keys: Option<usize>,
    /// Whether no two keys of an account can have the same note: a marker that is taken then shows that the
    /// request for its key went through.
    pub unique_notes: bool,
    /// Whose keys a credential can issue here.
    pub issues: Issues,
    /// What forms of keys it can issue.
    pub forms: &'static [KeyForm],
    /// Whether asking a key what it may do can do harm.
    pub asking: Asking,
}

/// Whose keys a credential can issue at a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issues {
    /// A master credential those of its sub-accounts.
    SubAccounts,
    /// Nobody's: only a person makes keys, on the venue's pages, and only a person deletes them.
    Never,
}

/// Whether asking a key what it may do can do harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// It cannot.
    Free,
    /// The venue counts a key's requests upwards: one that is signed elsewhere with a greater number shuts
    /// out whoever uses the key.
    Disturbs,
    /// The same; and keys that are not accepted, a few in a row, lock the caller's address out.
    LocksOut,
}

/// A credential and whose it is, so that every error can say which credential failed.
#[derive(Clone, Debug)]
pub struct Signer {
    /// Whose.
    pub whose: Whose,
    /// The credential.
    pub credential: Credential,
}

/// Whose credential signed a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The master credential.
    Master,
    /// The one consumers use.
    Current,
    /// The one a rotation is building.
    Pending,
    /// One a person labelled CANDIDATE or ROLLBACK.
    Offered,
    /// One that a version which is not current any more names.
    Replaced,
}

impl Whose {
    /// As in "the pending key".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Current => "current",
            Self::Pending => "pending",
            Self::Offered => "offered",
            Self::Replaced => "replaced",
        }
    }
}

/// What a key may do, from where, and on which account.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// The account it belongs to.
    pub account: OwnAccount,
    /// Whether that account is a master account.
    pub is_master: bool,
    /// What it may do.
    pub powers: Powers,
    /// From where.
    pub addresses: ToldAddresses,
    /// When the venue lets it expire, where it does.
    pub expires_at: Option<Timestamp>,
    /// Whether it may only read.
    pub read_only: bool,
    /// What kind of key it is, where it is of one that not every caller can use, in words: as in "a key of a
    /// third-party app".
    pub kind: Option<&'static str>,
}

/// The account that a key belongs to, as its own answer tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnAccount {
    /// As calls name it.
    Named(AccountId),
    /// By another name, which all keys of one account tell alike. What calls name the account by, its list of
    /// keys shows.
    Alias(AccountId),
    /// Not at all: the account's list of keys shows it.
    Untold,
}

impl OwnAccount {
    /// The account as calls name it, where the key tells it so.
    pub fn named(&self) -> Option<&AccountId> {
        match self {
            Self::Named(account) => Some(account),
            Self::Alias(_) | Self::Untold => None,
        }
    }

    /// What the key calls it, where that is another name.
    pub fn alias(&self) -> Option<&AccountId> {
        match self {
            Self::Alias(alias) => Some(alias),
            Self::Named(_) | Self::Untold => None,
        }
    }
}

/// From where a key may be used, as its own answer tells it. What is not told is never taken for agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToldAddresses {
    /// From exactly these.
    Exact(Addresses),
    /// From some addresses alone, which the answer does not name.
    Bound,
    /// It does not say.
    Untold,
}

impl ToldAddresses {
    /// The addresses, where the key tells them all.
    pub fn exact(&self) -> Option<&Addresses> {
        match self {
            Self::Exact(addresses) => Some(addresses),
            Self::Bound | Self::Untold => None,
        }
    }
}

impl fmt::Display for ToldAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(addresses) => fmt::Display::fmt(addresses, f),
            Self::Bound => f.write_str("addresses that the venue does not name"),
            Self::Untold => f.write_str("where the venue does not tell"),
        }
    }
}

impl KeyState {
    /// The same, where the account's list tells what the key itself does not.
    #[must_use]
    pub fn completed_by(&self, listed: Option<&ListedKey>) -> Self {
        let addresses = match (&self.addresses, listed) {
            (ToldAddresses::Bound | ToldAddresses::Untold, Some(listed)) => {
                ToldAddresses::Exact(listed.addresses.clone())
            }
            (told, _) => told.clone(),
        };
        Self {
            addresses,
            ..self.clone()
        }
    }

    /// Whether an account's list tells more of the key than its own answer.
    pub fn is_partial(&self) -> bool {
        self.account.named().is_none() || self.addresses.exact().is_none()
    }

    /// Whether this key, which gave the answer, belongs to an account: by its own word, or where that does
    /// not name the account as calls do, by the account's list. A list that does not show it proves nothing:
    /// it may be behind.
    pub fn belongs_to(&self, account: &AccountId, key: &KeyId, list: Option<&KeyList>) -> Option<bool> {
        match &self.account {
            OwnAccount::Named(own) => Some(own == account),
            OwnAccount::Alias(_) | OwnAccount::Untold => list?.key(key).map(|_| true),
        }
    }
}

/// What a key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powers {
    /// In our vocabulary.
    pub permissions: Permissions,
    /// What moves funds, in the venue's words.
    pub moves_funds: Vec<String>,
    /// What is known, moves no funds, and is no word of ours, in the venue's words: more than any policy
    /// allows, and no danger.
    pub others: Vec<String>,
    /// What we do not know, in the venue's words: it counts as forbidden.
    pub unknown: Vec<String>,
}

impl Powers {
    /// What goes beyond the allowed, in words; empty where nothing does. Reading is implied by every
    /// permission and never counts.
    pub fn beyond(&self, allowed: &Permissions) -> Vec<String> {
        let more = self
            .permissions
            .iter()
            .filter(|held| held.word != Word::Read && !allowed.iter().any(|allowed| allowed.covers(held)))
            .map(ToString::to_string);
        self.not_granted().into_iter().chain(more).collect()
    }

    /// What no rotated key may have, in the venue's words.
    pub fn forbidden(&self) -> Vec<String> {
        let unknown = if wrong::is(Wrong::UnknownGroupTrusted) {
            &[][..]
        } else {
            &self.unknown
        };
        self.moves_funds.iter().chain(unknown).cloned().collect()
    }

    /// What no key gets that is issued, in the venue's words.
    pub fn not_granted(&self) -> Vec<String> {
        self.forbidden()
            .into_iter()
            .chain(self.others.iter().cloned())
            .collect()
    }

    /// Whether it may withdraw: every venue has that word for it.
    pub fn may_withdraw(&self) -> bool {
        let withdraws = |power: &String| power.to_lowercase().contains("withdraw");
        self.not_granted().iter().any(withdraws)
    }

    /// What is demanded and not held. Reading as such is held by every key that may do anything.
    pub fn lacks(&self, demanded: &Permissions) -> Vec<String> {
        let reads = Permission::whole(Word::Read);
        demanded
            .iter()
            .filter(|demanded| {
                !self
                    .permissions
                    .iter()
                    .any(|held| held.covers(demanded) || **demanded == reads)
            })
            .map(ToString::to_string)
            .collect()
    }
}

/// What a key is to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What it may do.
    pub permissions: Permissions,
    /// From where.
    pub addresses: Addresses,
    /// What its secret is.
    pub form: KeyForm,
}

/// All keys of an account at one moment.
#[derive(Clone, Debug)]
pub struct KeyList {
    /// The keys.
    pub keys: Vec<ListedKey>,
    /// The venue's own time when it answered.
    pub as_of: Timestamp,
}

impl KeyList {
    /// The key of this id.
    pub fn key(&self, id: &KeyId) -> Option<&ListedKey> {
        self.keys.iter().find(|listed| listed.key_id == *id)
    }
}

/// One key of a list.
#[derive(Clone, Debug)]
pub struct ListedKey {
    /// Which key.
    pub key_id: KeyId,
    /// The marker in its note, where there is one of ours.
    pub marker: Option<Marker>,
    /// What it may do.
    pub powers: Powers,
    /// From where.
    pub addresses: Addresses,
    /// When it was made, by the venue's clock.
    pub created_at: Timestamp,
    /// Whether the venue itself says that it has expired.
    pub expired: bool,
    /// As in [`KeyState`].
    pub kind: Option<&'static str>,
}

/// A key to revoke, and what is known of it beside its id: some venues ask for more than that.
#[derive(Clone, Copy, Debug)]
pub struct KeyToRevoke<'a> {
    /// Which key.
    pub key_id: &'a KeyId,
    /// The marker in its note, where that is known.
    pub marker: Option<&'a Marker>,
    /// Its passphrase, where a value has it.
    pub passphrase: Option<&'a SecretString>,
    /// When it was made, if the account's list showed it just now.
    pub listed_since: Option<Timestamp>,
}

impl<'a> From<&'a ListedKey> for KeyToRevoke<'a> {
    fn from(listed: &'a ListedKey) -> Self {
        Self {
            key_id: &listed.key_id,
            marker: listed
                .marker
                .as_ref()
                .filter(|_| !wrong::is(Wrong::RandomPassphrase)),
            passphrase: None,
            listed_since: Some(listed.created_at),
        }
    }
}

impl<'a> From<&'a Credential> for KeyToRevoke<'a> {
    fn from(credential: &'a Credential) -> Self {
        Self {
            key_id: &credential.key_id,
            marker: None,
            passphrase: credential.passphrase.as_ref(),
            listed_since: None,
        }
    }
}

/// A key as issued: the only time the venue shows its secret.
#[derive(Clone, Debug)]
pub struct IssuedKey {
    /// The credential.
    pub credential: Credential,
}

/// What became of a call to a venue that did not succeed.
#[derive(Clone, Debug, Error)]
#[error("{say}")]
pub struct VenueError {
    /// What it means.
    pub class: ErrorClass,
    /// Whose credential signed the call.
    pub whose: Whose,
    /// What happened and what to do, in words for the operator; never a text the venue sent that could hold
    /// a key.
    pub say: String,
}
