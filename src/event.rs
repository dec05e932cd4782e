//! What may call the function: one step of a rotation, as Secrets Manager sends it.

use aws_lambda_events::secretsmanager::SecretsManagerSecretRotationEvent;
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::rotation::{Step, StepRequest};
use protocol::{Error, ErrorType, shown};
use secrecy::SecretString;
use serde_json::Value;
use zeroize::Zeroize;

/// What stands in the place of a payload that is no JSON, itself JSON, so that the refusal is ours to word.
pub(crate) const NOT_JSON: &str = r#""\u0000not JSON""#;
/// The same, read.
const NOT_JSON_READ: &str = "\u{0}not JSON";

/// Reads an invocation's payload, which need not be JSON.
///
/// # Errors
/// EVENT_INVALID, naming what came and what was expected.
pub fn read(payload: &[u8]) -> Result<StepRequest, Error> {
    let event = serde_json::from_slice(payload).unwrap_or_else(|_| Value::from(NOT_JSON_READ));
    parse(event)
}

/// Reads an event.
///
/// RotationToken is taken out of the JSON first, into a type that cannot be printed: the event's own type has
/// no field for it.
///
/// # Errors
/// EVENT_INVALID, naming what came and what was expected.
pub(crate) fn parse(mut event: Value) -> Result<StepRequest, Error> {
    let invalid =
        |problem: String| Error::new(ErrorType::EventInvalid, format!("{problem}. Nothing was done"));
    let rotation_token = match event.get_mut("RotationToken").map(Value::take) {
        None | Some(Value::Null) => None,
        Some(Value::String(mut token)) => {
            let secret = SecretString::from(token.as_str());
            let fits = (36..=256).contains(&token.len());
            token.zeroize();
            if !fits {
                return Err(invalid(
                    "the event's RotationToken is not 36 to 256 characters long".into(),
                ));
            }
            Some(secret)
        }
        Some(_) => return Err(invalid("the event's RotationToken is not a string".into())),
    };
    if event == NOT_JSON_READ {
        return Err(invalid("the event is not JSON".into()));
    }
    if event.get("operation").is_some() {
        let problem = "this function rotates keys, and operations are for others: invoke the operations \
                       function, or for break_glass, rollback and abandon the emergency function; both have \
                       ROTATION_FUNCTION_ARN in their environment";
        return Err(invalid(problem.into()));
    }
    let Some(fields) = event.as_object() else {
        return Err(invalid(format!(
            "the event is {}, not a JSON object with Step, SecretId and ClientRequestToken",
            kind(&event)
        )));
    };
    for name in ["Step", "SecretId", "ClientRequestToken"] {
        match fields.get(name) {
            Some(Value::String(_)) => {}
            Some(other) => {
                return Err(invalid(format!(
                    "the event's {name} is {}, not a string",
                    kind(other)
                )));
            }
            None => {
                let there: Vec<String> = fields.keys().take(8).map(|name| shown(name)).collect();
                let there = there.join(", ");
                return Err(invalid(format!(
                    "the event has no {name}, as a rotation step has; its fields are [{there}]"
                )));
            }
        }
    }
    let event: SecretsManagerSecretRotationEvent = serde_json::from_value(event)
        .map_err(|_| invalid("the event is not that of a rotation step".into()))?;
    let step = Step::ALL
        .into_iter()
        .find(|known| known.as_str() == event.step)
        .ok_or_else(|| {
            invalid(format!(
                "the event's Step is {}, not createSecret, setSecret, testSecret or finishSecret",
                shown(&event.step)
            ))
        })?;
    let secret = SecretId::parse(&event.secret_id)
        .map_err(|problem| invalid(format!("the event's SecretId {problem}")))?;
    let token = event.client_request_token;
    if !(32..=64).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(invalid(
            "the event's ClientRequestToken is not 32 to 64 printable characters".into(),
        ));
    }
    Ok(StepRequest {
        step,
        secret,
        token: VersionId::new(token),
        rotation_token,
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/bybit/main-AbCdEf";
    const TOKEN: &str = "11111111-2222-3333-4444-555555555555";

    fn event() -> Value {
        json!({"Step": "createSecret", "SecretId": ARN, "ClientRequestToken": TOKEN})
    }

    #[test]
    fn an_event_of_secrets_manager_is_read() {
        for step in Step::ALL {
            let mut event = event();
            event["Step"] = json!(step.as_str());
            event["SomethingNew"] = json!({"a": 1});
            assert_eq!(parse(event).unwrap().step, step);
        }
    }

    #[test]
    fn the_rotation_token_is_kept_and_never_printed() {
        let mut event = event();
        let token = "r0tation-token-r0tation-token-r0tation-token";
        event["RotationToken"] = json!(token);
        let request = parse(event).unwrap();
        assert!(!format!("{request:?}").contains("r0tation"));
        assert_eq!(request.rotation_token.unwrap().expose_secret(), token);
    }

    #[test]
    fn an_event_that_is_no_step_names_what_came() {
        let with = |name: &str, value: Value| {
            let mut event = event();
            event[name] = value;
            event
        };
        for (event, named) in [
            (json!(null), "null"),
            (json!([1]), "a list"),
            (json!("hello"), "a string"),
            (serde_json::from_str(NOT_JSON).unwrap(), "not JSON"),
            (json!({}), "no Step"),
            (json!({"operation": "maintain"}), "operation"),
            (with("Step", json!("create_secret")), "create_secret"),
            (with("Step", json!(1)), "a number"),
            (with("SecretId", json!("arn:aws:s3:::bucket")), "SecretId"),
            (with("SecretId", json!("")), "SecretId"),
            (with("ClientRequestToken", json!("short")), "ClientRequestToken"),
            (
                with("ClientRequestToken", json!("x".repeat(65))),
                "ClientRequestToken",
            ),
            (
                with("ClientRequestToken", json!(format!("{TOKEN}\n"))),
                "ClientRequestToken",
            ),
            (with("RotationToken", json!("short")), "RotationToken"),
            (with("RotationToken", json!(["x"])), "RotationToken"),
        ] {
            let error = parse(event.clone()).unwrap_err();
            assert_eq!(error.error_type, ErrorType::EventInvalid);
            assert!(error.to_string().contains(named), "{event}: {error}");
        }
    }
}
