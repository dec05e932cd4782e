//! Whether the current key is what it should be: alive, on its account, within its policy.

use crate::bounds::is_past;
use crate::operations::answer::{Code, Finding};
use crate::operations::commands::{day, put_right, replace};
use crate::operations::pass::{Pass, finding};
use crate::ports::{Description, KeyList, KeyState, OwnAccount, Powers, Venue};
use crate::secret::{AccountId, Addresses, Provenance, SecretValue};

/// A key that answers, in a value.
#[derive(Clone, Copy)]
pub(crate) struct Answering<'a> {
    pub(crate) venue: &'a dyn Venue,
    pub(crate) value: &'a SecretValue,
    pub(crate) state: &'a KeyState,
    /// The keys of the account that the secret stands for, where they are known.
    pub(crate) list: Option<&'a KeyList>,
}

/// What is wrong with a current key that answers.
pub(crate) fn faults(pass: &Pass<'_>, description: &Description, key: Answering<'_>) -> Vec<Finding> {
    let Answering {
        venue, value, state, ..
    } = key;
    let name = description.name.as_str();
    let mut found = Vec::new();
    if let Some(say) = other_account(pass, key) {
        found.push(finding(Code::AccountMismatch, name, say, put_right(name)));
    }
    let forbidden = state.powers.forbidden();
    if !forbidden.is_empty() {
        let say = format!(
            "the current key may do what no rotated key may: {}",
            forbidden.join(", ")
        );
        found.push(finding(
            Code::CanMoveFunds,
            name,
            say,
            replace(name, venue, value),
        ));
    }
    let (permissions, addresses) = demanded(value);
    let listed = key.list.and_then(|list| list.key(&value.credential.key_id));
    let held = state.completed_by(listed).addresses.exact().cloned();
    let mut more = permissions
        .map(|permissions| state.powers.beyond(permissions))
        .unwrap_or_default();
    more.retain(|power| !forbidden.contains(power));
    match (&held, addresses) {
        // Nobody tells it, or nothing is demanded.
        (None, _) | (_, Some(Addresses::Any)) | (Some(Addresses::Only(_)), None) => {}
        (Some(Addresses::Any), _) => {
            let expiry = state
                .expires_at
                .map_or_else(String::new, |at| format!(", and expires on {}", day(at)));
            let say = format!("the current key may be used from anywhere{expiry}");
            let what_to_do = format!(
                "name your bots' addresses in policy.ip_allowlist of the value; then: {}",
                replace(name, venue, value)
            );
            found.push(finding(Code::Unbound, name, say, what_to_do));
        }
        (Some(Addresses::Only(held)), Some(Addresses::Only(allowed))) => {
            let foreign = held
                .iter()
                .filter(|address| !allowed.contains(address) && !pass.settings.egress.contains(address));
            more.extend(foreign.map(|address| format!("use from {}", address.as_str())));
        }
    }
    let mut less = permissions
        .map(|permissions| state.powers.lacks(permissions))
        .unwrap_or_default();
    if let (Some(Addresses::Only(held)), Some(Addresses::Only(demanded))) = (&held, addresses) {
        let missing = demanded.iter().filter(|address| !held.contains(address));
        less.extend(missing.map(|address| format!("use from {}", address.as_str())));
    }
    if !less.is_empty() {
        let say = format!(
            "the current key may do less than its policy says: {}",
            less.join(", ")
        );
        let (say, what_to_do) = match permissions.map(|permissions| venue.can_grant(permissions)) {
            Some(Err(problem)) => (format!("{say}; {problem}"), put_right(name)),
            _ => (say, replace(name, venue, value)),
        };
        found.push(finding(Code::LessPowerThanPolicy, name, say, what_to_do));
    }
    if !more.is_empty() {
        let say = format!(
            "the current key may do more than its policy says: {}",
            more.join(", ")
        );
        found.push(finding(
            Code::MorePowerThanPolicy,
            name,
            say,
            replace(name, venue, value),
        ));
    }
    found
}

/// Why the secret's account is not the key's, in words.
fn other_account(pass: &Pass<'_>, key: Answering<'_>) -> Option<String> {
    let Answering {
        venue,
        value,
        state,
        list,
    } = key;
    let rotation = value.rotation.as_ref();
    if let Some((rotation, own)) = rotation.zip(state.account.alias())
        && rotation.is_of_another(&state.account)
    {
        let recorded = rotation.alias.as_deref().unwrap_or_default();
        return Some(format!(
            "the current key belongs to account {own}, and the last rotation was of {recorded}"
        ));
    }
    let is_named = matches!(state.account, OwnAccount::Named(_));
    let recorded = rotation.and_then(|rotation| rotation.recorded_account(is_named));
    let known: Vec<AccountId> = [recorded, value.subaccount.clone()]
        .into_iter()
        .flatten()
        .collect();
    if let Some(own) = state.account.named() {
        return known.iter().find(|known| *known != own).map(|known| {
            format!("the current key belongs to account {own}, and the secret stands for {known}")
        });
    }
    if let [recorded, subaccount] = &known[..]
        && recorded != subaccount
    {
        return Some(format!(
            "`subaccount` of the current value says {subaccount}, and the last rotation recorded {recorded}"
        ));
    }
    // A list may be behind with a young key.
    let is_young = value
        .created_at
        .is_some_and(|at| !is_past(at, venue.facts().propagation, pass.now()));
    let (account, list) = (known.first()?, list.filter(|_| !is_young)?);
    list.key(&value.credential.key_id).is_none().then(|| {
        format!(
            "the current key answers, and the keys of account {account}, for which the secret stands, do \
             not include it"
        )
    })
}

/// Whether a key that answers is all that its value asks for, and no more.
pub(crate) fn is_within_policy(pass: &Pass<'_>, description: &Description, key: Answering<'_>) -> bool {
    faults(pass, description, key).is_empty()
}

/// What a key may do, in words.
pub(crate) fn in_words(powers: &Powers) -> Vec<String> {
    powers
        .permissions
        .iter()
        .map(ToString::to_string)
        .chain(powers.forbidden())
        .chain(powers.others.iter().cloned())
        .collect()
}

/// What the key is held to: the policy, and where it says nothing what was resolved when the value was built.
fn demanded(value: &SecretValue) -> (Option<&crate::secret::Permissions>, Option<&Addresses>) {
    let built = value.rotation.as_ref();
    let permissions = value
        .policy
        .permissions
        .as_ref()
        .or(built.map(|rotation: &Provenance| &rotation.permissions));
    (
        permissions,
        value
            .policy
            .addresses
            .as_ref()
            .or(built.map(|rotation| &rotation.ip_allowlist)),
    )
}
