//! Keys that bear this secret's marker and that no version names.

use super::answer::Code;
use super::holders::holding;
use super::pass::patiently;
use super::tending::Tending;
use crate::error::Error;
use crate::hand::{Desk, must_fit};
use crate::label::{StampKind, VersionId};
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
    pub(super) async fn reap(&mut self, description: &Description, desk: &Desk<'_>, list: &KeyList, current: &KeyId) {
        let ours = Marker::new(&description.arn, &VersionId::new(""), 0);
        let mut versions = None;
        for key in &list.keys {
            let Some(marker) = key.marker.as_ref().filter(|marker| marker.same_secret(&ours)) else { continue };
            let young = !settled(key, list) && !wrong::is(Wrong::YoungOrphanReaped);
            if key.key_id == *current || young || key.expired {
                continue;
            }
            let labelled = description.versions.keys().find(|version| is_of(marker, description, version));
            let done = match labelled {
                // One that was replaced names the only one there is, as far as its labels tell: retiring sees to it when it is due.
                Some(version) if !may_hold(description, version) && count_of(marker, list) == 1 => Ok(()),
                Some(version) => self.judge_labelled(desk, key, version).await,
                None => self.judge_unlabelled(description, desk, key, marker, &mut versions).await,
            };
            self.note(done);
        }
    }

    async fn judge_labelled(&mut self, desk: &Desk<'_>, key: &ListedKey, version: &VersionId) -> Result<(), Error> {
        match self.names(version, key).await? {
            IssuedFor::NamesAnother => self.revoke_orphan(desk, key, Some(version)).await,
            IssuedFor::Names | IssuedFor::Unknown => Ok(()),
        }
    }

    /// A key whose version bears no label any more, or never was.
    async fn judge_unlabelled(
        &mut self,
        description: &Description,
        desk: &Desk<'_>,
        key: &ListedKey,
        marker: &Marker,
        versions: &mut Option<Vec<VersionId>>,
    ) -> Result<(), Error> {
        if versions.is_none() {
            let listed = patiently(self.pass, || self.hand.versions()).await?;
            *versions = Some(listed.into_iter().map(|version| version.id).collect());
        }
        let listed = versions.as_deref().unwrap_or_default();
        let version = listed.iter().find(|version| is_of(marker, description, version)).cloned();
        let complete = description.versions.keys().all(|known| listed.contains(known));
        let stands = match &version {
            Some(version) => self.names(version, key).await?,
            None if complete && listed.len() < NONE_PURGED_BELOW => IssuedFor::NamesAnother,
            None => IssuedFor::Unknown,
        };
        match (stands, version) {
            (IssuedFor::NamesAnother, version) => self.revoke_orphan(desk, key, version.as_ref()).await,
            (IssuedFor::Names, Some(version)) if wrong::is(Wrong::UnlabelledReaped) => {
                self.revoke_orphan(desk, key, Some(&version)).await
            }
            (IssuedFor::Names, Some(version)) => self.stamp_unlabelled(description, &version, key).await,
            (IssuedFor::Names | IssuedFor::Unknown, _) => {
                let say = format!("{} was issued for a version that is not listed any more", key.key_id);
                self.find(Code::OrphanUndecided, say, "delete the key at the venue, if nothing uses it");
                Ok(())
            }
        }
    }

    async fn names(&self, version: &VersionId, key: &ListedKey) -> Result<IssuedFor, Error> {
        let Some(stored) = patiently(self.pass, || self.hand.read(Which::Version(version))).await? else {
            return Ok(IssuedFor::NamesAnother);
        };
        // A value that cannot be read may name any key.
        let Ok(value) = SecretValue::parse(&stored.text) else { return Ok(IssuedFor::Unknown) };
        Ok(if value.credential.key_id == key.key_id { IssuedFor::Names } else { IssuedFor::NamesAnother })
    }

    async fn revoke_orphan(&mut self, desk: &Desk<'_>, key: &ListedKey, version: Option<&VersionId>) -> Result<(), Error> {
        // Markers are short: two secrets of one account could have the same.
        let named = self.pass.holders().await?.of(&key.key_id);
        if !named.held.is_empty() || named.replaced.is_some() {
            return Ok(());
        }
        let what = format!("revoke {}, which was issued and never stored", key.key_id);
        if self.would(&what) {
            return Ok(());
        }
        let none = VersionId::new("(none)");
        let version = version.unwrap_or(&none);
        self.pass.turn_of(desk.venue, &desk.master).await;
        match self.hand.revoke(version, desk, &key.key_id).await? {
            Ok(()) => {
                self.count("orphans");
                self.did(what);
            }
            Err(error) => {
                // A request that went out twice is refused the second time.
                self.did(format!("perhaps {what}: the answer does not say so"));
                let say =
                    format!("{} was issued for this secret and never stored, and could not be revoked: {error}", key.key_id);
                self.find(Code::NotDone, say, "nothing, unless this lasts");
            }
        }
        Ok(())
    }

    /// A key that was stored, in a version that lost its labels: it may have been current until just now.
    async fn stamp_unlabelled(&mut self, description: &Description, version: &VersionId, key: &ListedKey) -> Result<(), Error> {
        let what = format!("stamp version {version}, which bears no label and names the living {}", key.key_id);
        if self.would(&what) {
            return Ok(());
        }
        must_fit(description, 1)?;
        let hand = self.hand;
        self.change(what, hand.add_stamp(StampKind::Replaced, version)).await?;
        self.count("stamped");
        Ok(())
    }
}

fn is_of(marker: &Marker, description: &Description, version: &VersionId) -> bool {
    Marker::new(&description.arn, version, 0).same_token(marker)
}

fn may_hold(description: &Description, version: &VersionId) -> bool {
    holding().iter().any(|label| description.holder(label) == Some(version))
}

/// How many keys were issued for the same version.
fn count_of(marker: &Marker, list: &KeyList) -> usize {
    list.keys.iter().filter(|key| key.marker.as_ref().is_some_and(|other| other.same_token(marker))).count()
}
