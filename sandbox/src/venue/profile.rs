//! What a venue documents of itself, as plain data. It is stated apart from the function's own modules: where
//! the two disagree, one of them is wrong.

use jiff::SignedDuration;
use protocol::ports::Powers;
use protocol::secret::Word;

/// Groups of permissions, and the values that each takes.
pub type Catalogue = &'static [(&'static str, &'static [&'static str])];

/// One venue.
#[derive(Debug)]
pub struct Profile {
    /// What secrets call the exchange.
    pub name: &'static str,
    /// Every group that is known, grantable or not.
    pub groups: &'static [&'static str],
    /// What a sub-account's key can be granted.
    pub for_subs: Catalogue,
    /// What a master key can be granted through the API.
    pub for_masters: Catalogue,
    /// What a request may name, and that has no effect.
    pub without_effect: Catalogue,
    /// What the API can neither grant to a master key nor leave with it: such groups go if an edit does not
    /// name them.
    pub lost_by_edits: &'static [&'static str],
    /// What the venue adds by itself.
    pub added: &'static [Added],
    /// Any of these lets a master key manage its sub-accounts' keys.
    pub masters_manage_by: Catalogue,
    /// Any of these lets a sub-account's key manage itself.
    pub subs_manage_by: Catalogue,
    /// What a master key has that is made for this purpose on the venue's pages.
    pub master_grants: Catalogue,
    /// Whether a master key has to be bound to addresses to manage keys.
    pub masters: Bound,
    /// Whether a sub-account's key may edit and delete itself.
    pub self_service: SelfService,
    /// Whether two keys of one account may have the same note.
    pub notes: Names,
    /// The longest note, in characters.
    pub max_note_length: usize,
    /// How many keys an account may have.
    pub max_keys: usize,
    /// How many addresses a key may be bound to.
    pub max_ips: usize,
    /// Whether a segment of addresses will do for one.
    pub segments: Segments,
    /// How long a key lives that is bound to no address; nothing where it lives as long as any.
    pub unbound: Option<Unbound>,
    /// The most keys on a page of a list, and how many if the caller does not say.
    pub page: usize,
    /// The length of a key id.
    pub key_length: usize,
    /// The length of a key secret.
    pub secret_length: usize,
    /// Where credentials have a passphrase: whether a caller's text will do as one.
    pub passphrase: Option<fn(&str) -> bool>,
    /// Whether an edit or a deletion has to show the passphrase of the key that it is about.
    pub manages_by_passphrase: bool,
    /// What becomes of that which an edit does not name.
    pub unnamed: Unnamed,
    /// What deleting a key answers that is deleted already.
    pub gone: Gone,
    /// By how much a caller's clock may be off.
    pub window: Window,
    /// How often an account may call.
    pub limit: fn(Endpoint) -> Limit,
    /// Its permissions in the protocol's words.
    pub vocabulary: Vocabulary,
}

/// A value that the venue grants by itself, to the keys of unified accounts.
#[derive(Debug)]
pub struct Added {
    /// The keys that get it: those that have anything of this group.
    pub beside: &'static str,
    /// The group.
    pub group: &'static str,
    /// The value.
    pub value: &'static str,
}

/// Whether a master key has to be bound to addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Only a bound one manages keys.
    Required,
    /// One that is valid from anywhere will do.
    Optional,
}

/// Whether a sub-account's key may manage itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfService {
    /// It may edit and delete itself, and no other.
    Allowed,
    /// Only master keys manage keys.
    MastersOnly,
}

/// Whether notes name keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// A note is on one key of an account at most.
    Unique,
    /// Any key may have any note.
    Free,
}

/// Whether keys can be bound to segments of addresses, such as 203.0.113.0/24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segments {
    /// They can.
    Taken,
    /// They are no addresses.
    Refused,
}

/// What becomes of that which an edit does not name. Permissions and notes always stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// It stays as it is.
    Stays,
    /// It is set back: the key may write, and from anywhere.
    Reset,
}

/// What deleting a key answers that is deleted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// That there is no such key.
    Refused,
    /// That it is done.
    Done,
}

/// How long keys live that are bound to no address.
#[derive(Clone, Copy, Debug)]
pub struct Unbound {
    /// From when they were unbound.
    pub life: SignedDuration,
    /// From when the account's password was changed, at most.
    pub after_password_change: SignedDuration,
}

/// By how much a caller's clock may be off, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How old a request may be, if it does not say itself.
    pub behind: i64,
    /// A request is refused that is this far ahead.
    pub ahead: i64,
}

/// A venue's permissions in the protocol's words.
#[derive(Debug)]
pub struct Vocabulary {
    /// All that a sub-account's key can be granted without moving funds: group, value, and the word it is
    /// part of. If one is part of `read`, a key that only reads has no other; if none is, such a key has
    /// any of them and is marked as one that only reads.
    pub grantable: &'static [(&'static str, &'static str, Word)],
    /// Whether a value of a group moves funds.
    pub moves_funds: fn(&str, &str) -> bool,
    /// The groups that do neither, and that no word stands for.
    pub others: &'static [&'static str],
    /// What the venue adds by itself, and the word of a key that has nothing beside it.
    pub added: &'static [(&'static str, &'static str, Word)],
    /// Whether a master key with these powers can issue keys.
    pub issues: fn(&Powers) -> bool,
}

impl Profile {
    /// What a key of this role can be granted through the API.
    pub(super) fn grantable(&self, role: Role) -> Catalogue {
        match role {
            Role::Master => self.for_masters,
            Role::Sub => self.for_subs,
        }
    }

    /// What lets a key of this role manage keys.
    pub(super) fn manage_by(&self, role: Role) -> Catalogue {
        match role {
            Role::Master => self.masters_manage_by,
            Role::Sub => self.subs_manage_by,
        }
    }
}

/// What a venue is asked with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Issues a key for a sub-account.
    Issue,
    /// Lists a sub-account's keys.
    List,
    /// Tells a key about itself.
    Inspect,
    /// Edits a sub-account's key.
    Edit,
    /// Deletes a sub-account's key.
    Remove,
    /// Edits the calling master key.
    EditOwn,
    /// Deletes the calling master key.
    RemoveOwn,
}

/// How often one account may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many calls
    pub calls: usize,
    /// in any stretch of time this long.
    pub within: SignedDuration,
}

/// Whose keys: a parent account's or a sub-account's. They may have different permissions and different
/// powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Master,
    Sub,
}
