//! CANDIDATE and ROLLBACK: a credential that is there already, to be copied instead of issuing one.

use futures_util::future::join;

use super::base::Base;
use super::create::unseen;
use super::evidence::Evidence;
use super::judge::beyond_addresses;
use super::run::Run;
use super::wanted::{self, Wanted, unbound};
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::label::{Label, VersionId};
use crate::ports::{Grant, Signer, Venue, Which, Whose};
use crate::secret::{AccountId, Addresses, SecretValue, Source};
use crate::session::{is_condemned, venue_error, venue_of};

/// A version whose credential is to be copied.
pub(super) struct Offer {
    pub(super) source: Source,
    pub(super) version: VersionId,
    pub(super) value: SecretValue,
}

/// The version to copy from: ROLLBACK, else CANDIDATE. One that names the current key has nothing to offer
/// and loses its label.
pub(super) async fn offered(run: &Run<'_>, base: &Base) -> Result<Option<Offer>, Error> {
    let Choice { offer, idle } = found(run, base).await?;
    for (label, version) in idle {
        run.session.remove_label(label, &version).await?;
    }
    Ok(offer)
}

/// What is labelled as an offer.
pub(super) struct Choice {
    pub(super) offer: Option<Offer>,
    /// The labels on versions that name the current key.
    idle: Vec<(Label, VersionId)>,
}

/// The same, without a change.
pub(super) async fn found(run: &Run<'_>, base: &Base) -> Result<Choice, Error> {
    let mut idle = Vec::new();
    for source in [Source::Rollback, Source::Candidate] {
        let Some(label) = source.label() else { continue };
        let Some(version) = base.description.holder(&label) else {
            continue;
        };
        let stored = run.session.read(Which::Version(version)).await?;
        let stored = stored.ok_or_else(|| refused(&label, version, "it has no value"))?;
        // The read before was stale: there is nothing to build any more.
        if version == run.token() {
            return Err(unseen());
        }
        let value = stored
            .value()
            .map_err(|error| refused(&label, version, &error.to_string()))?;
        if value.names(&base.value.credential.key_id) {
            idle.push((label, version.clone()));
            continue;
        }
        if may_be_given_up(run, base, &value).await? {
            return Err(refused(
                &label,
                version,
                "its key is COMPROMISED or condemned, or that cannot be told for now",
            ));
        }
        return Ok(Choice {
            offer: Some(Offer {
                source,
                version: version.clone(),
                value,
            }),
            idle,
        });
    }
    Ok(Choice { offer: None, idle })
}

/// Why a credential is not copied.
pub(super) enum Unfit {
    /// For what it is.
    Offer(String),
    /// For what else there is.
    Error(Error),
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Looks at the offered key itself, so that a bad one is refused before anything is stored.
pub(super) async fn examined(
    run: &Run<'_>,
    base: &Base,
    venue: &dyn Venue,
    offer: &Offer,
) -> Result<Wanted, Error> {
    let label = offer.source.label().unwrap_or_else(Label::candidate);
    fit(run, base, venue, (offer.source, &offer.value))
        .await
        .map_err(|unfit| match unfit {
            Unfit::Offer(problem) => refused(&label, &offer.version, &problem),
            Unfit::Error(error) => error,
        })
}

/// What a version would be that copies this credential.
pub(super) async fn fit(
    run: &Run<'_>,
    base: &Base,
    venue: &dyn Venue,
    (source, value): (Source, &SecretValue),
) -> Result<Wanted, Unfit> {
    let no = |problem: String| Err(Unfit::Offer(problem));
    let form = value.credential.form();
    let asked_for = wanted::inherited_form(&base.value);
    // Who goes back does so to what consumers have signed with.
    let is_return = source == Source::Rollback;
    if form != asked_for && !is_return && !wrong::is(Wrong::FormChanged) {
        return no(format!(
            "its key is of the type {form}, and {asked_for} is what the secret's keys are to be: where its \
             consumers can sign with {form}, write that as `policy.key_type` into the current value"
        ));
    }
    let there =
        venue_of(run.session.ports, &base.description, value).is_ok_and(|other| other.id() == venue.id());
    if !there {
        return no("its key belongs to another exchange or environment".to_owned());
    }
    if let Some(why) = run.in_use(venue, &base.description, value).await? {
        return no(why.to_string());
    }
    let signer = |whose, value: &SecretValue| Signer {
        whose,
        credential: value.credential.clone(),
    };
    let (in_use, on_offer) = (signer(Whose::Current, &base.value), signer(Whose::Offered, value));
    let (current, offered) = join(venue.ask(&in_use), venue.ask(&on_offer)).await;
    wanted::must_be_decided(&current)?;
    let state = offered.map_err(|error| venue_error(&error))?;
    let account = wanted::account(&base.value, &current)?;
    let key = &value.credential.key_id;
    let evidence = Evidence::of(run, venue, &base.value, &account, (key, state)).await?;
    let alias = wanted::alias(&base.value, &current);
    must_belong(&evidence, (&account, alias.as_ref()), value)?;
    let state = evidence.state;
    // Who offers a key where the current one is dead is not to be kept from it by that.
    let held = match &current {
        Ok(current) => Some(current.powers.clone()),
        Err(error)
            if error.class.is_rejection()
                || error.class.tells_nothing()
                || wanted::is_leaked(run, base).await? =>
        {
            wanted::recorded(base).map(|(powers, _)| powers)
        }
        Err(_) => None,
    };
    let permissions = wanted::permissions(venue, &base.value, &current, held)?;
    let beyond = state.powers.beyond(&permissions);
    if !beyond.is_empty() {
        return no(format!("its key may do what it must not: {}", beyond.join(", ")));
    }
    let lacks = state.powers.lacks(&permissions);
    if !lacks.is_empty() {
        return no(format!("its key may not do what it must: {}", lacks.join(", ")));
    }
    let policy = base.value.policy.addresses.as_ref();
    let held = match state.addresses.exact() {
        // Nobody tells it: it may be used from anywhere.
        None if policy == Some(&Addresses::Any) => Addresses::Any,
        None => {
            let whose = format!("the offered key may be used from {}", state.addresses);
            return Err(unbound(&whose).into());
        }
        Some(held) => held.clone(),
    };
    if held == Addresses::Any && policy != Some(&Addresses::Any) {
        return Err(unbound("the offered key is bound to no address").into());
    }
    if let Some(beyond) = policy.and_then(|policy| beyond_addresses(&held, policy, &run.settings.egress)) {
        return no(format!(
            "its key may be used from {beyond}, which the policy does not allow"
        ));
    }
    Ok(Wanted {
        account,
        alias: state.account.alias().cloned().or(alias),
        grant: Grant {
            permissions,
            addresses: held,
            form,
        },
    })
}

/// The offered key has to be one of the secret's account, and to call it what its keys before call it. Where
/// nobody tells whose it is, its value may not say another.
fn must_belong(
    evidence: &Evidence,
    (account, alias): (&AccountId, Option<&AccountId>),
    value: &SecretValue,
) -> Result<(), Unfit> {
    let own = &evidence.state.account;
    if let Some((alias, own)) = alias.zip(own.alias())
        && alias != own
    {
        let problem = format!(
            "its key is not of account {account}: it tells {own} for its account, and the keys before it \
             {alias}"
        );
        return Err(Unfit::Offer(problem));
    }
    let problem = match (evidence.belongs, own.named()) {
        (Some(true), _) => return Ok(()),
        (Some(false), Some(own)) => {
            format!("its key belongs to account {own}, and the secret stands for {account}")
        }
        (Some(false), None) => format!(
            "its key answers, and the keys of account {account}, for which the secret stands, do not include \
             it"
        ),
        (None, _) => match value.subaccount.as_ref().filter(|said| *said != account) {
            Some(said) => format!("its `subaccount` says {said}, and the secret stands for {account}"),
            None => return Ok(()),
        },
    };
    Err(Unfit::Offer(problem))
}

/// Whether the offered key is leaked, or is about to be revoked since its grace is over. A leaked version
/// that cannot be read may name any key; one that was given up before it had a value names none.
async fn may_be_given_up(run: &Run<'_>, base: &Base, offered: &SecretValue) -> Result<bool, Error> {
    let description = &base.description;
    let leaked = description.compromised();
    let ends = |version: &&VersionId| {
        leaked == Some(*version)
            || is_condemned(description, version) && !wrong::is(Wrong::RollbackToCondemned)
    };
    for version in description.versions.keys().filter(ends) {
        let Some(stored) = run.session.read(Which::Version(version)).await? else {
            if leaked == Some(version) {
                return Ok(true);
            }
            continue;
        };
        if stored.may_name(&offered.credential.key_id) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn refused(label: &Label, version: &VersionId, problem: &str) -> Error {
    let problem = format!(
        "the version {version} labelled {label} cannot be used: {problem}. Put the label on a better \
         version, or take it off, and the rotation goes on"
    );
    Error::new(ErrorType::OfferRefused, problem)
}
