//! What a verdict rests on: the version's value, what the labels say of its end, and who holds its key.

use std::sync::Arc;

use jiff::Timestamp;

use crate::bounds::{CLOCKS_APART, UNSETTLED, after, is_past};
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::name::{SecretId, VenueId};
use crate::operations::Mode;
use crate::operations::answer::Code;
use crate::operations::commands::describe_secret;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::{Asking, Held, Holders, Named, Replicas, holding_labels};
use crate::operations::pass::with_retries;
use crate::operations::retire::Retired;
use crate::operations::retire::end_of_life::{EndOfLife, may_be_promoted};
use crate::operations::retire::grace::Origin;
use crate::operations::retire::labels::says_of_the_end;
use crate::ports::{Description, KeyList, Venue, Which};
use crate::secret::{KeyId, SecretValue};
use crate::session::{must_fit, venue_of};
use crate::wrong::{self, Wrong};

impl SecretVisit<'_> {
    /// What a version names that is to be retired. One that can name no key loses its labels, or is told.
    pub(super) async fn value_to_retire(
        &mut self,
        description: &Description,
        version: &VersionId,
    ) -> Result<Option<SecretValue>, Error> {
        let Some(stored) = with_retries(self.pass, || self.session.read(Which::Version(version))).await?
        else {
            // Given up before it had a value, or made current by a hand without one. A value that is there
            // would be shown after so long.
            let ending = EndOfLife::of(description, version);
            if ending
                .condemned
                .max(ending.replaced)
                .is_some_and(|at| is_past(at, UNSETTLED, self.pass.now()))
            {
                self.shed(version, "it has no value", says_of_the_end).await?;
            }
            return Ok(None);
        };
        match stored.value() {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let say =
                    format!("version {version} is to be retired, and its value cannot be used: {error}");
                let what_to_do =
                    "delete its key at the venue, if there is one; then take the version's labels off";
                self.find(Code::ValueInvalid, say, what_to_do);
                Ok(None)
            }
        }
    }

    /// What the labels say of a version's end, what a person ordered, and what its value adds.
    pub(super) async fn ending_of(
        &self,
        description: &Description,
        version: &VersionId,
        value: &SecretValue,
        is_read: bool,
        list: Option<&KeyList>,
    ) -> Result<EndOfLife, Error> {
        let mut ending = EndOfLife::of(description, version);
        ending.compromised |= self.order.is_some();
        ending.at_once |= self.order == Some(Mode::RevokeFirst);
        ending.ordered =
            self.order == Some(Mode::RevokeFirst) || ending.at_once && wrong::is(Wrong::LabelOrdersAnothers);
        let origin = Origin::of(description, Some(version), &value.credential.key_id, list);
        ending.was_there = origin != Origin::IssuedForIt && !origin.was_issued_by(version, value);
        ending.may_be_promoted = may_be_promoted(description, version, value, self.pass.now());
        // Where consumers read it already, an order to revoke it first waits for nobody.
        // Nor does it where a copy cannot be given up for want of room.
        let cannot_wait = ending.at_once && (is_read || must_fit(description, 1).is_err());
        let waits_for_copies = !cannot_wait && !wrong::is(Wrong::LeakedCopyAtOnce);
        if ending.compromised && waits_for_copies && !ending.may_be_promoted {
            ending.may_be_promoted = self
                .a_copy_may_be_promoted(description, version, &value.credential.key_id)
                .await?;
        }
        Ok(ending)
    }

    /// When a version was made, as Secrets Manager has it. The end of a leaked key waits for no such look:
    /// where it fails, nothing tells how old the key is.
    pub(super) async fn made(
        &self,
        version: &VersionId,
        ending: EndOfLife,
    ) -> Result<Option<Timestamp>, Error> {
        match self.stored_at(version).await {
            Err(_) if ending.compromised => Ok(None),
            made => made,
        }
    }

    /// Sets right what other versions that name the key say, this secret's and others': a stamp of a time
    /// before its version was made takes no grace from whoever has read the key there. What has no grace by
    /// any stamp, or is ordered dead, waits for no look at them.
    pub(super) async fn since_they_were_made(
        &self,
        version: &VersionId,
        named: &mut Named,
        ending: EndOfLife,
    ) -> Result<(), Error> {
        if ending.ordered || wrong::is(Wrong::OldStampsCount) {
            return Ok(());
        }
        for stamped in &mut named.stamps {
            // A leaked key has another secret's grace alone.
            if stamped.is_own && (stamped.version == *version || ending.compromised) {
                continue;
            }
            if let Some(made) = self.made_at(&stamped.secret, &stamped.version).await? {
                stamped.at = stamped.at.max(made);
            }
        }
        Ok(())
    }

    /// When a version of a secret was made, by Secrets Manager's clock; `None` where it is not there any
    /// more.
    async fn made_at(&self, secret: &str, version: &VersionId) -> Result<Option<Timestamp>, Error> {
        let Ok(id) = SecretId::parse(secret) else {
            return Ok(None);
        };
        let session = self.pass.session(&id);
        let listed = match with_retries(self.pass, || session.versions()).await {
            Err(error) if error.error_type == ErrorType::SecretNotFound => return Ok(None),
            listed => listed?,
        };
        let made = listed.into_iter().find(|listed| listed.id == *version);
        Ok(made.and_then(|listed| listed.created_at))
    }

    /// Whether a run may be about to make another version current that names this key, though it is given up.
    async fn a_copy_may_be_promoted(
        &self,
        description: &Description,
        leaked: &VersionId,
        key: &KeyId,
    ) -> Result<bool, Error> {
        let pending = description.pending();
        let now = self.pass.now();
        // A stamp of a time to come is none of ours: nothing waits for it.
        let recently = |version: &VersionId| {
            let condemned = EndOfLife::of(description, version).condemned;
            condemned.is_some_and(|at| !is_past(at, UNSETTLED, now) && at <= after(now, CLOCKS_APART))
        };
        let others = description.versions.keys().filter(|version| *version != leaked);
        for version in others.filter(|version| Some(*version) == pending || recently(version)) {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
            let value = stored.and_then(|stored| stored.value().ok());
            if value
                .is_some_and(|value| value.names(key) && may_be_promoted(description, version, &value, now))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn venue_of(
        &self,
        description: &Description,
        value: &SecretValue,
        current: Option<&Current>,
    ) -> Result<Arc<dyn Venue>, Error> {
        match (venue_of(self.pass.ports, description, value), current) {
            (Err(_), Some(current)) => Ok(Arc::clone(&current.venue)),
            (venue, _) => venue,
        }
    }

    /// What keeps every named key alive: that it is not known who holds which.
    pub(super) fn waits_for(
        &mut self,
        holders: &Holders,
        arn: &str,
        venue: &VenueId,
        version: &VersionId,
        asking: Asking<'_>,
        scope_is_known: bool,
    ) -> Option<Retired> {
        let key = &asking.credential.key_id;
        // A master that could not be read just now may well say whom it serves.
        let ordered = self.order.is_some() && scope_is_known;
        if let Some(secret) = holders.unreadable(&venue.exchange, asking, ordered) {
            let say = format!(
                "a version of {secret} that may hold a key cannot be read: no named key of {venue} is \
                 revoked meanwhile"
            );
            let what_to_do = format!(
                "{}; where it is scheduled for deletion restore it; else allow the functions' role to read \
                 it and to decrypt with its KMS key, or store a value with the same api_key and api_secret \
                 that can be read",
                describe_secret(secret)
            );
            self.key(
                version,
                key,
                None,
                format!("waits: a version of {secret} cannot be read"),
            );
            if secret == self.name {
                self.find(Code::HolderUnreadable, say, what_to_do);
            } else {
                self.find_elsewhere(Code::HolderUnreadable, secret, say, what_to_do);
            }
            return Some(Retired::Elsewhere);
        }
        if !holders.know(arn) && self.tell_of_another_account(arn) {
            self.key(
                version,
                key,
                None,
                "waits: the secret is of another AWS account".to_owned(),
            );
            return Some(Retired::Elsewhere);
        }
        if !holders.know(arn) {
            self.key(
                version,
                key,
                None,
                "waits: ListSecrets does not show the secret yet".to_owned(),
            );
            return Some(Retired::Stale);
        }
        None
    }

    /// Says what follows from it that a secret is of another AWS account, where it is.
    pub(crate) fn tell_of_another_account(&mut self, arn: &str) -> bool {
        let told = self.pass.of_another_account(arn);
        let is_told = told.is_some();
        if let Some((say, what_to_do)) = told {
            self.find(Code::HolderUnreadable, say, what_to_do);
        }
        is_told
    }

    /// What holds a key, with what was seen of this secret just now: the index may be minutes old.
    pub(super) fn named(
        &self,
        description: &Description,
        version: &VersionId,
        key: &KeyId,
        current: Option<&Current>,
        mut named: Named,
    ) -> Named {
        let mut hold = |label: &Label| {
            named.held.insert(Held {
                secret: self.name.clone(),
                label: label.as_str().to_owned(),
            });
        };
        holding_labels(description, version).for_each(&mut hold);
        if current.is_some_and(|current| current.value.names(key)) {
            hold(&Label::current());
        }
        named.replicas = named.replicas.max(Replicas::of(description));
        named
    }

    /// The same as far as it counts.
    pub(super) fn what_counts(&self, mut named: Named, ending: EndOfLife, asking: Asking<'_>) -> Named {
        if self.order.is_some() {
            // A person's order does not wait for what others offer, build, or have replaced.
            let counts =
                |held: &Held| held.label == Label::current().as_str() && asking.is_served(&held.secret);
            named.held.retain(|held| held.secret == self.name || counts(held));
            named.stamps.retain(|stamped| stamped.is_own);
        } else if ending.at_once {
            // A label orders something about this secret's own: what is current elsewhere gives way to a
            // person's order alone.
            named.held.retain(|held| held.secret != self.name);
        }
        named
    }
}
