//! A fleet that does not fit one pass: nobody in it waits for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::name::SecretId;
use protocol::operations::{Code, Shard};
use sandbox::in_process::{OTHER_SUB, SUB};
use sandbox::venue::Knobs;

use super::*;

/// More than a pass has time for.
const SECRETS: usize = 64;
/// So many passes come round.
const PASSES: usize = 24;
/// A pass has time for half of them. By chance alone, one in a million secrets goes untended for twenty of
/// those in a row.
const MOST_MISSED: usize = 20;

/// A fleet whose passes have time for about half of it, since every round of calls takes a second; and how
/// the calls call its keys.
fn fleet() -> (Watched, Vec<String>) {
    let venue = Knobs {
        rate_limits: false,
        max_keys: Some(SECRETS),
        ..Knobs::default()
    };
    let world = World::with(Setup {
        venue,
        ..Setup::default()
    });
    let mut keys = vec![world.first_key().clone()];
    for number in 1..SECRETS {
        let account = if number % 2 == 0 { SUB } else { OTHER_SUB };
        let key = world.key_by_hand(account);
        world.add_secret(
            &format!("prod/bybit/desk-{number:03}"),
            world.text_of_setup(),
            &key,
            account,
        );
        keys.push(key.key);
    }
    // So much would be said that it takes long to search.
    let mut world = world.quiet_fork();
    world.note_calls();
    world.set_round_trip(seconds(1));
    world.timeout = seconds(34);
    let shown = |key: &KeyId| {
        let key = protocol::secret::KeyId::parse(key.as_str()).expect("it is one");
        format!("the current key {key}")
    };
    (Watched(world), keys.iter().map(shown).collect())
}

/// What a pass answers, and the current keys that it looked at.
fn tended(world: &World) -> (Answer, BTreeSet<String>) {
    world.take_calls();
    let answer = world.maintain();
    let looks = world
        .take_calls()
        .into_iter()
        .filter(|made| made.call.operation == Operation::Inspect);
    (answer, looks.map(|made| made.call.about).collect())
}

#[test]
fn no_secret_of_a_fleet_too_large_for_a_pass_goes_untended_for_long() {
    let (world, keys) = fleet();
    let mut missed: BTreeMap<String, usize> = keys.into_iter().map(|key| (key, 0)).collect();
    assert_eq!(missed.len(), SECRETS);
    let mut all = 0;
    for pass in 0..PASSES {
        let (answer, tended) = tended(&world);
        assert!(
            found(&answer, Code::Unfinished),
            "pass {pass} fits: {:?}",
            answer.counts
        );
        all += tended.len();
        for (key, missed) in &mut missed {
            *missed = if tended.contains(key) { 0 } else { *missed + 1 };
        }
        let waiting: Vec<&String> = missed
            .iter()
            .filter(|(_, missed)| **missed > MOST_MISSED)
            .map(|(key, _)| key)
            .collect();
        assert!(
            waiting.is_empty(),
            "after {} passes, each over {} of {SECRETS}, {} wait since more than {MOST_MISSED}: {waiting:?}",
            pass + 1,
            all / (pass + 1),
            waiting.len()
        );
        world.advance(hours(1));
    }
    let share = all / PASSES;
    assert!(
        (SECRETS / 3..SECRETS * 2 / 3).contains(&share),
        "a pass tends {share}"
    );
}

#[test]
fn a_pass_that_runs_out_of_time_answers_before_its_end_and_says_so() {
    let (world, _) = fleet();
    let before = world.now();
    let (answer, _) = tended(&world);
    assert!(world.now() < before + world.timeout);
    assert!(found(&answer, Code::Unfinished), "{:?}", answer.counts);
}

#[test]
fn the_shards_of_a_fleet_are_all_of_it_and_none_twice() {
    let (mut world, _) = fleet();
    world.0.timeout = minutes(15);
    let ask = |shard: &str| {
        world.take_calls();
        let answer = world.maintain_shard(shard);
        let looks = world
            .take_calls()
            .into_iter()
            .filter(|made| made.call.operation == Operation::Inspect);
        (
            answer.counts["secrets"],
            looks.map(|made| made.call.about).collect::<Vec<_>>(),
        )
    };
    let parts: Vec<(u64, Vec<String>)> = ["1/4", "2/4", "3/4", "4/4"].map(ask).into();
    assert!(parts.iter().all(|(count, _)| *count > 4), "{parts:?}");
    let all: Vec<&String> = parts
        .iter()
        .flat_map(|(_, keys)| keys)
        .filter(|key| key.starts_with("the current"))
        .collect();
    assert_eq!(
        (all.len(), all.iter().collect::<BTreeSet<_>>().len()),
        (SECRETS, SECRETS)
    );
}

#[test]
fn many_keys_that_were_issued_on_an_account_within_a_day_are_a_page() {
    let world = world();
    for _ in 0..10 {
        world.rotate().expect("a rotation");
    }
    assert!(!found(&world.maintain(), Code::ManyKeysIssued));
    let other = world.key_by_hand(SUB);
    let secret = world.add_secret_of("prod/bybit/other", &other);
    world.try_begin_rotation_of(&secret).expect("a rotation begins");
    while world.run_due().is_some() {}
    let answer = world.maintain();
    let pages: Vec<_> = answer
        .findings
        .iter()
        .filter(|finding| finding.code == Code::ManyKeysIssued)
        .collect();
    assert_eq!(pages.len(), 1, "both secrets stand for the account: {answer:#?}");
    assert!(
        pages[0].say.starts_with("11 keys") && pages[0].say.contains("younger than 24 hours"),
        "{}",
        pages[0].say
    );
    world.advance(hours(25));
    assert!(!found(&world.maintain(), Code::ManyKeysIssued));
}

#[test]
fn a_key_that_a_secret_of_another_shard_holds_is_not_revoked() {
    let world = rotated_twice();
    let credential = world.credential(&world.replaced_key);
    let names: Vec<SecretId> = (0..6)
        .map(|number| world.add_secret_of(&format!("prod/bybit/holder-{number}"), &credential))
        .collect();
    world.advance(hours(30));
    for _ in 0..6 {
        for shard in ["1/3", "2/3", "3/3"] {
            world.maintain_shard(shard);
        }
        world.advance(hours(1));
    }
    assert!(
        world.alive(&world.replaced_key),
        "{names:?} hold it: {:?}",
        world.labels(&world.replaced)
    );
}

#[test]
fn no_more_secrets_are_looked_after_at_once_than_a_pass_has_hands_for() {
    let (world, _) = fleet();
    let mut pass = world.start_operation(in_process::maintain(Shard::ALL, false));
    let mut most = 0;
    while pass.poll().is_pending() {
        let waiting = pass.waiting();
        most = most.max(waiting.len());
        for (ticket, _) in waiting {
            pass.let_through(ticket, None);
        }
    }
    // Eight secrets, and two calls of one at a time.
    assert!((8..=16).contains(&most), "{most} calls were open");
}

#[test]
fn calls_to_a_venue_keep_their_distance_and_a_masters_a_greater_one() {
    // How many seconds a pass takes over four secrets of one master: one call by each key, one by the master
    // for each, and one about the master itself.
    let takes = |of_the_venue: u64, of_a_master: u64| {
        let world = world();
        for number in 1..4 {
            world.add_secret_of(&format!("prod/bybit/{number}"), &world.key_by_hand(SUB));
        }
        world.set_spacing(
            Duration::from_secs(of_the_venue),
            Duration::from_secs(of_a_master),
        );
        let before = world.now();
        world.take_calls();
        all_is_well(&world.maintain());
        let made: Vec<Operation> = world.take_operations();
        let count = |of: &[Operation]| made.iter().filter(|operation| of.contains(operation)).count();
        assert_eq!((count(&[Operation::Inspect]), count(&[Operation::List])), (5, 4));
        world.now().duration_since(before).as_secs()
    };
    assert_eq!(takes(0, 0), 0);
    assert_eq!(takes(2, 0), 8 * 2, "nine calls, one after the other");
    assert_eq!(takes(0, 5), 4 * 5, "five calls by the master");
    assert!(takes(2, 5) >= 4 * 5);
}
