use super::*;

const DELAY: SignedDuration = SignedDuration::from_secs(30);
const MOMENT: SignedDuration = SignedDuration::from_secs(29);
const REST: SignedDuration = SignedDuration::from_secs(1);

#[test]
fn a_new_key_is_refused_until_it_is_known_for_the_reason_of_the_knob() {
    for why in [Reason::InvalidKey, Reason::NotLoggedIn] {
        let knobs = Knobs {
            new_key_delay: DELAY,
            new_key_reason: why,
            ..Knobs::default()
        };
        let mut world = World::with(knobs);
        let created = world.created("x");
        world.wait(MOMENT);
        assert_eq!(reason(world.try_key(&created.credential)), why);
        assert_eq!(
            world.list().first(),
            Some(&created.credential.key),
            "the list knows it at once"
        );
        world.wait(REST);
        assert!(world.try_key(&created.credential).is_ok());
    }
}

#[test]
fn a_deleted_key_works_on_until_the_deletion_is_known() {
    let mut world = World::with(Knobs {
        deletion_delay: DELAY,
        ..Knobs::default()
    });
    let created = world.created("x");
    world
        .delete(&created.credential.key)
        .expect("the master may delete");
    assert_eq!(world.list(), [], "the list knows it at once");
    assert!(
        !world
            .model
            .key(&created.credential.key)
            .expect("no key is forgotten")
            .alive(world.now)
    );
    world.wait(MOMENT);
    assert!(world.try_key(&created.credential).is_ok());
    world.wait(REST);
    assert_eq!(reason(world.try_key(&created.credential)), Reason::InvalidKey);
}

#[test]
fn an_edit_counts_and_shows_only_when_it_is_known() {
    let mut world = World::with(Knobs {
        edit_delay: DELAY,
        ..Knobs::default()
    });
    let created = world.created("x");
    let key = created.credential.key.clone();
    let request = Changes {
        addresses: Some(at(&["198.51.100.1"])),
        ..Changes::default()
    };
    world
        .model
        .edit(&world.master.key, &Target::key(key.clone()), &request, world.now)
        .expect("the master may edit");
    assert_eq!(
        world.settings(&key).ips.shown(),
        ["198.51.100.1"],
        "the truth is told at once"
    );
    world.wait(MOMENT);
    assert!(world.try_key(&created.credential).is_ok());
    assert!(
        world
            .model
            .inspect(&key, world.now)
            .expect("any key may ask")
            .key
            .settings
            .ips
            .is_any()
    );
    world.wait(REST);
    assert_eq!(reason(world.try_key(&created.credential)), Reason::Address);
    assert!(
        !world
            .model
            .inspect(&key, world.now)
            .expect("any key may ask")
            .key
            .settings
            .ips
            .is_any()
    );
}

#[test]
fn two_edits_in_a_row_come_into_force_one_after_the_other() {
    let mut world = World::with(Knobs {
        edit_delay: DELAY,
        ..Knobs::default()
    });
    let key = world.created("x").credential.key;
    for ips in ["198.51.100.1", "198.51.100.2"] {
        let request = Changes {
            addresses: Some(at(&[ips])),
            ..Changes::default()
        };
        world
            .model
            .edit(&world.master.key, &Target::key(key.clone()), &request, world.now)
            .expect("the master may edit");
        world.wait(REST);
    }
    world.wait(SignedDuration::from_secs(28));
    let shown = |world: &mut World| {
        world
            .model
            .inspect(&key, world.now)
            .expect("any may")
            .key
            .settings
            .ips
            .shown()
    };
    assert_eq!(shown(&mut world), ["198.51.100.1"]);
    world.wait(REST);
    assert_eq!(shown(&mut world), ["198.51.100.2"]);
}

#[test]
fn listings_lag_only_where_the_knob_says_so() {
    let knobs = Knobs {
        listings_lag: true,
        new_key_delay: DELAY,
        deletion_delay: DELAY,
        edit_delay: DELAY,
        ..Knobs::default()
    };
    let mut world = World::with(knobs);
    let key = world.created("x").credential.key;
    world.wait(MOMENT);
    assert_eq!(world.list(), []);
    world.wait(REST);
    assert_eq!(world.list().first(), Some(&key));
    world.delete(&key).expect("the master may delete");
    world.wait(MOMENT);
    assert_eq!(world.list(), [key]);
    world.wait(REST);
    assert_eq!(world.list(), []);
}
