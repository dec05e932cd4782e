use super::*;
use crate::venue::{Ips, KeySecret, Knobs, Reason};

const QUERY: &str = "/v5/user/query-api";

fn asked(world: &mut World, by: &Credential) -> Value {
    Sent::get(world, by, QUERY, "").envelope(world)
}

/// The same with a header that says something else.
fn asked_with(world: &mut World, header: &'static str, text: &str) -> Value {
    let mut sent = Sent::get(world, &world.master, QUERY, "");
    let text = HeaderValue::from_str(text).expect("plain text");
    sent.headers.insert(header, text);
    sent.envelope(world)
}

#[test]
fn a_wrong_secret_is_refused_with_the_string_that_was_signed() {
    let mut world = World::new();
    let forged = Credential {
        secret: KeySecret::from("guessed"),
        ..world.master.clone()
    };
    let origin = format!("1700000000000{}5000", world.master.key);
    let expected = format!("error sign! origin_string[{origin}]");
    assert_eq!(said(&asked(&mut world, &forged)), (10_004, expected.as_str()));
}

#[test]
fn a_query_is_signed_as_it_is_sent() {
    let mut world = World::new();
    let master = world.master.clone();
    let sent = Sent::get(&world, &master, "/v5/user/sub-apikeys", "subMemberId=1");
    let tampered = Sent {
        query: "subMemberId=2".to_owned(),
        ..sent
    };
    let answer = tampered.answer(&mut world);
    assert_eq!(answer.code, Some(10_004));
    assert!(answer.body.contains("5000subMemberId=2"), "{}", answer.body);
    assert!(
        !answer.detail.contains(master.key.as_str()),
        "the log does not repeat it"
    );
}

#[test]
fn a_clock_refusal_tells_both_times_and_the_window_as_the_venue_does() {
    let mut world = World::new();
    let words = "invalid request, please check your server timestamp or recv_window param. \
                 req_timestamp[1600000000000],server_timestamp[1700000000000],recv_window[5000]";
    let reply = asked_with(&mut world, "X-BAPI-TIMESTAMP", "1600000000000");
    assert_eq!(said(&reply), (10_002, words));

    let mut sent = Sent::get(&world, &world.master, QUERY, "");
    sent.headers.remove("X-BAPI-RECV-WINDOW");
    let late = HeaderValue::from_static("1600000000000");
    sent.headers.insert("X-BAPI-TIMESTAMP", late);
    assert_eq!(
        said(&sent.envelope(&mut world)),
        (10_002, words),
        "5000 by default"
    );
}

#[test]
fn a_time_header_that_is_no_number_is_a_parameter_error() {
    let mut world = World::new();
    for header in ["X-BAPI-RECV-WINDOW", "X-BAPI-TIMESTAMP"] {
        let reply = asked_with(&mut world, header, "soon");
        assert_eq!(said(&reply), (10_001, "Request parameter error."), "{header}");
    }
}

#[test]
fn a_key_of_another_environment_looks_just_like_an_unknown_one() {
    let mut world = World::new();
    world.model.add_parent_account(77, Environment::Testnet);
    let testnet = world.by_hand(77, false, &[("Spot", &["SpotTrade"])]);
    let nobody = Credential {
        key: KeyId::from("nobody"),
        ..world.master.clone()
    };
    for unknown in [testnet, nobody] {
        let reply = asked(&mut world, &unknown);
        assert_eq!(said(&reply), (10_003, "API key is invalid."));
    }
}

#[test]
fn a_caller_is_refused_in_the_venues_words() {
    let mut world = World::with(Knobs {
        new_key_delay: DAY,
        new_key_reason: Reason::NotLoggedIn,
        ..Knobs::default()
    });
    let unbound = world.by_hand(SUB, false, &[("Spot", &["SpotTrade"])]);
    let reply = asked(&mut world, &unbound);
    assert_eq!(said(&reply), (10_007, "User not logged in."));

    let elsewhere = Ips::only(["198.51.100.1".parse().expect("an address")]);
    let bound = world
        .model
        .add_master_key(PARENT, elsewhere, world.now)
        .expect("the parent is there");
    world.now += DAY;
    let reply = asked(&mut world, &bound);
    let words = "Unmatched IP, please check your API key's bound IP addresses.";
    assert_eq!(said(&reply), (10_010, words));

    world.model.ban(SUB, true).expect("the account is there");
    let reply = asked(&mut world, &unbound);
    assert_eq!(said(&reply), (10_008, "User has been banned."));

    world.now += 90 * DAY;
    let reply = asked(&mut world, &unbound);
    assert_eq!(said(&reply), (33_004, "Your api key has expired."));
}
