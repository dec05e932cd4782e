//! Every request, byte for byte, beside the table that was recorded: what is signed, and what is sent.

use protocol::ports::{Powers, Whose};
use protocol::secret::{AccountId, Addresses};

use super::BybitWire;
use super::powers::VOCABULARY;
use crate::exchange::kit::call::Call;
use crate::exchange::kit::recorded::{grant, key, listed, marker, only, opened, signer, to_revoke, told};
use crate::exchange::kit::venue::Keys;

/// The requests as they were recorded. A change of this file is a change of what the venue is sent.
const RECORDED: &str = include_str!("requests.txt");

fn calls() -> Vec<(&'static str, Call)> {
    let (marker, account) = (marker("bybit"), AccountId::new("53888000"));
    let bound = only(&["203.0.113.7", "10.0.0.0/8", "2001:db8::1"]);
    let held = |groups: &[(&str, &[&str])]| {
        let groups = groups
            .iter()
            .map(|(group, values)| {
                (
                    (*group).to_owned(),
                    values.iter().map(|value| (*value).to_owned()).collect(),
                )
            })
            .collect();
        listed(VOCABULARY.powers(false, &groups))
    };
    let mut calls = vec![
        ("a key asks about itself", BybitWire::inspect()),
        (
            "the first page of a list",
            BybitWire::list(&account, "").expect("a call"),
        ),
        (
            "a page that begins at a cursor",
            BybitWire::list(&account, "a+b/c=&d%2C e").expect("a call"),
        ),
        (
            "a key is deleted",
            BybitWire::revoke(&account, to_revoke(&key())).expect("a call"),
        ),
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
                BybitWire::issue(&account, &marker, "", &grant(words, addresses)).expect("a call"),
            ));
        }
        let all: [&[(&str, &[&str])]; 2] = [
            &[],
            &[
                ("Spot", &["SpotTrade"]),
                ("Wallet", &["AccountTransfer", "Withdraw"]),
                ("NFT", &["NFTQueryProductList"]),
            ],
        ];
        for groups in all {
            calls.push((
                "a key is edited",
                BybitWire::edit(&account, &held(groups), None, &grant(words, &bound)).expect("a call"),
            ));
        }
    }
    let none = listed(Powers::default());
    calls.push((
        "a key that may do nothing is edited",
        BybitWire::edit(&account, &none, None, &grant(&["spot"], &Addresses::Any)).expect("a call"),
    ));
    calls
}

#[test]
fn every_request_is_what_was_recorded_byte_for_byte() {
    let mut made = String::new();
    let mainnet = opened::<BybitWire>("bybit", "mainnet");
    for (what, call) in calls() {
        let master = signer(Whose::Master, None);
        made.push_str(&told(what, mainnet.line_of(&master), &master, &call));
    }
    for environment in ["testnet", "nl", "hk", "ar", "jp-testnet", "demo"] {
        let bybit = opened::<BybitWire>("bybit", environment);
        for whose in [Whose::Current, Whose::Master] {
            let signer = signer(whose, None);
            let what = format!("{environment}: what the {} key asks about itself", whose.as_str());
            made.push_str(&told(
                &what,
                bybit.line_of(&signer),
                &signer,
                &BybitWire::inspect(),
            ));
        }
    }
    assert!(made == RECORDED, "what is made:\n{made}");
}
