//! Whether the current key is what it should be: alive, on its account, within its policy.

use jiff::Timestamp;

use super::answer::{Code, Finding};
use super::pass::{Pass, finding};
use crate::name::SecretId;
use crate::ports::{Description, Grant, KeyState, Powers};
use crate::secret::{AccountId, Addresses, Provenance, SecretValue};

/// What is wrong with a current key that answers.
pub(super) fn faults(pass: &Pass<'_>, description: &Description, value: &SecretValue, state: &KeyState) -> Vec<Finding> {
    let name = description.name.as_str();
    let mut found = Vec::new();
    let recorded = value.rotation.as_ref().map(|rotation| AccountId::new(&rotation.account));
    for known in [recorded, value.subaccount.clone()].into_iter().flatten() {
        if known != state.account {
            let say = format!("the current key belongs to account {}, and the secret stands for {known}", state.account);
            found.push(finding(Code::AccountMismatch, name, say, put_right(name)));
            break;
        }
    }
    let forbidden = state.powers.forbidden();
    if !forbidden.is_empty() {
        let say = format!("the current key may do what no rotated key may: {}", forbidden.join(", "));
        found.push(finding(Code::CanMoveFunds, name, say, replace(name, value)));
    }
    let (permissions, addresses) = demanded(value);
    let mut more = permissions.map(|permissions| state.powers.beyond(permissions)).unwrap_or_default();
    more.retain(|power| !forbidden.contains(power));
    match (&state.addresses, addresses) {
        (_, Some(Addresses::Any)) | (Addresses::Only(_), None) => {}
        (Addresses::Any, _) => {
            let expiry = state.expires_at.map_or_else(String::new, |at| format!(", and expires on {}", day(at)));
            let say = format!("the current key may be used from anywhere{expiry}");
            let what_to_do =
                format!("name your bots' addresses in policy.ip_allowlist of the value; then: {}", replace(name, value));
            found.push(finding(Code::Unbound, name, say, what_to_do));
        }
        (Addresses::Only(held), Some(Addresses::Only(allowed))) => {
            let foreign = held.iter().filter(|address| !allowed.contains(address) && !pass.settings.egress.contains(address));
            more.extend(foreign.map(|address| format!("use from {}", address.as_str())));
        }
    }
    let mut less = permissions.map(|permissions| state.powers.lacks(permissions)).unwrap_or_default();
    if let (Addresses::Only(held), Some(Addresses::Only(demanded))) = (&state.addresses, addresses) {
        let missing = demanded.iter().filter(|address| !held.contains(address));
        less.extend(missing.map(|address| format!("use from {}", address.as_str())));
    }
    if !less.is_empty() {
        let say = format!("the current key may do less than its policy says: {}", less.join(", "));
        found.push(finding(Code::LessPowerThanPolicy, name, say, replace(name, value)));
    }
    if !more.is_empty() {
        let say = format!("the current key may do more than its policy says: {}", more.join(", "));
        found.push(finding(Code::MorePowerThanPolicy, name, say, replace(name, value)));
    }
    found
}

/// Whether a key that answers is all that its value asks for, and no more.
pub(super) fn is_within_policy(pass: &Pass<'_>, description: &Description, value: &SecretValue, state: &KeyState) -> bool {
    faults(pass, description, value, state).is_empty()
}

/// What a key may do, in words.
pub(super) fn in_words(powers: &Powers) -> Vec<String> {
    powers.permissions.iter().map(ToString::to_string).chain(powers.forbidden()).chain(powers.others.iter().cloned()).collect()
}

/// What the key is held to: the policy, and where it says nothing what was resolved when the value was built.
fn demanded(value: &SecretValue) -> (Option<&crate::secret::Permissions>, Option<&Addresses>) {
    let built = value.rotation.as_ref();
    let permissions = value.policy.permissions.as_ref().or(built.map(|rotation: &Provenance| &rotation.permissions));
    (permissions, value.policy.addresses.as_ref().or(built.map(|rotation| &rotation.ip_allowlist)))
}

pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The command that begins a rotation.
pub(super) fn rotate(name: &str) -> String {
    format!("aws secretsmanager rotate-secret --secret-id {name}")
}

/// What gets the current key a successor: a key that no master can issue, a person makes.
pub(super) fn replace(name: &str, value: &SecretValue) -> String {
    if value.master_arn.is_some() {
        return rotate(name);
    }
    format!(
        "make another key at the venue; then: aws secretsmanager put-secret-value --secret-id {name} --version-stages CANDIDATE --secret-string file://candidate.json; then: {}",
        rotate(name)
    )
}

/// The command that has this function rotate a secret, and rotates nothing yet.
pub(super) fn attach(pass: &Pass<'_>, name: &str) -> String {
    format!(
        "aws secretsmanager rotate-secret --secret-id {name} --rotation-lambda-arn {} --rotation-rules '{{\"ScheduleExpression\":\"rate(90 days)\",\"Duration\":\"4h\"}}' --no-rotate-immediately",
        pass.settings.rotation_function
    )
}

/// The command that has a master's value say that it serves a secret.
pub(super) fn serve(master: &SecretId, secret: &str, account: Option<&AccountId>, grant: Option<&Grant>) -> String {
    let mut entry = serde_json::json!({"accounts": [account.map_or("<account>", AccountId::as_str)]});
    entry["permissions"] = grant.map_or_else(|| serde_json::json!(["<word>"]), |grant| serde_json::json!(grant.permissions));
    entry["ip_allowlist"] = grant.map_or_else(|| serde_json::json!(["<address>"]), |grant| serde_json::json!(grant.addresses));
    let master = quoted(master.as_str());
    let change = quoted(&format!(".serves += {}", serde_json::json!({secret: entry})));
    format!(
        "aws secretsmanager get-secret-value --secret-id {master} --query SecretString --output text | jq -c {change} | aws secretsmanager put-secret-value --secret-id {master} --secret-string file:///dev/stdin"
    )
}

/// A word as a shell takes it whole, whatever is in it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The command that switches rotation on again, by the rules that the secret has.
pub(super) fn switch_on(name: &str) -> String {
    format!("aws secretsmanager rotate-secret --secret-id {name} --no-rotate-immediately")
}

/// The command that shows a secret's state.
pub(super) fn look_at(name: &str) -> String {
    format!("aws secretsmanager describe-secret --secret-id {name}")
}

/// The command that shows all versions of a secret, with their dates.
pub(super) fn look_at_versions(name: &str) -> String {
    format!("aws secretsmanager list-secret-version-ids --secret-id {name} --include-deprecated")
}

/// The command that takes a label off a version.
pub(super) fn take_off(name: &str, label: &str, version: &str) -> String {
    // Whoever stores a value chooses its version's id.
    let (label, version) = (quoted(label), quoted(version));
    format!(
        "aws secretsmanager update-secret-version-stage --secret-id {name} --version-stage {label} --remove-from-version-id {version}"
    )
}

/// What gives a master's secret another key.
pub(super) fn store_another(master: &SecretId) -> String {
    let master = quoted(master.as_str());
    format!(
        "make another key at the venue, bound to the functions' addresses; then store the master's value with it: \
         aws secretsmanager put-secret-value --secret-id {master} --secret-string file://master.json"
    )
}

pub(super) fn put_right(name: &str) -> String {
    format!("aws secretsmanager put-secret-value --secret-id {name} --secret-string file://right-value.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_anything_in_it_is_one_word_to_a_shell() {
        assert_eq!(quoted("prod/bybit/main-a1B2c3"), "prod/bybit/main-a1B2c3");
        assert_eq!(quoted("a; rm -rf $HOME"), "'a; rm -rf $HOME'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        let command = take_off("prod/bybit/main", "COMPROMISED", "$(id)0000-0000");
        assert!(command.ends_with("--remove-from-version-id '$(id)0000-0000'"), "{command}");
    }
}
