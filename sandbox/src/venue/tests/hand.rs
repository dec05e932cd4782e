use super::*;

#[test]
fn the_truth_knows_every_key_that_ever_was_oldest_first() {
    let mut world = World::new();
    let first = world.created("1").credential.key;
    let second = world.by_hand(SUB, true, &[("Teleport", &["Beam"])]).key;
    world.delete(&first).expect("the master may delete");
    world
        .model
        .delete_key_by_hand(&second, world.now)
        .expect("it is there");
    let keys = world.model.keys();
    let by = |by: &By| by.to_string();
    let told: Vec<_> = keys
        .iter()
        .map(|key| {
            (
                key.key.clone(),
                key.uid,
                by(&key.created_by),
                key.deleted.as_ref().map(|(_, who)| by(who)),
            )
        })
        .collect();
    let master = world.master.key.clone();
    assert_eq!(
        told,
        [
            (master.clone(), PARENT, "hand".to_owned(), None),
            (first, SUB, master.to_string(), Some(master.to_string())),
            (second, SUB, "hand".to_owned(), Some("hand".to_owned())),
        ]
    );
    assert_eq!(
        keys.iter().map(|key| key.alive(world.now)).collect::<Vec<_>>(),
        [true, false, false]
    );
}

#[test]
fn what_is_not_there_cannot_be_changed_by_hand() {
    let mut world = World::new();
    let key = world.created("1").credential.key;
    let settings = world.settings(&key);
    world
        .model
        .delete_key_by_hand(&key, world.now)
        .expect("it is there");
    assert_eq!(world.model.delete_key_by_hand(&key, world.now), Err(NoSuch));
    assert_eq!(
        world.model.edit_key_by_hand(&key, settings.clone(), world.now),
        Err(NoSuch)
    );
    assert_eq!(
        world.model.create_key_by_hand(1, settings, world.now),
        Err(NoSuch)
    );
    assert_eq!(world.model.add_sub_account(1, 2), Err(NoSuch));
    assert_eq!(world.model.ban(1, true), Err(NoSuch));
}

#[test]
fn a_hand_may_grant_what_the_api_does_not_know() {
    let mut world = World::new();
    let key = world.created("1").credential.key;
    let permissions = Permissions::of(&[("Teleport", &["Beam"]), ("Wallet", &["Withdraw"])]);
    let settings = Settings {
        permissions: permissions.clone(),
        ..world.settings(&key)
    };
    world
        .model
        .edit_key_by_hand(&key, settings, world.now)
        .expect("it is there");
    let own = world.model.inspect(&key, world.now).expect("any key may ask");
    assert_eq!(own.key.settings.permissions, permissions);
}

#[test]
fn worlds_of_one_seed_and_history_are_equal_and_a_fork_goes_its_own_way() {
    let history = |world: &mut World| (world.created("1").credential, world.created("2").credential);
    let (mut one, mut other) = (World::new(), World::new());
    assert_eq!(history(&mut one), history(&mut other));
    assert_eq!(one.model.keys(), other.model.keys());

    let fork = one.model.clone();
    one.created("3");
    assert_eq!(fork.keys(), other.model.keys());
}
