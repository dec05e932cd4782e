use super::super::testing::{FIRST, T0, hours, model_with, put, token};
use super::super::{AWSPENDING, AWSPREVIOUS, GetSecretValue, RotateSecret, Sensitive};
use super::*;

fn refused(model: &mut Model, request: &PutSecretValue) -> ErrorKind {
    model.put_secret_value(request, T0).unwrap_err().kind
}

#[test]
fn a_second_value_for_a_token_is_refused() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &[AWSPENDING]);
    let error = model
        .put_secret_value(&put("a", 2, "other", &[AWSPENDING]), T0)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::ResourceExists);
    assert!(!error.message.contains("other"));
    assert_eq!(model.read(AWSPENDING).as_deref(), Some("second"));
}

#[test]
fn the_same_value_for_a_token_succeeds_and_changes_nothing() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &[AWSPENDING]);
    let again = model
        .put_secret_value(&put("a", 2, "second", &["X"]), T0 + hours(1))
        .unwrap();
    assert_eq!(again.version_stages, [AWSPENDING], "the labels stay too");
    assert_eq!(model.secret("a").unwrap().last_changed, T0);
    // Not even where the stages are left out.
    model.put_secret_value(&put("a", 2, "second", &[]), T0).unwrap();
    assert_eq!(model.read(AWSCURRENT).as_deref(), Some("first-value"));
}

#[test]
fn leaving_the_stages_out_promotes_and_moves_previous() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &[]);
    assert_eq!(model.read(AWSCURRENT).as_deref(), Some("second"));
    assert_eq!(model.read(AWSPREVIOUS).as_deref(), Some("first-value"));
    model.put(3, "third", &[AWSCURRENT]);
    assert_eq!(model.read(AWSPREVIOUS).as_deref(), Some("second"));
}

#[test]
fn a_label_moves_off_whatever_version_had_it() {
    let (mut model, _) = model_with("a");
    model.put(2, "second", &["CANDIDATE"]);
    let reply = model.put(3, "third", &["CANDIDATE", "X"]);
    assert_eq!(reply.version_stages, ["CANDIDATE", "X"]);
    assert!(model.secret("a").unwrap().stages_of(&token(2)).is_empty());
}

#[test]
fn the_first_version_of_a_secret_becomes_current_whatever_its_labels() {
    let (mut model, _) = model_with("a");
    model
        .create_secret(
            &CreateSecret {
                name: "b".into(),
                ..CreateSecret::default()
            },
            T0,
        )
        .unwrap();
    let reply = model.put_secret_value(&put("b", 2, "v", &["X"]), T0).unwrap();
    assert_eq!(reply.version_stages, [AWSCURRENT, "X"]);
}

#[test]
fn the_value_of_a_version_made_by_a_rotation_does_not_become_current() {
    let (mut model, _) = model_with("a");
    model
        .create_secret(
            &CreateSecret {
                name: "b".into(),
                ..CreateSecret::default()
            },
            T0,
        )
        .unwrap();
    let rotate = RotateSecret {
        secret_id: "b".into(),
        client_request_token: Some(token(2)),
        rotation_lambda_arn: Some("arn:f".into()),
        ..RotateSecret::default()
    };
    model.rotate_secret(&rotate, T0).unwrap();
    let reply = model
        .put_secret_value(&put("b", 2, "v", &[AWSPENDING]), T0)
        .unwrap();
    assert_eq!(reply.version_stages, [AWSPENDING]);
}

#[test]
fn a_value_has_one_to_65536_bytes() {
    let (mut model, _) = model_with("a");
    assert!(
        model
            .put_secret_value(&put("a", 2, &"x".repeat(65_536), &["X"]), T0)
            .is_ok()
    );
    assert_eq!(
        refused(&mut model, &put("a", 3, &"x".repeat(65_537), &["X"])),
        ErrorKind::InvalidParameter
    );
    assert_eq!(
        refused(&mut model, &put("a", 3, "", &["X"])),
        ErrorKind::InvalidParameter
    );
    let neither = PutSecretValue {
        secret_string: None,
        ..put("a", 3, "", &["X"])
    };
    assert_eq!(refused(&mut model, &neither), ErrorKind::InvalidRequest);
    let both = PutSecretValue {
        secret_binary: Some("aGk=".into()),
        ..put("a", 3, "v", &["X"])
    };
    assert_eq!(refused(&mut model, &both), ErrorKind::InvalidParameter);
}

#[test]
fn a_token_has_32_to_64_characters_and_is_demanded() {
    let (mut model, _) = model_with("a");
    for (length, fits) in [(31, false), (32, true), (64, true), (65, false)] {
        let request = PutSecretValue {
            client_request_token: Some("t".repeat(length)),
            ..put("a", 2, "v", &["X"])
        };
        assert_eq!(model.put_secret_value(&request, T0).is_ok(), fits, "{length}");
    }
    let none = PutSecretValue {
        client_request_token: None,
        ..put("a", 2, "v", &["X"])
    };
    assert_eq!(refused(&mut model, &none), ErrorKind::InvalidRequest);
}

#[test]
fn each_put_remembers_what_its_rotation_token_was_worth() {
    let (mut model, arn) = model_with("a");
    let rotate = RotateSecret {
        secret_id: arn,
        client_request_token: Some(token(2)),
        ..RotateSecret::default()
    };
    model.rotate_secret(&rotate, T0).unwrap();
    let sent = model.due_invocation(T0).unwrap().rotation_token;
    let secret_text = sent.clone().unwrap().expose().to_owned();
    model
        .put_secret_value(
            &PutSecretValue {
                rotation_token: sent,
                ..put("a", 2, "v", &[AWSPENDING])
            },
            T0,
        )
        .unwrap();
    let wrong = Some(Sensitive::new("w".repeat(36)));
    model
        .put_secret_value(
            &PutSecretValue {
                rotation_token: wrong,
                ..put("a", 3, "v", &["X"])
            },
            T0,
        )
        .unwrap();
    model.put(4, "v", &["Y"]);
    let checks: Vec<_> = (2..=4)
        .map(|number| model.secret("a").unwrap().versions()[&token(number)].rotation_token())
        .collect();
    assert_eq!(
        checks,
        [
            Some(TokenCheck::Matched),
            Some(TokenCheck::Mismatched),
            Some(TokenCheck::Absent)
        ]
    );
    let short = PutSecretValue {
        rotation_token: Some("short".into()),
        ..put("a", 5, "v", &["X"])
    };
    assert_eq!(refused(&mut model, &short), ErrorKind::InvalidParameter);
    let log = format!("{:?}", model.take_calls());
    assert!(log.contains("RotationToken=matched") && log.contains("RotationToken=mismatched"));
    assert!(
        !log.contains(&secret_text),
        "the log never shows a rotation token"
    );
}

#[test]
fn creating_again_with_the_same_token_and_value_is_the_same_secret() {
    let (mut model, _) = model_with("a");
    let request = CreateSecret {
        name: "b".into(),
        client_request_token: Some(token(2)),
        secret_string: Some("v".into()),
        ..CreateSecret::default()
    };
    let created = model.create_secret(&request, T0).unwrap();
    assert_eq!(created.version_id, Some(token(2)));
    assert_eq!(model.create_secret(&request, T0), Ok(created));
    for other in [
        CreateSecret {
            secret_string: Some("w".into()),
            ..request.clone()
        },
        CreateSecret {
            client_request_token: Some(token(3)),
            ..request.clone()
        },
        CreateSecret {
            name: "a".into(),
            ..request.clone()
        },
    ] {
        assert_eq!(
            model.create_secret(&other, T0).unwrap_err().kind,
            ErrorKind::ResourceExists
        );
    }
    let odd = CreateSecret {
        name: "b c".into(),
        ..request
    };
    assert_eq!(
        model.create_secret(&odd, T0).unwrap_err().kind,
        ErrorKind::Validation
    );
}

#[test]
fn an_update_makes_a_new_current_version_and_never_reuses_a_token() {
    let (mut model, _) = model_with("a");
    let request = UpdateSecret {
        secret_id: "a".into(),
        client_request_token: Some(token(2)),
        secret_string: Some("second".into()),
        description: Some("the desk's key".into()),
        ..UpdateSecret::default()
    };
    assert_eq!(
        model.update_secret(&request, T0).unwrap().version_id,
        Some(token(2))
    );
    assert_eq!(model.read(AWSCURRENT).as_deref(), Some("second"));
    assert_eq!(model.read(AWSPREVIOUS).as_deref(), Some("first-value"));
    assert_eq!(
        model.update_secret(&request, T0).unwrap_err().kind,
        ErrorKind::ResourceExists
    );
    let words = UpdateSecret {
        description: Some("x".into()),
        secret_id: "a".into(),
        ..UpdateSecret::default()
    };
    assert_eq!(model.update_secret(&words, T0).unwrap().version_id, None);
}

#[test]
fn an_unusable_key_fails_reads_and_writes_with_its_own_errors() {
    let (mut model, _) = model_with("a");
    model.set_key_usable("a", false).unwrap();
    assert_eq!(
        model
            .secret_value(
                &GetSecretValue {
                    secret_id: "a".into(),
                    ..GetSecretValue::default()
                },
                T0
            )
            .unwrap_err()
            .kind,
        ErrorKind::DecryptionFailure
    );
    assert_eq!(
        refused(&mut model, &put("a", 2, "v", &["X"])),
        ErrorKind::EncryptionFailure
    );
}

#[test]
fn only_old_unlabelled_versions_make_room_above_a_hundred() {
    let (mut model, _) = model_with("a");
    for number in 2..=100 {
        let at = T0 + minutes(number);
        model
            .put_secret_value(&put("a", number, "v", &["X"]), at)
            .unwrap();
    }
    assert_eq!(model.secret("a").unwrap().versions().len(), 100);
    // Version 1 is current, 2 to 99 lost their label, all of them today.
    let next = put("a", 101, "v", &["X"]);
    let within_a_day = T0 + hours(24);
    let error = model.put_secret_value(&next, within_a_day).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LimitExceeded);
    model.put_secret_value(&next, within_a_day + minutes(2)).unwrap();
    let versions = model.secret("a").unwrap().versions();
    assert_eq!(versions.len(), 100);
    assert!(versions.contains_key(FIRST), "a labelled version is never purged");
    assert!(!versions.contains_key(&token(2)), "the oldest unlabelled one is");
}

fn minutes(count: u32) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(i64::from(count))
}
