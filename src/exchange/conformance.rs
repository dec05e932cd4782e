//! Every exchange's module, over HTTP to its stand-in, keeps the promises of the port.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Context;
use protocol::ports::Venues;
use sandbox::clock::SandboxClock;
use sandbox::conformance::{Subject, promises_of};
use sandbox::in_process::kind::VenueKind;
use sandbox::local::StandIn;
use sandbox::venue::{self, Knobs, Model, Service};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{EXCHANGES, Exchanges, WithinInvocation};
use crate::config::Config;
use crate::time::InvocationTime;

/// An exchange's module, and the stand-in that it calls.
struct OverHttp {
    stand_in: &'static StandIn,
    service: Service,
    venues: WithinInvocation,
    _server: JoinSet<()>,
}

impl OverHttp {
    async fn start(stand_in: &'static StandIn) -> Self {
        let model = Model::new(1, stand_in.profile, Knobs::default());
        let service = Service::new(stand_in.front, model, SandboxClock::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(venue::serve(listener, service.clone()));
        let var = |name: &str| (name == stand_in.base_url).then(|| format!("http://{address}"));
        let config = Config::from_env(var).unwrap();
        let exchanges = Exchanges::new(&config, crate::tls::config().unwrap()).unwrap();
        let mut context = Context::default();
        let ends = Timestamp::now() + SignedDuration::from_mins(15);
        context.deadline = u64::try_from(ends.as_millisecond()).unwrap();
        Self {
            stand_in,
            service,
            venues: exchanges.within(InvocationTime::of(&context, Timestamp::now())),
            _server: server,
        }
    }
}

impl Subject for OverHttp {
    fn kind(&self) -> &'static VenueKind {
        self.stand_in.kind
    }

    fn venues(&self) -> &dyn Venues {
        &self.venues
    }

    fn by_hand(&self, act: &mut dyn FnMut(&mut Model, Timestamp)) {
        act(&mut self.service.lock().model, self.service.clock().now());
    }

    fn address(&self) -> IpAddr {
        Ipv4Addr::LOCALHOST.into()
    }
}

#[tokio::test]
async fn every_exchange_keeps_every_promise() {
    let mut checks = Vec::new();
    for exchange in EXCHANGES {
        let stand_in = StandIn::of(exchange.name).expect("every exchange has a stand-in");
        for promise in promises_of(stand_in.kind) {
            checks.push(async move {
                let subject = OverHttp::start(stand_in).await;
                let broken = promise.check(&subject).await.err();
                broken.map(|how| format!("{}: {}: {how}", exchange.name, promise.name))
            });
        }
    }
    let broken: Vec<String> = join_all(checks).await.into_iter().flatten().collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
