//! Our vocabulary in Bybit's permission groups. Source: `docs/v5/user/create-subuid-apikey` and
//! `docs/v5/user/apikey-info`.

use std::collections::BTreeMap;

use protocol::ports::Powers;
use protocol::secret::{Permission, Permissions, Word};
use protocol::shown;

/// Bybit's permissions: group to values.
pub(super) type Groups = BTreeMap<String, Vec<String>>;

/// What each word is at Bybit: one group, and all the values in it.
const MAPPING: [(Word, &str, &[&str]); 5] = [
    (Word::Derivatives, "ContractTrade", &["Order", "Position"]),
    (Word::Spot, "Spot", &["SpotTrade"]),
    (Word::Options, "Options", &["OptionsTrade"]),
    (Word::Earn, "Earn", &["Earn"]),
    (Word::Convert, "Exchange", &["ExchangeHistory"]),
];

/// Bybit adds this group by itself, according to the account's type and beside whatever was asked for.
const ADDED_BY_BYBIT: (&str, &str) = ("Derivatives", "DerivativesTrade");
/// Transfers and withdrawals.
const MOVES_FUNDS: &str = "Wallet";
/// What moves nothing out of the account. Source: the groups of `docs/v5/user/apikey-info`.
const HARMLESS: [&str; 3] = ["Affiliate", "CopyTrading", "NFT"];

/// What a key with these groups may do.
pub(super) fn powers(read_only: bool, groups: &Groups) -> Powers {
    let mut powers = Powers::default();
    for (group, values) in groups {
        let mapped = MAPPING.iter().find(|(_, name, _)| name == group);
        for value in values {
            let shown = format!("{}:{}", shown(group), shown(value));
            match mapped {
                Some((_, _, known)) if known.contains(&value.as_str()) => {}
                None if (group.as_str(), value.as_str()) == ADDED_BY_BYBIT => {}
                None if group == MOVES_FUNDS => powers.moves_funds.push(shown),
                None if HARMLESS.contains(&group.as_str()) => powers.others.push(shown),
                _ => powers.unknown.push(shown),
            }
        }
    }
    let held = |group: &str, value: &str| {
        groups
            .get(group)
            .is_some_and(|values| values.iter().any(|held| held == value))
    };
    if read_only {
        powers.permissions = readable(held);
        return powers;
    }
    for (word, group, values) in MAPPING {
        if values.iter().all(|value| held(group, value)) {
            powers.permissions.insert(Permission::whole(word));
        } else {
            let parts = values
                .iter()
                .filter(|value| held(group, value))
                .map(|value| Permission::part(word, *value));
            powers.permissions.extend(parts);
        }
    }
    // On its own it is what the key trades by.
    if powers.permissions.is_empty() && held(ADDED_BY_BYBIT.0, ADDED_BY_BYBIT.1) {
        powers.permissions.insert(Permission::whole(Word::Derivatives));
    }
    if !powers.permissions.is_empty() {
        powers.permissions.insert(Permission::whole(Word::Read));
    }
    powers
}

/// What a read-only key may read: all there is, or the groups it has, each as a part (`read:Spot.SpotTrade`).
fn readable(held: impl Fn(&str, &str) -> bool) -> Permissions {
    let all = MAPPING
        .iter()
        .flat_map(|(_, group, values)| values.iter().map(move |value| (*group, *value)));
    let seen: Vec<(&str, &str)> = all.clone().filter(|(group, value)| held(group, value)).collect();
    if seen.len() == all.count() {
        return Permissions::from([Permission::whole(Word::Read)]);
    }
    seen.into_iter()
        .map(|(group, value)| Permission::part(Word::Read, format!("{group}.{value}")))
        .collect()
}

/// What to ask Bybit for: whether the key is to be read-only, and its groups.
///
/// # Errors
/// A part of a word that Bybit has not.
pub(super) fn request(permissions: &Permissions) -> Result<(bool, Groups), String> {
    let read_only = permissions.iter().all(|permission| permission.word == Word::Read);
    let mut groups = Groups::new();
    let mut add =
        |group: &str, value: &str| groups.entry(group.to_owned()).or_default().push(value.to_owned());
    for permission in permissions {
        let unknown = || {
            format!(
                "Bybit has nothing like the permission `{}`",
                shown(&permission.to_string())
            )
        };
        match (permission.word, &permission.part) {
            // Reading comes with every other word.
            (Word::Read, _) if !read_only => {}
            (Word::Read, None) => {
                for (_, group, values) in MAPPING {
                    for value in values {
                        add(group, value);
                    }
                }
            }
            (Word::Read, Some(part)) => {
                let (group, value) = part.split_once('.').ok_or_else(unknown)?;
                let known = MAPPING
                    .iter()
                    .any(|(_, name, values)| *name == group && values.contains(&value));
                if !known {
                    return Err(unknown());
                }
                add(group, value);
            }
            (word, part) => {
                let (_, group, values) = MAPPING
                    .iter()
                    .find(|(known, ..)| *known == word)
                    .ok_or_else(unknown)?;
                match part {
                    None => values.iter().for_each(|value| add(group, value)),
                    Some(part) if values.contains(&part.as_str()) => add(group, part),
                    Some(_) => return Err(unknown()),
                }
            }
        }
    }
    Ok((read_only, groups))
}

/// The groups that a key has, as far as an edit is documented to take them. Source:
/// `docs/v5/user/modify-subuid-apikey`.
pub(super) fn groups_of(powers: &Powers) -> impl Iterator<Item = &'static str> {
    let reads_all = powers.permissions.iter().eq([&Permission::whole(Word::Read)]);
    let has = move |word: Word, group: &str| {
        reads_all
            || powers.permissions.iter().any(|held| match held.part.as_deref() {
                Some(part) if held.word == Word::Read => {
                    part.split_once('.').is_some_and(|(of, _)| of == group)
                }
                _ => held.word == word,
            })
    };
    let mapped = MAPPING
        .iter()
        .filter(move |(word, group, _)| has(*word, group))
        .map(|(_, group, _)| *group);
    mapped.chain((!powers.moves_funds.is_empty()).then_some(MOVES_FUNDS))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(groups_of(&powers).collect::<Vec<_>>(), ["Spot", "Wallet"]);
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
