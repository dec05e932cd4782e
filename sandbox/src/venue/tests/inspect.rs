use super::*;

fn page(world: &mut World, limit: usize, cursor: &str) -> KeyPage {
    let request = ListRequest {
        account: SUB,
        limit: Some(limit),
        cursor: Some(cursor.to_owned()),
    };
    world.wait(SignedDuration::from_secs(1));
    world
        .model
        .list(&world.master.key, &request, world.now)
        .expect("the master may list")
}

#[test]
fn a_key_is_told_about_itself_whatever_it_may_do() {
    let mut world = World::new();
    let created = world
        .create(IssueRequest {
            read_only: true,
            ..asking("rot-1")
        })
        .expect("the master may create");
    let own = world
        .model
        .inspect(&created.credential.key, world.now)
        .expect("any key may ask");
    assert_eq!((own.uid, own.parent, own.unified), (SUB, Some(PARENT), true));
    assert_eq!(own.key.settings.note, "rot-1");
    assert!(own.key.settings.read_only);

    let own = world
        .model
        .inspect(&world.master.key, world.now)
        .expect("any key may ask");
    assert_eq!((own.uid, own.parent), (PARENT, None));
}

#[test]
fn a_listing_shows_the_living_keys_of_one_sub_account_oldest_first() {
    let mut world = World::new();
    let (first, second, third) = (world.created("1"), world.created("2"), world.created("3"));
    world
        .create(IssueRequest {
            account: OTHER_SUB,
            ..asking("other")
        })
        .expect("the master may create");
    world
        .delete(&second.credential.key)
        .expect("the master may delete");
    assert_eq!(world.list(), [first.credential.key, third.credential.key]);
}

#[test]
fn only_master_keys_list_and_only_their_own_sub_accounts() {
    let mut world = World::new();
    let sub = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]);
    let request = ListRequest {
        account: SUB,
        ..ListRequest::default()
    };
    assert_eq!(
        reason(world.model.list(&sub.key, &request, world.now)),
        Reason::MastersOnly
    );
    let request = ListRequest {
        account: STRANGERS_SUB,
        ..ListRequest::default()
    };
    assert_eq!(
        reason(world.model.list(&world.master.key, &request, world.now)),
        Reason::NoSuchAccount
    );
}

#[test]
fn a_master_key_lists_with_any_permission_even_read_only() {
    let mut world = World::new();
    world.created("1");
    let reader = world.by_hand(PARENT, true, &[("Spot", &["SpotTrade"])]);
    let request = ListRequest {
        account: SUB,
        ..ListRequest::default()
    };
    assert_eq!(
        world
            .model
            .list(&reader.key, &request, world.now)
            .expect("it may read")
            .keys
            .len(),
        1
    );
}

#[test]
fn pages_follow_one_another_and_the_last_one_has_no_cursor() {
    let mut world = World::new();
    let all: Vec<KeyId> = (0..5)
        .map(|n| world.created(&n.to_string()).credential.key)
        .collect();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for expected in [2, 2, 1] {
        let page = page(&mut world, 2, &cursor);
        assert_eq!(page.keys.len(), expected);
        seen.extend(page.keys.into_iter().map(|key| key.key));
        cursor = page.next_page_cursor;
    }
    assert_eq!((seen, cursor.as_str()), (all, ""));
    assert_eq!(
        page(&mut world, 5, "").next_page_cursor,
        "",
        "a full last page has none either"
    );
}

#[test]
fn a_key_deleted_between_two_pages_hides_no_other() {
    let mut world = World::new();
    let keys: Vec<KeyId> = (0..4)
        .map(|n| world.created(&n.to_string()).credential.key)
        .collect();
    let first = page(&mut world, 2, "");
    world.delete(&keys[0]).expect("the master may delete");
    let second = page(&mut world, 2, &first.next_page_cursor);
    assert_eq!(
        second.keys.into_iter().map(|key| key.key).collect::<Vec<_>>(),
        keys[2..]
    );
}

#[test]
fn a_page_has_1_to_20_keys_and_20_by_default() {
    let mut world = World::with(Knobs {
        max_keys: Some(30),
        ..Knobs::default()
    });
    for n in 0..21 {
        world.created(&n.to_string());
    }
    assert_eq!(world.list().len(), 20);
    for limit in [0, 21] {
        let request = ListRequest {
            account: SUB,
            limit: Some(limit),
            cursor: None,
        };
        assert_eq!(
            reason(world.model.list(&world.master.key, &request, world.now)),
            Reason::Parameter
        );
    }
}

#[test]
fn a_cursor_of_somebody_elses_is_refused() {
    let mut world = World::new();
    let request = ListRequest {
        account: SUB,
        limit: None,
        cursor: Some("page2".to_owned()),
    };
    assert_eq!(
        reason(world.model.list(&world.master.key, &request, world.now)),
        Reason::Parameter
    );
}
