use super::super::testing::{FIRST, T0, hours, model_with, put, relabel, token};
use super::super::{AWSPENDING, AWSPREVIOUS, CreateSecret, RotateSecret};
use super::*;

fn refused(model: &mut Model, stage: &str, from: Option<&str>, to: Option<&str>) -> ErrorKind {
    model
        .update_secret_version_stage(&relabel(stage, from, to), T0)
        .unwrap_err()
        .kind
}

fn holder(model: &Model, label: &str) -> Option<String> {
    model.secret("a").unwrap().holder(label).map(str::to_owned)
}

#[test]
fn the_swap_moves_current_and_takes_previous_along() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &[AWSPENDING]);
    model.put(3, "third", &["X"]);
    let later = T0 + hours(1);
    model
        .update_secret_version_stage(&relabel(AWSCURRENT, Some(FIRST), Some(&token(2))), later)
        .unwrap();
    assert_eq!(holder(&model, AWSCURRENT), Some(token(2)));
    assert_eq!(holder(&model, AWSPREVIOUS), Some(FIRST.to_owned()));
    assert_eq!(
        holder(&model, AWSPENDING),
        Some(token(2)),
        "the swap leaves AWSPENDING alone"
    );
    assert_eq!(model.secret("a").unwrap().last_changed, later);
    assert_eq!(
        model.secret("a").unwrap().last_rotated(),
        None,
        "a move by hand is no rotation"
    );

    model
        .update_secret_version_stage(&relabel(AWSCURRENT, Some(&token(2)), Some(FIRST)), T0)
        .unwrap();
    assert_eq!(
        holder(&model, AWSPREVIOUS),
        Some(token(2)),
        "rolling back turns the two round"
    );
}

#[test]
fn a_swap_from_the_wrong_version_is_refused_and_changes_nothing() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &[AWSPENDING]);
    model.put(3, "third", &["X"]);
    let to = token(2);
    assert_eq!(
        refused(&mut model, AWSCURRENT, None, Some(&to)),
        ErrorKind::InvalidParameter
    );
    assert_eq!(
        refused(&mut model, AWSCURRENT, Some(&token(3)), Some(&to)),
        ErrorKind::InvalidParameter
    );
    assert_eq!(
        refused(&mut model, AWSCURRENT, Some(&to), Some(&to)),
        ErrorKind::InvalidParameter
    );
    assert_eq!(holder(&model, AWSCURRENT), Some(FIRST.to_owned()));
    assert_eq!(holder(&model, AWSPREVIOUS), None);
}

#[test]
fn a_swap_that_is_sent_again_is_refused() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &[AWSPENDING]);
    let swap = relabel(AWSCURRENT, Some(FIRST), Some(&token(2)));
    model.update_secret_version_stage(&swap, T0).unwrap();
    let again = model.update_secret_version_stage(&swap, T0).unwrap_err();
    assert_eq!(again.kind, ErrorKind::InvalidParameter);
}

#[test]
fn the_first_current_version_needs_nothing_to_be_removed_from() {
    let (mut model, _) = model_with("a");
    let bare = CreateSecret {
        name: "bare".into(),
        ..CreateSecret::default()
    };
    model.create_secret(&bare, T0).unwrap();
    let rotate = RotateSecret {
        secret_id: "bare".into(),
        client_request_token: Some(token(2)),
        rotation_lambda_arn: Some("arn:aws:lambda:us-east-1:123456789012:function:f".into()),
        ..RotateSecret::default()
    };
    model.rotate_secret(&rotate, T0).unwrap();
    let mut swap = relabel(AWSCURRENT, None, Some(&token(2)));
    swap.secret_id = "bare".into();
    model.update_secret_version_stage(&swap, T0).unwrap();
    assert_eq!(
        model.secret("bare").unwrap().holder(AWSCURRENT),
        Some(token(2).as_str())
    );
    assert_eq!(model.secret("bare").unwrap().holder(AWSPREVIOUS), None);
}

#[test]
fn a_custom_label_is_added_moved_and_removed() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &["X"]);
    model
        .update_secret_version_stage(&relabel("CANDIDATE", None, Some(FIRST)), T0)
        .unwrap();
    model
        .update_secret_version_stage(&relabel("CANDIDATE", None, Some(FIRST)), T0)
        .unwrap();
    assert_eq!(holder(&model, "CANDIDATE"), Some(FIRST.to_owned()));

    let to = token(2);
    assert_eq!(
        refused(&mut model, "CANDIDATE", None, Some(&to)),
        ErrorKind::InvalidParameter
    );
    model
        .update_secret_version_stage(&relabel("CANDIDATE", Some(FIRST), Some(&to)), T0)
        .unwrap();
    assert_eq!(holder(&model, "CANDIDATE"), Some(to.clone()));
    assert_eq!(holder(&model, AWSCURRENT), Some(FIRST.to_owned()));

    assert_eq!(
        refused(&mut model, "CANDIDATE", Some(FIRST), None),
        ErrorKind::InvalidParameter
    );
    model
        .update_secret_version_stage(&relabel("CANDIDATE", Some(&to), None), T0)
        .unwrap();
    assert_eq!(holder(&model, "CANDIDATE"), None);
    assert_eq!(
        refused(&mut model, "CANDIDATE", Some(&to), None),
        ErrorKind::InvalidParameter
    );
    assert_eq!(
        refused(&mut model, "CANDIDATE", None, None),
        ErrorKind::InvalidParameter
    );
}

#[test]
fn current_cannot_be_removed_altogether() {
    let (mut model, _) = model_with("a");
    assert_eq!(
        refused(&mut model, AWSCURRENT, Some(FIRST), None),
        ErrorKind::InvalidParameter
    );
    assert_eq!(holder(&model, AWSCURRENT), Some(FIRST.to_owned()));
}

#[test]
fn a_label_needs_a_version_that_is_there() {
    let (mut model, _) = model_with("a");
    assert_eq!(
        refused(&mut model, "X", None, Some(&token(9))),
        ErrorKind::ResourceNotFound
    );
    assert_eq!(
        refused(&mut model, "", None, Some(FIRST)),
        ErrorKind::InvalidParameter
    );
    assert_eq!(
        refused(&mut model, "X", None, Some("short")),
        ErrorKind::InvalidParameter
    );
}

#[test]
fn a_secret_holds_twenty_labels_over_all_its_versions() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &["L2"]);
    for number in 3..=20 {
        let label = format!("L{number}");
        model
            .update_secret_version_stage(&relabel(&label, None, Some(FIRST)), T0)
            .unwrap();
    }
    assert_eq!(model.secret("a").unwrap().labels().len(), 20);
    assert_eq!(
        refused(&mut model, "ONE-MORE", None, Some(&token(2))),
        ErrorKind::LimitExceeded
    );

    // A swap would add AWSPREVIOUS: it is refused whole.
    let swap = relabel(AWSCURRENT, Some(FIRST), Some(&token(2)));
    let error = model.update_secret_version_stage(&swap, T0).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LimitExceeded);
    assert_eq!(holder(&model, AWSCURRENT), Some(FIRST.to_owned()));
    let put = put("a", 3, "third", &["ONE-MORE"]);
    assert_eq!(
        model.put_secret_value(&put, T0).unwrap_err().kind,
        ErrorKind::LimitExceeded
    );
    assert!(!model.secret("a").unwrap().versions().contains_key(&token(3)));
}
