//! An exchange as the rotation knows it: the calls about its keys, each made and its answer read.

use async_trait::async_trait;
use protocol::marker::Marker;
use protocol::name::{Environment, VenueId};
use protocol::ports::{
    Grant, IssuedKey, KeyList, KeyState, KeyToRevoke, ListedKey, Signer, Venue, VenueError, VenueFacts, Whose,
};
use protocol::secret::{AccountId, Permissions};
use rustls::crypto::SecureRandom;
use secrecy::{ExposeSecret, SecretString};

use super::answer::Replies;
use super::call::{Call, Draft, Unmade};
use super::line::Line;
use super::passphrase;
use crate::exchange::Outside;

/// What one exchange is asked about keys, and what is known of its ways. Pure, as its
/// [`Wire`](super::wire::Wire) is.
pub(in crate::exchange) trait Keys: Replies {
    /// What is known of its ways.
    const FACTS: VenueFacts;
    /// Whether a key is issued with a passphrase, which is made here by chance.
    const PASSPHRASES: bool = false;

    /// Where the master credentials live that issue an environment's keys.
    fn masters(environment: &Environment) -> &Environment {
        environment
    }

    /// As [`Venue::can_grant`].
    fn can_grant(permissions: &Permissions) -> Result<(), String>;

    /// What a key has to have to issue others: whether it has it, and what to say where it has not.
    fn to_issue(master: &KeyState) -> Vec<(bool, String)>;

    /// A key asks about itself.
    fn inspect() -> Call;

    /// One page of an account's keys: the first, or the one that begins at a cursor.
    fn list(account: &AccountId, cursor: &str) -> Draft;

    /// Issues a key, with a passphrase where the exchange has them.
    fn issue(account: &AccountId, marker: &Marker, passphrase: &str, grant: &Grant) -> Draft;

    /// Sets a key to exactly this; with the key's own passphrase, where a value has it and the exchange asks
    /// for it.
    fn edit(account: &AccountId, key: &ListedKey, passphrase: Option<&SecretString>, grant: &Grant) -> Draft;

    /// Deletes a key.
    fn revoke(account: &AccountId, key: KeyToRevoke<'_>) -> Draft;
}

/// An exchange in one environment, within one invocation.
#[derive(Debug)]
pub(in crate::exchange) struct VenueOf<W> {
    line: Line<W>,
    /// Where master credentials are asked, if elsewhere.
    masters: Option<Line<W>>,
    random: &'static dyn SecureRandom,
}

impl<W: Keys> VenueOf<W> {
    pub(in crate::exchange) fn new(id: &VenueId, outside: &Outside<'_>) -> Result<Self, String> {
        let own = &id.environment;
        let line = Line::to(own, id, outside)?;
        let elsewhere = Some(W::masters(own)).filter(|masters| *masters != own);
        Ok(Self {
            line,
            masters: elsewhere
                .map(|masters| Line::to(masters, id, outside))
                .transpose()?,
            random: outside.shared.random,
        })
    }

    /// The way for what a credential signs.
    pub(in crate::exchange) fn line_of(&self, signer: &Signer) -> &Line<W> {
        match &self.masters {
            Some(masters) if signer.whose == Whose::Master => masters,
            _ => &self.line,
        }
    }
}

#[async_trait]
impl<W: Keys> Venue for VenueOf<W> {
    fn id(&self) -> &VenueId {
        self.line.id()
    }

    fn masters(&self) -> VenueId {
        let VenueId {
            exchange,
            environment,
        } = self.id().clone();
        VenueId {
            exchange,
            environment: W::masters(&environment).clone(),
        }
    }

    fn facts(&self) -> VenueFacts {
        W::FACTS
    }

    fn can_grant(&self, permissions: &Permissions) -> Result<(), String> {
        W::can_grant(permissions)
    }

    fn may_issue(&self, master: &KeyState) -> Result<(), String> {
        let lack = W::to_issue(master).into_iter().find(|(has, _)| !has);
        lack.map_or(Ok(()), |(_, say)| Err(say))
    }

    async fn inspect(&self, key: &Signer) -> Result<KeyState, VenueError> {
        self.line_of(key).call(key, Ok(W::inspect())).await
    }

    async fn list(&self, master: &Signer, account: &AccountId) -> Result<KeyList, VenueError> {
        let page = |cursor: &str| W::list(account, cursor);
        self.line_of(master).pages(master, page).await
    }

    async fn issue(
        &self,
        master: &Signer,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError> {
        let line = self.line_of(master);
        let passphrase = W::PASSPHRASES
            .then(|| passphrase::random(self.random))
            .transpose()
            .map_err(|problem| line.unmade(master.whose, Unmade::Fault(problem.to_owned())))?;
        let text = passphrase.as_ref().map_or("", ExposeSecret::expose_secret);
        let draft = W::issue(account, marker, text, grant);
        let mut issued: IssuedKey = line.call(master, draft).await?;
        issued.credential.passphrase = passphrase;
        Ok(issued)
    }

    async fn edit(
        &self,
        master: &Signer,
        account: &AccountId,
        key: &ListedKey,
        passphrase: Option<&SecretString>,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let draft = W::edit(account, key, passphrase, grant);
        self.line_of(master).call(master, draft).await
    }

    async fn revoke(
        &self,
        master: &Signer,
        account: &AccountId,
        key: KeyToRevoke<'_>,
    ) -> Result<(), VenueError> {
        let draft = W::revoke(account, key);
        self.line_of(master).call(master, draft).await
    }
}
