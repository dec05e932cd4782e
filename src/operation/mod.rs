//! What may call the operations function and the emergency function: an object that names an operation, from
//! a schedule or a person; the first takes a queue's batch of such objects as well, one for each label that
//! somebody moved, and Secrets Manager's own event of such a move.

mod event_bridge;
mod fields;
mod queue;
#[cfg(test)]
mod tests;

use protocol::label::VersionId;
use protocol::operations::{Duty, Operation, OperationRequest, Order};
use protocol::{Error, ErrorType, shown};
use serde_json::Value;

use self::event_bridge::from_event_bridge;
use self::fields::Fields;
use self::queue::batch;

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
    fields.only(operation.fields())?;
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

fn invalid(problem: &str) -> Error {
    Error::new(ErrorType::EventInvalid, format!("{problem}. Nothing was done"))
}
