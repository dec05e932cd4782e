use super::*;

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn queries_let_in(world: &mut World, key: &KeyId, tries: usize) -> usize {
    (0..tries)
        .filter(|_| world.model.inspect(key, world.now).is_ok())
        .count()
}

#[test]
fn one_key_a_second_is_created_for_a_parent() {
    let mut world = World::new();
    let master = world.master.key.clone();
    assert!(world.model.issue(&master, asking("1"), world.now).is_ok());
    world.wait(SignedDuration::from_millis(999));
    let outcome = world.model.issue(&master, asking("2"), world.now);
    assert_eq!(reason(outcome), Reason::RateLimit);
    world.wait(SignedDuration::from_millis(1));
    assert!(world.model.issue(&master, asking("2"), world.now).is_ok());
}

#[test]
fn other_endpoints_have_5_or_10_a_second() {
    for endpoint in [
        Endpoint::Edit,
        Endpoint::Remove,
        Endpoint::EditOwn,
        Endpoint::RemoveOwn,
    ] {
        assert_eq!((PROFILE.limit)(endpoint).calls, 5);
    }
    let mut world = World::new();
    let master = world.master.key.clone();
    assert_eq!(queries_let_in(&mut world, &master, 15), 10);
    let request = Target::key(KeyId::from("nobody"));
    let reasons: Vec<Reason> = (0..6)
        .map(|_| reason(world.model.remove(&master, &request, world.now)))
        .collect();
    assert_eq!(
        (&reasons[..5], reasons[5]),
        (&[Reason::NoSuchKey; 5][..], Reason::RateLimit),
        "refused calls count too"
    );
}

#[test]
fn the_window_rolls() {
    let mut world = World::new();
    let master = world.master.key.clone();
    assert_eq!(queries_let_in(&mut world, &master, 6), 6);
    world.wait(SignedDuration::from_millis(600));
    assert_eq!(queries_let_in(&mut world, &master, 6), 4);
    world.wait(SignedDuration::from_millis(400));
    assert_eq!(queries_let_in(&mut world, &master, 12), 6);
}

#[test]
fn a_limit_belongs_to_the_account_and_the_endpoint() {
    let mut world = World::new();
    let master = world.master.key.clone();
    let second = world
        .model
        .add_master_key(PARENT, Ips::Any, world.now)
        .expect("the parent is there");
    let sub = world.by_hand(SUB, false, &[("Spot", &["SpotTrade"])]);
    assert_eq!(queries_let_in(&mut world, &master, 10), 10);
    assert_eq!(queries_let_in(&mut world, &second.key, 1), 0);
    assert_eq!(queries_let_in(&mut world, &sub.key, 1), 1);
    assert_eq!(world.list(), [sub.key]);
}

#[test]
fn the_headers_figures_tell_what_is_left_and_when_it_resets() {
    let mut world = World::new();
    let master = world.master.key.clone();
    let rate = |world: &World| {
        world
            .model
            .rate(&master, Endpoint::Issue, world.now)
            .expect("the key exists")
    };
    assert_eq!(
        rate(&world),
        Rate {
            limit: 1,
            left: 1,
            resets_at: world.now
        }
    );
    world
        .model
        .issue(&master, asking("1"), world.now)
        .expect("the master may create");
    let resets_at = world.now + SECOND;
    world.wait(SignedDuration::from_millis(300));
    assert_eq!(
        rate(&world),
        Rate {
            limit: 1,
            left: 0,
            resets_at
        }
    );
}

#[test]
fn limits_can_be_switched_off() {
    let mut world = World::with(Knobs {
        rate_limits: false,
        ..Knobs::default()
    });
    let master = world.master.key.clone();
    assert_eq!(queries_let_in(&mut world, &master, 50), 50);
}

#[test]
fn a_clock_set_back_locks_nobody_out() {
    let mut world = World::new();
    let master = world.master.key.clone();
    assert_eq!(queries_let_in(&mut world, &master, 10), 10);
    world.wait(-10 * SECOND);
    assert_eq!(queries_let_in(&mut world, &master, 1), 1);
}
