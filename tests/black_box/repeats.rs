//! Steps that come twice, late, or out of order.

use crate::world::{STEPS, TOKEN, World};

#[tokio::test]
async fn a_step_repeated_any_number_of_times_changes_nothing_more() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    for (at, step) in STEPS.iter().enumerate() {
        world.succeed(step).await;
        let after = (world.labels(), world.keys(), world.audit().len());
        for earlier in &STEPS[..=at] {
            world.succeed(earlier).await;
        }
        assert_eq!(
            (world.labels(), world.keys(), world.audit().len()),
            after,
            "after {step}"
        );
    }
}

#[tokio::test]
async fn a_step_that_comes_too_early_is_refused_and_changes_nothing() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    let before = (world.labels(), world.keys());
    for step in ["setSecret", "testSecret", "finishSecret"] {
        assert_eq!(world.fail(step).await.0, "PENDING_EMPTY", "{step}");
    }
    assert_eq!((world.labels(), world.keys()), before);
}

#[tokio::test]
async fn a_finished_rotation_is_over_for_every_step() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    world.rotate().await;
    for step in STEPS {
        assert_eq!(world.succeed(step).await, "already_current");
    }
}

#[tokio::test]
async fn two_processes_at_once_end_with_one_key_for_the_version() {
    let world = World::start().await;
    let other = world.process(&world.local.environment()).await;
    world.open_rotation(TOKEN);
    for step in STEPS {
        let event = world.event(step, TOKEN);
        let (one, two) = tokio::join!(world.function.invoke(&event), other.invoke(&event));
        assert!(one.is_ok() || two.is_ok(), "{step}: {one:?}, {two:?}");
    }
    // Whatever the loser of a step saw, the next repetition agrees.
    world.rotate().await;
    assert_eq!(world.live_keys().len(), 2, "the old key and one new one");
    assert_eq!(world.live_keys()[1].key.as_str(), world.current()["api_key"]);
}
