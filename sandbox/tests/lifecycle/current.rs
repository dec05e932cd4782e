//! The current key is looked at in every pass.

use protocol::lifecycle::Code;
use sandbox::in_process::{Fault, Operation, SUB};

use super::*;

#[test]
fn a_current_key_that_is_rejected_is_a_page() {
    let world = world();
    delete(&world, world.first_key());
    hour(&world);
    assert_eq!(codes(&world.maintain()), [Code::CurrentDead]);
}

#[test]
fn an_answer_that_says_nothing_is_not_a_death() {
    let world = world();
    for fault in [Fault::Dropped, Fault::Throttled, Fault::Denied, Fault::Refused] {
        world.plan(Operation::Inspect, 1, fault);
        let codes = codes(&world.maintain());
        assert!(!codes.contains(&Code::CurrentDead) && codes.len() == 1, "{fault:?}: {codes:?}");
    }
}

#[test]
fn a_rejection_where_the_host_accepts_no_one_is_not_a_death() {
    let world = world();
    world.bybit(|model, _| model.knobs.wrong_host = true);
    let codes = codes(&world.maintain());
    assert!(codes.contains(&Code::MasterUnusable) && !codes.contains(&Code::CurrentDead), "{codes:?}");
}

#[test]
fn in_the_grace_of_the_one_before_a_death_is_told_twice_before_it_is_believed() {
    let (world, token, _, _) = rotated_twice();
    hour(&world);
    delete(&world, &key_in(&world, &token));
    assert_eq!(codes(&world.maintain()), [Code::CurrentSuspect]);
    assert!(world.labels(&token).iter().any(|label| label.starts_with("SUSPECT-")));
    hour(&world);
    let answer = world.maintain();
    assert_eq!(codes(&answer), [Code::CurrentDead]);
    assert!(answer.findings[0].r#do.contains("rollback"), "{answer:#?}");
    assert_eq!(world.holder("ROLLBACK"), None, "nobody said that it may be done without asking");
}

#[test]
fn a_suspicion_is_dropped_when_the_key_answers_again() {
    let (world, token, _, _) = rotated_twice();
    hour(&world);
    world.plan(Operation::Inspect, 1, Fault::Dropped);
    world.bybit(|model, _| model.knobs.wrong_host = true);
    world.maintain();
    world.bybit(|model, _| model.knobs.wrong_host = false);
    world.label("SUSPECT-20260301T000000Z-00000000", Some(&token));
    hour(&world);
    all_is_well(&world.maintain());
    assert!(!world.labels(&token).iter().any(|label| label.starts_with("SUSPECT-")));
}

#[test]
fn where_the_policy_says_so_a_death_in_the_grace_is_rolled_back() {
    let world = world();
    let document = world.text_of_setup().replace(r#""policy":{"#, r#""policy":{"auto_rollback":true,"#);
    let key = key_by_hand(&world, SUB);
    world.put_by_hand(&document, &key, SUB, "AWSCURRENT");
    world.rotate().expect("a rotation");
    hours(&world, 24 * 9);
    settle(&world);
    let first = world.holder("AWSCURRENT").expect("a current version");
    let token = world.rotate().expect("a rotation");
    hour(&world);
    delete(&world, &key_in(&world, &token));
    world.maintain();
    hour(&world);
    let answer = world.maintain();
    assert_eq!(answer.counts["rollbacks"], 1, "{answer:#?}");
    while let Some(step) = world.run_due() {
        step.expect("the rotation back");
    }
    assert_eq!(world.current_key(), Some(key_in(&world, &first)));
}

#[test]
fn a_current_key_that_may_move_funds_is_a_page_and_one_beyond_its_policy_a_ticket() {
    let world = world();
    let edit = |groups: &[(&str, &[&str])], ips| {
        let mut settings = world.bybit(|model, _| model.key(world.first_key())).expect("the key is there").settings;
        (settings.permissions, settings.ips) = (Permissions::of(groups), ips);
        world.bybit(|model, now| model.edit_key_by_hand(world.first_key(), settings, now)).expect("it is edited");
        hour(&world);
    };
    let bound = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]);
    let trades: (&str, &[&str]) = ("ContractTrade", &["Order", "Position"]);
    let spot: (&str, &[&str]) = ("Spot", &["SpotTrade"]);
    edit(&[trades, spot, ("Wallet", &["AccountTransfer"])], bound.clone());
    assert_eq!(codes(&world.maintain()), [Code::CanMoveFunds]);
    edit(&[trades, spot, ("Options", &["OptionsTrade"])], bound.clone());
    assert_eq!(codes(&world.maintain()), [Code::MorePowerThanPolicy]);
    edit(&[trades, spot], Ips::Any);
    assert_eq!(codes(&world.maintain()), [Code::Unbound]);
    edit(&[trades, spot], bound);
    all_is_well(&world.maintain());
}

#[test]
fn a_key_that_a_hand_put_back_after_a_rotation_is_told() {
    let (world, _, _, _) = rotated_twice();
    world.maintain();
    let by_hand = key_by_hand(&world, SUB);
    world.put_by_hand(world.text_of_setup(), &by_hand, SUB, "AWSCURRENT");
    assert_eq!(codes(&world.maintain()), [Code::CurrentOverwritten]);
}

#[test]
fn one_bad_secret_does_not_stop_the_others() {
    let (world, _, key, _) = rotated_twice();
    let other = key_by_hand(&world, SUB);
    world.add_secret("prod/nowhere/other", world.text_of_setup(), &other, SUB);
    let bad = world.text_of_setup().replace("bybit", "nowhere");
    world.add_secret("prod/nowhere/third", &bad, &other, SUB);
    hours(&world, 25);
    settle(&world);
    assert!(!world.alive(&key));
}
