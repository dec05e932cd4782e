//! What is told of a replaced key that lives on: whose labels hold it, and how long its grace lasts.

use std::time::Duration;

use jiff::Timestamp;

use crate::bounds::is_past;
use crate::label::{Label, VersionId};
use crate::operations::answer::Code;
use crate::operations::commands::{day, rotate, take_off};
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::{Held, Holders, Named, Stamped};
use crate::operations::retire::Retired;
use crate::operations::retire::end_of_life::EndOfLife;
use crate::ports::Description;
use crate::secret::KeyId;
use crate::task::Operation;

impl SecretVisit<'_> {
    /// A leaked key that a label holds.
    pub(super) fn tell_of_holders(
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
    pub(super) fn tell_of_grace_elsewhere(
        &mut self,
        version: &VersionId,
        key: &KeyId,
        until: Timestamp,
        named: &Named,
    ) -> Retired {
        let elsewhere = named
            .replaced_elsewhere()
            .map_or("", |stamped| stamped.secret.as_str());
        let say = format!(
            "the leaked key {key} was current in {elsewhere} too, and stays alive until {until} for \
                 those who have read it there"
        );
        let what_to_do = format!("where that is too long: {}", self.order_for(version));
        self.find(Code::CompromisedHeld, say, what_to_do);
        Retired::Elsewhere
    }

    /// What another label of this or another secret holds past its grace is told to both.
    pub(super) fn tell_who_holds(
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
        if let Some(Stamped { secret, at, .. }) = named.replaced_elsewhere().filter(|_| named.held.is_empty())
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

    /// Whoever else reads a key that dies at once has to hear of it.
    pub(super) fn tell_other_holders(&mut self, description: &Description, key: &KeyId, named: &Named) {
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

    pub(crate) fn in_grace(&mut self, version: &VersionId, key: &KeyId, until: Timestamp, by_hand: bool) {
        self.key(version, key, None, format!("in grace until {until}"));
        if by_hand {
            self.announce(key, until);
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
}
