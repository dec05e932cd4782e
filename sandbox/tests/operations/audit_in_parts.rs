//! An audit of a fleet that one answer cannot hold: in several, without rows, or as a table.

use protocol::operations::{Code, Form, OperationRequest, Shard};
use sandbox::in_process::{Fault, Operation, SUB};

use super::audit::{audit, by_hand};
use super::*;

#[test]
fn a_fleet_that_one_answer_cannot_hold_is_told_in_several_without_a_gap() {
    let mut world = desks(130);
    // Before the second page the list has to be asked for again, and then the time for a beginning is up.
    world.0.timeout = SignedDuration::from_millis(20_100);
    world.plan(Operation::Secrets, 4, Fault::Throttled);
    let (mut seen, mut after, mut answers) = (std::collections::BTreeSet::new(), None, 0);
    loop {
        let answer = world.operate(next(after));
        answers += 1;
        for row in &answer.secrets {
            assert!(seen.insert(row.secret.clone()), "{} is told twice", row.secret);
        }
        let Some(place) = answer.next.clone() else { break };
        assert!(found(&answer, Code::More) && advises(&answer, &place));
        after = Some(place);
    }
    assert_eq!((seen.len(), answers), (131, 2));
}

#[test]
fn a_place_that_the_list_does_not_have_any_more_is_not_asked_for_again() {
    let world = rotated_twice();
    let answer = world.operate(next(Some("no-such-place".to_owned())));
    assert_eq!(answer.outcome, Outcome::Failed, "{answer:#?}");
    assert!(answer.findings[0].r#do.contains("without `after`"), "{answer:#?}");
}

#[test]
fn the_answers_of_one_audit_read_once_which_keys_are_held() {
    let world = desks(3);
    let calls = |after: Option<&str>| {
        world.take_calls();
        let answer = world.operate(next(after.map(str::to_owned)));
        assert_eq!(answer.secrets.len(), 4, "{answer:#?}");
        world.take_count(Operation::Describe)
    };
    let first = calls(None);
    let next = calls(Some(""));
    assert_eq!((first, next), (8, 4));
    assert_eq!(calls(None), 8, "an audit that begins anew reads it anew");
    world.advance(minutes(15));
    assert_eq!(calls(Some("")), 8, "it is too old");
}

#[test]
fn a_table_has_a_line_for_every_secret() {
    let world = rotated_twice();
    by_hand(&world, "prod/bybit/other");
    let answer = world.operate(in_process::audit(None, Form::Csv));
    let table = answer.csv.expect("a table");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    let head: Vec<&str> = lines[0].split(',').collect();
    let at = head
        .iter()
        .position(|column| *column == "current_version")
        .expect("a column");
    assert!(
        lines
            .iter()
            .any(|line| line.split(',').nth(at) == Some(world.token.as_str())),
        "{table}"
    );
    assert!(answer.secrets.is_empty(), "said once");
}

#[test]
fn an_audit_for_findings_alone_has_room_for_a_whole_fleet() {
    let world = desks(3);
    world.add_secret_of("prod/bybit/weak", &world.key_by_hand(SUB));
    let rows = audit(&world);
    let answer = world.operate(in_process::audit(None, Form::Findings));
    assert_eq!((answer.secrets.len(), answer.next.clone()), (0, None));
    assert_eq!(
        (&answer.counts, &answer.findings),
        (&rows.counts, &rows.findings),
        "nothing else is missing"
    );
}

/// What `rotated_twice` leaves, and so many secrets more.
fn desks(number: usize) -> Watched {
    let world = rotated_twice().world;
    let key = world.key_by_hand(SUB);
    for number in 0..number {
        world.add_secret_of(&format!("prod/bybit/desk-{number:04}"), &key);
    }
    world
}

/// An audit that goes on from where an answer ended.
fn next(after: Option<String>) -> OperationRequest {
    OperationRequest::Audit {
        shard: Shard::ALL,
        secret: None,
        fingerprint: None,
        after,
        form: Form::Json,
    }
}
