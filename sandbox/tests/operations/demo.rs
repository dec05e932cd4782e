//! Keys of demo accounts: issued, edited and deleted by the production master at production's host, and asked
//! at demo's own, so that what the one host says proves nothing of the other.

use protocol::error::ErrorType;
use protocol::rotation::Step;
use sandbox::in_process::Fault;

use super::*;

/// A world whose secret stands for a demo account, with a master of this environment.
fn demo(master_s: &str) -> World {
    let usual = Setup::default();
    let master = usual
        .master_document
        .map(|document| document.replace("mainnet", master_s));
    let world = World::with(Setup {
        demo: true,
        document: usual.document.replace("mainnet", "demo"),
        master_document: master,
        ..Setup::default()
    });
    world.advance(SignedDuration::from_hours(1));
    world
}

#[test]
fn a_demo_key_is_rotated_and_revoked_by_the_production_master() {
    let world = demo("mainnet");
    let first = world.current_key().expect("a current key");
    let token = world.rotate().expect("a rotation");
    assert_eq!(world.current_key(), world.key_in(&token));
    for _ in 0..(24 * 8 + 3) {
        world.advance(hours(1));
        world.maintain();
    }
    assert!(!world.alive(&first), "{:#?}", world.maintain());
    all_is_well(&world.maintain());
}

#[test]
fn a_master_of_demo_issues_no_demo_keys_and_the_refusal_says_which_does() {
    let world = demo("demo");
    let token = world.begin_rotation();
    let error = world.run(Step::Create, &token).expect_err("it is refused");
    let said = format!("{error:?}");
    assert!(said.contains("one of bybit mainnet issues"), "{said}");
}

#[test]
fn a_master_accepted_by_production_s_host_proves_no_death_on_demo() {
    let world = demo("mainnet");
    world.venue(|model, _| model.knobs.wrong_demo_host = true);
    let answer = world.maintain();
    assert!(!codes(&answer).contains(&Code::CurrentDead), "{answer:#?}");
    assert!(
        answer
            .secrets
            .iter()
            .flat_map(|row| &row.keys)
            .all(|key| key.alive != Some(false)),
        "{answer:#?}"
    );
}

#[test]
fn a_list_of_production_s_host_gives_no_pending_demo_key_up() {
    let world = demo("mainnet");
    let token = world.begin_rotation();
    world.run(Step::Create, &token).expect("a key is issued");
    world.advance(hours(1));
    for occurrence in 1..4 {
        world.plan(Operation::List, occurrence, Fault::PageMissing);
    }
    world.venue(|model, _| model.knobs.wrong_demo_host = true);
    let error = world.run(Step::Set, &token).expect_err("the key is rejected");
    assert!(
        format!("{error:?}").contains(&format!("{:?}", ErrorType::PendingRejected)),
        "{error:?}"
    );
    assert_eq!(world.labels(&token), ["AWSPENDING"]);
    world.venue(|model, _| model.knobs.wrong_demo_host = false);
    world.pass(&token).expect("the rotation goes on");
}

#[test]
fn a_dead_demo_key_is_proven_dead_by_another_that_demo_s_host_accepts() {
    let world = demo("mainnet");
    let first = world.current_key().expect("a current key");
    let old = world.holder("AWSCURRENT").expect("a version");
    world.rotate().expect("a rotation");
    world.advance(hours(1));
    world.delete_key(&first);
    let said = |world: &World| {
        let answer = audit::audit(world);
        let rows = answer.secrets.iter().flat_map(|row| &row.keys);
        rows.filter(|row| row.version == old.as_str())
            .map(|row| row.alive)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(&world), [Some(false)]);
    world.venue(|model, _| model.knobs.wrong_demo_host = true);
    assert_eq!(said(&world), [None], "demo's host accepts nobody");
}

#[test]
fn a_rejected_demo_key_that_nothing_controls_is_told_as_a_suspect() {
    let world = demo("mainnet");
    world.delete_key(&world.current_key().expect("a current key"));
    let answer = world.maintain();
    assert!(
        codes(&answer).contains(&Code::CurrentSuspect) && !codes(&answer).contains(&Code::CurrentUnchecked),
        "{answer:#?}"
    );
}

#[test]
fn a_leaked_demo_key_that_was_deleted_is_told_with_what_ends_it() {
    let world = demo("mainnet");
    let (key, old) = (world.first_key().clone(), world.first_version());
    world.rotate().expect("a rotation");
    world.advance(hours(1));
    for label in world.labels(&old) {
        world.label(&label, None);
    }
    world.label("COMPROMISED", Some(&old));
    world.delete_key(&key);
    world.advance(hours(24));
    let answer = world.maintain();
    let told = finding(&answer, Code::NotProvenDead);
    assert!(told.say.contains("no pass can prove"), "{answer:#?}");
    assert!(told.r#do.contains("take the version's labels off"), "{answer:#?}");
    // That is what ends it.
    world.label("COMPROMISED", None);
    all_is_well(&world.maintain());
}
