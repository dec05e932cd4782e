//! A key that a person supplies is judged as it is.

use protocol::rotation::{Done, Step};
use sandbox::in_process::{Fault, PARENT};
use serde_json::json;

use super::offers::{ALL, offer};
use super::*;

/// A value with a key that a person supplied: it names no master.
const SUPPLIED: &str = concat!(
    r#"{"api_key":"<key>","api_secret":"<secret>","#,
    r#""policy":{"permissions":["spot"],"ip_allowlist":["203.0.113.7"]}}"#
);

#[test]
fn a_persons_key_is_judged_as_it_is_and_neither_edited_nor_revoked() {
    let world = world();
    let (_, key) = offer(&world, "CANDIDATE", ALL);
    let token = copied(&world);
    world.grant(&key.key, &[SPOT, ALL[1], TRANSFERS]);
    let given = world.settings_of(&key.key);
    refused(world.run(Step::Test, &token), ErrorType::PendingTooPowerful);
    let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert!(
        said.contains("Wallet:AccountTransfer") && said.contains("not ours to edit"),
        "{said}"
    );
    assert_eq!(world.settings_of(&key.key), given);
    assert!(world.alive(&key.key));
    assert_eq!(world.holder("AWSPENDING"), None);
}

#[test]
fn a_credential_is_supplied_by_hand_where_no_master_is_named() {
    let document = concat!(
        r#"{"api_key":"<key>","secret":"<secret>","#,
        r#""policy":{"permissions":["spot"],"ip_allowlist":["203.0.113.7"]}}"#
    );
    let world = world_of(document);
    let key = world.key_by_hand_with(SUB, settings_by_hand(&[SPOT]));
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::MasterInvalid);
    assert!(said.contains("`masterarn`"), "{said}");
    let offered = world.put_by_hand(
        r#"{"api_key":"<key>","api_secret":"<secret>"}"#,
        &key,
        SUB,
        "CANDIDATE",
    );
    done(world.run(Step::Create, &token), Done::Copied);
    completes(&world, &token);
    let document = world.document(&token);
    assert_eq!(document["rotation"]["copied_from"], json!(offered));
    assert_eq!(
        document["secret"],
        json!(key.secret.expose()),
        "the spelling is the current version's"
    );
    assert_eq!(document["api_secret"], json!(null));
}

#[test]
fn a_key_of_a_master_account_is_replaced_by_one_that_a_person_supplies() {
    let world = world();
    let on_parent = || world.key_by_hand_with(PARENT, settings_by_hand(&[SPOT]));
    world.put_by_hand(SUPPLIED, &on_parent(), PARENT, "AWSCURRENT");
    let token = world.begin_rotation();
    world.put_by_hand(SUPPLIED, &on_parent(), PARENT, "CANDIDATE");
    done(world.run(Step::Create, &token), Done::Copied);
    completes(&world, &token);
}

#[test]
fn a_persons_unlisted_key_is_judged_by_itself_if_the_current_is_listed() {
    let world = world();
    offer(&world, "CANDIDATE", ALL);
    let token = copied(&world);
    world.plan_all(Operation::List, 1..=32, Fault::PageMissing);
    let before = world.now();
    done(world.run(Step::Set, &token), Done::Agreed);
    assert!(world.plan_is_done());
    assert_eq!(
        world.now().duration_since(before),
        seconds(60),
        "it asked again for a minute"
    );
    completes(&world, &token);
}

#[test]
fn a_persons_unlisted_key_that_moves_funds_dooms_its_version() {
    let world = world();
    let (_, key) = offer(&world, "CANDIDATE", ALL);
    let token = copied(&world);
    world.grant(&key.key, &[SPOT, ALL[1], TRANSFERS]);
    world.plan_all(Operation::List, 1..=32, Fault::PageMissing);
    let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert!(
        said.contains("Wallet:AccountTransfer") && said.contains("not ours to edit"),
        "{said}"
    );
    assert_eq!(world.holder("AWSPENDING"), None);
    assert!(world.alive(&key.key));
}

#[test]
fn a_dead_supplied_key_dooms_its_version_only_if_the_current_key_answers() {
    for current_is_alive in [false, true] {
        let world = world_of(SUPPLIED);
        let key = world.key_by_hand_with(SUB, settings_by_hand(&[SPOT]));
        world.put_by_hand(SUPPLIED, &key, SUB, "CANDIDATE");
        let token = copied(&world);
        world.delete_key(&key.key);
        if !current_is_alive {
            world.delete_key(world.first_key());
        }
        world.advance(minutes(5));
        if current_is_alive {
            let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
            assert!(said.contains("its key is dead"), "{said}");
            assert_eq!(world.holder("AWSPENDING"), None);
        } else {
            refused(world.run(Step::Set, &token), ErrorType::PendingRejected);
            assert_eq!(world.labels(&token), ["AWSPENDING"]);
        }
    }
}
