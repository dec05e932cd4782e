//! Operations at venues of other ways: where a refusal does not say why, where asking a key does harm, where
//! keys are made by a person alone, or deleted by their passphrases.

use sandbox::in_process::kind::{MUDDLED_SUPPLIED, PASSWORD, SHY, TERSE, VenueKind};
use sandbox::in_process::settings_by_hand;

use super::*;

/// A value whose key a person has made.
const BY_HAND: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"subaccount":"<account>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":"any"}}"#
);

fn world_at(kind: &'static VenueKind) -> Watched {
    world_with(Setup::at(kind))
}

/// A world where a supplied key was replaced by another one, a grace ago: its version, and the key.
fn replaced(kind: &'static VenueKind) -> (Watched, VersionId, KeyId) {
    let world = world_with(Setup {
        document: BY_HAND.to_owned(),
        ..Setup::at(kind)
    });
    let (version, key) = (world.first_version(), world.first_key().clone());
    let new = world.key_by_hand_with(SUB, settings_by_hand(kind.usual));
    world.put_by_hand(BY_HAND, &new, SUB, "CANDIDATE");
    world.rotate().expect("a rotation");
    settle(&world);
    world.advance(hours(24 * 8));
    settle(&world);
    (world, version, key)
}

#[test]
fn a_supplied_key_is_left_to_a_person_where_nothing_can_prove_its_death() {
    for kind in [&SHY, &MUDDLED_SUPPLIED] {
        let (world, version, key) = replaced(kind);
        let told = finding(&world.maintain(), Code::GraceOverrun);
        assert!(told.say.contains(&fingerprint(key.as_str())), "{told:?}");
        assert!(told.r#do.contains("delete the key at the venue"), "{told:?}");
        assert!(told.r#do.contains("take the version's labels off"), "{told:?}");
        world.delete_key(&key);
        settle(&world);
        // Nobody can know it: the labels stay until a person takes them off.
        finding(&world.maintain(), Code::GraceOverrun);
        assert!(world.has_stamp(&version, "REPLACED"), "{}", kind.name);
    }
}

#[test]
fn a_master_that_is_named_where_nobody_issues_is_told_to_be_taken_out() {
    let named = BY_HAND.replace(r#""policy""#, r#""masterarn":"<master>","policy""#);
    let world = world_with(Setup {
        document: named,
        ..Setup::at(&SHY)
    });
    let new = world.key_by_hand_with(SUB, settings_by_hand(SHY.usual));
    world.put_by_hand(BY_HAND, &new, SUB, "CANDIDATE");
    let secret = world.secret().clone();
    let answer = world.operate(OperationRequest::Plan { secret });
    assert!(advises(&answer, "take `masterarn` out"), "{answer:#?}");
    assert!(!found(&answer, Code::Blocker), "{answer:#?}");
    world.rotate().expect("it is in no rotation's way");
}

#[test]
fn an_answer_says_that_a_key_is_not_asked_and_raises_nothing() {
    let world = world_with(Setup {
        document: BY_HAND.to_owned(),
        ..Setup::at(&SHY)
    });
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let answer = world.maintain();
    all_is_well(&answer);
    let answer = world.operate(in_process::audit(None, Form::Json));
    let states: Vec<&str> = answer
        .secrets
        .iter()
        .flat_map(|row| &row.keys)
        .map(|key| key.state.as_str())
        .collect();
    assert!(
        states.iter().any(|state| state.contains("not asked")),
        "{states:?}"
    );
}

#[test]
fn a_current_key_refused_without_a_reason_is_alive_if_it_is_listed() {
    let world = world_at(&TERSE);
    bind(&world, world.first_key(), Ips::only([BOT_ADDRESS]));
    let answer = world.maintain();
    let told = finding(&answer, Code::CurrentDenied);
    assert!(told.say.contains("alive"), "{told:?}");
}

#[test]
fn a_current_key_refused_without_a_reason_and_unlisted_is_suspect() {
    let world = world_at(&TERSE);
    world.delete_key(world.first_key());
    world.advance(hours(1));
    let told = finding(&world.maintain(), Code::CurrentSuspect);
    assert!(told.say.contains("does not show it"), "{told:?}");
    assert!(told.r#do.contains("look at the key at the venue"), "{told:?}");
}

#[test]
fn a_key_that_we_deleted_is_proven_dead_where_refusals_do_not_say_why() {
    let world = world_at(&TERSE);
    let (version, key) = (world.first_version(), world.first_key().clone());
    world.rotate().expect("a rotation");
    settle(&world);
    world.advance(hours(24 * 8));
    settle(&world);
    assert!(!world.alive(&key));
    assert_eq!(world.labels(&version), Vec::<String>::new());
    all_is_well(&world.maintain());
}

/// The list that lacks it may be of another account than the key's.
#[test]
fn a_key_that_a_person_deleted_is_told_where_refusals_do_not_say_why() {
    let world = world_at(&TERSE);
    let (version, key) = (world.first_version(), world.first_key().clone());
    world.rotate().expect("a rotation");
    settle(&world);
    world.delete_key(&key);
    world.advance(hours(24 * 8));
    settle(&world);
    let told = finding(&world.maintain(), Code::GraceOverrun);
    assert!(told.say.contains("does not tell whether it is dead"), "{told:?}");
    assert!(told.r#do.contains("take the version's labels off"), "{told:?}");
    assert!(world.has_stamp(&version, "REPLACED"));
}

#[test]
fn keys_are_revoked_by_their_passphrases() {
    let world = world_at(&PASSWORD);
    let first = world.first_key().clone();
    let token = world.rotate().expect("a rotation");
    let issued = key_in(&world, &token);
    settle(&world);
    let order = leaked(&world, None);
    let answer = world.operate_beside_the_service(order);
    assert!(!world.alive(&issued), "{answer:#?}");
    world.advance(hours(24 * 8));
    settle(&world);
    assert!(!world.alive(&first));
}

#[test]
fn an_order_about_a_key_whose_passphrase_is_mistyped_is_left_to_a_person() {
    let world = world_at(&PASSWORD);
    let key = world.key_by_hand(SUB);
    let mistyped = Setup::default().document.replace(
        "<credential>",
        r#""api_key":"<key>","api_secret":"<secret>","passphrase":"mistyped-aA1!""#,
    );
    let version = world.put_by_hand(&mistyped, &key, SUB, "own");
    let order = naming(revoke_first(&world, Some(&version)), &key.key);
    let answer = world.operate_beside_the_service(order);
    assert!(world.alive(&key.key));
    assert!(says(&answer, "could not be revoked"), "{answer:#?}");
    assert!(advises(&answer, "delete the key at the venue"), "{answer:#?}");
}
