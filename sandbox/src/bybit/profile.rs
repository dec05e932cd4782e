//! What Bybit documents of itself.

use jiff::SignedDuration;
use protocol::secret::Word;

use crate::venue::{
    Added, Bound, Endpoint, Gone, Limit, Names, Profile, Segments, SelfService, Unbound, Unnamed, Vocabulary,
    Window,
};

/// Bybit.
pub static PROFILE: Profile = BYBIT;

/// The same, to make others of.
pub(crate) const BYBIT: Profile = Profile {
    name: "bybit",
    groups: &GROUPS,
    // `docs/v5/user/create-subuid-apikey` and `docs/v5/user/modify-sub-apikey`.
    for_subs: &[
        ("ContractTrade", &["Order", "Position"]),
        ("Spot", &["SpotTrade"]),
        ("Options", &["OptionsTrade"]),
        ("Wallet", &["AccountTransfer", "SubMemberTransferList"]),
        ("Exchange", &["ExchangeHistory"]),
        ("Earn", &["Earn"]),
    ],
    // `docs/v5/user/modify-master-apikey`. Withdrawal is not in it: the API can't grant it.
    for_masters: &[
        ("ContractTrade", &["Order", "Position"]),
        ("Spot", &["SpotTrade"]),
        ("Options", &["OptionsTrade"]),
        ("Wallet", &["AccountTransfer", "SubMemberTransfer"]),
        ("Exchange", &["ExchangeHistory"]),
        ("Earn", &["Earn"]),
        ("BlockTrade", &["BlockTrade"]),
        ("Affiliate", &["Affiliate"]),
    ],
    // `Derivatives` is up to the venue, the others are deprecated and always empty in replies.
    without_effect: &[
        ("Derivatives", &["DerivativesTrade"]),
        ("CopyTrading", &["CopyTrading"]),
        ("NFT", &["NFTQueryProductList"]),
    ],
    lost_by_edits: &["Wallet"],
    added: &[Added {
        beside: "ContractTrade",
        group: "Derivatives",
        value: "DerivativesTrade",
    }],
    // The "tip" of each endpoint's page. The pages call the sub-account's one "Sub Member Transfer", which
    // for a sub-account's key is `SubMemberTransferList`.
    masters_manage_by: &[("Wallet", &["AccountTransfer", "SubMemberTransfer", "Withdraw"])],
    subs_manage_by: &[(
        "Wallet",
        &["AccountTransfer", "SubMemberTransfer", "SubMemberTransferList"],
    )],
    master_grants: &[("Wallet", &["AccountTransfer", "SubMemberTransfer"])],
    masters: Bound::Optional,
    self_service: SelfService::Allowed,
    notes: Names::Free,
    // Unverified.
    max_note_length: 100,
    // Unverified: 20 is what people say.
    max_keys: 20,
    // Unverified.
    max_ips: 20,
    segments: Segments::Refused,
    // `docs/v5/user/create-subuid-apikey`: "No ip bound api key will be invalid after 90 days", and "invalid
    // after 7 days once the account password is changed".
    unbound: Some(Unbound {
        life: SignedDuration::from_hours(90 * 24),
        after_password_change: SignedDuration::from_hours(7 * 24),
    }),
    // `docs/v5/user/list-sub-apikeys`: limit in [1, 20], 20 by default.
    page: 20,
    key_length: 18,
    secret_length: 36,
    passphrase: None,
    manages_by_passphrase: false,
    unnamed: Unnamed::Reset,
    gone: Gone::Refused,
    // `docs/v5/guide`: server time − `recv_window` <= timestamp < server time + 1000, and `recv_window` is
    // 5000 by default.
    window: Window {
        behind: 5_000,
        ahead: 1_000,
    },
    limit,
    vocabulary: Vocabulary {
        grantable: &[
            ("ContractTrade", "Order", Word::Derivatives),
            ("ContractTrade", "Position", Word::Derivatives),
            ("Earn", "Earn", Word::Earn),
            ("Exchange", "ExchangeHistory", Word::Convert),
            ("Options", "OptionsTrade", Word::Options),
            ("Spot", "SpotTrade", Word::Spot),
        ],
        moves_funds: |group, _| group == "Wallet",
        others: &["Affiliate", "CopyTrading", "NFT"],
        added: &[("Derivatives", "DerivativesTrade", Word::Derivatives)],
        issues: |powers| {
            powers
                .moves_funds
                .iter()
                .any(|power| power.starts_with("Wallet:"))
        },
    },
};

/// Every group that a reply shows, in the order of a reply published in 2026 (`docs/v5/user/apikey-info`
/// lists fewer). A group without a grant is there with an empty array.
pub(super) const GROUPS: [&str; 17] = [
    "ContractTrade",
    "Spot",
    "Wallet",
    "Options",
    "Derivatives",
    "CopyTrading",
    "BlockTrade",
    "Exchange",
    "NFT",
    "Affiliate",
    "Earn",
    "FiatP2P",
    "FiatConvertBroker",
    "FiatGlobalPay",
    "FiatBitPay",
    "BitCard",
    "ByXPost",
];

/// "The API rate limit is based on the rolling time window per second and UID." The figures are from the
/// "User" table of `docs/v5/rate-limit`.
fn limit(endpoint: Endpoint) -> Limit {
    let calls = match endpoint {
        Endpoint::Issue => 1,
        Endpoint::List | Endpoint::Inspect => 10,
        Endpoint::Edit | Endpoint::Remove | Endpoint::EditOwn | Endpoint::RemoveOwn => 5,
    };
    Limit {
        calls,
        within: SignedDuration::from_secs(1),
    }
}
