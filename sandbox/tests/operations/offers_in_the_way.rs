//! What a person has offered keeps no leaked key alive.

use protocol::operations::OperationRequest;
use protocol::rotation::Step;
use sandbox::in_process::SUB;

use super::emergency::{leaked, passes_beside_the_service};
use super::*;

#[test]
fn an_offer_whose_rotation_is_stuck_does_not_keep_a_leaked_key_alive() {
    let (world, token, _, _) = rotated_twice();
    let (offered, leaked_key) = (stuck_with_an_offer(&world), key_in(&world, &token));
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert!(!world.alive(&leaked_key) && world.holder("CANDIDATE").is_none());
    // A person made it, and may use it elsewhere.
    settle(&world);
    assert!(world.alive(&offered.key));
    hours(&world, 24 * 8);
    settle(&world);
    assert!(!world.alive(&offered.key));
}

#[test]
fn an_offer_whose_rotation_was_given_up_is_taken_by_a_later_one() {
    let (world, _, _, _) = rotated_twice();
    let offered = stuck_with_an_offer(&world);
    world.operate(OperationRequest::Abandon {
        secret: world.secret().clone(),
    });
    world.rotate().expect_err("it is to die, as far as labels tell");
    hour(&world);
    world.maintain();
    // Secrets Manager makes the attempt again.
    while let Some(step) = world.run_due() {
        step.expect("it is not");
    }
    assert_eq!(world.current_key(), Some(offered.key));
}

#[test]
fn a_rotation_given_up_empty_does_not_keep_an_offer_from_being_used() {
    let (world, token, _, _) = rotated_twice();
    world.bybit(|model, _| model.knobs.kyc_missing = true);
    world.operate_beside_the_service(leaked(&world, Some(&token)));
    let key = key_in(&world, &token);
    let better = key_by_hand(&world, SUB);
    world.put_by_hand(world.text_of_setup(), &better, SUB, "CANDIDATE");
    passes_beside_the_service(&world);
    assert_eq!(world.current_key(), Some(better.key));
    assert!(!world.alive(&key));
}

#[test]
fn an_offer_that_is_bound_to_no_address_does_not_keep_a_leaked_key_alive() {
    for is_ordered in [true, false] {
        let (world, token, _, _) = rotated_twice();
        let key = key_in(&world, &token);
        let mut settings = world
            .bybit(|model, _| model.key(world.0.first_key()))
            .expect("it was there")
            .settings;
        settings.ips = Ips::Any;
        let unbound = world
            .bybit(|model, now| model.create_key_by_hand(SUB, settings, now))
            .expect("the account is there");
        world.put_by_hand(world.text_of_setup(), &unbound, SUB, "CANDIDATE");
        if is_ordered {
            let answer = world.operate_beside_the_service(leaked(&world, None));
            assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
        } else {
            world.label("COMPROMISED", Some(&token));
            passes_beside_the_service(&world);
        }
        assert!(!world.alive(&key) && world.alive(&unbound.key));
    }
}

#[test]
fn a_pass_takes_an_offer_back_that_would_keep_a_leaked_key_current() {
    let (world, token, _, _) = rotated_twice();
    let key = key_in(&world, &token);
    world.label("COMPROMISED", Some(&token));
    let mut settings = world
        .bybit(|model, _| model.key(&key))
        .expect("the key is there")
        .settings;
    (settings.note, settings.permissions) =
        ("by hand".to_owned(), Permissions::of(&[("Spot", &["SpotTrade"])]));
    let weak = world
        .bybit(|model, now| model.create_key_by_hand(SUB, settings, now))
        .expect("the account is there");
    world.put_by_hand(world.text_of_setup(), &weak, SUB, "CANDIDATE");
    hour(&world);
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
    let (world, token, _, _) = rotated_twice();
    let offered = key_by_hand(&world, SUB);
    let mut settings = world
        .bybit(|model, _| model.key(&offered.key))
        .expect("the key is there")
        .settings;
    let good = std::mem::replace(
        &mut settings.permissions,
        Permissions::of(&[("Spot", &["SpotTrade"])]),
    );
    world
        .bybit(|model, now| model.edit_key_by_hand(&offered.key, settings.clone(), now))
        .expect("it is edited");
    let offer = world.put_by_hand(world.text_of_setup(), &offered, SUB, "CANDIDATE");
    delete(&world, world.master_key());
    hour(&world);
    world.operate_beside_the_service(leaked(&world, Some(&token)));
    assert_eq!(
        world.holder("CANDIDATE").as_ref(),
        Some(&offer),
        "it is the only way to a successor"
    );
    settings.permissions = good;
    world
        .bybit(|model, now| model.edit_key_by_hand(&offered.key, settings, now))
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
    let offered = key_by_hand(world, SUB);
    world.put_by_hand(world.text_of_setup(), &offered, SUB, "CANDIDATE");
    let pending = world.begin_rotation();
    world.run(Step::Create, &pending).expect("a copy");
    world.advance(SignedDuration::from_mins(6));
    offered
}
