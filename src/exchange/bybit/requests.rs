//! Every request, byte for byte, beside the table that was recorded: what is signed, and what is sent.

use std::fmt::Write as _;

use jiff::Timestamp;
use lambda_runtime::Context;
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::SecretName;
use protocol::ports::{Grant, ListedKey, Powers, Signer, Whose};
use protocol::secret::{Addresses, Credential, KeyId, Permissions};
use reqwest::Request;

use super::{Bybit, powers, wire};
use crate::exchange::Outside;
use crate::exchange::kit::call::Call;
use crate::exchange::kit::clock::Clocks;
use crate::exchange::kit::http::Http;
use crate::time::InvocationTime;

/// The requests as they were recorded. A change of this file is a change of what the venue is sent.
const RECORDED: &str = include_str!("requests.txt");
/// 2023-11-14T22:13:20Z.
const AT: i64 = 1_700_000_000_000;

fn bybit(environment: &str) -> Bybit {
    let id = SecretName::new("prod/bybit/main")
        .venue(None, Some(environment))
        .expect("a venue");
    let tls = crate::tls::config().expect("a TLS configuration");
    let outside = Outside {
        base_url: None,
        clocks: &Clocks::default(),
        http: &Http::new(tls).expect("a client"),
        time: InvocationTime::of(&Context::default(), Timestamp::now()),
    };
    Bybit::new(&id, &outside).expect("an environment")
}

fn signer() -> Signer {
    Signer {
        whose: Whose::Master,
        credential: Credential {
            key_id: key(),
            secret: "testsecret".into(),
            passphrase: None,
        },
    }
}

fn key() -> KeyId {
    KeyId::parse("testkey").expect("a key id")
}

fn permissions_of(words: &[&str]) -> Permissions {
    words
        .iter()
        .map(|word| word.parse().expect("a permission"))
        .collect()
}

fn calls() -> Vec<(&'static str, Call)> {
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/bybit/main-AbCdEf";
    let marker = Marker::new(arn, &VersionId::new("11111111-2222-3333-4444-555555555555"), 7);
    let bound = Addresses::Only(
        ["203.0.113.7", "10.0.0.0/8", "2001:db8::1"]
            .map(|ip| ip.parse().expect("an address"))
            .into(),
    );
    let listed = |groups: &[(&str, &[&str])]| {
        let groups = groups
            .iter()
            .map(|(group, values)| {
                (
                    (*group).to_owned(),
                    values.iter().map(|value| (*value).to_owned()).collect(),
                )
            })
            .collect();
        ListedKey {
            key_id: key(),
            marker: None,
            powers: powers::powers(false, &groups),
            addresses: Addresses::Any,
            created_at: Timestamp::UNIX_EPOCH,
            expired: false,
            kind: None,
        }
    };
    let grant = |words: &[&str], addresses: &Addresses| Grant {
        permissions: permissions_of(words),
        addresses: addresses.clone(),
    };
    let mut calls = vec![
        ("a key asks about itself", wire::inspect()),
        ("the first page of a list", wire::list(53_888_000, "")),
        (
            "a page that begins at a cursor",
            wire::list(53_888_000, "a+b/c=&d%2C e"),
        ),
        ("a key is deleted", wire::delete(&key()).expect("a call")),
    ];
    let words: [&[&str]; 9] = [
        &["read"],
        &["read", "spot"],
        &["derivatives"],
        &["derivatives:Order"],
        &["options", "earn"],
        &["convert"],
        &["read:Spot.SpotTrade"],
        &["read", "spot", "derivatives", "options", "earn", "convert"],
        &["derivatives:Position", "spot"],
    ];
    for words in words {
        for addresses in [&bound, &Addresses::Any] {
            calls.push((
                "a key is issued",
                wire::create(53_888_000, &marker, &grant(words, addresses)).expect("a call"),
            ));
        }
        let held: [&[(&str, &[&str])]; 2] = [
            &[],
            &[
                ("Spot", &["SpotTrade"]),
                ("Wallet", &["AccountTransfer", "Withdraw"]),
                ("NFT", &["NFTQueryProductList"]),
            ],
        ];
        for held in held {
            calls.push((
                "a key is edited",
                wire::update(&listed(held), &grant(words, &bound)).expect("a call"),
            ));
        }
    }
    let none = ListedKey {
        powers: Powers::default(),
        ..listed(&[])
    };
    calls.push((
        "a key that may do nothing is edited",
        wire::update(&none, &grant(&["spot"], &Addresses::Any)).expect("a call"),
    ));
    calls
}

fn told(what: &str, request: &Request) -> String {
    let mut text = format!("# {what}\n{} {}\n", request.method(), request.url());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "{name}: {}", value.to_str().expect("a header of text"));
    }
    if let Some(body) = request.body().and_then(|body| body.as_bytes()) {
        let _ = writeln!(text, "{}", std::str::from_utf8(body).expect("a body of text"));
    }
    text
}

#[test]
fn every_request_is_what_was_recorded_byte_for_byte() {
    let mut made = String::new();
    let mainnet = bybit("mainnet");
    for (what, call) in calls() {
        let _ = writeln!(made, "{}", told(what, &mainnet.line.signed(&signer(), &call, AT)));
    }
    for environment in ["testnet", "nl", "hk", "ar", "jp-testnet", "demo"] {
        let bybit = bybit(environment);
        for whose in [Whose::Current, Whose::Master] {
            let signer = Signer { whose, ..signer() };
            let request = bybit.line_of(&signer).signed(&signer, &wire::inspect(), AT);
            let what = format!("{environment}: what the {} key asks about itself", whose.as_str());
            let _ = writeln!(made, "{}", told(&what, &request));
        }
    }
    assert!(made == RECORDED, "what is made:\n{made}");
}
