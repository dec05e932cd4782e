use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::testing::model_with;
use super::super::{Operation, Outcome};
use super::*;
use crate::clock::SandboxClock;

async fn start() -> (Service, std::net::SocketAddr) {
    let (model, _) = model_with("a");
    let service = Service::new(model, SandboxClock::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, service.clone()));
    (service, address)
}

/// Everything the server sends in answer to one call on a connection of its own.
async fn send(address: std::net::SocketAddr, key: &str, operation: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nX-Amz-Target: \
         secretsmanager.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={key}/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, \
         Signature=00\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    // A reset instead of an end is as good a broken connection.
    let _ = stream.read_to_end(&mut reply).await;
    String::from_utf8(reply).unwrap()
}

const READ: &str = r#"{"SecretId":"a"}"#;

fn tag(value: &str) -> String {
    format!(r#"{{"SecretId":"a","Tags":[{{"Key":"k","Value":"{value}"}}]}}"#)
}

#[tokio::test]
async fn a_call_is_answered_with_json_and_a_request_id() {
    let (service, address) = start().await;
    let reply = send(address, ACCESS_KEY_ID, "GetSecretValue", READ).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(reply.contains("x-amzn-requestid: ") && reply.contains("application/x-amz-json-1.1"));
    assert!(reply.contains(r#""SecretString":"first-value""#));
    assert_eq!(service.lock().model.take_calls().len(), 1);
}

#[tokio::test]
async fn a_refusal_carries_the_exceptions_name_in_body_and_header() {
    let (_, address) = start().await;
    let reply = send(address, ACCESS_KEY_ID, "DescribeSecret", r#"{"SecretId":"none"}"#).await;
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
    assert!(reply.contains("x-amzn-errortype: ResourceNotFoundException"));
    assert!(reply.contains(r#""__type":"ResourceNotFoundException""#));
    assert!(reply.contains(r#""Message":"Secrets Manager can't find the specified secret.""#));
}

#[tokio::test]
async fn a_caller_with_another_key_is_turned_away() {
    let (service, address) = start().await;
    let reply = send(address, "AKIASOMEBODYELSE0000", "GetSecretValue", READ).await;
    assert!(reply.contains("UnrecognizedClientException"), "{reply}");
    assert!(service.lock().model.take_calls().is_empty());
}

#[tokio::test]
async fn a_dropped_request_has_no_effect_and_no_reply() {
    let (service, address) = start().await;
    service.lock().faults.plan("TagResource", Fault::Dropped);
    assert_eq!(send(address, ACCESS_KEY_ID, "TagResource", &tag("v")).await, "");
    assert!(service.lock().model.take_calls().is_empty());
    assert!(
        send(address, ACCESS_KEY_ID, "TagResource", &tag("v"))
            .await
            .starts_with("HTTP/1.1 200")
    );
}

#[tokio::test]
async fn a_lost_reply_leaves_the_effect() {
    let (service, address) = start().await;
    service.lock().faults.plan("TagResource", Fault::ReplyLost);
    assert_eq!(
        send(address, ACCESS_KEY_ID, "TagResource", &tag("kept")).await,
        ""
    );
    assert!(
        send(address, ACCESS_KEY_ID, "DescribeSecret", READ)
            .await
            .contains("kept")
    );
}

#[tokio::test]
async fn a_throttled_call_and_a_broken_server_have_no_effect() {
    let (service, address) = start().await;
    service.lock().faults.plan("TagResource", Fault::Throttled);
    service.lock().faults.plan("TagResource", Fault::ServerError);
    let reply = send(address, ACCESS_KEY_ID, "TagResource", &tag("v")).await;
    assert!(
        reply.starts_with("HTTP/1.1 400") && reply.contains("ThrottlingException"),
        "{reply}"
    );
    let reply = send(address, ACCESS_KEY_ID, "TagResource", &tag("v")).await;
    assert!(
        reply.starts_with("HTTP/1.1 500") && reply.contains("text/html"),
        "{reply}"
    );
    assert!(
        !send(address, ACCESS_KEY_ID, "DescribeSecret", READ)
            .await
            .contains("Tags")
    );
    let outcomes: Vec<Outcome> = service
        .lock()
        .model
        .take_calls()
        .into_iter()
        .map(|call| call.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Refused(ErrorKind::Throttling),
            Outcome::Refused(ErrorKind::InternalService),
            Outcome::Done
        ]
    );
}

#[tokio::test]
async fn a_rotation_wakes_whoever_waits_for_invocations() {
    let (service, address) = start().await;
    send(address, ACCESS_KEY_ID, "RotateSecret", READ).await;
    service.due().notified().await;
    let mut state = service.lock();
    let now = state.clock.now();
    assert!(state.model.due_invocation(now).is_some());
    assert_eq!(state.model.calls()[0].operation, Operation::RotateSecret);
}
