//! The kinds of venues that are played: not the brands that there are, but what tells one from another for
//! the protocol.

use std::time::Duration;

use jiff::SignedDuration;
use protocol::ports::{Asking, Issues, OwnAccount, ToldAddresses};
use protocol::secret::{AccountId, Addresses, KeyForm, Word};

use crate::bybit::BYBIT;
use crate::venue::{
    Bound, Endpoint, Gone, Limit, Names, Profile, SelfService, Uid, Unnamed, Vocabulary, Window,
};

/// A group of a key's permissions, and which parts of it are granted.
pub type Power<'a> = (&'a str, &'a [&'a str]);
/// What the usual policy asks for, together with [`TRADES`].
pub const SPOT: Power<'static> = ("Spot", &["SpotTrade"]);
/// See [`SPOT`].
pub const TRADES: Power<'static> = ("ContractTrade", &["Order", "Position"]);
/// What the usual policy does not ask for.
pub const OPTIONS: Power<'static> = ("Options", &["OptionsTrade"]);
/// What no key of a consumer may do.
pub const TRANSFERS: Power<'static> = ("Wallet", &["AccountTransfer"]);

/// One kind. In secrets all of them go by the name of one exchange, so that one set of values serves for all.
#[derive(Debug)]
pub struct VenueKind {
    /// What it is called in design and in what is printed.
    pub name: &'static str,
    /// What the venue is.
    pub profile: &'static Profile,
    /// Whether calls name an account by a name, and not by its number.
    pub names_accounts: bool,
    /// What a key's own answer tells of its account.
    pub own_account: Tells,
    /// What it tells of the addresses that it is bound to.
    pub own_addresses: Tells,
    /// Whose keys a master credential issues; where it issues none, nobody lists or deletes them either.
    pub issues: Issues,
    /// Whether a refusal of a key says whether the key, its address or a permission is the reason.
    pub explains_refusals: bool,
    /// Whether asking a key can do harm.
    pub asking: Asking,
    /// The forms of keys that are issued here.
    pub forms: &'static [KeyForm],
    /// Whether a deletion says of a key that is gone that it is gone, and no more than that it is refused.
    pub tells_gone: bool,
    /// How long after a key was made a rejection may still mean "not yet".
    pub propagation: Duration,
    /// How long a change takes to be known everywhere, as far as it is known.
    pub settling: Duration,
    /// The times that a change takes here, of which one or another is in force.
    pub delays: [SignedDuration; 3],
    /// How long an invocation may take.
    pub timeout: SignedDuration,
    /// How many keys an account has room for: few, so that a history can fill them.
    pub slots: usize,
    /// The words of the usual policy.
    pub words: &'static [&'static str],
    /// Words that it does not grant.
    pub not_granted: [&'static str; 2],
    /// All words that the venue grants.
    pub all_words: &'static [&'static str],
    /// What the usual policy asks for.
    pub usual: &'static [Power<'static>],
    /// A part of that.
    pub less: &'static [Power<'static>],
    /// What moves funds.
    pub funds: Power<'static>,
    /// What nobody knows.
    pub unknown: Power<'static>,
}

/// How much of something a key's own answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// All of it, as calls say it.
    Fully,
    /// Another name for it, or that there is something.
    Partly,
    /// Nothing.
    Not,
}

/// Every kind, the usual one first.
pub const KINDS: [&VenueKind; 7] = [
    &PLAIN,
    &PLAIN_COARSE,
    &TERSE,
    &SLOW_TIGHT,
    &PASSWORD,
    &SHY,
    &MUDDLED_SUPPLIED,
];

/// Words that are granted one by one, and keys that tell everything of themselves.
pub const PLAIN: VenueKind = VenueKind {
    name: "plain",
    profile: &crate::bybit::PROFILE,
    names_accounts: false,
    own_account: Tells::Fully,
    own_addresses: Tells::Fully,
    issues: Issues::SubAccounts,
    explains_refusals: true,
    asking: Asking::Free,
    forms: &[KeyForm::Hmac],
    tells_gone: false,
    propagation: Duration::from_mins(5),
    settling: Duration::from_mins(1),
    delays: [
        SignedDuration::ZERO,
        SignedDuration::from_secs(3),
        SignedDuration::from_secs(20),
    ],
    timeout: SignedDuration::from_mins(15),
    slots: 9,
    words: &["read", "spot", "derivatives"],
    not_granted: ["read", "trade"],
    all_words: &["convert", "derivatives", "earn", "options", "read", "spot"],
    usual: &[TRADES, SPOT],
    less: &[SPOT],
    funds: TRANSFERS,
    unknown: ("BlockTrade", &["BlockTrade"]),
};

/// Trading is granted as a whole; accounts have names, of which keys tell the number; no two keys of an
/// account have the same note; keys have passphrases.
pub const PLAIN_COARSE: VenueKind = VenueKind {
    name: "plain-coarse",
    profile: &COARSE,
    names_accounts: true,
    own_account: Tells::Partly,
    tells_gone: true,
    words: &["read", "trade"],
    not_granted: ["read", "spot"],
    all_words: &["read", "trade"],
    usual: &[("perm", &["read_only", "trade"])],
    less: &[("perm", &["read_only"])],
    funds: ("perm", &["withdraw"]),
    unknown: ("perm", &["teleport"]),
    ..PLAIN
};

/// A key's own answer has no account, and of its addresses no more than that there are some; a refusal does
/// not say why; keys are secrets or pairs.
pub const TERSE: VenueKind = VenueKind {
    name: "terse",
    own_account: Tells::Not,
    own_addresses: Tells::Partly,
    explains_refusals: false,
    forms: &[KeyForm::Hmac, KeyForm::Pair],
    ..PLAIN
};

/// A change takes up to five minutes, and an account has five keys.
pub const SLOW_TIGHT: VenueKind = VenueKind {
    name: "slow-tight",
    profile: &SLOW,
    propagation: Duration::from_mins(6),
    settling: Duration::from_mins(5),
    delays: [
        SignedDuration::ZERO,
        SignedDuration::from_secs(20),
        SignedDuration::from_secs(299),
    ],
    // As the template has it: no longer than a change takes here.
    timeout: SignedDuration::from_mins(5),
    slots: 5,
    ..PLAIN
};

/// Keys have passphrases, and are edited and deleted by them.
pub const PASSWORD: VenueKind = VenueKind {
    name: "password",
    profile: &BY_PASSPHRASE,
    tells_gone: true,
    ..PLAIN
};

/// Keys are made by a person alone; asking one shuts out whoever uses it, and asking such as are not accepted
/// locks the caller out.
pub const SHY: VenueKind = VenueKind {
    name: "shy",
    issues: Issues::Never,
    forms: &[],
    asking: Asking::LocksOut,
    ..PLAIN
};

/// Keys are made by a person alone; of its addresses a key tells nothing, and a refusal does not say why.
pub const MUDDLED_SUPPLIED: VenueKind = VenueKind {
    name: "muddled-supplied",
    issues: Issues::Never,
    forms: &[],
    explains_refusals: false,
    own_addresses: Tells::Not,
    ..PLAIN
};

impl VenueKind {
    /// The kind that a seed decides.
    pub fn of(seed: u64) -> &'static Self {
        let kinds = u64::try_from(KINDS.len()).unwrap_or(1);
        let which = usize::try_from((seed >> SHIFT) % kinds).unwrap_or_default();
        KINDS[which]
    }

    /// A seed that is as like this one as can be, and decides this kind.
    pub fn seed(&self, seed: u64) -> u64 {
        let kinds = u64::try_from(KINDS.len()).unwrap_or(1);
        let which = KINDS.iter().position(|kind| kind.name == self.name);
        let which = which
            .and_then(|which| u64::try_from(which).ok())
            .unwrap_or_default();
        let (high, low) = (seed >> SHIFT, seed & ((1 << SHIFT) - 1));
        (high - high % kinds + which) << SHIFT | low
    }

    /// The kind of this name.
    ///
    /// # Errors
    /// The names that there are.
    pub fn named(name: &str) -> Result<&'static Self, String> {
        let known = KINDS.into_iter().find(|kind| kind.name == name);
        known.ok_or_else(|| format!("there are {}", KINDS.map(|kind| kind.name).join(", ")))
    }

    /// Whether keys are made by a person alone.
    pub fn is_supplied(&self) -> bool {
        self.issues == Issues::Never
    }

    /// The name of an account in calls.
    pub fn account(&self, uid: Uid) -> String {
        if self.names_accounts {
            format!("desk{uid}")
        } else {
            uid.to_string()
        }
    }

    /// What a key tells of its account.
    pub(crate) fn told_account(&self, uid: Uid) -> OwnAccount {
        match self.own_account {
            Tells::Fully => OwnAccount::Named(AccountId::new(self.account(uid))),
            Tells::Partly => OwnAccount::Alias(AccountId::new(uid.to_string())),
            Tells::Not => OwnAccount::Untold,
        }
    }

    /// What a key tells of its addresses.
    pub(crate) fn told_addresses(&self, addresses: Addresses) -> ToldAddresses {
        match (self.own_addresses, &addresses) {
            (Tells::Fully, _) | (Tells::Partly, Addresses::Any) => ToldAddresses::Exact(addresses),
            (Tells::Partly, Addresses::Only(_)) => ToldAddresses::Bound,
            (Tells::Not, _) => ToldAddresses::Untold,
        }
    }
}

/// The bits of a seed before those that decide the kind.
const SHIFT: u32 = 12;

const COARSE: Profile = Profile {
    groups: &["perm"],
    for_subs: &[("perm", &["read_only", "trade"])],
    for_masters: &[],
    without_effect: &[],
    lost_by_edits: &[],
    added: &[],
    masters_manage_by: &[("perm", &["trade"])],
    subs_manage_by: &[],
    master_grants: &[("perm", &["read_only", "trade"])],
    masters: Bound::Required,
    self_service: SelfService::MastersOnly,
    notes: Names::Unique,
    max_note_length: 50,
    unbound: None,
    page: 100,
    passphrase: Some(|text| text.len() >= 8),
    unnamed: Unnamed::Stays,
    gone: Gone::Refused,
    window: Window {
        behind: 30_000,
        ahead: 30_000,
    },
    vocabulary: Vocabulary {
        grantable: &[("perm", "read_only", Word::Read), ("perm", "trade", Word::Trade)],
        moves_funds: |_, value| value == "withdraw",
        others: &[],
        added: &[],
        issues: |powers| powers.permissions.contains(&Word::Trade.into()),
    },
    ..BYBIT
};

const BY_PASSPHRASE: Profile = Profile {
    passphrase: Some(|text| (7..=32).contains(&text.len())),
    manages_by_passphrase: true,
    ..BYBIT
};

const SLOW: Profile = Profile {
    window: Window {
        behind: 60_000,
        ahead: 1_000,
    },
    limit: |_: Endpoint| Limit {
        calls: 10,
        within: SignedDuration::from_secs(1),
    },
    ..BYBIT
};
