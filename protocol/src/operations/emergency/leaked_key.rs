//! Which key is leaked, and whether the order about it may be carried out.

use jiff::SignedDuration;

use crate::bounds::{REREAD, REREAD_PAUSE};
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::operations::commands::take_off;
use crate::operations::emergency::unblock::proven_by_current_alone;
use crate::operations::emergency::{Emergency, Leaked};
use crate::operations::pass::{told, with_retries};
use crate::operations::retire::end_of_life::is_ours;
use crate::operations::rollback::Refusal;
use crate::operations::{Mode, Operation, OperationRequest};
use crate::ports::{Description, StoredValue, Which};
use crate::secret::SecretValue;
use crate::session::{has_master, venue_of};

/// What to do where nobody can tell which key is meant.
const NAME_IT: &str = "name the version that holds the leaked key";

impl Emergency<'_> {
    /// The version that is meant, with the labels as they were read beside it.
    pub(super) async fn leaked(
        &self,
        description: Description,
        version: Option<&VersionId>,
    ) -> Result<(Description, Leaked), Refusal> {
        let (description, stored) = match version {
            Some(version) => (
                description,
                with_retries(self.pass, || self.session.read(Which::Version(version))).await?,
            ),
            None => match self.current(description.clone()).await {
                Ok(Some((description, stored))) => (description, Some(stored)),
                Ok(None) => (description, None),
                Err(error) => return Err(Refusal::new(told(&error), NAME_IT)),
            },
        };
        let name = description.name.as_str();
        // REVOKE_FIRST alone says nothing.
        if let Some(other) = description.compromised()
            && version.or(description.current()) != Some(other)
        {
            let say = format!(
                "version {other} is COMPROMISED already and its key not proven dead: finish that first"
            );
            let over = take_off(name, Label::compromised().as_str(), other.as_str());
            let what_to_do = format!(
                "{}; or, if that key is known to be dead: {over}",
                self.again(name, Some(other), self.mode)
            );
            return Err(Refusal::new(say, what_to_do));
        }
        let stored =
            stored.ok_or_else(|| Refusal::new("the version has no value that could be read", NAME_IT))?;
        let value = stored
            .value()
            .map_err(|error| Refusal::new(format!("the version's value cannot be used: {error}"), NAME_IT))?;
        if version.is_none() && self.is_a_successor(&description, &stored.version, &value) {
            let say = format!(
                "the current key {} is young, and the one before it is gone: an order was carried out \
                 already. If this one is leaked too, say so by its version",
                value.credential.key_id
            );
            return Err(Refusal::new(
                say,
                self.again(name, Some(&stored.version), self.mode),
            ));
        }
        Ok((
            description,
            Leaked {
                version: stored.version,
                key: value.credential.key_id.clone(),
                value,
            },
        ))
    }

    /// The current value and the labels, where the two reads agree: one that is stale would have the wrong
    /// key killed. `None` where there is no such value.
    pub(crate) async fn current(
        &self,
        mut description: Description,
    ) -> Result<Option<(Description, StoredValue)>, Error> {
        let until = self.pass.now() + REREAD;
        loop {
            match with_retries(self.pass, || self.session.read(Which::Current)).await? {
                Some(stored) if description.is_current(&stored.version) => {
                    return Ok(Some((description, stored)));
                }
                None if self.pass.now() >= until => return Ok(None),
                Some(_) if self.pass.now() >= until => {
                    let problem = "it cannot be read for certain which version is current";
                    return Err(Error::new(ErrorType::StoreUnavailable, problem));
                }
                _ => {}
            }
            self.pass.ports.time.sleep(REREAD_PAUSE).await;
            description = with_retries(self.pass, || self.session.describe()).await?;
        }
    }

    /// Whether the current version replaced one that had no grace: whoever says "the current key" may mean
    /// the one before.
    fn is_a_successor(&self, description: &Description, version: &VersionId, value: &SecretValue) -> bool {
        // In its grace a version that is not leaked keeps AWSPREVIOUS.
        let grace = SignedDuration::try_from(self.pass.settings.grace).unwrap_or(SignedDuration::MAX);
        let young = value
            .created_at
            .is_some_and(|at| self.pass.now().duration_since(at) < grace);
        let before = value.rotation.as_ref().map(|rotation| &rotation.based_on);
        young
            && is_ours(value, version)
            && before.is_some_and(|before| !description.bears(before, &Label::previous()))
    }

    /// Whether a master credential issues the keys of a value; where its venue is not known, whether it names
    /// one.
    pub(super) fn has_master(&self, description: &Description, value: &SecretValue) -> bool {
        let venue = venue_of(self.pass.ports, description, value);
        venue.map_or(value.master_arn.is_some(), |venue| {
            has_master(venue.as_ref(), value)
        })
    }

    /// Where nothing but the leaked key proves the account, its death leaves the secret without a successor:
    /// who orders that has to say that none is needed.
    pub(super) async fn must_leave_a_way(
        &self,
        description: &Description,
        leaked: &Leaked,
    ) -> Result<(), Refusal> {
        let asked = match self.pass.request {
            OperationRequest::BreakGlass { no_successor, .. } => !no_successor,
            _ => false,
        };
        if !asked || self.mode == Mode::ReplaceFirst || !self.has_master(description, &leaked.value) {
            return Ok(());
        }
        // Whichever version is named, it is the key that counts.
        let current = self.current(description.clone()).await;
        if current.is_ok_and(|current| current.is_some_and(|(_, stored)| !stored.may_name(&leaked.key))) {
            return Ok(());
        }
        let Some((account, serve)) = proven_by_current_alone(self.pass, self.session, description).await
        else {
            return Ok(());
        };
        let name = description.name.as_str();
        let mut order = self.order_again(name, Some(&leaked.version), self.mode);
        order.insert("no_successor".to_owned(), true.into());
        let fingerprint = leaked.key.fingerprint();
        order.insert(
            "fingerprint".to_owned(),
            fingerprint.split(' ').next().unwrap_or_default().into(),
        );
        let say = format!(
            "nothing but the leaked key {} proves that {account} is this secret's account: revoked first, \
             it could have no successor",
            leaked.key
        );
        let what_to_do = format!(
            "{serve}; then give the order again; or, to end the key without a successor: {}",
            self.pass.command_of(Operation::BreakGlass, order)
        );
        Err(Refusal::new(say, what_to_do))
    }
}
