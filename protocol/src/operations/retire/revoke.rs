//! Rules 7 and 9: the end of a key whose time has come. It is revoked where it is the secret's own, and
//! proven dead.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Action;
use crate::bounds::{STALENESS, after, is_past};
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::operations::answer::Code;
use crate::operations::commands::{describe_secret, take_off};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::{OrderedDeletion, SecretVisit};
use crate::operations::pass::holders::{Holders, holding};
use crate::operations::retire::end_of_life::{EndOfLife, Retired};
use crate::operations::retire::grace::Origin;
use crate::operations::retire::liveness::{Known, Life, asked, judged, life};
use crate::operations::retire::target::RevocationTarget;
use crate::operations::{Fingerprint, Mode, OperationRequest};
use crate::ports::{Description, ErrorClass, KeyList, KeyState, KeyToRevoke, Venue, VenueError};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::session::{About, AccountAccess, has_master, venue_error};
use crate::task::Operation;
use crate::wrong::{self, Wrong};

/// A version whose key's time has come.
pub(crate) struct End<'a> {
    pub(crate) version: &'a VersionId,
    pub(crate) value: &'a SecretValue,
    pub(crate) ending: EndOfLife,
    /// Since when its key has been there at the least.
    pub(crate) since: Option<Timestamp>,
    /// When it was last replaced, in any secret.
    pub(crate) replaced: Option<Timestamp>,
    pub(crate) venue: Arc<dyn Venue>,
    /// The account that its value tells.
    pub(crate) account: Option<AccountId>,
    pub(crate) current: Option<&'a Current>,
    pub(crate) holders: &'a Holders,
    /// Whether consumers read it.
    pub(crate) is_read: bool,
}

impl SecretVisit<'_> {
    /// A key whose time has come: it is revoked, and its death proven.
    pub(crate) async fn end_now(
        &mut self,
        description: &Description,
        end: End<'_>,
    ) -> Result<Retired, Error> {
        let pass = self.pass;
        let End {
            version,
            value,
            ending,
            since,
            replaced,
            venue,
            account,
            current,
            holders,
            is_read,
        } = end;
        let theirs = current.and_then(|current| current.master.as_ref().ok());
        let master = match (pass.master(venue.as_ref(), value).await, theirs) {
            (Ok(master), _) => master,
            (Err(_), Some((master, _))) => master.clone(),
            (Err(_), None) if !has_master(venue.as_ref(), value) => {
                return self
                    .end_supplied(venue.as_ref(), version, value, since, current)
                    .await;
            }
            (Err(error), None) => return Err(error),
        };
        let account = account.or_else(|| current?.account());
        let in_grace_by_hand = replaced
            .filter(|_| !ending.compromised)
            .map(|at| after(at, pass.settings.longest_grace()));
        let condemned = RevocationTarget {
            venue: venue.as_ref(),
            master,
            account,
            current,
            holders,
            in_grace_by_hand,
        };
        let there = |current: &Current| current.venue.id() == venue.id();
        let controlled = current.is_some_and(|current| there(current) && current.has_accepted_one());
        let ordered = self
            .revoked
            .as_ref()
            .filter(|ordered| ordered.key == value.credential.key_id);
        let (revoked, deleted) = (ordered.is_some(), ordered.is_some_and(|ordered| ordered.is_done));
        let known = Known {
            since,
            revoked,
            deleted,
            controlled,
        };
        let dead = self
            .end(&condemned, description, version, value, ending.at_once, known)
            .await?;
        // Who comes next has to see that what consumers read is a leaked key, and a dead one.
        if dead && !(ending.compromised && is_read) {
            self.forget(version).await?;
        }
        Ok(if dead { Retired::Dead } else { Retired::Unproven })
    }

    /// A supplied key has no master by which it could be revoked, or listed: a person deletes it, and its own
    /// answer proves that.
    async fn end_supplied(
        &mut self,
        venue: &dyn Venue,
        version: &VersionId,
        value: &SecretValue,
        since: Option<Timestamp>,
        current: Option<&Current>,
    ) -> Result<Retired, Error> {
        let key = &value.credential.key_id;
        let is_read = current.is_none_or(|current| current.value.names(key));
        let accepted =
            current.is_some_and(|current| current.venue.id() == venue.id() && current.alive().is_some());
        let old = since.is_some_and(|since| is_past(since, venue.facts().propagation, self.pass.now()));
        let answer = asked(self.pass, venue, value).await;
        let is_death = |class| {
            class == ErrorClass::Rejected
                || class == ErrorClass::Unexplained && wrong::is(Wrong::UnexplainedIsDeath)
        };
        let rejected = answer.is_err_and(|error| is_death(error.class));
        let accepted_still = match current {
            Some(current) if old && accepted && !is_read && rejected => {
                self.is_one_accepted_still(current).await
            }
            _ => false,
        };
        if accepted_still {
            self.proven_dead(version, key);
            self.forget(version).await?;
            return Ok(Retired::Dead);
        }
        let say =
            format!("{key} of version {version} was supplied, and no master credential could revoke it");
        // Not everywhere does an answer of the key's prove its death.
        let what_to_do = format!(
            "delete the key at the venue; where a later pass tells of it still, take the version's labels \
             off, which are shown by: {}",
            describe_secret(&self.name)
        );
        self.leave_to_person(Code::GraceOverrun, say, what_to_do);
        Ok(Retired::NotYet)
    }

    /// Revokes a key, and tells whether it is proven dead.
    async fn end(
        &mut self,
        condemned: &RevocationTarget<'_>,
        description: &Description,
        version: &VersionId,
        value: &SecretValue,
        at_once: bool,
        known: Known,
    ) -> Result<bool, Error> {
        let pass = self.pass;
        let key = &value.credential.key_id;
        let answer = asked(pass, condemned.venue, value).await;
        let Some(mut access) = condemned.access(description, &answer) else {
            let say = format!("the account of {key} is not known, so it cannot be revoked");
            self.leave_to_person(Code::GraceOverrun, say, "delete the key at the venue");
            return Ok(false);
        };
        let first_failed = answer.is_err();
        let list = match condemned.list(pass, &access, &answer).await {
            Ok(list) => Some(list),
            // A person's order to revoke first waits for no read that it does not need.
            Err(error)
                if self.order == Some(Mode::RevokeFirst)
                    && error.error_type == ErrorType::VenueUnavailable =>
            {
                tracing::warn!(
                    %error,
                    "the account's keys could not be listed: the order is carried out without"
                );
                None
            }
            Err(error) => return Err(error),
        };
        let list = list.as_ref();
        let known = self.controlled_still(condemned, (key, &answer), known).await;
        let mut life_now = list.map_or(Life::Unknown, |list| {
            judged(pass, access.venue, key, &answer, list, known)
        });
        if life_now != Life::Dead {
            let by_hand = condemned
                .in_grace_by_hand
                .filter(|until| pass.now() < *until && !wrong::is(Wrong::GraceByVersion));
            let origin = Origin::of(description, Some(version), key, list);
            if let (Ok(_), false, Some(until)) = (&answer, origin.is_issued(), by_hand) {
                self.in_grace(version, key, until, true);
                return Ok(false);
            }
            if let (Ok(state), Some(list)) = (&answer, list)
                && state.belongs_to(&access.account, key, Some(list)).is_none()
                && !wrong::is(Wrong::UntoldAccountAgreed)
            {
                self.tell_of_no_account(version, key, &access, known);
                return Ok(false);
            }
            condemned.prove(&mut access, key, &answer, list);
            let answers_for_itself = answer.as_ref().is_ok_and(|state| !state.is_master);
            if self.is_named_by_the_order(condemned, key) || list.is_none() && answers_for_itself {
                access.take_order();
            } else if !condemned.has(description, version, key, &answer, list) && !wrong::is(Wrong::IdRevokes)
            {
                let same_host = !condemned.venue.asks_masters_elsewhere();
                let controlled = same_host && (known.controlled || list.is_some());
                let known = Known { controlled, ..known };
                return self
                    .leave(
                        description,
                        (&access, condemned.holders),
                        version,
                        value,
                        answer,
                        known,
                    )
                    .await;
            }
            let revocation = Revocation {
                version,
                value,
                access: &access,
                list,
                at_once,
                was_leaked: description.bears(version, &Label::compromised()),
                first_failed,
            };
            match self.revoke(revocation, known).await? {
                Some(life) => life_now = life,
                None => return Ok(false),
            }
        }
        if life_now != Life::Dead {
            let say =
                format!("{key} of version {version} was revoked, and nothing proves yet that it is dead");
            self.find(Code::NotProvenDead, say, "nothing: the next pass looks again");
            return Ok(false);
        }
        self.proven_dead(version, key);
        Ok(true)
    }

    /// The key answers, does not name its account, and is in no list of the one that its value names: it
    /// would not be revoked there.
    fn tell_of_no_account(
        &mut self,
        version: &VersionId,
        key: &KeyId,
        access: &AccountAccess<'_>,
        known: Known,
    ) {
        let say = format!(
            "{key} of version {version} answers, and the keys of account {}, which its value names, do not \
             include it",
            access.account
        );
        let propagation = access.venue.facts().propagation;
        // One of unknown age may be old, and is told of.
        if known
            .since
            .is_none_or(|since| is_past(since, propagation, self.pass.now()))
        {
            self.leave_to_person(
                Code::GraceOverrun,
                format!("{say}: it cannot be revoked there"),
                "delete the key at the venue, on the account that it belongs to",
            );
        } else {
            self.find(
                Code::NotProvenDead,
                say,
                "nothing, unless this lasts: a list may be behind",
            );
        }
    }

    /// What is known once the key was asked. That the host accepts another credential still is shown by the
    /// list that comes after; where the list comes from another host, by asking the current key again.
    async fn controlled_still(
        &self,
        target: &RevocationTarget<'_>,
        (target_key, answer): (&KeyId, &Result<KeyState, VenueError>),
        known: Known,
    ) -> Known {
        if !known.controlled || !target.venue.asks_masters_elsewhere() {
            return known;
        }
        let controlled = match target.current {
            // A key is no control of its own.
            Some(current) if answer.is_err() && !current.value.names(target_key) => {
                self.is_one_accepted_still(current).await
            }
            _ => false,
        };
        Known { controlled, ..known }
    }

    /// Asks the venue to delete a key, and looks what came of that. `None` where nothing was asked, or the
    /// venue refused, which is told.
    async fn revoke(&mut self, revocation: Revocation<'_>, known: Known) -> Result<Option<Life>, Error> {
        let Revocation {
            version,
            value,
            access,
            list,
            at_once,
            was_leaked,
            first_failed,
        } = revocation;
        let (pass, session, key) = (self.pass, self.session, &value.credential.key_id);
        let what = format!("revoke {key} of version {version}");
        if self.would(&what) {
            return Ok(None);
        }
        // What was read may be seconds old: a person may have meant the key to stay just now.
        let asked_at = pass.now();
        let again = session.describe().await?;
        if self.is_taken_back(&again, version, asked_at) {
            self.tell_taken_back(&again, version, key);
            return Ok(None);
        }
        // A label orders only as long as it is there: the next pass judges what is left.
        let is_over = was_leaked && !again.bears(version, &Label::compromised());
        if self.order.is_none() && is_over && !wrong::is(Wrong::OrderOutlivesLabel) {
            return Ok(None);
        }
        let labels: Vec<&Label> = again.labels(version).collect();
        let held = labels.iter().any(|label| holding().contains(label)) && !at_once;
        if labels.is_empty() || held {
            return Ok(None);
        }
        pass.turn_of(access.venue, &access.master).await;
        let listed = list.and_then(|list| list.key(key));
        let target = KeyToRevoke {
            marker: listed.and_then(|listed| listed.marker.as_ref()),
            listed_since: listed.map(|listed| listed.created_at),
            ..KeyToRevoke::from(&value.credential)
        };
        let refused = session.revoke(version, access, target).await?.err();
        if refused.is_none() {
            self.count("revoked");
            self.has_revoked = true;
        }
        // An order that went out may have been carried out: a rejection does not mean "not yet" any more.
        if refused
            .as_ref()
            .is_none_or(|error| error.class == ErrorClass::UnknownOutcome)
        {
            self.revoked = Some(OrderedDeletion {
                key: key.clone(),
                is_done: refused.is_none(),
            });
        }
        // Where it was refused, another may have done it, or an answer was lost.
        let answer = asked(pass, access.venue, value).await;
        // Where the first answer was an error and a list came after it, the host has accepted the master
        // since.
        let same_host = !access.venue.asks_masters_elsewhere();
        let controlled = same_host && (known.controlled || first_failed && list.is_some());
        let known = match refused {
            None => Known {
                revoked: true,
                deleted: true,
                controlled,
                ..known
            },
            Some(_) => Known { controlled, ..known },
        };
        let life_now = match life(pass, access, key, &answer, known).await {
            // The order went out; the proof needs the list.
            Err(error) if refused.is_none() && list.is_none() => {
                tracing::warn!(
                    %error,
                    "the account's keys could not be listed: the key's death is not proven yet"
                );
                Life::Unknown
            }
            life => life?,
        };
        if let Some(error) = refused.filter(|_| life_now != Life::Dead) {
            let rejected = answer
                .as_ref()
                .is_err_and(|error| error.class == ErrorClass::Rejected);
            if rejected && matches!(error.class, ErrorClass::Refused | ErrorClass::Gone) {
                let say =
                    format!("{key} of version {version} is rejected, and its deletion is refused: {error}");
                self.find(
                    Code::NotProvenDead,
                    say,
                    "nothing, unless this lasts: a list may be behind",
                );
            } else {
                let say = format!(
                    "{key} of version {version} could not be revoked: {}",
                    venue_error(&error).problem
                );
                let what_to_do = if error.class == ErrorClass::PassphraseWrong {
                    "delete the key at the venue: the next pass looks whether it is dead".to_owned()
                } else {
                    pass.command(Operation::Maintain, &self.name)
                };
                self.leave_to_person(Code::GraceOverrun, say, what_to_do);
            }
            return Ok(None);
        }
        Ok(Some(life_now))
    }

    /// Whether somebody has taken the order back that this invocation carries out. A read may be as old as
    /// [`STALENESS`]: what was asked later than that would show the label that the order has put there.
    fn is_taken_back(&self, labels: &Description, version: &VersionId, asked_at: Timestamp) -> bool {
        let stands = labels.bears(version, &Label::compromised());
        let would_show = |written: Timestamp| is_past(written, STALENESS, asked_at);
        !stands && self.order_written.is_some_and(would_show) && !wrong::is(Wrong::OrderOutlivesLabel)
    }

    fn tell_taken_back(&mut self, labels: &Description, version: &VersionId, key: &KeyId) {
        self.taken_back = true;
        let say = format!(
            "COMPROMISED was taken off version {version} while the order was carried out: that takes the \
             order back, and {key} is not revoked by it"
        );
        let mut what_to_do = format!(
            "where the key has to die all the same: {}",
            self.order_again(version)
        );
        if labels.bears(version, &Label::revoke_first()) {
            let rest = take_off(&self.name, Label::revoke_first().as_str(), version.as_str());
            what_to_do = format!("take the rest of the order off: {rest}; or, {what_to_do}");
        }
        self.find(Code::NotDone, say, what_to_do);
    }

    /// Whether a person's order to revoke first names the key itself, and nobody else's current value does:
    /// then it dies by that word.
    fn is_named_by_the_order(&self, condemned: &RevocationTarget<'_>, key: &KeyId) -> bool {
        let named = named_by(self.pass.request).is_some_and(|fingerprint| fingerprint.is_of(key));
        let is_elsewhere = || condemned.holders.current_elsewhere(&self.name, key).is_some();
        named && self.order == Some(Mode::RevokeFirst) && condemned.holders.are_all_known() && !is_elsewhere()
    }

    pub(super) fn proven_dead(&mut self, version: &VersionId, key: &KeyId) {
        self.key(version, key, Some(false), "dead".to_owned());
        if !self.pass.is_dry_run() {
            self.session
                .record(Action::ProveDead, version, &About::key(key), None);
        }
    }
}

/// A key that may be revoked.
struct Revocation<'a> {
    version: &'a VersionId,
    value: &'a SecretValue,
    access: &'a AccountAccess<'a>,
    /// The account's keys, where the venue listed them.
    list: Option<&'a KeyList>,
    at_once: bool,
    /// Whether the labels said that the key is leaked when it was judged.
    was_leaked: bool,
    /// Whether the key's own first answer was an error.
    first_failed: bool,
}

/// The key that a person's order names itself.
pub(super) fn named_by(request: &OperationRequest) -> Option<&Fingerprint> {
    match request {
        OperationRequest::BreakGlass { fingerprint, .. } => fingerprint.as_ref(),
        _ => None,
    }
}
