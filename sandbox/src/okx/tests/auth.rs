use super::*;
use crate::venue::KeySecret;

const DEMO: &str = "x-simulated-trading";

fn config(world: &World, by: &Credential) -> Sent {
    Sent::get(world, by, CONFIG, "")
}

#[test]
fn each_header_of_a_signature_is_missed_by_a_code_of_its_own() {
    let mut world = world();
    for (header, code) in [
        ("OK-ACCESS-KEY", "50103"),
        ("OK-ACCESS-PASSPHRASE", "50104"),
        ("OK-ACCESS-SIGN", "50106"),
        ("OK-ACCESS-TIMESTAMP", "50107"),
    ] {
        let sent = config(&world, &world.master);
        assert_eq!(sent.without(header).refused(&mut world), refusal(401, code));
        let sent = config(&world, &world.master);
        assert_eq!(sent.with(header, "").refused(&mut world), refusal(401, code));
    }
}

#[test]
fn a_clock_may_be_off_by_half_a_minute_either_way() {
    let mut world = world();
    let now = world.now;
    for (seconds, fits) in [
        (0, true),
        (-30, true),
        (-31, false),
        (29, true),
        (30, false),
        (60, false),
    ] {
        world.now = now + SignedDuration::from_secs(seconds);
        let sent = config(&world, &world.master);
        world.now = now;
        if fits {
            sent.only(&mut world);
        } else {
            assert_eq!(sent.refused(&mut world), refusal(401, "50102"), "{seconds}");
        }
    }
    let sent = config(&world, &world.master).with("OK-ACCESS-TIMESTAMP", "1700000000000");
    assert_eq!(sent.refused(&mut world), refusal(401, "50112"));
}

#[test]
fn a_wrong_secret_passphrase_or_key_is_told_apart() {
    let mut world = world();
    let master = world.master.clone();
    let secret = Credential {
        secret: KeySecret::from("guessed"),
        ..master.clone()
    };
    let passphrase = Credential {
        passphrase: Some(Passphrase::from("Aa1!guessed")),
        ..master.clone()
    };
    let key = Credential {
        key: KeyId::from("guessed"),
        ..master
    };
    for (by, code) in [(secret, "50113"), (passphrase, "50105"), (key, "50111")] {
        assert_eq!(config(&world, &by).refused(&mut world), refusal(401, code));
    }
}

#[test]
fn a_deleted_key_is_an_unknown_one_by_either_of_two_codes() {
    let mut world = world();
    let key = created(&mut world, "rot1");
    let body = json!({"subAcct": "desk01", "apiKey": key.key.as_str()}).to_string();
    asked(&mut world, DELETE, &body).only(&mut world);
    assert_eq!(config(&world, &key).refused(&mut world), refusal(401, "50111"));
    world.model.knobs.invalid_key_code = Some(50_119);
    assert_eq!(config(&world, &key).refused(&mut world), refusal(401, "50119"));
}

#[test]
fn a_key_is_refused_from_an_address_that_it_is_not_bound_to() {
    let mut world = world();
    let elsewhere = Ips::only(["198.51.100.1".parse().expect("an address")]);
    let key = master(&mut world, elsewhere);
    assert_eq!(config(&world, &key).refused(&mut world), refusal(401, "50110"));
}

#[test]
fn a_segment_of_addresses_is_bound_to_as_one() {
    let mut world = world();
    for (segment, label, fits) in [("203.0.113.0/24", "in", true), ("198.51.100.0/24", "out", false)] {
        let body = create(|body| {
            body["ip"] = segment.into();
            body["label"] = label.into();
        });
        let key = asked(&mut world, KEYS, &body).only(&mut world);
        assert_eq!(key["ip"], segment);
        let id = KeyId::from(key["apiKey"].as_str().expect("it is text"));
        let key = world.model.credential(&id).expect("it was created");
        let sent = config(&world, &key);
        if fits {
            sent.only(&mut world);
        } else {
            assert_eq!(sent.refused(&mut world), refusal(401, "50110"));
        }
    }
}

#[test]
fn demo_trading_is_a_header_and_knows_its_own_keys_alone() {
    let mut world = world();
    let live = world.master.clone();
    world.model.add_parent_account(77, Environment::Demo);
    let made = world.model.add_master_key(77, Ips::only([HOME]), world.now);
    let demo = made.expect("the account is there");
    config(&world, &live).with(DEMO, "0").only(&mut world);
    config(&world, &demo).with(DEMO, "1").only(&mut world);
    for sent in [
        config(&world, &live).with(DEMO, "1"),
        config(&world, &demo),
        config(&world, &demo).with(DEMO, "0"),
    ] {
        assert_eq!(sent.refused(&mut world), refusal(401, "50101"));
    }
}

#[test]
fn a_request_is_signed_byte_for_byte_with_its_query() {
    let mut world = world();
    let master = world.master.clone();
    let mut sent = Sent::get(&world, &master, KEYS, "subAcct=desk01");
    sent.data(&mut world);
    sent.query = "subAcct=desk02".to_owned();
    assert_eq!(sent.refused(&mut world), refusal(401, "50113"));
    let mut sent = Sent::post(&world, &master, KEYS, &create(|_| ()));
    sent.body = sent.body.replace(':', ": ");
    assert_eq!(sent.refused(&mut world), refusal(401, "50113"));
    let mut sent = config(&world, &master);
    sent.path = KEYS;
    assert_eq!(sent.refused(&mut world), refusal(401, "50113"));
}
