//! How many round trips of a rotation come one after the other: the same rotation over two networks, one
//! slower than the other.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::peer::{Peer, Peers};
use super::process::{Process, milliseconds, world};
use super::series::{Series, figure};
use super::table::table;
use crate::function::Environment;

/// How much longer a round trip takes on the faster network and on the slower.
const DELAYS: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(70)];
const ROUNDS: usize = 3;

pub(super) async fn measure(peers: &Peers) -> Result<String, Box<dyn Error>> {
    let mut rows = Vec::new();
    for peer in peers.rotating() {
        let mut depths: Vec<Series> = vec![Series::default(); 5];
        for _ in 0..ROUNDS {
            let faster = steps_over(peer, DELAYS[0]).await?;
            let slower = steps_over(peer, DELAYS[1]).await?;
            let between = milliseconds(DELAYS[1].saturating_sub(DELAYS[0]));
            let depth: Vec<f64> = faster
                .iter()
                .zip(slower)
                .map(|(faster, slower)| (slower - faster) / between)
                .collect();
            depths
                .iter_mut()
                .zip(&depth)
                .for_each(|(all, now)| all.push(*now));
            depths[4].push(depth.iter().sum());
        }
        let [create, set, test, finish, all] = &depths[..] else {
            continue;
        };
        let cells = [create, set, test, finish, all].map(|series| figure(series.median()));
        let [create, set, test, finish, all] = cells;
        rows.push([peer.name.clone(), all, create, set, test, finish]);
    }
    let say = "Round trips one after the other, to Secrets Manager and Bybit, as the time that a warm step \
               takes longer where every answer comes later, over how much later it comes.";
    let head = [
        "",
        "rotation",
        "createSecret",
        "setSecret",
        "testSecret",
        "finishSecret",
    ];
    Ok(table("Serial depth", say, &head, &rows))
}

/// The steps of a rotation, in milliseconds, in a process whose connections are open.
async fn steps_over(peer: &Peer, delay: Duration) -> Result<Vec<f64>, Box<dyn Error>> {
    let local = world().await?;
    let network = Network::start([local.secrets_manager_address, local.venue_address], delay).await?;
    let [secrets_manager, venue] = network.addresses;
    let process = Process::start(
        peer,
        &peer.seeing(Environment::local(
            secrets_manager,
            local.stand_in.base_url,
            venue,
        )),
    )
    .await?;
    process.rotation(&local).await?;
    let steps = process.rotation(&local).await?;
    process.end().await;
    Ok(steps.into_iter().map(|step| step.took).collect())
}

/// A network to both stand-ins, with a delay on what is sent to them.
struct Network {
    addresses: [SocketAddr; 2],
    _servers: JoinSet<()>,
}

impl Network {
    async fn start(services: [SocketAddr; 2], delay: Duration) -> io::Result<Self> {
        let mut servers = JoinSet::new();
        let mut addresses = services;
        for address in &mut addresses {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let service = std::mem::replace(address, listener.local_addr()?);
            servers.spawn(serve(listener, service, delay));
        }
        Ok(Self {
            addresses,
            _servers: servers,
        })
    }
}

async fn serve(listener: TcpListener, service: SocketAddr, delay: Duration) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(async move {
            // A connection that fails is closed, which is all that either end has to know.
            let _ = carry(client, service, delay).await;
        });
    }
}

async fn carry(client: TcpStream, service: SocketAddr, delay: Duration) -> io::Result<()> {
    let server = TcpStream::connect(service).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (on_the_way, mut arriving) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let there = async move {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from_client.read(&mut buffer).await?;
            let piece = (Instant::now() + delay, buffer[..read].to_vec());
            if read == 0 || on_the_way.send(piece).is_err() {
                return Ok::<_, io::Error>(());
            }
        }
    };
    let arrival = async move {
        while let Some((at, bytes)) = arriving.recv().await {
            tokio::time::sleep_until(at).await;
            to_server.write_all(&bytes).await?;
        }
        to_server.shutdown().await
    };
    let back = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::try_join!(there, arrival, back).map(drop)
}
