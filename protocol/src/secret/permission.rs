//! The small vocabulary of what a key may do. Withdrawing and transferring are not in it: they cannot be
//! asked for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::shown;

/// A word of the vocabulary, which each venue's module maps to the venue's own permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// Convert one coin into another within the account.
    Convert,
    /// Trade futures and perpetuals.
    Derivatives,
    /// Subscribe to and redeem from the venue's yield products.
    Earn,
    /// Trade options.
    Options,
    /// Read balances, orders and positions. Implied by every other word.
    Read,
    /// Trade spot.
    Spot,
    /// Trade whatever the venue has, where it grants trading as a whole.
    Trade,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 7] = [
        Self::Convert,
        Self::Derivatives,
        Self::Earn,
        Self::Options,
        Self::Read,
        Self::Spot,
        Self::Trade,
    ];

    /// The word as a policy spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Convert => "convert",
            Self::Derivatives => "derivatives",
            Self::Earn => "earn",
            Self::Options => "options",
            Self::Read => "read",
            Self::Spot => "spot",
            Self::Trade => "trade",
        }
    }
}

/// One permission: a whole word, or the part of it that a hand-made key was given (`derivatives:Order`),
/// which a successor inherits as it is: never more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// The word.
    pub word: Word,
    /// The venue's own name of the part; `None` for all of the word.
    pub part: Option<String>,
}

/// A set of permissions, in alphabetical order.
pub type Permissions = BTreeSet<Permission>;

impl Permission {
    /// All of a word.
    pub fn whole(word: Word) -> Self {
        Self { word, part: None }
    }

    /// A part of a word, by the venue's own name for it.
    pub fn part(word: Word, part: impl Into<String>) -> Self {
        Self {
            word,
            part: Some(part.into()),
        }
    }

    /// Whether it is reading, which every key may that may do anything.
    pub fn only_reads(&self) -> bool {
        *self == Self::whole(Word::Read)
    }

    /// Whether who holds `self` may do all that `other` allows.
    pub fn covers(&self, other: &Self) -> bool {
        self.word == other.word && (self.part.is_none() || self.part == other.part)
    }
}

impl From<Word> for Permission {
    fn from(word: Word) -> Self {
        Self::whole(word)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word.as_str())?;
        self.part.as_ref().map_or(Ok(()), |part| write!(f, ":{part}"))
    }
}

/// A word that is not in the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PermissionError {
    /// It would let the key move funds, which no key of ours may.
    #[error("`{0}` moves funds: a rotated key can never have it")]
    MovesFunds(String),
    /// Not a word we know.
    #[error("`{0}` is not one of read, spot, derivatives, options, earn, convert, trade")]
    Unknown(String),
}

impl FromStr for Permission {
    type Err = PermissionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, part) = text
            .split_once(':')
            .map_or((text, None), |(word, part)| (word, Some(part)));
        match Word::ALL.into_iter().find(|known| known.as_str() == word) {
            Some(word) if part != Some("") => Ok(Self {
                word,
                part: part.map(str::to_owned),
            }),
            _ if ["withdraw", "withdrawal", "transfer", "wallet"].contains(&word.to_lowercase().as_str()) => {
                Err(PermissionError::MovesFunds(shown(text)))
            }
            _ => Err(PermissionError::Unknown(shown(text))),
        }
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_funds_can_be_asked_for() {
        for word in [
            "withdraw",
            "Withdraw",
            "transfer",
            "Wallet",
            "wallet:AccountTransfer",
        ] {
            assert!(
                matches!(word.parse::<Permission>(), Err(PermissionError::MovesFunds(_))),
                "{word}"
            );
        }
        for word in ["", "trading", "spot:", "SPOT", "*"] {
            assert!(
                matches!(word.parse::<Permission>(), Err(PermissionError::Unknown(_))),
                "{word}"
            );
        }
    }

    #[test]
    fn every_permission_reads_back_as_it_was_written() {
        for permission in Word::ALL
            .map(Permission::whole)
            .into_iter()
            .chain([Permission::part(Word::Derivatives, "Order")])
        {
            assert_eq!(permission.to_string().parse::<Permission>().unwrap(), permission);
        }
    }

    #[test]
    fn a_part_covers_itself_alone() {
        let (whole, order, position) = (
            Permission::whole(Word::Derivatives),
            Permission::part(Word::Derivatives, "Order"),
            Permission::part(Word::Derivatives, "Position"),
        );
        assert!(whole.covers(&order) && order.covers(&order));
        assert!(!order.covers(&whole) && !order.covers(&position) && !whole.covers(&Word::Spot.into()));
    }
}
