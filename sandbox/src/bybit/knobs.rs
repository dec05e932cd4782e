//! What Bybit's documentation leaves open, one field for each.

use jiff::SignedDuration;

use super::refusal::code;

/// Facts about Bybit that nobody has verified. The defaults are the kindest guess; a test or a simulation
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
    /// Unverified: with which code a key is refused in that time (10003, or 10007 by some accounts).
    pub new_key_ret_code: i64,
    /// Unverified: how long a deleted key goes on working. The documentation says that it is invalid
    /// immediately.
    pub deletion_delay: SignedDuration,
    /// Unverified: how long `sub-apikeys` shows a deleted key that does not work any more.
    pub deleted_listed_for: SignedDuration,
    /// Unverified: how long an edited key keeps its old permissions and addresses.
    pub edit_delay: SignedDuration,
    /// Unverified: whether `sub-apikeys` lags by the same delays, or shows every change at once.
    pub listings_lag: bool,
    /// Unverified: how many keys an account may have; 20 is what people say.
    pub max_keys: usize,
    /// Unverified: the code for one key too many.
    pub max_keys_ret_code: i64,
    /// Unverified: whether two keys of one sub-account may bear the same note.
    pub unique_notes: bool,
    /// Unverified: the longest note, in characters.
    pub max_note_length: usize,
    /// Unverified: how many addresses a key may be bound to.
    pub max_ips: usize,
    /// Unverified: the code for editing or deleting a key that is not there (deleted before, or another
    /// parent's).
    pub no_such_key_ret_code: i64,
    /// Unverified: the code for a sub-account that is not the caller's.
    pub no_such_sub_account_ret_code: i64,
    /// Unverified: whether a unified account's key has `Derivatives` whatever it was issued with ("by
    /// default", says the documentation), or only beside `ContractTrade`.
    pub derivatives_on_every_key: bool,
    /// Unverified: whether an edit leaves the groups as they are that are not sent, and takes away those
    /// that are sent empty.
    pub edit_keeps_groups: bool,
    /// The code with which every edit is refused, where one is: 141019 and 141020 are documented.
    pub edit_ret_code: Option<i64>,
    /// Whether the accounts belong to the European entity, which issues no keys through the API (81007).
    /// Documented; unverified is whether editing and deleting work there.
    pub eu_entity: bool,
    /// Whether the parent account still has to pass its identity check (20096). Unverified: which calls that
    /// stops; here, creation alone.
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
            new_key_ret_code: code::INVALID_KEY,
            deletion_delay: SignedDuration::ZERO,
            deleted_listed_for: SignedDuration::ZERO,
            edit_delay: SignedDuration::ZERO,
            listings_lag: false,
            max_keys: 20,
            max_keys_ret_code: code::PARAMETER,
            unique_notes: false,
            max_note_length: 100,
            max_ips: 20,
            no_such_key_ret_code: code::PARAMETER,
            no_such_sub_account_ret_code: code::PARAMETER,
            derivatives_on_every_key: false,
            edit_keeps_groups: false,
            edit_ret_code: None,
            eu_entity: false,
            kyc_missing: false,
            wrong_host: false,
            wrong_demo_host: false,
            rate_limits: true,
        }
    }
}
