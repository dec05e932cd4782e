//! Whether the current key is what it should be: alive, on its account, within its policy.

use crate::operations::answer::{Code, Finding};
use crate::operations::commands::{day, put_right, replace};
use crate::operations::pass::{Pass, finding};
use crate::ports::{Description, KeyState, Powers};
use crate::secret::{AccountId, Addresses, Provenance, SecretValue};

/// What is wrong with a current key that answers.
pub(crate) fn faults(
    pass: &Pass<'_>,
    description: &Description,
    value: &SecretValue,
    state: &KeyState,
) -> Vec<Finding> {
    let name = description.name.as_str();
    let mut found = Vec::new();
    let recorded = value
        .rotation
        .as_ref()
        .map(|rotation| AccountId::new(&rotation.account));
    for known in [recorded, value.subaccount.clone()].into_iter().flatten() {
        if known != state.account {
            let say = format!(
                "the current key belongs to account {}, and the secret stands for {known}",
                state.account
            );
            found.push(finding(Code::AccountMismatch, name, say, put_right(name)));
            break;
        }
    }
    let forbidden = state.powers.forbidden();
    if !forbidden.is_empty() {
        let say = format!(
            "the current key may do what no rotated key may: {}",
            forbidden.join(", ")
        );
        found.push(finding(Code::CanMoveFunds, name, say, replace(name, value)));
    }
    let (permissions, addresses) = demanded(value);
    let mut more = permissions
        .map(|permissions| state.powers.beyond(permissions))
        .unwrap_or_default();
    more.retain(|power| !forbidden.contains(power));
    match (&state.addresses, addresses) {
        (_, Some(Addresses::Any)) | (Addresses::Only(_), None) => {}
        (Addresses::Any, _) => {
            let expiry = state
                .expires_at
                .map_or_else(String::new, |at| format!(", and expires on {}", day(at)));
            let say = format!("the current key may be used from anywhere{expiry}");
            let what_to_do = format!(
                "name your bots' addresses in policy.ip_allowlist of the value; then: {}",
                replace(name, value)
            );
            found.push(finding(Code::Unbound, name, say, what_to_do));
        }
        (Addresses::Only(held), Some(Addresses::Only(allowed))) => {
            let foreign = held
                .iter()
                .filter(|address| !allowed.contains(address) && !pass.settings.egress.contains(address));
            more.extend(foreign.map(|address| format!("use from {}", address.as_str())));
        }
    }
    let mut less = permissions
        .map(|permissions| state.powers.lacks(permissions))
        .unwrap_or_default();
    if let (Addresses::Only(held), Some(Addresses::Only(demanded))) = (&state.addresses, addresses) {
        let missing = demanded.iter().filter(|address| !held.contains(address));
        less.extend(missing.map(|address| format!("use from {}", address.as_str())));
    }
    if !less.is_empty() {
        let say = format!(
            "the current key may do less than its policy says: {}",
            less.join(", ")
        );
        found.push(finding(
            Code::LessPowerThanPolicy,
            name,
            say,
            replace(name, value),
        ));
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
            replace(name, value),
        ));
    }
    found
}

/// Whether a key that answers is all that its value asks for, and no more.
pub(crate) fn is_within_policy(
    pass: &Pass<'_>,
    description: &Description,
    value: &SecretValue,
    state: &KeyState,
) -> bool {
    faults(pass, description, value, state).is_empty()
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
