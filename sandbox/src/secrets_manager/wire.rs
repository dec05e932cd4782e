//! The JSON 1.1 protocol: from an operation's name and body to the model's call, and back.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, ErrorKind, Model, Operation};

/// The operation of an `X-Amz-Target` header.
pub(super) fn operation(target: Option<&str>) -> Result<Operation, Error> {
    target
        .and_then(|target| target.strip_prefix("secretsmanager."))
        .and_then(Operation::from_name)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownOperation,
                "The operation isn't one that the stand-in knows.",
            )
        })
}

/// Calls the model and answers the reply's JSON, which may hold a secret value.
pub(super) fn call(
    model: &mut Model,
    operation: Operation,
    body: &[u8],
    now: Timestamp,
) -> Result<String, Error> {
    match operation {
        Operation::CancelRotateSecret => run(body, |request| model.cancel_rotate_secret(&request, now)),
        Operation::CreateSecret => run(body, |request| model.create_secret(&request, now)),
        Operation::DeleteSecret => run(body, |request| model.delete_secret(&request, now)),
        Operation::DescribeSecret => run(body, |request| model.describe_secret(&request, now)),
        Operation::GetSecretValue => run(body, |request| model.secret_value(&request, now)),
        Operation::ListSecretVersionIds => run(body, |request| model.list_secret_version_ids(&request, now)),
        Operation::ListSecrets => run(body, |request| model.list_secrets(&request, now)),
        Operation::PutSecretValue => run(body, |request| model.put_secret_value(&request, now)),
        Operation::RestoreSecret => run(body, |request| model.restore_secret(&request, now)),
        Operation::RotateSecret => run(body, |request| model.rotate_secret(&request, now)),
        Operation::TagResource => run(body, |request| {
            model.tag_resource(&request, now).map(|()| Empty {})
        }),
        Operation::UntagResource => run(body, |request| {
            model.untag_resource(&request, now).map(|()| Empty {})
        }),
        Operation::UpdateSecret => run(body, |request| model.update_secret(&request, now)),
        Operation::UpdateSecretVersionStage => {
            run(body, |request| model.update_secret_version_stage(&request, now))
        }
    }
}

/// The `SecretId` of a request that is not looked at any closer.
pub(super) fn secret_id(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let id = json.get("SecretId").or_else(|| json.get("Name"));
    id.and_then(serde_json::Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The JSON of an error. The service spells the member with a capital M.
pub(super) fn error_body(error: &Error) -> String {
    serde_json::json!({ "__type": error.kind.as_str(), "Message": error.message }).to_string()
}

#[derive(Serialize)]
struct Empty {}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A, Error>,
) -> Result<String, Error> {
    // The parser's own message may quote the body, and with it a secret: it is dropped.
    let request = serde_json::from_slice(body).map_err(|_| {
        Error::new(
            ErrorKind::Serialization,
            "The request's body isn't what the operation takes.",
        )
    })?;
    let reply = call(request)?;
    serde_json::to_string(&reply)
        .map_err(|_| Error::new(ErrorKind::InternalService, "The reply couldn't be written."))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, model_with, token};
    use super::*;

    #[test]
    fn a_malformed_body_is_refused_without_being_quoted() {
        let (mut model, _) = model_with("a");
        let body = br#"{"SecretId":"a","SecretString":{"pass":"hunter2"}}"#;
        let error = call(&mut model, Operation::PutSecretValue, body, T0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Serialization);
        assert!(!error.message.contains("hunter2"));
    }

    #[test]
    fn members_have_the_names_that_aws_gives_them() {
        let (mut model, arn) = model_with("a");
        let lambda = "arn:aws:lambda:us-east-1:123456789012:function:rotate";
        let body = serde_json::json!({
            "SecretId": "a",
            "ClientRequestToken": token(2),
            "RotationLambdaARN": lambda,
            "RotationRules": { "ScheduleExpression": "rate(10 days)", "Duration": "3h" },
            "RotateImmediately": false,
        });
        let reply = call(
            &mut model,
            Operation::RotateSecret,
            body.to_string().as_bytes(),
            T0,
        )
        .unwrap();
        assert_eq!(
            reply,
            format!(r#"{{"ARN":"{arn}","Name":"a","VersionId":"{}"}}"#, token(2))
        );
        let described = call(&mut model, Operation::DescribeSecret, br#"{"SecretId":"a"}"#, T0).unwrap();
        let described: serde_json::Value = serde_json::from_str(&described).unwrap();
        assert_eq!(described["RotationLambdaARN"], lambda);
        assert_eq!(described["RotationRules"], body["RotationRules"]);
        assert_eq!(
            described["VersionIdsToStages"][token(2)],
            serde_json::json!(["AWSPENDING"])
        );
    }

    #[test]
    fn a_binary_value_passes_through_as_it_came() {
        let (mut model, _) = model_with("a");
        let body = format!(
            r#"{{"SecretId":"a","ClientRequestToken":"{}","SecretBinary":"aGk="}}"#,
            token(2)
        );
        call(&mut model, Operation::PutSecretValue, body.as_bytes(), T0).unwrap();
        let reply = call(&mut model, Operation::GetSecretValue, br#"{"SecretId":"a"}"#, T0).unwrap();
        assert!(reply.contains(r#""SecretBinary":"aGk=""#), "{reply}");
        assert!(!reply.contains("SecretString"));
    }

    #[test]
    fn only_known_operations_are_called() {
        assert_eq!(
            operation(Some("secretsmanager.ListSecrets")),
            Ok(Operation::ListSecrets)
        );
        for target in [
            None,
            Some("ListSecrets"),
            Some("secretsmanager.Explode"),
            Some("dynamodb.ListSecrets"),
        ] {
            assert_eq!(operation(target).unwrap_err().kind, ErrorKind::UnknownOperation);
        }
    }
}
