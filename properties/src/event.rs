//! Any bytes as an invocation's payload.

use exchange_key_rotation::event::read;
use protocol::ErrorType;
use protocol::rotation::{Step, StepRequest};
use sandbox::leak::found;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::text::filled_in;

/// Stands for `<rotation-token>`.
const ROTATION_TOKEN: &str = "r0tation-t0ken-that-nobody-may-ever-see-in-a-log";

/// An event is a rotation step of a secret, or is refused as EVENT_INVALID; its RotationToken is never said.
///
/// # Panics
/// Where that does not hold.
pub fn event(bytes: &[u8]) {
    let payload = filled_in(bytes, &[("<rotation-token>", ROTATION_TOKEN)]);
    read_as_promised(&payload);
    // Every event that could be one has a RotationToken to lose.
    if let Ok(Value::Object(mut fields)) = serde_json::from_slice(&payload) {
        fields.insert("RotationToken".into(), ROTATION_TOKEN.into());
        if let Some(request) = read_as_promised(Value::from(fields).to_string().as_bytes()) {
            let kept = request.rotation_token.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(kept, Some(ROTATION_TOKEN), "the RotationToken is not what came");
        }
    }
}

fn read_as_promised(payload: &[u8]) -> Option<StepRequest> {
    match read(payload) {
        Ok(request) => {
            assert!(Step::ALL.contains(&request.step));
            let (secret, token) = (request.secret.as_str(), request.token.as_str());
            assert!(is_secret_id(secret), "{secret:?} is no secret's ARN or name");
            assert!(
                (32..=64).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()),
                "{token:?}"
            );
            if let Some(kept) = &request.rotation_token {
                assert!(
                    (36..=256).contains(&kept.expose_secret().len()),
                    "a RotationToken of an impossible length"
                );
            }
            // A caller who puts the RotationToken into the fields that name secret and version has said it
            // himself.
            if !secret.contains(ROTATION_TOKEN) && !token.contains(ROTATION_TOKEN) {
                silent(&format!("{request:?} {request:#?}"));
            }
            Some(request)
        }
        Err(error) => {
            assert_eq!(error.error_type, ErrorType::EventInvalid, "{error}");
            silent(&format!("{error} {error:?} {error:#?}"));
            None
        }
    }
}

fn silent(said: &str) {
    assert!(
        found([ROTATION_TOKEN], said).is_empty(),
        "the RotationToken was said: {said}"
    );
}

/// A name has letters, digits and /_+=.@-; an ARN is
/// `arn:<partition>:secretsmanager:<region>:<account>:secret:<name>`.
fn is_secret_id(text: &str) -> bool {
    let name = match text.strip_prefix("arn:") {
        Some(rest) => {
            let parts: Vec<&str> = rest.split(':').collect();
            if parts.len() != 6 || parts[1] != "secretsmanager" || parts[4] != "secret" {
                return false;
            }
            parts[5]
        }
        None => text,
    };
    !name.is_empty()
        && text.len() <= 2048
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte))
}
