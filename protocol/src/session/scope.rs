//! What a master credential may be asked to do for a secret. Whoever may write the secret writes its value
//! and its labels: they are claims. Authority comes from the master's own value (`serves`), or from what keys
//! of this very secret prove by their own answers.

use std::collections::BTreeSet;

use super::access::AccountAccess;
use crate::error::{Error, ErrorType};
use crate::ports::{Grant, KeyList, KeyState};
use crate::secret::{Address, Entry, KeyId};
use crate::wrong::{self, Wrong};

/// What is to be done with a key of the secret.
#[derive(Clone, Copy)]
pub(crate) enum Act<'a> {
    /// It is to have this: it is issued, or edited. The addresses are the function's own, which never count
    /// as more.
    Have(&'a Grant, &'a BTreeSet<Address>),
    /// It is to die.
    Die,
}

impl AccountAccess<'_> {
    /// Takes a key's own answer for a proof: of its account, and of what a key of this secret may have there.
    /// One that bears another secret's marker proves nothing: it was issued for that one.
    pub(crate) fn take_for_proof(&mut self, key: &KeyId, answer: &KeyState, list: &KeyList) {
        let listed = list.key(key);
        let marker = listed.and_then(|listed| listed.marker.as_ref());
        let is_anothers = marker.is_some_and(|marker| !marker.same_secret(&self.ours));
        if answer.belongs_to(&self.account, key, Some(list)) == Some(true)
            && !answer.is_master
            && (!is_anothers || wrong::is(Wrong::StolenKeyProves))
        {
            self.proofs.push(answer.completed_by(list.key(key)));
        }
    }

    /// Takes a person's order, which named the key itself, for what allows its death.
    pub(crate) fn take_order(&mut self) {
        self.ordered = true;
    }

    /// Whether keys have to prove what the master's value does not say.
    pub(crate) fn needs_proof(&self, act: Act<'_>) -> bool {
        self.must_serve(act).is_err()
    }

    /// # Errors
    /// SCOPE_REFUSED, with what to add to the master's value.
    pub(crate) fn must_serve(&self, act: Act<'_>) -> Result<(), Error> {
        let is_proven = |entry: Option<&Entry>| match act {
            Act::Die => entry.is_some() || !self.proofs.is_empty() || self.ordered,
            Act::Have(grant, own) => self.may_have(entry, grant, own),
        };
        let served = match &self.master.serves {
            _ if wrong::is(Wrong::ClaimsBelieved) => true,
            Some(serves) => serves
                .of(&self.name, &self.account)
                .any(|entry| is_proven(Some(entry))),
            None => is_proven(None),
        };
        if served { Ok(()) } else { Err(self.refusal(act)) }
    }

    /// Whether a key may have this: under an entry's ceiling, and where that says nothing no more than one
    /// key that answered has.
    fn may_have(&self, entry: Option<&Entry>, grant: &Grant, own: &BTreeSet<Address>) -> bool {
        let mut sources = self.proofs.iter().map(Some).chain([None]);
        let other = grant.addresses.without(own);
        sources.any(|proof| {
            let permissions = match (entry.and_then(|entry| entry.permissions.as_ref()), proof) {
                (Some(most), _) => grant
                    .permissions
                    .iter()
                    .all(|asked| most.iter().any(|most| most.covers(asked)) || asked.only_reads()),
                (None, Some(proof)) => proof.powers.lacks(&grant.permissions).is_empty(),
                (None, None) => false,
            };
            let addresses = match (entry.and_then(|entry| entry.addresses.as_ref()), proof) {
                (Some(most), _) => other.as_ref().is_none_or(|other| other.within(most)),
                (None, Some(proof)) => other.as_ref().is_none_or(|other| {
                    let exact = proof.addresses.exact();
                    exact.is_some_and(|held| other.within(held))
                }),
                (None, None) => false,
            };
            permissions && addresses
        })
    }

    fn refusal(&self, act: Act<'_>) -> Error {
        let Self { account, name, .. } = self;
        let master = self.master.secret.name();
        let wanted = match act {
            Act::Die => String::new(),
            Act::Have(grant, _) => {
                let words: Vec<String> = grant.permissions.iter().map(ToString::to_string).collect();
                format!(" with {} from {}", words.join(", "), grant.addresses)
            }
        };
        let why = match (&self.master.serves, self.proofs.is_empty()) {
            (Some(serves), _) if serves.of(name, account).next().is_none() => {
                format!(
                    "no entry in `serves` of the master credential {master} covers {name} on account \
                     {account}"
                )
            }
            (Some(_), _) => {
                format!(
                    "no entry in `serves` of the master credential {master} covers a key of {name} on \
                     account {account}{wanted}"
                )
            }
            (None, true) => format!(
                "the master credential {master} does not say whom it serves, and no key of {name} has \
                 answered from account {account}, so that nothing but the secret's own value says that the \
                 account is its own"
            ),
            (None, false) => format!(
                "the master credential {master} does not say whom it serves, and no key of {name} that has \
                 answered from account {account} has as much as is asked for{wanted}"
            ),
        };
        let problem = format!(
            "{why}: where that is right, add the secret's name with `accounts`, `permissions` and \
             `ip_allowlist` to `serves` in the master's value; the operation `plan` shows the command"
        );
        Error::new(ErrorType::ScopeRefused, problem)
    }
}
