//! What may call the operations function: an object that names an operation, from a schedule, a rule or a person.

use protocol::label::VersionId;
use protocol::lifecycle::{Operation, Request, Shard};
use protocol::name::SecretId;
use protocol::{Error, ErrorType, shown};
use serde_json::{Map, Value};

/// Reads the event of an operation.
///
/// # Errors
/// EVENT_INVALID, naming what came and what was expected.
pub(crate) fn parse(event: &Value) -> Result<Request, Error> {
    let Some(fields) = event.as_object().filter(|fields| fields.contains_key("operation")) else {
        return Err(invalid(&format!(
            "this function performs operations, and the event names none: {{\"operation\":\"{}\"}} is one",
            Operation::Maintain
        )));
    };
    let fields = Fields(fields);
    let word = fields.text("operation")?.unwrap_or_default();
    let operation = Operation::ALL.into_iter().find(|operation| operation.as_str() == word).ok_or_else(|| {
        let known: Vec<&str> = Operation::ALL.into_iter().map(Operation::as_str).collect();
        invalid(&format!("there is no operation {}: the operations are {}", shown(word), known.join(", ")))
    })?;
    fields.only(match operation {
        Operation::Maintain => &["operation", "shard", "secret", "dry_run"],
        Operation::Abandon => &["operation", "secret"],
        Operation::Rollback => &["operation", "secret", "version"],
    })?;
    let secret = || fields.secret()?.ok_or_else(|| invalid(&format!("{operation} needs the `secret` that it is about")));
    Ok(match operation {
        Operation::Maintain => {
            let shard = fields.text("shard")?.map_or(Ok(Shard::ALL), str::parse);
            let shard = shard.map_err(|error| invalid(&format!("the event's `shard` cannot be used: {error}")))?;
            Request::Maintain { shard, secret: fields.secret()?, dry_run: fields.flag("dry_run")? }
        }
        Operation::Abandon => Request::Abandon { secret: secret()? },
        Operation::Rollback => Request::Rollback { secret: secret()?, version: fields.text("version")?.map(VersionId::new) },
    })
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    /// A field that is not known may be a misspelt one: what it was to say would be passed over.
    fn only(&self, known: &[&str]) -> Result<(), Error> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(other) => Err(invalid(&format!("the event has a field {}; it may have {}", shown(other), known.join(", ")))),
            None => Ok(()),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(&format!("the event's `{name}` is not a string"))),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(invalid(&format!("the event's `{name}` is neither true nor false"))),
        }
    }

    fn secret(&self) -> Result<Option<SecretId>, Error> {
        let secret = self.text("secret")?.map(SecretId::parse).transpose();
        secret.map_err(|problem| invalid(&format!("the event's `secret` {problem}")))
    }
}

fn invalid(problem: &str) -> Error {
    Error::new(ErrorType::EventInvalid, format!("{problem}. Nothing was done"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_operation_is_read_with_what_it_may_say() {
        let read = parse(&json!({"operation": "maintain", "shard": "2/4", "dry_run": true})).unwrap();
        assert_eq!(read, Request::Maintain { shard: "2/4".parse().unwrap(), secret: None, dry_run: true });
        let read = parse(&json!({"operation": "rollback", "secret": "prod/bybit/main"})).unwrap();
        assert_eq!(read, Request::Rollback { secret: SecretId::parse("prod/bybit/main").unwrap(), version: None });
    }

    #[test]
    fn what_is_no_operation_is_refused_by_name() {
        for (event, named) in [
            (json!(null), "names none"),
            (json!([]), "names none"),
            (json!({"Step": "createSecret"}), "names none"),
            (json!({"operation": 1}), "operation"),
            (json!({"operation": "maintian"}), "maintian"),
            (json!({"operation": "maintain", "shard": "5/4"}), "shard"),
            (json!({"operation": "maintain", "dry_run": "yes"}), "dry_run"),
            (json!({"operation": "maintain", "dryrun": true}), "dryrun"),
            (json!({"operation": "maintain", "secret": "a b"}), "secret"),
            (json!({"operation": "rollback"}), "secret"),
            (json!({"operation": "abandon", "secret": "a", "version": "b"}), "version"),
        ] {
            let error = parse(&event).unwrap_err();
            assert_eq!(error.error_type, ErrorType::EventInvalid);
            assert!(error.to_string().contains(named), "{event}: {error}");
        }
    }
}
