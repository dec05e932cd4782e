//! Bybit's signature, the envelope of its replies, and its hosts. Source: `docs/v5/guide`.

use std::borrow::Cow;
use std::time::Duration;

use protocol::secret::Credential;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::codes::{CODES, STATUSES};
use crate::exchange::kit::codes::{Code, Status};
use crate::exchange::kit::json::object;
use crate::exchange::kit::sign::{hex, hmac_sha256};
use crate::exchange::kit::wire::{Headers, Site, Unsigned, Verdict, Wire};

/// Bybit's calls.
#[derive(Debug)]
pub struct BybitWire;

/// Around every reply.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    ret_code: i64,
    #[serde(default, borrow)]
    ret_msg: Cow<'a, str>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    /// The server's time in milliseconds.
    time: Option<i64>,
}

/// What every call to Hong Kong's site bears.
const HONG_KONG: Option<(&str, &str)> = Some(("x-refer-site-id", "HKG"));

impl Wire for BybitWire {
    const NAME: &'static str = "Bybit";
    const BASE_URL: &'static str = "BYBIT_BASE_URL";
    const CODE: &'static str = "retCode";
    const GOOD: &'static str = "0";
    const CODES: &'static [Code] = CODES;
    const STATUSES: &'static [Status] = STATUSES;
    /// Source: Bybit's integration guidance, "Authentication"; its changelog of 2026-08-28 and 2026-08-31 for
    /// Argentina and Brazil; the demo trading page, `docs/v5/demo`.
    const SITES: &'static [Site] = &[
        ("mainnet", "https://api.bybit.com", None),
        ("testnet", "https://api-testnet.bybit.com", None),
        ("demo", "https://api-demo.bybit.com", None),
        ("nl", "https://api.bybit.nl", None),
        ("tr", "https://api.bybit.tr", None),
        ("kz", "https://api.bybit.kz", None),
        ("ge", "https://api.bybitgeorgia.ge", None),
        ("ae", "https://api.bybit.ae", None),
        ("eu", "https://api.bybit.eu", None),
        ("id", "https://api.bybit.id", None),
        ("jp", "https://api.manepa.jp", None),
        ("jp-testnet", "https://api-testnet.manepa.jp", None),
        ("hk", "https://api.spark-fintech.com", HONG_KONG),
        ("hk-testnet", "https://api-testnet.spark-fintech.com", HONG_KONG),
        ("ar", "https://api.bybit.com", Some(("x-site-id", "ARG_BTL"))),
        ("br", "https://api.bybit.com", Some(("x-site-id", "BRA_BTL"))),
    ];
    const WINDOW: Duration = Duration::from_secs(5);
    const SERVER_TIME: &'static str = "/v5/market/time";
    const TAKES_CALLS_AT: Option<&'static str> = Some("X-Bapi-Limit-Reset-Timestamp");

    /// HMAC-SHA256 over timestamp, key, window and payload, in lower-case hexadecimal.
    fn sign(request: &Unsigned<'_>, credential: &Credential, at: i64) -> Result<Headers, &'static str> {
        let (key, at) = (credential.key_id.expose(), at.to_string());
        let window = Self::WINDOW.as_millis().to_string();
        let signature = hmac_sha256(credential, &[&at, key, &window, request.query, request.body]);
        Ok(vec![
            ("X-BAPI-API-KEY", key.to_owned()),
            ("X-BAPI-TIMESTAMP", at),
            ("X-BAPI-RECV-WINDOW", window),
            ("X-BAPI-SIGN", hex(&signature)),
        ])
    }

    /// HTTP's status is 200 even for failures: `retCode` tells.
    fn verdict(body: &str) -> Option<Verdict<'_>> {
        let reply: Envelope<'_> = object(body)?;
        Some(Verdict {
            code: reply.ret_code.to_string().into(),
            message: reply.ret_msg,
            result: reply.result,
            time: reply.time,
        })
    }
}

#[cfg(test)]
mod tests {
    use protocol::secret::KeyId;

    use super::*;
    use crate::exchange::kit::recorded::sites_differ;

    #[test]
    fn each_site_has_a_host_or_a_header_of_its_own() {
        sites_differ::<BybitWire>();
    }

    #[test]
    fn signatures_agree_with_the_golden_vectors() {
        let credential = Credential {
            key_id: KeyId::parse("testkey").unwrap(),
            secret: "testsecret".into(),
            passphrase: None,
        };
        let body = concat!(
            r#"{"subuid":53888000,"note":"rot-1","readOnly":0,"ips":"203.0.113.7","#,
            r#""permissions":{"Spot":["SpotTrade"]}}"#
        );
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
            let query = Unsigned {
                method: "GET",
                path: "/v5/x",
                query: payload,
                body: "",
            };
            let body = Unsigned {
                query: "",
                body: payload,
                ..query
            };
            for request in [query, body] {
                let signed = BybitWire::sign(&request, &credential, timestamp).unwrap();
                assert_eq!(signed[3], ("X-BAPI-SIGN", signature.to_owned()));
            }
        }
    }
}
