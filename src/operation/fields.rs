//! The fields of an event, each read as what it is to be.

use protocol::name::SecretId;
use protocol::operations::{Fingerprint, Form, Mode, Shard};
use protocol::{Error, shown};
use serde_json::{Map, Value};

use super::invalid;

/// The longest reason and incident number.
const LONGEST_WORDS: usize = 256;

pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    /// A field that is not known may be a misspelt one: what it was to say would be passed over.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Error> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(other) => Err(invalid(&format!(
                "the event has a field {}; it may have {}",
                shown(other),
                known.join(", ")
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(&format!("the event's `{name}` is not a string"))),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(invalid(&format!(
                "the event's `{name}` is neither true nor false"
            ))),
        }
    }

    pub(super) fn shard(&self) -> Result<Shard, Error> {
        let shard = self.text("shard")?.map_or(Ok(Shard::ALL), str::parse);
        shard.map_err(|error| invalid(&format!("the event's `shard` cannot be used: {error}")))
    }

    pub(super) fn mode(&self) -> Result<Mode, Error> {
        match self.text("mode")? {
            None | Some("replace_first") => Ok(Mode::ReplaceFirst),
            Some("revoke_first") => Ok(Mode::RevokeFirst),
            Some(other) => Err(invalid(&format!(
                "the event's `mode` is {}, not replace_first or revoke_first",
                shown(other)
            ))),
        }
    }

    pub(super) fn form(&self) -> Result<Form, Error> {
        match self.text("format")? {
            None | Some("json") => Ok(Form::Json),
            Some("csv") => Ok(Form::Csv),
            Some("findings") => Ok(Form::Findings),
            Some(other) => Err(invalid(&format!(
                "the event's `format` is {}, not json, csv or findings",
                shown(other)
            ))),
        }
    }

    /// What a person says for the trail: nothing happens without it.
    pub(super) fn words(&self, name: &str) -> Result<String, Error> {
        let words = self.text(name)?.map(str::trim).filter(|words| !words.is_empty());
        let words =
            words.ok_or_else(|| invalid(&format!("an emergency needs its `{name}`, for the trail")))?;
        if words.chars().count() > LONGEST_WORDS || words.chars().any(char::is_control) {
            return Err(invalid(&format!(
                "the event's `{name}` is longer than {LONGEST_WORDS} characters, or no plain text"
            )));
        }
        Ok(words.to_owned())
    }

    pub(super) fn fingerprint(&self) -> Result<Option<Fingerprint>, Error> {
        let matching = match self.0.get("match") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(fields)) => Fields(fields),
            Some(_) => {
                return Err(invalid(
                    r#"the event's `match` is not an object: {"fingerprint":"fp:…"}"#,
                ));
            }
        };
        matching.only(&["fingerprint"])?;
        let fingerprint = matching
            .text("fingerprint")?
            .ok_or_else(|| invalid("the event's `match` has no `fingerprint`"))?;
        let fingerprint = fingerprint.parse::<Fingerprint>();
        fingerprint
            .map(Some)
            .map_err(|error| invalid(&format!("the event's `match` cannot be used: {error}")))
    }

    /// The key that is meant, as the person knows it.
    pub(super) fn key(&self) -> Result<Option<Fingerprint>, Error> {
        let fingerprint = self
            .text("fingerprint")?
            .map(str::parse::<Fingerprint>)
            .transpose();
        fingerprint.map_err(|error| invalid(&format!("the event's `fingerprint` cannot be used: {error}")))
    }

    pub(super) fn secret(&self) -> Result<Option<SecretId>, Error> {
        let secret = self.text("secret")?.map(SecretId::parse).transpose();
        secret.map_err(|problem| invalid(&format!("the event's `secret` {problem}")))
    }
}
