//! Rules 1 to 3: when the key of a version that is not current any more dies.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::answer::Code;
use super::checking::{day, look_at, rotate};
use super::current::Current;
use super::death::{Known, Life, asked, judged, life, listed};
use super::holders::{Asking, Held, Holders, Named, Replicas, holding, holding_labels};
use super::pass::{Pass, patiently};
use super::row::{counts_as_issued, is_marked, was_issued_for};
use super::tending::{Tending, account_in};
use super::verdict::{Ending, Verdict, after, created_by_us, is_ours, is_past, may_be_promoted, state, verdict as verdict_of};
use super::{Mode, Request};
use crate::audit::Action;
use crate::bounds::{CLOCKS_APART, UNSETTLED};
use crate::error::Error;
use crate::hand::{About, Desk, Master, must_fit, venue_error, venue_of};
use crate::label::{Label, StampKind, VersionId};
use crate::name::VenueId;
use crate::ports::{Description, ErrorClass, KeyList, KeyState, Venue, VenueError, Which};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::task::Operation;
use crate::wrong::{self, Wrong};

/// What has come of a version that was to be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retired {
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

impl Tending<'_> {
    /// Brings a version that is not current one step nearer to its key's end. What its value does not say of venue, master and
    /// account is what the current one says.
    pub(super) async fn retire(
        &mut self,
        description: &Description,
        version: &VersionId,
        current: Option<&Current>,
    ) -> Result<Retired, Error> {
        let pass = self.pass;
        let Some(value) = self.value_to_retire(description, version).await? else { return Ok(Retired::NotYet) };
        let key = &value.credential.key_id;
        // What consumers read, as far as that is known.
        let is_read = current.is_none_or(|current| current.value.credential.key_id == *key);
        let list = current.and_then(Current::list);
        let mut ending = self.ending_of(description, version, &value, is_read, list).await?;
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
        let ordered = self.order.is_some();
        if !(ending.at_once && ordered)
            && let Some(waits) = self.waits_for(&holders, &description.arn, venue.id(), version, asking)
        {
            return Ok(waits);
        }
        let mut named = self.named(description, version, key, current, holders.of(asking));
        if ordered {
            // A person's order does not wait for what others offer, build, or have replaced.
            let counts = |held: &Held| held.label == Label::current().as_str() && asking.is_served(&held.secret);
            named.held.retain(|held| held.secret == self.name || counts(held));
            named.replaced_elsewhere = None;
        } else if ending.at_once {
            // A label orders something about this secret's own: what is current elsewhere gives way to a person's order alone.
            named.held.retain(|held| held.secret != self.name);
        }
        // Of a key that others have replaced, this secret's value need not say who made it.
        let graces = (pass.settings.grace_of(issued), pass.settings.longest_grace());
        let mut verdict = verdict_of(ending, &named, graces, pass.now());
        if matches!(verdict, Verdict::Condemn | Verdict::Revoke) && !ending.compromised {
            ending = self.since_it_was_made(version, ending).await?;
            verdict = verdict_of(ending, &named, graces, pass.now());
        }
        self.key(version, key, None, state(&verdict, &named));
        match verdict {
            Verdict::Held if ending.compromised => {
                let say = format!("the leaked key {key} is held by {}", named.holders());
                let mut way_out = named.held.first().map_or_else(String::new, |held| self.way_out(description, held));
                if named.held.iter().any(|held| held.secret != self.name) {
                    way_out = format!("{way_out}; or, whoever else is cut off: {}", self.order_for(version));
                }
                self.find(Code::CompromisedHeld, say, way_out);
                let is_elsewhere = named.held.iter().any(|held| held.secret != self.name);
                return Ok(if is_elsewhere { Retired::Elsewhere } else { Retired::Stale });
            }
            Verdict::InGrace(until) if ending.compromised => {
                let elsewhere = named.replaced_elsewhere.map_or_else(String::new, |(_, secret)| secret);
                let say = format!(
                    "the leaked key {key} was current in {elsewhere} too, and stays alive until {until} for those who have read it there"
                );
                let what_to_do = format!("where that is too long: {}", self.order_for(version));
                self.find(Code::CompromisedHeld, say, what_to_do);
                return Ok(Retired::Elsewhere);
            }
            Verdict::Held | Verdict::InGrace(_) if self.has_no_more_to_say(description, version, ending, &named) => {
                self.shed(version, "it was given up, and another tells its key's end", is_condemnation).await?;
            }
            Verdict::InGrace(until) => {
                self.tell_who_holds(key, ending, &named, graces.0);
                self.in_grace(version, key, until, !issued);
            }
            Verdict::Wait if ending.compromised => return Ok(Retired::Stale),
            Verdict::Held => self.tell_who_holds(key, ending, &named, graces.0),
            Verdict::Wait => {}
            Verdict::Replica => {
                let say = format!("{key} stays alive: a replica of a secret that names it is not in sync");
                self.find(Code::ReplicaBehind, say, format!("aws secretsmanager describe-secret --secret-id {}", self.name));
            }
            Verdict::Condemn => {
                self.condemn(description, version, key).await?;
                if ending.compromised {
                    return Ok(Retired::Stale);
                }
            }
            Verdict::Revoke => {
                self.tell_other_holders(description, key, &named);
                let replaced = ending.replaced.max(named.replaced);
                let end = End { version, value: &value, ending, replaced, venue, account, current, holders: &holders, is_read };
                return self.end_now(description, end).await;
            }
        }
        Ok(Retired::NotYet)
    }

    /// What a version names that is to be retired. One that can name no key loses its labels, or is told.
    async fn value_to_retire(&mut self, description: &Description, version: &VersionId) -> Result<Option<SecretValue>, Error> {
        let Some(stored) = patiently(self.pass, || self.hand.read(Which::Version(version))).await? else {
            // Given up before it had a value, or made current by a hand without one. A value that is there would be shown after so long.
            let ending = Ending::of(description, version);
            if ending.condemned.max(ending.replaced).is_some_and(|at| is_past(at, UNSETTLED, self.pass.now())) {
                self.shed(version, "it has no value", says_of_the_end).await?;
            }
            return Ok(None);
        };
        match SecretValue::parse(&stored.text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let say = format!("version {version} is to be retired, and its value cannot be used: {error}");
                let what_to_do = "delete its key at the venue, if there is one; then take the version's labels off";
                self.find(Code::ValueInvalid, say, what_to_do);
                Ok(None)
            }
        }
    }

    /// A key whose time has come: it is revoked, and its death proven.
    async fn end_now(&mut self, description: &Description, end: End<'_>) -> Result<Retired, Error> {
        let pass = self.pass;
        let End { version, value, ending, replaced, venue, account, current, holders, is_read } = end;
        let theirs = current.and_then(|current| current.master.as_ref().ok());
        let master = match (pass.master(venue.id(), value).await, theirs) {
            (Ok(master), _) => master,
            (Err(_), Some((master, _))) => master.clone(),
            (Err(_), None) if value.master_arn.is_none() => {
                return self.end_supplied(venue.as_ref(), version, value, ending, current).await;
            }
            (Err(error), None) => return Err(error),
        };
        let account = account.or_else(|| current?.account());
        let in_grace_by_hand = replaced.filter(|_| !ending.compromised).map(|at| after(at, pass.settings.longest_grace()));
        let condemned = Condemned { venue: venue.as_ref(), master, account, current, holders, in_grace_by_hand };
        let since = [created_by_us(value, version), ending.replaced, ending.condemned].into_iter().flatten().min();
        let there = |current: &Current| current.venue.id() == venue.id();
        let controlled = current.is_some_and(|current| there(current) && current.has_accepted_one());
        let revoked = self.revoked.as_ref() == Some(&value.credential.key_id);
        let known = Known { since, revoked, controlled };
        let dead = self.end(&condemned, description, version, value, ending.at_once, known).await?;
        // Who comes next has to see that what consumers read is a leaked key, and a dead one.
        if dead && !(ending.compromised && is_read) {
            self.forget(version).await?;
        }
        Ok(if dead { Retired::Dead } else { Retired::Unproven })
    }

    /// What keeps every named key alive: that it is not known who holds which.
    fn waits_for(
        &mut self,
        holders: &Holders,
        arn: &str,
        venue: &VenueId,
        version: &VersionId,
        asking: Asking<'_>,
    ) -> Option<Retired> {
        let key = &asking.credential.key_id;
        if let Some(secret) = holders.unreadable(&venue.exchange, asking, self.order.is_some()) {
            let say =
                format!("a version of {secret} that may hold a key cannot be read: no named key of {venue} is revoked meanwhile");
            let what_to_do = format!("restore {secret}, or allow the function's role to read it, or delete it for good");
            self.key(version, key, None, format!("waits: a version of {secret} cannot be read"));
            if secret == self.name {
                self.find(Code::HolderUnreadable, say, what_to_do);
            } else {
                self.find_elsewhere(Code::HolderUnreadable, secret, say, what_to_do);
            }
            return Some(Retired::Elsewhere);
        }
        if !holders.know(arn) {
            self.key(version, key, None, "waits: ListSecrets does not show the secret yet".to_owned());
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
    ) -> Result<Ending, Error> {
        let mut ending = Ending::of(description, version);
        ending.compromised |= self.order.is_some();
        ending.at_once |= self.order == Some(Mode::RevokeFirst);
        ending.ordered = self.order == Some(Mode::RevokeFirst) || ending.at_once && wrong::is(Wrong::LabelOrdersAnothers);
        let key = &value.credential.key_id;
        let is_gone = !is_marked(description, key, list) && counts_as_issued(description, version, value, list);
        ending.was_there = !is_gone && !was_issued_for(description, version, key, list);
        ending.may_be_promoted = may_be_promoted(description, version, value, self.pass.now());
        // Where consumers read it already, an order to revoke it first waits for nobody.
        // Nor does it where a copy cannot be given up for want of room.
        let cannot_wait = ending.at_once && (is_read || must_fit(description, 1).is_err());
        let waits_for_copies = !cannot_wait && !wrong::is(Wrong::LeakedCopyAtOnce);
        if ending.compromised && waits_for_copies && !ending.may_be_promoted {
            ending.may_be_promoted = self.a_copy_may_be_promoted(description, version, &value.credential.key_id).await?;
        }
        Ok(ending)
    }

    /// The same without what stamps say of a time before the version was made, as Secrets Manager has it: whoever may write the secret can
    /// write such stamps.
    async fn since_it_was_made(&self, version: &VersionId, ending: Ending) -> Result<Ending, Error> {
        if wrong::is(Wrong::OldStampsCount) {
            return Ok(ending);
        }
        let Some(made) = self.stored_at(version).await? else { return Ok(ending) };
        let replaced = ending.replaced.map(|at| at.max(made));
        let condemned = ending.condemned.filter(|at| after(*at, CLOCKS_APART) >= made);
        Ok(Ending { replaced, condemned, ..ending })
    }

    /// Whether a run may be about to make another version current that names this key, though it is given up.
    async fn a_copy_may_be_promoted(&self, description: &Description, leaked: &VersionId, key: &KeyId) -> Result<bool, Error> {
        let pending = description.holder(&Label::pending());
        let now = self.pass.now();
        // A stamp of a time to come is none of ours: nothing waits for it.
        let recently = |version: &VersionId| {
            let condemned = Ending::of(description, version).condemned;
            condemned.is_some_and(|at| !is_past(at, UNSETTLED, now) && at <= after(now, CLOCKS_APART))
        };
        let others = description.versions.keys().filter(|version| *version != leaked);
        for version in others.filter(|version| Some(*version) == pending || recently(version)) {
            let stored = patiently(self.pass, || self.hand.read(Which::Version(version))).await?;
            let value = stored.and_then(|stored| SecretValue::parse(&stored.text).ok());
            if value.is_some_and(|value| value.credential.key_id == *key && may_be_promoted(description, version, &value, now)) {
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
            named.held.insert(Held { secret: self.name.clone(), label: label.as_str().to_owned() });
        };
        holding_labels(description, version).for_each(&mut hold);
        if current.is_some_and(|current| current.value.credential.key_id == *key) {
            hold(&Label::current());
        }
        named.replicas = named.replicas.max(Replicas::of(description));
        named
    }

    pub(super) fn in_grace(&mut self, version: &VersionId, key: &KeyId, until: Timestamp, by_hand: bool) {
        self.key(version, key, None, format!("in grace until {until}"));
        if by_hand {
            self.announce(key, until);
        }
    }

    /// Whoever else reads a key that dies at once has to hear of it.
    fn tell_other_holders(&mut self, description: &Description, key: &KeyId, named: &Named) {
        for held in &named.held {
            if held.secret != self.name {
                let say = format!("its {} names the leaked key {key}, which a person ordered dead at once", held.label);
                let way_out = self.way_out(description, held);
                self.find_elsewhere(Code::CompromisedHeld, &held.secret, say, way_out);
            }
        }
    }

    /// Who made a key by hand may have put it anywhere.
    pub(super) fn announce(&mut self, key: &KeyId, until: Timestamp) {
        let say =
            format!("{key} was made by hand and stays alive until {} at the least: it may sit in a file somewhere", day(until));
        self.find(Code::AdoptionGrace, say, "look for the places that use it; when there is none, nothing need be done");
    }

    async fn condemn(&mut self, description: &Description, version: &VersionId, key: &KeyId) -> Result<(), Error> {
        let what = format!("condemn version {version}: {key} is to die");
        if self.would(&what) {
            return Ok(());
        }
        let old: Vec<Label> = description
            .labels(version)
            .filter(|label| label.stamp().is_some_and(|stamp| stamp.kind == StampKind::Condemned))
            .cloned()
            .collect();
        for label in &old {
            self.hand.remove_label(label.clone(), version).await?;
        }
        must_fit(description, usize::from(old.is_empty()))?;
        self.hand.add_stamp(StampKind::Condemned, version).await?;
        self.count("condemned");
        Ok(())
    }

    /// A supplied key has no master by which it could be revoked, or listed: a person deletes it, and its own answer proves that.
    async fn end_supplied(
        &mut self,
        venue: &dyn Venue,
        version: &VersionId,
        value: &SecretValue,
        ending: Ending,
        current: Option<&Current>,
    ) -> Result<Retired, Error> {
        let key = &value.credential.key_id;
        let is_read = current.is_none_or(|current| current.value.credential.key_id == *key);
        let accepted = current.is_some_and(|current| current.venue.id() == venue.id() && current.alive().is_some());
        let since = [created_by_us(value, version), ending.replaced, ending.condemned].into_iter().flatten().min();
        let old = since.is_some_and(|since| is_past(since, venue.facts().propagation, self.pass.now()));
        let answer = asked(self.pass, venue, value).await;
        let rejected = answer.is_err_and(|error| error.class == ErrorClass::Rejected);
        let accepted_still = match current {
            Some(current) if old && accepted && !is_read && rejected => self.is_one_accepted_still(current).await,
            _ => false,
        };
        if accepted_still {
            self.proven_dead(version, key);
            self.forget(version).await?;
            return Ok(Retired::Dead);
        }
        let say = format!("{key} of version {version} was supplied, and no master credential is named that could revoke it");
        self.find(Code::GraceOverrun, say, "delete the key at the venue: the next pass sees that it is dead");
        Ok(Retired::NotYet)
    }

    /// Revokes a key, and tells whether it is proven dead.
    async fn end(
        &mut self,
        condemned: &Condemned<'_>,
        description: &Description,
        version: &VersionId,
        value: &SecretValue,
        at_once: bool,
        known: Known,
    ) -> Result<bool, Error> {
        let (pass, hand) = (self.pass, self.hand);
        let key = &value.credential.key_id;
        let answer = asked(pass, condemned.venue, value).await;
        let Some(mut desk) = condemned.desk(description, &answer) else {
            let say = format!("the account of {key} is not known, so it cannot be revoked");
            self.find(Code::GraceOverrun, say, "delete the key at the venue");
            return Ok(false);
        };
        let first_failed = answer.is_err();
        let list = condemned.list(pass, &desk, &answer).await?;
        let mut life_now = judged(pass, desk.venue, key, &answer, &list, known);
        if life_now != Life::Dead {
            let by_hand = condemned.in_grace_by_hand.filter(|until| pass.now() < *until && !wrong::is(Wrong::GraceByVersion));
            if let (Ok(_), false, Some(until)) = (&answer, is_marked(description, key, Some(&list)), by_hand) {
                self.in_grace(version, key, until, true);
                return Ok(false);
            }
            condemned.prove(&mut desk, key, &answer, &list);
            if self.is_named_by_the_order(condemned, key) {
                desk.take_order();
            } else if !condemned.has(description, version, key, &answer, &list) && !wrong::is(Wrong::IdRevokes) {
                return self.leave(&desk, version, value, answer, known).await;
            }
            let what = format!("revoke {key} of version {version}");
            if self.would(&what) {
                return Ok(false);
            }
            // What was read may be seconds old: a person may have meant the key to stay just now.
            let again = hand.describe().await?;
            let labels: Vec<&Label> = again.labels(version).collect();
            let held = labels.iter().any(|label| holding().contains(label)) && !at_once;
            if labels.is_empty() || held {
                return Ok(false);
            }
            pass.turn_of(desk.venue, &desk.master).await;
            let refused = hand.revoke(version, &desk, key).await?.err();
            if refused.is_none() {
                self.count("revoked");
            }
            // An order that went out may have been carried out: a rejection does not mean "not yet" any more.
            if refused.as_ref().is_none_or(|error| error.class == ErrorClass::UnknownOutcome) {
                self.revoked = Some(key.clone());
            }
            // Where it was refused, another may have done it, or an answer was lost.
            let answer = asked(pass, desk.venue, value).await;
            // Where the first answer was an error, a list came after it: the host has accepted the master since.
            let controlled = known.controlled || first_failed;
            let known = match refused {
                None => Known { revoked: true, controlled, ..known },
                Some(_) => Known { controlled, ..known },
            };
            life_now = life(pass, &desk, key, &answer, known).await?;
            if let Some(error) = refused.filter(|_| life_now != Life::Dead) {
                let say = format!("{key} of version {version} could not be revoked: {error}");
                self.find(Code::GraceOverrun, say, pass.command(Operation::Maintain, &self.name));
                return Ok(false);
            }
        }
        if life_now != Life::Dead {
            let say = format!("{key} of version {version} was revoked, and nothing proves yet that it is dead");
            self.find(Code::NotProvenDead, say, "nothing: the next pass looks again");
            return Ok(false);
        }
        self.proven_dead(version, key);
        Ok(true)
    }

    /// Whether a person's order to revoke first names the key itself, and nobody else's current value does: then it dies by that word.
    fn is_named_by_the_order(&self, condemned: &Condemned<'_>, key: &KeyId) -> bool {
        let named = match self.pass.request {
            Request::BreakGlass { fingerprint: Some(fingerprint), .. } => fingerprint.is_of(key),
            _ => false,
        };
        let is_elsewhere = || condemned.holders.current_elsewhere(&self.name, key).is_some();
        named && self.order == Some(Mode::RevokeFirst) && condemned.holders.are_all_known() && !is_elsewhere()
    }

    /// What nothing shows to be this secret's key is not revoked: it is proven dead, or a person ends it.
    async fn leave(
        &mut self,
        desk: &Desk<'_>,
        version: &VersionId,
        value: &SecretValue,
        answer: Result<KeyState, VenueError>,
        known: Known,
    ) -> Result<bool, Error> {
        let (pass, key) = (self.pass, &value.credential.key_id);
        let why = match answer {
            Err(error) if error.class == ErrorClass::Rejected => {
                // The list that came after the first answer has shown that the host accepts another credential.
                let answer = asked(pass, desk.venue, value).await;
                let list = listed(pass, desk).await?;
                if judged(pass, desk.venue, key, &answer, &list, Known { controlled: true, ..known }) == Life::Dead {
                    self.proven_dead(version, key);
                    return Ok(true);
                }
                let say = format!("{key} of version {version} was rejected, which does not prove yet that it is dead");
                self.find(Code::NotProvenDead, say, "nothing: the next pass looks again");
                return Ok(false);
            }
            Err(error) if !matches!(error.class, ErrorClass::Mismatched | ErrorClass::Denied | ErrorClass::Refused) => {
                return Err(venue_error(&error));
            }
            Err(error) => format!("the venue does not accept its credential as it is stored ({error})"),
            Ok(_) => "it was issued for another secret".to_owned(),
        };
        let say = format!("{key} of version {version} is not revoked, since nothing proves that it is this secret's: {why}");
        let what_to_do = format!(
            "where it is this secret's, delete it at the venue; then take the version's labels off, which are shown by: {}",
            look_at(&self.name)
        );
        self.find(Code::GraceOverrun, say, what_to_do);
        Ok(false)
    }

    /// The order that ends a leaked key whoever else may have it.
    fn order_for(&self, version: &VersionId) -> String {
        let order = self.pass.request.order();
        let (reason, incident) =
            order.map_or(("<what happened>", "<number>"), |order| (order.reason.as_str(), order.incident.as_str()));
        let fields = [
            ("secret", self.name.as_str()),
            ("version", version.as_str()),
            ("mode", "revoke_first"),
            ("reason", reason),
            ("incident", incident),
        ];
        self.pass.command_with(Operation::BreakGlass, &fields)
    }

    fn proven_dead(&mut self, version: &VersionId, key: &KeyId) {
        self.key(version, key, Some(false), "dead".to_owned());
        if !self.pass.is_dry_run() {
            self.hand.record(Action::ProveDead, version, &About::key(key), None);
        }
    }

    /// What another label of this or another secret holds past its grace is told to both.
    fn tell_who_holds(&mut self, key: &KeyId, ending: Ending, named: &Named, grace: Duration) {
        let over = ending.replaced.is_some_and(|at| is_past(at, grace, self.pass.now()));
        if !over {
            return;
        }
        if let Some((at, secret)) = named.replaced_elsewhere.as_ref().filter(|_| named.held.is_empty()) {
            let say = format!("{key} is past its grace in {}, and was current in {secret} until {at}", self.name);
            self.find(Code::SharedKey, say.clone(), "give each its own key");
            self.find_elsewhere(Code::SharedKey, secret, say, "give each its own key".to_owned());
        }
        let others: Vec<&Held> = named.held.iter().filter(|held| held.secret != self.name).collect();
        for Held { secret, label } in others {
            let say = format!("{key} is past its grace in {}, and stays alive as the {label} key of {secret}", self.name);
            self.find(Code::SharedKey, say.clone(), rotate(secret));
            self.find_elsewhere(Code::SharedKey, secret, say, rotate(secret));
        }
    }

    /// Takes the labels off a version that names no living key.
    async fn forget(&mut self, version: &VersionId) -> Result<(), Error> {
        if self.shed(version, "its key is dead", says_of_the_end).await? {
            self.count("retired");
        }
        Ok(())
    }

    /// Whether a version that was given up says nothing that another does not: its key was there before, and is held by another
    /// label, or in the grace of a version that was current with it. Nobody could offer that key again while this one is condemned.
    fn has_no_more_to_say(&self, description: &Description, version: &VersionId, ending: Ending, named: &Named) -> bool {
        let was_given_up = ending.condemned.is_some_and(|at| is_past(at, UNSETTLED, self.pass.now()));
        let holds_itself = description.labels(version).any(|label| holding().contains(label));
        let is_told = !named.held.is_empty() || named.replaced.is_some();
        let never_current = ending.replaced.is_none() && description.holder(&Label::previous()) != Some(version);
        ending.was_there && never_current && !ending.compromised && was_given_up && !holds_itself && is_told
    }

    /// Takes labels off a version that is not current. Whether there were any, or would be.
    async fn shed(&mut self, version: &VersionId, why: &str, which: impl Fn(&Label) -> bool) -> Result<bool, Error> {
        let what = format!("take the labels off version {version}: {why}");
        if self.would(&what) {
            return Ok(true);
        }
        let description = self.hand.describe().await?;
        if description.holder(&Label::current()) == Some(version) {
            return Ok(false);
        }
        let mut labels: Vec<Label> = description.labels(version).filter(|label| which(label)).cloned().collect();
        // AWSPREVIOUS first: without it no pass stamps the version anew. REVOKE_FIRST says nothing alone. The stamp that says most
        // goes last.
        labels.sort_by_key(|label| {
            let is_replaced = label.stamp().is_some_and(|stamp| stamp.kind == StampKind::Replaced);
            (*label != Label::previous(), *label != Label::revoke_first(), is_replaced)
        });
        let any = !labels.is_empty();
        for label in labels {
            self.hand.remove_label(label, version).await?;
        }
        Ok(any)
    }
}

/// Whether a label says of a version what becomes of its key.
fn says_of_the_end(label: &Label) -> bool {
    label.stamp().is_some() || [Label::previous(), Label::compromised(), Label::revoke_first()].contains(label)
}

fn is_condemnation(label: &Label) -> bool {
    label.stamp().is_some_and(|stamp| stamp.kind == StampKind::Condemned)
}

/// A version whose key's time has come.
struct End<'a> {
    version: &'a VersionId,
    value: &'a SecretValue,
    ending: Ending,
    /// When it was last replaced, in any secret.
    replaced: Option<Timestamp>,
    venue: Arc<dyn Venue>,
    /// The account that its value tells.
    account: Option<AccountId>,
    current: Option<&'a Current>,
    holders: &'a Holders,
    /// Whether consumers read it.
    is_read: bool,
}

/// Whom to ask for the end of a key, as far as that is known before the key itself was asked.
struct Condemned<'a> {
    venue: &'a dyn Venue,
    master: Master,
    account: Option<AccountId>,
    current: Option<&'a Current>,
    holders: &'a Holders,
    /// Until when it stays alive if it turns out that it was made by hand.
    in_grace_by_hand: Option<Timestamp>,
}

impl<'a> Condemned<'a> {
    /// The account's keys: where the key was rejected, as they are after that.
    async fn list(&self, pass: &Pass<'_>, desk: &Desk<'_>, answer: &Result<KeyState, VenueError>) -> Result<KeyList, Error> {
        let known = self.current.filter(|current| current.account().as_ref() == Some(&desk.account) && answer.is_ok());
        match known.filter(|current| current.venue.id() == desk.venue.id()).and_then(Current::list) {
            Some(list) => Ok(list.clone()),
            None => listed(pass, desk).await,
        }
    }

    /// Takes the answers of the current key and of this one for proofs of the account.
    fn prove(&self, desk: &mut Desk<'_>, key: &KeyId, answer: &Result<KeyState, VenueError>, list: &KeyList) {
        if let Some(current) = self.current {
            current.prove(desk, list);
        }
        if let Ok(state) = answer {
            desk.take_for_proof(key, state, list);
        }
    }

    /// Whether the version has the key itself: the account's list shows that it was issued for this very version, or the venue accepts
    /// its credential, and the list does not show that it was issued for another secret. Who has a key's id has not the key.
    fn has(
        &self,
        description: &Description,
        version: &VersionId,
        key: &KeyId,
        answer: &Result<KeyState, VenueError>,
        list: &KeyList,
    ) -> bool {
        let marker = list.keys.iter().find(|listed| listed.key_id == *key).and_then(|listed| listed.marker.as_ref());
        let is_anothers = marker.is_some_and(|marker| self.holders.issued_for_one(marker));
        let is_mismatched = answer.as_ref().is_err_and(|error| error.class == ErrorClass::Mismatched);
        was_issued_for(description, version, key, Some(list)) && !is_mismatched || answer.is_ok() && !is_anothers
    }

    /// The desk that the key belongs to: its own answer tells best.
    fn desk(&self, secret: &Description, answer: &Result<KeyState, VenueError>) -> Option<Desk<'a>> {
        let account = match answer {
            Ok(state) => state.account.clone(),
            Err(_) => self.account.clone()?,
        };
        Some(Desk::new(self.venue, self.master.clone(), account, secret))
    }
}
