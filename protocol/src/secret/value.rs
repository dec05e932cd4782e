//! A secret's value, parsed once: everything the protocol asks of it, beside the document it was read from.

use std::borrow::Cow;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::document::encoded_twice;
use super::{AccountId, Credential, Document, DocumentError, KeyId, Policy, Provenance, Serves};
use crate::wrong::{self, Wrong};

/// What `created_by` says of a value that we wrote.
pub const CREATED_BY: &str = "exchange-key-rotation";

/// Both spellings in use of the fields that have two; the first is the one we write where neither stood.
const SECRET: [&str; 2] = ["api_secret", "secret"];
const PASSPHRASE: [&str; 2] = ["passphrase", "api_passphrase"];
const SUBACCOUNT: [&str; 2] = ["subaccount", "sub_account"];

/// An account's id is shown as it is: one that could be a misplaced key secret is refused. The secrets of
/// venues have 32 characters or more.
const LONGEST_ACCOUNT: usize = 31;

/// Some venues name accounts by an e-mail address.
const LONGEST_EMAIL: usize = 254;

/// Whether a text can be shown as an account's id.
pub(crate) fn may_be_an_account(text: &str) -> bool {
    let is_email = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"@.+-_".contains(&b);
        let has_host = text.split_once('@').is_some_and(|(_, host)| host.contains('.'));
        text.len() <= LONGEST_EMAIL && text.bytes().all(fits) && has_host && text.matches('@').count() == 1
    };
    text.len() <= LONGEST_ACCOUNT || is_email(text)
}

/// The parsed value of one version.
#[derive(Clone, Debug)]
pub struct SecretValue {
    /// The exchange the document names, in lower case.
    pub exchange: Option<String>,
    /// The environment the document names, in lower case.
    pub environment: Option<String>,
    /// The credential.
    pub credential: Credential,
    /// The account the document says the key belongs to.
    pub subaccount: Option<AccountId>,
    /// The ARN of the master credential's secret.
    pub master_arn: Option<String>,
    /// The policy, or an empty one.
    pub policy: Policy,
    /// When the value was built, where that was written and can be read.
    pub created_at: Option<Timestamp>,
    /// Who wrote it.
    pub created_by: Option<String>,
    /// What createSecret wrote of its origin.
    pub rotation: Option<Provenance>,
    document: Document,
}

impl Credential {
    /// The credential in a value, whatever else in it cannot be used; each that a reader may take, where the
    /// key secret stands there in both spellings, or has white space at its ends. None where it cannot be
    /// told what a reader takes.
    pub fn all_in_text(text: &SecretString) -> Vec<Self> {
        let Some(document) = readable(text.expose_secret()) else {
            return Vec::new();
        };
        let key_id = document.secret("api_key", "a string").ok().flatten();
        let Some(key_id) = key_id.and_then(|key_id| KeyId::parse(key_id.expose_secret()).ok()) else {
            return Vec::new();
        };
        let text = |field| document.secret(field, "a string").ok().flatten();
        let passphrase = PASSPHRASE.into_iter().find_map(text);
        let mut all = Vec::new();
        for field in SECRET.into_iter().filter(|field| document.has(field)) {
            let Some(secret) = text(field).filter(is_plain) else {
                return Vec::new();
            };
            let trimmed = SecretString::from(secret.expose_secret().trim());
            if trimmed.expose_secret().is_empty() {
                return Vec::new();
            }
            let of = |secret| Self {
                key_id: key_id.clone(),
                secret,
                passphrase: passphrase.clone(),
            };
            if trimmed.expose_secret() != secret.expose_secret() {
                all.push(of(trimmed));
            }
            all.push(of(secret));
        }
        all
    }
}

/// A document, also in the two forms that are refused as a value and that a lenient reader takes.
fn readable(text: &str) -> Option<Document> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Document::parse(text)
        .ok()
        .or_else(|| Document::parse(&encoded_twice(text)?).ok())
}

impl SecretValue {
    /// Reads a version's value.
    ///
    /// # Errors
    /// A [`DocumentError`] that names the field, never its content.
    pub fn parse(text: &SecretString) -> Result<Self, DocumentError> {
        let document = Document::parse(text.expose_secret())?;
        let lower = |word: Option<Cow<'_, str>>| {
            word.map(|word| word.trim().to_lowercase())
                .filter(|word| !word.is_empty())
        };
        let key = document
            .secret("api_key", "a string")?
            .ok_or(DocumentError::Missing("api_key"))?;
        let key_id = KeyId::parse(key.expose_secret()).map_err(|problem| DocumentError::Field {
            field: "api_key",
            problem: problem.into(),
        })?;
        let secret = key_secret(&document)?.ok_or(DocumentError::Missing(SECRET[0]))?;
        let policy: Option<serde_json::Value> = document.field("policy", "an object")?;
        Ok(Self {
            exchange: lower(document.text("exchange", "a string")?),
            environment: lower(document.text("environment", "a string")?),
            credential: Credential {
                key_id,
                secret,
                passphrase: secret_text(&document, PASSPHRASE)?,
            },
            subaccount: account(&document)?,
            master_arn: document
                .text("masterarn", "a string")?
                .filter(|arn| !arn.is_empty())
                .map(Cow::into_owned),
            policy: policy.as_ref().map(Policy::read).transpose()?.unwrap_or_default(),
            // A hand may have written any date format here; only one that we can read counts.
            created_at: document
                .text("created_at", "a string")
                .ok()
                .flatten()
                .and_then(|at| at.parse().ok()),
            created_by: document
                .text("created_by", "a string")
                .ok()
                .flatten()
                .map(Cow::into_owned),
            rotation: document.field(
                "rotation",
                "what createSecret writes there (remove it, it is not yours to edit)",
            )?,
            document,
        })
    }

    /// The account that the value's key belongs to, as far as the value tells. Where no master is asked, no
    /// call names it otherwise than its keys do.
    pub fn account(&self) -> Option<AccountId> {
        let rotation = self.rotation.as_ref();
        rotation
            .and_then(|rotation| rotation.recorded_account(self.master_arn.is_none()))
            .or_else(|| self.subaccount.clone())
    }

    /// Whether the value's key is this one.
    pub fn names(&self, key: &KeyId) -> bool {
        self.credential.key_id == *key
    }

    /// The value of the next version: this one with another credential and origin, everything else untouched
    /// and in its place.
    pub fn successor(
        &self,
        credential: &Credential,
        created_at: Timestamp,
        rotation: &Provenance,
    ) -> Document {
        let mut document = self.document.clone();
        document.set_text("api_key", credential.key_id.expose());
        document.set_text(spelling(&document, SECRET), credential.secret.expose_secret());
        if let Some(passphrase) = &credential.passphrase
            && !wrong::is(Wrong::StalePassphrase)
        {
            document.set_text(spelling(&document, PASSPHRASE), passphrase.expose_secret());
        }
        let seconds = Timestamp::from_second(created_at.as_second()).unwrap_or(created_at);
        document.set_text("created_at", &seconds.to_string());
        document.set_text("created_by", CREATED_BY);
        document.set("rotation", rotation);
        document
    }

    /// Whom the credential may serve, where it is a master's and says so.
    ///
    /// # Errors
    /// [`DocumentError::Field`] with what is wrong.
    pub fn serves(&self) -> Result<Option<Serves>, DocumentError> {
        let serves: Option<serde_json::Value> = self.document.field("serves", "an object")?;
        serves.as_ref().map(Serves::read).transpose()
    }

    /// About how many bytes the value has; never fewer than it does.
    pub fn size(&self) -> usize {
        self.document.size()
    }
}

/// The spelling that stands in the document, or the first where neither does.
fn spelling(document: &Document, spellings: [&'static str; 2]) -> &'static str {
    spellings
        .into_iter()
        .find(|name| document.has(name))
        .unwrap_or(spellings[0])
}

/// The spelling that stands in the document; two at once are refused, since no one can say which of them a
/// consumer reads.
fn one_spelling(document: &Document, spellings: [&'static str; 2]) -> Result<&'static str, DocumentError> {
    if spellings.into_iter().all(|name| document.has(name)) {
        let problem = format!(
            "stands beside `{}`, and both mean the same: keep one",
            spellings[1]
        );
        return Err(DocumentError::Field {
            field: spellings[0],
            problem,
        });
    }
    Ok(spelling(document, spellings))
}

fn secret_text(
    document: &Document,
    spellings: [&'static str; 2],
) -> Result<Option<SecretString>, DocumentError> {
    let field = one_spelling(document, spellings)?;
    let Some(text) = document.secret(field, "a string")? else {
        return Ok(None);
    };
    let problem = match text.expose_secret() {
        "" => "is empty",
        shown if shown.trim() != shown => "begins or ends with white space",
        _ => return Ok(Some(text)),
    };
    Err(DocumentError::Field {
        field,
        problem: problem.into(),
    })
}

/// A key secret in the one spelling that it has: HMAC takes a key with zero bytes after it for the same key,
/// so that two values that differ would sign alike.
fn key_secret(document: &Document) -> Result<Option<SecretString>, DocumentError> {
    let secret = secret_text(document, SECRET)?;
    if secret.as_ref().is_none_or(is_plain) {
        return Ok(secret);
    }
    Err(DocumentError::Field {
        field: one_spelling(document, SECRET)?,
        problem: "holds a character that no key secret has".into(),
    })
}

fn is_plain(text: &SecretString) -> bool {
    text.expose_secret()
        .chars()
        .all(|c| c.is_ascii_graphic() || [' ', '\n', '\r'].contains(&c))
}

fn account(document: &Document) -> Result<Option<AccountId>, DocumentError> {
    let field = one_spelling(document, SUBACCOUNT)?;
    // A uid is written as a number by some.
    if !document.has_text(field)
        && let Ok(Some(number)) = document.field::<u64>(field, "a number")
    {
        return Ok(Some(AccountId::new(number.to_string())));
    }
    let text = document.text(field, "a string or a whole number")?;
    if text.as_ref().is_some_and(|text| !may_be_an_account(text)) {
        let problem = format!(
            "is longer than the {LONGEST_ACCOUNT} bytes that an account's id can have, and no e-mail address"
        );
        return Err(DocumentError::Field { field, problem });
    }
    Ok(text
        .filter(|text| !text.is_empty())
        .map(Cow::into_owned)
        .map(AccountId::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SecretValue, String> {
        SecretValue::parse(&text.into()).map_err(|error| error.to_string())
    }

    fn credential(key_id: &str, secret: &str) -> Credential {
        Credential {
            key_id: KeyId::parse(key_id).unwrap(),
            secret: secret.into(),
            passphrase: None,
        }
    }

    fn provenance() -> Provenance {
        serde_json::from_str(concat!(
            r#"{"token":"t","source":"issued","based_on":"b","account":"7","#,
            r#""permissions":["read","spot"],"ip_allowlist":["203.0.113.7"]}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_successor_keeps_each_spelling_and_every_foreign_field_in_order() {
        let at: Timestamp = "2026-01-01T00:00:00.5Z".parse().unwrap();
        let old = parse(
            r#"{"x":1.50,"secret":"old","api_key":"OLD","created_at":"long ago","subaccount":7,"y":[1, 2]}"#,
        )
        .unwrap();
        let new = old
            .successor(&credential("NEW", "new"), at, &provenance())
            .render();
        let expected = concat!(
            r#"{"x":1.50,"secret":"new","api_key":"NEW","created_at":"2026-01-01T00:00:00Z","#,
            r#""subaccount":7,"y":[1, 2],"#,
            r#""created_by":"exchange-key-rotation","#,
            r#""rotation":{"token":"t","source":"issued","based_on":"b","account":"7","#,
            r#""permissions":["read","spot"],"ip_allowlist":["203.0.113.7"]}}"#
        );
        assert_eq!(new.expose_secret(), expected);
        let read = SecretValue::parse(&new).unwrap();
        assert_eq!(read.rotation, Some(provenance()));
        assert_eq!(read.subaccount, Some(AccountId::new("7")));
    }

    #[test]
    fn what_a_reader_takes_for_the_credential_is_told_or_that_nobody_knows() {
        let all = |text: &str| {
            let all = Credential::all_in_text(&text.into());
            all.into_iter()
                .map(|credential| credential.secret.expose_secret().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(all(r#"{"api_key":"k","api_secret":"s","policy":7}"#), ["s"]);
        assert_eq!(all(r#"{"api_key":"k","api_secret":"s\n"}"#), ["s", "s\n"]);
        assert_eq!(
            all(r#"{"api_key":"k","api_secret":"s","secret":"t"}"#),
            ["s", "t"]
        );
        for nobody_knows in [
            r#"{"api_key":"k","api_secret":"s","secret":""}"#,
            r#"{"api_key":"k","api_secret":"s","secret":7}"#,
            r#"{"api_key":"k","api_secret":"s\u0000","secret":"t"}"#,
            r#"{"api_key":"k"}"#,
            r#"{"api_secret":"s"}"#,
        ] {
            assert!(all(nobody_knows).is_empty(), "{nobody_knows}");
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_names_the_field_and_not_its_content() {
        for (text, named) in [
            (r"{}", "api_key"),
            (r#"{"api_key":"","api_secret":"hidden"}"#, "api_key"),
            (r#"{"api_key":"k hidden","api_secret":"s"}"#, "api_key"),
            (r#"{"api_key":"k"}"#, "api_secret"),
            (r#"{"api_key":"k","api_secret":""}"#, "api_secret"),
            (r#"{"api_key":"k","secret":"hidden\n"}"#, "secret"),
            (
                r#"{"api_key":"k","api_secret":"hidden","secret":"hidden"}"#,
                "api_secret",
            ),
            (r#"{"api_key":"k","api_secret":["hidden"]}"#, "api_secret"),
            (r#"{"api_key":"k","api_secret":"hidden\u0000"}"#, "api_secret"),
            (r#"{"api_key":"k","secret":"hidd\u00e9n"}"#, "secret"),
            (
                r#"{"api_key":"k","api_secret":"hidden","subaccount":{}}"#,
                "subaccount",
            ),
            (
                r#"{"api_key":"k","api_secret":"s","subaccount":"zqLxk9x1HNEzfhiddenEOuhikbC6vl5pQjBj"}"#,
                "subaccount",
            ),
            (
                r#"{"api_key":"k","api_secret":"hidden","policy":["spot"]}"#,
                "policy",
            ),
            (
                r#"{"api_key":"k","api_secret":"hidden","rotation":{"token":1}}"#,
                "rotation",
            ),
            ("", "SecretBinary"),
            (r#"{"api_key":"k","api_secret":"hidden""#, "not a JSON object"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
            assert!(!error.contains("hidden"), "{text}: {error}");
        }
    }

    #[test]
    fn fields_that_a_hand_left_empty_count_as_missing() {
        let value = parse(concat!(
            r#"{"api_key":"k","secret":"s","subaccount":"","masterarn":null,"policy":null,"#,
            r#""exchange":" BYBIT "}"#
        ))
        .unwrap();
        assert_eq!(
            (value.subaccount, value.master_arn, value.policy),
            (None, None, Policy::default())
        );
        assert_eq!(value.exchange.as_deref(), Some("bybit"));
    }
}
