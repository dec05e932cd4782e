//! What keys may do: the venue's groups and values, who may ask for which, and what the venue adds by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::refusal::Refusal;

/// Every group that a reply shows, in the order of a reply published in 2026 (`docs/v5/user/apikey-info`
/// lists fewer). A group without a grant is there with an empty array.
pub const GROUPS: [&str; 17] = [
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

/// Permissions as a request names them: group to values, not yet checked.
pub type Requested = BTreeMap<String, Vec<String>>;

type Catalogue = &'static [(&'static str, &'static [&'static str])];

/// `docs/v5/user/create-subuid-apikey` and `docs/v5/user/modify-sub-apikey`.
const FOR_SUB_ACCOUNTS: Catalogue = &[
    ("ContractTrade", &["Order", "Position"]),
    ("Spot", &["SpotTrade"]),
    ("Options", &["OptionsTrade"]),
    ("Wallet", &["AccountTransfer", "SubMemberTransferList"]),
    ("Exchange", &["ExchangeHistory"]),
    ("Earn", &["Earn"]),
];

/// `docs/v5/user/modify-master-apikey`. Withdrawal is not in it: the API can't grant it.
const FOR_MASTERS: Catalogue = &[
    ("ContractTrade", &["Order", "Position"]),
    ("Spot", &["SpotTrade"]),
    ("Options", &["OptionsTrade"]),
    ("Wallet", &["AccountTransfer", "SubMemberTransfer"]),
    ("Exchange", &["ExchangeHistory"]),
    ("Earn", &["Earn"]),
    ("BlockTrade", &["BlockTrade"]),
    ("Affiliate", &["Affiliate"]),
];

/// Values that a request may still name and that have no effect: `Derivatives` is up to the venue, the others
/// are deprecated and always empty in replies.
const WITHOUT_EFFECT: Catalogue = &[
    ("Derivatives", &["DerivativesTrade"]),
    ("CopyTrading", &["CopyTrading"]),
    ("NFT", &["NFTQueryProductList"]),
];

/// Whose keys: a parent account's or a sub-account's. They may have different permissions and different
/// powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Master,
    Sub,
}

/// What a key may do. Groups without a value are not kept. Shared by all clones: a key's settings are looked
/// at far more often than they change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Arc<BTreeMap<String, BTreeSet<String>>>);

impl Permissions {
    /// Permissions as given, known to the venue or not: for what is done by hand.
    pub fn of(grants: &[(&str, &[&str])]) -> Self {
        let mut permissions = Self::default();
        for (group, values) in grants {
            for value in *values {
                permissions.grant(group, value);
            }
        }
        permissions
    }

    /// Whether the value is granted.
    pub fn grants(&self, group: &str, value: &str) -> bool {
        self.0.get(group).is_some_and(|values| values.contains(value))
    }

    /// Whether anything of the group is granted.
    pub(super) fn has_group(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }

    /// With the groups that another has, where they are to be kept.
    pub(super) fn with_groups_of(mut self, other: &Self, keep: impl Fn(&str) -> bool) -> Self {
        for (group, value) in other.granted().filter(|(group, _)| keep(group)) {
            self.grant(group, value);
        }
        self
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each value that is granted, with its group, in alphabetical order.
    pub fn granted(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(group, values)| values.iter().map(|value| (group.as_str(), value.as_str())))
    }

    /// The groups as a reply shows them: all that the venue knows, empty or not, and any granted beyond
    /// those.
    pub fn shown(&self) -> BTreeMap<String, Vec<String>> {
        let known = GROUPS.iter().map(|group| ((*group).to_owned(), Vec::new()));
        let granted = self
            .0
            .iter()
            .map(|(group, values)| (group.clone(), values.iter().cloned().collect()));
        known.chain(granted).collect()
    }

    /// Whether a key with these may create, edit and delete keys: the "tip" of each endpoint's page. The
    /// pages call the sub-account's one "Sub Member Transfer", which for a sub-account's key is
    /// `SubMemberTransferList`.
    pub(super) fn manage_keys(&self, role: Role) -> bool {
        let sufficient: &[&str] = match role {
            Role::Master => &["AccountTransfer", "SubMemberTransfer", "Withdraw"],
            Role::Sub => &["AccountTransfer", "SubMemberTransfer", "SubMemberTransferList"],
        };
        sufficient.iter().any(|value| self.grants("Wallet", value))
    }

    /// Checks what a caller asked for. The venue throws an error when nothing is ticked, and for what it
    /// doesn't know.
    pub(super) fn requested(requested: &Requested, role: Role) -> Result<Self, Refusal> {
        let allowed = match role {
            Role::Master => FOR_MASTERS,
            Role::Sub => FOR_SUB_ACCOUNTS,
        };
        let mut permissions = Self::default();
        for (group, values) in requested {
            if !GROUPS.contains(&group.as_str()) {
                return Err(Refusal::parameter(format!(
                    "there is no permission group {group}"
                )));
            }
            for value in values {
                if lists(allowed, group, value) {
                    permissions.grant(group, value);
                } else if !lists(WITHOUT_EFFECT, group, value) {
                    return Err(Refusal::parameter(format!("{group} does not take {value} here")));
                }
            }
        }
        if permissions.is_empty() {
            return Err(Refusal::parameter("no permission was asked for"));
        }
        Ok(permissions)
    }

    /// Adds `Derivatives`, which the venue sets by itself according to the account's type.
    pub(super) fn completed(mut self, unified: bool, on_every_key: bool) -> Self {
        if unified && (on_every_key || self.0.contains_key("ContractTrade")) {
            self.grant("Derivatives", "DerivativesTrade");
        }
        self
    }

    /// Takes over from `held` what the API can neither grant nor take away.
    pub(super) fn keeping_from(mut self, held: &Self) -> Self {
        for (group, values) in held.0.iter() {
            for value in values {
                let editable = lists(FOR_MASTERS, group, value) || lists(WITHOUT_EFFECT, group, value);
                if !editable && group != "Wallet" {
                    self.grant(group, value);
                }
            }
        }
        self
    }

    fn grant(&mut self, group: &str, value: &str) {
        Arc::make_mut(&mut self.0)
            .entry(group.to_owned())
            .or_default()
            .insert(value.to_owned());
    }
}

fn lists(catalogue: Catalogue, group: &str, value: &str) -> bool {
    catalogue
        .iter()
        .any(|(name, values)| *name == group && values.contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(grants: &[(&str, &[&str])], role: Role) -> Result<Permissions, Refusal> {
        let requested = grants
            .iter()
            .map(|(group, values)| {
                (
                    (*group).to_owned(),
                    values.iter().map(|value| (*value).to_owned()).collect(),
                )
            })
            .collect();
        Permissions::requested(&requested, role)
    }

    #[test]
    fn every_documented_permission_of_a_sub_account_is_accepted() {
        for (group, values) in FOR_SUB_ACCOUNTS {
            assert_eq!(
                requested(&[(group, values)], Role::Sub),
                Ok(Permissions::of(&[(group, values)]))
            );
        }
    }

    #[test]
    fn an_unknown_group_or_value_is_refused() {
        for grants in [
            ("Teleport", ["Beam"]),
            ("Spot", ["SpotMining"]),
            ("Wallet", ["Withdraw"]),
        ] {
            let refusal =
                requested(&[(grants.0, &grants.1)], Role::Sub).expect_err("nobody can be granted this");
            assert_eq!(refusal.ret_code, 10_001);
        }
    }

    #[test]
    fn a_sub_account_is_refused_what_only_masters_may_have() {
        assert!(requested(&[("Wallet", &["SubMemberTransfer"])], Role::Sub).is_err());
        assert!(requested(&[("Wallet", &["SubMemberTransfer"])], Role::Master).is_ok());
    }

    #[test]
    fn asking_for_nothing_is_refused_even_with_empty_groups() {
        assert!(requested(&[], Role::Sub).is_err());
        assert!(requested(&[("Spot", &[]), ("NFT", &[])], Role::Sub).is_err());
    }

    #[test]
    fn deprecated_values_are_taken_and_have_no_effect() {
        let asked: &[(&str, &[&str])] = &[
            ("Spot", &["SpotTrade"]),
            ("CopyTrading", &["CopyTrading"]),
            ("BlockTrade", &[]),
        ];
        assert_eq!(
            requested(asked, Role::Sub),
            Ok(Permissions::of(&[("Spot", &["SpotTrade"])]))
        );
    }

    #[test]
    fn derivatives_come_with_contract_trade_on_unified_accounts() {
        let contract = Permissions::of(&[("ContractTrade", &["Order"])]);
        let spot = Permissions::of(&[("Spot", &["SpotTrade"])]);
        let derivatives = |permissions: Permissions| permissions.grants("Derivatives", "DerivativesTrade");
        assert!(derivatives(contract.clone().completed(true, false)));
        assert!(!derivatives(contract.completed(false, true)));
        assert!(!derivatives(spot.clone().completed(true, false)));
        assert!(derivatives(spot.completed(true, true)));
    }

    #[test]
    fn a_reply_shows_every_group_empty_where_nothing_is_granted() {
        let shown = Permissions::of(&[("Spot", &["SpotTrade"]), ("Teleport", &["Beam"])]).shown();
        assert_eq!(shown.len(), GROUPS.len() + 1);
        assert_eq!(shown["Spot"], ["SpotTrade"]);
        assert_eq!(shown["Teleport"], ["Beam"]);
        for group in [
            "BlockTrade",
            "CopyTrading",
            "NFT",
            "Affiliate",
            "FiatP2P",
            "ByXPost",
        ] {
            assert!(shown[group].is_empty(), "{group}");
        }
    }
}
