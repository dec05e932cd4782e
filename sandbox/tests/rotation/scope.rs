//! Whoever may write a secret gets no key by what its value says: the master's value says whom it serves, or
//! a key proves it.

use sandbox::in_process::OTHER_SUB;

use super::*;

/// A world whose master's value says this of whom it serves, and whose secret this.
fn world_served(serves: &str, document: &str) -> Watched {
    let master = MASTER.replace('}', &format!(r#","serves":{serves}}}"#));
    world_with(Setup {
        master_document: Some(master),
        document: document.to_owned(),
        ..Setup::default()
    })
}

/// A world whose master's value says nothing of that.
fn world_unserved(document: &str) -> Watched {
    world_with(Setup {
        master_document: Some(MASTER.to_owned()),
        document: document.to_owned(),
        ..Setup::default()
    })
}

#[track_caller]
fn refused_for_its_scope(world: &World) -> String {
    issues_nothing(world, ErrorType::ScopeRefused)
}

#[test]
fn without_serves_the_present_key_proves_what_its_successor_gets() {
    for fields in [String::new(), POLICY.to_owned(), format!("{SUBACCOUNT}{POLICY}")] {
        world_unserved(&value(&fields)).rotate().expect("its key answers");
    }
}

#[test]
fn an_unserved_dead_key_has_no_successor_and_the_error_says_what_to_add() {
    let world = world_unserved(FULL);
    world.delete_key(world.first_key());
    let said = refused_for_its_scope(&world);
    assert!(
        said.contains("does not say whom it serves") && said.contains("add the secret's name"),
        "{said}"
    );
}

#[test]
fn without_serves_another_labelled_version_s_key_proves_the_account() {
    let world = world_unserved(FULL);
    let good = world.key_by_hand_with(SUB, settings_by_hand(&[SPOT]));
    let version = world.put_by_hand(&value(""), &good, SUB, "KEPT");
    world.delete_key(world.first_key());
    world.rotate().expect("the other key answers");
    assert_eq!(world.labels(&version), ["KEPT"]);
}

#[test]
fn without_serves_a_policy_beyond_the_present_key_is_refused() {
    for policy in [
        r#","policy":{"permissions":["spot","options"]}"#,
        r#","policy":{"ip_allowlist":["198.51.100.1"]}"#,
        r#","policy":{"ip_allowlist":"any"}"#,
    ] {
        refused_for_its_scope(&world_unserved(&value(policy)));
    }
}

/// The writer's own key is garbage, and what the value says of account and master is another desk's.
#[test]
fn a_value_that_names_another_account_gets_no_key_of_it() {
    let garbage = concat!(
        r#"{"api_key":"garbage","api_secret":"garbage","masterarn":"<master>","#,
        r#""subaccount":"<account>","policy":{"permissions":["spot"],"ip_allowlist":"any"}}"#
    );
    let of_another =
        r#"{"prod/bybit/other":{"accounts":["53888000"],"permissions":["spot"],"ip_allowlist":"any"}}"#;
    for world in [world_unserved(garbage), world_served(of_another, garbage)] {
        refused_for_its_scope(&world);
        assert_eq!(live(&world), [world.first_key().clone()], "no key was issued");
    }
}

#[test]
fn a_key_that_was_issued_for_another_secret_proves_nothing_here() {
    let world = world_unserved(FULL);
    let token = world.rotate().expect("the victim's rotation");
    let stolen = world.credential(&key_in(&world, &token));
    let thief = world.add_secret("prod/bybit/thief", FULL, &stolen, SUB);
    let keys = live(&world).len();
    let begun = world.try_begin_rotation_of(&thief).expect("a rotation begins");
    let run = world
        .start(world.request_of(&thief, Step::Create, &begun))
        .finish();
    refused(run, ErrorType::ScopeRefused);
    assert_eq!(live(&world).len(), keys);
}

#[test]
fn an_entry_is_a_ceiling_for_powers_and_addresses() {
    let entry = |more: &str| format!(r#"{{"prod/bybit/*":{{"accounts":["53888000"]{more}}}}}"#);
    let spot = r#","permissions":["spot"],"ip_allowlist":["203.0.113.0/24"]"#;
    for (fields, fits) in [
        (
            r#","policy":{"permissions":["spot"],"ip_allowlist":["203.0.113.7"]}"#,
            true,
        ),
        (
            r#","policy":{"permissions":["read","spot"],"ip_allowlist":["203.0.113.7","203.0.113.8"]}"#,
            true,
        ),
        (
            r#","policy":{"permissions":["spot","options"],"ip_allowlist":["203.0.113.7"]}"#,
            false,
        ),
        (
            r#","policy":{"permissions":["spot"],"ip_allowlist":["198.51.100.1"]}"#,
            false,
        ),
        (
            r#","policy":{"permissions":["spot"],"ip_allowlist":"any"}"#,
            false,
        ),
    ] {
        let world = world_served(&entry(spot), &value(&format!("{SUBACCOUNT}{fields}")));
        world.delete_key(world.first_key());
        if fits {
            world.rotate().unwrap_or_else(|error| panic!("{fields}: {error}"));
        } else {
            let said = refused_for_its_scope(&world);
            assert!(said.contains("no entry in `serves`"), "{said}");
        }
    }
}

#[test]
fn what_an_entry_leaves_out_is_no_more_than_the_key_before() {
    let entry = r#"{"*":{"accounts":["53888000"]}}"#;
    world_served(entry, &value(""))
        .rotate()
        .expect("no more than the key before");
    refused_for_its_scope(&world_served(
        entry,
        &value(r#","policy":{"permissions":["spot","options"]}"#),
    ));
    let world = world_served(entry, FULL);
    world.delete_key(world.first_key());
    refused_for_its_scope(&world);
}

#[test]
fn one_entry_has_to_cover_a_request_whole() {
    let halves = concat!(
        r#"{"prod/*":{"accounts":["53888000"],"permissions":["spot"],"ip_allowlist":["198.51.100.1"]},"#,
        r#""*":{"accounts":["53888000"],"permissions":["options"],"ip_allowlist":"any"}}"#
    );
    let world = world_served(
        halves,
        &value(r#","policy":{"permissions":["spot"],"ip_allowlist":"any"}"#),
    );
    refused_for_its_scope(&world);
}

/// Whoever may write the secret stores a pending value that would widen a key of its own.
#[test]
fn a_forged_pending_value_widens_no_key() {
    let world = world_served(r#"{"*":{"accounts":["53888000"]}}"#, FULL);
    let issued = world.rotate().expect("a rotation");
    let mut forged = world.document(&issued);
    let (token, _) = unstored(&world);
    forged["api_key"] = world.live_keys_for(&token).remove(0).as_str().into();
    forged["rotation"]["token"] = token.as_str().into();
    forged["rotation"]["based_on"] = issued.as_str().into();
    forged["rotation"]["permissions"] = serde_json::json!(["options", "spot"]);
    forged["rotation"]["ip_allowlist"] = "any".into();
    world.put_value(world.secret(), &token, &forged.to_string(), &["AWSPENDING"]);
    refused(world.run(Step::Set, &token), ErrorType::ScopeRefused);
    let key = key_in(&world, &token);
    assert_ne!(world.settings_of(&key).ips, Ips::Any);
}

#[test]
fn a_key_of_another_account_proves_its_own_account_alone() {
    let world = world_unserved(FULL);
    let elsewhere = world.key_by_hand(OTHER_SUB);
    world.put_by_hand(&value(""), &elsewhere, OTHER_SUB, "KEPT");
    world.delete_key(world.first_key());
    refused_for_its_scope(&world);
}
