//! All secrets that the rotation function rotates, page by page.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::pass::Pass;
use crate::error::Error;
use crate::ports::Description;

/// One of several parts of all secrets: `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, counted from 1.
    part: u32,
    /// Of how many.
    of: u32,
}

impl Shard {
    /// All secrets.
    pub const ALL: Self = Self { part: 1, of: 1 };

    fn holds(self, place: Place) -> bool {
        place.part % u64::from(self.of) == u64::from(self.part - 1)
    }
}

/// No part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is written as in 2/4: the second of four parts")]
pub struct NoShard;

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (part, of) = text.split_once('/').ok_or(NoShard)?;
        let (part, of) = (part.parse().map_err(|_| NoShard)?, of.parse().map_err(|_| NoShard)?);
        if (1..=of).contains(&part) { Ok(Self { part, of }) } else { Err(NoShard) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// Where a secret stands among all: by a digest of its ARN, so that neither names nor ages decide.
#[derive(Clone, Copy, Debug)]
struct Place {
    part: u64,
    order: u64,
}

impl Place {
    fn of(arn: &str) -> Self {
        let digest = Sha256::digest(arn.as_bytes());
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        Self { part: number(&digest[..8]), order: number(&digest[8..16]) }
    }
}

/// Goes through all secrets of a shard, each once, from a random place on, round: whoever runs out of time begins elsewhere the next
/// time, and no secret comes last every time. Two laps over the list instead of a copy of it keep memory flat.
pub(super) struct Walk {
    shard: Shard,
    start: u64,
    lap: Lap,
    after: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lap {
    /// Those from the start on.
    From,
    /// Those before it.
    Before,
    Over,
}

impl Walk {
    pub(super) fn new(shard: Shard, start: u64) -> Self {
        Self { shard, start, lap: Lap::From, after: None }
    }

    /// The managed secrets of the next page; it may be empty. `None` at the end.
    pub(super) async fn next(&mut self, pass: &Pass<'_>) -> Result<Option<Vec<Description>>, Error> {
        if self.lap == Lap::Over {
            return Ok(None);
        }
        let page = pass.list(self.after.as_deref()).await?;
        let mut managed: Vec<(Place, Description)> = page
            .secrets
            .into_iter()
            .filter(|secret| pass.manages(secret))
            .map(|secret| (Place::of(&secret.arn), secret))
            .filter(|(place, _)| self.shard.holds(*place) && (place.order >= self.start) == (self.lap == Lap::From))
            .collect();
        managed.sort_by_key(|(place, _)| place.order);
        self.after = page.next;
        if self.after.is_none() {
            self.lap = if self.lap == Lap::From && self.start > 0 { Lap::Before } else { Lap::Over };
        }
        Ok(Some(managed.into_iter().map(|(_, secret)| secret).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_as_it_is_written_and_nothing_else_is_one() {
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for none in ["", "2", "0/4", "5/4", "1/0", "a/b", "1/2/3", "-1/2"] {
            assert!(none.parse::<Shard>().is_err(), "{none}");
        }
    }

    #[test]
    fn every_secret_is_in_one_part_and_the_parts_are_of_a_size() {
        let mut sizes = [0; 4];
        for number in 0..1000 {
            let place = Place::of(&format!("arn:{number}"));
            let parts = (1..=4).filter(|part| Shard { part: *part, of: 4 }.holds(place));
            let parts: Vec<u32> = parts.collect();
            assert_eq!(parts.len(), 1);
            sizes[usize::try_from(parts[0] - 1).unwrap()] += 1;
        }
        assert!(sizes.iter().all(|size| (200..300).contains(size)), "{sizes:?}");
    }
}
