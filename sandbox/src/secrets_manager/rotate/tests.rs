use super::super::testing::{FIRST, T0, hours, model_with, put, relabel, token};
use super::super::{CreateSecret, DescribeSecret, ErrorKind, EventKind, Knobs, RotationRules, UpdateSecret};
use super::*;

fn rotate(number: u32) -> RotateSecret {
    RotateSecret {
        secret_id: "a".into(),
        client_request_token: Some(token(number)),
        ..RotateSecret::default()
    }
}

fn events(model: &mut Model) -> Vec<EventKind> {
    model.take_events().into_iter().map(|event| event.kind).collect()
}

fn pending(model: &Model) -> Option<String> {
    model.secret("a").unwrap().holder(AWSPENDING).map(str::to_owned)
}

const REFUSAL: &str = "A previous rotation isn't complete. That rotation will be reattempted.";

#[test]
fn the_pending_version_is_there_without_a_value_before_create_secret() {
    let (mut model, _) = model_with("a");
    let reply = model.rotate_secret(&rotate(2), T0).unwrap();
    assert_eq!(reply.version_id, Some(token(2)));
    assert_eq!(pending(&model), Some(token(2)));
    assert!(model.secret("a").unwrap().versions()[&token(2)].value().is_none());
    assert_eq!(events(&mut model), [EventKind::RotationStarted]);
}

#[test]
fn a_token_is_made_up_where_none_was_sent() {
    let (mut model, _) = model_with("a");
    let request = RotateSecret {
        client_request_token: None,
        ..rotate(2)
    };
    let made_up = model.rotate_secret(&request, T0).unwrap().version_id;
    assert_eq!(made_up, pending(&model));
}

#[test]
fn an_open_pending_version_refuses_a_rotation_and_is_reattempted() {
    let (mut model, _) = model_with("a");
    model.rotate_secret(&rotate(2), T0).unwrap();
    let first = model.due_invocation(T0).unwrap();
    model.invocation_finished(&first, true, T0);
    let error = model.rotate_secret(&rotate(3), T0).unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::InvalidRequest, REFUSAL)
    );
    assert!(!model.secret("a").unwrap().versions().contains_key(&token(3)));
    let again = model.due_invocation(T0).unwrap();
    assert_eq!((again.step, again.token), (Step::CreateSecret, token(2)));
}

#[test]
fn a_pending_version_that_was_given_up_is_reattempted_too() {
    let (mut model, _) = model_with("a");
    model.knobs_mut().replays = 0;
    model.rotate_secret(&rotate(2), T0).unwrap();
    let first = model.due_invocation(T0).unwrap();
    model.invocation_finished(&first, false, T0);
    assert!(model.due_invocation(T0 + hours(24)).is_none());
    assert_eq!(model.rotate_secret(&rotate(3), T0).unwrap_err().message, REFUSAL);
    assert_eq!(model.due_invocation(T0).unwrap().token, token(2));
}

#[test]
fn the_same_request_again_is_answered_as_the_first_time() {
    let (mut model, _) = model_with("a");
    let first = model.rotate_secret(&rotate(2), T0).unwrap();
    assert_eq!(model.rotate_secret(&rotate(2), T0), Ok(first));
    assert_eq!(events(&mut model), [EventKind::RotationStarted]);
}

#[test]
fn pending_on_the_current_version_blocks_nothing() {
    let (mut model, _) = model_with("a");
    model
        .update_secret_version_stage(&relabel(AWSPENDING, None, Some(FIRST)), T0)
        .unwrap();
    model.rotate_secret(&rotate(2), T0).unwrap();
    assert_eq!(pending(&model), Some(token(2)));
}

#[test]
fn cancelling_leaves_pending_and_switches_rotation_off() {
    let (mut model, _) = model_with("a");
    model.rotate_secret(&rotate(2), T0).unwrap();
    let running = model.due_invocation(T0).unwrap();
    let reply = model
        .cancel_rotate_secret(
            &CancelRotateSecret {
                secret_id: "a".into(),
            },
            T0,
        )
        .unwrap();
    assert_eq!(reply.version_id, Some(token(2)));
    assert_eq!(pending(&model), Some(token(2)));
    model.invocation_finished(&running, true, T0);
    assert!(model.due_invocation(T0 + hours(24)).is_none());
    let described = model
        .describe_secret(
            &DescribeSecret {
                secret_id: "a".into(),
            },
            T0,
        )
        .unwrap();
    assert_eq!(described.summary.rotation_enabled, Some(false));

    // What was left blocks the next rotation until the label is taken off by hand.
    assert_eq!(model.rotate_secret(&rotate(3), T0).unwrap_err().message, REFUSAL);
    assert!(
        model.due_invocation(T0).is_none(),
        "a rotation that is off is not reattempted"
    );
    model
        .update_secret_version_stage(&relabel(AWSPENDING, Some(&token(2)), None), T0)
        .unwrap();
    model.rotate_secret(&rotate(3), T0).unwrap();
    assert_eq!(model.due_invocation(T0).unwrap().token, token(3));
}

#[test]
fn a_refused_rotation_can_turn_rotation_on_all_the_same() {
    let (mut model, _) = model_with("a");
    model.knobs_mut().refused_rotate_turns_on = true;
    model.rotate_secret(&rotate(2), T0).unwrap();
    model
        .cancel_rotate_secret(
            &CancelRotateSecret {
                secret_id: "a".into(),
            },
            T0,
        )
        .unwrap();
    assert!(model.rotate_secret(&rotate(3), T0).is_err());
    assert_eq!(model.due_invocation(T0).unwrap().token, token(2));
}

#[test]
fn a_value_made_current_by_hand_abandons_the_rotation() {
    for update in [false, true] {
        let (mut model, arn) = model_with("a");
        model.rotate_secret(&rotate(2), T0).unwrap();
        let running = model.due_invocation(T0).unwrap();
        if update {
            let request = UpdateSecret {
                secret_id: arn,
                client_request_token: Some(token(9)),
                secret_string: Some("by hand".into()),
                ..UpdateSecret::default()
            };
            model.update_secret(&request, T0).unwrap();
        } else {
            model.put(9, "by hand", &[]);
        }
        assert_eq!(pending(&model), None);
        assert_eq!(model.events().last().unwrap().version_id, token(2));
        assert_eq!(
            events(&mut model),
            [EventKind::RotationStarted, EventKind::RotationAbandoned]
        );
        model.invocation_finished(&running, true, T0);
        assert!(model.due_invocation(T0 + hours(24)).is_none());
        model.rotate_secret(&rotate(3), T0).unwrap();
    }
}

#[test]
fn a_value_under_a_label_of_its_own_abandons_only_by_the_knob() {
    for (knob, abandoned) in [(false, false), (true, true)] {
        let (mut model, _) = model_with("a");
        model.knobs_mut().any_manual_version_abandons = knob;
        model.rotate_secret(&rotate(2), T0).unwrap();
        model
            .put_secret_value(&put("a", 2, "built", &[AWSPENDING]), T0)
            .unwrap();
        assert_eq!(
            pending(&model),
            Some(token(2)),
            "the rotation's own value abandons nothing"
        );
        model
            .put_secret_value(&put("a", 9, "by hand", &["CANDIDATE"]), T0)
            .unwrap();
        assert_eq!(pending(&model).is_none(), abandoned);
        assert_eq!(
            events(&mut model).contains(&EventKind::RotationAbandoned),
            abandoned
        );
    }
}

#[test]
fn a_rotation_needs_a_function_unless_it_was_set_up_without() {
    let (mut model, _) = model_with("a");
    assert!(
        model.rotate_secret(&rotate(2), T0).is_ok(),
        "the seed turned rotation on without a function"
    );
    model
        .create_secret(
            &CreateSecret {
                name: "b".into(),
                ..CreateSecret::default()
            },
            T0,
        )
        .unwrap();
    let request = RotateSecret {
        secret_id: "b".into(),
        ..rotate(2)
    };
    assert_eq!(
        model.rotate_secret(&request, T0).unwrap_err().kind,
        ErrorKind::InvalidRequest
    );
    let cancel = CancelRotateSecret {
        secret_id: "b".into(),
    };
    assert_eq!(
        model.cancel_rotate_secret(&cancel, T0).unwrap_err().kind,
        ErrorKind::InvalidRequest
    );
    let named = RotateSecret {
        rotation_lambda_arn: Some("arn:f".into()),
        ..request
    };
    assert_eq!(
        model.rotate_secret(&named, T0).unwrap().version_id,
        Some(token(2))
    );
    let invoked = [
        model.due_invocation(T0).unwrap(),
        model.due_invocation(T0).unwrap(),
    ];
    assert!(
        invoked
            .iter()
            .any(|one| one.lambda_arn.as_deref() == Some("arn:f"))
    );
}

#[test]
fn a_bad_schedule_is_refused_whole() {
    let (mut model, _) = model_with("a");
    let request = RotateSecret {
        rotation_rules: Some(RotationRules::expression("rate(3 hours)")),
        ..rotate(2)
    };
    assert_eq!(
        model.rotate_secret(&request, T0).unwrap_err().kind,
        ErrorKind::InvalidParameter
    );
    assert_eq!(pending(&model), None);
    assert_eq!(model.secret("a").unwrap().rotation_rules, None);
}

#[test]
fn a_token_that_names_a_version_already_starts_nothing() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &["X"]);
    assert_eq!(
        model.rotate_secret(&rotate(2), T0).unwrap_err().kind,
        ErrorKind::InvalidRequest
    );
    let current = RotateSecret {
        client_request_token: Some(FIRST.to_owned()),
        ..rotate(2)
    };
    assert_eq!(
        model.rotate_secret(&current, T0).unwrap().version_id.as_deref(),
        Some(FIRST)
    );
    assert!(model.due_invocation(T0).is_none());
}

#[test]
fn attaching_a_schedule_rotates_at_once_even_without_a_value() {
    let mut model = Model::new(1, Knobs::default());
    model
        .create_secret(
            &CreateSecret {
                name: "a".into(),
                ..CreateSecret::default()
            },
            T0,
        )
        .unwrap();
    let request = RotateSecret {
        rotation_lambda_arn: Some("arn:f".into()),
        rotation_rules: Some(RotationRules::days(90)),
        ..rotate(2)
    };
    model.rotate_secret(&request, T0).unwrap();
    assert_eq!(model.due_invocation(T0).unwrap().step, Step::CreateSecret);
}
