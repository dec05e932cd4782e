//! What may call the operations function and the emergency function: an object that names an operation, from
//! a schedule or a person; the first takes a queue's batch of such objects as well, one for each label that
//! somebody moved, and Secrets Manager's own event of such a move.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{Duty, Fingerprint, Form, Mode, Operation, OperationRequest, Order, Shard};
use protocol::{Error, ErrorType, shown};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest reason and incident number.
const LONGEST_WORDS: usize = 256;

/// Reads the event of a function that performs the operations of a duty.
///
/// # Errors
/// EVENT_INVALID, naming what came and what was expected.
pub(crate) fn read(event: &Value, duty: Duty) -> Result<OperationRequest, Error> {
    if duty == Duty::Operations && event.get("Records").is_some() {
        return batch(event);
    }
    let request = parse(event)?;
    if request.operation().duty() == duty {
        return Ok(request);
    }
    let (this, other) = match duty {
        Duty::Operations => (
            "operations",
            "emergency function, the one that has OPERATIONS_FUNCTION_ARN in its environment",
        ),
        Duty::Emergency => (
            "emergency",
            "operations function, the one that has no OPERATIONS_FUNCTION_ARN in its environment",
        ),
    };
    Err(invalid(&format!(
        "this is the {this} function, and {} is for another: invoke the {other}",
        request.operation()
    )))
}

/// Reads a batch of Amazon SQS. Whoever moves ten labels of one secret in a minute has it looked after once.
/// A message that is none of these is passed over, and logged: it keeps no other from being taken up.
fn batch(event: &Value) -> Result<OperationRequest, Error> {
    let batch: SqsEvent = serde_json::from_value(event.clone())
        .map_err(|_| invalid("the event has Records, and is no batch of Amazon SQS"))?;
    let (mut all, mut refused) = (Vec::new(), None);
    for message in batch.records {
        match moved(&message) {
            Ok(secret) if all.contains(&secret) => {}
            Ok(secret) => all.push(secret),
            Err(error) => {
                tracing::error!(error_type = %error.error_type, "a message of the batch is passed over: {error}");
                refused = Some(error);
            }
        }
    }
    if all.is_empty() {
        return Err(refused.unwrap_or_else(|| invalid("the event is a batch without a message")));
    }
    Ok(OperationRequest::Maintain {
        shard: Shard::ALL,
        secrets: all,
        moved: true,
        dry_run: false,
    })
}

/// The secret that a message asks to look after.
fn moved(message: &SqsMessage) -> Result<SecretId, Error> {
    if message.event_source.as_deref() != Some("aws:sqs") {
        return Err(invalid(
            "the event has a record that does not come from Amazon SQS",
        ));
    }
    let body = serde_json::from_str(message.body.as_deref().unwrap_or_default())
        .map_err(|_| invalid("the event has a message whose body is not JSON"))?;
    match parse(&body)? {
        OperationRequest::Maintain {
            mut secrets,
            dry_run: false,
            ..
        } if secrets.len() == 1 => Ok(secrets.remove(0)),
        _ => Err(invalid(
            "the event has a message that asks for something else than to maintain one secret",
        )),
    }
}

/// What Secrets Manager sends to EventBridge when a label is moved, as far as it is needed here.
///
/// Source: AWS Secrets Manager user guide, "Match events with Amazon EventBridge".
#[derive(Debug, Deserialize)]
struct LabelUpdated {
    /// The secret's name.
    name: String,
}

/// Reads an event as EventBridge sends it where a rule has no input of its own.
fn from_event_bridge(event: &Value) -> Result<OperationRequest, Error> {
    let sent: EventBridgeEvent = serde_json::from_value(event.clone())
        .map_err(|_| invalid("the event has a detail-type, and is not one of EventBridge"))?;
    if (sent.source.as_str(), sent.detail_type.as_str()) != ("aws.secretsmanager", "Secret Label Updated") {
        let (source, detail_type) = (shown(&sent.source), shown(&sent.detail_type));
        return Err(invalid(&format!(
            "the event is {detail_type} of {source}, which names no operation: give the rule's or the \
             schedule's target the input {{\"operation\":\"{}\"}}",
            Operation::Maintain
        )));
    }
    let label: LabelUpdated = serde_json::from_value(sent.detail)
        .map_err(|_| invalid("the event Secret Label Updated names no secret"))?;
    let secret = SecretId::parse(&label.name)
        .map_err(|problem| invalid(&format!("the event's detail.name {problem}")))?;
    Ok(OperationRequest::Maintain {
        shard: Shard::ALL,
        secrets: vec![secret],
        moved: true,
        dry_run: false,
    })
}

/// Reads the event of one operation.
fn parse(event: &Value) -> Result<OperationRequest, Error> {
    if event.get("detail-type").is_some() {
        return from_event_bridge(event);
    }
    let Some(fields) = event
        .as_object()
        .filter(|fields| fields.contains_key("operation"))
    else {
        return Err(invalid(&format!(
            "this function performs operations, and the event names none: {{\"operation\":\"{}\"}} is one",
            Operation::Maintain
        )));
    };
    let fields = Fields(fields);
    let word = fields.text("operation")?.unwrap_or_default();
    let operation = Operation::ALL
        .into_iter()
        .find(|operation| operation.as_str() == word)
        .ok_or_else(|| {
            let known: Vec<&str> = Operation::ALL.into_iter().map(Operation::as_str).collect();
            invalid(&format!(
                "there is no operation {}: the operations are {}",
                shown(word),
                known.join(", ")
            ))
        })?;
    fields.only(match operation {
        Operation::Maintain => &["operation", "shard", "secret", "dry_run"],
        Operation::Abandon | Operation::Plan => &["operation", "secret"],
        Operation::Rollback => &["operation", "secret", "version"],
        Operation::BreakGlass => &[
            "operation",
            "secret",
            "version",
            "mode",
            "fingerprint",
            "no_successor",
            "reason",
            "incident",
        ],
        Operation::Audit => &["operation", "shard", "secret", "match", "after", "format"],
    })?;
    if fields.text("shard")?.is_some() && fields.secret()?.is_some() {
        return Err(invalid(
            "the event names a `shard` and a `secret`: one secret is in no need of a shard",
        ));
    }
    let secret = || {
        fields
            .secret()?
            .ok_or_else(|| invalid(&format!("{operation} needs the `secret` that it is about")))
    };
    Ok(match operation {
        Operation::Maintain => {
            let shard = fields.shard()?;
            OperationRequest::Maintain {
                shard,
                secrets: fields.secret()?.into_iter().collect(),
                moved: false,
                dry_run: fields.flag("dry_run")?,
            }
        }
        Operation::Abandon => OperationRequest::Abandon { secret: secret()? },
        Operation::Rollback => OperationRequest::Rollback {
            secret: secret()?,
            version: fields.text("version")?.map(VersionId::new),
        },
        Operation::BreakGlass => OperationRequest::BreakGlass {
            secret: secret()?,
            version: fields.text("version")?.map(VersionId::new),
            mode: fields.mode()?,
            fingerprint: fields.key()?,
            no_successor: fields.flag("no_successor")?,
            order: Order {
                reason: fields.words("reason")?,
                incident: fields.words("incident")?,
            },
        },
        Operation::Audit => OperationRequest::Audit {
            shard: fields.shard()?,
            secret: fields.secret()?,
            fingerprint: fields.fingerprint()?,
            after: fields.text("after")?.map(str::to_owned),
            form: fields.form()?,
        },
        Operation::Plan => OperationRequest::Plan { secret: secret()? },
    })
}

struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    /// A field that is not known may be a misspelt one: what it was to say would be passed over.
    fn only(&self, known: &[&str]) -> Result<(), Error> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(other) => Err(invalid(&format!(
                "the event has a field {}; it may have {}",
                shown(other),
                known.join(", ")
            ))),
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
            Some(_) => Err(invalid(&format!(
                "the event's `{name}` is neither true nor false"
            ))),
        }
    }

    fn shard(&self) -> Result<Shard, Error> {
        let shard = self.text("shard")?.map_or(Ok(Shard::ALL), str::parse);
        shard.map_err(|error| invalid(&format!("the event's `shard` cannot be used: {error}")))
    }

    fn mode(&self) -> Result<Mode, Error> {
        match self.text("mode")? {
            None | Some("replace_first") => Ok(Mode::ReplaceFirst),
            Some("revoke_first") => Ok(Mode::RevokeFirst),
            Some(other) => Err(invalid(&format!(
                "the event's `mode` is {}, not replace_first or revoke_first",
                shown(other)
            ))),
        }
    }

    fn form(&self) -> Result<Form, Error> {
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
    fn words(&self, name: &str) -> Result<String, Error> {
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

    fn fingerprint(&self) -> Result<Option<Fingerprint>, Error> {
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
    fn key(&self) -> Result<Option<Fingerprint>, Error> {
        let fingerprint = self
            .text("fingerprint")?
            .map(str::parse::<Fingerprint>)
            .transpose();
        fingerprint.map_err(|error| invalid(&format!("the event's `fingerprint` cannot be used: {error}")))
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
        assert_eq!(
            read,
            OperationRequest::Maintain {
                shard: "2/4".parse().unwrap(),
                secrets: Vec::new(),
                moved: false,
                dry_run: true
            }
        );
        let read = parse(&json!({"operation": "rollback", "secret": "prod/bybit/main"})).unwrap();
        assert_eq!(
            read,
            OperationRequest::Rollback {
                secret: SecretId::parse("prod/bybit/main").unwrap(),
                version: None
            }
        );
    }

    #[test]
    fn an_emergency_is_read_with_what_is_said_for_the_trail() {
        let event = json!({"operation": "break_glass", "secret": "prod/bybit/main", "reason": " seen in a log ", "incident": "INC-7"});
        let OperationRequest::BreakGlass {
            mode, order, version, ..
        } = parse(&event).unwrap()
        else {
            panic!("another operation")
        };
        assert_eq!((mode, version), (Mode::ReplaceFirst, None));
        assert_eq!(
            (order.reason.as_str(), order.incident.as_str()),
            ("seen in a log", "INC-7")
        );
    }

    #[test]
    fn each_function_refuses_what_the_other_performs() {
        for (event, duty) in [
            (json!({"operation": "maintain"}), Duty::Operations),
            (json!({"operation": "audit"}), Duty::Operations),
            (json!({"operation": "plan", "secret": "a"}), Duty::Operations),
            (json!({"operation": "abandon", "secret": "a"}), Duty::Emergency),
            (json!({"operation": "rollback", "secret": "a"}), Duty::Emergency),
            (
                json!({"operation": "break_glass", "secret": "a", "reason": "b", "incident": "c"}),
                Duty::Emergency,
            ),
        ] {
            let (other, name) = match duty {
                Duty::Operations => (Duty::Emergency, "operations function"),
                Duty::Emergency => (Duty::Operations, "emergency function"),
            };
            assert!(read(&event, duty).is_ok(), "{event}");
            let error = read(&event, other).unwrap_err();
            assert!(
                error.error_type == ErrorType::EventInvalid
                    && error.to_string().contains(&format!("invoke the {name}")),
                "{error}"
            );
        }
    }

    fn message(body: &Value) -> Value {
        json!({"messageId": "1", "receiptHandle": "2", "body": body.to_string(), "attributes": {}, "messageAttributes": {},
               "md5OfBody": "3", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:q", "awsRegion": "eu-west-1"})
    }

    #[test]
    fn a_batch_asks_for_each_secret_once() {
        let moved = |name: &str| message(&json!({"operation": "maintain", "secret": name}));
        let event = json!({"Records": [moved("a"), moved("b"), moved("a")]});
        let secrets = ["a", "b"].map(|name| SecretId::parse(name).unwrap()).to_vec();
        let maintain = OperationRequest::Maintain {
            shard: Shard::ALL,
            secrets,
            moved: true,
            dry_run: false,
        };
        assert_eq!(read(&event, Duty::Operations).unwrap(), maintain);
        assert!(read(&event, Duty::Emergency).is_err());
    }

    #[test]
    fn what_event_bridge_sends_by_itself_is_understood_where_a_label_moved() {
        let event = |source: &str, kind: &str, detail: Value| {
            json!({"version": "0", "id": "0c2b3f6d", "detail-type": kind, "source": source, "account": "123456789012",
                   "time": "2026-11-27T09:07:54Z", "region": "eu-west-1", "resources": [], "detail": detail})
        };
        let moved = event(
            "aws.secretsmanager",
            "Secret Label Updated",
            json!({"name": "a", "labelUpdated": "AWSCURRENT"}),
        );
        let secrets = vec![SecretId::parse("a").unwrap()];
        let maintain = OperationRequest::Maintain {
            shard: Shard::ALL,
            secrets,
            moved: true,
            dry_run: false,
        };
        assert_eq!(read(&moved, Duty::Operations).unwrap(), maintain);
        assert_eq!(
            read(&json!({"Records": [message(&moved)]}), Duty::Operations).unwrap(),
            maintain
        );
        for (other, named) in [
            (
                event("aws.events", "Scheduled Event", json!({})),
                r#"{"operation":"maintain"}"#,
            ),
            (
                event("aws.secretsmanager", "Secret Label Updated", json!({})),
                "names no secret",
            ),
            (
                event(
                    "aws.secretsmanager",
                    "Secret Label Updated",
                    json!({"name": "a b"}),
                ),
                "detail.name",
            ),
            (json!({"detail-type": 1}), "EventBridge"),
        ] {
            let error = read(&other, Duty::Operations).unwrap_err().to_string();
            assert!(error.contains(named), "{other}: {error}");
        }
    }

    #[test]
    fn a_message_for_something_else_is_passed_over_and_alone_it_is_refused() {
        let good = message(&json!({"operation": "maintain", "secret": "a"}));
        assert!(
            read(&json!({"Records": []}), Duty::Operations)
                .unwrap_err()
                .to_string()
                .contains("without a message")
        );
        assert!(
            read(&json!({"Records": 1}), Duty::Operations)
                .unwrap_err()
                .to_string()
                .contains("no batch")
        );
        for (other, named) in [
            (message(&json!({"operation": "maintain"})), "one secret"),
            (
                message(&json!({"operation": "abandon", "secret": "a"})),
                "one secret",
            ),
            (
                message(&json!({"operation": "maintain", "secret": "a", "dry_run": true})),
                "one secret",
            ),
            (message(&json!("maintain")), "names none"),
            (json!({"eventSource": "aws:sqs", "body": "{"}), "not JSON"),
            (json!({"eventSource": "aws:sns", "body": "{}"}), "Amazon SQS"),
        ] {
            let error = read(&json!({"Records": [other]}), Duty::Operations).unwrap_err();
            assert!(
                error.error_type == ErrorType::EventInvalid && error.to_string().contains(named),
                "{other}: {error}"
            );
            let OperationRequest::Maintain { secrets, .. } =
                read(&json!({"Records": [other, good]}), Duty::Operations).unwrap()
            else {
                panic!("another operation")
            };
            assert_eq!(secrets, [SecretId::parse("a").unwrap()], "{other}");
        }
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
            (
                json!({"operation": "maintain", "shard": "1/2", "secret": "a"}),
                "shard",
            ),
            (json!({"operation": "maintain", "dry_run": "yes"}), "dry_run"),
            (json!({"operation": "maintain", "dryrun": true}), "dryrun"),
            (json!({"operation": "maintain", "secret": "a b"}), "secret"),
            (json!({"operation": "rollback"}), "secret"),
            (
                json!({"operation": "abandon", "secret": "a", "version": "b"}),
                "version",
            ),
            (json!({"operation": "plan"}), "secret"),
            (
                json!({"operation": "break_glass", "secret": "a", "incident": "7"}),
                "reason",
            ),
            (
                json!({"operation": "break_glass", "secret": "a", "reason": "leak", "incident": " "}),
                "incident",
            ),
            (
                json!({"operation": "break_glass", "secret": "a", "reason": "a\nb", "incident": "7"}),
                "reason",
            ),
            (
                json!({"operation": "break_glass", "secret": "a", "reason": "x".repeat(257), "incident": "7"}),
                "reason",
            ),
            (
                json!({"operation": "break_glass", "secret": "a", "reason": "b", "incident": "7", "mode": "now"}),
                "mode",
            ),
            (json!({"operation": "audit", "match": "fp:98483c6eb40b"}), "match"),
            (
                json!({"operation": "audit", "match": {"fingerprint": "98483c6e"}}),
                "fp:",
            ),
            (json!({"operation": "audit", "match": {"key": "AbCdEf"}}), "key"),
            (json!({"operation": "audit", "format": "xml"}), "format"),
        ] {
            let error = parse(&event).unwrap_err();
            assert_eq!(error.error_type, ErrorType::EventInvalid);
            assert!(error.to_string().contains(named), "{event}: {error}");
        }
    }
}
