//! What a value or a master credential can get wrong, and what it is told then.

use super::*;

/// Puts a credential into a value.
fn name(credential: &Credential, value: &mut Value) {
    value["api_key"] = credential.key.as_str().into();
    value["api_secret"] = credential.secret.expose().into();
    value["passphrase"] = passphrase(credential).into();
}

/// The master's value, changed.
fn change_master(world: &World, change: impl FnOnce(&mut Value)) {
    let secret = world.local.stand_in.master_secret;
    let mut value = world.local.value(secret, "AWSCURRENT").unwrap();
    change(&mut value);
    world.put_master(&value);
}

/// A key of any account, made by hand, that may be used from where it has to be.
fn key_of(world: &World, uid: u64) -> Credential {
    let settings = Settings {
        note: "another".into(),
        read_only: false,
        ips: Ips::only(["127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap()]),
        permissions: Permissions::of(&[BOTH]),
    };
    world
        .venue(|model, now| model.create_key_by_hand(uid, settings, now))
        .unwrap()
}

/// How a rotation fails at its first step, and that nothing was issued.
async fn refused(world: &World) -> (String, String) {
    let before = world.venue(|model, _| model.keys());
    world.open_rotation(TOKEN);
    let failed = world.fail("createSecret").await;
    assert_eq!(world.venue(|model, _| model.keys()), before, "{failed:?}");
    failed
}

/// What keeps a rotation from succeeding.
async fn blockers(world: &World) -> Vec<String> {
    let operators = world.operators().await;
    let answer = ask(&operators, json!({"operation": "plan", "secret": world.secret()})).await;
    let blockers = findings(&answer)
        .iter()
        .filter(|finding| finding["code"] == "BLOCKER");
    blockers
        .map(|finding| finding["say"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_wrong_or_missing_passphrase_is_told_by_its_name() {
    for (wrong, says) in [
        (json!("Wrong-passphrase-1!"), "50105"),
        (Value::Null, "add `passphrase` to the value"),
    ] {
        let world = world().await;
        world.edit_current(|value| {
            drop(value.as_object_mut().unwrap().remove("passphrase"));
            if wrong.is_string() {
                value["passphrase"] = wrong.clone();
            }
        });
        let (error_type, message) = refused(&world).await;
        assert_eq!(error_type, "CURRENT_UNUSABLE", "{message}");
        assert!(message.contains(says), "{message}");
        let blockers = blockers(&world).await;
        assert!(blockers.iter().any(|say| say.contains(says)), "{blockers:?}");
        assert!(!world.said().contains("Wrong-passphrase-1!"));
    }
}

#[tokio::test]
async fn a_policy_of_a_part_of_trading_is_refused_and_the_whole_is_named() {
    let policy = |word: &str| json!({"permissions": [word], "ip_allowlist": ["127.0.0.1"]});
    let world = world().await;
    world.edit_current(|value| value["policy"] = policy("spot"));
    let (error_type, message) = refused(&world).await;
    assert_eq!(error_type, "GRANT_IMPOSSIBLE", "{message}");
    assert!(
        message.contains("`spot`") && message.contains("`trade`"),
        "{message}"
    );
    let blockers = blockers(&world).await;
    assert!(
        blockers.iter().any(|say| say.starts_with("GRANT_IMPOSSIBLE")),
        "{blockers:?}"
    );
}

#[tokio::test]
async fn a_master_key_bound_to_no_address_is_refused_and_the_plan_says_so() {
    let world = world().await;
    let unbound = world.local.unbound_master.clone().unwrap();
    change_master(&world, |value| name(&unbound, value));
    let (error_type, message) = refused(&world).await;
    assert_eq!(error_type, "MASTER_REFUSED", "{message}");
    assert!(message.contains("50035"), "{message}");
    let blockers = blockers(&world).await;
    let told = |say: &String| say.contains("master credential cannot issue") && say.contains("50035");
    assert!(blockers.iter().any(told), "{blockers:?}");
}

#[tokio::test]
async fn a_key_that_is_not_of_the_account_named_gets_no_successor() {
    for (account, expected) in [
        ("desk02", "ACCOUNT_MISMATCH"),
        // OKX has no such account: it says so itself.
        ("desk99", "VENUE_REFUSED"),
        ("53888000", "VENUE_REFUSED"),
    ] {
        let world = world().await;
        change_master(&world, |value| {
            value["serves"]["prod/okx/*"]["accounts"] = json!([account]);
        });
        world.edit_current(|value| value["subaccount"] = account.into());
        let (error_type, message) = refused(&world).await;
        assert_eq!(error_type, expected, "{message}");
        assert!(message.contains("`subaccount`"), "{message}");
    }
}

#[tokio::test]
async fn a_key_of_another_account_is_no_candidate_and_one_of_its_own_is() {
    for (uid, accepted) in [(SUB_ACCOUNT + 1, false), (SUB_ACCOUNT, true)] {
        let world = world().await;
        let mut value = world.current();
        name(&key_of(&world, uid), &mut value);
        world.put(OFFERED, &value.to_string(), "CANDIDATE");
        if accepted {
            world.open_rotation(TOKEN);
            assert_eq!(world.rotate().await[0], "copied");
            assert_eq!(world.current()["api_key"], value["api_key"]);
            assert_eq!(world.current()["passphrase"], value["passphrase"]);
        } else {
            let before = world.current();
            let (error_type, message) = refused(&world).await;
            assert_eq!(error_type, "OFFER_REFUSED", "{message}");
            assert!(message.contains("account desk01"), "{message}");
            assert_eq!(world.current(), before);
        }
    }
}

/// The sub-account of demo trading, and its name.
const DEMO: (u64, &str) = (SUB_ACCOUNT + 9, "demo01");

/// A world whose secret and master credential name keys of demo trading, in this environment.
async fn world_of_demo(environment: &str) -> World {
    let world = world().await;
    let parent = PARENT + 9;
    let master = world.venue(|model, now| {
        model.add_parent_account(parent, Environment::Demo);
        model.add_sub_account(parent, DEMO.0).unwrap();
        model.name_account(DEMO.0, DEMO.1).unwrap();
        let here = Ips::only(["127.0.0.1".parse().unwrap()]);
        model.add_master_key(parent, here, now).unwrap()
    });
    change_master(&world, |value| {
        name(&master, value);
        value["environment"] = environment.into();
        value["serves"]["prod/okx/*"]["accounts"] = json!([DEMO.1]);
    });
    let key = key_of(&world, DEMO.0);
    world.edit_current(|value| {
        name(&key, value);
        value["subaccount"] = DEMO.1.into();
        value["environment"] = environment.into();
    });
    world
}

#[tokio::test]
async fn a_key_of_demo_trading_is_rotated_there_and_unknown_elsewhere() {
    let world = world_of_demo("mainnet").await;
    let (error_type, message) = refused(&world).await;
    assert_eq!(error_type, "MASTER_REFUSED", "{message}");
    assert!(message.contains("50101"), "{message}");

    let world = world_of_demo("demo").await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    let keys = world.venue(|model, _| model.keys());
    let (newest, current) = (keys.last().unwrap(), world.current_key());
    assert_eq!((newest.uid, newest.key.as_str()), (DEMO.0, current.as_str()));
}
