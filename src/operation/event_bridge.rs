//! What EventBridge sends by itself when a label was moved.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use protocol::name::SecretId;
use protocol::operations::{Operation, OperationRequest, Shard};
use protocol::{Error, shown};
use serde::Deserialize;
use serde_json::Value;

use super::invalid;

/// Reads an event as EventBridge sends it where a rule has no input of its own.
pub(super) fn from_event_bridge(event: &Value) -> Result<OperationRequest, Error> {
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

/// What Secrets Manager sends to EventBridge when a label is moved, as far as it is needed here.
///
/// Source: AWS Secrets Manager user guide, "Match events with Amazon EventBridge".
#[derive(Debug, Deserialize)]
struct LabelUpdated {
    /// The secret's name.
    name: String,
}
