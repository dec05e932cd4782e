//! Tags say to people what the labels say to programs, and are never a reason to fail.

use std::collections::BTreeMap;

use sandbox::in_process::Fault;
use sandbox::secrets_manager::DescribeSecret;

use super::*;

fn tags(world: &World) -> BTreeMap<String, String> {
    let request = DescribeSecret {
        secret_id: world.secret().as_str().to_owned(),
    };
    let described = world
        .secrets_manager(|model, now| model.describe_secret(&request, now))
        .expect("the secret is there");
    described
        .summary
        .tags
        .into_iter()
        .map(|tag| (tag.key, tag.value))
        .collect()
}

#[test]
fn a_rotated_secret_is_tagged_and_what_a_person_wrote_stays() {
    let world = world();
    world.maintain();
    assert!(tags(&world).is_empty(), "nothing was rotated yet");
    tag(&world, "Environment", "blue");
    let token = world.rotate().expect("a rotation");
    world.maintain();
    let created_at = world.document(&token)["created_at"]
        .as_str()
        .expect("a date")
        .to_owned();
    let expected = [
        ("Environment", "blue"),
        ("LastRotated", &created_at),
        ("RotationEnabled", "true"),
        ("Service", "bybit"),
    ];
    assert_eq!(
        tags(&world),
        expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    );
}

#[test]
fn an_unwritable_tag_is_no_failure_and_is_written_by_the_next_pass() {
    for fault in [Fault::Denied, Fault::Dropped, Fault::Throttled, Fault::Refused] {
        let world = rotated_twice();
        tag(&world, "LastRotated", "long ago");
        world.plan(Operation::Tag, 1, fault);
        all_is_well(&world.maintain());
        assert_eq!(tags(&world)["LastRotated"], "long ago", "{fault:?}");
        all_is_well(&world.maintain());
        assert_ne!(tags(&world)["LastRotated"], "long ago", "{fault:?}");
    }
}
