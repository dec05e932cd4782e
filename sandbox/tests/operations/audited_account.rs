//! What an audit says of the keys on a secret's account, and of the account's master.

use protocol::marker::Marker;
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
fn a_master_that_does_not_serve_a_secret_is_told_with_its_command() {
    let entry = r#"{"accounts":["53888000"],"permissions":["spot"],"ip_allowlist":["203.0.113.7"]}"#;
    let credential = r#""environment":"mainnet","api_key":"<key>","api_secret":"<secret>""#;
    let serving = |whom: &str| format!(r#"{{{credential},"serves":{{"{whom}":{entry}}}}}"#);
    let (nobody, first, both) = (
        MASTER.to_owned(),
        serving("prod/bybit/main"),
        serving("prod/bybit/*"),
    );
    for (document, unscoped) in [
        // Told once for all its children.
        (nobody, &["prod/bybit/main"][..]),
        (first, &["prod/bybit/other"]),
        (both, &[]),
    ] {
        let world = world_with_master(Some(&document));
        world.add_secret_of("prod/bybit/other", &world.key_by_hand(SUB));
        let answer = audit(&world);
        let told: Vec<&Finding> = answer
            .findings
            .iter()
            .filter(|finding| finding.code == Code::MasterUnscoped)
            .collect();
        let secrets: Vec<&str> = told.iter().map(|finding| finding.secret.as_str()).collect();
        assert_eq!(secrets.len(), unscoped.len(), "{answer:#?}");
        assert!(document == MASTER || secrets == unscoped, "{answer:#?}");
        let adds = |finding: &&Finding| finding.r#do.contains(&format!("{{\"{}\":", finding.secret));
        assert!(told.iter().all(adds), "{told:#?}");
    }
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

/// A secret whose key was issued on the first account and that was pointed at another: with the key that no
/// version names, and the version that named it.
fn pointed_elsewhere() -> (Watched, KeyId) {
    let Rotated { world, token, .. } = rotated_twice();
    let (_, lost) = unstored(&world);
    world.label("AWSPENDING", None);
    world.advance(hours(1));
    for _ in 0..2 {
        let elsewhere = world.key_by_hand(OTHER_SUB);
        world.put_by_hand(world.text_of_setup(), &elsewhere, OTHER_SUB, "AWSCURRENT");
    }
    assert!(!world.labels(&token).contains(&"AWSCURRENT".to_owned()));
    (world, lost)
}

/// Takes all labels but AWSCURRENT off, by hand.
fn unlabel(world: &World) {
    let labels = world.of(world.secret(), |secret| {
        secret.labels().keys().cloned().collect::<Vec<_>>()
    });
    for label in labels.iter().filter(|label| *label != "AWSCURRENT") {
        world.label(label, None);
    }
}

/// Stores versions that name accounts which nobody has, under labels of no meaning or under none.
fn make_accounts_up(world: &World, count: u64, labelled: bool) {
    for number in 0..count {
        let nobodys = world.key_by_hand(OTHER_SUB);
        let label = format!("SCRATCH{number}");
        world.put_by_hand(world.text_of_setup(), &nobodys, 70_000_000 + number, &label);
        if !labelled {
            world.label(&label, None);
        }
    }
}

fn told_of_before(answer: &Answer, key: &KeyId) -> bool {
    let told = |finding: &Finding| {
        finding.code == Code::ForeignKeys
            && finding.say.contains("does not stand for any more")
            && finding.say.contains(&fingerprint(key.as_str()))
    };
    answer.findings.iter().any(told)
}

#[test]
fn keys_left_on_an_account_are_told_where_no_label_names_it_any_more() {
    let (world, lost) = pointed_elsewhere();
    unlabel(&world);
    let answer = audit(&world);
    assert!(told_of_before(&answer, &lost), "{answer:#?}");
    assert!(!found(&answer, Code::AccountsUnseen), "{answer:#?}");
}

#[test]
fn accounts_that_are_made_up_hide_no_account_that_the_secret_stood_for() {
    for labelled in [true, false] {
        let (world, lost) = pointed_elsewhere();
        unlabel(&world);
        make_accounts_up(&world, 8, labelled);
        let answer = audit(&world);
        assert!(told_of_before(&answer, &lost), "{answer:#?}");
        assert!(found(&answer, Code::AccountsUnseen), "{answer:#?}");
        let alone = world.operate(in_process::audit(Some(world.secret()), Form::Json));
        assert!(told_of_before(&alone, &lost), "{alone:#?}");
        assert!(!found(&alone, Code::AccountsUnseen), "{alone:#?}");
    }
}

/// Where nothing tells the account from made-up ones, the answer says that there are more, and how they are
/// looked at.
#[test]
fn what_an_audit_leaves_out_is_told_with_the_command_that_looks_at_all() {
    let world = world();
    let sub = world.key_by_hand(SUB);
    world.put_by_hand(world.text_of_setup(), &sub, SUB, "AWSCURRENT");
    let note = Marker::new(world.secret().as_str(), &VersionId::new("any"), 7).to_string();
    let settings = Settings {
        note,
        read_only: false,
        ips: Ips::only([BOT_ADDRESS]),
        permissions: Permissions::of(&[SPOT]),
    };
    let hidden = world.key_by_hand_with(SUB, settings);
    world.advance(hours(1));
    for _ in 0..2 {
        let elsewhere = world.key_by_hand(OTHER_SUB);
        world.put_by_hand(world.text_of_setup(), &elsewhere, OTHER_SUB, "AWSCURRENT");
    }
    unlabel(&world);
    world.advance(seconds(1));
    make_accounts_up(&world, 6, false);
    let answer = audit(&world);
    let unseen = finding(&answer, Code::AccountsUnseen);
    assert!(
        unseen
            .r#do
            .contains(r#""operation":"audit","secret":"prod/bybit/main""#),
        "{unseen:#?}"
    );
    assert!(!told_of_before(&answer, &hidden.key), "{answer:#?}");
    let alone = world.operate(in_process::audit(Some(world.secret()), Form::Json));
    assert!(told_of_before(&alone, &hidden.key), "{alone:#?}");
}

/// The master that the older versions name is gone, and its parent has another by now.
#[test]
fn a_key_on_a_former_account_is_found_by_the_master_that_there_is() {
    let (world, lost) = pointed_elsewhere();
    let ips = Ips::only([FUNCTION_ADDRESS]);
    let new = world
        .venue(|model, now| model.add_master_key(in_process::PARENT, ips, now))
        .expect("the parent is there");
    let document = Setup::default().master_document.expect("a master");
    let value = world.filled_in(&document, &new, in_process::PARENT);
    let second = unrotated(&world, "masters/bybit/second", Some(value));
    world.delete_key(world.master_key());
    let elsewhere = world.key_by_hand(OTHER_SUB);
    let current = world.text_of_setup().replace("<master>", second.as_str());
    world.put_by_hand(&current, &elsewhere, OTHER_SUB, "AWSCURRENT");
    let answer = world.operate(in_process::audit(None, Form::Json));
    assert!(says(&answer, &fingerprint(lost.as_str())), "{answer:#?}");
    assert!(found(&answer, Code::ForeignKeys), "{answer:#?}");
}
