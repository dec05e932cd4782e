//! Variants of what passes do.

use protocol::name::SecretId;
use protocol::operations::{OperationRequest, Shard};
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::bybit::{Ips, KeyId, Settings};
use sandbox::in_process::{BOT_ADDRESS, Fault, OTHER_SUB, Operation, SUB, World};
use sandbox::secrets_manager::{DeleteSecret, Replica, ReplicaStatus};

use super::{BY_HAND, Rule, created, hours, is_current, key_by_hand, key_in, seconds, unstored, until};

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::LeakedPendingAtOnce, || {
        // A run has done all but its swap.
        let world = World::new();
        let token = created(&world);
        let mut run = world.start(world.request(Step::Finish, &token));
        let swap = until(&mut run, Operation::Swap);
        world.operate(OperationRequest::Abandon {
            secret: world.secret().clone(),
        });
        world.label("COMPROMISED", Some(&token));
        world.maintain();
        run.let_through(swap, None);
        drop(run.finish());
        world.current_key().is_some_and(|key| world.alive(&key))
    }),
    (Wrong::LeakedPromoted, || {
        let world = World::new();
        world.rotate().expect("a rotation");
        world.label("ROLLBACK", Some(&world.first_version()));
        let token = created(&world);
        world.label("COMPROMISED", Some(&world.first_version()));
        drop(world.run(Step::Finish, &token));
        !is_current(&world, &token)
    }),
    (Wrong::GraceOfOneVersion, || {
        // Another secret names the key too, and is rotated after this one's grace.
        let world = World::new();
        let other = world.add_secret(
            "prod/bybit/other",
            world.text_of_setup(),
            world.first_credential(),
            SUB,
        );
        rotate(&world, world.secret());
        world.advance(hours(24 * 8));
        rotate(&world, &other);
        world.advance(hours(1));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::Uncondemned, || {
        let (world, key) = past_its_grace();
        world.maintain();
        world.alive(&key)
    }),
    (Wrong::CondemnedAtOnce, || {
        let (world, key) = past_its_grace();
        world.maintain();
        world.advance(seconds(60));
        world.maintain();
        world.alive(&key)
    }),
    (Wrong::ReplicaIgnored, || {
        let (world, key) = past_its_grace();
        let replica = Replica {
            region: "eu-west-1".to_owned(),
            status: ReplicaStatus::Failed,
            status_message: None,
        };
        let arn = world.secret().as_str().to_owned();
        world
            .secrets_manager(|model, _| model.set_replicas(&arn, vec![replica]))
            .expect("the secret is there");
        passes(&world);
        world.alive(&key)
    }),
    (Wrong::CurrentHoldsAlone, || {
        // The key is on offer at another secret.
        let world = World::new();
        world.rotate().expect("a rotation");
        let other = key_by_hand(&world, super::ALL);
        let other = world.add_secret("prod/bybit/other", world.text_of_setup(), &other, SUB);
        offer(&world, &other);
        world.advance(hours(24 * 8));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::UnreadableHoldsNothing, || {
        let world = World::new();
        let other = world.add_secret(
            "prod/bybit/other",
            world.text_of_setup(),
            world.first_credential(),
            SUB,
        );
        world.rotate().expect("a rotation");
        let request = DeleteSecret {
            secret_id: other.as_str().to_owned(),
            ..DeleteSecret::default()
        };
        world
            .secrets_manager(|model, now| model.delete_secret(&request, now))
            .expect("it is deleted");
        world.advance(hours(24 * 8));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::StampClaimed, || {
        // A hand replaces a key of ours, and the pass that should stamp it only says so.
        let world = World::new();
        let token = world.rotate().expect("a rotation");
        world.put_by_hand(BY_HAND, &key_by_hand(&world, super::ALL), SUB, "AWSCURRENT");
        world.maintain();
        world
            .labels(&token)
            .iter()
            .any(|label| label.starts_with("REPLACED-"))
    }),
    (Wrong::YoungOrphanReaped, || {
        let world = World::new();
        let token = unstored(&world);
        world.maintain();
        !world.live_keys_for(&token).is_empty()
    }),
    (Wrong::UnlabelledReaped, || {
        // Current until two hands put keys of their own in its place.
        let world = World::new();
        let token = world.rotate().expect("a rotation");
        let key = key_in(&world, &token);
        world.advance(hours(1));
        for _ in 0..2 {
            world.put_by_hand(BY_HAND, &key_by_hand(&world, super::ALL), SUB, "AWSCURRENT");
        }
        world.maintain();
        world.alive(&key)
    }),
    (Wrong::SilenceIsDeath, || {
        let (world, key) = past_its_grace();
        world.maintain();
        world.advance(hours(1));
        world.plan(Operation::List, 1, Fault::PageMissing);
        world.plan(Operation::List, 2, Fault::PageMissing);
        // The current key is asked first, and its master.
        world.plan(Operation::Inspect, 3, Fault::Dropped);
        let answer = world.operate(OperationRequest::Maintain {
            shard: Shard::ALL,
            secrets: Vec::new(),
            moved: false,
            dry_run: true,
        });
        world.alive(&key)
            && !answer
                .secrets
                .iter()
                .flat_map(|row| &row.did)
                .any(|did| did.contains("is dead"))
    }),
    (Wrong::GraceByVersion, || {
        // A rollback copies the key that a person made, and is replaced the same day.
        let world = World::new();
        world.rotate().expect("a rotation");
        let version = world.holder("AWSPREVIOUS").expect("a version before");
        world.label("ROLLBACK", Some(&version));
        rotate(&world, world.secret());
        rotate(&world, world.secret());
        world.advance(hours(25));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::DeniedIsDeath, || {
        // The function may not use it, and its value names another account, whose list does not show it.
        let world = World::new();
        let settings = Settings {
            ips: Ips::only([BOT_ADDRESS]),
            ..super::settings(super::ALL)
        };
        let key = world
            .bybit(|model, now| model.create_key_by_hand(OTHER_SUB, settings, now))
            .expect("the account is there");
        let version = world.put_by_hand(BY_HAND, &key, SUB, "AWSCURRENT");
        world.advance(hours(1));
        world.put_by_hand(BY_HAND, &key_by_hand(&world, super::ALL), SUB, "AWSCURRENT");
        world.maintain();
        world.advance(hours(24 * 8));
        passes(&world);
        !world.alive(&key.key) || !world.labels(&version).is_empty()
    }),
    (Wrong::RollbackToCondemned, || {
        let (world, key) = past_its_grace();
        world.maintain();
        let version = world.holder("AWSPREVIOUS").expect("a version before");
        world.label("ROLLBACK", Some(&version));
        let token = world.begin_rotation();
        drop(world.run(Step::Create, &token));
        world.key_in(&token) != Some(key)
    }),
];

/// A world where the grace of a key of ours was over an hour ago. A list without its younger half does not
/// show that key.
fn past_its_grace() -> (World, KeyId) {
    let world = World::new();
    key_by_hand(&world, super::ALL);
    let first = world.rotate().expect("a rotation");
    world.advance(hours(1));
    world.rotate().expect("another");
    world.advance(hours(25));
    let key = key_in(&world, &first);
    (world, key)
}

fn passes(world: &World) {
    for _ in 0..3 {
        world.maintain();
        world.advance(hours(1));
    }
}

fn rotate(world: &World, secret: &SecretId) {
    let token = world.try_begin_rotation_of(secret).expect("a rotation begins");
    for step in Step::ALL {
        world
            .start(world.request_of(secret, step, &token))
            .finish()
            .expect("a step");
    }
}

/// A person offers the first key to another secret.
fn offer(world: &World, secret: &SecretId) {
    let value = world.filled_in(world.text_of_setup(), world.first_credential(), SUB);
    let request = sandbox::secrets_manager::PutSecretValue {
        secret_id: secret.as_str().to_owned(),
        client_request_token: Some("11111111-1111-4111-8111-111111111111".to_owned()),
        secret_string: Some(sandbox::secrets_manager::Sensitive::new(value)),
        version_stages: Some(vec!["CANDIDATE".to_owned()]),
        ..Default::default()
    };
    world
        .secrets_manager(|model, now| model.put_secret_value(&request, now))
        .expect("it is stored");
}
