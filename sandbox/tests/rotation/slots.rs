use protocol::marker::Marker;
use protocol::rotation::{Done, Step};
use sandbox::in_process::Fault;

use super::*;

/// A world whose sub-account has room for so many keys.
fn world_with_slots(max_keys: usize) -> Watched {
    let world = world();
    world.venue(|model, _| model.knobs.max_keys = Some(max_keys));
    world
}

#[test]
fn full_slots_are_freed_of_our_own_keys_that_were_never_stored() {
    use Operation::{Describe, Inspect, Issue, List, Put, ReadCurrent, ReadVersion, Revoke, Versions};
    let world = world_with_slots(3);
    let (token, lost) = unstored(&world);
    let by_hand = world.key_by_hand(SUB).key;
    world.advance(SETTLED);
    world.take_calls();
    done(world.run(Step::Create, &token), Done::Issued);
    let calls = world.take_operations();
    assert_eq!(
        calls[..7],
        [
            Describe,
            ReadVersion,
            ReadCurrent,
            Versions,
            ReadCurrent,
            Inspect,
            List
        ]
    );
    // Before it asks again it looks whether another run has stored a value meanwhile.
    assert_eq!(
        calls[7..],
        [Issue, Versions, ReadVersion, Revoke, ReadVersion, Issue, Put]
    );
    assert!(!world.alive(&lost));
    assert!(world.alive(&by_hand) && world.alive(world.first_key()));
    completes(&world, &token);
}

#[test]
fn keys_of_an_earlier_token_that_came_to_nothing_are_reaped_too() {
    let world = world_with_slots(2);
    let (token, lost) = unstored(&world);
    // The rotation is given up: its version stays, without a value and without a label.
    world.label("AWSPENDING", None);
    world.advance(SETTLED);
    let next = world.begin_rotation();
    done(world.run(Step::Create, &next), Done::Issued);
    assert!(!world.alive(&lost) && world.live_keys_for(&token).is_empty());
    completes(&world, &next);
}

#[test]
fn a_key_that_a_living_run_could_still_store_is_not_reaped() {
    let world = world_with_slots(2);
    let (token, lost) = unstored(&world);
    // Then the key is just as old as the bound.
    world.advance(SETTLED - seconds(1));
    let said = refused(world.run(Step::Create, &token), ErrorType::IssueRefused);
    assert!(said.contains("The account has 2 keys"), "{said}");
    assert!(world.alive(&lost));
}

#[test]
fn slots_that_are_full_of_other_keys_are_said_to_be_full() {
    let world = world_with_slots(2);
    let by_hand = world.key_by_hand(SUB).key;
    world.advance(hours(1));
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::IssueRefused);
    assert!(
        said.contains("The account has 2 keys; where its key slots are full, delete keys that are not used"),
        "{said}"
    );
    assert_eq!(
        world.take_writes(),
        [Operation::Issue],
        "it does not try again in vain"
    );
    world.delete_key(&by_hand);
    world.pass(&token).unwrap();
}

#[test]
fn keys_that_a_version_holds_are_never_reaped() {
    let world = world_with_slots(3);
    let mut versions = Vec::new();
    for _ in 0..2 {
        world.advance(hours(1));
        versions.push(world.rotate().unwrap());
    }
    // The stamps say which versions were current: taken away, they leave one without any label, which is
    // still there.
    for label in world.labels(&world.first_version()) {
        world.label(&label, None);
    }
    world.advance(hours(1));
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::IssueRefused);
    assert_eq!(live(&world).len(), 3);
    assert!(
        versions
            .iter()
            .all(|version| world.alive(&key_in(&world, version)))
    );
}

#[test]
fn another_secrets_keys_are_not_reaped() {
    let world = world_with_slots(2);
    let other = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/bybit/other-AbCdEf";
    let note = Marker::new(other, &VersionId::new("t"), 1).to_string();
    let theirs = world
        .key_by_hand_with(
            SUB,
            Settings {
                note,
                ..settings_by_hand(&[SPOT])
            },
        )
        .key;
    world.advance(hours(1));
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::IssueRefused);
    assert!(world.alive(&theirs));
}

#[test]
fn without_a_list_of_versions_only_keys_of_labelled_ones_are_reaped() {
    let world = world_with_slots(3);
    let (abandoned, kept) = unstored(&world);
    world.label("AWSPENDING", None);
    let (token, reaped) = unstored(&world);
    world.advance(SETTLED);
    world.plan(Operation::Versions, 2, Fault::Denied);
    done(world.run(Step::Create, &token), Done::Issued);
    assert!(world.alive(&kept) && !world.alive(&reaped));
    assert_eq!(world.live_keys_for(&abandoned), [kept]);
}

#[test]
fn a_version_that_cannot_be_read_keeps_its_key() {
    for fault in [Fault::Denied, Fault::Dropped, Fault::Throttled] {
        let world = world_with_slots(2);
        let (token, lost) = unstored(&world);
        world.advance(SETTLED);
        world.plan(Operation::ReadVersion, 2, fault);
        refused(world.run(Step::Create, &token), ErrorType::IssueRefused);
        assert!(world.alive(&lost), "{fault:?}");
        done(world.run(Step::Create, &token), Done::Issued);
        assert!(!world.alive(&lost));
    }
}

#[test]
fn a_master_that_may_not_issue_is_told_apart_from_full_slots() {
    let world = world();
    world.grant(world.master_key(), &[SPOT]);
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::MasterRefused);
    assert_eq!(world.take_writes(), [Operation::Issue]);
}

#[test]
fn a_venue_entity_that_issues_no_keys_says_what_to_do() {
    let world = world();
    world.venue(|model, _| model.knobs.issues_no_keys = true);
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::MasterRefused);
    assert_eq!(live(&world), [world.first_key().clone()]);
}

#[test]
fn slots_that_are_still_full_after_a_clean_up_end_the_run() {
    let world = world_with_slots(2);
    let (token, lost) = unstored(&world);
    world.advance(SETTLED);
    world.take_calls();
    world.plan(Operation::Issue, 2, Fault::Refused);
    refused(world.run(Step::Create, &token), ErrorType::IssueRefused);
    assert_eq!(
        world.take_writes(),
        [Operation::Issue, Operation::Revoke, Operation::Issue]
    );
    assert!(!world.alive(&lost));
    done(world.run(Step::Create, &token), Done::Issued);
}

/// A dry run's version goes again: here createSecret came for it, was shown no value, issued a key and died.
#[test]
fn a_gone_versions_key_is_reaped_only_if_no_version_may_have_been_purged() {
    for (versions, reaped) in [(99, true), (100, false)] {
        let world = world_with_slots(2);
        let token = world
            .begin_dry_run_of(world.secret())
            .expect("a dry run begins")
            .token;
        world.plan(Operation::ReadVersion, 1, Fault::Stale(1));
        world.plan(Operation::Issue, 1, Fault::CrashAfter);
        crashed(&world.run(Step::Create, &token));
        let lost = world.live_keys_for(&token).remove(0);
        done(world.run_due().expect("testSecret is due"), Done::Proven);
        assert!(!world.versions().contains(&token));

        world.advance(SETTLED);
        while world.versions().len() < versions - 1 {
            world.put_by_hand(&value(""), world.first_credential(), SUB, "SCRATCH");
        }
        let token = world.begin_rotation();
        assert_eq!(world.versions().len(), versions);
        // So many of one day would be too many.
        world.advance(seconds(90_000));
        let result = world.run(Step::Create, &token);
        if reaped {
            done(result, Done::Issued);
        } else {
            refused(result, ErrorType::IssueRefused);
        }
        assert_eq!(world.alive(&lost), !reaped);
    }
}
