//! Who is calling: what a request's headers say, and whether they are signed.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::codes::said;
use crate::venue::{Arrived, Claim, Credential, KeyId, KeySecret, Model, Reason, Refusal};

pub(super) const KEY: &str = "x-bapi-api-key";

/// What a signed request says about its caller.
pub(super) struct Signed<'a> {
    key: &'a str,
    timestamp: &'a str,
    recv_window: Option<&'a str>,
    signature: &'a str,
    payload: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Nothing for a request that is not signed at all. What is signed is the raw query string of a GET and
    /// the raw body of a POST.
    pub(super) fn of(arrived: &Arrived<'a>) -> Option<Self> {
        Some(Self {
            key: arrived.header(KEY)?,
            timestamp: arrived.header("x-bapi-timestamp")?,
            recv_window: arrived.header("x-bapi-recv-window"),
            signature: arrived.header("x-bapi-sign")?,
            payload: if arrived.method == "GET" {
                arrived.query.as_bytes()
            } else {
                arrived.body
            },
        })
    }

    /// Checks the caller, and returns the key to make the calls with.
    pub(super) fn authenticate(
        &self,
        model: &Model,
        arrived: &Arrived<'_>,
        now: Timestamp,
    ) -> Result<KeyId, Refusal> {
        let claim = Claim {
            key: self.key,
            passphrase: None,
            signed_at: number(self.timestamp)?,
            window: self.recv_window.map(number).transpose()?,
            address: arrived.address,
            environment: arrived.environment,
        };
        let window = self.recv_window.unwrap_or_default();
        let signed_with = |Credential { key, secret, .. }: &Credential| {
            sign(secret, self.timestamp, key, window, self.payload) == self.signature
        };
        model.authenticate(&claim, signed_with, now)
    }

    /// The code and the words of a refusal of the caller: they repeat what was wrong, as in replies that
    /// people have published. Those of a bad signature repeat the signed string, key id and request body
    /// included: a client must not log them.
    pub(super) fn said(&self, refusal: &Refusal, model: &Model, now: Timestamp) -> (i64, String) {
        let (code, words) = said(refusal);
        let (timestamp, key) = (self.timestamp, self.key);
        let words = match refusal.reason {
            Reason::Signature => {
                let window = self.recv_window.unwrap_or_default();
                let payload = String::from_utf8_lossy(self.payload);
                format!("{words} origin_string[{timestamp}{key}{window}{payload}]")
            }
            Reason::Clock => {
                let server = now.as_millisecond();
                let default = model.profile().window.behind.to_string();
                let window = self.recv_window.unwrap_or(&default);
                format!("{words} req_timestamp[{timestamp}],server_timestamp[{server}],recv_window[{window}]")
            }
            _ => words,
        };
        (code, words)
    }
}

fn number(text: &str) -> Result<i64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::parameter("a time header is no number"))
}

/// The signature of a request: HMAC-SHA256 over timestamp, key id, window and payload run together, in
/// lower-case hex.
pub(super) fn sign(
    secret: &KeySecret,
    timestamp: &str,
    key: &KeyId,
    recv_window: &str,
    payload: &[u8],
) -> String {
    let mut mac: Hmac<Sha256> =
        Hmac::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(key.as_str().as_bytes());
    mac.update(recv_window.as_bytes());
    mac.update(payload);
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart from this code with the key `testkey` and the secret `testsecret`; Bybit's own samples
    /// do not tell the secret.
    const VECTORS: [(&str, &str, &str); 3] = [
        (
            "1658384314791",
            "category=option&symbol=BTC-29JUL22-25000-C",
            "234e645dce3a16c7c538ec725b089f9959ddc0648c4a09e14ad706ea8b4baf48",
        ),
        (
            "1700000000000",
            "",
            "2fc9e776b3f07b2ee447067e0f627438055b198bb14dba79e1a3d50e40a5bd8d",
        ),
        (
            "1700000000000",
            concat!(
                r#"{"subuid":53888000,"note":"rot-1","readOnly":0,"ips":"203.0.113.7","#,
                r#""permissions":{"Spot":["SpotTrade"]}}"#
            ),
            "c0f826ee1ce60b66da4c02fc79a5ebb5d4088387d3ed8b6904c9a0bc79d6e5e0",
        ),
    ];

    #[test]
    fn a_signature_matches_the_golden_vectors() {
        let secret = KeySecret::from("testsecret");
        for (timestamp, payload, signature) in VECTORS {
            assert_eq!(
                sign(
                    &secret,
                    timestamp,
                    &KeyId::from("testkey"),
                    "5000",
                    payload.as_bytes()
                ),
                signature
            );
        }
    }
}
