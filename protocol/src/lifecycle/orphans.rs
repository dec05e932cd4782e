//! Keys that bear this secret's marker and that no version names.

use super::answer::Code;
use super::tending::Tending;
use crate::error::Error;
use crate::hand::{Desk, must_fit};
use crate::label::{Label, StampKind, VersionId};
use crate::marker::Marker;
use crate::ports::{Description, KeyList, ListedKey, Which};
use crate::rotation::{NONE_PURGED_BELOW, settled};
use crate::secret::{KeyId, SecretValue};
use crate::wrong::{self, Wrong};

/// What is known of the version that a key was issued for.
enum IssuedFor {
    /// It names this very key.
    Names,
    /// It has another value, or none, and will never name this one.
    NamesAnother,
    /// It is not known.
    Unknown,
}

impl Tending<'_> {
    /// Revokes what was issued for this secret and never stored, once no living run can store it any more; and sees to it that the
    /// grace counts of what was stored in a version that bears no label any more.
    pub(super) async fn reap(
        &mut self,
        description: &Description,
        desk: &Desk<'_>,
        list: &KeyList,
        current: &KeyId,
    ) -> Result<(), Error> {
        let arn = description.arn.as_str();
        let ours = Marker::new(arn, &VersionId::new(""), 0);
        let mut versions: Option<Vec<VersionId>> = None;
        for key in &list.keys {
            let Some(marker) = key.marker.as_ref().filter(|marker| marker.same_secret(&ours)) else { continue };
            let young = !settled(key, list) && !wrong::is(Wrong::YoungOrphanReaped);
            if key.key_id == *current || young || key.expired {
                continue;
            }
            let issued_for = |version: &&VersionId| Marker::new(arn, version, 0).same_token(marker);
            let labelled = description.versions.keys().find(issued_for);
            if let Some(version) = labelled
                && !self.is_decided_here(description, version)
            {
                // Retiring sees to it when it is due.
                continue;
            }
            let version = match labelled {
                Some(version) => Some(version.clone()),
                None => {
                    if versions.is_none() {
                        versions = Some(self.hand.versions().await?);
                    }
                    versions.iter().flatten().find(issued_for).cloned()
                }
            };
            let stands = match &version {
                Some(version) => self.names(version, key).await?,
                None => {
                    let listed = versions.as_deref().unwrap_or_default();
                    let complete = description.versions.keys().all(|known| listed.contains(known));
                    if complete && listed.len() < NONE_PURGED_BELOW { IssuedFor::NamesAnother } else { IssuedFor::Unknown }
                }
            };
            match (stands, version) {
                (IssuedFor::NamesAnother, version) => self.revoke_orphan(description, desk, key, version).await?,
                (IssuedFor::Names, Some(version)) if labelled.is_none() => {
                    if wrong::is(Wrong::UnlabelledReaped) {
                        self.revoke_orphan(description, desk, key, Some(version)).await?;
                    } else {
                        self.stamp_unlabelled(description, &version, key).await?;
                    }
                }
                (IssuedFor::Names, _) => {}
                (IssuedFor::Unknown, _) => {
                    let say = format!("{} was issued for a version that is not listed any more", key.key_id);
                    self.find(Code::OrphanUndecided, say, "delete the key at the venue, if nothing uses it");
                }
            }
        }
        Ok(())
    }

    /// Whether it can be told now which of a labelled version's keys is the one that it names: it is current, or pending.
    fn is_decided_here(&self, description: &Description, version: &VersionId) -> bool {
        [Label::current(), Label::pending()].iter().any(|label| description.holder(label) == Some(version))
    }

    async fn names(&self, version: &VersionId, key: &ListedKey) -> Result<IssuedFor, Error> {
        let Some(stored) = self.hand.read(Which::Version(version)).await? else { return Ok(IssuedFor::NamesAnother) };
        // A value that cannot be read may name any key.
        let Ok(value) = SecretValue::parse(&stored.text) else { return Ok(IssuedFor::Unknown) };
        Ok(if value.credential.key_id == key.key_id { IssuedFor::Names } else { IssuedFor::NamesAnother })
    }

    async fn revoke_orphan(
        &mut self,
        description: &Description,
        desk: &Desk<'_>,
        key: &ListedKey,
        version: Option<VersionId>,
    ) -> Result<(), Error> {
        // Markers are short: two secrets of one account could have the same.
        let named = self.pass.holders().await?.of(&key.key_id);
        if !named.held.is_empty() || named.replaced.is_some() {
            return Ok(());
        }
        if self.would(format!("revoke {}, which was issued and never stored", key.key_id)) {
            return Ok(());
        }
        let version = version.unwrap_or_else(|| VersionId::new("(none)"));
        self.pass.turn_of(desk.venue, &desk.master).await;
        match self.hand.revoke(&version, desk, &key.key_id).await? {
            Ok(()) => self.count("orphans"),
            Err(error) => {
                let say =
                    format!("{} was issued for this secret and never stored, and could not be revoked: {error}", key.key_id);
                self.find(Code::NotDone, say, format!("nothing, unless this lasts: see {}", description.name));
            }
        }
        Ok(())
    }

    /// A key that was stored, in a version that lost its labels: it may have been current until just now.
    async fn stamp_unlabelled(&mut self, description: &Description, version: &VersionId, key: &ListedKey) -> Result<(), Error> {
        if self.would(format!("stamp version {version}, which bears no label and names the living {}", key.key_id)) {
            return Ok(());
        }
        must_fit(description, 1)?;
        self.hand.add_stamp(StampKind::Replaced, version).await?;
        self.count("stamped");
        Ok(())
    }
}
