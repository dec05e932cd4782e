//! Rule 7: a key counts as dead by proof alone, and one that is to die does, whatever its value leaves out.

use sandbox::in_process::{OTHER_SUB, SUB};

use super::*;

const WITHOUT_MASTER: &str = concat!(
    r#"{"api_key":"<key>","api_secret":"<secret>","subaccount":"<account>","#,
    r#""policy":{"permissions":["read","spot","derivatives"],"ip_allowlist":["203.0.113.7"]}}"#
);
const WITHOUT_ACCOUNT: &str = concat!(
    r#"{"api_key":"<key>","api_secret":"<secret>","masterarn":"<master>","#,
    r#""policy":{"permissions":["read","spot","derivatives"],"ip_allowlist":["203.0.113.7"]}}"#
);

/// A person makes this current, and then a good value; a week goes by, and passes come round.
fn replaced(world: &World, document: &str, key: &Credential, said: Uid) -> VersionId {
    let version = world.put_by_hand(document, key, said, "AWSCURRENT");
    world.advance(hours(1));
    new_current_by_hand(world);
    world.maintain();
    world.advance(hours(24 * 8));
    settle(world);
    version
}

fn bound_elsewhere(world: &World, uid: Uid) -> Credential {
    let key = world.key_by_hand(uid);
    world.edit_key(&key.key, |settings| settings.ips = Ips::only([BOT_ADDRESS]));
    key
}

#[test]
fn a_denied_key_is_not_dead_where_its_value_names_another_account() {
    let world = world();
    let key = bound_elsewhere(&world, OTHER_SUB);
    let version = replaced(&world, world.text_of_setup(), &key, SUB);
    assert!(
        !world.alive(&key.key) || !world.labels(&version).is_empty(),
        "it lives, and is forgotten"
    );
}

#[test]
fn a_key_with_a_mistyped_secret_is_not_dead_where_the_account_is_wrong() {
    let world = world();
    let key = world.key_by_hand(OTHER_SUB);
    let mistyped = Credential {
        secret: "mistyped-by-somebody-in-a-hurry-0000".into(),
        ..key.clone()
    };
    let version = replaced(&world, world.text_of_setup(), &mistyped, SUB);
    assert!(
        !world.alive(&key.key) || !world.labels(&version).is_empty(),
        "it lives, and is forgotten"
    );
}

#[test]
fn a_key_the_function_may_not_use_is_left_to_a_person_then_proven_dead() {
    let world = world();
    let key = bound_elsewhere(&world, SUB);
    let version = replaced(&world, world.text_of_setup(), &key, SUB);
    assert!(
        world.alive(&key.key),
        "nothing proves that the secret has more than its id"
    );
    assert!(found(&world.maintain(), Code::GraceOverrun));
    world.delete_key(&key.key);
    world.advance(hours(1));
    world.maintain();
    assert_eq!(world.labels(&version), Vec::<String>::new());
}

#[test]
fn a_replaced_value_that_names_no_master_is_retired_by_the_current_one() {
    let world = world();
    let key = world.key_by_hand(SUB);
    replaced(&world, WITHOUT_MASTER, &key, SUB);
    assert!(!world.alive(&key.key));
}

#[test]
fn a_replaced_value_that_names_no_account_is_retired_by_the_current_one() {
    let world = world();
    let key = world.key_by_hand(SUB);
    replaced(&world, WITHOUT_ACCOUNT, &key, SUB);
    assert!(!world.alive(&key.key));
}
