//! What an audit says of the keys on a secret's account, and of the account's master.

use protocol::operations::Code;
use sandbox::in_process::{OTHER_SUB, SUB};

use super::audit::{audit, by_hand, row};
use super::*;

#[test]
fn keys_on_the_account_that_nobody_names_are_told_apart() {
    let world = rotated_twice();
    let foreign = world.key_by_hand(SUB);
    let others = by_hand(&world, "prod/bybit/other");
    let (_, lost) = unstored(&world);
    world.label("AWSPENDING", None);
    world.advance(hours(1));
    let answer = audit(&world);
    let audited = row(&answer, "prod/bybit/main").audit.expect("an audit");
    let shown = |keys: Option<Vec<protocol::operations::KeyOnAccount>>| -> Vec<String> {
        keys.expect("they are known")
            .into_iter()
            .map(|key| key.fingerprint)
            .collect()
    };
    assert_eq!(shown(audited.foreign_keys), [fingerprint(foreign.key.as_str())]);
    assert_eq!(shown(audited.orphans), [fingerprint(lost.as_str())]);
    assert!(
        found(&answer, Code::ForeignKeys) && found(&answer, Code::Orphans),
        "{answer:#?}"
    );
    assert!(!says(&answer, "no rotated key may"), "{answer:#?}");
    let settings = Settings {
        note: "who knows".to_owned(),
        read_only: false,
        ips: Ips::only([BOT_ADDRESS]),
        permissions: Permissions::of(&[TRANSFERS]),
    };
    let mighty = world.key_by_hand_with(SUB, settings);
    let answer = audit(&world);
    let mighty_ones = finding(&answer, Code::CanMoveFunds);
    assert!(
        mighty_ones.say.ends_with(&fingerprint(mighty.key.as_str())),
        "{answer:#?}"
    );
    assert!(row(&answer, others.name().as_str()).audit.is_some());
}

#[test]
fn a_key_that_two_secrets_name_is_found() {
    let world = world();
    world.add_secret_of("prod/bybit/other", world.first_credential());
    let answer = audit(&world);
    let shared: Vec<&str> = answer
        .findings
        .iter()
        .filter(|finding| finding.code == Code::SharedKey)
        .map(|finding| finding.secret.as_str())
        .collect();
    assert_eq!(shared, ["prod/bybit/main", "prod/bybit/other"]);
}

#[test]
fn an_account_with_hardly_any_room_is_found() {
    let world = rotated_twice();
    fill_account(&world, 19);
    assert!(found(&audit(&world), Code::SlotsLow));
}

#[test]
fn a_master_that_lists_keys_and_cannot_issue_any_is_found_once() {
    let world = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    world.grant(world.master_key(), &[SPOT]);
    world.advance(hours(1));
    let answer = audit(&world);
    assert_eq!(
        codes(&answer)
            .iter()
            .filter(|code| **code == Code::MasterUnusable)
            .count(),
        1,
        "{answer:#?}"
    );
}

#[test]
fn a_master_that_cannot_be_read_is_unusable() {
    let world = rotated_twice();
    world.delete_secret(&world.master());
    assert!(found(&audit(&world), Code::MasterUnusable));
    assert!(found(&world.maintain(), Code::MasterUnusable));
}

/// NOTHING-HIDDEN: a secret that is pointed at another account hides no key that was issued for it on the
/// first.
#[test]
fn keys_left_on_an_account_that_the_secret_stood_for_before_are_told() {
    let world = rotated_twice();
    let (_, lost) = unstored(&world);
    world.label("AWSPENDING", None);
    world.advance(hours(1));
    let elsewhere = world.key_by_hand(OTHER_SUB);
    world.put_by_hand(world.text_of_setup(), &elsewhere, OTHER_SUB, "AWSCURRENT");
    let answer = audit(&world);
    let told = finding(&answer, Code::ForeignKeys);
    assert!(
        told.say.contains("does not stand for any more") && told.say.contains(&SUB.to_string()),
        "{told:#?}"
    );
    assert!(told.say.ends_with(&fingerprint(lost.as_str())), "{told:#?}");
}
