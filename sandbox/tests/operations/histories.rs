//! Histories that broke a promise once, each by its root: found by the simulation on seeds that nobody chose.

use protocol::audit::Action;
use protocol::rotation::Step;
use sandbox::in_process::{Fault, Operation, SUB};

use super::*;

/// HONEST: what was changed is told though a look, which an answer depended on before, fails or is stale.
#[test]
fn abandon_tells_of_the_stamp_that_a_stale_look_does_not_show() {
    let world = world();
    let token = world.begin_rotation();
    // The labels before, then the look after the stamp, and the one after that failed.
    world.plan(Operation::Describe, 3, Fault::Denied);
    world.plan(Operation::Describe, 4, Fault::Stale(9));
    let answer = world.abandon();
    ended(&answer, Outcome::Failed, &[Code::NotDone]);
    assert!(
        answer.secrets[0].did[0].starts_with(&format!("labelled version {token} CONDEMNED-")),
        "{answer:#?}"
    );
}

/// HONEST: nobody is woken for a version that never had a value, once a value would be shown if there were
/// one.
#[test]
fn a_version_without_a_value_replaced_long_ago_blocks_no_revocation() {
    let world = rotated_twice();
    let empty = world.begin_rotation();
    world.make_current(&empty);
    new_current_by_hand(&world);
    world.maintain();
    world.advance(hours(25));
    // It changes nothing, so that the version keeps its labels until all that hold keys are known.
    let dry_run = world.maintain_dry();
    assert!(!found(&dry_run, Code::HolderUnreadable), "{dry_run:#?}");
    assert!(
        dry_run.secrets[0].did.iter().any(|did| did.contains("condemn")),
        "{dry_run:#?}"
    );
    settle(&world);
    assert!(
        !world.alive(&world.replaced_key),
        "its grace is over, and nothing holds it"
    );
}

/// NO-ORPHANS: a label that says nothing of a version's end keeps no key alive that was issued for it and
/// never stored.
#[test]
fn a_never_stored_key_is_revoked_whatever_labels_its_version_bears() {
    for label in ["COMPROMISED", "REVOKE_FIRST", "NOTE"] {
        let world = world();
        let (token, _) = unstored(&world);
        world.label(label, Some(&token));
        world.label("AWSPENDING", None);
        let issued = world.live_keys_for(&token);
        assert_eq!(issued.len(), 1);
        world.advance(hours(1));
        world.maintain();
        assert!(!world.alive(&issued[0]), "{label}");
    }
}

/// NO-ORPHANS: a version that was replaced may hold a person's key, and not the one that was issued for it.
#[test]
fn a_never_stored_key_is_revoked_beside_the_offer_its_version_holds() {
    let world = world();
    let (token, lost) = unstored(&world);
    world.put_key(&world.key_by_hand(SUB), "CANDIDATE");
    world.run(Step::Create, &token).expect("the offer is copied");
    world
        .run(Step::Finish, &token)
        .expect("it is promoted, and setSecret was left out");
    // The same value again, under another version: the first is replaced, and its key is current.
    world.put_by_hand(
        &world.document(&token).to_string(),
        &world.key_by_hand(SUB),
        SUB,
        "AWSCURRENT",
    );
    world.maintain();
    world.advance(hours(1));
    world.maintain();
    assert!(!world.alive(&lost), "no version names it");
}

/// NO-ORPHANS: a version that lost what counts of its labels, and kept another, is stamped, so that its key
/// has an end.
#[test]
fn a_version_that_kept_only_a_note_of_a_person_has_an_end() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.label("NOTE", Some(&world.token));
    for _ in 0..2 {
        new_current_by_hand(&world);
    }
    world.advance(hours(1));
    settle(&world);
    world.advance(hours(25));
    settle(&world);
    assert!(!world.alive(&key), "its grace is over, and nothing holds it");
}

/// GRACE: a replica that is behind may hand out what lost its labels in the primary before anybody stamped
/// it.
#[test]
fn a_replica_that_is_behind_keeps_alive_what_no_label_tells_of() {
    let world = world();
    let key = world.first_key().clone();
    let other = world.add_secret_of("prod/bybit/other", world.first_credential());
    world.replicate(ReplicaStatus::InProgress);
    for _ in 0..2 {
        new_current_by_hand(&world);
    }
    // The other secret's version names the key too, and is replaced.
    let value = world.filled_in(world.text_of_setup(), &world.key_by_hand(SUB), SUB);
    let version = VersionId::new("11111111-0000-4000-8000-000000000001");
    world.put_value(&other, &version, &value, &["AWSCURRENT"]);
    for _ in 0..4 {
        world.maintain();
        world.advance(hours(24 * 8));
    }
    assert!(world.alive(&key), "a client of the replica may have it");
    world.replicate(ReplicaStatus::InSync);
    for _ in 0..4 {
        world.advance(hours(25));
        world.maintain();
    }
    assert!(!world.alive(&key), "no replica hands it out any more");
}

/// HONEST: a dead key is proven dead though nothing is known of the current one.
#[test]
fn a_key_a_person_deleted_is_proven_dead_beside_a_dead_current_key() {
    let world = rotated_twice();
    world.advance(hours(25));
    world.maintain();
    world.advance(hours(1));
    world.delete_key(&world.replaced_key);
    // A supplied key that is dead, so that no credential of the current value is accepted.
    let supplied = r#"{"api_key":"<key>","api_secret":"<secret>","subaccount":"<account>"}"#;
    let current = world.key_by_hand(SUB);
    world.put_by_hand(supplied, &current, SUB, "AWSCURRENT");
    world.delete_key(&current.key);
    // No list tells any more that the key was issued: it has the grace of one that was made by hand.
    world.advance(hours(24 * 8));
    // The order to delete it is refused, so that its own answer has to prove it.
    world.plan(Operation::Revoke, 1, Fault::Denied);
    world.maintain();
    let stamps: Vec<String> = world
        .labels(&world.replaced)
        .into_iter()
        .filter(|label| label.starts_with("CONDEMNED"))
        .collect();
    assert_eq!(stamps, Vec::<String>::new(), "its labels are off: it is dead");
}

/// NO-ORPHANS: a living key of ours whose version holds a value that cannot be read is told of, whatever
/// labels are left.
#[test]
fn a_key_whose_version_cannot_be_read_and_bears_no_label_is_told_of() {
    let world = world();
    let (token, _) = unstored(&world);
    world.put_by_hand_as(&token, "not a value", &world.key_by_hand(SUB), SUB, "AWSPENDING");
    world.label("AWSPENDING", None);
    world.advance(hours(1));
    assert!(found(&world.maintain(), Code::OrphanUndecided));
}

/// An order to revoke first is not kept waiting by a stamp of a time to come, which whoever may write the
/// secret can put there.
#[test]
fn no_stamp_of_a_time_to_come_keeps_a_leaked_key_alive() {
    let world = rotated_twice();
    let key = key_in(&world, &world.replaced);
    // A copy of the leaked key, as if it had been built on the current version and given up in 2099.
    let forged = VersionId::new("99999999-0000-4000-8000-000000000001");
    let mut value = world.document(&world.replaced);
    value["rotation"]["token"] = forged.as_str().into();
    value["rotation"]["based_on"] = world.token.as_str().into();
    world.put_value(
        world.secret(),
        &forged,
        &value.to_string(),
        &["CONDEMNED-20990101T000000Z-99999999"],
    );
    let answer = world.operate_beside_the_service(revoke_first(&world, Some(&world.replaced)));
    assert!(!world.alive(&key), "{answer:#?}");
}

/// HONEST: a key that was revoked first counts as retired once, when its labels come off.
#[test]
fn a_current_key_that_was_revoked_first_counts_as_retired_once() {
    let world = rotated_twice();
    let answer = world.operate_beside_the_service(revoke_first(&world, None));
    assert_eq!(
        (answer.outcome, answer.counts.get("retired")),
        (Outcome::Ok, Some(&1)),
        "{answer:#?}"
    );
}

/// CURRENT-LIVES: a master that cannot be read just now is none that says nothing of whom it serves.
#[test]
fn an_order_that_cannot_list_now_passes_over_no_unreadable_served_secret() {
    for occurrence in 1..6 {
        let world = world();
        let other = world.add_secret_of("prod/bybit/other", world.first_credential());
        let (key, version) = (world.first_key().clone(), world.first_version());
        world.rotate().expect("a rotation");
        world.delete_secret(&other);
        world.advance(hours(1));
        world.plan(Operation::List, occurrence, Fault::Dropped);
        let answer = world.operate(leaked(&world, Some(&version)));
        assert!(
            world.alive(&key),
            "it is current in a secret that can be restored: {answer:#?}"
        );
        assert!(found(&answer, Code::HolderUnreadable), "{answer:#?}");
    }
}

/// HONEST: a version that a rotation began an hour ago says nothing of the age of the key that a hand stores
/// in it now.
#[test]
fn a_key_just_stored_in_a_rotations_version_is_not_called_dead() {
    let world = world();
    let token = world.begin_rotation();
    world.advance(hours(1));
    world.venue(|model, _| {
        model.knobs.new_key_delay = seconds(200);
        model.knobs.listings_lag = true;
    });
    let key = world.key_by_hand(SUB);
    world.put_by_hand_as(&token, world.text_of_setup(), &key, SUB, "AWSPENDING");
    let answer = world.operate(revoke_first(&world, Some(&token)));
    assert!(
        world.alive(&key.key) && answer.exposure_seconds.is_none(),
        "{answer:#?}"
    );
    assert!(
        !world
            .take_records()
            .iter()
            .any(|record| record.action == Action::ProveDead)
    );
    world.advance(hours(1));
    settle(&world);
    assert!(!world.alive(&key.key), "it was leaked, and no longer young");
}

/// HONEST: stamps of years ago, on a version that was made just now, say nothing of its key's age.
#[test]
fn a_young_key_under_old_stamps_is_not_called_dead() {
    let world = world();
    world.advance(hours(1));
    world.venue(|model, _| {
        model.knobs.new_key_delay = SignedDuration::from_secs(200);
        model.knobs.listings_lag = true;
    });
    let key = world.key_by_hand(SUB);
    let version = world.put_by_hand(world.text_of_setup(), &key, SUB, "by-hand");
    for stamp in [
        "REPLACED-20200101T000000Z-00000000",
        "CONDEMNED-20200201T000000Z-00000000",
    ] {
        world.label(stamp, Some(&version));
    }
    let said = |world: &World| {
        let answer = audit::audit(world);
        let rows = answer.secrets.iter().flat_map(|row| &row.keys);
        rows.filter(|row| row.version == version.as_str())
            .map(|row| row.alive)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(&world), [None], "it may be too young to be known");
    world.advance(SignedDuration::from_secs(300));
    assert_eq!(said(&world), [Some(true)]);
    world
        .venue(|model, now| model.delete_key_by_hand(&key.key, now))
        .expect("the key is there");
    world.advance(SignedDuration::from_secs(300));
    assert_eq!(said(&world), [Some(false)]);
}

/// The same where a label calls the key leaked: a pass proves the death of no key that may be too young to be
/// known.
#[test]
fn a_young_leaked_key_under_old_stamps_is_not_called_dead() {
    for document in [Setup::default().document, document_without_master()] {
        let world = world_of(&document);
        world.advance(hours(1));
        world.venue(|model, _| {
            model.knobs.new_key_delay = SignedDuration::from_secs(200);
            model.knobs.listings_lag = true;
        });
        let key = world.key_by_hand(SUB);
        let version = world.put_by_hand(&document, &key, SUB, "COMPROMISED");
        world.label("REPLACED-20200101T000000Z-00000000", Some(&version));
        let answer = world.maintain();
        let row = answer.secrets.iter().flat_map(|row| &row.keys);
        let said: Vec<_> = row.filter(|row| row.version == version.as_str()).collect();
        assert!(said.iter().all(|row| row.alive.is_none()), "{answer:#?}");
        assert!(
            world.labels(&version).contains(&"COMPROMISED".to_owned()),
            "{answer:#?}"
        );
        settle(&world);
        let supplied = document == document_without_master();
        assert_eq!(world.alive(&key.key), supplied, "nothing else stands in the way");
    }
}
