use super::super::testing::{FIRST, T0, hours, model_with, relabel, token};
use super::super::{AWSPENDING, RotateSecret};
use super::*;

fn get(version: Option<&str>, stage: Option<&str>) -> GetSecretValue {
    GetSecretValue {
        secret_id: "a".into(),
        version_id: version.map(str::to_owned),
        version_stage: stage.map(str::to_owned),
    }
}

#[test]
fn a_value_is_read_by_version_by_stage_and_by_default() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &["X"]);
    assert_eq!(
        model.secret_value(&get(None, None), T0).unwrap().version_id,
        FIRST
    );
    assert_eq!(
        model
            .secret_value(&get(Some(&token(2)), None), T0)
            .unwrap()
            .version_id,
        token(2)
    );
    assert_eq!(
        model.secret_value(&get(None, Some("X")), T0).unwrap().version_id,
        token(2)
    );
    assert_eq!(
        model
            .secret_value(&get(Some(&token(2)), Some("X")), T0)
            .unwrap()
            .version_stages,
        ["X"]
    );
    let mismatch = model.secret_value(&get(Some(FIRST), Some("X")), T0).unwrap_err();
    assert_eq!(mismatch.kind, ErrorKind::InvalidRequest);
    for request in [get(None, Some("Y")), get(Some(&token(9)), None)] {
        assert_eq!(
            model.secret_value(&request, T0).unwrap_err().kind,
            ErrorKind::ResourceNotFound
        );
    }
}

#[test]
fn an_unlabelled_version_stays_readable_by_its_id() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &["X"]);
    model
        .update_secret_version_stage(&relabel("X", Some(&token(2)), None), T0)
        .unwrap();
    let value = model.secret_value(&get(Some(&token(2)), None), T0).unwrap();
    assert_eq!(value.secret_string.unwrap().expose(), "second");
}

#[test]
fn a_version_without_a_value_is_not_found() {
    let (mut model, _) = model_with("a");
    let rotate = RotateSecret {
        secret_id: "a".into(),
        client_request_token: Some(token(2)),
        ..RotateSecret::default()
    };
    model.rotate_secret(&rotate, T0).unwrap();
    for request in [
        get(None, Some(AWSPENDING)),
        get(Some(&token(2)), None),
        get(Some(&token(2)), Some(AWSPENDING)),
    ] {
        assert_eq!(
            model.secret_value(&request, T0).unwrap_err().kind,
            ErrorKind::ResourceNotFound
        );
    }
}

#[test]
fn reading_sets_the_day_of_the_last_access() {
    let (mut model, _) = model_with("a");
    model.secret_value(&get(None, None), T0 + hours(30)).unwrap();
    assert_eq!(model.secret("a").unwrap().last_accessed, Some(T0 + hours(24)));
}
