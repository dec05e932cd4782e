//! What a person has offered keeps no leaked key alive.

use sandbox::in_process::SUB;

use super::*;

#[test]
fn an_offer_whose_rotation_is_stuck_does_not_keep_a_leaked_key_alive() {
    let world = rotated_twice();
    let (offered, leaked_key) = (stuck_with_an_offer(&world), key_in(&world, &world.token));
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert!(!world.alive(&leaked_key) && world.holder("CANDIDATE").is_none());
    // A person made it, and may use it elsewhere.
    settle(&world);
    assert!(world.alive(&offered.key));
    world.advance(hours(24 * 8));
    settle(&world);
    assert!(!world.alive(&offered.key));
}

#[test]
fn an_offer_whose_rotation_was_given_up_is_taken_by_a_later_one() {
    let world = rotated_twice();
    let offered = stuck_with_an_offer(&world);
    world.abandon();
    world.rotate().expect_err("it is to die, as far as labels tell");
    world.advance(hours(1));
    world.maintain();
    // Secrets Manager makes the attempt again.
    world.run_all_due().expect("it is not");
    assert_eq!(world.current_key(), Some(offered.key));
}

#[test]
fn a_rotation_given_up_empty_does_not_keep_an_offer_from_being_used() {
    let world = rotated_twice();
    world.venue(|model, _| model.knobs.kyc_missing = true);
    world.operate_beside_the_service(leaked(&world, Some(&world.token)));
    let key = key_in(&world, &world.token);
    let better = world.key_by_hand(SUB);
    world.put_key(&better, "CANDIDATE");
    passes_beside_the_service(&world);
    assert_eq!(world.current_key(), Some(better.key));
    assert!(!world.alive(&key));
}

#[test]
fn an_offer_that_is_bound_to_no_address_does_not_keep_a_leaked_key_alive() {
    for is_ordered in [true, false] {
        let world = rotated_twice();
        let key = key_in(&world, &world.token);
        let mut settings = world.settings_of(world.first_key());
        settings.ips = Ips::Any;
        let unbound = world.key_by_hand_with(SUB, settings);
        world.put_key(&unbound, "CANDIDATE");
        if is_ordered {
            let answer = world.operate_beside_the_service(leaked(&world, None));
            assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
        } else {
            world.label("COMPROMISED", Some(&world.token));
            passes_beside_the_service(&world);
        }
        assert!(!world.alive(&key) && world.alive(&unbound.key));
    }
}

#[test]
fn a_pass_takes_an_offer_back_that_would_keep_a_leaked_key_current() {
    let world = rotated_twice();
    let key = key_in(&world, &world.token);
    world.label("COMPROMISED", Some(&world.token));
    let mut settings = world.settings_of(&key);
    (settings.note, settings.permissions) = ("by hand".to_owned(), Permissions::of(&[SPOT]));
    let weak = world.key_by_hand_with(SUB, settings);
    world.put_key(&weak, "CANDIDATE");
    world.advance(hours(1));
    passes_beside_the_service(&world);
    assert!(
        !world.alive(&key) && world.holder("CANDIDATE").is_none(),
        "{:#?}",
        world.maintain()
    );
    assert!(world.alive(&weak.key), "a person made it");
}

#[test]
fn where_no_key_can_be_issued_a_persons_offer_is_left_to_them() {
    let world = rotated_twice();
    let offered = world.key_by_hand(SUB);
    let mut settings = world.settings_of(&offered.key);
    let good = std::mem::replace(&mut settings.permissions, Permissions::of(&[SPOT]));
    world
        .venue(|model, now| model.edit_key_by_hand(&offered.key, settings.clone(), now))
        .expect("it is edited");
    let offer = world.put_key(&offered, "CANDIDATE");
    world.delete_key(world.master_key());
    world.advance(hours(1));
    world.operate_beside_the_service(leaked(&world, Some(&world.token)));
    assert_eq!(
        world.holder("CANDIDATE").as_ref(),
        Some(&offer),
        "it is the only way to a successor"
    );
    settings.permissions = good;
    world
        .venue(|model, now| model.edit_key_by_hand(&offered.key, settings, now))
        .expect("it is edited");
    passes_beside_the_service(&world);
    assert_eq!(
        world.holder("CANDIDATE").as_ref(),
        Some(&offer),
        "a master is needed to look at the account"
    );
}

/// A rotation that copies an offered key and is stuck once it has; the offered key.
fn stuck_with_an_offer(world: &World) -> Credential {
    let offered = world.key_by_hand(SUB);
    world.put_key(&offered, "CANDIDATE");
    copied(world);
    world.advance(minutes(6));
    offered
}
