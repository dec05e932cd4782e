//! A small world on this machine: the stand-ins on loopback ports, and in them a key made by hand, its
//! master, and their secrets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::bybit::{Bybit, PROFILE};
use crate::clock::SandboxClock;
use crate::function::{Environment, LAMBDA_ARN};
use crate::secrets_manager::{self, RotateSecret, RotationRules, RotationSeed, SecretValue, Seed};
use crate::venue::{self, Credential, Environment as Site, Ips, Permissions, Settings, Uid};

/// The parent account at the Bybit stand-in.
pub const PARENT: Uid = 53_880_000;
/// The sub-account whose key is rotated.
pub const SUB_ACCOUNT: Uid = 53_888_000;
/// The secret to rotate.
pub const SECRET: &str = "prod/bybit/main";
/// The master credential's secret.
pub const MASTER_SECRET: &str = "prod/bybit/master";
/// A secret with an open rotation of the token that the files in `events/` name.
pub const EVENTS_SECRET: &str = "prod/bybit/events";
/// That token.
pub const EVENTS_TOKEN: &str = "e4e475f0-0000-4000-8000-000000000001";

/// Where the function and its clients are seen to come from.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Where a trading desk's bot would come from.
const DESK: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// The running stand-ins; they end when this is dropped.
#[derive(Debug)]
pub struct Local {
    /// Secrets Manager.
    pub secrets_manager: secrets_manager::Service,
    /// Bybit.
    pub venue: venue::Service,
    /// What time it is for both.
    pub clock: SandboxClock,
    /// The master credential.
    pub master: Credential,
    /// The key made by hand that [`SECRET`] holds.
    pub hand_made: Credential,
    /// Where Secrets Manager listens.
    pub secrets_manager_address: SocketAddr,
    /// Where Bybit listens.
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
    pub async fn start(secrets_manager_port: u16, bybit_port: u16) -> Result<Self, StartError> {
        let clock = SandboxClock::default();
        let now = clock.now();
        // Keys and secrets have been there for a while.
        let then = now - SignedDuration::from_hours(30 * 24);
        let mut model = venue::Model::new(1, &PROFILE, venue::Knobs::default());
        let seeded =
            seed_venue(&mut model, then).map_err(|_| StartError::Seed("an account is missing".into()))?;
        let (master, hand_made, for_events) = seeded;
        let mut store = secrets_manager::Model::new(1, secrets_manager::Knobs::default());
        seed_secrets(&mut store, &master, &hand_made, &for_events, then)
            .map_err(|error| StartError::Seed(error.to_string()))?;

        open_rotation_for_events(&mut store, now).map_err(|error| StartError::Seed(error.to_string()))?;

        let (store_listener, secrets_manager_address) = listen(secrets_manager_port).await?;
        let (venue_listener, venue_address) = listen(bybit_port).await?;
        let secrets_manager = secrets_manager::Service::new(store, clock.clone());
        let venue = venue::Service::new(&Bybit, model, clock.clone());
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
            clock,
            master,
            hand_made,
            secrets_manager_address,
            venue_address,
            _servers: servers,
        })
    }

    /// What the function's process needs to know of this world.
    pub fn environment(&self) -> Environment {
        Environment::local(self.secrets_manager_address, self.venue_address)
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

/// The master key, the key of [`SECRET`], and the key of [`EVENTS_SECRET`].
fn seed_venue(
    venue: &mut venue::Model,
    now: Timestamp,
) -> Result<(Credential, Credential, Credential), venue::NoSuch> {
    venue.add_parent_account(PARENT, Site::Mainnet);
    let master = venue.add_master_key(PARENT, Ips::only([LOOPBACK]), now)?;
    let mut sub_account = |uid, addresses: &[IpAddr]| {
        venue.add_sub_account(PARENT, uid)?;
        let settings = Settings {
            note: "made by hand".into(),
            read_only: false,
            ips: Ips::only(addresses.iter().copied()),
            permissions: Permissions::of(&[
                ("ContractTrade", &["Order", "Position"]),
                ("Spot", &["SpotTrade"]),
            ]),
        };
        venue.create_key_by_hand(uid, settings, now)
    };
    let hand_made = sub_account(SUB_ACCOUNT, &[LOOPBACK, DESK])?;
    let for_events = sub_account(SUB_ACCOUNT + 1, &[LOOPBACK])?;
    Ok((master, hand_made, for_events))
}

fn seed_secrets(
    store: &mut secrets_manager::Model,
    master: &Credential,
    hand_made: &Credential,
    for_events: &Credential,
    now: Timestamp,
) -> Result<(), secrets_manager::Error> {
    let seed = |name: &str, value: &Value, rotation: Option<RotationSeed>| Seed {
        name: name.into(),
        value: Some(SecretValue::from_text(value.to_string())),
        version_id: None,
        tags: Vec::new(),
        rotation,
    };
    let master_value = json!({
        "exchange": "bybit", "environment": "mainnet",
        "api_key": master.key.as_str(), "api_secret": master.secret.expose(),
        "serves": {
            "prod/bybit/*": {
                "accounts": [SUB_ACCOUNT.to_string()],
                "permissions": ["derivatives", "read", "spot"], "ip_allowlist": ["203.0.113.0/24"],
            },
            EVENTS_SECRET: {"accounts": [(SUB_ACCOUNT + 1).to_string()]},
        },
    });
    let master_arn = store.seed(seed(MASTER_SECRET, &master_value, None), now)?;
    let document = |credential: &Credential, uid: Uid| {
        json!({
            "exchange": "bybit", "environment": "mainnet",
            "api_key": credential.key.as_str(), "api_secret": credential.secret.expose(),
            "subaccount": uid.to_string(), "masterarn": master_arn, "rotation_schedule": "90_days",
            "desk": {"name": "market making", "limits": [1.50, 2]},
        })
    };
    let rules = RotationRules {
        automatically_after_days: Some(90),
        ..RotationRules::default()
    };
    let ours = RotationSeed {
        lambda_arn: Some(LAMBDA_ARN.into()),
        rules: Some(rules),
    };
    store.seed(seed(SECRET, &document(hand_made, SUB_ACCOUNT), Some(ours)), now)?;
    // cargo-lambda invokes by the ARN "function-arn": this secret names no function that it would have to be.
    let anyones = RotationSeed {
        lambda_arn: None,
        rules: None,
    };
    store.seed(
        seed(
            EVENTS_SECRET,
            &document(for_events, SUB_ACCOUNT + 1),
            Some(anyones),
        ),
        now,
    )?;
    Ok(())
}

fn open_rotation_for_events(
    store: &mut secrets_manager::Model,
    now: Timestamp,
) -> Result<(), secrets_manager::Error> {
    let open = RotateSecret {
        secret_id: EVENTS_SECRET.into(),
        client_request_token: Some(EVENTS_TOKEN.into()),
        ..RotateSecret::default()
    };
    store.rotate_secret(&open, now)?;
    Ok(())
}
