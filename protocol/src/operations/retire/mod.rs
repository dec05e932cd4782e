//! Rules 1 to 3: when the key of a version that is not current any more dies.

pub(crate) mod end_of_life;
mod evidence;
pub(crate) mod grace;
mod labels;
pub(crate) mod liveness;
mod not_ours;
mod orders;
pub(crate) mod revoke;
mod target;
mod telling;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::bounds::after;
use crate::error::Error;
use crate::label::VersionId;
use crate::operations::answer::Code;
use crate::operations::audit::secret::behind;
use crate::operations::commands::describe_secret;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::{Asking, Holders, Named};
pub(crate) use crate::operations::retire::end_of_life::Retired;
use crate::operations::retire::end_of_life::{EndOfLife, Verdict, is_ours, state, verdict as verdict_of};
use crate::operations::retire::grace::Origin;
use crate::operations::retire::labels::is_condemnation;
use crate::operations::retire::revoke::End;
use crate::ports::{Description, Venue};
use crate::secret::{AccountId, SecretValue};
use crate::wrong::{self, Wrong};

/// A version whose key is judged, and all that the verdict rests on.
struct Judged<'a> {
    version: &'a VersionId,
    value: &'a SecretValue,
    ending: EndOfLife,
    /// When it was made, where its key is to die.
    made: Option<Timestamp>,
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
        let is_read = current.is_none_or(|current| current.value.names(key));
        let list = current.and_then(Current::list);
        let mut ending = self
            .ending_of(description, version, &value, is_read, list)
            .await?;
        // What the list does not show may have been made by anybody.
        let issued = if wrong::is(Wrong::GraceByVersion) {
            is_ours(&value, version)
        } else {
            Origin::of(description, Some(version), key, list).counts_as_issued(version, &value)
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
        let (venue, account) = (self.venue_of(description, &value, current)?, value.account());
        let holders = match pass.holders().await {
            // Whoever holds it, a person orders that it dies.
            Err(_) if ending.at_once && self.order.is_some() => Arc::default(),
            holders => holders?,
        };
        let known = current.and_then(|current| current.master.as_ref().ok());
        // What the value says of the account is a claim: the account's list tells.
        let is_there = list.is_some_and(|list| list.key(key).is_some());
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
        let mut named = self.what_counts(named, ending, asking);
        // Of a key that others have replaced, this secret's value need not say who made it.
        let graces = (pass.settings.grace_of(issued), pass.settings.longest_grace());
        let mut verdict = verdict_of(ending, &named, graces, pass.now());
        let mut made = None;
        if matches!(verdict, Verdict::Condemn | Verdict::Revoke) {
            made = self.made(version, ending).await?;
            if !ending.compromised {
                ending = ending.since_it_was_made(made);
            }
            self.since_they_were_made(version, &mut named, ending).await?;
            verdict = verdict_of(ending, &named, graces, pass.now());
        }
        self.key(version, key, None, state(&verdict, &named));
        let judged = Judged {
            version,
            value: &value,
            ending,
            made,
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
            made,
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
                return Ok(self.tell_of_grace_elsewhere(version, key, until, &named));
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
                let elsewhere = named.replaced().filter(|_| !wrong::is(Wrong::GraceOfOneVersion));
                let replaced = ending.replaced.max(elsewhere);
                let end = End {
                    version,
                    value,
                    ending,
                    since: ending.there_since(version, value, made),
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
}
