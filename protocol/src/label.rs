//! Versions and the staging labels on them, AWS's and our own: the only durable facts the protocol keeps.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The most staging labels one secret can hold over all its versions. Source: AWS, Secrets Manager quotas.
pub const MOST_LABELS: usize = 20;

/// The id of a secret's version; for a rotation, its ClientRequestToken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionId(String);

impl VersionId {
    /// Takes an id as Secrets Manager gives it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters, which our stamps carry.
    pub fn short(&self) -> String {
        self.0.chars().take(8).collect()
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A staging label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// Takes a label as Secrets Manager gives it.
    pub fn new(label: impl Into<String>) -> Self {
        Self(label.into())
    }

    /// AWSCURRENT: the version consumers read.
    pub fn current() -> Self {
        Self::new("AWSCURRENT")
    }

    /// AWSPENDING: the version a rotation is building.
    pub fn pending() -> Self {
        Self::new("AWSPENDING")
    }

    /// AWSPREVIOUS: the version that was current last.
    pub fn previous() -> Self {
        Self::new("AWSPREVIOUS")
    }

    /// CANDIDATE: a person stored this credential for the next rotation.
    pub fn candidate() -> Self {
        Self::new("CANDIDATE")
    }

    /// ROLLBACK: the next rotation copies this credential.
    pub fn rollback() -> Self {
        Self::new("ROLLBACK")
    }

    /// COMPROMISED: a leaked version.
    pub fn compromised() -> Self {
        Self::new("COMPROMISED")
    }

    /// REVOKE_FIRST: a leaked version whose key a person wants dead at once, held or not.
    pub fn revoke_first() -> Self {
        Self::new("REVOKE_FIRST")
    }

    /// The label's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the label stamps, where it is a stamp of ours.
    pub fn stamp(&self) -> Option<Stamp> {
        let (kind, rest) = self.0.split_once('-')?;
        let kind = [StampKind::Replaced, StampKind::Condemned, StampKind::Suspect]
            .into_iter()
            .find(|known| known.prefix() == kind)?;
        let (at, _version) = rest.split_once('-')?;
        let at = DateTime::strptime("%Y%m%dT%H%M%SZ", at)
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp();
        Some(Stamp { kind, at })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A fact with its time, kept as a label: `REPLACED-<utc>-<8 of the version id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What happened.
    pub kind: StampKind,
    /// When, to the second, by the clock of the function that stamped.
    pub at: Timestamp,
}

impl Stamp {
    /// The label that stamps `version`. The version's own characters keep two versions' labels of one second
    /// apart: a label sits on one version, and moving it would lose the other's stamp.
    pub fn label(self, version: &VersionId) -> Label {
        let at = self.at.strftime("%Y%m%dT%H%M%SZ");
        Label::new(format!("{}-{at}-{}", self.kind.prefix(), version.short()))
    }
}

/// What a stamp says of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampKind {
    /// It was current and is not any more; grace counts from here.
    Replaced,
    /// It can never be promoted, or its grace is over: a later pass revokes its key.
    Condemned,
    /// It is current, and its key was definitely rejected once: a later pass decides.
    Suspect,
}

impl StampKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Replaced => "REPLACED",
            Self::Condemned => "CONDEMNED",
            Self::Suspect => "SUSPECT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_back_as_it_was_written() {
        let at: Timestamp = "2026-11-21T06:30:01Z".parse().unwrap();
        let label = Stamp {
            kind: StampKind::Replaced,
            at,
        }
        .label(&VersionId::new("1a2b3c4d-5e6f"));
        assert_eq!(label.as_str(), "REPLACED-20261121T063001Z-1a2b3c4d");
        assert_eq!(
            label.stamp(),
            Some(Stamp {
                kind: StampKind::Replaced,
                at
            })
        );
    }

    #[test]
    fn a_label_that_merely_resembles_a_stamp_is_none() {
        for label in [
            "REPLACED",
            "REPLACED-",
            "REPLACED-yesterday-1a2b3c4d",
            "CONDEMNED-20261301T000000Z-x",
            "AWSCURRENT",
        ] {
            assert_eq!(Label::new(label).stamp(), None, "{label}");
        }
    }
}
