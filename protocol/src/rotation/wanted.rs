//! What the new key is to be: at which venue, on which account, with which powers and addresses, and by whose
//! authority.

use super::base::Base;
use super::run::Run;
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::ports::{
    ErrorClass, Grant, Issues, KeyList, KeyState, OwnAccount, Powers, Venue, VenueError, Which,
};
use crate::secret::{AccountId, Addresses, CREATED_BY, KeyForm, Permissions, SecretValue};
use crate::session::venue_error;

/// The account and the grant that a new value is built for.
pub(super) struct Wanted {
    pub(super) account: AccountId,
    /// What its keys call it, where that is known and another name.
    pub(super) alias: Option<AccountId>,
    pub(super) grant: Grant,
}

/// The most bytes a value can have. Source: AWS, Secrets Manager quotas.
const LARGEST_VALUE: usize = 65_536;
/// More than what a new value can have beyond the one it succeeds: the `rotation` field and a longer
/// credential.
const GROWTH: usize = 8_192;

/// # Errors
/// VALUE_INVALID when a successor might not fit: better to know before a key is issued.
pub(super) fn must_leave_room(value: &SecretValue) -> Result<(), Error> {
    if value.size() + GROWTH <= LARGEST_VALUE {
        return Ok(());
    }
    let problem = "the current value is so large that its successor might not fit into the 65,536 bytes of \
                   a version: shorten it";
    Err(Error::new(ErrorType::ValueInvalid, problem))
}

/// The current key says what it is, or there is a definite reason why it does not. A dead key must not stand
/// in the way of its own rescue; a venue that gives no answer is another matter.
pub(super) fn must_be_decided(current: &Result<KeyState, VenueError>) -> Result<(), Error> {
    match current {
        Err(error)
            if error.class.is_rejection()
                || error.class.tells_nothing()
                || matches!(
                    error.class,
                    ErrorClass::Denied | ErrorClass::Refused | ErrorClass::Impossible
                ) =>
        {
            tracing::warn!(%error, "the current key could not be asked what it may do");
            Ok(())
        }
        Err(error) => Err(venue_error(error)),
        Ok(_) => Ok(()),
    }
}

/// # Errors
/// CANDIDATE_MISSING where keys are made by a person alone.
pub(super) fn must_be_issued_here(venue: &dyn Venue) -> Result<(), Error> {
    if venue.facts().issues != Issues::Never {
        return Ok(());
    }
    let problem = format!(
        "no credential issues keys at {}, and no version is labelled CANDIDATE: make the new key on the \
         venue's pages, store it with put-secret-value --version-stages CANDIDATE, and rotate again",
        venue.id()
    );
    Err(Error::new(ErrorType::CandidateMissing, problem))
}

/// Keys can be issued for sub-accounts only.
pub(super) fn must_be_of_a_sub_account(current: &Result<KeyState, VenueError>) -> Result<(), Error> {
    if current.as_ref().is_ok_and(|state| state.is_master) {
        let problem = "the current key belongs to a master account, and keys can be issued for sub-accounts \
                       only: make the new key by hand, store it as a version labelled CANDIDATE, and rotate \
                       again";
        return Err(Error::new(ErrorType::AccountMismatch, problem));
    }
    Ok(())
}

/// The account that the secret stands for: everything that is known of it must agree.
pub(super) fn account(
    value: &SecretValue,
    current: &Result<KeyState, VenueError>,
) -> Result<AccountId, Error> {
    let known = [
        ("`subaccount` says", value.subaccount.clone()),
        (
            "the last rotation recorded",
            value
                .rotation
                .as_ref()
                .and_then(|rotation| rotation.recorded_account(is_named_by_alias(value))),
        ),
        (
            "the current key belongs to",
            current.as_ref().ok().and_then(|state| own_account(value, state)),
        ),
    ];
    let known: Vec<(&str, AccountId)> = known
        .into_iter()
        .filter_map(|(who, id)| Some((who, id?)))
        .collect();
    let Some((_, first)) = known.first() else {
        return Err(match current {
            Err(_) => unusable(current, &["subaccount"]),
            Ok(_) => unnamed(),
        });
    };
    if known.iter().any(|(_, id)| id != first) {
        let said: Vec<String> = known.iter().map(|(who, id)| format!("{who} {id}")).collect();
        let problem = format!(
            "the accounts do not agree: {}. Put the right key or the right `subaccount` into the secret",
            said.join(", ")
        );
        return Err(Error::new(ErrorType::AccountMismatch, problem));
    }
    Ok(first.clone())
}

/// Whether nothing but its own keys names the secret's account: no master is asked about it.
fn is_named_by_alias(value: &SecretValue) -> bool {
    value.master_arn.is_none() && value.subaccount.is_none()
}

/// What the account's keys call it: the current one's own word, or what was recorded of one.
pub(super) fn alias(value: &SecretValue, current: &Result<KeyState, VenueError>) -> Option<AccountId> {
    let own = current.as_ref().ok().and_then(|state| state.account.alias());
    let recorded = value
        .rotation
        .as_ref()
        .and_then(|rotation| rotation.alias.as_ref());
    own.cloned().or_else(|| recorded.map(AccountId::new))
}

/// The account by the current key's own word. Where no master is asked, no call names it otherwise.
fn own_account(value: &SecretValue, state: &KeyState) -> Option<AccountId> {
    match &state.account {
        OwnAccount::Named(account) => Some(account.clone()),
        OwnAccount::Alias(alias) if is_named_by_alias(value) => Some(alias.clone()),
        OwnAccount::Alias(_) | OwnAccount::Untold => None,
    }
}

/// The key answers, and does not say whose it is in the words in which calls name accounts.
fn unnamed() -> Error {
    let problem = "a key of this venue does not tell the name that its account has in calls, so it must come \
                   from the secret's value: add `subaccount`, as the venue names the account";
    Error::new(ErrorType::CurrentUnusable, problem)
}

/// What the new key is to be: what the policy says, and where it says nothing what the current key is.
pub(super) async fn grant(
    run: &Run<'_>,
    base: &Base,
    venue: &dyn Venue,
    current: &Result<KeyState, VenueError>,
    list: &KeyList,
) -> Result<Grant, Error> {
    let value = &base.value;
    let seen = match seen(value, current, list) {
        // In an emergency the leaked key may be dead before its successor is there.
        None if is_leaked(run, base).await? => recorded(base).map(|(powers, held)| (powers, Some(held))),
        seen => seen,
    };
    let (powers, held) = seen.unzip();
    let held = held.flatten();
    let policy = &value.policy;
    let missing: Vec<&str> = [
        ("subaccount", value.subaccount.is_none() && powers.is_none()),
        (
            "policy.permissions",
            policy.permissions.is_none() && powers.is_none(),
        ),
        (
            "policy.ip_allowlist",
            policy.addresses.is_none() && held.is_none(),
        ),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect();
    if missing.iter().any(|name| name.starts_with("policy")) {
        return Err(unusable(current, &missing));
    }
    Ok(Grant {
        permissions: permissions(venue, value, current, powers)?,
        addresses: addresses(run, value, held)?,
        form: form(venue, value)?,
    })
}

/// What the new key's secret is to be: what the policy says, and where it says nothing what the current one
/// is. Consumers sign with it.
fn form(venue: &dyn Venue, value: &SecretValue) -> Result<KeyForm, Error> {
    if wrong::is(Wrong::FormChanged) {
        return Ok(KeyForm::Hmac);
    }
    let form = inherited_form(value);
    if venue.facts().forms.contains(&form) {
        return Ok(form);
    }
    let issued: Vec<String> = venue.facts().forms.iter().map(ToString::to_string).collect();
    let problem = format!(
        "keys of the type {form} cannot be issued at this venue, only {}: where the secret's consumers can \
         sign with that, write it as `policy.key_type`; else make the new key by hand, store it as a version \
         labelled CANDIDATE, and rotate again",
        issued.join(", ")
    );
    Err(Error::new(ErrorType::GrantImpossible, problem))
}

/// The form that a successor of this value has.
pub(super) fn inherited_form(value: &SecretValue) -> KeyForm {
    value.policy.form.unwrap_or_else(|| value.credential.form())
}

/// What the key may do: what the policy says, and where it says nothing what the current key may, less what
/// moves funds.
pub(super) fn permissions(
    venue: &dyn Venue,
    value: &SecretValue,
    current: &Result<KeyState, VenueError>,
    held: Option<Powers>,
) -> Result<Permissions, Error> {
    let permissions = as_policy_says(value, current, held)?;
    match venue.can_grant(&permissions) {
        Ok(()) => Ok(permissions),
        Err(_) if wrong::is(Wrong::CoarseGrantTrusted) => Ok(wrong::coarse(permissions)),
        Err(problem) => Err(Error::new(ErrorType::GrantImpossible, problem)),
    }
}

fn as_policy_says(
    value: &SecretValue,
    current: &Result<KeyState, VenueError>,
    held: Option<Powers>,
) -> Result<Permissions, Error> {
    if let Some(permissions) = &value.policy.permissions {
        return Ok(permissions.clone());
    }
    let Some(held) = held else {
        return Err(unusable(current, &["policy.permissions"]));
    };
    let dropped = held.not_granted();
    if !dropped.is_empty() {
        tracing::warn!(
            ?dropped,
            "the current key has powers that its successor does not get"
        );
    }
    if held.permissions.is_empty() {
        let problem = "the current key may do nothing that a rotated key may do: say in \
                       `policy.permissions` what its successor is for";
        return Err(Error::new(ErrorType::CurrentUnusable, problem));
    }
    Ok(held.permissions)
}

/// The addresses the key is to be bound to: the policy's or the current key's, and the function's own.
fn addresses(run: &Run<'_>, value: &SecretValue, held: Option<Addresses>) -> Result<Addresses, Error> {
    match value.policy.addresses.clone().or(held) {
        Some(Addresses::Only(addresses)) => Ok(Addresses::Only(
            addresses.union(&run.settings.egress).cloned().collect(),
        )),
        Some(Addresses::Any) if value.policy.addresses == Some(Addresses::Any) => Ok(Addresses::Any),
        _ => Err(unbound("the current key is bound to no address")),
    }
}

/// A key that could be used from anywhere, and no policy that says it may be.
pub(super) fn unbound(whose: &str) -> Error {
    let problem = format!(
        "{whose}: name the addresses your bots trade from in `policy.ip_allowlist`, or write \"any\" there \
         to say that the key shall be usable from everywhere"
    );
    Error::new(ErrorType::KeyUnbound, problem)
}

/// What is known of the current key: from itself, or where it may not be used from here, from the account's
/// list.
fn seen(
    value: &SecretValue,
    current: &Result<KeyState, VenueError>,
    list: &KeyList,
) -> Option<(Powers, Option<Addresses>)> {
    let listed = list.key(&value.credential.key_id);
    match current {
        Ok(state) => {
            let held = state.completed_by(listed).addresses.exact().cloned();
            Some((state.powers.clone(), held))
        }
        Err(error) if error.class.is_rejection() => None,
        Err(_) => listed.map(|listed| (listed.powers.clone(), Some(listed.addresses.clone()))),
    }
}

/// Whether the current key is leaked: whichever version says so, it is the key that counts.
pub(super) async fn is_leaked(run: &Run<'_>, base: &Base) -> Result<bool, Error> {
    let Some(leaked) = base.description.compromised() else {
        return Ok(false);
    };
    if *leaked == base.version {
        return Ok(true);
    }
    // What a version that is being built comes to name is not current.
    if leaked == run.token() {
        return Ok(false);
    }
    let stored = run.session.read(Which::Version(leaked)).await?;
    Ok(stored.is_some_and(|stored| stored.surely_names(&base.value.credential.key_id)))
}

/// What the current key was made for, where this function wrote that down when it built the value.
pub(super) fn recorded(base: &Base) -> Option<(Powers, Addresses)> {
    let ours = base.value.created_by.as_deref() == Some(CREATED_BY);
    let rotation = base
        .value
        .rotation
        .as_ref()
        .filter(|rotation| ours && rotation.token == base.version)?;
    Some((
        Powers {
            permissions: rotation.permissions.clone(),
            ..Powers::default()
        },
        rotation.ip_allowlist.clone(),
    ))
}

fn unusable(current: &Result<KeyState, VenueError>, missing: &[&str]) -> Error {
    let why = current
        .as_ref()
        .err()
        .map_or_else(String::new, |error| format!(" ({error})"));
    let problem = format!(
        "the current key does not answer{why}, so what its successor is to be must come from the secret's \
         value: add `{}` to it",
        missing.join("`, `")
    );
    Error::new(ErrorType::CurrentUnusable, problem)
}
