//! Test rotations: `RotateImmediately` false.

use super::*;

#[test]
fn a_test_rotation_runs_test_secret_alone_on_a_copy_and_leaves_nothing() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, false);
    let invocation = model.due_invocation(T0).unwrap();
    assert_eq!(
        (invocation.step, invocation.token.clone()),
        (Step::TestSecret, token(2))
    );
    assert_eq!(model.read(AWSPENDING).as_deref(), Some("first-value"));
    model.invocation_finished(&invocation, true, T0);
    assert!(model.due_invocation(T0 + hours(24)).is_none());
    let secret = model.secret("a").unwrap();
    assert_eq!(secret.versions().keys().collect::<Vec<_>>(), [FIRST]);
    assert_eq!(secret.last_rotated(), None);
    assert_eq!(events(&mut model), []);
}

#[test]
fn a_failed_test_rotation_says_so_and_is_not_replayed() {
    let (mut model, _) = model_with("a");
    rotate(&mut model, 2, false);
    let invocation = model.due_invocation(T0).unwrap();
    model.invocation_finished(&invocation, false, T0);
    assert_eq!(events(&mut model), [EventKind::TestRotationFailed]);
    assert!(model.due_invocation(T0 + hours(24)).is_none());
}

#[test]
fn a_test_rotation_can_leave_its_version_behind() {
    let left = |test_leftover| {
        let (mut model, _) = model_with_knobs(
            "a",
            Knobs {
                test_leftover,
                ..Knobs::default()
            },
        );
        rotate(&mut model, 2, false);
        let invocation = model.due_invocation(T0).unwrap();
        model.invocation_finished(&invocation, true, T0);
        let secret = model.secret("a").unwrap();
        (
            secret.versions().contains_key(&token(2)),
            secret.open_pending().is_some(),
        )
    };
    assert_eq!(left(TestLeftover::Nothing), (false, false));
    assert_eq!(left(TestLeftover::UnlabelledVersion), (true, false));
    assert_eq!(left(TestLeftover::PendingVersion), (true, true));
}
