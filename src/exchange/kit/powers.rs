//! Our vocabulary in an exchange's own permissions.

use std::collections::BTreeMap;

use protocol::ports::Powers;
use protocol::secret::{Permission, Permissions, Word};
use protocol::shown;

/// An exchange's permissions, each by a name such as `Spot:SpotTrade`: a group, and a value in it.
#[derive(Debug)]
pub(in crate::exchange) struct Vocabulary {
    /// The exchange's name, as it writes it.
    pub(in crate::exchange) exchange: &'static str,
    /// What each word is: one group, and all the values in it.
    pub(in crate::exchange) words: &'static [(Word, &'static str, &'static [&'static str])],
    /// A permission that the exchange adds by itself, and what it means where it stands alone.
    pub(in crate::exchange) added: (&'static str, &'static str, Word),
    /// The groups that move funds.
    pub(in crate::exchange) moves_funds: &'static [&'static str],
    /// The groups that are known, and move nothing out of the account.
    pub(in crate::exchange) harmless: &'static [&'static str],
}

/// An exchange's permissions as requests and replies have them: group to values.
pub(in crate::exchange) type Groups = BTreeMap<String, Vec<String>>;

/// A permission of an exchange: its group, and the value in it.
type Named<'a> = (&'a str, &'a str);

impl Vocabulary {
    /// What a key with these permissions may do.
    pub(in crate::exchange) fn powers(&self, read_only: bool, groups: &Groups) -> Powers {
        let held: Vec<Named<'_>> = groups
            .iter()
            .flat_map(|(group, values)| values.iter().map(|value| (group.as_str(), value.as_str())))
            .collect();
        let mut powers = Powers::default();
        let (added_group, added, alone) = self.added;
        for (group, value) in &held {
            let shown = || format!("{}:{}", shown(group), shown(value));
            match self.words.iter().find(|(_, name, _)| name == group) {
                Some((_, _, known)) if known.contains(value) => {}
                None if (*group, *value) == (added_group, added) => {}
                None if self.moves_funds.contains(group) => powers.moves_funds.push(shown()),
                None if self.harmless.contains(group) => powers.others.push(shown()),
                _ => powers.unknown.push(shown()),
            }
        }
        if read_only {
            powers.permissions = self.readable(&held);
            return powers;
        }
        for (word, group, values) in self.words {
            let parts: Vec<&&str> = values
                .iter()
                .filter(|value| held.contains(&(*group, **value)))
                .collect();
            if parts.len() == values.len() {
                powers.permissions.insert(Permission::whole(*word));
            } else {
                let parts = parts.into_iter().map(|value| Permission::part(*word, *value));
                powers.permissions.extend(parts);
            }
        }
        // On its own it is what the key trades by.
        if powers.permissions.is_empty() && held.contains(&(added_group, added)) {
            powers.permissions.insert(Permission::whole(alone));
        }
        if !powers.permissions.is_empty() {
            powers.permissions.insert(Permission::whole(Word::Read));
        }
        powers
    }

    /// What a read-only key may read: all there is, or what it has, each as a part (`read:Spot.SpotTrade`).
    fn readable(&self, held: &[Named<'_>]) -> Permissions {
        let seen: Vec<Named<'_>> = self.all().filter(|named| held.contains(named)).collect();
        if seen.len() == self.all().count() {
            return Permissions::from([Permission::whole(Word::Read)]);
        }
        seen.into_iter()
            .map(|(group, value)| Permission::part(Word::Read, format!("{group}.{value}")))
            .collect()
    }

    /// What to ask the exchange for: whether the key is to be read-only, and its permissions.
    ///
    /// # Errors
    /// A word, or a part of one, that the exchange has not.
    pub(in crate::exchange) fn request(&self, permissions: &Permissions) -> Result<(bool, Groups), String> {
        let read_only = permissions.iter().all(|permission| permission.word == Word::Read);
        let mut asked = Vec::new();
        for permission in permissions {
            let unknown = || {
                format!(
                    "{} has nothing like the permission `{}`",
                    self.exchange,
                    shown(&permission.to_string())
                )
            };
            let before = asked.len();
            match (permission.word, permission.part.as_deref()) {
                // Reading comes with every other word.
                (Word::Read, _) if !read_only => continue,
                (Word::Read, None) => asked.extend(self.all()),
                (Word::Read, Some(part)) => {
                    let part = part.split_once('.').ok_or_else(unknown)?;
                    asked.extend(self.all().filter(|named| *named == part));
                }
                (word, part) => {
                    let of_word = self.words.iter().find(|(known, ..)| *known == word);
                    let (_, group, values) = of_word.ok_or_else(unknown)?;
                    let wanted = values
                        .iter()
                        .filter(|value| part.is_none_or(|part| part == **value));
                    asked.extend(wanted.map(|value| (*group, *value)));
                }
            }
            if asked.len() == before {
                return Err(unknown());
            }
        }
        let mut groups = Groups::new();
        for (group, value) in asked {
            groups.entry(group.to_owned()).or_default().push(value.to_owned());
        }
        Ok((read_only, groups))
    }

    /// The groups that a key has among those that words stand for, and those that move funds.
    pub(in crate::exchange) fn groups_of(&self, powers: &Powers) -> impl Iterator<Item = &'static str> {
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
        let named = self
            .words
            .iter()
            .filter(move |(word, group, _)| has(*word, group))
            .map(|(_, group, _)| *group);
        let moves = self.moves_funds.iter().filter(|_| !powers.moves_funds.is_empty());
        named.chain(moves.copied())
    }

    fn all(&self) -> impl Iterator<Item = Named<'static>> {
        self.words
            .iter()
            .flat_map(|(_, group, values)| values.iter().map(move |value| (*group, *value)))
    }
}
