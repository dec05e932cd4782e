//! No rotation brings a leaked key back: one that copies it, or has yet to, is given up.

use protocol::operations::Mode;
use protocol::rotation::Step;
use sandbox::in_process::Fault;

use super::emergency::{happened, with_a_dead_key_put_back};
use super::*;

#[test]
fn a_rotation_that_builds_on_the_leaked_key_is_given_up_first() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    copied(&world);
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.replaced)));
    assert!(
        happened(&answer).iter().any(|what| what.contains("given up")),
        "{answer:#?}"
    );
    assert_ne!(
        world.holder("AWSCURRENT").as_ref(),
        Some(&world.token),
        "a run of it may be about to make the leaked key current"
    );
    assert_eq!(world.holder("ROLLBACK"), None, "nobody goes back to a leaked key");
    assert!(
        !world.alive(&world.replaced_key) && world.current_key().is_some_and(|current| world.alive(&current)),
        "{answer:#?}"
    );
}

#[test]
fn a_rotation_that_has_yet_to_copy_the_leaked_key_is_given_up_too() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    let back = world.begin_rotation();
    let answer = world.operate_beside_the_service(leaked(&world, Some(&world.replaced)));
    assert!(world.has_stamp(&back, "CONDEMNED-"), "{answer:#?}");
    assert!(
        !world.alive(&world.replaced_key) && world.holder("AWSCURRENT").as_ref() == Some(&world.token),
        "{answer:#?}"
    );
}

#[test]
fn a_copy_of_a_key_that_is_leaked_by_now_is_never_promoted() {
    let world = rotated_twice();
    world.label("ROLLBACK", Some(&world.replaced));
    let back = copied(&world);
    world.label("COMPROMISED", Some(&world.replaced));
    for step in [Step::Set, Step::Test, Step::Finish] {
        // Only testSecret has nothing against it: it tells of the key.
        let ended = world.run(step, &back);
        assert!(ended.is_err() || step != Step::Finish, "{step:?}");
    }
    assert_eq!(world.holder("AWSCURRENT").as_ref(), Some(&world.token));
    assert!(world.run(Step::Create, &back).is_err());
    assert_eq!(world.holder("AWSPENDING"), None, "it was given up");
}

#[test]
fn an_order_goes_on_where_a_rollback_has_copied_the_leaked_key() {
    for mode in [Mode::ReplaceFirst, Mode::RevokeFirst] {
        for cut in 1..25 {
            let world = rotated_twice();
            world.roll_back(Some(&world.replaced));
            while world.run_due().is_some() {}
            assert_eq!(world.current_key().as_ref(), Some(&world.replaced_key));
            world.plan_at(cut, Fault::CrashBefore);
            let operation = world.start_operation(break_glass(world.secret(), Some(&world.replaced), mode));
            if operation
                .finish_beside(|| while world.run_due().is_some() {})
                .is_ok()
            {
                break;
            }
            if !world
                .labels(&world.replaced)
                .iter()
                .any(|label| label == "COMPROMISED")
            {
                continue;
            }
            passes_beside_the_service(&world);
            let current = world.current_key().expect("a current key");
            assert!(
                !world.alive(&world.replaced_key) && world.alive(&current),
                "{mode:?}, cut at call {cut}"
            );
        }
    }
}

#[test]
fn a_leaked_key_that_a_rollback_copied_is_replaced_and_dies() {
    let (world, first) = with_a_dead_key_put_back();
    world.maintain();
    world.advance(hours(1));
    world.maintain();
    world.roll_back(Some(&first));
    while world.run_due().is_some() {}
    let key = world.current_key().expect("a current key");
    let answer = world.operate_beside_the_service(leaked(&world, None));
    assert_eq!(answer.outcome, Outcome::Ok, "{answer:#?}");
    assert!(!world.alive(&key), "{answer:#?}");
    assert!(
        answer.exposure_seconds.is_some_and(|seconds| seconds < 30),
        "{answer:#?}"
    );
}
