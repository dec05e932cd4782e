//! Rules 1 to 3: when the key of a version that is not current any more dies.

pub(crate) mod end_of_life;
pub(crate) mod grace;
pub(crate) mod liveness;
pub(crate) mod revoke;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::bounds::{CLOCKS_APART, UNSETTLED, after, is_past};
use crate::error::Error;
use crate::label::{Label, StampKind, VersionId};
use crate::name::VenueId;
use crate::operations::answer::Code;
use crate::operations::audit::secret::behind;
use crate::operations::commands::{day, describe_secret, rotate, take_off};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::{SecretVisit, account_in};
use crate::operations::pass::holders::{Asking, Held, Holders, Named, Replicas, holding, holding_labels};
use crate::operations::pass::{event, with_retries};
use crate::operations::retire::end_of_life::{
    EndOfLife, Verdict, is_ours, may_be_promoted, state, verdict as verdict_of,
};
use crate::operations::retire::grace::{counts_as_issued, is_marked, was_issued_for};
use crate::operations::retire::revoke::End;
use crate::operations::{Mode, OperationRequest};
use crate::ports::{Description, KeyList, Venue, Which};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::session::{must_fit, venue_of};
use crate::task::Operation;
use crate::wrong::{self, Wrong};

/// What has come of a version that was to be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retired {
    /// Its key is proven dead, or there never was one.
    Dead,
    /// Its key was to die now, and nothing proves yet that it did.
    Unproven,
    /// Another secret stands in the way.
    Elsewhere,
    /// The labels hold it, or keep it waiting: where another key is current by now, as they were before.
    Stale,
    /// Its time has not come.
    NotYet,
}

/// A version whose key is judged, and all that the verdict rests on.
struct Judged<'a> {
    version: &'a VersionId,
    value: &'a SecretValue,
    ending: EndOfLife,
    /// Whether the key counts as issued for this secret.
    issued: bool,
    /// Whether consumers read it.
    is_read: bool,
    named: Named,
    holders: &'a Holders,
    /// Its own grace, and that of a key which another secret has replaced.
    graces: (Duration, Duration),
}

impl SecretVisit<'_> {
    /// Brings a version that is not current one step nearer to its key's end. What its value does not say of
    /// venue, master and account is what the current one says.
    pub(crate) async fn retire(
        &mut self,
        description: &Description,
        version: &VersionId,
        current: Option<&Current>,
    ) -> Result<Retired, Error> {
        let pass = self.pass;
        let Some(value) = self.value_to_retire(description, version).await? else {
            return Ok(Retired::NotYet);
        };
        let key = &value.credential.key_id;
        // What consumers read, as far as that is known.
        let is_read = current.is_none_or(|current| current.value.credential.key_id == *key);
        let list = current.and_then(Current::list);
        let mut ending = self
            .ending_of(description, version, &value, is_read, list)
            .await?;
        // What the list does not show may have been made by anybody.
        let issued = if wrong::is(Wrong::GraceByVersion) {
            is_ours(&value, version)
        } else {
            counts_as_issued(description, version, &value, list)
        };
        // Its own stamp says it without a look at all the others.
        let own = pass.settings.grace_of(issued);
        if let Some(until) = ending.replaced.map(|at| after(at, own))
            && !ending.compromised
            && pass.now() < until
        {
            self.in_grace(version, key, until, !issued);
            return Ok(Retired::NotYet);
        }
        let (venue, account) = (self.venue_of(description, &value, current)?, account_in(&value));
        let holders = match pass.holders().await {
            // Whoever holds it, a person orders that it dies.
            Err(_) if ending.at_once && self.order.is_some() => Arc::default(),
            holders => holders?,
        };
        let known = current.and_then(|current| current.master.as_ref().ok());
        // What the value says of the account is a claim: the account's list tells.
        let is_there = list.is_some_and(|list| list.keys.iter().any(|listed| listed.key_id == *key));
        let certain = current.filter(|_| is_there).and_then(Current::account);
        let asking = Asking {
            secret: &self.name.clone(),
            credential: &value.credential,
            account: certain.as_ref(),
            serves: known.and_then(|(master, _)| master.serves.as_ref()),
        };
        if !(ending.at_once && self.order.is_some())
            && let Some(waits) = self.waits_for(
                &holders,
                &description.arn,
                venue.id(),
                version,
                asking,
                known.is_some(),
            )
        {
            return Ok(waits);
        }
        let named = self.named(description, version, key, current, holders.of(asking));
        let named = self.what_counts(named, ending, asking);
        // Of a key that others have replaced, this secret's value need not say who made it.
        let graces = (pass.settings.grace_of(issued), pass.settings.longest_grace());
        let mut verdict = verdict_of(ending, &named, graces, pass.now());
        if matches!(verdict, Verdict::Condemn | Verdict::Revoke) && !ending.compromised {
            ending = self.since_it_was_made(version, ending).await?;
            verdict = verdict_of(ending, &named, graces, pass.now());
        }
        self.key(version, key, None, state(&verdict, &named));
        let judged = Judged {
            version,
            value: &value,
            ending,
            issued,
            is_read,
            named,
            holders: &holders,
            graces,
        };
        self.act(description, judged, verdict, (venue, account), current)
            .await
    }

    /// Does what the key of a version has deserved.
    async fn act(
        &mut self,
        description: &Description,
        judged: Judged<'_>,
        verdict: Verdict,
        (venue, account): (Arc<dyn Venue>, Option<AccountId>),
        current: Option<&Current>,
    ) -> Result<Retired, Error> {
        let Judged {
            version,
            value,
            ending,
            issued,
            is_read,
            named,
            holders,
            graces,
        } = judged;
        let key = &value.credential.key_id;
        match verdict {
            Verdict::Held if ending.compromised => {
                return Ok(self.tell_of_holders(description, version, key, &named));
            }
            Verdict::InGrace(until) if ending.compromised => {
                return Ok(self.tell_of_grace_elsewhere(version, key, until, named));
            }
            Verdict::Held | Verdict::InGrace(_)
                if self.has_no_more_to_say(description, version, ending, &named) =>
            {
                self.shed(
                    version,
                    "it was given up, and another tells its key's end",
                    is_condemnation,
                )
                .await?;
            }
            Verdict::InGrace(until) => {
                self.tell_who_holds(key, ending, (&named, holders), graces.0);
                self.in_grace(version, key, until, !issued);
            }
            Verdict::Wait if ending.compromised => return Ok(Retired::Stale),
            Verdict::Held => self.tell_who_holds(key, ending, (&named, holders), graces.0),
            Verdict::Wait => {}
            Verdict::Replica => {
                let which = behind(description).unwrap_or_else(|| "one of another secret".to_owned());
                let say =
                    format!("{key} stays alive: a replica of a secret that names it is not in sync: {which}");
                self.find(Code::ReplicaBehind, say, describe_secret(&self.name));
            }
            Verdict::Condemn => {
                self.condemn(description, version, key).await?;
                if ending.compromised {
                    return Ok(Retired::Stale);
                }
            }
            Verdict::Revoke => {
                self.tell_other_holders(description, key, &named);
                let elsewhere = named.replaced.filter(|_| !wrong::is(Wrong::GraceOfOneVersion));
                let replaced = ending.replaced.max(elsewhere);
                let end = End {
                    version,
                    value,
                    ending,
                    replaced,
                    venue,
                    account,
                    current,
                    holders,
                    is_read,
                };
                return self.end_now(description, end).await;
            }
        }
        Ok(Retired::NotYet)
    }

    /// A leaked key that a label holds.
    fn tell_of_holders(
        &mut self,
        description: &Description,
        version: &VersionId,
        key: &KeyId,
        named: &Named,
    ) -> Retired {
        let say = format!("the leaked key {key} is held by {}", named.holders());
        let mut way_out = named
            .held
            .first()
            .map_or_else(String::new, |held| self.way_out(description, held));
        if named.held.iter().any(|held| held.secret != self.name) {
            way_out = format!(
                "{way_out}; or, whoever else is cut off: {}",
                self.order_for(version)
            );
        }
        self.find(Code::CompromisedHeld, say, way_out);
        let is_elsewhere = named.held.iter().any(|held| held.secret != self.name);
        if is_elsewhere {
            Retired::Elsewhere
        } else {
            Retired::Stale
        }
    }

    /// A leaked key that another secret has replaced just now.
    fn tell_of_grace_elsewhere(
        &mut self,
        version: &VersionId,
        key: &KeyId,
        until: Timestamp,
        named: Named,
    ) -> Retired {
        let elsewhere = named
            .replaced_elsewhere
            .map_or_else(String::new, |(_, secret)| secret);
        let say = format!(
            "the leaked key {key} was current in {elsewhere} too, and stays alive until {until} for \
                 those who have read it there"
        );
        let what_to_do = format!("where that is too long: {}", self.order_for(version));
        self.find(Code::CompromisedHeld, say, what_to_do);
        Retired::Elsewhere
    }

    /// What a version names that is to be retired. One that can name no key loses its labels, or is told.
    async fn value_to_retire(
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
        match SecretValue::parse(&stored.text) {
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

    /// What keeps every named key alive: that it is not known who holds which.
    fn waits_for(
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
        if !holders.know(arn) && !self.pass.is_of_this_account(arn) {
            let say = "the secret is of another AWS account, whose secrets cannot be listed from here: who \
                       holds its keys is not known, and none of them is revoked";
            self.key(
                version,
                key,
                None,
                "waits: the secret is of another AWS account".to_owned(),
            );
            self.find(
                Code::HolderUnreadable,
                say,
                "deploy the functions in that account, and attach the secret to them",
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

    /// What the labels say of a version's end, what a person ordered, and what its value adds.
    async fn ending_of(
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
        let key = &value.credential.key_id;
        let is_gone =
            !is_marked(description, key, list) && counts_as_issued(description, version, value, list);
        ending.was_there = !is_gone && !was_issued_for(description, version, key, list);
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

    /// The same without what stamps say of a time before the version was made, as Secrets Manager has it:
    /// whoever may write the secret can write such stamps.
    async fn since_it_was_made(&self, version: &VersionId, ending: EndOfLife) -> Result<EndOfLife, Error> {
        if wrong::is(Wrong::OldStampsCount) {
            return Ok(ending);
        }
        let Some(made) = self.stored_at(version).await? else {
            return Ok(ending);
        };
        let replaced = ending.replaced.map(|at| at.max(made));
        let condemned = ending.condemned.filter(|at| after(*at, CLOCKS_APART) >= made);
        Ok(EndOfLife {
            replaced,
            condemned,
            ..ending
        })
    }

    /// Whether a run may be about to make another version current that names this key, though it is given up.
    async fn a_copy_may_be_promoted(
        &self,
        description: &Description,
        leaked: &VersionId,
        key: &KeyId,
    ) -> Result<bool, Error> {
        let pending = description.holder(&Label::pending());
        let now = self.pass.now();
        // A stamp of a time to come is none of ours: nothing waits for it.
        let recently = |version: &VersionId| {
            let condemned = EndOfLife::of(description, version).condemned;
            condemned.is_some_and(|at| !is_past(at, UNSETTLED, now) && at <= after(now, CLOCKS_APART))
        };
        let others = description.versions.keys().filter(|version| *version != leaked);
        for version in others.filter(|version| Some(*version) == pending || recently(version)) {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
            let value = stored.and_then(|stored| SecretValue::parse(&stored.text).ok());
            if value.is_some_and(|value| {
                value.credential.key_id == *key && may_be_promoted(description, version, &value, now)
            }) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn venue_of(
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

    /// What holds a key, with what was seen of this secret just now: the index may be minutes old.
    fn named(
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
        if current.is_some_and(|current| current.value.credential.key_id == *key) {
            hold(&Label::current());
        }
        named.replicas = named.replicas.max(Replicas::of(description));
        named
    }

    /// The same as far as it counts.
    fn what_counts(&self, mut named: Named, ending: EndOfLife, asking: Asking<'_>) -> Named {
        if self.order.is_some() {
            // A person's order does not wait for what others offer, build, or have replaced.
            let counts =
                |held: &Held| held.label == Label::current().as_str() && asking.is_served(&held.secret);
            named.held.retain(|held| held.secret == self.name || counts(held));
            named.replaced_elsewhere = None;
        } else if ending.at_once {
            // A label orders something about this secret's own: what is current elsewhere gives way to a
            // person's order alone.
            named.held.retain(|held| held.secret != self.name);
        }
        named
    }

    pub(crate) fn in_grace(&mut self, version: &VersionId, key: &KeyId, until: Timestamp, by_hand: bool) {
        self.key(version, key, None, format!("in grace until {until}"));
        if by_hand {
            self.announce(key, until);
        }
    }

    /// Whoever else reads a key that dies at once has to hear of it.
    fn tell_other_holders(&mut self, description: &Description, key: &KeyId, named: &Named) {
        for held in &named.held {
            if held.secret != self.name {
                let say = format!(
                    "its {} names the leaked key {key}, which a person ordered dead at once",
                    held.label
                );
                let way_out = self.way_out(description, held);
                self.find_elsewhere(Code::CompromisedHeld, &held.secret, say, way_out);
            }
        }
    }

    /// Who made a key by hand may have put it anywhere.
    pub(crate) fn announce(&mut self, key: &KeyId, until: Timestamp) {
        let say = format!(
            "{key} was made by hand and stays alive until {} at the least: it may sit in a file somewhere",
            day(until)
        );
        self.find(
            Code::AdoptionGrace,
            say,
            "look for the places that use it; when there is none, nothing need be done",
        );
    }

    async fn condemn(
        &mut self,
        description: &Description,
        version: &VersionId,
        key: &KeyId,
    ) -> Result<(), Error> {
        let what = format!("condemn version {version}: {key} is to die");
        if self.would(&what) {
            return Ok(());
        }
        let old: Vec<Label> = description
            .labels(version)
            .filter(|label| {
                label
                    .stamp()
                    .is_some_and(|stamp| stamp.kind == StampKind::Condemned)
            })
            .cloned()
            .collect();
        for label in &old {
            self.session.remove_label(label.clone(), version).await?;
        }
        must_fit(description, usize::from(old.is_empty()))?;
        self.session.add_stamp(StampKind::Condemned, version).await?;
        self.count("condemned");
        Ok(())
    }

    /// The order that gets the current key, which a version names as leaked, a successor first.
    pub(crate) fn order_to_replace(&self, version: &VersionId) -> String {
        self.order_with(version, Mode::ReplaceFirst, None)
    }

    /// The order that ends a leaked key whoever else may have it.
    fn order_for(&self, version: &VersionId) -> String {
        self.order_with(version, Mode::RevokeFirst, None)
    }

    /// The order that is carried out, once more.
    pub(crate) fn order_again(&self, version: &VersionId) -> String {
        self.order_with(version, self.order.unwrap_or(Mode::ReplaceFirst), None)
    }

    /// The same to revoke it first, which names the key itself.
    pub(crate) fn order_for_key(&self, version: &VersionId, key: &KeyId) -> String {
        self.order_with(version, Mode::RevokeFirst, Some(key))
    }

    fn order_with(&self, version: &VersionId, mode: Mode, key: Option<&KeyId>) -> String {
        let order = self.pass.request.order();
        let (reason, incident) = order.map_or(("<what happened>", "<number>"), |order| {
            (order.reason.as_str(), order.incident.as_str())
        });
        let mode = match mode {
            Mode::ReplaceFirst => "replace_first",
            Mode::RevokeFirst => "revoke_first",
        };
        let fields = [
            ("secret", self.name.as_str()),
            ("version", version.as_str()),
            ("mode", mode),
            ("reason", reason),
            ("incident", incident),
        ];
        let mut event = event(Operation::BreakGlass, &fields);
        if let Some(key) = key {
            let fingerprint = key.fingerprint();
            event.insert(
                "fingerprint".to_owned(),
                fingerprint.split(' ').next().unwrap_or_default().into(),
            );
        }
        if matches!(
            self.pass.request,
            OperationRequest::BreakGlass {
                no_successor: true,
                ..
            }
        ) {
            event.insert("no_successor".to_owned(), true.into());
        }
        self.pass.command_of(Operation::BreakGlass, event)
    }

    /// What another label of this or another secret holds past its grace is told to both.
    fn tell_who_holds(
        &mut self,
        key: &KeyId,
        ending: EndOfLife,
        (named, holders): (&Named, &Holders),
        grace: Duration,
    ) {
        let over = ending
            .replaced
            .is_some_and(|at| is_past(at, grace, self.pass.now()));
        if !over {
            return;
        }
        if let Some((at, secret)) = named
            .replaced_elsewhere
            .as_ref()
            .filter(|_| named.held.is_empty())
        {
            let say = format!(
                "{key} is past its grace in {}, and was current in {secret} until {at}",
                self.name
            );
            self.find(Code::SharedKey, say.clone(), "give each its own key");
            self.find_elsewhere(Code::SharedKey, secret, say, "give each its own key".to_owned());
        }
        let others: Vec<&Held> = named
            .held
            .iter()
            .filter(|held| held.secret != self.name)
            .collect();
        for held in others {
            let Held { secret, label } = held;
            let say = format!(
                "{key} is past its grace in {}, and stays alive as the {label} key of {secret}",
                self.name
            );
            let way = self.way_from(held, holders);
            self.find(Code::SharedKey, say.clone(), way.clone());
            self.find_elsewhere(Code::SharedKey, secret, say, way);
        }
    }

    /// What frees a key of another secret's label.
    pub(crate) fn way_from(&self, held: &Held, holders: &Holders) -> String {
        let Held { secret, label } = held;
        match label.as_str() {
            _ if !holders.rotate(secret) => {
                format!("give {secret} a key of its own: nothing here rotates it")
            }
            current if current == Label::current().as_str() => rotate(secret),
            pending if pending == Label::pending().as_str() => self.pass.command(Operation::Abandon, secret),
            offered => take_off(secret, offered, "<version>"),
        }
    }

    /// Takes the labels off a version that names no living key.
    pub(crate) async fn forget(&mut self, version: &VersionId) -> Result<(), Error> {
        if self.shed(version, "its key is dead", says_of_the_end).await? {
            self.count("retired");
        }
        Ok(())
    }

    /// Whether a version that was given up says nothing that another does not: its key was there before, and
    /// is held by another label, or in the grace of a version that was current with it. Nobody could
    /// offer that key again while this one is condemned.
    fn has_no_more_to_say(
        &self,
        description: &Description,
        version: &VersionId,
        ending: EndOfLife,
        named: &Named,
    ) -> bool {
        let was_given_up = ending
            .condemned
            .is_some_and(|at| is_past(at, UNSETTLED, self.pass.now()));
        let holds_itself = description.labels(version).any(|label| holding().contains(label));
        let is_told = !named.held.is_empty() || named.replaced.is_some();
        let never_current =
            ending.replaced.is_none() && description.holder(&Label::previous()) != Some(version);
        ending.was_there && never_current && !ending.compromised && was_given_up && !holds_itself && is_told
    }

    /// Takes labels off a version that is not current. Whether there were any, or would be.
    async fn shed(
        &mut self,
        version: &VersionId,
        why: &str,
        which: impl Fn(&Label) -> bool,
    ) -> Result<bool, Error> {
        let what = format!("take the labels off version {version}: {why}");
        if self.would(&what) {
            return Ok(true);
        }
        let description = self.session.describe().await?;
        // Labels that say what is over may say so until the next pass.
        if description.holder(&Label::current()) == Some(version)
            || description.is_being_replicated() && self.order.is_none()
        {
            return Ok(false);
        }
        let mut labels: Vec<Label> = description
            .labels(version)
            .filter(|label| which(label))
            .cloned()
            .collect();
        // AWSPREVIOUS first: without it no pass stamps the version anew. REVOKE_FIRST says nothing alone. The
        // stamp that says most goes last.
        labels.sort_by_key(|label| {
            let is_replaced = label
                .stamp()
                .is_some_and(|stamp| stamp.kind == StampKind::Replaced);
            (
                *label != Label::previous(),
                *label != Label::revoke_first(),
                is_replaced,
            )
        });
        let any = !labels.is_empty();
        for label in labels {
            self.session.remove_label(label, version).await?;
        }
        Ok(any)
    }
}

/// Whether a label says of a version what becomes of its key.
fn says_of_the_end(label: &Label) -> bool {
    label.stamp().is_some()
        || [Label::previous(), Label::compromised(), Label::revoke_first()].contains(label)
}

fn is_condemnation(label: &Label) -> bool {
    label
        .stamp()
        .is_some_and(|stamp| stamp.kind == StampKind::Condemned)
}
