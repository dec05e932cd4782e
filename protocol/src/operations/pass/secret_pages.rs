//! All secrets, page by page: those that the rotation function rotates, and those that are named like them.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::name::{Environment, VenueId};
use crate::operations::pass::Pass;
use crate::ports::Description;

/// More parts than that have no alarm.
const MOST_PARTS: u32 = 16;

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

    fn holds(self, place: u64) -> bool {
        place % u64::from(self.of) == u64::from(self.part - 1)
    }
}

/// No part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is written as in 2/4: the second of four parts, of 16 at the most")]
pub struct NoShard;

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (part, of) = text.split_once('/').ok_or(NoShard)?;
        let (part, of) = (
            part.parse().map_err(|_| NoShard)?,
            of.parse().map_err(|_| NoShard)?,
        );
        let shard = Self { part, of };
        // One spelling: an alarm counts a shard's passes by it.
        if (1..=of).contains(&part) && of <= MOST_PARTS && shard.to_string() == text {
            Ok(shard)
        } else {
            Err(NoShard)
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

/// Which part of all secrets one belongs to: by a digest of its ARN, so that neither names nor ages decide.
fn place(arn: &str) -> u64 {
    Sha256::digest(arn.as_bytes())
        .iter()
        .take(8)
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Goes through all secrets of a shard, each once, in the order of the list, from a random one on and round:
/// whoever runs out of time begins elsewhere the next time, and no secret comes last every time. Laps over
/// the list instead of a copy of it keep memory flat.
pub(crate) struct SecretPages {
    shard: Shard,
    managed: bool,
    /// The one to begin with, counted from 0.
    start: u64,
    lap: Lap,
    /// How many were passed in this lap.
    passed: u64,
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

impl SecretPages {
    /// Every managed secret of every shard, from the first on.
    pub(crate) fn of_all() -> Self {
        Self {
            shard: Shard::ALL,
            managed: true,
            start: 0,
            lap: Lap::From,
            passed: 0,
            after: None,
        }
    }

    /// The secrets of a shard whether they are rotated or not, from a page of the list on.
    pub(crate) fn of_every_secret(shard: Shard, after: Option<String>) -> Self {
        Self {
            shard,
            managed: false,
            after: after.filter(|after| !after.is_empty()),
            ..Self::of_all()
        }
    }

    /// The managed secrets of a shard from a random one on; with how many there are.
    pub(crate) async fn round(pass: &Pass<'_>, shard: Shard, random: u64) -> Result<(Self, u64), Error> {
        let mut count = Self {
            shard,
            ..Self::of_all()
        };
        while count.next(pass).await?.is_some() {}
        let start = random.checked_rem(count.passed).unwrap_or_default();
        Ok((
            Self {
                shard,
                start,
                ..Self::of_all()
            },
            count.passed,
        ))
    }

    /// The secrets of the next page; there may be none on it. `None` at the end.
    pub(crate) async fn next(&mut self, pass: &Pass<'_>) -> Result<Option<Vec<Description>>, Error> {
        if self.lap == Lap::Over {
            return Ok(None);
        }
        let page = pass.list(self.after.as_deref()).await?;
        let mut secrets = Vec::new();
        for secret in page.secrets {
            if (self.managed && !pass.manages(&secret)) || !self.shard.holds(place(&secret.arn)) {
                continue;
            }
            if (self.passed >= self.start) == (self.lap == Lap::From) {
                secrets.push(secret);
            }
            self.passed += 1;
        }
        self.after = page.next;
        if self.after.is_none() || (self.lap == Lap::Before && self.passed >= self.start) {
            self.lap = if self.lap == Lap::From && self.start > 0 {
                Lap::Before
            } else {
                Lap::Over
            };
            (self.after, self.passed) = (None, if self.lap == Lap::Before { 0 } else { self.passed });
        }
        Ok(Some(secrets))
    }

    /// Where the page begins that comes next.
    pub(crate) fn next_page(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

/// Whether the name says at which exchange its key is, of those that are rotated here; the environment may
/// stand in the value.
pub(crate) fn is_named_for_a_venue(pass: &Pass<'_>, secret: &Description) -> bool {
    let Ok((Some(exchange), environment)) = secret.name.place(None, None) else {
        return false;
    };
    let venue = VenueId {
        exchange,
        environment: environment.unwrap_or(Environment::Mainnet),
    };
    pass.ports.venues.venue(&venue).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_as_it_is_written_and_nothing_else_is_one() {
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for none in [
            "", "2", "0/4", "5/4", "1/0", "a/b", "1/2/3", "-1/2", "+1/2", "01/2", "1/17", "1/ 2",
        ] {
            assert!(none.parse::<Shard>().is_err(), "{none}");
        }
    }

    #[test]
    fn every_secret_is_in_one_part_and_the_parts_are_of_a_size() {
        let mut sizes = [0; 4];
        for number in 0..1000 {
            let place = place(&format!("arn:{number}"));
            let parts = (1..=4).filter(|part| Shard { part: *part, of: 4 }.holds(place));
            let parts: Vec<u32> = parts.collect();
            assert_eq!(parts.len(), 1);
            sizes[usize::try_from(parts[0] - 1).unwrap()] += 1;
        }
        assert!(sizes.iter().all(|size| (200..300).contains(size)), "{sizes:?}");
    }
}
