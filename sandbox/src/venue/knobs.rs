//! What a venue's documentation leaves open, one field for each.

use jiff::SignedDuration;

use super::refusal::Reason;

/// Facts about a venue that nobody has verified. The defaults are the kindest guess; a test or a simulation
/// sets the others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an open question of its own, none a state of another"
)]
pub struct Knobs {
    /// Unverified: how long a new key is unknown to the authenticating servers after its creation was
    /// confirmed.
    pub new_key_delay: SignedDuration,
    /// Unverified: why a key is refused in that time ([`Reason::InvalidKey`], or [`Reason::NotLoggedIn`] by
    /// some accounts of Bybit).
    pub new_key_reason: Reason,
    /// Unverified: how long a deleted key goes on working. The documentation says that it is invalid
    /// immediately.
    pub deletion_delay: SignedDuration,
    /// Unverified: how long a list shows a deleted key that does not work any more.
    pub deleted_listed_for: SignedDuration,
    /// Unverified: how long an edited key keeps its old permissions and addresses.
    pub edit_delay: SignedDuration,
    /// Unverified: whether lists lag by the same delays, or show every change at once.
    pub listings_lag: bool,
    /// How many keys an account may have, if not as many as the profile says.
    pub max_keys: Option<usize>,
    /// Unverified: the code for one key too many.
    pub max_keys_code: Option<i64>,
    /// Unverified: whether two keys of one account may not bear the same note even where the profile lets
    /// them.
    pub unique_notes: bool,
    /// The longest note, in characters, if not what the profile says.
    pub max_note_length: Option<usize>,
    /// Whether a person who makes a key makes it as a pair.
    pub pairs_by_hand: bool,
    /// How many addresses a key may be bound to, if not as many as the profile says.
    pub max_ips: Option<usize>,
    /// The code for a caller's key that is not there, if not the venue's usual one.
    pub invalid_key_code: Option<i64>,
    /// Unverified: the code for editing or deleting a key that is not there (deleted before, or another
    /// parent's).
    pub no_such_key_code: Option<i64>,
    /// Unverified: the code for a sub-account that is not the caller's.
    pub no_such_account_code: Option<i64>,
    /// Unverified: whether a unified account's key has what the venue adds whatever it was issued with ("by
    /// default", says Bybit's documentation), or only beside what the profile says.
    pub adds_to_every_key: bool,
    /// Unverified: whether an edit leaves the groups as they are that are not sent, and takes away those
    /// that are sent empty.
    pub edit_keeps_groups: bool,
    /// Whether every edit is refused.
    pub no_edits: bool,
    /// Whether the accounts belong to a site that issues no keys through the API, as Bybit's European entity
    /// does not. Documented; unverified is whether editing and deleting work there.
    pub issues_no_keys: bool,
    /// Whether the parent account still has to pass its identity check. Unverified: which calls that stops;
    /// here, creation alone.
    pub kyc_missing: bool,
    /// Whether callers have reached another environment's host: it knows none of their keys, and rejects
    /// each as if it were dead.
    pub wrong_host: bool,
    /// The same for those who have meant demo's host alone.
    pub wrong_demo_host: bool,
    /// Whether rate limits count. They are documented; a simulation whose time stands still may not want
    /// them.
    pub rate_limits: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            new_key_delay: SignedDuration::ZERO,
            new_key_reason: Reason::InvalidKey,
            deletion_delay: SignedDuration::ZERO,
            deleted_listed_for: SignedDuration::ZERO,
            edit_delay: SignedDuration::ZERO,
            listings_lag: false,
            max_keys: None,
            max_keys_code: None,
            unique_notes: false,
            max_note_length: None,
            pairs_by_hand: false,
            max_ips: None,
            invalid_key_code: None,
            no_such_key_code: None,
            no_such_account_code: None,
            adds_to_every_key: false,
            edit_keeps_groups: false,
            no_edits: false,
            issues_no_keys: false,
            kyc_missing: false,
            wrong_host: false,
            wrong_demo_host: false,
            rate_limits: true,
        }
    }
}
