//! The adapter of the simulation keeps the promises of the port, as every kind of venue. The function's own
//! modules are held to the same list in `src/exchange/conformance.rs`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::net::IpAddr;

use jiff::Timestamp;
use protocol::ports::Venues;
use sandbox::conformance::{Subject, promises_of};
use sandbox::in_process::kind::{KINDS, VenueKind};
use sandbox::in_process::{FUNCTION_ADDRESS, InProcessVenues, Setup, World};
use sandbox::venue::Model;

struct InProcess {
    world: World,
    venues: InProcessVenues,
}

impl InProcess {
    fn new(kind: &'static VenueKind) -> Self {
        let world = World::with(Setup::at(kind));
        let venues = world.venues();
        Self { world, venues }
    }
}

impl Subject for InProcess {
    fn kind(&self) -> &'static VenueKind {
        self.world.kind()
    }

    fn venues(&self) -> &dyn Venues {
        &self.venues
    }

    fn by_hand(&self, act: &mut dyn FnMut(&mut Model, Timestamp)) {
        self.world.venue(act);
    }

    fn address(&self) -> IpAddr {
        FUNCTION_ADDRESS
    }
}

#[tokio::test]
async fn every_kind_of_venue_keeps_every_promise() {
    let mut broken = Vec::new();
    for kind in KINDS {
        for promise in promises_of(kind) {
            if let Err(how) = promise.check(&InProcess::new(kind)).await {
                broken.push(format!("{}: {}: {how}", kind.name, promise.name));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
