use protocol::audit::Action;
use protocol::rotation::Step;
use sandbox::in_process::Fault;
use sandbox::secrets_manager::AWSCURRENT;

use super::*;

/// What makes a pending version one that can never be promoted, the version, and what is said of it.
type Case = (fn(&World) -> VersionId, &'static str);

/// Every reason that the store alone tells.
const CASES: [Case; 6] = [
    (names_the_current_key, "it names the key that is current already"),
    (
        built_on_another_version,
        "it was built on version 00000000-0000-4000-8000-000000000001",
    ),
    (
        not_written_by_us,
        "its value was not built by this function for this version",
    ),
    (
        written_for_another_version,
        "its value was not built by this function for this version",
    ),
    (
        not_a_credential,
        "its value was not built by this function for this version",
    ),
    (candidate_moved, "CANDIDATE is on another version now"),
];

fn names_the_current_key(world: &World) -> VersionId {
    let token = world.begin_rotation();
    let first = world.credential(world.first_key());
    world.put_by_hand_as(&token, &value(""), &first, SUB, "AWSPENDING");
    token
}

pub(super) fn built_on_another_version(world: &World) -> VersionId {
    let key = world.key_by_hand(SUB);
    let theirs = world.put_by_hand(&value(""), &key, SUB, "by-hand");
    let token = created(world);
    world.make_current(&theirs);
    token
}

fn not_written_by_us(world: &World) -> VersionId {
    let token = world.begin_rotation();
    let key = world.key_by_hand(SUB);
    world.put_by_hand_as(&token, &value(r#","created_by":"ops""#), &key, SUB, "AWSPENDING");
    token
}

fn written_for_another_version(world: &World) -> VersionId {
    let abandoned = created(world);
    let text = world.text(&abandoned).expect("it has a value");
    world.label("AWSPENDING", None);
    let token = world.begin_rotation();
    let key = world.key_by_hand(SUB);
    world.put_by_hand_as(&token, &text, &key, SUB, "AWSPENDING");
    token
}

fn not_a_credential(world: &World) -> VersionId {
    let token = world.begin_rotation();
    let key = world.key_by_hand(SUB);
    world.put_by_hand_as(&token, "hunter2", &key, SUB, "AWSPENDING");
    token
}

pub(super) fn candidate_moved(world: &World) -> VersionId {
    let offer = || {
        let key = world.key_by_hand(SUB);
        world.put_by_hand(&value(""), &key, SUB, "CANDIDATE")
    };
    // The bot's and the function's addresses are what the policy allows.
    offer();
    let token = copied(world);
    offer();
    token
}

#[test]
fn a_doomed_version_is_condemned_and_loses_pending_for_a_stated_reason() {
    for (doom, reason) in CASES {
        let world = world();
        let token = doom(&world);
        let keys = live(&world);
        let current = world.holder(AWSCURRENT);
        world.take_calls();
        world.take_records();
        world.advance(seconds(61));
        let before = world.now();
        let said = refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
        assert!(said.contains(reason), "{said}");
        assert!(said.contains("Begin a new rotation"), "{said}");
        // Where stale reads can have led to it, it is judged again once they can't have.
        let looked = world.now().duration_since(before).as_secs();
        assert_eq!(
            looked,
            if reason.contains("CANDIDATE") { 60 } else { 0 },
            "{reason}"
        );
        let condemned = format!(
            "CONDEMNED-{}-{}",
            world.now().strftime("%Y%m%dT%H%M%SZ"),
            token.short()
        );
        assert_eq!(world.labels(&token), [condemned.as_str()], "{reason}");
        assert_eq!(
            world.take_writes(),
            [Operation::AddLabel, Operation::RemoveLabel],
            "condemned first, then off AWSPENDING"
        );
        let lines: Vec<(Action, Option<String>)> = world
            .take_records()
            .into_iter()
            .map(|record| (record.action, record.label))
            .collect();
        let expected = [
            (Action::AddLabel, Some(condemned)),
            (Action::RemoveLabel, Some("AWSPENDING".to_owned())),
        ];
        assert_eq!(lines, expected);
        assert_eq!(live(&world), keys, "its key is left to maintain");
        assert_eq!(world.holder(AWSCURRENT), current);
    }
}

#[test]
fn later_replays_of_a_doomed_version_fail_alike_and_change_nothing() {
    for (doom, reason) in CASES {
        let world = world();
        let token = doom(&world);
        refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
        world.take_calls();
        for step in Step::ALL.into_iter().chain(Step::ALL) {
            refused(world.run(step, &token), ErrorType::VersionDoomed);
        }
        assert_eq!(world.take_writes(), [], "{reason}");
    }
}

#[test]
fn the_rotation_after_a_doomed_one_succeeds() {
    for (doom, reason) in CASES {
        let world = world();
        let token = doom(&world);
        refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
        let base = world.holder(AWSCURRENT);
        let next = world
            .rotate()
            .unwrap_or_else(|failure| panic!("{reason}: {failure}"));
        assert_ne!(next, token);
        assert_eq!(
            world.document(&next)["rotation"]["based_on"],
            serde_json::json!(base)
        );
    }
}

#[test]
fn set_and_finish_refuse_but_do_not_give_up_what_the_store_shows_doomed() {
    for (doom, reason) in CASES {
        let world = world();
        let token = doom(&world);
        // finishSecret does not read the current value: who names the current key was not built by us for
        // this version.
        let at_finish = if reason.contains("current already") {
            "was not built by this function"
        } else {
            reason
        };
        world.take_calls();
        for (step, reason) in [(Step::Set, reason), (Step::Finish, at_finish)] {
            // A label that moved may be a stale read's: createSecret looks twice.
            let sure = !reason.contains("CANDIDATE");
            let said = refused(
                world.run(step, &token),
                if sure {
                    ErrorType::VersionDoomed
                } else {
                    ErrorType::StoreUnavailable
                },
            );
            assert!(said.contains(reason), "{step}: {said}");
        }
        assert_eq!(world.take_writes(), [], "{reason}");
        assert_eq!(world.labels(&token), ["AWSPENDING"], "{reason}");
    }
}

#[test]
fn a_run_that_dies_while_it_gives_a_version_up_is_finished_by_the_next() {
    for (operation, fault) in [
        (Operation::AddLabel, Fault::CrashAfter),
        (Operation::AddLabel, Fault::CrashBefore),
        (Operation::RemoveLabel, Fault::CrashBefore),
        (Operation::RemoveLabel, Fault::CrashAfter),
    ] {
        for next_step in [Step::Create, Step::Set] {
            let world = world();
            let token = built_on_another_version(&world);
            world.plan(operation, 1, fault);
            crashed(&world.run(Step::Create, &token));
            world.advance(seconds(61));
            refused(world.run(next_step, &token), ErrorType::VersionDoomed);
            refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
            let labels = world.labels(&token);
            assert_eq!(labels.len(), 1, "{labels:?}");
            assert!(labels[0].starts_with("CONDEMNED-"), "{labels:?}");
            world.rotate().unwrap();
        }
    }
}

#[test]
fn a_condemned_version_is_neither_proven_nor_promoted() {
    let world = world();
    let token = built_on_another_version(&world);
    world.plan(Operation::RemoveLabel, 1, Fault::CrashBefore);
    crashed(&world.run(Step::Create, &token));
    // Even where what doomed it is no longer so.
    world.make_current(&world.first_version());
    world.take_calls();
    for step in [Step::Test, Step::Finish] {
        refused(world.run(step, &token), ErrorType::VersionDoomed);
    }
    assert_eq!(world.take_writes(), []);
}

#[test]
fn a_condemnation_from_before_promotion_does_not_cut_the_grace_short() {
    let world = world();
    let promoted = world.rotate().unwrap();
    // Given up by one run in the very moment in which another promoted it.
    world.label("CONDEMNED-20260101T000000Z-12345678", Some(&promoted));
    world.make_current(&world.first_version());
    assert_eq!(world.holder("AWSPREVIOUS"), Some(promoted.clone()));
    let next = world.begin_rotation();
    world.run(Step::Create, &next).unwrap();
    let labels = world.labels(&promoted);
    assert!(
        labels.iter().any(|label| label.starts_with("REPLACED-")),
        "{labels:?}"
    );
    assert!(
        !labels.iter().any(|label| label.starts_with("CONDEMNED-")),
        "{labels:?}"
    );
}

#[test]
fn a_secret_without_room_for_the_condemnation_says_so_and_keeps_pending() {
    let world = world();
    let token = built_on_another_version(&world);
    world.fill_labels(20, &world.first_version());
    refused(world.run(Step::Create, &token), ErrorType::LabelsFull);
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    world.label("own-1", None);
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
}

#[test]
fn a_doomed_version_whose_last_label_was_taken_off_is_still_refused() {
    let world = world();
    let token = built_on_another_version(&world);
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    let condemned = world.labels(&token).remove(0);
    world.label(&condemned, None);
    world.take_calls();
    for step in Step::ALL {
        refused(world.run(step, &token), ErrorType::VersionUnknown);
    }
    assert_eq!(world.take_writes(), []);
    world.rotate().unwrap();
}

#[test]
fn a_key_bound_to_addresses_the_function_left_is_given_up_only_by_create() {
    let mut world = world();
    let token = created(&world);
    world.0.settings.egress = ["198.51.100.9".parse().unwrap()].into();
    world.take_calls();
    refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert_eq!(world.take_writes(), []);
    let said = refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    assert!(said.contains("EGRESS_IPS"), "{said}");
    let next = created(&world);
    let rotation = world.document(&next)["rotation"].clone();
    assert_eq!(
        rotation["ip_allowlist"],
        serde_json::json!(["198.51.100.9", "203.0.113.7"])
    );
}

#[test]
fn a_version_once_current_loses_pending_uncondemned_and_keeps_its_grace() {
    let world = world();
    let first = world.rotate().unwrap();
    world.rotate().unwrap();
    world.label("AWSPENDING", Some(&first));
    let said = refused(world.run(Step::Create, &first), ErrorType::VersionDoomed);
    assert!(said.contains("it has been current already"), "{said}");
    assert_eq!(
        world.labels(&first),
        [
            "AWSPREVIOUS".to_owned(),
            format!("REPLACED-20260301T120000Z-{}", first.short())
        ]
    );
    world.rotate().unwrap();
}

/// The second attempt at taking AWSPENDING off is refused because the first one did it: the outcome is what
/// counts.
#[test]
fn a_version_is_given_up_though_the_reply_to_its_last_change_was_lost() {
    let world = world();
    let token = built_on_another_version(&world);
    world.plan(Operation::RemoveLabel, 1, Fault::ReplyLost);
    let result = world.run(Step::Create, &token);
    assert_eq!(world.holder("AWSPENDING"), None);
    refused(result, ErrorType::VersionDoomed);
}

#[test]
fn a_version_is_condemned_though_every_reply_to_that_was_lost() {
    for lost in [1, 4] {
        let world = world();
        let token = built_on_another_version(&world);
        world.plan_all(Operation::AddLabel, 1..=lost, Fault::ReplyLost);
        refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
        assert!(world.plan_is_done());
        let labels = world.labels(&token);
        assert!(
            labels.len() == 1 && labels[0].starts_with("CONDEMNED-"),
            "{labels:?}"
        );
    }
}

#[test]
fn a_pending_version_with_any_sign_that_it_was_current_is_not_promoted() {
    let moved_back_by_hand: fn(&World) = |world| world.make_current(&world.first_version());
    let replaced_twice: fn(&World) = |world| {
        world.rotate().unwrap();
        world.rotate().unwrap();
    };
    for (then, mark) in [
        (moved_back_by_hand, "AWSPREVIOUS"),
        (replaced_twice, "REPLACED-20260301T120000Z-"),
    ] {
        let world = world();
        let token = world.rotate().unwrap();
        then(&world);
        let labels = world.labels(&token);
        assert!(labels.len() == 1 && labels[0].starts_with(mark), "{labels:?}");
        world.label("AWSPENDING", Some(&token));
        for step in [Step::Set, Step::Finish, Step::Create] {
            let said = refused(world.run(step, &token), ErrorType::VersionDoomed);
            assert!(said.contains("it has been current already"), "{step}: {said}");
        }
        let labels = world.labels(&token);
        assert!(
            !labels
                .iter()
                .any(|label| label == "AWSPENDING" || label.starts_with("CONDEMNED-")),
            "{labels:?}"
        );
        assert!(
            labels.iter().any(|label| label.starts_with("REPLACED-")),
            "{labels:?}"
        );
        world.rotate().unwrap();
    }
}
