use super::*;

fn create_refused(world: &mut World, change: impl FnOnce(&mut Value)) -> (u16, String) {
    let body = create(change);
    asked(world, KEYS, &body).refused(world)
}

#[test]
fn what_a_creation_lacks_or_gets_wrong_is_told_by_a_code() {
    let mut world = world();
    let long = "a".repeat(51);
    let many = ["203.0.113.7"; 21].join(",");
    for (name, value, status, code) in [
        ("subAcct", Value::Null, 400, "50014"),
        ("subAcct", json!(""), 400, "50014"),
        ("subAcct", json!("nobody1"), 200, "59510"),
        ("subAcct", json!("theirs1"), 200, "59510"),
        ("subAcct", json!(53_888_000), 400, "51000"),
        ("label", Value::Null, 400, "50014"),
        ("label", json!("rot-1"), 400, "51000"),
        ("label", json!(long), 400, "51000"),
        ("passphrase", Value::Null, 400, "50014"),
        ("passphrase", json!("Aa1aaaaa"), 200, "59505"),
        ("perm", json!("read_only,withdraw"), 200, "59504"),
        ("perm", json!("spot"), 400, "51000"),
        ("perm", json!(["trade"]), 400, "51000"),
        ("ip", json!("203.0.113"), 400, "51000"),
        ("ip", json!("203.0.113.7,"), 400, "51000"),
        ("ip", json!("203.0.113.0/33"), 400, "51000"),
        ("ip", json!(many), 200, "59503"),
    ] {
        let told = create_refused(&mut world, |body| body[name] = value.clone());
        assert_eq!(told, refusal(status, code), "{name} {value}");
    }
    assert_eq!(world.model.keys().len(), 2, "the two of the master");
}

#[test]
fn a_body_has_to_be_json_and_to_say_so() {
    let mut world = world();
    for (body, code) in [("", "50000"), ("{", "50002"), ("[]", "51000"), ("{}", "50014")] {
        let sent = asked(&mut world, KEYS, body);
        assert_eq!(sent.refused(&mut world), refusal(400, code), "{body}");
    }
    for header in ["text/plain", "application/x-www-form-urlencoded"] {
        let sent = asked(&mut world, KEYS, &create(|_| ())).with("Content-Type", header);
        assert_eq!(sent.refused(&mut world), refusal(400, "50006"));
    }
}

#[test]
fn a_label_is_on_one_living_key_of_an_account() {
    let mut world = world();
    created(&mut world, "rot1");
    assert_eq!(create_refused(&mut world, |_| ()), refusal(200, "59502"));
    let elsewhere = create(|body| body["subAcct"] = "desk02".into());
    asked(&mut world, KEYS, &elsewhere).only(&mut world);
    let other = created(&mut world, "rot2");
    let body = json!({"subAcct": "desk01", "apiKey": other.key.as_str(), "label": "rot1"}).to_string();
    let renamed = asked(&mut world, MODIFY, &body);
    assert_eq!(renamed.refused(&mut world), refusal(200, "59502"));
}

#[test]
fn an_account_has_fifty_keys_at_most() {
    let mut world = world();
    for n in 0..50 {
        created(&mut world, &format!("rot{n}"));
    }
    let told = create_refused(&mut world, |body| body["label"] = "more".into());
    assert_eq!(told, refusal(200, "59501"));
}

#[test]
fn a_key_that_is_gone_or_another_accounts_is_neither_edited_nor_deleted() {
    let mut world = world();
    let key = created(&mut world, "rot1");
    for path in [MODIFY, DELETE] {
        for (account, named, status, code) in [
            ("desk01", "nobody", 200, "59506"),
            ("desk02", key.key.as_str(), 200, "59506"),
            ("theirs1", key.key.as_str(), 200, "59510"),
            ("desk01", "", 400, "50014"),
            ("", key.key.as_str(), 400, "50014"),
        ] {
            let body = json!({"subAcct": account, "apiKey": named}).to_string();
            let told = asked(&mut world, path, &body).refused(&mut world);
            assert_eq!(told, refusal(status, code), "{path} {body}");
        }
    }
    assert!(world.try_key(&key).is_ok());
}

#[test]
fn a_listing_wants_the_name_of_one_of_the_callers_accounts() {
    let mut world = world();
    let master = world.master.clone();
    for (query, status, code) in [
        ("", 400, "50014"),
        ("subAcct=", 400, "50014"),
        ("subAcct=theirs1", 200, "59510"),
        ("subAcct=nobody1", 200, "59510"),
    ] {
        let sent = Sent::get(&world, &master, KEYS, query);
        assert_eq!(sent.refused(&mut world), refusal(status, code), "{query}");
    }
}

#[test]
fn a_sub_accounts_key_manages_no_key_not_even_itself() {
    let mut world = world();
    let key = sub_key(&mut world);
    let own = json!({"subAcct": "desk01", "apiKey": key.key.as_str()}).to_string();
    for sent in [
        Sent::post(&world, &key, KEYS, &create(|_| ())),
        Sent::post(&world, &key, MODIFY, &own),
        Sent::post(&world, &key, DELETE, &own),
        Sent::get(&world, &key, KEYS, "subAcct=desk01"),
    ] {
        assert_eq!(sent.refused(&mut world), refusal(200, "59500"), "{}", sent.path);
    }
    world.now += SignedDuration::from_secs(1);
    let sent = Sent::post(&world, &key, KEYS, "{}");
    assert_eq!(
        sent.refused(&mut world),
        refusal(200, "59500"),
        "that comes before sense"
    );
}

#[test]
fn a_master_key_bound_to_no_address_lists_and_changes_nothing() {
    let mut world = world();
    let key = created(&mut world, "rot1");
    world.master = master(&mut world, Ips::Any);
    let own = json!({"subAcct": "desk01", "apiKey": key.key.as_str()}).to_string();
    for (path, body) in [(KEYS, create(|_| ())), (MODIFY, own.clone()), (DELETE, own)] {
        let sent = asked(&mut world, path, &body);
        assert_eq!(sent.refused(&mut world), refusal(403, "50035"));
    }
    let unbound = world.master.clone();
    let listed = Sent::get(&world, &unbound, KEYS, "subAcct=desk01").data(&mut world);
    assert_eq!(listed[0]["label"], "rot1");
}

#[test]
fn a_master_key_that_only_reads_manages_no_key() {
    let mut world = world();
    let settings = Settings {
        note: "reader".to_owned(),
        read_only: false,
        ips: Ips::only([HOME]),
        permissions: Permissions::of(&[("perm", &["read_only"])]),
    };
    let made = world.model.create_key_by_hand(PARENT, settings, world.now);
    world.master = made.expect("the parent is there");
    assert_eq!(create_refused(&mut world, |_| ()), refusal(200, "50120"));
}

#[test]
fn each_endpoint_has_a_limit_of_its_own_that_counts_before_all_else() {
    let mut world = world();
    let master = world.master.clone();
    for path in [KEYS, MODIFY, DELETE] {
        let first = Sent::post(&world, &master, path, "{}");
        assert_eq!(first.refused(&mut world), refusal(400, "50014"));
        for body in ["{}", "no JSON"] {
            let second = Sent::post(&world, &master, path, body);
            assert_eq!(second.refused(&mut world), refusal(429, "50011"));
        }
    }
    world.now += SignedDuration::from_secs(1);
    for path in [KEYS, MODIFY, DELETE] {
        let later = Sent::post(&world, &master, path, "{}");
        assert_eq!(later.refused(&mut world), refusal(400, "50014"));
    }
    for (path, query, calls) in [(CONFIG, "", 10), (KEYS, "subAcct=desk01", 20)] {
        let sent = Sent::get(&world, &master, path, query);
        for _ in 0..calls {
            sent.data(&mut world);
        }
        assert_eq!(sent.refused(&mut world), refusal(429, "50011"));
    }
}

#[test]
fn what_a_knob_takes_away_is_refused_by_a_code() {
    for (knobs, code) in [
        (
            Knobs {
                no_edits: true,
                ..Knobs::default()
            },
            "50030",
        ),
        (
            Knobs {
                new_key_delay: SignedDuration::from_secs(5),
                ..Knobs::default()
            },
            "50111",
        ),
    ] {
        let unknown_at_first = code == "50111";
        let mut world = world_with(knobs);
        world.now += SignedDuration::from_secs(10);
        let key = created(&mut world, "rot1");
        let body = json!({"subAcct": "desk01", "apiKey": key.key.as_str()}).to_string();
        let told = if unknown_at_first {
            Sent::get(&world, &key, CONFIG, "").refused(&mut world)
        } else {
            asked(&mut world, MODIFY, &body).refused(&mut world)
        };
        assert_eq!(told.1, code);
    }
}
