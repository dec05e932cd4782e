//! A venue's groups in the protocol's words and back, by the venue's own [`Vocabulary`].

use protocol::ports::Powers;
use protocol::secret::{Permission, Permissions, Word};

use crate::venue::{Requested, Settings, Vocabulary};

/// A value that can be granted: its group, itself, and the word it is part of.
type Grantable = (&'static str, &'static str, Word);

/// What a key with these settings may do.
pub(crate) fn powers(vocabulary: &Vocabulary, settings: &Settings) -> Powers {
    let mut powers = Powers::default();
    let (mut held, mut added) = (Vec::new(), Vec::new());
    for (group, value) in settings.permissions.granted() {
        let of = |known: &&Grantable| known.0 == group && known.1 == value;
        if let Some(grantable) = vocabulary.grantable.iter().find(of) {
            held.push(grantable);
        } else if (vocabulary.moves_funds)(group, value) {
            powers.moves_funds.push(format!("{group}:{value}"));
        } else if vocabulary.others.contains(&group) {
            powers.others.push(format!("{group}:{value}"));
        } else if let Some((_, _, word)) = vocabulary.added.iter().find(of) {
            added.push(*word);
        } else {
            powers.unknown.push(format!("{group}:{value}"));
        }
    }
    powers.permissions = if settings.read_only {
        reads(vocabulary, &held)
    } else {
        trades(vocabulary, &held, &added)
    };
    powers
}

/// Whether a key with these settings and powers may only read: by a mark; or where a value stands for
/// reading, by having no other.
pub(super) fn only_reads(vocabulary: &Vocabulary, settings: &Settings, powers: &Powers) -> bool {
    let by_value = vocabulary.grantable.iter().any(|(.., word)| *word == Word::Read);
    let reads = || powers.moves_funds.is_empty() && powers.permissions.iter().all(Permission::only_reads);
    settings.read_only || by_value && reads()
}

/// A key that only reads does so in the groups it has.
fn reads(vocabulary: &Vocabulary, held: &[&Grantable]) -> Permissions {
    if held.len() == vocabulary.grantable.len() {
        return Permissions::from([Word::Read.into()]);
    }
    held.iter()
        .map(|(group, value, _)| Permission::part(Word::Read, format!("{group}.{value}")))
        .collect()
}

fn trades(vocabulary: &Vocabulary, held: &[&Grantable], added: &[Word]) -> Permissions {
    let mut permissions = Permissions::new();
    for word in Word::ALL {
        let parts = vocabulary
            .grantable
            .iter()
            .filter(|(_, _, of)| *of == word)
            .count();
        let granted = || held.iter().filter(|(_, _, of)| *of == word);
        match granted().count() {
            0 => {}
            all if all == parts => drop(permissions.insert(word.into())),
            _ => permissions.extend(granted().map(|(_, part, _)| Permission::part(word, *part))),
        }
    }
    // The venue puts it beside whatever was asked for; alone it is what the key trades by.
    if permissions.is_empty() {
        permissions.extend(added.iter().map(|word| Permission::from(*word)));
    }
    if !permissions.is_empty() {
        permissions.insert(Word::Read.into());
    }
    permissions
}

/// What to ask the venue for: whether the key only reads, and its groups. `None` where the venue has no such
/// thing.
pub(super) fn requested(vocabulary: &Vocabulary, permissions: &Permissions) -> Option<(bool, Requested)> {
    let only_reads = permissions.iter().all(|permission| permission.word == Word::Read);
    let reading = || {
        vocabulary
            .grantable
            .iter()
            .filter(|(_, _, word)| *word == Word::Read)
    };
    let by_flag = reading().next().is_none();
    let mut groups = Requested::new();
    let mut ask_for = |(group, value, _): &Grantable| {
        let values = groups.entry((*group).to_owned()).or_default();
        values.push((*value).to_owned());
    };
    if !only_reads {
        reading().for_each(&mut ask_for);
    }
    for permission in permissions {
        if permission.word == Word::Read && !only_reads {
            continue;
        }
        let wanted = |(group, value, word): &&Grantable| match (permission.word, permission.part.as_deref()) {
            (Word::Read, part) if by_flag => part.is_none_or(|part| part == format!("{group}.{value}")),
            (wanted, part) => *word == wanted && part.is_none_or(|part| part == *value),
        };
        let mut found = vocabulary.grantable.iter().filter(wanted).peekable();
        found.peek()?;
        found.for_each(&mut ask_for);
    }
    Some((only_reads && by_flag, groups))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bybit::PROFILE;
    use crate::venue::{Ips, Permissions as Groups};

    fn words(read_only: bool, groups: &[(&str, &[&str])]) -> Vec<String> {
        powers(&PROFILE.vocabulary, &settings(read_only, groups))
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
            let (read_only, groups) = requested(&PROFILE.vocabulary, &permissions).unwrap();
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
        let groups: &[(&str, &[&str])] = &[
            ("Wallet", &["AccountTransfer"]),
            ("BlockTrade", &["BlockTrade"]),
            ("Spot", &["X"]),
        ];
        let powers = powers(&PROFILE.vocabulary, &settings(true, groups));
        assert_eq!(powers.moves_funds, ["Wallet:AccountTransfer"]);
        assert_eq!(powers.unknown, ["BlockTrade:BlockTrade", "Spot:X"]);
        assert!(powers.permissions.is_empty());
    }

    /// A venue where a value stands for reading, as at OKX, and another for all of a word.
    const COARSE: Vocabulary = Vocabulary {
        grantable: &[("perm", "read_only", Word::Read), ("perm", "trade", Word::Spot)],
        moves_funds: |_, value| value == "withdraw",
        others: &[],
        added: &[],
        issues: |_| true,
    };

    #[test]
    fn a_value_that_stands_for_reading_is_asked_for_beside_every_other() {
        for (asked, values) in [
            (&["read"][..], &["read_only"][..]),
            (&["read", "spot"], &["read_only", "trade"]),
            (&["spot"], &["read_only", "trade"]),
        ] {
            let permissions: Permissions = asked.iter().map(|word| word.parse().unwrap()).collect();
            let (marked, groups) = requested(&COARSE, &permissions).unwrap();
            assert!(!marked);
            assert_eq!(groups["perm"], values);
            let granted = powers(&COARSE, &settings(false, &[("perm", values)])).permissions;
            assert!(permissions.is_subset(&granted), "{granted:?}");
        }
        let powers = powers(&COARSE, &settings(false, &[("perm", &["trade", "withdraw"])]));
        assert_eq!(powers.moves_funds, ["perm:withdraw"]);
        let word = Permissions::from(["options".parse().unwrap()]);
        assert_eq!(requested(&COARSE, &word), None);
    }

    #[test]
    fn what_the_venue_has_not_cannot_be_asked_for() {
        for word in [
            "spot:SpotMining",
            "read:Wallet.Withdraw",
            "derivatives:DerivativesTrade",
        ] {
            assert_eq!(
                requested(&PROFILE.vocabulary, &Permissions::from([word.parse().unwrap()])),
                None,
                "{word}"
            );
        }
    }
}
