use protocol::audit::{Action, Outcome};
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::rotation::{Done, Step};
use sandbox::in_process::{Made, Operation};
use sandbox::report::fingerprint;
use sandbox::secrets_manager::{Secret, TokenCheck, Version};
use serde_json::json;

use super::*;

/// The operations, those that went out together in one list.
fn rounds(world: &World) -> Vec<Vec<Operation>> {
    let mut rounds: Vec<Vec<Operation>> = Vec::new();
    let mut last = 0;
    for Made { call, round, .. } in world.take_calls() {
        if round != last {
            rounds.push(Vec::new());
        }
        last = round;
        if let Some(together) = rounds.last_mut() {
            together.push(call.operation);
        }
    }
    rounds
}

#[test]
fn a_plain_rotation_makes_these_calls_and_no_others() {
    use Operation::{
        AddLabel, Describe, Inspect, Issue, List, Put, ReadCurrent, ReadVersion, Swap, Versions,
    };
    let world = world();
    // The second rotation costs what the first does.
    for _ in 0..2 {
        let token = created(&world);
        let create = vec![
            vec![Describe, ReadVersion, ReadCurrent, Versions],
            vec![ReadCurrent, Inspect],
            vec![List],
            vec![Issue],
            vec![Put],
        ];
        assert_eq!(
            rounds(&world),
            create,
            "6 of Secrets Manager, 3 of the venue, 5 deep"
        );
        done(world.run(Step::Set, &token), Done::Agreed);
        let set = vec![
            vec![Describe, ReadVersion, ReadCurrent],
            vec![ReadCurrent],
            vec![List],
        ];
        assert_eq!(
            rounds(&world),
            set,
            "4 of Secrets Manager, 1 of the venue, 3 deep"
        );
        done(world.run(Step::Test, &token), Done::Proven);
        assert_eq!(
            rounds(&world),
            vec![vec![Describe, ReadVersion], vec![Inspect]],
            "2 of Secrets Manager, 1 of the venue, 2 deep"
        );
        done(world.run(Step::Finish, &token), Done::Promoted);
        let finish = vec![
            vec![Describe, ReadVersion],
            vec![Inspect],
            vec![Swap],
            vec![AddLabel],
        ];
        assert_eq!(
            rounds(&world),
            finish,
            "4 of Secrets Manager, 1 of the venue, 4 deep"
        );
    }
}

#[test]
fn finish_stamps_an_unstamped_previous_version_as_it_looks_at_the_key() {
    use Operation::{AddLabel, Describe, Inspect, ReadVersion, Swap};
    let world = world();
    new_current_by_hand(&world);
    let token = created(&world);
    let first = world.first_version();
    assert_eq!(
        world.labels(&first),
        ["AWSPREVIOUS", "REPLACED-20260301T120000Z-00000000"],
        "createSecret saw it first"
    );
    world.label("REPLACED-20260301T120000Z-00000000", None);
    world.take_calls();
    done(world.run(Step::Finish, &token), Done::Promoted);
    let finish = vec![
        vec![Describe, ReadVersion],
        vec![Inspect, AddLabel],
        vec![Swap],
        vec![AddLabel],
    ];
    assert_eq!(
        rounds(&world),
        finish,
        "5 of Secrets Manager, 1 of the venue, 4 deep"
    );
    assert_eq!(world.labels(&first), ["REPLACED-20260301T120000Z-00000000"]);
}

#[test]
fn a_rotation_leaves_the_new_key_current_and_the_old_alive_and_stamped() {
    let world = world();
    world.advance(seconds(90));
    let token = world.rotate().unwrap();
    assert_eq!(world.labels(&token), ["AWSCURRENT"]);
    first_was_replaced_at(&world, "20260301T120130Z");
    let new = key_in(&world, &token);
    assert_ne!(new, *world.first_key());
    assert_eq!(live(&world), [world.first_key().clone(), new.clone()]);
    assert_eq!(world.of_secret(Secret::last_rotated), Some(world.now()));

    let key = world.settings_of(&new);
    assert!(!key.read_only);
    assert_eq!(key.ips.shown(), ["203.0.113.7", "52.1.2.3"]);
    let powers: &[(&str, &[&str])] = &[TRADES, ("Derivatives", &["DerivativesTrade"]), SPOT];
    assert_eq!(key.permissions, Permissions::of(powers));
    let marker = Marker::parse(&key.note).expect("the note is a marker");
    assert!(marker.same_token(&Marker::new(world.secret().as_str(), &token, 0)));
}

#[test]
fn a_new_value_differs_from_the_old_in_its_credential_and_origin_alone() {
    let world = world();
    let before = world.text(&world.first_version()).unwrap();
    let token = world.rotate().unwrap();
    let (old, key) = (
        world.first_credential(),
        world.credential(&key_in(&world, &token)),
    );
    let rotation = format!(
        concat!(
            r#"{{"token":"{}","source":"issued","based_on":"00000000-0000-4000-8000-000000000001","#,
            r#""account":"53888000","permissions":["derivatives","read","spot"],"#,
            r#""ip_allowlist":["203.0.113.7","52.1.2.3"]}}"#
        ),
        token
    );
    let expected = before
        .replace(old.key.as_str(), key.key.as_str())
        .replace(old.secret.expose(), key.secret.expose())
        .replace(r#""created_by":"ops""#, r#""created_by":"exchange-key-rotation""#);
    let expected = format!(
        r#"{},"created_at":"2026-03-01T12:00:00Z","rotation":{rotation}}}"#,
        expected.strip_suffix('}').unwrap()
    );
    assert_eq!(world.text(&token).unwrap(), expected);
    assert_eq!(
        world.text(&world.first_version()).unwrap(),
        before,
        "the old version is as it was"
    );
}

#[test]
fn every_effect_has_its_audit_line() {
    let world = world();
    let token = world.rotate().unwrap();
    let records = world.take_records();
    let key = fingerprint(key_in(&world, &token).as_str());
    let (key, first) = (json!(key), world.first_version());
    let seen: Vec<serde_json::Value> = records
        .iter()
        .map(|record| serde_json::to_value(record).unwrap())
        .collect();
    // `printf %s ARN | sha256sum`: the ARN of the world's secret never changes.
    let digest = "fe227245b928";
    let line = |step: &str, action: &str, request: &str, version: &VersionId| {
        json!({
            "time": "2026-03-01T12:00:00Z", "actor": world.function_arn, "request_id": request, "step": step,
            "action": action, "secret": "prod/bybit/***", "arn_digest": digest, "account": "53888000",
            "version": version, "key": null, "label": null, "marker": null, "outcome": "done", "class": null
        })
    };
    let mut expected = [
        line(
            "createSecret",
            "issue_key",
            "00000000-0000-4000-8000-request00001",
            &token,
        ),
        line(
            "createSecret",
            "put_value",
            "00000000-0000-4000-8000-request00001",
            &token,
        ),
        line(
            "finishSecret",
            "move_current",
            "00000000-0000-4000-8000-request00004",
            &token,
        ),
        line(
            "finishSecret",
            "add_label",
            "00000000-0000-4000-8000-request00004",
            &first,
        ),
    ];
    let issued = world.settings_of(&key_in(&world, &token));
    expected[0]["marker"] = json!(issued.note);
    for line in &mut expected[..3] {
        line["key"] = key.clone();
    }
    expected[3]["label"] = json!("REPLACED-20260301T120000Z-00000000");
    assert_eq!(seen, expected);
    assert!(
        records
            .iter()
            .all(|record| record.outcome == Outcome::Done && record.action != Action::RevokeKey)
    );
}

#[test]
fn the_rotation_token_goes_to_the_put_and_nowhere_else() {
    let world = world();
    let token = world.rotate().unwrap();
    let check = world.of_secret(|secret| {
        secret
            .versions()
            .get(token.as_str())
            .and_then(Version::rotation_token)
    });
    assert_eq!(check, Some(TokenCheck::Matched));
    assert_eq!(
        world.secrets().len(),
        4,
        "three keys' secrets and a RotationToken are searched for"
    );
}

#[test]
fn every_step_may_be_repeated_after_every_step() {
    let expected = |done_before: usize, step: Step| match (done_before, step) {
        (0, Step::Create) => Ok(Done::Issued),
        (0, _) => Err(ErrorType::PendingEmpty),
        (4, _) => Ok(Done::AlreadyCurrent),
        (_, Step::Create) => Ok(Done::AlreadyStored),
        (_, Step::Set) => Ok(Done::Agreed),
        (_, Step::Test) => Ok(Done::Proven),
        // finishSecret proves for itself, and needs no other step but createSecret.
        (_, Step::Finish) => Ok(Done::Promoted),
    };
    for done_before in 0..=4 {
        for repeated in Step::ALL {
            let world = world();
            let token = world.begin_rotation();
            for step in &Step::ALL[..done_before] {
                world.run(*step, &token).unwrap();
            }
            for _ in 0..2 {
                let fork = world.fork();
                let result = fork
                    .run(repeated, &token)
                    .map_err(|failure| failure.error_type().unwrap());
                assert_eq!(
                    result,
                    expected(done_before, repeated),
                    "{repeated} after {done_before} steps"
                );
            }
            drop(world.run(repeated, &token));
            world.pass(&token).unwrap();
            assert_eq!(world.labels(&token), ["AWSCURRENT", "AWSPENDING"]);
            assert_eq!(
                world.labels(&world.first_version()).len(),
                2,
                "AWSPREVIOUS and one stamp"
            );
            assert_eq!(live(&world), [world.first_key().clone(), key_in(&world, &token)]);
        }
    }
}

#[test]
fn each_rotation_builds_on_the_last_and_leaves_all_replaced_keys_alive() {
    let world = world();
    let mut versions = vec![world.first_version()];
    for day in 1..=3 {
        world.advance(hours(24));
        let token = world.rotate().unwrap();
        assert_eq!(
            world.document(&token)["rotation"]["based_on"],
            json!(versions.last())
        );
        let replaced = versions.last().unwrap();
        let stamp = format!("REPLACED-2026030{}T120000Z-{}", day + 1, replaced.short());
        assert_eq!(world.labels(replaced), ["AWSPREVIOUS".to_owned(), stamp]);
        versions.push(token);
    }
    let keys: Vec<KeyId> = versions.iter().map(|version| key_in(&world, version)).collect();
    assert_eq!(live(&world), keys);
    assert_eq!(
        world.label_count(),
        2 + 3,
        "AWSCURRENT, AWSPREVIOUS, and a stamp each"
    );
}

#[test]
fn the_end_is_the_same_whether_the_service_cleans_up_pending_or_not() {
    let keep = sandbox::secrets_manager::Knobs {
        clean_up_pending: false,
        ..Default::default()
    };
    let world = world_with(Setup {
        secrets_manager: keep,
        ..Setup::default()
    });
    let first = world.rotate().unwrap();
    assert_eq!(world.labels(&first), ["AWSCURRENT", "AWSPENDING"]);
    let second = world.rotate().unwrap();
    assert_eq!(world.labels(&second), ["AWSCURRENT", "AWSPENDING"]);
}
