//! What OKX documents of itself.

use jiff::SignedDuration;
use protocol::secret::{Permission, Word};

use crate::venue::{
    Added, Bound, Endpoint, Gone, Limit, Names, Profile, Segments, SelfService, Unnamed, Vocabulary, Window,
};

/// The one group there is: permissions are a list with commas.
pub(super) const PERM: &str = "perm";
pub(super) const READ: &str = "read_only";
const TRADE: &str = "trade";
pub(super) const WITHDRAW: &str = "withdraw";

/// OKX.
pub static PROFILE: Profile = Profile {
    name: "okx",
    groups: &[PERM],
    // "Create an API Key for a sub-account": no withdrawals, as error 59504 says too.
    for_subs: &[(PERM, &[READ, TRADE])],
    // Master keys are made and edited on OKX's pages alone.
    for_masters: &[],
    without_effect: &[],
    lost_by_edits: &[],
    // The sample asks for `trade` and gets `read_only,trade`.
    added: &[Added {
        beside: PERM,
        group: PERM,
        value: READ,
    }],
    masters_manage_by: &[(PERM, &[TRADE])],
    subs_manage_by: &[],
    master_grants: &[(PERM, &[READ, TRADE])],
    // Error 50035.
    masters: Bound::Required,
    // Error 59500.
    self_service: SelfService::MastersOnly,
    // Error 59502.
    notes: Names::Unique,
    max_note_length: 50,
    // Error 59501.
    max_keys: 50,
    // Error 59503.
    max_ips: 20,
    segments: Segments::Taken,
    // A key that may trade and is bound to no address is deleted after 14 days without a call. Here it is
    // not: nobody who rotates keys relies on that.
    unbound: None,
    // All of an account's keys come at once.
    page: usize::MAX,
    key_length: 36,
    secret_length: 32,
    passphrase: Some(is_passphrase),
    manages_by_passphrase: false,
    unnamed: Unnamed::Stays,
    // Error 59506.
    gone: Gone::Refused,
    // "The request will expire 30 seconds after the timestamp." Unverified: that as much is allowed ahead.
    window: Window {
        behind: 30_000,
        ahead: 30_000,
    },
    limit,
    vocabulary: Vocabulary {
        grantable: &[(PERM, READ, Word::Read), (PERM, TRADE, Word::Trade)],
        moves_funds: |_, value| value == WITHDRAW,
        others: &[],
        added: &[],
        issues: |powers| powers.permissions.contains(&Permission::whole(Word::Trade)),
    },
};

/// 8 to 32 characters, at least one of each kind.
fn is_passphrase(text: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_digit(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_punctuation(),
    ];
    (8..=32).contains(&text.chars().count())
        && kinds.into_iter().all(|is_of_kind| text.chars().any(is_of_kind))
}

/// "Rate limit rule: User ID", endpoint by endpoint.
fn limit(endpoint: Endpoint) -> Limit {
    let (calls, seconds) = match endpoint {
        Endpoint::List => (20, 2),
        Endpoint::Inspect => (10, 2),
        Endpoint::Issue | Endpoint::Edit | Endpoint::Remove | Endpoint::EditOwn | Endpoint::RemoveOwn => {
            (1, 1)
        }
    };
    Limit {
        calls,
        within: SignedDuration::from_secs(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_has_8_to_32_characters_and_all_kinds_of_them() {
        for (text, will_do) in [
            ("Aa1!aaaa", true),
            ("Aa1!aaa", false),
            ("Aa1!aaaaaaaaaaaaaaaaaaaaaaaaaaaa", true),
            ("Aa1!aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("aa1!aaaa", false),
            ("AA1!AAAA", false),
            ("Aaa!aaaa", false),
            ("Aa1aaaaa", false),
        ] {
            assert_eq!(is_passphrase(text), will_do, "{text}");
        }
    }
}
