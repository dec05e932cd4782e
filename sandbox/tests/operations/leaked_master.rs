//! A master is leaked: it comes before its children, whose foreign keys are suspects.

use protocol::operations::{Code, Mode};
use sandbox::in_process::SUB;

use super::*;

#[test]
fn a_leaked_master_comes_before_children_whose_foreign_keys_are_suspects() {
    let world = rotated_twice();
    let foreign = world.key_by_hand(SUB);
    world.take_calls();
    let master = world.master();
    let answer = world.operate_beside_the_service(break_glass(&master, None, Mode::ReplaceFirst));
    assert_eq!(answer.findings[0].code, Code::MasterLeaked, "{answer:#?}");
    let suspects = finding(&answer, Code::ForeignKeys);
    assert!(
        suspects.say.contains(&fingerprint(foreign.key.as_str())),
        "{suspects:#?}"
    );
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_leaked_master_is_one_in_whichever_way_its_children_name_it() {
    for name in [
        |arn: &str| arn[..arn.len() - 7].to_owned(),
        |_: &str| "masters/bybit/parent".to_owned(),
    ] {
        let world = rotated();
        let document = world
            .text_of_setup()
            .replace("<master>", &name(world.master_arn()));
        world.put_by_hand(&document, &world.key_by_hand(SUB), SUB, "AWSCURRENT");
        let master = world.master();
        let answer = world.operate(break_glass(&master, None, Mode::ReplaceFirst));
        assert_eq!(
            (answer.findings[0].code, answer.counts["children"]),
            (Code::MasterLeaked, 1),
            "{answer:#?}"
        );
    }
}

#[test]
fn a_child_that_cannot_be_read_does_not_hide_the_suspects_of_the_others() {
    let world = rotated_twice();
    for name in ["prod/bybit/aaa", "prod/bybit/zzz"] {
        let deleted = world.add_secret_of(name, &world.key_by_hand(SUB));
        world.delete_secret(&deleted);
    }
    let master = world.master();
    let answer = world.operate_beside_the_service(break_glass(&master, None, Mode::ReplaceFirst));
    assert_eq!(answer.counts["children"], 1, "{answer:#?}");
    assert_eq!(
        codes(&answer)
            .iter()
            .filter(|code| **code == Code::NotDone)
            .count(),
        2,
        "{answer:#?}"
    );
}
