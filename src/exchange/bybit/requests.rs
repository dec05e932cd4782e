//! Every request, byte for byte, beside the table that was recorded: what is signed, and what is sent.

use jiff::Timestamp;
use protocol::ports::{ListedKey, Powers, Whose};
use protocol::secret::Addresses;

use super::{Bybit, powers, wire};
use crate::exchange::kit::call::Call;
use crate::exchange::kit::recorded::{grant, key, marker, only, opened, signer, told};

/// The requests as they were recorded. A change of this file is a change of what the venue is sent.
const RECORDED: &str = include_str!("requests.txt");

fn calls() -> Vec<(&'static str, Call)> {
    let marker = marker("bybit");
    let bound = only(&["203.0.113.7", "10.0.0.0/8", "2001:db8::1"]);
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

#[test]
fn every_request_is_what_was_recorded_byte_for_byte() {
    let mut made = String::new();
    let mainnet = opened("bybit", "mainnet", Bybit::new);
    for (what, call) in calls() {
        made.push_str(&told(what, &mainnet.line, &signer(Whose::Master, None), &call));
    }
    for environment in ["testnet", "nl", "hk", "ar", "jp-testnet", "demo"] {
        let bybit = opened("bybit", environment, Bybit::new);
        for whose in [Whose::Current, Whose::Master] {
            let signer = signer(whose, None);
            let what = format!("{environment}: what the {} key asks about itself", whose.as_str());
            made.push_str(&told(&what, bybit.line_of(&signer), &signer, &wire::inspect()));
        }
    }
    assert!(made == RECORDED, "what is made:\n{made}");
}
