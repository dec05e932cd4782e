//! Variants of what passes do.

use protocol::name::SecretId;
use protocol::rotation::Step;
use protocol::wrong::Wrong;
use sandbox::in_process::{BOT_ADDRESS, Fault, OTHER_SUB, Operation, SUB, World};
use sandbox::secrets_manager::ReplicaStatus;
use sandbox::venue::{Ips, KeyId, Settings};

use super::*;

pub(super) const HISTORIES: &[(Wrong, Rule)] = &[
    (Wrong::LeakedPendingAtOnce, || {
        // A run has done all but its swap.
        let world = World::new();
        let token = created(&world);
        let mut run = world.start(world.request(Step::Finish, &token));
        let swap = run.until(Operation::Swap);
        world.abandon();
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
        let token = copied(&world);
        world.label("COMPROMISED", Some(&world.first_version()));
        drop(world.run(Step::Finish, &token));
        !world.is_current(&token)
    }),
    (Wrong::GraceOfOneVersion, || {
        // Another secret names the key too, and is rotated after this one's grace.
        let world = World::new();
        let other = world.add_secret_of("prod/bybit/other", world.first_credential());
        world.rotate().expect("a rotation");
        world.advance(hours(24 * 8));
        world.rotate_secret(&other).expect("a rotation");
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
        world.advance(minutes(1));
        world.maintain();
        world.alive(&key)
    }),
    (Wrong::ReplicaIgnored, || {
        let (world, key) = past_its_grace();
        world.replicate(ReplicaStatus::Failed);
        passes(&world);
        world.alive(&key)
    }),
    (Wrong::CurrentHoldsAlone, || {
        // The key is on offer at another secret.
        let world = World::new();
        world.rotate().expect("a rotation");
        let other = world.key_by_hand(SUB);
        let other = world.add_secret_of("prod/bybit/other", &other);
        offer(&world, &other);
        world.advance(hours(24 * 8));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::UnreadableHoldsNothing, || {
        let world = World::new();
        let other = world.add_secret_of("prod/bybit/other", world.first_credential());
        world.rotate().expect("a rotation");
        world.delete_secret(&other);
        world.advance(hours(24 * 8));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::StampClaimed, || {
        // A hand replaces a key of ours, and the pass that should stamp it only says so.
        let world = World::new();
        let token = world.rotate().expect("a rotation");
        new_current_by_hand(&world);
        world.maintain();
        world.has_stamp(&token, "REPLACED-")
    }),
    (Wrong::YoungOrphanReaped, || {
        let world = World::new();
        let (token, _) = unstored(&world);
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
            new_current_by_hand(&world);
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
        let answer = world.maintain_dry();
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
        world.rotate().expect("a rotation");
        world.rotate().expect("a rotation");
        world.advance(hours(25));
        passes(&world);
        world.alive(world.first_key())
    }),
    (Wrong::DeniedIsDeath, || {
        // The function may not use it, and its value names another account, whose list does not show it.
        let world = World::new();
        let settings = Settings {
            ips: Ips::only([BOT_ADDRESS]),
            ..settings_by_hand(&[TRADES, SPOT])
        };
        let key = world.key_by_hand_with(OTHER_SUB, settings);
        let version = world.put_key(&key, "AWSCURRENT");
        world.advance(hours(1));
        new_current_by_hand(&world);
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
    world.key_by_hand(SUB);
    let first = world.rotate().expect("a rotation");
    world.advance(hours(1));
    world.rotate().expect("another");
    world.advance(hours(25));
    let key = key_in(&world, &first);
    (world, key)
}

/// A person offers the first key to another secret.
fn offer(world: &World, secret: &SecretId) {
    let value = world.filled_in(world.text_of_setup(), world.first_credential(), SUB);
    let version = VersionId::new("11111111-1111-4111-8111-111111111111");
    world.put_value(secret, &version, &value, &["CANDIDATE"]);
}
