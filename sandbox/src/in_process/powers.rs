//! Bybit's groups in the protocol's vocabulary and back, written from the venue's facts and apart from the
//! function's own mapping: where the two disagree, one of them is wrong.

use protocol::ports::Powers;
use protocol::secret::{Permission, Permissions, Word};

use crate::bybit::{Requested, Settings};

/// All that a sub-account's key can be granted without moving funds: group, value, and the word it is part
/// of.
const GRANTABLE: [(&str, &str, Word); 6] = [
    ("ContractTrade", "Order", Word::Derivatives),
    ("ContractTrade", "Position", Word::Derivatives),
    ("Earn", "Earn", Word::Earn),
    ("Exchange", "ExchangeHistory", Word::Convert),
    ("Options", "OptionsTrade", Word::Options),
    ("Spot", "SpotTrade", Word::Spot),
];

/// Which of the [`GRANTABLE`] a key holds.
type Held = [bool; GRANTABLE.len()];

/// What a key with these settings may do.
pub(crate) fn powers(settings: &Settings) -> Powers {
    let mut powers = Powers::default();
    let (mut held, mut added_by_the_system) = (Held::default(), false);
    for (group, value) in settings.permissions.granted() {
        match GRANTABLE
            .iter()
            .position(|(known, part, _)| *known == group && *part == value)
        {
            Some(at) => held[at] = true,
            None if group == "Wallet" => powers.moves_funds.push(format!("{group}:{value}")),
            None if ["Affiliate", "CopyTrading", "NFT"].contains(&group) => {
                powers.others.push(format!("{group}:{value}"));
            }
            None if group == "Derivatives" && value == "DerivativesTrade" => added_by_the_system = true,
            None => powers.unknown.push(format!("{group}:{value}")),
        }
    }
    powers.permissions = if settings.read_only {
        reads(held)
    } else {
        trades(held, added_by_the_system)
    };
    powers
}

/// The values that a key holds, with the words they are part of.
fn of(held: Held) -> impl Iterator<Item = &'static (&'static str, &'static str, Word)> {
    GRANTABLE
        .iter()
        .zip(held)
        .filter(|(_, held)| *held)
        .map(|(grantable, _)| grantable)
}

/// A key that only reads does so in the groups it has.
fn reads(held: Held) -> Permissions {
    if held.iter().all(|held| *held) {
        return Permissions::from([Word::Read.into()]);
    }
    of(held)
        .map(|(group, value, _)| Permission::part(Word::Read, format!("{group}.{value}")))
        .collect()
}

fn trades(held: Held, derivatives_by_the_system: bool) -> Permissions {
    let mut permissions = Permissions::new();
    for word in Word::ALL {
        let parts = GRANTABLE.iter().filter(|(_, _, of)| *of == word).count();
        let granted = || of(held).filter(|(_, _, of)| *of == word);
        match granted().count() {
            0 => {}
            all if all == parts => drop(permissions.insert(word.into())),
            _ => permissions.extend(granted().map(|(_, part, _)| Permission::part(word, *part))),
        }
    }
    // The system puts it beside whatever was asked for; alone it is what the key trades by.
    if derivatives_by_the_system && permissions.is_empty() {
        permissions.insert(Word::Derivatives.into());
    }
    if !permissions.is_empty() {
        permissions.insert(Word::Read.into());
    }
    permissions
}

/// What to ask the venue for: whether the key only reads, and its groups. `None` where the venue has no such
/// thing.
pub(super) fn requested(permissions: &Permissions) -> Option<(bool, Requested)> {
    let read_only = permissions.iter().all(|permission| permission.word == Word::Read);
    let mut groups = Requested::new();
    for permission in permissions {
        if permission.word == Word::Read && !read_only {
            continue;
        }
        let wanted = |(group, value, word): &&(&str, &str, Word)| match (
            permission.word,
            permission.part.as_deref(),
        ) {
            (Word::Read, part) => part.is_none_or(|part| part == format!("{group}.{value}")),
            (wanted, part) => *word == wanted && part.is_none_or(|part| part == *value),
        };
        let mut found = GRANTABLE.iter().filter(wanted).peekable();
        found.peek()?;
        for (group, value, _) in found {
            groups
                .entry((*group).to_owned())
                .or_default()
                .push((*value).to_owned());
        }
    }
    Some((read_only, groups))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::{Ips, Permissions as Groups};

    fn words(read_only: bool, groups: &[(&str, &[&str])]) -> Vec<String> {
        powers(&settings(read_only, groups))
            .permissions
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn settings(read_only: bool, groups: &[(&str, &[&str])]) -> Settings {
        Settings {
            note: String::new(),
            read_only,
            ips: Ips::Any,
            permissions: Groups::of(groups),
        }
    }

    #[test]
    fn what_was_asked_for_is_what_the_key_has() {
        for asked in [
            &["read", "spot"][..],
            &["convert", "derivatives", "earn", "options", "read", "spot"],
            &["derivatives:Position", "read"],
            &["read"],
            &["read:Earn.Earn", "read:Spot.SpotTrade"],
        ] {
            let permissions: Permissions = asked.iter().map(|word| word.parse().unwrap()).collect();
            let (read_only, groups) = requested(&permissions).unwrap();
            let groups: Vec<(&str, Vec<&str>)> = groups
                .iter()
                .map(|(group, values)| (group.as_str(), values.iter().map(String::as_str).collect()))
                .collect();
            let groups: Vec<(&str, &[&str])> = groups
                .iter()
                .map(|(group, values)| (*group, values.as_slice()))
                .collect();
            assert_eq!(words(read_only, &groups), asked);
        }
    }

    #[test]
    fn what_the_system_adds_counts_only_where_the_key_trades_by_nothing_else() {
        let added: (&str, &[&str]) = ("Derivatives", &["DerivativesTrade"]);
        assert_eq!(words(false, &[("Spot", &["SpotTrade"]), added]), ["read", "spot"]);
        assert_eq!(
            words(false, &[("ContractTrade", &["Order"]), added]),
            ["derivatives:Order", "read"]
        );
        assert_eq!(words(false, &[added]), ["derivatives", "read"]);
    }

    #[test]
    fn what_moves_funds_or_is_unknown_is_said_in_the_venues_words() {
        let powers = powers(&settings(
            true,
            &[
                ("Wallet", &["AccountTransfer"]),
                ("BlockTrade", &["BlockTrade"]),
                ("Spot", &["X"]),
            ],
        ));
        assert_eq!(powers.moves_funds, ["Wallet:AccountTransfer"]);
        assert_eq!(powers.unknown, ["BlockTrade:BlockTrade", "Spot:X"]);
        assert!(powers.permissions.is_empty());
    }

    #[test]
    fn what_the_venue_has_not_cannot_be_asked_for() {
        for word in [
            "spot:SpotMining",
            "read:Wallet.Withdraw",
            "derivatives:DerivativesTrade",
        ] {
            assert_eq!(
                requested(&Permissions::from([word.parse().unwrap()])),
                None,
                "{word}"
            );
        }
    }
}
