//! Bybit's signature: HMAC-SHA256 over timestamp, key, window and payload, in lower-case hex.

use hmac::{Hmac, KeyInit, Mac};
use protocol::secret::Credential;
use secrecy::ExposeSecret;
use sha2::Sha256;

/// The signature of one request. `payload` is the raw query string of a GET, the raw body of a POST; times
/// are in milliseconds.
pub(super) fn sign(credential: &Credential, timestamp: i64, recv_window: u128, payload: &str) -> String {
    let secret = credential.secret.expose_secret().as_bytes();
    // HMAC takes keys of any length: the constructor's error does not occur.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    for part in [
        &timestamp.to_string(),
        credential.key_id.expose(),
        &recv_window.to_string(),
        payload,
    ] {
        mac.update(part.as_bytes());
    }
    mac.finalize()
        .into_bytes()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            hex.extend(
                [byte >> 4, byte & 15]
                    .iter()
                    .filter_map(|digit| char::from_digit(u32::from(*digit), 16)),
            );
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::secret::KeyId;

    #[test]
    fn signatures_agree_with_the_golden_vectors() {
        let credential = Credential {
            key_id: KeyId::parse("testkey").unwrap(),
            secret: "testsecret".into(),
            passphrase: None,
        };
        let body = r#"{"subuid":53888000,"note":"rot-1","readOnly":0,"ips":"203.0.113.7","permissions":{"Spot":["SpotTrade"]}}"#;
        for (timestamp, payload, signature) in [
            (
                1_658_384_314_791,
                "category=option&symbol=BTC-29JUL22-25000-C",
                "234e645dce3a16c7c538ec725b089f9959ddc0648c4a09e14ad706ea8b4baf48",
            ),
            (
                1_700_000_000_000,
                "",
                "2fc9e776b3f07b2ee447067e0f627438055b198bb14dba79e1a3d50e40a5bd8d",
            ),
            (
                1_700_000_000_000,
                body,
                "c0f826ee1ce60b66da4c02fc79a5ebb5d4088387d3ed8b6904c9a0bc79d6e5e0",
            ),
        ] {
            assert_eq!(sign(&credential, timestamp, 5000, payload), signature);
        }
    }
}
