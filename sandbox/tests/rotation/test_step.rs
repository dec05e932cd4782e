use protocol::rotation::{Done, Step};
use sandbox::in_process::OTHER_SUB;
use sandbox::secrets_manager::{Knobs, TestLeftover};
use sandbox::venue::{self, Reason};

use super::*;

/// Secrets Manager's dry run: testSecret alone, on a copy of the current value.
fn dry_run(world: &World) -> Result<Done, Failure> {
    world.begin_dry_run_of(world.secret()).expect("a dry run begins");
    world.run_due().expect("testSecret is due")
}

#[test]
fn a_dry_run_passes_and_changes_nothing() {
    for rotated_before in [false, true] {
        let world = world();
        if rotated_before {
            world.rotate().unwrap();
        }
        let (labels, keys) = (world.of_secret(|secret| secret.labels().clone()), live(&world));
        world.take_calls();
        done(dry_run(&world), Done::Proven);
        assert_eq!(
            world.take_operations(),
            [Operation::Describe, Operation::ReadVersion, Operation::Inspect]
        );
        assert_eq!(world.of_secret(|secret| secret.labels().clone()), labels);
        assert_eq!(live(&world), keys);
    }
}

#[test]
fn a_dry_run_of_a_value_with_nothing_but_a_credential_passes() {
    let world = world_of(r#"{"api_key":"<key>","secret":"<secret>"}"#);
    done(dry_run(&world), Done::Proven);
}

#[test]
fn a_dry_run_refuses_current_keys_too_powerful_dead_or_on_other_accounts() {
    for (group, named) in [
        (("Wallet", "AccountTransfer"), "Wallet:AccountTransfer"),
        (("Teleport", "Beam"), "Teleport:Beam"),
    ] {
        let key = settings_by_hand(&[SPOT, (group.0, &[group.1])]);
        let world = world_with(Setup {
            key,
            ..Setup::default()
        });
        let said = refused(dry_run(&world), ErrorType::PendingTooPowerful);
        assert!(said.contains(named), "{said}");
    }
    let world = world_of(&value(&format!(r#","subaccount":"{OTHER_SUB}""#)));
    refused(dry_run(&world), ErrorType::AccountMismatch);
    let world = self::world();
    world.delete_key(world.first_key());
    refused(dry_run(&world), ErrorType::PendingRejected);
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_version_a_dry_run_leaves_is_given_up_and_the_next_rotation_succeeds() {
    let knobs = Knobs {
        test_leftover: TestLeftover::PendingVersion,
        ..Knobs::default()
    };
    let world = world_with(Setup {
        secrets_manager: knobs,
        ..Setup::default()
    });
    done(dry_run(&world), Done::Proven);
    let leftover = world.holder("AWSPENDING").expect("the dry run left its version");
    let blocked = world.try_begin_rotation().unwrap_err();
    assert!(blocked.message.contains("A previous rotation isn't complete"));
    // The service takes it up again as if it were a rotation.
    let said = refused(world.run_due().unwrap(), ErrorType::VersionDoomed);
    assert!(
        said.contains("it names the key that is current already"),
        "{said}"
    );
    assert_eq!(
        world.labels(&leftover),
        ["CONDEMNED-20260301T120000Z-".to_owned() + &leftover.short()]
    );
    assert!(world.alive(world.first_key()));
    let token = world.rotate().unwrap();
    assert_eq!(live(&world), [world.first_key().clone(), key_in(&world, &token)]);
}

#[test]
fn test_changes_nothing_even_where_there_is_much_to_do() {
    let world = world();
    new_current_by_hand(&world);
    let (token, _) = unstored(&world);
    done(world.run(Step::Create, &token), Done::Issued);
    // The stamp that createSecret made is gone again, and a lost key is there.
    world.label("REPLACED-20260301T120000Z-00000000", None);
    let before = (world.of_secret(|secret| secret.labels().clone()), live(&world));
    world.take_calls();
    world.take_records();
    done(world.run(Step::Test, &token), Done::Proven);
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.take_records(), []);
    assert_eq!(
        (world.of_secret(|secret| secret.labels().clone()), live(&world)),
        before
    );
}

#[test]
fn test_does_not_doom_what_it_refuses() {
    let world = world();
    let token = created(&world);
    world.advance(hours(1));
    world.delete_key(&key_in(&world, &token));
    world.take_calls();
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    refused(world.run(Step::Finish, &token), ErrorType::PendingRejected);
    assert_eq!(world.take_writes(), []);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
}

/// A world in which a new key is unknown for this long.
fn world_that_propagates(delay: SignedDuration, reason: Reason) -> Watched {
    let knobs = venue::Knobs {
        new_key_delay: delay,
        new_key_reason: reason,
        rate_limits: false,
        ..venue::Knobs::default()
    };
    let world = world_with(Setup {
        venue: knobs,
        ..Setup::default()
    });
    world.advance(hours(1));
    world
}

#[test]
fn a_new_key_is_waited_for_until_the_venue_knows_it() {
    for reason in [Reason::InvalidKey, Reason::NotLoggedIn] {
        let world = world_that_propagates(seconds(30), reason);
        let token = created(&world);
        let before = world.now();
        done(world.run(Step::Test, &token), Done::Proven);
        assert_eq!(world.now().duration_since(before), seconds(30));
        completes(&world, &token);
    }
}

#[test]
fn a_new_key_is_waited_for_a_minute_and_no_longer() {
    let world = world_that_propagates(seconds(200), Reason::InvalidKey);
    let token = created(&world);
    let before = world.now();
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    assert_eq!(world.now().duration_since(before), seconds(60));
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    // The replays that Secrets Manager makes get through.
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    done(world.run(Step::Test, &token), Done::Proven);
    completes(&world, &token);
}

#[test]
fn waiting_ends_before_the_invocation_does() {
    let mut world = world_that_propagates(seconds(200), Reason::InvalidKey);
    let token = created(&world);
    world.0.timeout = seconds(20);
    let before = world.now();
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    let waited = world.now().duration_since(before);
    assert!(waited <= seconds(19), "{waited:#}");
}

#[test]
fn an_old_key_is_not_waited_for() {
    let world = world();
    let token = created(&world);
    world.advance(minutes(5));
    world.delete_key(&key_in(&world, &token));
    let before = world.now();
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    assert_eq!(world.now(), before);
}

#[test]
fn a_key_that_may_not_be_used_from_here_is_told_apart_from_a_dead_one() {
    let mut world = world();
    world.0.settings.egress.clear();
    let token = created(&world);
    let said = refused(world.run(Step::Test, &token), ErrorType::PendingDenied);
    assert!(said.contains("signed with the pending credential"), "{said}");
}

#[test]
fn a_function_whose_clock_is_off_takes_a_future_key_for_a_young_one() {
    let world = world_that_propagates(seconds(10), Reason::InvalidKey);
    world.set_function_ahead(seconds(45));
    let token = created(&world);
    world.set_function_ahead(seconds(-45));
    done(world.run(Step::Test, &token), Done::Proven);
}

#[test]
fn a_pending_version_without_a_value_is_not_tested() {
    let world = world();
    let token = world.begin_rotation();
    for step in [Step::Set, Step::Test, Step::Finish] {
        refused(world.run(step, &token), ErrorType::PendingEmpty);
    }
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_value_is_not_looked_for_again_in_the_last_moment_of_a_run() {
    let mut world = world();
    let token = world.begin_rotation();
    world.0.timeout = seconds(1);
    refused(world.run(Step::Test, &token), ErrorType::PendingEmpty);
    assert_eq!(
        world.take_operations(),
        [Operation::Describe, Operation::ReadVersion]
    );
}
