//! Whom to ask about the keys of a secret: the venue, and the master credential that its value names.

use std::sync::Arc;

use secrecy::ExposeSecret;

use super::{store_error, venue_error};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::marker::Marker;
use crate::name::{SecretId, SecretName, VenueId};
use crate::ports::{Description, Issues, KeyList, KeyState, Ports, Signer, StoredValue, Venue, Which, Whose};
use crate::secret::{AccountId, DocumentError, SecretValue, Serves};

/// A venue, its master credential and the account: whom to ask about the keys of a secret. What it may be
/// asked to do for this secret stands in `scope`.
pub(crate) struct AccountAccess<'a> {
    pub(crate) venue: &'a dyn Venue,
    pub(crate) master: Master,
    pub(crate) account: AccountId,
    /// Whose keys they are.
    pub(super) name: SecretName,
    pub(super) ours: Marker,
    /// What the secret's keys have proven by their own answers.
    pub(super) proofs: Vec<KeyState>,
    /// Whether a person ordered the death of the key itself.
    pub(super) ordered: bool,
}

impl<'a> AccountAccess<'a> {
    pub(crate) fn new(
        venue: &'a dyn Venue,
        master: Master,
        account: AccountId,
        secret: &Description,
    ) -> Self {
        let ours = Marker::new(&secret.arn, &VersionId::new(""), 0);
        Self {
            venue,
            master,
            account,
            name: secret.name.clone(),
            ours,
            proofs: Vec::new(),
            ordered: false,
        }
    }

    /// The account's keys, as the venue lists them now.
    pub(crate) async fn list(&self) -> Result<KeyList, Error> {
        let list = self.venue.list(&self.master.signer, &self.account).await;
        list.map_err(|error| venue_error(&error))
    }
}

/// A master credential, and whom it may serve.
#[derive(Clone, Debug)]
pub(crate) struct Master {
    pub(crate) signer: Signer,
    /// The secret that holds it.
    pub(crate) secret: SecretId,
    /// What its value says; `None` where it does not say.
    pub(crate) serves: Option<Serves>,
}

/// The venue that a value's key belongs to.
pub(crate) fn venue_of(
    ports: Ports<'_>,
    description: &Description,
    value: &SecretValue,
) -> Result<Arc<dyn Venue>, Error> {
    let unsupported = |problem: String| Error::new(ErrorType::VenueUnsupported, problem);
    let id = description
        .name
        .venue(value.exchange.as_deref(), value.environment.as_deref())
        .map_err(|error| unsupported(error.to_string()))?;
    ports.venues.venue(&id).map_err(unsupported)
}

/// The master credential that the value names.
pub(crate) async fn master_of(
    ports: Ports<'_>,
    venue: &dyn Venue,
    value: &SecretValue,
) -> Result<Master, Error> {
    let id = master_at(venue, value)?;
    master_in(&id, &read_master(ports, &id).await?, &venue.masters(), value)
}

/// Whether a master credential issues the keys of a value: it names one, at a venue where keys are issued.
pub(crate) fn has_master(venue: &dyn Venue, value: &SecretValue) -> bool {
    value.master_arn.is_some() && venue.facts().issues != Issues::Never
}

/// The secret that holds the master credential, where a venue has such.
///
/// # Errors
/// MASTER_INVALID.
pub(crate) fn master_at(venue: &dyn Venue, value: &SecretValue) -> Result<SecretId, Error> {
    if venue.facts().issues == Issues::Never && value.master_arn.is_some() {
        return Err(invalid(format!(
            "no credential issues keys at {}: take `masterarn` out of the value",
            venue.id()
        )));
    }
    master_id(value)
}

/// The secret that holds it.
pub(crate) fn master_id(value: &SecretValue) -> Result<SecretId, Error> {
    let Some(arn) = &value.master_arn else {
        let problem = "the value names no master credential: add `masterarn`, the ARN of the secret that \
                       holds the parent account's key, or make the new key by hand and store it with \
                       put-secret-value --version-stages CANDIDATE";
        return Err(invalid(problem.into()));
    };
    SecretId::parse(arn).map_err(|problem| invalid(format!("`masterarn` {problem}")))
}

pub(crate) async fn read_master(ports: Ports<'_>, id: &SecretId) -> Result<StoredValue, Error> {
    let name = id.name();
    let stored = ports.store.read(id, Which::Current).await.map_err(|error| {
        let error = store_error(&error);
        Error::new(
            error.error_type,
            format!(
                "the master credential {name} could not be read: {}",
                error.problem
            ),
        )
    })?;
    stored.ok_or_else(|| {
        let place = id.region().map_or_else(
            || "the secret's own Region".to_owned(),
            |region| format!("Region {region}"),
        );
        invalid(format!(
            "there is no current value of the master credential {name}: no secret with that name and those \
             six characters at its end is in {place}, where `masterarn` says that it is, or it has no \
             AWSCURRENT. Copy the ARN that describe-secret shows into `masterarn`; a master in another \
             Region cannot be read from here"
        ))
    })
}

/// The credential in its value, where it can be the master of this value's key.
pub(crate) fn master_in(
    id: &SecretId,
    stored: &StoredValue,
    venue: &VenueId,
    value: &SecretValue,
) -> Result<Master, Error> {
    let name = id.name();
    let unusable = |error: DocumentError| {
        invalid(format!(
            "the value of the master credential {name} cannot be used: {error}"
        ))
    };
    let master = stored.value().map_err(unusable)?;
    let serves = master.serves().map_err(unusable)?;
    let (exchange, environment) = name
        .place(master.exchange.as_deref(), master.environment.as_deref())
        .map_err(|error| invalid(format!("the master credential {name}: {error}")))?;
    if exchange.is_some_and(|exchange| exchange != venue.exchange)
        || environment
            .as_ref()
            .is_some_and(|other| *other != venue.environment)
    {
        return Err(invalid(format!(
            "the master credential {name} belongs to another exchange or environment: one of {venue} issues \
             the key to rotate"
        )));
    }
    if environment.is_none() {
        return Err(invalid(format!(
            "the master credential {name} does not say its environment: add `environment` to its value, as \
             in mainnet"
        )));
    }
    if master.names(&value.credential.key_id)
        || master.credential.secret.expose_secret() == value.credential.secret.expose_secret()
    {
        return Err(invalid(format!(
            "the master credential {name} is the very key that is to be rotated"
        )));
    }
    let signer = Signer {
        whose: Whose::Master,
        credential: master.credential,
    };
    Ok(Master {
        signer,
        secret: id.clone(),
        serves,
    })
}

fn invalid(problem: String) -> Error {
    Error::new(ErrorType::MasterInvalid, problem)
}
