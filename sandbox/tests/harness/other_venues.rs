//! What the tests at venues of other ways have in common.

use protocol::label::VersionId;
use sandbox::in_process::{FUNCTION_ADDRESS, Operation, PARENT, Setup, World};
use sandbox::venue::Ips;

/// How often the current key, or the pending one, was asked since the calls were last taken.
pub(crate) fn times_asked(world: &World, whose: &str) -> usize {
    let asked = world.take_calls().into_iter().filter(|made| {
        made.call.operation == Operation::Inspect && made.call.about.starts_with(&format!("the {whose} key"))
    });
    asked.count()
}

/// A person makes a new master key, stores it, and deletes the old one.
pub(crate) fn another_master(world: &World) {
    let old = world.master_key().clone();
    let ips = Ips::only([FUNCTION_ADDRESS]);
    let new = world
        .venue(|model, now| model.add_master_key(PARENT, ips, now))
        .expect("the parent is there");
    let document = Setup::default().master_document.expect("a master");
    let value = world.filled_in(&document, &new, PARENT);
    let version = VersionId::new("another-master-key-stored-by-one-hand");
    world.put_value(&world.master(), &version, &value, &["AWSCURRENT"]);
    world.delete_key(&old);
}
