//! Crashes, lost replies, throttling and clocks that are off, at the real binary.

use std::time::Duration;

use jiff::SignedDuration;
use sandbox::fault::Fault;

use crate::world::{STEPS, TOKEN, World};

const CREATE: &str = "/v5/user/create-sub-api";

#[tokio::test]
async fn a_clock_that_is_a_minute_off_is_no_obstacle() {
    for minutes in [-1, 1] {
        let world = World::start().await;
        world.local.clock.advance(SignedDuration::from_mins(minutes));
        world.open_rotation(TOKEN);
        world.rotate().await;
        assert_eq!(world.live_keys().len(), 2);
    }
}

#[tokio::test]
async fn throttling_and_failing_servers_are_waited_out() {
    let world = World::start().await;
    for path in ["/v5/user/query-api", "/v5/user/sub-apikeys", CREATE] {
        world.local.venue.lock().faults.plan(path, Fault::Throttled);
    }
    for path in ["/v5/user/query-api", "/v5/user/sub-apikeys"] {
        world.local.venue.lock().faults.plan(path, Fault::ServerError);
        world.local.venue.lock().faults.plan(path, Fault::Dropped);
    }
    for operation in [
        "DescribeSecret",
        "GetSecretValue",
        "PutSecretValue",
        "UpdateSecretVersionStage",
    ] {
        world.plan(operation, Fault::Throttled);
    }
    world.open_rotation(TOKEN);
    for step in STEPS {
        // A swap that was throttled is left to the replay: it is never tried twice by one run.
        if world.invoke(step).await.is_err() {
            assert_eq!(step, "finishSecret");
            world.succeed(step).await;
        }
    }
    assert_eq!(world.live_keys().len(), 2);
}

#[tokio::test]
async fn a_key_whose_reply_was_lost_is_found_revoked_and_replaced() {
    let world = World::start().await;
    world.local.venue.lock().faults.plan(CREATE, Fault::ReplyLost);
    world.open_rotation(TOKEN);
    world.rotate().await;
    let live = world.live_keys();
    assert_eq!(world.keys().len(), 3, "two were issued");
    assert_eq!(live.len(), 2, "the old key and the one that was stored");
    assert_eq!(live[1].key.as_str(), world.current()["api_key"]);
}

#[tokio::test]
async fn a_value_whose_reply_was_lost_is_stored_once() {
    let world = World::start().await;
    world.plan("PutSecretValue", Fault::ReplyLost);
    world.open_rotation(TOKEN);
    world.rotate().await;
    assert_eq!(world.keys().len(), 2);
}

#[tokio::test]
async fn a_swap_whose_reply_was_lost_is_seen_and_not_repeated() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    for step in &STEPS[..3] {
        world.succeed(step).await;
    }
    world.plan("UpdateSecretVersionStage", Fault::ReplyLost);
    assert_eq!(world.succeed("finishSecret").await, "promoted");
    let audit = world.audit();
    let swaps = audit.iter().filter(|line| line["action"] == "move_current");
    let outcomes: Vec<&str> = swaps.map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(
        outcomes,
        ["unknown", "done"],
        "one attempt, and what a look then showed"
    );
    let calls = world.local.secrets_manager.lock().model.take_calls();
    let swaps = calls
        .iter()
        .filter(|call| call.detail.contains("AWSCURRENT") && call.operation.as_str().contains("Stage"));
    assert_eq!(swaps.count(), 1);
}

#[tokio::test]
async fn a_process_killed_between_issue_and_store_leaves_no_orphan_behind() {
    let mut world = World::start().await;
    // The value never arrives, and while the function tries again it is killed.
    for _ in 0..4 {
        world.plan("PutSecretValue", Fault::Dropped);
    }
    world.open_rotation(TOKEN);
    let event = world.event("createSecret", TOKEN);
    tokio::select! {
        outcome = world.function.invoke(&event) => panic!("it ended by itself: {outcome:?}"),
        () = issued(&world) => {}
    }
    world.function.kill().await;
    world.local.secrets_manager.lock().faults = sandbox::fault::Faults::default();
    world.function = world.process(&world.local.environment()).await;
    world.rotate().await;
    let live = world.live_keys();
    assert_eq!(world.keys().len(), 3, "two were issued");
    assert_eq!(live.len(), 2, "the old key and the one that was stored");
    assert_eq!(live[1].key.as_str(), world.current()["api_key"]);
}

async fn issued(world: &World) {
    while world.keys().len() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
