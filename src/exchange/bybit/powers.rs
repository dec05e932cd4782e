//! Our vocabulary in Bybit's permission groups. Source: `docs/v5/user/create-subuid-apikey` and
//! `docs/v5/user/apikey-info`.

use protocol::secret::Word;

use crate::exchange::kit::powers::Vocabulary;

pub(super) const VOCABULARY: Vocabulary = Vocabulary {
    exchange: "Bybit",
    words: &[
        (Word::Derivatives, "ContractTrade", &["Order", "Position"]),
        (Word::Spot, "Spot", &["SpotTrade"]),
        (Word::Options, "Options", &["OptionsTrade"]),
        (Word::Earn, "Earn", &["Earn"]),
        (Word::Convert, "Exchange", &["ExchangeHistory"]),
    ],
    // According to the account's type, and beside whatever was asked for.
    added: ("Derivatives", "DerivativesTrade", Word::Derivatives),
    // Transfers and withdrawals.
    moves_funds: &["Wallet"],
    harmless: &["Affiliate", "CopyTrading", "NFT"],
};

#[cfg(test)]
mod tests {
    use protocol::ports::Powers;
    use protocol::secret::Permissions;

    use super::*;
    use crate::exchange::kit::powers::Groups;

    fn powers(read_only: bool, groups: &Groups) -> Powers {
        VOCABULARY.powers(read_only, groups)
    }

    fn request(permissions: &Permissions) -> Result<(bool, Groups), String> {
        VOCABULARY.request(permissions)
    }

    fn groups(groups: &[(&str, &[&str])]) -> Groups {
        groups
            .iter()
            .map(|(group, values)| {
                (
                    (*group).into(),
                    values.iter().map(|value| (*value).into()).collect(),
                )
            })
            .collect()
    }

    fn words(powers: &Powers) -> Vec<String> {
        powers.permissions.iter().map(ToString::to_string).collect()
    }

    fn permissions(words: &[&str]) -> Permissions {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    #[test]
    fn every_permission_asked_for_is_the_permission_held() {
        for asked in [
            &["read", "spot"][..],
            &["convert", "derivatives", "earn", "options", "read", "spot"],
            &["derivatives:Order", "read"],
            &["read"],
            &["read:ContractTrade.Order", "read:Spot.SpotTrade"],
        ] {
            let (read_only, groups) = request(&permissions(asked)).unwrap();
            assert_eq!(words(&powers(read_only, &groups)), asked);
        }
    }

    #[test]
    fn what_bybit_adds_by_itself_is_neither_more_nor_unknown() {
        let trading = groups(&[
            ("ContractTrade", &["Order", "Position"]),
            ("Derivatives", &["DerivativesTrade"]),
        ]);
        assert_eq!(words(&powers(false, &trading)), ["derivatives", "read"]);
        let spot = groups(&[("Spot", &["SpotTrade"]), ("Derivatives", &["DerivativesTrade"])]);
        assert_eq!(words(&powers(false, &spot)), ["read", "spot"]);
        let alone = groups(&[("Derivatives", &["DerivativesTrade"])]);
        assert_eq!(words(&powers(false, &alone)), ["derivatives", "read"]);
    }

    #[test]
    fn what_moves_funds_or_is_unknown_is_forbidden_and_an_empty_group_is_not() {
        let powers = powers(
            false,
            &groups(&[
                ("Wallet", &["AccountTransfer", "Withdraw"]),
                ("Spot", &["SpotTrade", "SpotSomething"]),
                ("NewThing", &["X"]),
                ("CopyTrading", &["CopyTrading"]),
                ("NFT", &[]),
            ]),
        );
        assert_eq!(powers.others, ["CopyTrading:CopyTrading"]);
        assert!(
            !powers.forbidden().contains(&powers.others[0])
                && powers.beyond(&Permissions::new()).contains(&powers.others[0])
        );
        assert_eq!(
            VOCABULARY.groups_of(&powers).collect::<Vec<_>>(),
            ["Spot", "Wallet"]
        );
        assert_eq!(powers.moves_funds, ["Wallet:AccountTransfer", "Wallet:Withdraw"]);
        assert_eq!(powers.unknown, ["NewThing:X", "Spot:SpotSomething"]);
        assert_eq!(words(&powers), ["read", "spot"]);
    }

    #[test]
    fn a_part_of_a_group_never_grows_into_the_whole() {
        let powers = powers(
            false,
            &groups(&[
                ("ContractTrade", &["Order"]),
                ("Derivatives", &["DerivativesTrade"]),
            ]),
        );
        let (_, asked) = request(&powers.permissions).unwrap();
        assert_eq!(asked, groups(&[("ContractTrade", &["Order"])]));
    }

    #[test]
    fn a_part_that_bybit_has_not_is_refused() {
        for part in [
            "derivatives:Withdraw",
            "read:Wallet.Withdraw",
            "spot:x",
            "read:Spot",
        ] {
            assert!(request(&permissions(&[part])).is_err(), "{part}");
        }
    }
}
