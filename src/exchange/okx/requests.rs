//! Every request, byte for byte, beside the table that was recorded: what is signed, and what is sent.

use protocol::ports::Whose;
use protocol::secret::{AccountId, Addresses};

use super::{Okx, wire};
use crate::exchange::kit::call::Call;
use crate::exchange::kit::recorded::{grant, key, marker, only, opened, signer, told};

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
    let mut calls = vec![("a key asks about itself", wire::inspect())];
    for account in ["desk01", "Desk00000000000000X0"] {
        assert!(
            wire::name(&AccountId::new(account), Whose::Master).is_ok(),
            "{account}"
        );
        calls.push(("a sub-account's keys", wire::list(account)));
        for words in words {
            for addresses in &bound {
                let grant = grant(words, addresses);
                for passphrase in ["Bb2@bbbb", "@!Cc3cccccccccccccccccccccccccccc"] {
                    calls.push((
                        "a key is issued",
                        wire::create(account, &marker, passphrase, &grant).expect("a call"),
                    ));
                }
                calls.push((
                    "a key is edited",
                    wire::modify(account, &key(), &grant).expect("a call"),
                ));
            }
        }
        calls.push(("a key is deleted", wire::delete(account, &key()).expect("a call")));
    }
    calls
}

#[test]
fn every_request_is_what_was_recorded_byte_for_byte() {
    let mut made = String::new();
    let mainnet = opened("okx", "mainnet", Okx::new);
    let master = signer(Whose::Master, Some(PASSPHRASE));
    for (what, call) in calls() {
        made.push_str(&told(what, &mainnet.line, &master, &call));
    }
    for environment in ["demo", "eea", "eea-demo", "us", "us-demo"] {
        let okx = opened("okx", environment, Okx::new);
        let current = signer(Whose::Current, Some(PASSPHRASE));
        let what = format!("{environment}: what a key asks about itself");
        made.push_str(&told(&what, &okx.line, &current, &wire::inspect()));
    }
    assert!(made == RECORDED, "what is made:\n{made}");
}
