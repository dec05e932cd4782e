//! Each variant of the protocol that is wrong on purpose, over one history in which its rule counts: the rule
//! holds as long as the variant is not in force, and does not hold once it is. A check that the variants are
//! wrong, not of what a simulation finds.

mod authority;
mod giving_up;
mod issuing;
mod operating;
mod proving;
mod retiring;
mod swapping;

use std::fmt::Debug;

use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::rotation::Step;
use protocol::wrong::{Wrong, in_force};
use sandbox::bybit::{Credential, Ips, KeyId, Knobs, Permissions, Settings};
use sandbox::in_process::{
    BOT_ADDRESS, FUNCTION_ADDRESS, Fault, Invocation, Operation, Point, SUB, Setup, Ticket, World,
};
use serde::Serialize;

/// Plays a history, and answers whether the rule held in it.
type Rule = fn() -> bool;

#[test]
fn every_variant_breaks_its_rule_and_nothing_else_does() {
    let histories: Vec<(Wrong, Rule)> = [
        issuing::HISTORIES,
        giving_up::HISTORIES,
        proving::HISTORIES,
        swapping::HISTORIES,
        retiring::HISTORIES,
        operating::HISTORIES,
        authority::HISTORIES,
    ]
    .concat();
    let mut surprises = Vec::new();
    for wrong in Wrong::ALL {
        let Some((_, holds)) = histories.iter().find(|(of, _)| of == wrong) else {
            surprises.push(format!("{} has no history", wrong.as_str()));
            continue;
        };
        if !holds() {
            surprises.push(format!(
                "{}: the rule does not hold though nothing is wrong",
                wrong.as_str()
            ));
        }
        let _wrong = in_force(Some(*wrong));
        if holds() {
            surprises.push(format!("{}: the rule holds all the same", wrong.as_str()));
        }
    }
    assert_eq!(surprises, Vec::<String>::new());
}

#[test]
fn a_variant_is_in_force_on_its_thread_and_for_its_time_alone() {
    let issues = || issuing::HISTORIES[0].1();
    let outer = in_force(Some(issuing::HISTORIES[0].0));
    assert!(!issues());
    assert!(std::thread::spawn(issues).join().expect("it ends"));
    let inner = in_force(None);
    assert!(issues());
    drop(inner);
    assert!(!issues());
    drop(outer);
    assert!(issues());
}

#[test]
fn every_variant_reads_back_from_its_word() {
    for wrong in Wrong::ALL {
        assert_eq!(wrong.as_str().parse(), Ok(*wrong));
    }
    assert!("right".parse::<Wrong>().is_err());
}

const SPOT: (&str, &[&str]) = ("Spot", &["SpotTrade"]);
/// All that the usual policy asks for.
const ALL: &[(&str, &[&str])] = &[SPOT, ("ContractTrade", &["Order", "Position"])];
/// A value for a version that a hand stores.
const BY_HAND: &str = concat!(
    r#"{"api_key":"<key>","api_secret":"<secret>","masterarn":"<master>","subaccount":"<account>","#,
    r#""policy":{"permissions":["read","spot"],"ip_allowlist":["203.0.113.7"]}}"#
);
/// A little more than the time after which a key that was not stored will never be.
const SETTLED: SignedDuration = SignedDuration::from_secs(17 * 60 + 1);

/// A world whose venue lists and knows a new key half a minute late.
fn lagging() -> World {
    let bybit = Knobs {
        new_key_delay: seconds(30),
        listings_lag: true,
        rate_limits: false,
        ..Knobs::default()
    };
    let world = World::with(Setup {
        bybit,
        ..Setup::default()
    });
    world.advance(hours(1));
    world
}

/// A token whose createSecret was run once.
fn created(world: &World) -> VersionId {
    let token = world.begin_rotation();
    drop(world.run(Step::Create, &token));
    token
}

/// A token for which a key was issued by a run that died before it could store it.
fn unstored(world: &World) -> VersionId {
    world.plan(Operation::Issue, 1, Fault::CrashAfter);
    created(world)
}

/// A version of a hand's with a key of its own, under a label that means nothing.
fn by_hand(world: &World) -> VersionId {
    world.put_by_hand(BY_HAND, &key_by_hand(world, &[SPOT]), SUB, "by-hand")
}

/// A token whose base is not current any more, and the version that is.
fn overtaken(world: &World) -> (VersionId, VersionId) {
    let theirs = by_hand(world);
    let token = created(world);
    world.make_current(&theirs);
    (token, theirs)
}

fn settings(groups: &[(&str, &[&str])]) -> Settings {
    let ips = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
    Settings {
        note: "by hand".to_owned(),
        read_only: false,
        ips,
        permissions: Permissions::of(groups),
    }
}

fn key_by_hand(world: &World, groups: &[(&str, &[&str])]) -> Credential {
    world
        .bybit(|model, now| model.create_key_by_hand(SUB, settings(groups), now))
        .expect("the account is there")
}

fn grant_by_hand(world: &World, key: &KeyId, groups: &[(&str, &[&str])]) {
    world
        .bybit(|model, now| model.edit_key_by_hand(key, settings(groups), now))
        .expect("the key is there");
}

fn delete(world: &World, key: &KeyId) {
    world
        .bybit(|model, now| model.delete_key_by_hand(key, now))
        .expect("the key is there");
}

fn credential(world: &World, key: &KeyId) -> Credential {
    world
        .bybit(|model, _| model.credential(key))
        .expect("the key existed")
}

fn key_in(world: &World, version: &VersionId) -> KeyId {
    world.key_in(version).expect("the version names a key")
}

fn issued(world: &World) -> usize {
    world
        .take_operations()
        .into_iter()
        .filter(|operation| *operation == Operation::Issue)
        .count()
}

fn is_current(world: &World, version: &VersionId) -> bool {
    world.holder("AWSCURRENT").as_ref() == Some(version)
}

fn has_stamp(world: &World, version: &VersionId, kind: &str) -> bool {
    world.labels(version).iter().any(|label| label.starts_with(kind))
}

/// Drives an invocation until it is about to make a call of this operation, and no further.
fn until<T: Debug + Serialize>(run: &mut Invocation<T>, operation: Operation) -> Ticket {
    for _ in 0..50 {
        assert!(run.poll().is_pending(), "it ended before {operation:?}");
        for (ticket, point) in run.waiting() {
            match point {
                Point::Call(call) if call.operation == operation => return ticket,
                _ => run.let_through(ticket, None),
            }
        }
    }
    panic!("it never came to {operation:?}");
}

/// Lets a call have its effect, and goes no further.
fn just(run: &mut Invocation, ticket: Ticket, fault: Option<Fault>) {
    run.let_through(ticket, fault);
    assert!(run.poll().is_pending());
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}
