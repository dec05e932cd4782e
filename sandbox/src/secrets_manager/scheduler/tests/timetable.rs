//! Rotations that a schedule opens.

use super::*;

fn scheduled_model(rules: RotationRules) -> Model {
    let mut model = Model::new(1, Knobs::default());
    let seed = Seed {
        name: "a".into(),
        value: Some(SecretValue::Text("first-value".into())),
        version_id: Some(FIRST.to_owned()),
        rotation: Some(RotationSeed {
            lambda_arn: None,
            rules: Some(rules),
        }),
        ..Seed::default()
    };
    model.seed(seed, T0 + hours(5)).unwrap();
    model
}

#[test]
fn a_schedule_in_days_opens_a_rotation_again_and_again() {
    let mut model = scheduled_model(RotationRules::days(90));
    let first = T0 + hours(90 * 24);
    assert_eq!(model.next_due(), Some(first));
    assert!(
        model
            .due_invocation(first - SignedDuration::from_secs(1))
            .is_none()
    );
    assert_eq!(run_all(&mut model, first + hours(3)), ALL);
    assert_eq!(model.next_due(), Some(T0 + hours(180 * 24)));
    let described = model
        .describe_secret(
            &DescribeSecret {
                secret_id: "a".into(),
            },
            first,
        )
        .unwrap();
    let last_second = SignedDuration::from_secs(1);
    assert_eq!(
        described.summary.next_rotation_date,
        Some(T0 + hours(181 * 24) - last_second)
    );
    assert_eq!(described.summary.last_rotated_date, Some(first + hours(3)));
}

#[test]
fn a_rotation_can_fire_later_in_its_window() {
    let mut model = scheduled_model(RotationRules::days(90));
    model.knobs_mut().window_delay = hours(7);
    let opens = T0 + hours(90 * 24);
    assert_eq!(model.next_due(), Some(opens + hours(7)));
    assert!(model.due_invocation(opens).is_none());
    assert!(model.due_invocation(opens + hours(7)).is_some());
}

#[test]
fn a_rate_in_hours_fires_and_a_cron_expression_never_does() {
    let mut model = scheduled_model(RotationRules::expression("rate(4 hours)"));
    assert_eq!(run_all(&mut model, T0 + hours(9)), ALL);
    let mut model = scheduled_model(RotationRules::expression("cron(0 8 * * ? *)"));
    assert_eq!(model.next_due(), None);
    assert!(model.due_invocation(T0 + hours(10_000)).is_none());
}

#[test]
fn a_value_written_by_hand_postpones_the_schedule() {
    let mut model = scheduled_model(RotationRules::days(90));
    model
        .put_secret_value(&put("a", 2, "by hand", &[]), T0 + hours(30 * 24))
        .unwrap();
    assert_eq!(model.next_due(), Some(T0 + hours(120 * 24)));
}

#[test]
fn a_schedule_takes_a_rotation_that_was_given_up_up_again_with_its_token() {
    let mut model = scheduled_model(RotationRules::days(7));
    model.knobs_mut().replays = 0;
    let week = T0 + hours(7 * 24);
    let failing = model.due_invocation(week).unwrap();
    model.invocation_finished(&failing, false, week);
    assert_eq!(model.next_due(), Some(week + hours(7 * 24)));
    let again = model.due_invocation(week + hours(7 * 24)).unwrap();
    assert_eq!((again.step, again.token), (Step::CreateSecret, failing.token));
    let described = model
        .describe_secret(
            &DescribeSecret {
                secret_id: "a".into(),
            },
            week,
        )
        .unwrap();
    assert!(
        described.summary.next_rotation_date.unwrap() < week + hours(24),
        "the date stays in the past"
    );
}
