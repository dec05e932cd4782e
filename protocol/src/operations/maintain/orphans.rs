//! Keys that bear this secret's marker and that no version names.

use crate::error::Error;
use crate::label::{Label, StampKind, VersionId};
use crate::marker::Marker;
use crate::operations::answer::Code;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::holding;
use crate::operations::pass::with_retries;
use crate::ports::{Description, ErrorClass, KeyList, ListedKey, Which};
use crate::rotation::{NONE_PURGED_BELOW, settled};
use crate::secret::KeyId;
use crate::session::{AccountAccess, has_stamp, must_fit};
use crate::wrong::{self, Wrong};

/// What is known of the version that a key was issued for.
enum IssuedFor {
    /// It names this very key.
    Names,
    /// It has another value, or none, and will never name this one.
    NamesAnother,
    /// Its value cannot be read.
    Unknown,
}

impl SecretVisit<'_> {
    /// Revokes what was issued for this secret and never stored, once no living run can store it any more;
    /// and sees to it that the grace counts of what was stored in a version that bears no label any more.
    pub(crate) async fn reap(
        &mut self,
        description: &Description,
        access: &AccountAccess<'_>,
        list: &KeyList,
        current: &KeyId,
    ) {
        let ours = Marker::new(&description.arn, &VersionId::new(""), 0);
        let mut versions = None;
        for key in &list.keys {
            let is_ours = |marker: &&Marker| marker.same_secret(&ours) || wrong::is(Wrong::AnothersReaped);
            let Some(marker) = key.marker.as_ref().filter(is_ours) else {
                continue;
            };
            let young = !settled(key, list) && !wrong::is(Wrong::YoungOrphanReaped);
            if key.key_id == *current || young || key.expired {
                continue;
            }
            let labelled = description
                .versions
                .keys()
                .find(|version| is_of(marker, description, version));
            let done = match labelled {
                Some(version) => self.judge_issued(description, access, key, version).await,
                None => {
                    self.judge_unlabelled(description, access, key, marker, &mut versions)
                        .await
                }
            };
            self.note(done);
        }
    }

    /// A key whose version bears no label any more, or never was.
    async fn judge_unlabelled(
        &mut self,
        description: &Description,
        access: &AccountAccess<'_>,
        key: &ListedKey,
        marker: &Marker,
        versions: &mut Option<Vec<VersionId>>,
    ) -> Result<(), Error> {
        if versions.is_none() {
            let listed = with_retries(self.pass, || self.session.versions()).await?;
            *versions = Some(listed.into_iter().map(|version| version.id).collect());
        }
        let listed = versions.as_deref().unwrap_or_default();
        if let Some(version) = listed
            .iter()
            .find(|version| is_of(marker, description, version))
            .cloned()
        {
            return self.judge_issued(description, access, key, &version).await;
        }
        let complete = description.versions.keys().all(|known| listed.contains(known));
        if complete && listed.len() < NONE_PURGED_BELOW {
            return self.revoke_orphan(access, key, None).await;
        }
        let say = format!(
            "{} was issued for a version that is not listed any more",
            key.key_id
        );
        self.find(
            Code::OrphanUndecided,
            say,
            "delete the key at the venue, if nothing uses it",
        );
        Ok(())
    }

    /// A key whose version is known: what it names never changes, so that it names this key for ever, or
    /// never.
    async fn judge_issued(
        &mut self,
        description: &Description,
        access: &AccountAccess<'_>,
        key: &ListedKey,
        version: &VersionId,
    ) -> Result<(), Error> {
        match self.names(version, key).await? {
            IssuedFor::NamesAnother => self.revoke_orphan(access, key, Some(version)).await,
            IssuedFor::Names
                if wrong::is(Wrong::UnlabelledReaped) && description.labels(version).count() == 0 =>
            {
                self.revoke_orphan(access, key, Some(version)).await
            }
            IssuedFor::Names if !says_what_becomes_of_it(description, version) => {
                self.stamp_unlabelled(description, version, key).await
            }
            IssuedFor::Unknown if !says_what_becomes_of_it(description, version) => {
                let say = format!(
                    "{} was issued for version {version}, whose value cannot be read",
                    key.key_id
                );
                self.find(
                    Code::OrphanUndecided,
                    say,
                    "delete the key at the venue, if nothing uses it",
                );
                Ok(())
            }
            IssuedFor::Names | IssuedFor::Unknown => Ok(()),
        }
    }

    async fn names(&self, version: &VersionId, key: &ListedKey) -> Result<IssuedFor, Error> {
        let Some(stored) = with_retries(self.pass, || self.session.read(Which::Version(version))).await?
        else {
            return Ok(IssuedFor::NamesAnother);
        };
        // A value that cannot be read may name any key.
        let Ok(value) = stored.value() else {
            return Ok(IssuedFor::Unknown);
        };
        Ok(if value.names(&key.key_id) {
            IssuedFor::Names
        } else {
            IssuedFor::NamesAnother
        })
    }

    async fn revoke_orphan(
        &mut self,
        access: &AccountAccess<'_>,
        key: &ListedKey,
        version: Option<&VersionId>,
    ) -> Result<(), Error> {
        // Markers are short: two secrets of one account could have the same.
        let Some(marker) = &key.marker else { return Ok(()) };
        if self.pass.holders().await?.name_for(marker, &key.key_id) {
            return Ok(());
        }
        let what = format!("revoke {}, which was issued and never stored", key.key_id);
        if self.would(&what) {
            return Ok(());
        }
        let none = VersionId::new("(none)");
        let version = version.unwrap_or(&none);
        self.pass.turn_of(access.venue, &access.master).await;
        match self.session.revoke(version, access, key).await? {
            Ok(()) => self.count("orphans"),
            Err(error) if error.class == ErrorClass::PassphraseWrong => {
                if !wrong::is(Wrong::UndeletableForgotten) {
                    let say = format!(
                        "{} was issued for this secret and never stored, and cannot be deleted by this \
                         function: {error}. Its passphrase follows from the master credential that issued \
                         it, which is another one by now",
                        key.key_id
                    );
                    self.find(Code::OrphanUndecided, say, "delete the key at the venue");
                }
            }
            Err(error) => {
                let say = format!(
                    "{} was issued for this secret and never stored, and could not be revoked: {error}",
                    key.key_id
                );
                self.find(Code::NotDone, say, "nothing, unless this lasts");
            }
        }
        Ok(())
    }

    /// A key that was stored, in a version that lost the labels that count: it may have been current until
    /// just now.
    async fn stamp_unlabelled(
        &mut self,
        description: &Description,
        version: &VersionId,
        key: &ListedKey,
    ) -> Result<(), Error> {
        let what = format!(
            "stamp version {version}, which nothing holds and which names the living {}",
            key.key_id
        );
        if self.would(&what) {
            return Ok(());
        }
        must_fit(description, 1)?;
        self.session.add_stamp(StampKind::Replaced, version).await?;
        self.count("stamped");
        Ok(())
    }
}

fn is_of(marker: &Marker, description: &Description, version: &VersionId) -> bool {
    Marker::new(&description.arn, version, 0).same_token(marker)
}

/// Whether a version's labels say that its key is held, or when it dies.
fn says_what_becomes_of_it(description: &Description, version: &VersionId) -> bool {
    let ends = [StampKind::Replaced, StampKind::Condemned]
        .into_iter()
        .any(|kind| has_stamp(description, version, kind));
    ends || description
        .labels(version)
        .any(|label| holding().contains(label) || [Label::previous(), Label::compromised()].contains(label))
}
