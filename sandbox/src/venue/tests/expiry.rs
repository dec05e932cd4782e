use super::*;

fn own(world: &mut World, key: &KeyId) -> ListedKey {
    world.wait(SignedDuration::from_secs(1));
    world.model.inspect(key, world.now).expect("any key may ask").key
}

#[test]
fn an_unbound_key_expires_after_90_days() {
    let mut world = World::new();
    let created = world.created("x");
    world.wait(90 * DAY - SignedDuration::from_secs(1));
    assert!(world.try_key(&created.credential).is_ok());
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(reason(world.try_key(&created.credential)), Reason::Expired);
    assert!(
        !world
            .model
            .key(&created.credential.key)
            .expect("no key is forgotten")
            .alive(world.now)
    );
}

#[test]
fn a_bound_key_does_not_expire_and_says_so() {
    let mut world = World::new();
    let request = IssueRequest {
        addresses: at(&["203.0.113.7"]),
        ..asking("x")
    };
    let created = world.create(request).expect("the master may create");
    world.wait(400 * DAY);
    assert!(world.try_key(&created.credential).is_ok());
    let key = own(&mut world, &created.credential.key);
    assert_eq!(key.expires_at, None);
}

#[test]
fn an_unbound_key_is_told_when_it_expires() {
    let mut world = World::new();
    let created = world.created("x");
    let issued_at = world.now;
    let key = own(&mut world, &created.credential.key);
    assert_eq!(key.expires_at, Some(issued_at + 90 * DAY));
}

#[test]
fn an_expired_key_stays_on_the_list_as_such() {
    let mut world = World::new();
    let key = world.created("x").credential.key;
    world.wait(91 * DAY);
    let request = ListRequest {
        account: SUB,
        ..ListRequest::default()
    };
    let page = world
        .model
        .list(&world.master.key, &request, world.now)
        .expect("the model trusts its caller");
    assert_eq!(
        page.keys
            .iter()
            .map(|key| (&key.key, key.expired(world.now)))
            .collect::<Vec<_>>(),
        [(&key, true)]
    );
}

#[test]
fn a_new_password_leaves_unbound_keys_7_days() {
    let mut world = World::new();
    let unbound = world.created("unbound").credential;
    let request = IssueRequest {
        addresses: at(&["203.0.113.7"]),
        ..asking("bound")
    };
    let bound = world.create(request).expect("the master may create").credential;
    world.wait(DAY);
    world
        .model
        .change_password(SUB, world.now)
        .expect("the sub-account is there");
    let later = world.created("later").credential;
    world.wait(7 * DAY);
    assert_eq!(reason(world.try_key(&unbound)), Reason::Expired);
    assert!(world.try_key(&bound).is_ok());
    assert!(
        world.try_key(&later).is_ok(),
        "a key issued after the change is not concerned"
    );
}

#[test]
fn a_new_password_gives_no_key_more_time_than_it_had() {
    let mut world = World::new();
    let created = world.created("x").credential;
    world.wait(88 * DAY);
    world
        .model
        .change_password(SUB, world.now)
        .expect("the sub-account is there");
    world.wait(2 * DAY);
    assert_eq!(reason(world.try_key(&created)), Reason::Expired);
}

#[test]
fn the_90_days_start_when_a_key_is_unbound_and_not_anew_with_every_edit() {
    let mut world = World::new();
    let request = IssueRequest {
        addresses: at(&["203.0.113.7"]),
        ..asking("x")
    };
    let created = world.create(request).expect("the master may create").credential;
    world.wait(80 * DAY);
    let (unbind, target) = (Changes::default(), Target::key(created.key.clone()));
    world
        .model
        .edit(&world.master.key, &target, &unbind, world.now)
        .expect("the model trusts its caller");
    let unbound_at = world.now;
    world.wait(80 * DAY);
    assert!(world.try_key(&created).is_ok());
    world
        .model
        .edit(&world.master.key, &target, &unbind, world.now)
        .expect("the model trusts its caller");
    let expires_at = world.model.key(&created.key).expect("it is there").expires_at;
    assert_eq!(expires_at, Some(unbound_at + 90 * DAY));
}

#[test]
fn saving_an_unbound_key_by_hand_gives_it_90_more_days() {
    let mut world = World::new();
    let created = world.created("x").credential;
    world.wait(80 * DAY);
    let settings = world.settings(&created.key);
    world
        .model
        .edit_key_by_hand(&created.key, settings, world.now)
        .expect("it is there");
    let expires_at = world.model.key(&created.key).expect("it is there").expires_at;
    assert_eq!(expires_at, Some(world.now + 90 * DAY));
}
