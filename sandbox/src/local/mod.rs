//! A small world on this machine: the stand-ins on loopback ports, and in them a key made by hand, its
//! master, and their secrets.

mod seed;
mod venues;

use std::io;
use std::net::SocketAddr;

use jiff::SignedDuration;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use self::venues::{StandIn, Venue};
use crate::clock::SandboxClock;
use crate::function::Environment;
use crate::secrets_manager;
use crate::venue::{self, Credential, Uid};

/// The parent account.
pub const PARENT: Uid = 53_880_000;
/// The sub-account whose key is rotated.
pub const SUB_ACCOUNT: Uid = 53_888_000;
/// The secret to rotate, of Bybit.
pub const SECRET: &str = "prod/bybit/main";
/// The master credential's secret, of Bybit.
pub const MASTER_SECRET: &str = "prod/bybit/master";
/// A secret with an open rotation of the token that the files in `events/` name, of Bybit.
pub const EVENTS_SECRET: &str = "prod/bybit/events";
/// That token.
pub const EVENTS_TOKEN: &str = "e4e475f0-0000-4000-8000-000000000001";

/// The running stand-ins; they end when this is dropped.
#[derive(Debug)]
pub struct Local {
    /// Secrets Manager.
    pub secrets_manager: secrets_manager::Service,
    /// The venue.
    pub venue: venue::Service,
    /// Which one it is.
    pub stand_in: &'static StandIn,
    /// What time it is for both.
    pub clock: SandboxClock,
    /// The master credential.
    pub master: Credential,
    /// A master key that is bound to no address, at a venue where such a key manages no others.
    pub unbound_master: Option<Credential>,
    /// The key made by hand that the secret to rotate holds.
    pub hand_made: Credential,
    /// Where Secrets Manager listens.
    pub secrets_manager_address: SocketAddr,
    /// Where the venue listens.
    pub venue_address: SocketAddr,
    _servers: JoinSet<()>,
}

/// The stand-ins could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// A port could not be had.
    #[error("the address {0} cannot be listened on: {1}")]
    Port(SocketAddr, io::Error),
    /// The models refused what was to be put into them.
    #[error("the stand-ins could not be filled: {0}")]
    Seed(String),
}

impl Local {
    /// Starts both stand-ins, on these ports of the loopback interface; 0 takes any that is free.
    pub async fn start(venue: Venue, secrets_manager_port: u16, venue_port: u16) -> Result<Self, StartError> {
        let stand_in = venue.stand_in();
        let clock = SandboxClock::default();
        let now = clock.now();
        // Keys and secrets have been there for a while.
        let then = now - SignedDuration::from_hours(30 * 24);
        let mut model = venue::Model::new(1, stand_in.profile, venue::Knobs::default());
        let keys = seed::venue(stand_in, &mut model, then)
            .map_err(|_| StartError::Seed("an account is missing".into()))?;
        let mut store = secrets_manager::Model::new(1, secrets_manager::Knobs::default());
        seed::secrets(stand_in, &mut store, &keys, then, now)
            .map_err(|error| StartError::Seed(error.to_string()))?;

        let (store_listener, secrets_manager_address) = listen(secrets_manager_port).await?;
        let (venue_listener, venue_address) = listen(venue_port).await?;
        let secrets_manager = secrets_manager::Service::new(store, clock.clone());
        let venue = venue::Service::new(stand_in.front, model, clock.clone());
        let mut servers = JoinSet::new();
        let (store_service, venue_service) = (secrets_manager.clone(), venue.clone());
        servers.spawn(async move {
            // It ends when the world does.
            let _ = secrets_manager::serve(store_listener, store_service).await;
        });
        servers.spawn(async move { venue::serve(venue_listener, venue_service).await });
        Ok(Self {
            secrets_manager,
            venue,
            stand_in,
            clock,
            master: keys.master,
            unbound_master: keys.unbound_master,
            hand_made: keys.hand_made,
            secrets_manager_address,
            venue_address,
            _servers: servers,
        })
    }

    /// What the function's process needs to know of this world.
    pub fn environment(&self) -> Environment {
        Environment::local(
            self.secrets_manager_address,
            self.stand_in.base_url,
            self.venue_address,
        )
    }

    /// The full ARN of a seeded secret.
    pub fn arn(&self, name: &str) -> String {
        let state = self.secrets_manager.lock();
        state
            .model
            .secret(name)
            .map(|secret| secret.arn().to_owned())
            .unwrap_or_default()
    }

    /// The parsed value of a version, by a label on it.
    pub fn value(&self, name: &str, label: &str) -> Option<Value> {
        let state = self.secrets_manager.lock();
        let secret = state.model.secret(name)?;
        let value = secret.versions().get(secret.holder(label)?)?.value()?;
        value.text().and_then(|text| serde_json::from_str(text).ok())
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let failed = |error| StartError::Port(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
