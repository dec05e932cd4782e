use protocol::rotation::Step;
use sandbox::in_process::PARENT;

use super::*;

/// Every step is refused like this, and nothing is written.
#[track_caller]
fn every_step_refused(world: &World, token: &VersionId, error_type: ErrorType) {
    world.take_calls();
    for step in Step::ALL {
        refused(world.run(step, token), error_type);
    }
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_secret_that_is_to_be_deleted_is_left_alone() {
    let world = world();
    let token = created(&world);
    world.delete_secret(world.secret());
    every_step_refused(&world, &token, ErrorType::SecretDeleted);
}

#[test]
fn a_secret_whose_rotation_is_off_is_left_alone() {
    let world = world();
    let token = created(&world);
    world.switch_off();
    every_step_refused(&world, &token, ErrorType::RotationDisabled);
}

#[test]
fn a_secret_of_another_function_is_left_alone_and_an_alias_is_no_other() {
    let mut world = world();
    let token = created(&world);
    world.0.function_arn.push_str("-2");
    every_step_refused(&world, &token, ErrorType::WrongFunction);
    world.0.function_arn = format!("{}:live", sandbox::in_process::FUNCTION_ARN);
    completes(&world, &token);
}

#[test]
fn a_token_that_is_no_version_is_refused() {
    let world = world();
    every_step_refused(
        &world,
        &VersionId::new("00000000-0000-4000-8000-00000000beef"),
        ErrorType::VersionUnknown,
    );
}

#[test]
fn a_version_that_is_not_pending_is_refused() {
    let world = world();
    let token = created(&world);
    world.label("other", Some(&token));
    world.label("AWSPENDING", None);
    every_step_refused(&world, &token, ErrorType::VersionNotPending);
}

#[test]
fn a_version_that_was_current_once_is_not_made_current_again() {
    let world = world();
    let first = world.rotate().unwrap();
    world.rotate().unwrap();
    every_step_refused(&world, &first, ErrorType::VersionDoomed);
}

#[test]
fn a_secret_that_does_not_exist_is_refused() {
    let world = world();
    let token = world.begin_rotation();
    for step in Step::ALL {
        let mut request = world.request(step, &token);
        request.secret = protocol::name::SecretId::parse("prod/bybit/none").unwrap();
        let said = refused(world.start(request).finish(), ErrorType::SecretNotFound);
        assert!(
            said.contains("prod/bybit/***") && !said.contains("none"),
            "{said}"
        );
    }
}

#[test]
fn a_value_that_is_no_usable_credential_is_refused_without_being_quoted() {
    let cases = [
        ("hunter2", "not a JSON object"),
        ("{}", "`api_key` is missing"),
        (r#"{"api_key":"<key>"}"#, "`api_secret` is missing"),
        (r#"{"api_key":"<key>","api_secret":""}"#, "`api_secret` is empty"),
        (
            r#"{"api_key":"<key>","api_secret":"<secret>","secret":"hunter2"}"#,
            "`secret`",
        ),
        (
            r#"{"api_key":"<key>","api_secret":"<secret>","api_key":"hunter2"}"#,
            "`api_key` stands twice",
        ),
        (
            r#"{"api_key":"<key>","api_secret":"<secret>","policy":{"permissions":["withdraw"]}}"#,
            "moves funds",
        ),
        (
            r#"{"api_key":"<key>","api_secret":"<secret>","policy":{"ip_allowlist":["0.0.0.0/0"]}}"#,
            "ip_allowlist",
        ),
        (
            r#"{"api_key":"<key>","api_secret":"<secret>","policy":{"permisions":["spot"]}}"#,
            "permisions",
        ),
        (
            r#"{"api_key":"<key>","api_secret":"<secret>","rotation":{"token":"x"}}"#,
            "`rotation`",
        ),
    ];
    for (document, named) in cases {
        let world = world_of(document);
        let token = world.begin_rotation();
        let said = refused(world.run(Step::Create, &token), ErrorType::ValueInvalid);
        assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
        assert_eq!(world.take_writes(), [], "{document}");
        assert_eq!(world.labels(&token), ["AWSPENDING"]);
    }
}

#[test]
fn a_key_of_the_secret_that_cannot_be_used_is_said_to_be_that() {
    let world = world();
    let token = world.begin_rotation();
    world.set_kms_key_usable(false);
    let said = refused(world.run(Step::Create, &token), ErrorType::KmsDenied);
    assert!(said.contains("KMS key"), "{said}");
    assert_eq!(world.take_writes(), []);
    world.set_kms_key_usable(true);
    world.pass(&token).unwrap();
}

#[test]
fn a_value_whose_successor_may_not_fit_is_refused_before_a_key_is_issued() {
    let world = world_of(&value(&format!(r#","notes":"{}""#, "x".repeat(60_000))));
    issues_nothing(&world, ErrorType::ValueInvalid);
}

#[test]
fn a_key_of_nowhere_we_know_is_refused() {
    let cases = [
        ("prod/bybit/main", r#","exchange":"mtgox""#, "mtgox"),
        ("prod/bybit/main", r#","environment":"nl""#, "nl"),
        (
            "prod/bybit/main",
            r#","environment":"moon""#,
            "`moon` is not known",
        ),
        ("trading-bot/bybit/credentials", "", "`environment`"),
        ("my-key", r#","environment":"mainnet""#, "`exchange`"),
    ];
    for (name, fields, named) in cases {
        let world = world_with(Setup {
            name: name.to_owned(),
            document: value(fields),
            ..Setup::default()
        });
        let said = issues_nothing(&world, ErrorType::VenueUnsupported);
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn exchange_and_environment_come_from_the_name_where_the_value_is_silent() {
    for (name, fields) in [
        ("prod/bybit/main", ""),
        ("trading-bot/bybit/credentials", r#","environment":"mainnet""#),
        ("my-key", r#","environment":"PROD","exchange":"Bybit""#),
    ] {
        let master_document = Some(MASTER.to_owned());
        let world = world_with(Setup {
            name: name.to_owned(),
            document: value(fields),
            master_document,
            ..Setup::default()
        });
        world.rotate().unwrap();
    }
}

#[test]
fn a_key_that_is_alive_in_another_environment_is_not_known_in_this_one() {
    let master_document = Some(MASTER.replace("mainnet", "testnet"));
    let document = value(&format!(r#","environment":"testnet"{SUBACCOUNT}{POLICY}"#));
    let world = world_with(Setup {
        document,
        master_document,
        ..Setup::default()
    });
    issues_nothing(&world, ErrorType::MasterRefused);
    assert!(world.alive(world.first_key()));
}

#[test]
fn a_master_that_cannot_be_used_is_named_and_nothing_is_issued() {
    let cases = [
        (None, "no secret with that name and those six characters"),
        (Some("hunter2"), "not a JSON object"),
        (Some(r#"{"api_key":"<key>"}"#), "`api_secret` is missing"),
        (
            Some(r#"{"api_key":"<key>","api_secret":"<secret>"}"#),
            "add `environment`",
        ),
        (
            Some(r#"{"environment":"mainnet","api_key":"<key>","api_secret":"<secret>","serves":[]}"#),
            "`serves`",
        ),
        (
            Some(r#"{"exchange":"okx","environment":"mainnet","api_key":"<key>","api_secret":"<secret>"}"#),
            "another exchange",
        ),
        (
            Some(r#"{"exchange":"bybit","environment":"testnet","api_key":"<key>","api_secret":"<secret>"}"#),
            "or environment",
        ),
    ];
    for (document, named) in cases {
        let world = world_with_master(document);
        let said = issues_nothing(&world, ErrorType::MasterInvalid);
        assert!(
            said.contains(named) && said.contains("masters/bybit/***") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[test]
fn a_value_that_names_no_usable_master_says_what_to_add() {
    for (field, named) in [
        ("", "add `masterarn`"),
        (
            r#","masterarn":"arn:aws:s3:::bucket""#,
            "`masterarn` is an ARN, but not",
        ),
    ] {
        let world = world_of(&format!(
            r#"{{"api_key":"<key>","api_secret":"<secret>"{field}}}"#
        ));
        let said = issues_nothing(&world, ErrorType::MasterInvalid);
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn a_master_that_the_venue_refuses_says_nothing_of_the_key_it_manages() {
    let dead: fn(&World) = |world| world.delete_key(world.master_key());
    let elsewhere: fn(&World) = |world| {
        world.edit_key(world.master_key(), |settings| {
            settings.ips = Ips::only([BOT_ADDRESS]);
        });
    };
    for spoil in [dead, elsewhere] {
        let world = world();
        let token = created(&world);
        world.label("AWSPENDING", None);
        spoil(&world);
        let next = world.begin_rotation();
        let said = refused(world.run(Step::Create, &next), ErrorType::MasterRefused);
        assert!(said.contains("signed with the master credential"), "{said}");
        assert_eq!(world.labels(&next), ["AWSPENDING"]);
        assert!(world.alive(world.first_key()) && world.alive(&key_in(&world, &token)));
    }
}

#[test]
fn a_master_with_a_wrong_secret_or_that_only_reads_is_refused() {
    let world = world_with_master(Some(&MASTER.replace("<secret>", "not-the-one")));
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::MasterRefused);
    assert_eq!(world.take_writes(), []);

    let world = self::world();
    world.edit_key(world.master_key(), |settings| settings.read_only = true);
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::MasterRefused);
    assert_eq!(live(&world), [world.first_key().clone()]);
}

#[test]
fn a_master_that_may_not_manage_keys_dooms_nothing_at_set() {
    let world = world();
    let token = created(&world);
    world.edit_key(&key_in(&world, &token), |settings| settings.ips = Ips::Any);
    world.grant(world.master_key(), &[SPOT]);
    refused(world.run(Step::Set, &token), ErrorType::MasterRefused);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    refused(world.run(Step::Finish, &token), ErrorType::PendingTooPowerful);
}

#[test]
fn a_sub_account_that_is_not_the_masters_is_refused() {
    let world = world_of(&value(&format!(r#","subaccount":"90000001"{POLICY}"#)));
    world.delete_key(world.first_key());
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::VenueRefused);
    let world = world_of(&value(&format!(r#","subaccount":"main desk"{POLICY}"#)));
    world.delete_key(world.first_key());
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::VenueRefused);
}

#[test]
fn a_master_may_spell_its_environment_in_another_way_than_the_secret() {
    let world = world_with_master(Some(
        r#"{"exchange":"bybit","environment":"prod","api_key":"<key>","api_secret":"<secret>"}"#,
    ));
    let token = created(&world);
    completes(&world, &token);
}

/// Under a prefix of their own, as is advised for masters, the names say nothing of exchange or environment.
#[test]
fn a_master_that_says_only_its_exchange_or_environment_is_held_to_that() {
    for said in [r#""exchange":"okx""#, r#""environment":"testnet""#] {
        let document = format!(r#"{{{said},"api_key":"<key>","api_secret":"<secret>"}}"#);
        let world = world_with_master(Some(&document));
        issues_nothing(&world, ErrorType::MasterInvalid);
    }
}

#[test]
fn a_master_sharing_id_or_secret_with_the_key_to_rotate_is_refused() {
    for credential in [
        r#""api_key":"<key>","api_secret":"another""#,
        r#""api_key":"another","api_secret":"<secret>""#,
    ] {
        let world = world();
        let master = world.credential(world.master_key());
        let document = format!(r#"{{{credential},"masterarn":"<master>"{SUBACCOUNT}{POLICY}}}"#);
        world.put_by_hand(&document, &master, SUB, "AWSCURRENT");
        let said = issues_nothing(&world, ErrorType::MasterInvalid);
        assert!(said.contains("very key"), "{said}");
    }
}

#[test]
fn a_key_of_a_master_account_has_no_successor_but_one_a_person_supplies() {
    let world = world();
    let key = world.key_by_hand_with(PARENT, settings_by_hand(&[SPOT]));
    world.put_by_hand(&value(POLICY), &key, PARENT, "AWSCURRENT");
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::AccountMismatch);
    assert!(
        said.contains("belongs to a master account") && said.contains("CANDIDATE"),
        "{said}"
    );
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
}
