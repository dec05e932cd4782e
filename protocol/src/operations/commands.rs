//! The commands that findings tell a person to type, each quoted for a shell.

use jiff::Timestamp;

use crate::name::SecretId;
use crate::ports::{Grant, Venue};
use crate::secret::{AccountId, SecretValue};
use crate::session::has_master;

/// A date as messages say it.
pub(crate) fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// The command that begins a rotation.
pub(crate) fn rotate(name: &str) -> String {
    format!("aws secretsmanager rotate-secret --secret-id {name}")
}

/// What gets the current key a successor: a key that no master can issue, a person makes.
pub(crate) fn replace(name: &str, venue: &dyn Venue, value: &SecretValue) -> String {
    if has_master(venue, value) {
        return rotate(name);
    }
    format!(
        "make another key at the venue; then: aws secretsmanager put-secret-value --secret-id {name} \
         --version-stages CANDIDATE --secret-string file://candidate.json; then: {}",
        rotate(name)
    )
}

/// The command that has this function rotate a secret, and rotates nothing yet.
pub(crate) fn attach(rotation_function: &str, name: &str) -> String {
    format!(
        "aws secretsmanager rotate-secret --secret-id {name} --rotation-lambda-arn {rotation_function} \
         --rotation-rules \
         '{{\"ScheduleExpression\":\"rate(90 days)\",\"Duration\":\"4h\"}}' --no-rotate-immediately"
    )
}

/// The command that has a master's value say that it serves a secret.
pub(crate) fn serve(
    master: &SecretId,
    secret: &str,
    account: Option<&AccountId>,
    grant: Option<&Grant>,
) -> String {
    let mut entry = serde_json::json!({"accounts": [account.map_or("<account>", AccountId::as_str)]});
    entry["permissions"] = grant.map_or_else(
        || serde_json::json!(["<word>"]),
        |grant| serde_json::json!(grant.permissions),
    );
    entry["ip_allowlist"] = grant.map_or_else(
        || serde_json::json!(["<address>"]),
        |grant| serde_json::json!(grant.addresses),
    );
    let master = quoted(master.as_str());
    let change = quoted(&format!(".serves += {}", serde_json::json!({secret: entry})));
    format!(
        "aws secretsmanager get-secret-value --secret-id {master} --query SecretString --output text \
         | jq -c {change} \
         | aws secretsmanager put-secret-value --secret-id {master} --secret-string file:///dev/stdin"
    )
}

/// A word as a shell takes it whole, whatever is in it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The command that switches rotation on again, by the rules that the secret has.
pub(crate) fn switch_on(name: &str) -> String {
    format!("aws secretsmanager rotate-secret --secret-id {name} --no-rotate-immediately")
}

/// The command that shows a secret's state.
pub(crate) fn describe_secret(name: &str) -> String {
    format!("aws secretsmanager describe-secret --secret-id {name}")
}

/// The command that shows all versions of a secret, with their dates.
pub(crate) fn list_versions(name: &str) -> String {
    format!("aws secretsmanager list-secret-version-ids --secret-id {name} --include-deprecated")
}

/// The command that takes a label off a version.
pub(crate) fn take_off(name: &str, label: &str, version: &str) -> String {
    // Whoever stores a value chooses its version's id.
    let (label, version) = (quoted(label), quoted(version));
    format!(
        "aws secretsmanager update-secret-version-stage --secret-id {name} --version-stage {label} \
         --remove-from-version-id {version}"
    )
}

/// What gives a master's secret another key.
pub(crate) fn store_another(master: &SecretId) -> String {
    let master = quoted(master.as_str());
    format!(
        "make another key at the venue, bound to the functions' addresses; then store the master's value \
         with it: aws secretsmanager put-secret-value --secret-id {master} --secret-string file://master.json"
    )
}

pub(crate) fn put_right(name: &str) -> String {
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
        assert!(
            command.ends_with("--remove-from-version-id '$(id)0000-0000'"),
            "{command}"
        );
    }
}
