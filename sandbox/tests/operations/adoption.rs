//! A key that a person made lives a week after it was replaced, in whichever version it came to stand.

use sandbox::in_process::SUB;

use super::*;

/// Passes every half day, for so many days.
fn days(world: &World, count: i64) {
    for _ in 0..2 * count {
        world.advance(hours(12));
        world.maintain();
    }
}

fn rotate(world: &World) {
    world.rotate().expect("a rotation");
}

#[test]
fn a_hand_made_key_a_rollback_copied_lives_a_week_once_replaced_again() {
    let world = rotated();
    world.label("ROLLBACK", Some(&world.replaced));
    rotate(&world);
    assert_eq!(world.current_key().as_ref(), Some(&world.replaced_key));
    rotate(&world);
    days(&world, 6);
    assert!(world.alive(&world.replaced_key), "it may sit in a file somewhere");
    days(&world, 3);
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn an_offered_key_made_by_hand_lives_a_week_after_it_was_replaced() {
    let world = world();
    let offered = world.key_by_hand(SUB);
    world.put_key(&offered, "CANDIDATE");
    rotate(&world);
    assert_eq!(world.current_key().as_ref(), Some(&offered.key));
    rotate(&world);
    days(&world, 6);
    assert!(world.alive(&offered.key), "it may sit in a file somewhere");
    days(&world, 3);
    assert!(!world.alive(&offered.key));
}

#[test]
fn a_key_of_ours_that_a_rollback_copied_has_the_grace_of_ours() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    rotate(&world);
    rotate(&world);
    days(&world, 3);
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn a_leaked_key_made_by_hand_dies_at_once() {
    let world = rotated();
    world.label("COMPROMISED", Some(&world.replaced));
    world.maintain();
    assert!(!world.alive(&world.replaced_key));
}

#[test]
fn that_a_key_made_by_hand_lives_on_is_told_from_the_first_pass_on() {
    let world = rotated();
    let answer = world.maintain();
    let told = finding(&answer, Code::AdoptionGrace);
    assert!(told.say.contains("2026-03-08"), "{answer:#?}");
    world.advance(hours(30));
    assert!(found(&world.maintain(), Code::AdoptionGrace));
    // Of one that was issued nothing need be told, in whichever version it stands.
    let world = rotated_twice();
    all_is_well(&world.maintain());
    world.label("ROLLBACK", Some(&world.replaced));
    rotate(&world);
    rotate(&world);
    assert!(!found(&world.maintain(), Code::AdoptionGrace));
}

#[test]
fn a_key_of_ours_is_not_announced_as_made_by_hand_where_nobody_can_tell() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    rotate(&world);
    rotate(&world);
    world.delete_key(world.master_key());
    let codes = codes(&world.maintain());
    assert!(
        codes.contains(&Code::MasterUnusable) && !codes.contains(&Code::AdoptionGrace),
        "{codes:?}"
    );
}
