//! A rotation as far as it goes without a change: what createSecret reads and asks, by the very code that
//! createSecret uses.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join;

use super::base::Base;
use super::evidence::current_must_be_listed;
use super::offer::{self, Offer, Unfit};
use super::run::{Run, parse};
use super::{RotationSettings, StepRequest};
use super::{authority, often, wanted};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::name::SecretId;
use crate::ports::{Description, Grant, KeyList, KeyState, Signer, Venue, VenueError, Which, Whose};
use crate::secret::{AccountId, Address, SecretValue, Source};
use crate::session::{AccountAccess, Master, SecretSession, master_of, venue_error, venue_of};
use crate::step::Step;

/// What a rotation would find and do.
pub(crate) struct Rehearsal {
    /// The value that it would be built on, and replace.
    pub(crate) value: SecretValue,
    pub(crate) venue: Arc<dyn Venue>,
    /// Where its key would come from.
    pub(crate) source: Source,
    /// What the venue says of the current key.
    pub(crate) current: Result<KeyState, VenueError>,
    /// What a key would be issued with: the master credential, what the venue says of it, and the account's
    /// keys.
    pub(crate) issuing: Option<Issuing>,
    /// The account, the powers and the addresses that the new key would have, or why there would be none.
    pub(crate) wanted: Result<(AccountId, Grant), Error>,
}

impl Rehearsal {
    /// The account that the secret stands for, as far as it is known.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        let asked = self.issuing.as_ref().and_then(|issuing| issuing.asked.as_ref());
        asked.or(self.wanted.as_ref().ok()).map(|(account, _)| account)
    }
}

/// Whom a key would be issued by, and beside which others.
pub(crate) struct Issuing {
    /// The secret that holds the master credential, where it can be read, and whether its value says whom it
    /// serves.
    pub(crate) by: Option<(SecretId, bool)>,
    /// The account and what the key would be, as it is asked for.
    pub(crate) asked: Option<(AccountId, Grant)>,
    pub(crate) master: Result<KeyState, Error>,
    /// `None` where nobody was asked.
    pub(crate) list: Option<Result<KeyList, Error>>,
}

/// Rehearses the next rotation of a secret.
///
/// # Errors
/// What stands in the way before the venue can be asked.
pub(crate) async fn rehearse(
    session: SecretSession<'_>,
    egress: &BTreeSet<Address>,
    description: Description,
) -> Result<Rehearsal, Error> {
    let rehearsed = Rehearsed::new(session, egress);
    let run = rehearsed.run(session);
    let (base, venue) = built_on(&run, description).await?;
    match offer::found(&run, &base).await?.offer {
        Some(offer) => Ok(copying(&run, base, venue, &offer).await),
        None => Ok(issuing(&run, base, venue, true).await),
    }
}

/// Whether a key could still be issued if the current one were dead: by the master's own word, or by what
/// other keys prove.
///
/// # Errors
/// What an attempt would end with.
pub(crate) async fn rehearse_without_current(
    session: SecretSession<'_>,
    egress: &BTreeSet<Address>,
    description: Description,
) -> Result<Rehearsal, Error> {
    let rehearsed = Rehearsed::new(session, egress);
    let run = rehearsed.run(session);
    let (base, venue) = built_on(&run, description).await?;
    Ok(issuing(&run, base, venue, false).await)
}

/// Whether a rotation would copy this credential, if its version were labelled ROLLBACK.
///
/// # Errors
/// What it would end with, in words that are about the credential.
pub(crate) async fn rehearse_return(
    session: SecretSession<'_>,
    egress: &BTreeSet<Address>,
    description: Description,
    value: &SecretValue,
) -> Result<(), Error> {
    let rehearsed = Rehearsed::new(session, egress);
    let run = rehearsed.run(session);
    let (base, venue) = built_on(&run, description).await?;
    if base.value.names(&value.credential.key_id) {
        return Err(Error::new(ErrorType::OfferRefused, "its key is the current one"));
    }
    offer::fit(&run, &base, venue.as_ref(), (Source::Rollback, value))
        .await
        .map(drop)
        .map_err(|unfit| match unfit {
            Unfit::Offer(problem) => Error::new(ErrorType::OfferRefused, problem),
            Unfit::Error(error) => error,
        })
}

/// What a run of createSecret is asked for that is only rehearsed.
struct Rehearsed {
    settings: RotationSettings,
    request: StepRequest,
}

impl Rehearsed {
    fn new(session: SecretSession<'_>, egress: &BTreeSet<Address>) -> Self {
        Self {
            settings: RotationSettings {
                egress: egress.clone(),
            },
            request: StepRequest {
                step: Step::Create,
                secret: session.secret.clone(),
                token: VersionId::new("a-version-that-is-only-rehearsed"),
                rotation_token: None,
            },
        }
    }

    fn run<'a>(&'a self, session: SecretSession<'a>) -> Run<'a> {
        Run {
            session,
            settings: &self.settings,
            request: &self.request,
        }
    }
}

/// What a rotation would build on, and where.
async fn built_on(run: &Run<'_>, description: Description) -> Result<(Base, Arc<dyn Venue>), Error> {
    let stored = run.session.read(Which::Current).await?.ok_or_else(|| {
        let problem = "the secret has no current value that could be read: store a key made by hand first \
                       (put-secret-value)";
        Error::new(ErrorType::NoCurrentValue, problem)
    })?;
    let value = parse(&stored)?;
    wanted::must_leave_room(&value)?;
    let venue = venue_of(run.session.ports, &description, &value)?;
    Ok((
        Base {
            description,
            version: stored.version,
            value,
        },
        venue,
    ))
}

fn in_use(base: &Base) -> Signer {
    Signer {
        whose: Whose::Current,
        credential: base.value.credential.clone(),
    }
}

async fn copying(run: &Run<'_>, base: Base, venue: Arc<dyn Venue>, offer: &Offer) -> Rehearsal {
    let current = venue.ask(&in_use(&base)).await;
    let examined = offer::examined(run, &base, venue.as_ref(), offer).await;
    let wanted = examined.map(|wanted| (wanted.account, wanted.grant));
    Rehearsal {
        value: base.value,
        venue,
        source: offer.source,
        current,
        issuing: None,
        wanted,
    }
}

async fn issuing(run: &Run<'_>, base: Base, venue: Arc<dyn Venue>, by_current: bool) -> Rehearsal {
    let (master, current) = join(
        master_of(run.session.ports, venue.as_ref(), &base.value),
        venue.ask(&in_use(&base)),
    )
    .await;
    let nothing = |error: &Error| Issuing {
        by: None,
        asked: None,
        master: Err(error.clone()),
        list: None,
    };
    let master = wanted::must_be_issued_here(venue.as_ref()).and(master);
    let (issuing, wanted) = match &master {
        Err(error) => (nothing(error), Err(error.clone())),
        Ok(master) => asked(run, &base, venue.as_ref(), master, &current, by_current).await,
    };
    Rehearsal {
        value: base.value,
        venue,
        source: Source::Issued,
        current,
        issuing: Some(issuing),
        wanted,
    }
}

async fn asked(
    run: &Run<'_>,
    base: &Base,
    venue: &dyn Venue,
    master: &Master,
    current: &Result<KeyState, VenueError>,
    by_current: bool,
) -> (Issuing, Result<(AccountId, Grant), Error>) {
    let by = Some((master.secret.clone(), master.serves.is_some()));
    let state = venue
        .ask(&master.signer)
        .await
        .map_err(|error| venue_error(&error));
    let account = wanted::must_be_decided(current)
        .and_then(|()| wanted::must_be_of_a_sub_account(current))
        .and_then(|()| wanted::account(&base.value, current));
    let account = match account {
        Ok(account) => account,
        Err(error) => {
            return (
                Issuing {
                    by,
                    asked: None,
                    master: state,
                    list: None,
                },
                Err(error),
            );
        }
    };
    let mut access = AccountAccess::new(venue, master.clone(), account, &base.description);
    let list = access.list().await;
    let asked = match &list {
        Ok(list) => match current_must_be_listed(run, base, venue, current, (&access.account, list)) {
            Ok(()) => wanted::grant(run, base, venue, current, list)
                .await
                .map(|grant| (access.account.clone(), grant)),
            Err(error) => Err(error),
        },
        Err(error) => Err(error.clone()),
    };
    let wanted = match (&list, &asked) {
        (Ok(list), Ok((_, grant))) => {
            let proof = current.as_ref().ok().filter(|_| by_current);
            let served = authority::must_serve(run, base, &mut access, proof, list, grant).await;
            let versions = run.session.versions().await;
            served
                .and_then(|()| often::must_not_be_too_often(run, base, versions))
                .and_then(|()| often::must_not_have_too_many(run, base, list))
                .and_then(|()| asked.clone())
        }
        _ => asked.clone(),
    };
    (
        Issuing {
            by,
            asked: asked.ok(),
            master: state,
            list: Some(list),
        },
        wanted,
    )
}
