//! Who is calling: what a request's headers say, and whether they are signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::codes::{BAD_TIME, NO_KEY, NO_PASSPHRASE, NO_SIGNATURE, NO_TIME, parameter};
use crate::venue::{Arrived, Claim, Environment, KeyId, KeySecret, Model, Refusal};

pub(super) const KEY: &str = "ok-access-key";

/// Checks the caller, and returns the key to make the calls with. Unverified: which header is missed first.
pub(super) fn authenticate(model: &Model, arrived: &Arrived<'_>, now: Timestamp) -> Result<KeyId, Refusal> {
    let header = |name: &str, code| {
        let text = arrived.header(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| parameter(code, format!("the header {name} is missing")))
    };
    let key = header(KEY, NO_KEY)?;
    let passphrase = header("ok-access-passphrase", NO_PASSPHRASE)?;
    let signature = header("ok-access-sign", NO_SIGNATURE)?;
    let timestamp = header("ok-access-timestamp", NO_TIME)?;
    let claim = Claim {
        key,
        passphrase: Some(passphrase),
        signed_at: milliseconds(timestamp)
            .ok_or_else(|| parameter(BAD_TIME, "the time header is no time with milliseconds"))?,
        window: None,
        address: arrived.address,
        environment: environment(arrived),
    };
    model.authenticate(
        &claim,
        |credential| sign(&credential.secret, timestamp, arrived) == signature,
        now,
    )
}

/// Demo trading has the same host, and a header that says so. Source: "Demo Trading Services".
fn environment(arrived: &Arrived<'_>) -> Environment {
    match arrived.header("x-simulated-trading") {
        Some("1") => Environment::Demo,
        _ => arrived.environment,
    }
}

/// `2020-12-08T09:08:57.715Z`, and no other way to write it.
fn milliseconds(text: &str) -> Option<i64> {
    let time: Timestamp = text.parse().ok()?;
    (format!("{time:.3}") == text).then(|| time.as_millisecond())
}

/// The signature of a request: HMAC-SHA256 over time, method, path with the raw query string, and raw body
/// run together, in Base64. Source: "REST Authentication".
pub(super) fn sign(secret: &KeySecret, timestamp: &str, arrived: &Arrived<'_>) -> String {
    let mut mac: Hmac<Sha256> =
        Hmac::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    for text in [timestamp, arrived.method, arrived.path] {
        mac.update(text.as_bytes());
    }
    if !arrived.query.is_empty() {
        mac.update(b"?");
        mac.update(arrived.query.as_bytes());
    }
    mac.update(arrived.body);
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::venue::tests::HOME;

    /// Computed apart from this code with the secret `testsecret`: OKX's own samples do not tell the secret.
    const VECTORS: [(&str, &str, &str, &str); 2] = [
        (
            "GET",
            "/api/v5/account/config",
            "",
            "vaoV10QgVHRiu5gaQnEYbOVQK3ma8SKv0yLRxIzFsog=",
        ),
        (
            "POST",
            "/api/v5/users/subaccount/apikey",
            concat!(
                r#"{"subAcct":"sub1","label":"rot1","passphrase":"Aa1!aaaa","#,
                r#""perm":"read_only,trade","ip":"203.0.113.7"}"#
            ),
            "d6cSsjVzEj9pYg4v6pMjtbJ3h7b3dK3JDSmGKnhHV6Q=",
        ),
    ];

    #[test]
    fn a_signature_matches_the_golden_vectors() {
        let secret = KeySecret::from("testsecret");
        for (method, path, body, signature) in VECTORS {
            let arrived = Arrived {
                method,
                path,
                query: "",
                headers: &HeaderMap::new(),
                body: body.as_bytes(),
                address: HOME,
                environment: Environment::Mainnet,
            };
            assert_eq!(sign(&secret, "2020-12-08T09:08:57.715Z", &arrived), signature);
        }
    }

    #[test]
    fn a_time_is_written_with_milliseconds_and_in_utc() {
        assert_eq!(milliseconds("2020-12-08T09:08:57.715Z"), Some(1_607_418_537_715));
        assert_eq!(milliseconds("2020-12-08T09:08:57.000Z"), Some(1_607_418_537_000));
        for text in [
            "2020-12-08T09:08:57Z",
            "2020-12-08T09:08:57.715124Z",
            "2020-12-08T10:08:57.715+01:00",
            "2020-12-08 09:08:57.715Z",
            "2020-12-08T09:08:57.715",
            "1607418537715",
            "1607418537.715",
            "soon",
        ] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }
}
