//! A secret of another AWS account: this function rotates it, and no list of secrets shows it.

use protocol::operations::{OperationRequest, Shard};
use sandbox::in_process::FUNCTION_ARN;
use sandbox::secrets_manager::RotationSeed;

use super::*;

/// A secret of another account that the function rotates, one rotation ago; and the key that was replaced.
fn rotated_elsewhere() -> (Watched, SecretId, KeyId) {
    let world = world();
    let key = world.key_by_hand(SUB);
    let value = world.filled_in(world.text_of_setup(), &key, SUB);
    let seed = Seed {
        name: "prod/bybit/theirs".to_owned(),
        value: Some(SecretValue::from_text(value)),
        rotation: Some(RotationSeed {
            lambda_arn: Some(FUNCTION_ARN.to_owned()),
            rules: None,
        }),
        owner: Some("210987654321".to_owned()),
        ..Seed::default()
    };
    let arn = world
        .secrets_manager(|model, now| model.seed(seed, now))
        .expect("the name is free");
    let secret = SecretId::parse(&arn).expect("an ARN");
    world.rotate_secret(&secret).expect("a rotation");
    (world, secret, key.key)
}

fn maintain(world: &World, secret: &SecretId) -> Answer {
    world.operate(OperationRequest::Maintain {
        shard: Shard::ALL,
        secrets: vec![secret.clone()],
        moved: false,
        dry_run: false,
    })
}

/// It is said whose secret it is, and how a command has to name it.
#[track_caller]
fn must_be_said(answer: &Answer, code: Code, secret: &SecretId) {
    let found = finding(answer, code);
    assert!(found.say.contains("of another AWS account"), "{answer:#?}");
    assert!(found.r#do.contains(secret.as_str()), "{answer:#?}");
}

#[test]
fn no_key_of_another_accounts_secret_is_revoked_and_a_pass_says_so() {
    let (world, secret, key) = rotated_elsewhere();
    // Its grace, and an hour for each pass that could condemn it, revoke it, and prove that it is dead.
    world.advance(hours(24 * 7 + 1));
    for _ in 0..3 {
        let answer = maintain(&world, &secret);
        must_be_said(&answer, Code::HolderUnreadable, &secret);
        let states: Vec<&str> = answer.secrets[0]
            .keys
            .iter()
            .map(|row| row.state.as_str())
            .collect();
        assert!(
            states.contains(&"waits: the secret is of another AWS account"),
            "{states:?}"
        );
        world.advance(hours(1));
    }
    assert!(world.alive(&key));
}

#[test]
fn a_look_at_another_accounts_secret_says_that_no_key_of_it_is_revoked() {
    let (world, secret, _) = rotated_elsewhere();
    let audit = world.operate(in_process::audit(Some(&secret), Form::Json));
    must_be_said(&audit, Code::HolderUnreadable, &secret);
    let plan = world.operate(OperationRequest::Plan {
        secret: secret.clone(),
    });
    must_be_said(&plan, Code::Warning, &secret);
    // No list shows it: an audit of all is of this account's.
    let all = world.operate(in_process::audit(None, Form::Json));
    assert!(!found(&all, Code::HolderUnreadable), "{all:#?}");
}

#[test]
fn an_order_about_another_accounts_secret_names_it_by_its_arn() {
    let (world, secret, _) = rotated_elsewhere();
    let leaked = world.live_keys().last().expect("a key").key.clone();
    // No successor comes in time.
    let answer = world.operate(break_glass(&secret, None, Mode::ReplaceFirst));
    let again = format!(r#""secret":"{}""#, secret.as_str());
    assert!(advises(&answer, &again), "{answer:#?}");
    assert!(world.alive(&leaked));
    world.advance(minutes(6));
    world.operate_beside_the_service(break_glass(&secret, None, Mode::RevokeFirst));
    assert!(!world.alive(&leaked));
}
