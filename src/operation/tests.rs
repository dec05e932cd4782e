//! What is read of an event, and what is refused.

use protocol::name::SecretId;
use protocol::operations::{Mode, Shard};
use serde_json::json;

use super::*;

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
    let event = json!({
        "operation": "break_glass", "secret": "prod/bybit/main",
        "reason": " seen in a log ", "incident": "INC-7",
    });
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
    json!({
        "messageId": "1", "receiptHandle": "2", "body": body.to_string(), "attributes": {},
        "messageAttributes": {}, "md5OfBody": "3", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:q", "awsRegion": "eu-west-1",
    })
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
        json!({"version": "0", "id": "0c2b3f6d", "detail-type": kind, "source": source,
               "account": "123456789012", "time": "2026-11-27T09:07:54Z", "region": "eu-west-1",
               "resources": [], "detail": detail})
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
