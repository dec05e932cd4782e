//! A batch of Amazon SQS: one message for each label that somebody moved.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use protocol::Error;
use protocol::name::SecretId;
use protocol::operations::{OperationRequest, Shard};
use serde_json::Value;

use super::{invalid, parse};

/// Reads a batch of Amazon SQS. Whoever moves ten labels of one secret in a minute has it looked after once.
/// A message that is none of these is passed over, and logged: it keeps no other from being taken up.
pub(super) fn batch(event: &Value) -> Result<OperationRequest, Error> {
    let batch: SqsEvent = serde_json::from_value(event.clone())
        .map_err(|_| invalid("the event has Records, and is no batch of Amazon SQS"))?;
    let (mut all, mut refused) = (Vec::new(), None);
    for message in batch.records {
        match moved(&message) {
            Ok(secret) if all.contains(&secret) => {}
            Ok(secret) => all.push(secret),
            Err(error) => {
                tracing::error!(
                    error_type = %error.error_type,
                    "a message of the batch is passed over: {error}"
                );
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
