//! Lost replies, throttling and clocks that are off.

use std::time::Duration;

use super::*;

/// The codes of the venue's answers to calls of this kind since this was last asked.
fn told(world: &World, operation: &str) -> Vec<Option<i64>> {
    let calls = world.local.venue.lock().model.take_calls();
    let of_kind = calls
        .iter()
        .filter(|call| format!("{} {}", call.method, call.path) == operation);
    of_kind.map(|call| call.code).collect()
}

#[tokio::test]
async fn a_request_for_a_key_that_never_arrived_is_made_again() {
    let world = world().await;
    world.local.venue.lock().faults.plan(CREATE, Fault::Dropped);
    world.open_rotation(TOKEN);
    world.rotate().await;
    assert_eq!(told(&world, CREATE), [None, Some(0)]);
    rests_on(&world, 2);
}

#[tokio::test]
async fn a_key_of_okx_whose_reply_was_lost_is_revoked_and_replaced() {
    let world = world().await;
    world.local.venue.lock().faults.plan(CREATE, Fault::ReplyLost);
    world.open_rotation(TOKEN);
    world.rotate().await;
    assert_eq!(told(&world, CREATE), [Some(0), Some(0)]);
    rests_on(&world, 3);
}

#[tokio::test]
async fn a_lost_key_that_no_list_shows_yet_is_known_by_its_label() {
    let world = world().await;
    {
        let mut state = world.local.venue.lock();
        state.faults.plan(CREATE, Fault::ReplyLost);
        state.model.knobs.listings_lag = true;
        state.model.knobs.new_key_delay = jiff::SignedDuration::from_secs(120);
    }
    world.open_rotation(TOKEN);
    let asked_again = async {
        let mut answers = Vec::new();
        while answers.last() != Some(&Some(59_502)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            answers.extend(told(&world, CREATE));
        }
        // Then the list catches up.
        world.local.venue.lock().model.knobs.new_key_delay = jiff::SignedDuration::ZERO;
        answers
    };
    let asked_again = tokio::time::timeout(Duration::from_mins(2), asked_again);
    let (issued, answers) = tokio::join!(world.succeed("createSecret"), asked_again);
    assert_eq!(
        (issued.as_str(), answers.unwrap()),
        ("issued", vec![Some(0), Some(59_502)])
    );
    for step in &STEPS[1..] {
        world.succeed(step).await;
    }
    rests_on(&world, 3);
}

#[tokio::test]
async fn throttling_by_okx_is_waited_out() {
    let world = world().await;
    for path in [CONFIG, LIST, CREATE] {
        world.local.venue.lock().faults.plan(path, Fault::Throttled);
    }
    for path in [CONFIG, LIST] {
        world.local.venue.lock().faults.plan(path, Fault::ServerError);
        world.local.venue.lock().faults.plan(path, Fault::Dropped);
    }
    world.open_rotation(TOKEN);
    world.rotate().await;
    assert_eq!(told(&world, CREATE), [Some(50_011), Some(0)]);
    rests_on(&world, 2);
}

#[tokio::test]
async fn a_clock_that_okx_refuses_is_no_obstacle() {
    for minutes in [-1, 1] {
        let world = world().await;
        let by = jiff::SignedDuration::from_mins(minutes);
        world.local.clock.advance(by);
        world.open_rotation(TOKEN);
        world.rotate().await;
        let first = told(&world, &format!("GET {CONFIG}"))[0];
        assert_eq!(first, Some(50_102), "it was off");
        rests_on(&world, 2);
    }
}
