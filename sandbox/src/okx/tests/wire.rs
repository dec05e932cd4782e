use super::*;

#[test]
fn a_created_key_is_shown_with_its_secret_and_passphrase_and_works() {
    let mut world = world();
    let shown = asked(&mut world, KEYS, &create(|_| ())).only(&mut world);
    let key = world.model.newest_key().expect("a key was created");
    let credential = world.model.credential(&key.key).expect("it was created");
    let expected = json!({
        "subAcct": "desk01", "label": "rot1", "apiKey": key.key.as_str(),
        "secretKey": credential.secret.expose(), "passphrase": "Aa1!aaaa", "perm": "read_only,trade",
        "ip": "203.0.113.7", "ts": "1700000001000",
    });
    assert_eq!(shown, expected);
    assert!(world.try_key(&credential).is_ok());
    assert_eq!(key.uid, SUB);
}

#[test]
fn reading_goes_with_trading_and_is_all_that_nothing_means() {
    let mut world = world();
    for (label, perm, granted) in [
        ("a", json!("trade"), "read_only,trade"),
        ("b", json!("trade,read_only"), "read_only,trade"),
        ("c", json!("read_only"), "read_only"),
        ("d", json!(""), "read_only"),
        ("e", Value::Null, "read_only"),
    ] {
        let body = create(|body| {
            body["label"] = label.into();
            body["perm"] = perm;
        });
        assert_eq!(asked(&mut world, KEYS, &body).only(&mut world)["perm"], granted);
    }
}

#[test]
fn addresses_are_a_list_with_commas_and_none_are_anywhere() {
    let mut world = world();
    for (label, ip, bound) in [
        (
            "a",
            json!("203.0.113.7,2001:db8::1,198.51.100.0/24"),
            "203.0.113.7,2001:db8::1,198.51.100.0/24",
        ),
        ("b", json!(""), ""),
        ("c", Value::Null, ""),
    ] {
        let body = create(|body| {
            body["label"] = label.into();
            body["ip"] = ip;
        });
        assert_eq!(asked(&mut world, KEYS, &body).only(&mut world)["ip"], bound);
    }
}

#[test]
fn all_keys_of_an_account_are_listed_at_once_or_the_one_asked_for() {
    let mut world = world();
    let keys: Vec<Credential> = (0..50).map(|n| created(&mut world, &format!("rot{n}"))).collect();
    let master = world.master.clone();
    let all = Sent::get(&world, &master, KEYS, "subAcct=desk01").data(&mut world);
    assert_eq!(all.as_array().map(Vec::len), Some(50));
    let second = json!({
        "label": "rot1", "apiKey": keys[1].key.as_str(), "perm": "read_only,trade", "ip": "203.0.113.7",
        "ts": "1700000002000",
    });
    assert_eq!(all[1], second);
    for (filter, shown) in [
        (keys[1].key.as_str(), json!([second])),
        ("nobody", json!([])),
        ("", all),
    ] {
        let query = format!("subAcct=desk01&apiKey={filter}");
        assert_eq!(Sent::get(&world, &master, KEYS, &query).data(&mut world), shown);
    }
    let other = Sent::get(&world, &master, KEYS, "subAcct=desk02").data(&mut world);
    assert_eq!(other, json!([]));
}

#[test]
fn an_edit_changes_what_it_names_and_leaves_the_rest() {
    let mut world = world();
    let key = created(&mut world, "rot1");
    for (changes, label, perm, ip) in [
        (json!({}), "rot1", "read,trade", "203.0.113.7"),
        (json!({"label": "rot2"}), "rot2", "read,trade", "203.0.113.7"),
        (
            json!({"ip": "198.51.100.1"}),
            "rot2",
            "read,trade",
            "198.51.100.1",
        ),
        (json!({"perm": "read_only"}), "rot2", "read", "198.51.100.1"),
        (json!({"ip": ""}), "rot2", "read", ""),
        (
            json!({"perm": "trade", "ip": "203.0.113.7"}),
            "rot2",
            "read,trade",
            "203.0.113.7",
        ),
    ] {
        let mut body = changes;
        body["subAcct"] = "desk01".into();
        body["apiKey"] = key.key.as_str().into();
        let shown = asked(&mut world, MODIFY, &body.to_string()).only(&mut world);
        let expected = json!({
            "subAcct": "desk01", "apiKey": key.key.as_str(), "label": label, "perm": perm, "ip": ip,
        });
        assert_eq!(shown, expected, "{body}");
    }
    assert!(world.try_key(&key).is_ok(), "secret and passphrase stay");
    let master = world.master.clone();
    let listed = Sent::get(&world, &master, KEYS, "subAcct=desk01").only(&mut world);
    assert_eq!(listed["perm"], "read_only,trade", "a list spells it out");
}

#[test]
fn a_deleted_key_is_gone_and_its_label_is_free_again() {
    let mut world = world();
    let key = created(&mut world, "rot1");
    let body = json!({"subAcct": "desk01", "apiKey": key.key.as_str()}).to_string();
    assert_eq!(
        asked(&mut world, DELETE, &body).only(&mut world),
        json!({"subAcct": "desk01"})
    );
    assert!(world.try_key(&key).is_err());
    let again = asked(&mut world, DELETE, &body);
    assert_eq!(again.refused(&mut world), refusal(200, "59506"));
    created(&mut world, "rot1");
}

#[test]
fn a_key_about_itself_tells_its_account_and_whether_that_is_the_main_one() {
    let mut world = world();
    let sub = created(&mut world, "rot1");
    let unbound = master(&mut world, Ips::Any);
    for (by, uid, kind, label, ip) in [
        (&sub, SUB, "1", "rot1", "203.0.113.7"),
        (&unbound, PARENT, "0", "master", ""),
    ] {
        let shown = Sent::get(&world, by, CONFIG, "").only(&mut world);
        let named =
            ["uid", "mainUid", "type", "label", "perm", "ip", "acctLv"].map(|name| shown[name].clone());
        let (uid, main) = (uid.to_string(), PARENT.to_string());
        let expected = [&uid, &main, kind, label, "read_only,trade", ip, "2"].map(Value::from);
        assert_eq!(named, expected);
    }
}

#[test]
fn anybody_may_ask_for_the_time() {
    let mut world = world();
    let sent = Sent {
        method: "GET",
        path: TIME,
        query: String::new(),
        body: String::new(),
        headers: HeaderMap::new(),
    };
    assert_eq!(sent.only(&mut world), json!({"ts": "1700000000000"}));
}

#[test]
fn an_unknown_path_is_404_and_another_method_405() {
    let mut world = world();
    let master = world.master.clone();
    let nothing = Sent::get(&world, &master, "/api/v5/nothing", "").answer(&mut world);
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    for sent in [
        Sent::get(&world, &master, MODIFY, ""),
        Sent::get(&world, &master, DELETE, ""),
        Sent::post(&world, &master, CONFIG, "{}"),
        Sent::post(&world, &master, TIME, "{}"),
    ] {
        assert_eq!(sent.refused(&mut world), refusal(405, "50115"));
    }
}
