//! OKX's signature, the envelope of its replies, and its hosts. Source: docs-v5, "Overview".

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use protocol::secret::Credential;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::codes::CODES;
use crate::exchange::kit::codes::Code;
use crate::exchange::kit::json::object;
use crate::exchange::kit::sign::{base64, hmac_sha256};
use crate::exchange::kit::wire::{Headers, Site, Unsigned, Verdict, Wire};

/// OKX's calls.
#[derive(Debug)]
pub struct OkxWire;

/// Around every reply.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(default, borrow)]
    msg: Cow<'a, str>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ServerTime<'a> {
    /// Milliseconds.
    #[serde(borrow)]
    ts: Cow<'a, str>,
}

/// What a call of demo trading bears, which shares its site's host. Source: "Demo Trading Services".
const DEMO: Option<(&str, &str)> = Some(("x-simulated-trading", "1"));

impl Wire for OkxWire {
    const NAME: &'static str = "OKX";
    const BASE_URL: &'static str = "OKX_BASE_URL";
    const CODE: &'static str = "code";
    const GOOD: &'static str = "0";
    const CODES: &'static [Code] = CODES;
    /// Source: "Production Trading Services", "Demo Trading Services" of each site's documentation.
    const SITES: &'static [Site] = &[
        ("mainnet", "https://www.okx.com", None),
        ("demo", "https://www.okx.com", DEMO),
        ("eea", "https://eea.okx.com", None),
        ("eea-demo", "https://eea.okx.com", DEMO),
        ("us", "https://us.okx.com", None),
        ("us-demo", "https://us.okx.com", DEMO),
    ];
    /// Source: OKX's API FAQ.
    const WINDOW: Duration = Duration::from_secs(30);
    /// Creating, editing and deleting a sub-account's keys: each once a second.
    const WRITE_SPACING: Duration = Duration::from_secs(1);
    const SERVER_TIME: &'static str = "/api/v5/public/time";

    /// HMAC-SHA256 over time, method, path with query, and body, in Base64; the passphrase as it is.
    /// Source: docs-v5, "REST Authentication".
    fn sign(request: &Unsigned<'_>, credential: &Credential, at: i64) -> Result<Headers, &'static str> {
        let passphrase = credential
            .passphrase
            .as_ref()
            .ok_or("signs no request without a passphrase: add `passphrase` to the value")?;
        let at = Timestamp::from_millisecond(at).map_err(|_| "cannot be told a time that is none")?;
        let at = format!("{at:.3}");
        let mark = if request.query.is_empty() { "" } else { "?" };
        let (method, path) = (request.method, request.path);
        let signed = [&at, method, path, mark, request.query, request.body];
        Ok(vec![
            ("OK-ACCESS-KEY", credential.key_id.expose().to_owned()),
            ("OK-ACCESS-SIGN", base64(&hmac_sha256(credential, &signed))),
            ("OK-ACCESS-TIMESTAMP", at),
            ("OK-ACCESS-PASSPHRASE", passphrase.expose_secret().to_owned()),
        ])
    }

    /// Many errors come with status 200: `code` tells.
    fn verdict(body: &str) -> Option<Verdict<'_>> {
        let reply: Envelope<'_> = object(body)?;
        Some(Verdict {
            code: reply.code,
            message: reply.msg,
            result: reply.data,
            time: None,
        })
    }

    fn server_time(result: &str, _: Option<i64>) -> Option<i64> {
        let [time]: [ServerTime<'_>; 1] = serde_json::from_str(result).ok()?;
        time.ts.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use protocol::name::Environment;
    use protocol::secret::KeyId;

    use super::*;
    use crate::exchange::kit::line::site;
    use crate::exchange::kit::recorded::sites_differ;

    #[test]
    fn each_site_has_a_host_or_a_header_of_its_own() {
        sites_differ::<OkxWire>();
        let refused = site::<OkxWire>(&Environment::Testnet).unwrap_err();
        assert!(refused.contains("`demo`"), "{refused}");
    }

    fn credential(passphrase: Option<&str>) -> Credential {
        Credential {
            key_id: KeyId::parse("testkey").unwrap(),
            secret: "testsecret".into(),
            passphrase: passphrase.map(Into::into),
        }
    }

    #[test]
    fn signatures_agree_with_the_golden_vectors() {
        let get = Unsigned {
            method: "GET",
            path: "/api/v5/account/config",
            query: "",
            body: "",
        };
        let post = Unsigned {
            method: "POST",
            path: "/api/v5/users/subaccount/apikey",
            query: "",
            body: concat!(
                r#"{"subAcct":"sub1","label":"rot1","passphrase":"Aa1!aaaa","perm":"read_only,trade","#,
                r#""ip":"203.0.113.7"}"#
            ),
        };
        for (request, signature) in [
            (get, "vaoV10QgVHRiu5gaQnEYbOVQK3ma8SKv0yLRxIzFsog="),
            (post, "d6cSsjVzEj9pYg4v6pMjtbJ3h7b3dK3JDSmGKnhHV6Q="),
        ] {
            let at = "2020-12-08T09:08:57.715Z";
            let milliseconds = at.parse::<Timestamp>().unwrap().as_millisecond();
            let signed = OkxWire::sign(&request, &credential(Some("Aa1!aaaa")), milliseconds).unwrap();
            assert_eq!(signed[1], ("OK-ACCESS-SIGN", signature.to_owned()));
            assert_eq!(signed[2], ("OK-ACCESS-TIMESTAMP", at.to_owned()));
            assert_eq!(signed[3], ("OK-ACCESS-PASSPHRASE", "Aa1!aaaa".to_owned()));
        }
    }

    #[test]
    fn a_credential_without_a_passphrase_is_told_what_it_lacks() {
        let request = Unsigned {
            method: "GET",
            path: "/",
            query: "",
            body: "",
        };
        let lack = OkxWire::sign(&request, &credential(None), 0).unwrap_err();
        assert!(lack.contains("`passphrase`"), "{lack}");
        let whole_second = OkxWire::sign(&request, &credential(Some("p")), 0).unwrap();
        assert_eq!(whole_second[2].1, "1970-01-01T00:00:00.000Z");
    }
}
