use protocol::rotation::{Done, Step};
use sandbox::in_process::{Fault, OTHER_SUB};
use sandbox::secrets_manager::AWSCURRENT;

use super::*;

#[test]
fn a_replaced_version_is_stamped_with_the_time_of_the_swap() {
    let world = world();
    let token = created(&world);
    world.advance(hours(30));
    completes(&world, &token);
    first_was_replaced_at(&world, "20260302T180000Z");
}

#[test]
fn a_finished_rotation_is_finished_again_with_a_look_alone() {
    let world = world();
    let token = world.rotate().unwrap();
    world.take_calls();
    done(world.run(Step::Finish, &token), Done::AlreadyCurrent);
    assert_eq!(
        world.take_operations(),
        [Operation::Describe, Operation::ReadVersion]
    );
}

#[test]
fn the_key_is_looked_at_once_more_before_the_swap() {
    type Change = fn(&World, &KeyId);
    let transfer = |world: &World, key: &KeyId| {
        world.grant(key, &[SPOT, TRANSFERS]);
    };
    let cases: [(Change, ErrorType); 3] = [
        (|world, key| world.delete_key(key), ErrorType::PendingRejected),
        (transfer, ErrorType::PendingTooPowerful),
        (
            |world, key| world.edit_key(key, |settings| settings.ips = Ips::only([BOT_ADDRESS])),
            ErrorType::PendingDenied,
        ),
    ];
    for (hand, error_type) in cases {
        let world = world();
        let token = created(&world);
        done(world.run(Step::Test, &token), Done::Proven);
        hand(&world, &key_in(&world, &token));
        world.take_calls();
        refused(world.run(Step::Finish, &token), error_type);
        assert_eq!(world.take_writes(), []);
        assert_eq!(world.holder(AWSCURRENT), Some(world.first_version()));
    }
}

#[test]
fn a_key_of_another_account_is_never_promoted() {
    // A value that passes for ours in the store, and names a key of another sub-account.
    let world = world();
    let token = created(&world);
    let ours = world
        .venue(|model, _| model.keys())
        .pop()
        .expect("a key was issued");
    let ours = world.credential(&ours.key);
    let theirs = world.key_by_hand(OTHER_SUB);
    let text = world.text(&token).unwrap();
    let text = text
        .replace(ours.key.as_str(), "<key>")
        .replace(ours.secret.expose(), "<secret>");
    world.label("AWSPENDING", None);
    let next = world.begin_rotation();
    let text = text.replace(token.as_str(), next.as_str());
    world.put_by_hand_as(&next, &text, &theirs, OTHER_SUB, "AWSPENDING");
    world.take_calls();
    for step in [Step::Test, Step::Finish] {
        refused(world.run(step, &next), ErrorType::AccountMismatch);
    }
    assert_eq!(world.take_writes(), []);
    let said = refused(world.run(Step::Set, &next), ErrorType::VersionDoomed);
    assert!(
        said.contains("belongs to account 53888001, not to 53888000"),
        "{said}"
    );
    assert!(world.alive(&theirs.key));
}

#[test]
fn nothing_is_swapped_before_the_previous_version_is_stamped() {
    let world = world();
    new_current_by_hand(&world);
    world.plan(Operation::AddLabel, 1, Fault::Denied);
    let token = created(&world);
    assert_eq!(
        world.labels(&world.first_version()),
        ["AWSPREVIOUS"],
        "createSecret goes on without the stamp"
    );
    let current = world.holder(AWSCURRENT);
    for (fault, attempts, error_type) in [
        (Fault::Throttled, 4, ErrorType::StoreUnavailable),
        (Fault::Denied, 1, ErrorType::StoreDenied),
        (Fault::Dropped, 4, ErrorType::StoreUnavailable),
    ] {
        world.plan_all(Operation::AddLabel, 1..=attempts, fault);
        world.take_calls();
        refused(world.run(Step::Finish, &token), error_type);
        assert_eq!(world.take_writes(), vec![Operation::AddLabel; attempts]);
        assert_eq!(world.holder(AWSCURRENT), current);
    }
    completes(&world, &token);
}

#[test]
fn a_stamp_that_fails_after_the_swap_is_made_by_the_next_run() {
    for (fault, attempts) in [
        (Fault::Throttled, 4),
        (Fault::Dropped, 4),
        (Fault::CrashBefore, 1),
    ] {
        let world = world();
        let token = created(&world);
        world.plan_all(Operation::AddLabel, 1..=attempts, fault);
        match world.run(Step::Finish, &token) {
            Err(Failure::Crashed) => {}
            finished => done(finished, Done::Promoted),
        }
        assert_eq!(world.holder(AWSCURRENT).as_ref(), Some(&token));
        assert_eq!(world.labels(&world.first_version()), ["AWSPREVIOUS"], "{fault:?}");
        done(world.run(Step::Finish, &token), Done::AlreadyCurrent);
        let stamp = format!("REPLACED-{}-00000000", world.now().strftime("%Y%m%dT%H%M%SZ"));
        assert_eq!(
            world.labels(&world.first_version()),
            ["AWSPREVIOUS".to_owned(), stamp],
            "{fault:?}"
        );
    }
}

#[test]
fn two_versions_whose_ids_begin_alike_are_each_stamped() {
    // Terraform's ids all begin with its name. A label sits on one version, and the two stamps would come in
    // one second.
    let world = world();
    let key = world.key_by_hand(SUB);
    let second = VersionId::new("00000000-stored-by-hand-as-the-second");
    world.put_by_hand_as(&second, FULL, &key, SUB, "AWSCURRENT");
    let token = world.begin_rotation();
    world.plan(Operation::AddLabel, 1, Fault::Denied);
    done(world.run(Step::Create, &token), Done::Issued);
    completes(&world, &token);
    let replaced = |version| {
        world
            .labels(version)
            .iter()
            .filter(|label| label.starts_with("REPLACED-"))
            .count()
    };
    assert_eq!([replaced(&world.first_version()), replaced(&second)], [1, 1]);
}

#[test]
fn a_secret_without_room_for_the_stamps_is_not_swapped() {
    let world = world();
    let token = created(&world);
    // AWSPREVIOUS and a stamp are to come: 18 labels leave room for both, 19 do not.
    world.fill_labels(18, &world.first_version());
    let roomy = world.fork();
    roomy.pass(&token).unwrap();
    assert_eq!(roomy.label_count(), 20);

    world.label("one-more", Some(&world.first_version()));
    world.take_calls();
    let said = refused(world.run(Step::Finish, &token), ErrorType::LabelsFull);
    assert!(
        said.contains("19 staging labels of the 20") && said.contains("2 more"),
        "{said}"
    );
    assert_eq!(world.take_writes(), []);
    world.label("one-more", None);
    completes(&world, &token);
}

#[test]
fn labels_that_are_full_stop_the_second_rotation_by_one_label_less() {
    let world = world();
    world.rotate().unwrap();
    let token = created(&world);
    // AWSPREVIOUS is there already: one stamp is to come.
    world.fill_labels(19, &world.first_version());
    world.fork().pass(&token).unwrap();
    world.label("one-more", Some(&world.first_version()));
    refused(world.run(Step::Finish, &token), ErrorType::LabelsFull);
}

#[test]
fn a_version_made_current_again_is_stamped_anew_when_replaced_again() {
    let world = world();
    world.rotate().unwrap();
    world.advance(hours(2));
    world.make_current(&world.first_version());
    world.advance(hours(48));
    let token = world.rotate().unwrap();
    assert_eq!(world.holder(AWSCURRENT), Some(token));
    first_was_replaced_at(&world, "20260303T140000Z");
}

#[test]
fn a_version_made_current_again_is_stamped_by_whoever_follows_a_crash() {
    let world = world();
    world.rotate().unwrap();
    world.make_current(&world.first_version());
    world.advance(hours(48));
    let token = created(&world);
    world.plan(Operation::Swap, 1, Fault::CrashAfter);
    crashed(&world.run(Step::Finish, &token));
    world.pass(&token).unwrap();
    first_was_replaced_at(&world, "20260303T120000Z");
}

/// Replaced by a hand before finishSecret comes, the version would count as stamped, with a grace that was
/// over before it began.
#[test]
fn the_first_run_that_sees_a_stamp_on_the_current_version_takes_it_off() {
    let world = world();
    world.rotate().unwrap();
    world.advance(hours(2));
    world.make_current(&world.first_version());
    world.advance(hours(48));
    created(&world);
    new_current_by_hand(&world);
    world.rotate().unwrap();
    assert_eq!(
        world.labels(&world.first_version()),
        ["REPLACED-20260303T140000Z-00000000"]
    );
}

#[test]
fn a_run_that_was_slow_looks_again_before_it_swaps() {
    use Operation::{AddLabel, Describe, Inspect, ReadVersion, Swap};
    for (slow, again) in [(5, &[][..]), (6, &[Describe, Inspect])] {
        let world = world();
        let token = created(&world);
        world.take_calls();
        let mut run = world.start(world.request(Step::Finish, &token));
        let look = run.until(Inspect);
        world.advance(seconds(slow));
        run.let_through(look, None);
        done(run.finish(), Done::Promoted);
        let expected = [&[Describe, ReadVersion, Inspect], again, &[Swap, AddLabel]].concat();
        assert_eq!(world.take_operations(), expected, "{slow} s");
    }
}

#[test]
fn what_changed_while_the_key_was_looked_at_for_long_stops_the_swap() {
    type Change = fn(&World, &VersionId);
    let offer = |world: &World| {
        let key = world.key_by_hand(SUB);
        world.put_by_hand(&value(""), &key, SUB, "CANDIDATE")
    };
    let given_up: Change = |world, token| world.label("CONDEMNED-20260301T120000Z-12345678", Some(token));
    let another_is_current: Change = |world, _| world.make_current(&world.holder("by-hand").unwrap());
    let current_again: Change = |world, _| {
        world.make_current(&world.holder("by-hand").unwrap());
        world.make_current(&world.first_version());
    };
    let better_offer: Change = |world, _| world.label("CANDIDATE", world.holder("by-hand").as_ref());
    for hand in [given_up, another_is_current, current_again, better_offer] {
        let world = world();
        let other = offer(&world);
        world.label("by-hand", Some(&other));
        offer(&world);
        let token = copied(&world);
        let mut run = world.start(world.request(Step::Finish, &token));
        let look = run.until(Operation::Inspect);
        world.advance(seconds(6));
        hand(&world, &token);
        let current = world.holder(AWSCURRENT);
        run.let_through(look, None);
        world.take_calls();
        let said = refused(run.finish(), ErrorType::StoreUnavailable);
        assert!(
            said.contains("labels changed while the pending key was inspected"),
            "{said}"
        );
        assert_eq!(world.take_writes(), []);
        assert_eq!(world.holder(AWSCURRENT), current);
    }
}

#[test]
fn a_second_look_that_takes_as_long_as_the_first_is_made_again() {
    let world = world();
    let token = created(&world);
    let mut run = world.start(world.request(Step::Finish, &token));
    let first = run.until(Operation::Inspect);
    world.advance(seconds(20));
    run.let_through(first, None);
    // The labels are read at once, and the key answers a minute later.
    let second = run.until(Operation::Inspect);
    assert!(run.poll().is_pending(), "the labels are read");
    world.abandon();
    world.advance(seconds(60));
    run.let_through(second, None);
    refused(run.finish(), ErrorType::VersionDoomed);
    assert_eq!(world.holder("AWSCURRENT"), Some(world.first_version()));
}
