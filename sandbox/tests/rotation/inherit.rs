use protocol::rotation::{Done, Step};
use sandbox::in_process::OTHER_SUB;
use serde_json::json;

use super::*;

type Powers<'a> = &'a [Power<'a>];

/// What the successor of a key without a policy may do, by its rotation field and at the venue.
#[track_caller]
fn inherited(read_only: bool, powers: Powers<'_>) -> (serde_json::Value, Settings) {
    let key = Settings {
        read_only,
        ..settings_by_hand(powers)
    };
    let world = world_with(Setup {
        document: value(""),
        key,
        ..Setup::default()
    });
    let token = created(&world);
    let rotation = world.document(&token)["rotation"].clone();
    completes(&world, &token);
    (
        rotation["permissions"].clone(),
        world.settings_of(&key_in(&world, &token)),
    )
}

#[test]
fn without_a_policy_a_key_inherits_what_its_predecessor_may_do() {
    let cases: &[(bool, Powers<'_>, &[&str], Powers<'_>)] = &[
        (false, &[SPOT], &["read", "spot"], &[SPOT]),
        (
            false,
            &[
                ("ContractTrade", &["Order"]),
                ("Derivatives", &["DerivativesTrade"]),
            ],
            &["derivatives:Order", "read"],
            &[
                ("ContractTrade", &["Order"]),
                ("Derivatives", &["DerivativesTrade"]),
            ],
        ),
        (
            true,
            &[SPOT, OPTIONS],
            &["read:Options.OptionsTrade", "read:Spot.SpotTrade"],
            &[SPOT, OPTIONS],
        ),
        (
            false,
            &[("Derivatives", &["DerivativesTrade"])],
            &["derivatives", "read"],
            &[TRADES, ("Derivatives", &["DerivativesTrade"])],
        ),
        (
            false,
            &[("Earn", &["Earn"]), ("Exchange", &["ExchangeHistory"])],
            &["convert", "earn", "read"],
            &[("Earn", &["Earn"]), ("Exchange", &["ExchangeHistory"])],
        ),
    ];
    for (read_only, before, words, after) in cases {
        let (permissions, key) = inherited(*read_only, before);
        assert_eq!(permissions, json!(words), "{before:?}");
        assert_eq!(
            (key.read_only, key.permissions),
            (*read_only, Permissions::of(after)),
            "{before:?}"
        );
    }
}

#[test]
fn what_moves_funds_and_what_nobody_knows_is_not_inherited() {
    for more in [
        ("Wallet", "AccountTransfer"),
        ("Wallet", "Withdraw"),
        ("Teleport", "Beam"),
        ("Spot", "SpotMining"),
    ] {
        let (permissions, key) = inherited(false, &[SPOT, (more.0, &[more.1])]);
        assert_eq!(permissions, json!(["read", "spot"]), "{more:?}");
        assert_eq!(key.permissions, Permissions::of(&[SPOT]), "{more:?}");
    }
}

#[test]
fn a_key_that_may_do_nothing_we_grant_has_no_successor_without_a_policy() {
    let key = settings_by_hand(&[TRANSFERS]);
    let world = world_with(Setup {
        document: value(""),
        key,
        ..Setup::default()
    });
    let said = issues_nothing(&world, ErrorType::CurrentUnusable);
    assert!(said.contains("policy.permissions"), "{said}");
}

#[test]
fn a_policy_decides_alone_what_the_key_may_do() {
    let policy = r#","policy":{"permissions":["options"],"ip_allowlist":["198.51.100.1"]}"#;
    let world = world_of(&value(policy));
    let token = created(&world);
    let rotation = &world.document(&token)["rotation"];
    assert_eq!(rotation["permissions"], json!(["options"]));
    assert_eq!(rotation["ip_allowlist"], json!(["198.51.100.1", "52.1.2.3"]));
    completes(&world, &token);
    let key = world.settings_of(&key_in(&world, &token));
    assert_eq!(key.permissions, Permissions::of(&[OPTIONS]));
    assert_eq!(key.ips.shown(), ["198.51.100.1", "52.1.2.3"]);
}

#[test]
fn a_policy_of_reading_gives_a_key_that_reads_all_and_writes_nothing() {
    let world = world_of(&value(r#","policy":{"permissions":["read"]}"#));
    let token = created(&world);
    assert_eq!(world.document(&token)["rotation"]["permissions"], json!(["read"]));
    completes(&world, &token);
    let key = world.settings_of(&key_in(&world, &token));
    assert!(key.read_only);
    for (group, part) in [
        ("ContractTrade", "Order"),
        ("Spot", "SpotTrade"),
        ("Options", "OptionsTrade"),
        ("Earn", "Earn"),
    ] {
        assert!(key.permissions.grants(group, part), "{group}");
    }
    assert!(!key.permissions.grants("Wallet", "AccountTransfer"));
}

#[test]
fn a_key_inherits_its_predecessors_addresses_and_gets_the_functions_own() {
    let key = Settings {
        ips: Ips::only([BOT_ADDRESS]),
        ..settings_by_hand(&[SPOT])
    };
    let world = world_with(Setup {
        document: value(SUBACCOUNT),
        key,
        ..Setup::default()
    });
    // The current key may not be used from here: what it may do is on the account's list.
    let token = created(&world);
    assert_eq!(
        world.document(&token)["rotation"]["ip_allowlist"],
        json!(["203.0.113.7", "52.1.2.3"])
    );
    completes(&world, &token);
}

#[test]
fn a_key_usable_from_anywhere_is_refused_unless_the_policy_says_any() {
    let unbound = || Settings {
        ips: Ips::Any,
        ..settings_by_hand(&[SPOT])
    };
    let with = |policy: &str| {
        world_with(Setup {
            document: value(policy),
            key: unbound(),
            ..Setup::default()
        })
    };
    for policy in ["", r#","policy":{"permissions":["spot"]}"#] {
        let world = with(policy);
        let token = world.begin_rotation();
        let said = refused(world.run(Step::Create, &token), ErrorType::KeyUnbound);
        assert!(said.contains("policy.ip_allowlist"), "{said}");
        assert_eq!(world.take_writes(), []);
    }
    let world = with(r#","policy":{"ip_allowlist":"any"}"#);
    let token = created(&world);
    assert_eq!(world.document(&token)["rotation"]["ip_allowlist"], json!("any"));
    completes(&world, &token);
    assert!(world.settings_of(&key_in(&world, &token)).ips.is_any());

    let world = with(r#","policy":{"ip_allowlist":["203.0.113.7"]}"#);
    let token = created(&world);
    completes(&world, &token);
    assert_eq!(
        world.settings_of(&key_in(&world, &token)).ips.shown(),
        ["203.0.113.7", "52.1.2.3"]
    );
}

#[test]
fn a_policy_of_any_leaves_a_key_unbound_though_its_predecessor_was_bound() {
    let world = world_of(&value(r#","policy":{"ip_allowlist":"any"}"#));
    let token = created(&world);
    completes(&world, &token);
    assert!(world.settings_of(&key_in(&world, &token)).ips.is_any());
}

#[test]
fn accounts_that_disagree_stop_everything_before_a_key_is_issued() {
    let other = format!(r#","subaccount":"{OTHER_SUB}""#);
    let world = world_of(&value(&other));
    let said = issues_nothing(&world, ErrorType::AccountMismatch);
    assert!(said.contains("53888000") && said.contains("53888001"), "{said}");
}

#[test]
fn an_account_may_be_written_as_a_number_and_in_the_other_spelling() {
    for field in [r#","subaccount":53888000"#, r#","sub_account":"53888000""#, ""] {
        let world = world_of(&value(field));
        let token = created(&world);
        assert_eq!(world.document(&token)["rotation"]["account"], json!("53888000"));
        completes(&world, &token);
    }
}

#[test]
fn a_dead_key_does_not_stand_in_the_way_of_its_own_rescue() {
    let kill: [fn(&World); 2] = [
        |world| world.delete_key(world.first_key()),
        |world| {
            world.edit_key(world.first_key(), |settings| settings.ips = Ips::Any);
            world.advance(hours(91 * 24));
        },
    ];
    for kill in kill {
        let world = world_of(FULL);
        kill(&world);
        let token = created(&world);
        completes(&world, &token);
        assert_eq!(live(&world), [key_in(&world, &token)]);
    }
}

#[test]
fn a_key_with_a_wrong_secret_is_rescued_too() {
    let document = FULL.replace("<secret>", "not-the-secret-of-this-key");
    let world = world_of(&document);
    let token = created(&world);
    completes(&world, &token);
}

#[test]
fn a_dead_key_whose_value_says_too_little_is_refused_with_what_to_add() {
    let both = ["`subaccount`", "`policy.permissions`", "`policy.ip_allowlist`"];
    let cases: [(&str, &[&str]); 4] = [
        (POLICY, &both[..1]),
        (SUBACCOUNT, &both[1..]),
        (
            r#","subaccount":"<account>","policy":{"permissions":["spot"]}"#,
            &both[2..],
        ),
        (
            r#","subaccount":"<account>","policy":{"ip_allowlist":["203.0.113.7"]}"#,
            &both[1..2],
        ),
    ];
    for (fields, named) in cases {
        let world = world_of(&value(fields));
        world.delete_key(world.first_key());
        let token = world.begin_rotation();
        let said = refused(world.run(Step::Create, &token), ErrorType::CurrentUnusable);
        for field in both {
            assert_eq!(said.contains(field), named.contains(&field), "{field}: {said}");
        }
        assert_eq!(world.take_writes(), []);
    }
}

#[test]
fn a_venue_that_gives_no_answer_about_the_current_key_is_no_dead_key() {
    use sandbox::in_process::Fault;
    for fault in [Fault::Dropped, Fault::Throttled] {
        let world = world();
        let token = world.begin_rotation();
        world.plan(Operation::Inspect, 1, fault);
        refused(world.run(Step::Create, &token), ErrorType::VenueUnavailable);
        assert_eq!(world.take_writes(), []);
        done(world.run(Step::Create, &token), Done::Issued);
    }
}

#[test]
fn a_rejected_key_leaves_nothing_to_its_successor_though_a_list_shows_it() {
    let wrong_secret = value(SUBACCOUNT).replace("<secret>", "not-the-secret-of-this-key");
    let world = world_of(&wrong_secret);
    let said = issues_nothing(&world, ErrorType::CurrentUnusable);
    assert!(
        said.contains("`policy.permissions`") && said.contains("`policy.ip_allowlist`"),
        "{said}"
    );
    assert!(world.alive(world.first_key()));
}

/// A world without a policy, where the key that a rotation issued is dead by now; its version.
fn dead_without_a_policy() -> (Watched, VersionId) {
    let world = world_with(Setup {
        document: value(""),
        key: settings_by_hand(&[SPOT]),
        ..Setup::default()
    });
    let token = world.rotate().expect("a rotation");
    world.delete_key(&key_in(&world, &token));
    world.advance(SETTLED);
    (world, token)
}

#[test]
fn a_dead_key_of_ours_keeps_nobody_from_the_way_back_nor_from_an_offer() {
    let (world, dead) = dead_without_a_policy();
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::CurrentUnusable);
    world.label("AWSPENDING", None);
    for label in ["ROLLBACK", "CANDIDATE"] {
        let world = Watched(world.fork());
        let key = match label {
            "ROLLBACK" => world.first_credential().clone(),
            _ => world.key_by_hand_with(SUB, settings_by_hand(&[SPOT])),
        };
        world.put_by_hand(&value(""), &key, SUB, label);
        let token = world.rotate().unwrap();
        assert_eq!(world.current_key(), Some(key.key));
        assert_eq!(
            world.document(&token)["rotation"]["permissions"],
            world.document(&dead)["rotation"]["permissions"]
        );
        // What may do more than the dead key was made for is no offer.
        let mighty = world.key_by_hand_with(SUB, settings_by_hand(&[SPOT, OPTIONS]));
        world.delete_key(&key_in(&world, &token));
        world.put_by_hand(&value(""), &mighty, SUB, label);
        let token = world.begin_rotation();
        refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
    }
}

#[test]
fn a_leaked_key_that_is_dead_has_a_successor_by_what_it_was_made_for() {
    let (world, dead) = dead_without_a_policy();
    world.label("COMPROMISED", Some(&dead));
    let token = world.rotate().unwrap();
    let made = |version: &VersionId| world.settings_of(&key_in(&world, version));
    assert_eq!(
        (made(&token).permissions, made(&token).ips),
        (made(&dead).permissions, made(&dead).ips)
    );
    // What another version's key was said to be does not count for this one, which somebody may have taken
    // powers from.
    world.label("COMPROMISED", Some(&dead));
    {
        let world = Watched(world.fork());
        world.delete_key(&key_in(&world, &token));
        world.advance(SETTLED);
        let next = world.begin_rotation();
        refused(world.run(Step::Create, &next), ErrorType::CurrentUnusable);
    }
    // A hand's value says nothing that counts, whatever it holds.
    let text = world.text(&token).unwrap();
    let by_hand = world.key_by_hand_with(SUB, settings_by_hand(&[SPOT]));
    let document = text.replace(key_in(&world, &token).as_str(), "<key>");
    let version = world.put_by_hand(&document, &by_hand, SUB, "AWSCURRENT");
    world.delete_key(&by_hand.key);
    world.label("COMPROMISED", Some(&version));
    world.advance(SETTLED);
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::CurrentUnusable);
}

#[test]
fn it_is_the_key_that_is_leaked_whichever_version_is_said_to_name_it() {
    let world = world_with(Setup {
        document: value(""),
        key: settings_by_hand(&[SPOT]),
        ..Setup::default()
    });
    let first = world.rotate().unwrap();
    let key = key_in(&world, &first);
    let leaked = world.credential(&key);
    // Copied from a version that neither is the leaked one nor was copied from it.
    world.rotate().unwrap();
    world.put_by_hand(&value(""), &leaked, SUB, "ROLLBACK");
    world.rotate().unwrap();
    assert_eq!(world.current_key().as_ref(), Some(&key));
    world.delete_key(&key);
    world.label("COMPROMISED", Some(&first));
    world.advance(SETTLED);
    world.rotate().unwrap();
    assert_ne!(world.current_key(), Some(key));
}
