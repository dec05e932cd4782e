mod dry_run;
mod timetable;

use jiff::SignedDuration;

use super::super::testing::{FIRST, T0, hours, model_with, model_with_knobs, put, relabel, token};
use super::super::{
    DescribeSecret, Knobs, PutSecretValue, RotateSecret, RotationRules, RotationSeed, SecretValue, Seed,
};
use super::*;

fn rotate(model: &mut Model, number: u32, immediately: bool) {
    let request = RotateSecret {
        secret_id: "a".into(),
        client_request_token: Some(token(number)),
        rotate_immediately: Some(immediately),
        ..RotateSecret::default()
    };
    model.rotate_secret(&request, T0).unwrap();
}

/// Runs what is due as a well-behaved function would, and answers the steps it was called with.
fn run_all(model: &mut Model, now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(invocation) = model.due_invocation(now) {
        let token = &invocation.token;
        if invocation.step == Step::CreateSecret {
            let value = PutSecretValue {
                client_request_token: Some(token.clone()),
                rotation_token: invocation.rotation_token.clone(),
                ..put("a", 0, "rotated", &[AWSPENDING])
            };
            model.put_secret_value(&value, now).unwrap();
        }
        if invocation.step == Step::FinishSecret {
            let from = model.secret("a").unwrap().holder(AWSCURRENT).unwrap().to_owned();
            model
                .update_secret_version_stage(&relabel(AWSCURRENT, Some(&from), Some(token)), now)
                .unwrap();
        }
        steps.push(invocation.step);
        model.invocation_finished(&invocation, true, now);
    }
    steps
}

fn events(model: &mut Model) -> Vec<EventKind> {
    model.take_events().into_iter().map(|event| event.kind).collect()
}

const ALL: [Step; 4] = [
    Step::CreateSecret,
    Step::SetSecret,
    Step::TestSecret,
    Step::FinishSecret,
];

#[test]
fn a_rotation_runs_the_four_steps_and_then_counts_as_rotated() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, true);
    let done = T0 + hours(1);
    assert_eq!(run_all(&mut model, done), ALL);
    let secret = model.secret("a").unwrap();
    assert_eq!(secret.last_rotated(), Some(done));
    assert_eq!(secret.holder(AWSCURRENT), Some(token(2).as_str()));
    assert_eq!(secret.holder(AWSPENDING), None);
    assert!(secret.rotation().is_none());
    assert_eq!(
        events(&mut model),
        [EventKind::RotationStarted, EventKind::RotationSucceeded]
    );
}

#[test]
fn pending_can_be_left_on_the_new_current_version_and_blocks_nothing() {
    let (mut model, _) = model_with_knobs(
        "a",
        Knobs {
            clean_up_pending: false,
            ..Knobs::default()
        },
    );
    rotate(&mut model, 2, true);
    run_all(&mut model, T0);
    assert_eq!(
        model.secret("a").unwrap().holder(AWSPENDING),
        Some(token(2).as_str())
    );
    rotate(&mut model, 3, true);
    assert_eq!(run_all(&mut model, T0), ALL);
}

#[test]
fn the_event_has_the_full_arn_and_the_rotation_token() {
    let (mut model, arn) = model_with("a");
    rotate(&mut model, 2, true);
    let invocation = model.due_invocation(T0).unwrap();
    let sent = invocation.rotation_token.as_ref().unwrap().expose();
    assert!((36..=256).contains(&sent.len()));
    let expected = serde_json::json!({
        "Step": "createSecret", "SecretId": arn, "ClientRequestToken": token(2), "RotationToken": sent,
    });
    assert_eq!(invocation.event(), expected);
    assert!(!format!("{invocation:?} {model:?}").contains(sent));
}

#[test]
fn the_event_can_come_without_a_rotation_token() {
    let (mut model, _) = model_with_knobs(
        "a",
        Knobs {
            send_rotation_token: false,
            ..Knobs::default()
        },
    );
    rotate(&mut model, 2, true);
    let event = model.due_invocation(T0).unwrap().event();
    assert!(event.get("RotationToken").is_none());
}

#[test]
fn an_invocation_is_handed_out_once_while_it_runs() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, true);
    let running = model.due_invocation(T0).unwrap();
    assert!(model.due_invocation(T0).is_none());
    model.invocation_finished(&running, true, T0);
    model.invocation_finished(&running, true, T0);
    assert_eq!(
        model.due_invocation(T0).unwrap().step,
        Step::SetSecret,
        "a second outcome is ignored"
    );
}

#[test]
fn a_failed_step_replays_the_whole_rotation_with_the_same_token() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, true);
    for step in &ALL[..3] {
        let invocation = model.due_invocation(T0).unwrap();
        assert_eq!(invocation.step, *step);
        model.invocation_finished(&invocation, *step != Step::TestSecret, T0);
    }
    let spacing = model.knobs_mut().replay_spacing;
    assert_eq!(model.next_due(), Some(T0 + spacing));
    assert!(
        model.due_invocation(T0).is_none(),
        "not before the spacing is over"
    );
    let replay = model.due_invocation(T0 + spacing).unwrap();
    assert_eq!(
        (replay.step, replay.token, replay.replay),
        (Step::CreateSecret, token(2), 1)
    );
    assert_eq!(
        events(&mut model),
        [
            EventKind::RotationStarted,
            EventKind::RotationFailed,
            EventKind::RotationStarted
        ]
    );
}

#[test]
fn each_replay_can_have_a_rotation_token_of_its_own() {
    for fresh in [false, true] {
        let knobs = Knobs {
            fresh_rotation_token_per_replay: fresh,
            ..Knobs::default()
        };
        let (mut model, _) = model_with_knobs("a", knobs);
        rotate(&mut model, 2, true);
        let first = model.due_invocation(T0).unwrap();
        model.invocation_finished(&first, false, T0);
        let replay = model.due_invocation(T0 + hours(1)).unwrap();
        assert_eq!(replay.rotation_token != first.rotation_token, fresh);
    }
}

#[test]
fn a_rotation_is_given_up_after_its_replays_and_pending_stays() {
    let knobs = Knobs {
        replays: 2,
        events_per_replay: false,
        ..Knobs::default()
    };
    let (mut model, _) = model_with_knobs("a", knobs);
    rotate(&mut model, 2, true);
    let mut passes = 0;
    let mut now = T0;
    while let Some(invocation) = model.due_invocation(now) {
        passes += 1;
        model.invocation_finished(&invocation, false, now);
        now += hours(1);
    }
    assert_eq!(passes, 3);
    let secret = model.secret("a").unwrap();
    assert_eq!(secret.holder(AWSPENDING), Some(token(2).as_str()));
    assert_eq!(secret.last_rotated(), None);
    assert_eq!(
        events(&mut model),
        [EventKind::RotationStarted, EventKind::RotationFailed]
    );
}

#[test]
fn a_step_that_never_answers_counts_as_failed() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, true);
    let lost = model.due_invocation(T0).unwrap();
    let patience = model.knobs_mut().invocation_patience;
    assert_eq!(model.next_due(), Some(T0 + patience));
    assert!(
        model
            .due_invocation(T0 + patience - SignedDuration::from_secs(1))
            .is_none()
    );
    assert!(
        model.due_invocation(T0 + patience).is_none(),
        "the replay waits for its spacing"
    );
    let replay = model.due_invocation(T0 + patience + hours(1)).unwrap();
    assert_eq!(replay.replay, 1);
    model.invocation_finished(&lost, true, T0 + patience + hours(1));
    assert!(
        model.due_invocation(T0 + patience + hours(1)).is_none(),
        "the late outcome is ignored"
    );
}

#[test]
fn a_finish_that_did_not_make_the_version_current_has_not_rotated() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, true);
    for _ in ALL {
        let invocation = model.due_invocation(T0).unwrap();
        model.invocation_finished(&invocation, true, T0);
    }
    assert_eq!(model.secret("a").unwrap().last_rotated(), None);
    assert_eq!(model.due_invocation(T0 + hours(1)).unwrap().replay, 1);
}

#[test]
fn a_value_put_without_the_rotation_token_can_fail_the_rotation() {
    let (mut model, _) = model_with_knobs(
        "a",
        Knobs {
            demand_rotation_token: true,
            ..Knobs::default()
        },
    );
    rotate(&mut model, 2, true);
    let create = model.due_invocation(T0).unwrap();
    model.put(2, "v", &[AWSPENDING]);
    model.invocation_finished(&create, true, T0);
    assert_eq!(model.due_invocation(T0 + hours(1)).unwrap().replay, 1);

    let (mut model, _) = model_with_knobs(
        "a",
        Knobs {
            demand_rotation_token: true,
            ..Knobs::default()
        },
    );
    rotate(&mut model, 2, true);
    assert_eq!(run_all(&mut model, T0), ALL);
}

#[test]
fn several_secrets_rotate_side_by_side() {
    let (mut model, _) = model_with("a");
    let seed = Seed {
        name: "b".into(),
        rotation: Some(RotationSeed::default()),
        ..Seed::default()
    };
    let b = model.seed(seed, T0).unwrap();
    rotate(&mut model, 2, true);
    let request = RotateSecret {
        secret_id: "b".into(),
        ..RotateSecret::default()
    };
    model.rotate_secret(&request, T0).unwrap();
    let (first, second) = (
        model.due_invocation(T0).unwrap(),
        model.due_invocation(T0).unwrap(),
    );
    assert_ne!(first.secret_arn, second.secret_arn);
    assert!([first.secret_arn, second.secret_arn].contains(&b));
    assert!(model.due_invocation(T0).is_none());
}

#[test]
fn a_rotation_whose_version_lost_pending_gives_way_to_the_next() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, true);
    let running = model.due_invocation(T0).unwrap();
    model
        .update_secret_version_stage(&relabel(AWSPENDING, Some(&token(2)), None), T0)
        .unwrap();
    model.invocation_finished(&running, false, T0);
    assert_eq!(
        model.due_invocation(T0 + hours(1)).unwrap().token,
        token(2),
        "replays go on meanwhile"
    );
    rotate(&mut model, 3, true);
    assert!(
        model
            .events()
            .iter()
            .any(|event| event.kind == EventKind::RotationFailed && event.version_id == token(2))
    );
    assert_eq!(run_all(&mut model, T0 + hours(2)), ALL);
    assert_eq!(
        model.secret("a").unwrap().holder(AWSCURRENT),
        Some(token(3).as_str())
    );
}

#[test]
fn a_snapshot_rotates_exactly_as_the_original() {
    let (mut model, _) = model_with("a");
    let mut snapshot = model.clone();
    for one in [&mut model, &mut snapshot] {
        one.rotate_secret(
            &RotateSecret {
                secret_id: "a".into(),
                ..RotateSecret::default()
            },
            T0,
        )
        .unwrap();
    }
    assert_eq!(model.due_invocation(T0), snapshot.due_invocation(T0));
    assert_eq!(model.calls(), snapshot.calls());
}
