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
mod venues;

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../harness/other_venues.rs"]
mod other_venues;

use harness::{MASTER, copied, created, hours, key_in, minutes, new_current_by_hand, seconds, unstored};
use protocol::label::VersionId;
use protocol::rotation::Step;
use protocol::wrong::{Wrong, in_force};
use sandbox::in_process::{
    Fault, Invocation, SETTLED, SPOT, SUB, Setup, TRADES, Ticket, World, break_glass, settings_by_hand,
};
use sandbox::venue::Knobs;

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
        venues::HISTORIES,
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

/// A world whose venue lists and knows a new key half a minute late.
fn lagging() -> World {
    let venue = Knobs {
        new_key_delay: seconds(30),
        listings_lag: true,
        rate_limits: false,
        ..Knobs::default()
    };
    let world = World::with(Setup {
        venue,
        ..Setup::default()
    });
    world.advance(hours(1));
    world
}

/// A token whose createSecret was run once, whatever came of it.
fn begun(world: &World) -> VersionId {
    let token = world.begin_rotation();
    drop(world.run(Step::Create, &token));
    token
}

/// A version of a hand's with a key of its own, under a label that means nothing.
fn by_hand(world: &World) -> VersionId {
    world.put_key(&world.key_by_hand(SUB), "by-hand")
}

/// A token whose base is not current any more, and the version that is.
fn overtaken(world: &World) -> (VersionId, VersionId) {
    let theirs = by_hand(world);
    let token = created(world);
    world.make_current(&theirs);
    (token, theirs)
}

/// Lets a call have its effect, and goes no further.
fn just(run: &mut Invocation, ticket: Ticket, fault: Option<Fault>) {
    run.let_through(ticket, fault);
    assert!(run.poll().is_pending());
}

/// Passes come round.
fn passes(world: &World) {
    for _ in 0..3 {
        world.advance(hours(1));
        world.maintain();
    }
}
