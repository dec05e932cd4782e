//! Every request, byte for byte, beside the table that was recorded: what is signed, and what is sent.

use protocol::ports::{Powers, Whose};
use protocol::secret::{AccountId, Addresses};

use super::OkxWire;
use crate::exchange::kit::call::Call;
use crate::exchange::kit::recorded::{grant, key, listed, marker, only, opened, signer, to_revoke, told};
use crate::exchange::kit::venue::Keys;

/// The requests as they were recorded. A change of this file is a change of what the venue is sent.
const RECORDED: &str = include_str!("requests.txt");
const PASSPHRASE: &str = "Aa1!aaaa";

fn calls() -> Vec<(&'static str, Call)> {
    let marker = marker("okx");
    let bound = [
        only(&["203.0.113.7"]),
        only(&["203.0.113.7", "10.0.0.0/8", "2001:db8::1"]),
        Addresses::Any,
    ];
    let words: [&[&str]; 3] = [&["read"], &["trade"], &["read", "trade"]];
    let mut calls = vec![("a key asks about itself", OkxWire::inspect())];
    for account in ["desk01", "Desk00000000000000X0"].map(AccountId::new) {
        calls.push((
            "a sub-account's keys",
            OkxWire::list(&account, "").expect("a call"),
        ));
        for words in words {
            for addresses in &bound {
                let grant = grant(words, addresses);
                for passphrase in ["Bb2@bbbb", "@!Cc3cccccccccccccccccccccccccccc"] {
                    calls.push((
                        "a key is issued",
                        OkxWire::issue(&account, &marker, passphrase, &grant).expect("a call"),
                    ));
                }
                calls.push((
                    "a key is edited",
                    OkxWire::edit(&account, &listed(Powers::default()), None, &grant).expect("a call"),
                ));
            }
        }
        calls.push((
            "a key is deleted",
            OkxWire::revoke(&account, to_revoke(&key())).expect("a call"),
        ));
    }
    calls
}

#[test]
fn every_request_is_what_was_recorded_byte_for_byte() {
    let mut made = String::new();
    let mainnet = opened::<OkxWire>("okx", "mainnet");
    let master = signer(Whose::Master, Some(PASSPHRASE));
    for (what, call) in calls() {
        made.push_str(&told(what, mainnet.line_of(&master), &master, &call));
    }
    for environment in ["demo", "eea", "eea-demo", "us", "us-demo"] {
        let okx = opened::<OkxWire>("okx", environment);
        let current = signer(Whose::Current, Some(PASSPHRASE));
        let what = format!("{environment}: what a key asks about itself");
        made.push_str(&told(&what, okx.line_of(&current), &current, &OkxWire::inspect()));
    }
    assert!(made == RECORDED, "what is made:\n{made}");
}
