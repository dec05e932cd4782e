//! A proxy between one process of the function and the stand-ins, where the n-th request of a rotation can go
//! wrong in every way that a network, a gateway or a machine has.
//!
//! It passes on what it reads byte for byte. The stand-ins' own [faults](crate::fault) are those of the
//! services.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::function::{Environment, Killer};
use crate::local::Local;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process that sent it is killed, and is gone before anything else happens.
    Killed(Effect),
    /// The connection is closed without an answer.
    Dropped(Effect),
    /// It takes effect, and the connection is closed in the middle of the answer's body.
    Truncated,
    /// The answer comes this much later. Without an effect on arrival the request itself is held back: it
    /// takes effect then, whatever has become of its sender.
    Delayed(Effect, Duration),
    /// Another answer comes in place of the service's.
    Replaced(Effect, Reply),
}

impl Fault {
    fn effect(self) -> Effect {
        match self {
            Self::Killed(effect)
            | Self::Dropped(effect)
            | Self::Delayed(effect, _)
            | Self::Replaced(effect, _) => effect,
            Self::Truncated => Effect::Done,
        }
    }
}

/// Whether the request takes effect before the fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is not passed on.
    None,
    /// The service has done it, and its answer is lost.
    Done,
}

/// What a gateway may say in place of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A page, with a status that says that all is well.
    Page,
    /// JSON that the service would never send, with a status that says that all is well.
    OtherJson,
    /// Bybit's envelope around nothing, which to Secrets Manager is other JSON too.
    EmptyEnvelope,
    /// Status 403.
    Forbidden,
    /// Status 429.
    TooMany,
    /// Status 500.
    ServerError,
    /// Status 502.
    BadGateway,
    /// Status 503.
    Unavailable,
}

impl Reply {
    fn message(self) -> Vec<u8> {
        let (status, content_type, body) = match self {
            Self::Page => (
                "200 OK",
                "text/html",
                "<html><body><h1>It works!</h1></body></html>",
            ),
            Self::OtherJson => ("200 OK", "application/json", r#"{"status":"ok","data":[]}"#),
            Self::EmptyEnvelope => (
                "200 OK",
                "application/json",
                r#"{"retCode":0,"retMsg":"OK","result":{},"time":1700000000000}"#,
            ),
            Self::Forbidden => (
                "403 Forbidden",
                "text/html",
                "<html><body><h1>403 Forbidden</h1></body></html>",
            ),
            Self::TooMany => (
                "429 Too Many Requests",
                "text/html",
                "<html><body><h1>429 Too Many Requests</h1></body></html>",
            ),
            Self::ServerError => (
                "500 Internal Server Error",
                "text/html",
                "<html><body><h1>500</h1></body></html>",
            ),
            Self::BadGateway => (
                "502 Bad Gateway",
                "text/html",
                "<html><body><h1>502 Bad Gateway</h1></body></html>",
            ),
            Self::Unavailable => (
                "503 Service Unavailable",
                "text/html",
                "<html><body><h1>503</h1></body></html>",
            ),
        };
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes()
    }
}

/// A running proxy, with a port for each service; it ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    secrets_manager: SocketAddr,
    venue: SocketAddr,
    base_url: &'static str,
    _servers: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    /// Which request of all, the first being 0, and what goes wrong with it.
    plan: Option<(usize, Fault)>,
    state: Mutex<State>,
    /// How many requests have come and are not yet done with.
    under_way: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    arrived: Vec<String>,
    victim: Option<Killer>,
}

impl Proxy {
    /// Starts a proxy to both stand-ins. Requests are counted over both, in the order in which they arrive.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(local: &Local, plan: Option<(usize, Fault)>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            plan,
            state: Mutex::default(),
            under_way: watch::Sender::new(0),
        });
        let mut servers = JoinSet::new();
        let mut addresses = [local.secrets_manager_address, local.venue_address];
        for address in &mut addresses {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let service = std::mem::replace(address, listener.local_addr()?);
            servers.spawn(serve(listener, service, Arc::clone(&shared)));
        }
        let [secrets_manager, venue] = addresses;
        Ok(Self {
            shared,
            secrets_manager,
            venue,
            base_url: local.stand_in.base_url,
            _servers: servers,
        })
    }

    /// What a process needs to know to call through this proxy.
    pub fn environment(&self) -> Environment {
        Environment::local(self.secrets_manager, self.base_url, self.venue)
    }

    /// Names the process that [`Fault::Killed`] kills.
    pub fn may_kill(&self, killer: Killer) {
        self.shared.lock().victim = Some(killer);
    }

    /// The operations of the requests that came, in the order of their arrival.
    pub fn arrived(&self) -> Vec<String> {
        self.shared.lock().arrived.clone()
    }

    /// Waits until nothing is held back any more.
    pub async fn at_rest(&self) {
        // The sender lives as long as this proxy does.
        let _ = self
            .shared
            .under_way
            .subscribe()
            .wait_for(|count| *count == 0)
            .await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with a request that has just come.
    fn fault_for(&self, request: &Message) -> Option<Fault> {
        let mut state = self.lock();
        let number = state.arrived.len();
        state.arrived.push(request.operation());
        self.plan.filter(|(at, _)| *at == number).map(|(_, fault)| fault)
    }
}

/// Counts a request for as long as it is under way.
struct UnderWay<'a>(&'a watch::Sender<usize>);

impl<'a> UnderWay<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

async fn serve(listener: TcpListener, service: SocketAddr, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A connection that fails is closed, which is all that either end has to know.
            let _ = converse(client, service, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Passes one connection's requests on until it is closed.
async fn converse(client: TcpStream, service: SocketAddr, shared: &Shared) -> io::Result<()> {
    let mut client = BufReader::new(client);
    while let Some(request) = Message::read(&mut client).await? {
        let _under_way = UnderWay::new(&shared.under_way);
        let answer = match shared.fault_for(&request) {
            None => request.pass_on(service).await?,
            Some(fault) => match answer_by(fault, &request, service, shared).await? {
                Some(answer) => answer,
                None => return Ok(()),
            },
        };
        client.write_all(&answer.0).await?;
        if !answer.is_whole() {
            return Ok(());
        }
    }
    Ok(())
}

/// What the sender of a request sees; nothing where the connection is closed.
async fn answer_by(
    fault: Fault,
    request: &Message,
    service: SocketAddr,
    shared: &Shared,
) -> io::Result<Option<Message>> {
    let answer = match fault.effect() {
        Effect::Done => Some(request.pass_on(service).await?),
        Effect::None => None,
    };
    match fault {
        Fault::Dropped(_) => Ok(None),
        Fault::Killed(_) => {
            let victim = shared.lock().victim.clone();
            if let Some(victim) = victim {
                victim.kill().await;
            }
            Ok(None)
        }
        Fault::Truncated => Ok(answer.map(Message::first_half)),
        Fault::Replaced(_, reply) => Ok(Some(Message(reply.message()))),
        Fault::Delayed(_, by) => {
            tokio::time::sleep(by).await;
            match answer {
                Some(answer) => Ok(Some(answer)),
                None => request.pass_on(service).await.map(Some),
            }
        }
    }
}

/// A request or an answer in full. Both ends here tell the length of every body.
struct Message(Vec<u8>);

impl Message {
    /// Nothing where the other end has no more to say.
    async fn read(stream: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if stream.read_until(b'\n', &mut bytes).await? == 0 {
                return Ok(None);
            }
        }
        let mut message = Self(bytes);
        let head = message.0.len();
        message.0.resize(head + message.body_length(), 0);
        stream.read_exact(&mut message.0[head..]).await?;
        Ok(Some(message))
    }

    /// Sends the request to the service, and reads its answer.
    async fn pass_on(&self, service: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(service).await?;
        stream.write_all(&self.0).await?;
        let answer = Self::read(&mut BufReader::new(stream)).await?;
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn head(&self) -> &[u8] {
        let end = self
            .0
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .map_or(self.0.len(), |at| at + 4);
        &self.0[..end]
    }

    fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(self.head());
        let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    }

    fn body_length(&self) -> usize {
        self.header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0)
    }

    fn is_whole(&self) -> bool {
        self.0.len() == self.head().len() + self.body_length()
    }

    fn first_half(mut self) -> Self {
        let half = self.head().len() + self.body_length() / 2;
        self.0.truncate(half);
        self
    }

    /// What it asks for: Secrets Manager's operation, or the method and the path.
    fn operation(&self) -> String {
        let target = self.header("x-amz-target");
        if let Some((_, operation)) = target.as_deref().and_then(|target| target.split_once('.')) {
            return operation.to_owned();
        }
        let head = String::from_utf8_lossy(self.head());
        let line = head.lines().next().unwrap_or_default();
        line.split(['?', ' ']).take(2).collect::<Vec<_>>().join(" ")
    }
}
