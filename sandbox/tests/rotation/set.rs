use protocol::audit::Action;
use protocol::marker::Marker;
use protocol::rotation::{Done, Step};
use sandbox::in_process::kind::PLAIN_COARSE;
use sandbox::in_process::{Fault, OTHER_SUB};

use super::*;

/// What a person changes on a key.
type Change = fn(&mut Settings);

#[test]
fn a_plain_set_changes_nothing() {
    let world = world();
    let token = created(&world);
    world.take_calls();
    done(world.run(Step::Set, &token), Done::Agreed);
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_pending_key_given_more_by_hand_is_refused_until_set_takes_it_away() {
    let withdraw = |settings: &mut Settings| {
        settings.permissions = Permissions::of(&[SPOT, ("Wallet", &["AccountTransfer", "Withdraw"])]);
    };
    let options = |settings: &mut Settings| {
        settings.permissions = Permissions::of(&[SPOT, OPTIONS]);
    };
    let unknown =
        |settings: &mut Settings| settings.permissions = Permissions::of(&[SPOT, ("Teleport", &["Beam"])]);
    let unbound = |settings: &mut Settings| settings.ips = Ips::Any;
    let elsewhere = |settings: &mut Settings| {
        settings.ips = Ips::only([
            BOT_ADDRESS,
            FUNCTION_ADDRESS,
            std::net::Ipv4Addr::new(192, 0, 2, 66).into(),
        ]);
    };
    let cases: [(Change, &str); 5] = [
        (withdraw, "Wallet:AccountTransfer, Wallet:Withdraw"),
        (options, "options"),
        (unknown, "Teleport:Beam"),
        (unbound, "be used from any"),
        (elsewhere, "192.0.2.66"),
    ];
    for (hand, named) in cases {
        let world = world_of(FULL);
        let token = created(&world);
        let key = key_in(&world, &token);
        let intended = world.settings_of(&key);
        done(world.run(Step::Set, &token), Done::Agreed);
        world.edit_key(&key, hand);
        world.take_calls();
        for step in [Step::Test, Step::Finish] {
            let said = refused(world.run(step, &token), ErrorType::PendingTooPowerful);
            assert!(said.contains(named), "{step}: {said}");
        }
        assert_eq!(world.take_writes(), [], "neither step changes anything");
        assert_eq!(world.holder("AWSCURRENT"), Some(world.first_version()));
        done(world.run(Step::Set, &token), Done::Agreed);
        assert_eq!(world.take_writes(), [Operation::Edit]);
        assert_eq!(world.settings_of(&key), intended, "{named}");
        completes(&world, &token);
    }
}

#[test]
fn a_pending_key_given_less_by_hand_is_refused_until_set_gives_it_back() {
    let fewer = |settings: &mut Settings| settings.permissions = Permissions::of(&[OPTIONS]);
    let reading = |settings: &mut Settings| settings.read_only = true;
    let home = |settings: &mut Settings| settings.ips = Ips::only([FUNCTION_ADDRESS]);
    let cases: [(Change, ErrorType); 3] = [
        // It has options too many and spot too few: the worse comes first.
        (fewer, ErrorType::PendingTooPowerful),
        (reading, ErrorType::PendingTooWeak),
        (home, ErrorType::PendingTooWeak),
    ];
    for (hand, error_type) in cases {
        let world = world_of(FULL);
        let token = created(&world);
        let key = key_in(&world, &token);
        let intended = world.settings_of(&key);
        world.edit_key(&key, hand);
        refused(world.run(Step::Test, &token), error_type);
        refused(world.run(Step::Finish, &token), error_type);
        done(world.run(Step::Set, &token), Done::Agreed);
        assert_eq!(world.settings_of(&key), intended);
        completes(&world, &token);
    }
}

#[test]
fn keys_that_are_not_ours_are_never_touched() {
    let world = world();
    let version = |id: &str| VersionId::new(id);
    let arn = world.secret().as_str().to_owned();
    let notes = [
        String::new(),
        "x1 by hand".to_owned(),
        Marker::new(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/bybit/main-Other1",
            &version("t"),
            1,
        )
        .to_string(),
        // Ours, but for a version that nobody knows of.
        Marker::new(&arn, &version("00000000-0000-4000-8000-00000000dead"), 1).to_string(),
    ];
    let foreign: Vec<KeyId> = notes
        .into_iter()
        .map(|note| {
            world
                .key_by_hand_with(
                    SUB,
                    Settings {
                        note,
                        ..settings_by_hand(&[SPOT])
                    },
                )
                .key
        })
        .collect();
    let other = world.key_by_hand(OTHER_SUB).key;
    let before: Vec<Settings> = foreign
        .iter()
        .chain([&other])
        .map(|key| world.settings_of(key))
        .collect();
    for _ in 0..2 {
        world.advance(hours(2));
        world.rotate().unwrap();
    }
    for (key, settings) in foreign.iter().chain([&other]).zip(before) {
        assert!(world.alive(key), "{}", settings.note);
        assert_eq!(world.settings_of(key), settings);
    }
    assert!(
        world
            .take_records()
            .iter()
            .all(|record| !matches!(record.action, Action::EditKey | Action::RevokeKey))
    );
}

#[test]
fn only_keys_of_the_same_token_are_revoked_by_set() {
    let world = world();
    let first = world.rotate().unwrap();
    let (token, _) = unstored(&world);
    let lost = world.live_keys_for(&token);
    done(world.run(Step::Create, &token), Done::Issued);
    world.take_records();
    done(world.run(Step::Set, &token), Done::Agreed);
    let revoked: Vec<Action> = world.take_records().iter().map(|record| record.action).collect();
    assert_eq!(revoked, [Action::RevokeKey]);
    assert_eq!(
        live(&world),
        [
            world.first_key().clone(),
            key_in(&world, &first),
            key_in(&world, &token)
        ]
    );
    assert!(!world.alive(&lost[0]));
}

#[test]
fn a_revocation_whose_reply_is_lost_is_repeated_without_harm() {
    let world = world();
    let (token, _) = unstored(&world);
    done(world.run(Step::Create, &token), Done::Issued);
    world.plan(Operation::Revoke, 1, Fault::ReplyLost);
    refused(world.run(Step::Set, &token), ErrorType::VenueUnavailable);
    completes(&world, &token);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
}

/// setSecret in a world with a lost key, which somebody deletes between the list and the revocation.
fn set_where_the_lost_key_is_deleted_in_between(world: &World) -> (VersionId, Result<Done, Failure>) {
    let (token, _) = unstored(world);
    let lost = world.live_keys_for(&token);
    done(world.run(Step::Create, &token), Done::Issued);
    world.advance(minutes(6));
    let mut run = world.start(world.request(Step::Set, &token));
    let ticket = run.until(Operation::Revoke);
    world.delete_key(&lost[0]);
    run.let_through(ticket, None);
    (token, run.finish())
}

#[test]
fn a_key_that_the_venue_says_is_gone_is_revoked_without_an_error() {
    let world = world_with(Setup::at(&PLAIN_COARSE));
    let (_, ended) = set_where_the_lost_key_is_deleted_in_between(&world);
    done(ended, Done::Agreed);
}

#[test]
fn a_key_that_is_gone_unsaid_is_no_error_of_the_next_run() {
    let world = world();
    let (token, ended) = set_where_the_lost_key_is_deleted_in_between(&world);
    refused(ended, ErrorType::VenueRefused);
    completes(&world, &token);
}

#[test]
fn a_pending_key_is_not_believed_dead_before_the_venues_bound_has_passed() {
    let world = world();
    let token = created(&world);
    let made = world.now();
    world.delete_key(&key_in(&world, &token));
    refused(world.run(Step::Set, &token), ErrorType::PendingRejected);
    assert_eq!(
        world.now().duration_since(made),
        seconds(60),
        "it asked again for a minute"
    );
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    world.advance(seconds(238) - world.now().duration_since(made));
    refused(world.run(Step::Set, &token), ErrorType::PendingRejected);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);

    let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert!(said.contains("its key is dead"), "{said}");
    assert_eq!(world.holder("AWSPENDING"), None);
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    world.rotate().unwrap();
}

#[test]
fn a_pending_key_is_not_called_dead_where_the_master_is_refused_too() {
    let world = world();
    let token = created(&world);
    world.advance(hours(1));
    world.delete_key(&key_in(&world, &token));
    world.delete_key(world.master_key());
    let said = refused(world.run(Step::Set, &token), ErrorType::MasterRefused);
    assert!(said.contains("signed with the master credential"), "{said}");
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    assert_eq!(
        world
            .take_writes()
            .iter()
            .filter(|operation| **operation != Operation::Issue)
            .count(),
        1,
        "the first Put alone"
    );
}

#[test]
fn a_host_that_changes_between_list_and_rejection_dooms_nothing() {
    let world = world();
    let token = created(&world);
    world.advance(hours(1));
    let mut run = world.start(world.request(Step::Set, &token));
    let list = run.until(Operation::List);
    // The pending key is on the page that is missing.
    run.let_through(list, Some(Fault::PageMissing));
    let inspect = run.until(Operation::Inspect);
    world.venue(|model, _| model.knobs.wrong_host = true);
    run.let_through(inspect, None);
    refused(run.finish(), ErrorType::PendingRejected);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    world.venue(|model, _| model.knobs.wrong_host = false);
    world.pass(&token).expect("the rotation goes on");
}

#[test]
fn an_answer_that_says_nothing_dooms_nothing() {
    for fault in [Fault::Dropped, Fault::Throttled, Fault::Refused, Fault::Denied] {
        let world = world();
        let token = created(&world);
        world.advance(hours(1));
        world.delete_key(&key_in(&world, &token));
        world.plan(Operation::Inspect, 1, fault);
        let failure = world.run(Step::Set, &token).expect_err("the key is dead");
        assert_ne!(failure.error_type(), Some(ErrorType::VersionDoomed), "{fault:?}");
        assert_eq!(world.labels(&token), ["AWSPENDING"], "{fault:?}");
    }
}

#[test]
fn a_pending_key_that_has_expired_dooms_its_version() {
    let world = world_of(&value(r#","policy":{"ip_allowlist":"any"}"#));
    let token = created(&world);
    world.advance(hours(91 * 24));
    let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert!(said.contains("expired"), "{said}");
    world.rotate().unwrap();
}

#[test]
fn an_edit_that_fails_is_an_error_and_nothing_is_promoted() {
    let world = world();
    let token = created(&world);
    let key = key_in(&world, &token);
    world.grant(&key, &[SPOT, TRANSFERS]);
    world.plan(Operation::Edit, 1, Fault::Dropped);
    refused(world.run(Step::Set, &token), ErrorType::VenueUnavailable);
    refused(world.run(Step::Finish, &token), ErrorType::PendingTooPowerful);
    completes(&world, &token);
}

#[test]
fn an_edit_that_the_venue_refuses_for_good_gives_the_version_up() {
    let world = world_of(FULL);
    let token = created(&world);
    world.edit_key(&key_in(&world, &token), |settings| {
        settings.ips = Ips::only([BOT_ADDRESS]);
    });
    world.venue(|model, _| model.knobs.no_edits = true);
    let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert!(said.contains("does not let its key have"), "{said}");
    assert!(world.holder("AWSPENDING").is_none());
    world.rotate().expect("the next rotation issues by the policy");
}

/// The venue took the edit and shows it half a minute later.
#[test]
fn an_edit_that_shows_late_does_not_cost_the_version() {
    let world = world();
    let token = created(&world);
    world.advance(hours(1));
    let key = key_in(&world, &token);
    world.grant(&key, &[SPOT, TRANSFERS]);
    world.advance(hours(1));
    world.venue(|model, _| {
        model.knobs.edit_delay = seconds(30);
        model.knobs.listings_lag = true;
    });
    drop(world.run(Step::Set, &token));
    assert!(
        !world
            .settings_of(&key)
            .permissions
            .grants("Wallet", "AccountTransfer"),
        "it was edited down"
    );
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    world.advance(seconds(60));
    completes(&world, &token);
}

#[test]
fn a_list_without_the_pending_key_is_not_believed_about_other_keys() {
    let world = world();
    let (token, _) = unstored(&world);
    world.advance(seconds(1));
    done(world.run(Step::Create, &token), Done::Issued);
    let [lost, stored] = <[KeyId; 2]>::try_from(world.live_keys_for(&token)).unwrap();
    for lists in [1, 2, 40] {
        let world = world.fork();
        let before = world.now();
        world.plan_all(Operation::List, 1..=lists, Fault::PageMissing);
        let result = world.run(Step::Set, &token);
        let asked_for = world.now().duration_since(before);
        if lists < 40 {
            done(result, Done::Agreed);
            assert_eq!(asked_for, seconds(if lists == 1 { 0 } else { 2 }));
            assert_eq!(world.live_keys_for(&token), std::slice::from_ref(&stored));
        } else {
            let problem = refused(result, ErrorType::VenueUnavailable);
            assert!(problem.contains("not complete"), "{problem}");
            assert_eq!(asked_for, seconds(60));
            assert_eq!(
                world.live_keys_for(&token),
                [lost.clone(), stored.clone()],
                "nothing is done on such a list"
            );
        }
    }
}

#[test]
fn a_key_that_still_shows_what_was_taken_from_it_is_given_up_once_old() {
    let late = seconds(120);
    for (age, error_type) in [
        (late, ErrorType::PendingTooPowerful),
        (hours(1), ErrorType::VersionDoomed),
    ] {
        let world = world();
        let good = world.rotate().unwrap();
        world.rotate().unwrap();
        world.label("ROLLBACK", Some(&good));
        let token = copied(&world);
        world.grant(&key_in(&world, &token), &[SPOT, TRANSFERS]);
        world.advance(age);
        world.venue(|model, _| {
            model.knobs.edit_delay = late;
            model.knobs.listings_lag = true;
        });
        let before = world.now();
        let said = refused(world.run(Step::Set, &token), error_type);
        assert!(said.contains("Wallet:AccountTransfer"), "{said}");
        assert_eq!(world.now().duration_since(before), seconds(60));
        if error_type == ErrorType::VersionDoomed {
            assert!(said.contains("can't be edited down"), "{said}");
            assert_eq!(world.holder("AWSPENDING"), None);
        } else {
            assert_eq!(world.labels(&token), ["AWSPENDING"]);
            world.advance(late);
            completes(&world, &token);
        }
    }
}

#[test]
fn a_pending_key_given_more_by_hand_is_set_right_once_a_list_shows_it() {
    let world = world();
    let token = created(&world);
    let key = key_in(&world, &token);
    let intended = world.settings_of(&key);
    world.grant(&key, &[SPOT, TRANSFERS]);
    world.plan(Operation::List, 1, Fault::PageMissing);
    done(world.run(Step::Set, &token), Done::Agreed);
    assert!(world.plan_is_done());
    assert_eq!(world.settings_of(&key), intended);
    completes(&world, &token);
}
