use super::*;

#[test]
fn a_key_deleted_by_the_master_is_dead_at_once_and_known_to_be() {
    let mut world = World::new();
    let created = world.created("rot-1");
    let key = &created.credential.key;
    world.delete(key).expect("the master may delete");
    assert_eq!(reason(world.try_key(&created.credential)), Reason::InvalidKey);
    assert_eq!(world.list(), []);
    let truth = world.model.key(key).expect("no key is forgotten");
    assert!(!truth.alive(world.now));
    assert_eq!(
        truth.deleted,
        Some((world.now, By::Key(world.master.key.clone())))
    );
}

#[test]
fn deleting_twice_is_refused_the_second_time() {
    let mut world = World::new();
    let key = world.created("rot-1").credential.key;
    world.delete(&key).expect("the master may delete");
    assert_eq!(reason(world.delete(&key)), Reason::NoSuchKey);
}

#[test]
fn a_sub_accounts_key_deletes_itself_without_naming_a_key() {
    let mut world = World::new();
    let key = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]).key;
    let named = Target::key(key.clone());
    assert_eq!(
        reason(world.model.remove(&key, &named, world.now)),
        Reason::Parameter
    );
    world
        .model
        .remove(&key, &Target::default(), world.now)
        .expect("it may");
    assert_eq!(
        world.model.key(&key).and_then(|key| key.deleted),
        Some((world.now, By::Key(key)))
    );
}

#[test]
fn a_key_that_may_not_transfer_or_only_reads_deletes_nothing() {
    let mut world = World::new();
    let trader = world.by_hand(SUB, false, &[("Spot", &["SpotTrade"])]).key;
    let reader = world
        .by_hand(PARENT, true, &[("Wallet", &["AccountTransfer"])])
        .key;
    let named = Target::key(trader.clone());
    assert_eq!(
        reason(world.model.remove(&trader, &Target::default(), world.now)),
        Reason::Permission
    );
    assert_eq!(
        reason(world.model.remove(&reader, &named, world.now)),
        Reason::Permission
    );
    assert_eq!(
        reason(world.model.remove_own(&reader, world.now)),
        Reason::Permission
    );
}

#[test]
fn a_master_deletes_no_key_but_its_sub_accounts() {
    let mut world = World::new();
    let strangers = world
        .by_hand(STRANGERS_SUB, false, &[("Spot", &["SpotTrade"])])
        .key;
    let own = world.master.key.clone();
    for key in [strangers, own] {
        assert_eq!(reason(world.delete(&key)), Reason::NoSuchKey);
        assert!(world.model.key(&key).is_some_and(|key| key.alive(world.now)));
    }
}

#[test]
fn a_master_key_deletes_itself_and_a_sub_accounts_key_not_this_way() {
    let mut world = World::new();
    let sub = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]).key;
    assert_eq!(
        reason(world.model.remove_own(&sub, world.now)),
        Reason::MastersOnly
    );
    world
        .model
        .remove_own(&world.master.key, world.now)
        .expect("it may");
    assert_eq!(reason(world.try_key(&world.master)), Reason::InvalidKey);
}
