//! A master is leaked: it comes before its children, whose foreign keys are suspects.

use protocol::name::SecretId;
use protocol::operations::{Code, Mode};
use sandbox::in_process::SUB;
use sandbox::secrets_manager::DeleteSecret;

use super::emergency::order;
use super::*;

#[test]
fn a_leaked_master_comes_before_children_whose_foreign_keys_are_suspects() {
    let (world, _, _, _) = rotated_twice();
    let foreign = key_by_hand(&world, SUB);
    world.take_calls();
    let master = SecretId::parse(world.master_arn()).expect("an ARN");
    let answer = world.operate_beside_the_service(order(&master, None, Mode::ReplaceFirst));
    assert_eq!(answer.findings[0].code, Code::MasterLeaked, "{answer:#?}");
    let suspects = answer
        .findings
        .iter()
        .find(|finding| finding.code == Code::ForeignKeys)
        .expect("the suspects");
    let fingerprint = protocol::secret::KeyId::parse(foreign.key.as_str())
        .expect("a key id")
        .fingerprint();
    assert!(suspects.say.contains(&fingerprint), "{suspects:#?}");
    assert_eq!(writes(&world), []);
}

#[test]
fn a_leaked_master_is_one_in_whichever_way_its_children_name_it() {
    for name in [
        |arn: &str| arn[..arn.len() - 7].to_owned(),
        |_: &str| "masters/bybit/parent".to_owned(),
    ] {
        let (world, _, _, _) = rotated();
        let document = world
            .text_of_setup()
            .replace("<master>", &name(world.master_arn()));
        world.put_by_hand(&document, &key_by_hand(&world, SUB), SUB, "AWSCURRENT");
        let master = SecretId::parse(world.master_arn()).expect("an ARN");
        let answer = world.operate(order(&master, None, Mode::ReplaceFirst));
        assert_eq!(
            (answer.findings[0].code, answer.counts["children"]),
            (Code::MasterLeaked, 1),
            "{answer:#?}"
        );
    }
}

#[test]
fn a_child_that_cannot_be_read_does_not_hide_the_suspects_of_the_others() {
    let (world, _, _, _) = rotated_twice();
    for name in ["prod/bybit/aaa", "prod/bybit/zzz"] {
        let deleted = world.add_secret(name, world.text_of_setup(), &key_by_hand(&world, SUB), SUB);
        let request = DeleteSecret {
            secret_id: deleted.as_str().to_owned(),
            ..Default::default()
        };
        world
            .secrets_manager(|model, now| model.delete_secret(&request, now))
            .expect("it is deleted");
    }
    let master = SecretId::parse(world.master_arn()).expect("an ARN");
    let answer = world.operate_beside_the_service(order(&master, None, Mode::ReplaceFirst));
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
