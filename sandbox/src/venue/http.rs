//! The HTTP server: a model, the faults that are planned for it, and the front that speaks the venue's
//! language.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::calls::Call;
use super::credential::KeyId;
use super::model::{Environment, Model};
use crate::clock::SandboxClock;
use crate::connection::{Breakable, Peer};
use crate::fault::{Fault, Faults};

/// A venue on the wire: its paths, its signatures, its bodies, its codes and its words.
pub trait Front: fmt::Debug + Send + Sync + 'static {
    /// The key that a request says to come from.
    fn claimed_key<'a>(&self, arrived: &Arrived<'a>) -> Option<&'a str>;

    /// Answers a request.
    fn respond(&self, model: &mut Model, arrived: &Arrived<'_>, now: Timestamp) -> Answer;

    /// The venue's own words for "not now", as a planned fault.
    fn throttled(&self, model: &Model, arrived: &Arrived<'_>, now: Timestamp) -> Answer;
}

/// A request as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The raw query string.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The raw body.
    pub body: &'a [u8],
    /// The caller's address.
    pub address: IpAddr,
    /// The site that it was sent to.
    pub environment: Environment,
}

impl<'a> Arrived<'a> {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What goes back, and what the log says of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The type of the body.
    pub content_type: &'static str,
    /// Other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// The venue's code, if the body has one.
    pub code: Option<i64>,
    /// What it was about, in a few words.
    pub detail: String,
}

impl Answer {
    /// An answer that has no code.
    pub fn plain(status: StatusCode, content_type: &'static str, body: &str, detail: &str) -> Self {
        Self {
            status,
            content_type,
            headers: Vec::new(),
            body: body.to_owned(),
            code: None,
            detail: detail.to_owned(),
        }
    }

    /// What a proxy in front of the venue says when the venue does not answer.
    fn bad_gateway() -> Self {
        let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad \
                    Gateway</h1></body>\n</html>\n";
        Self::plain(StatusCode::BAD_GATEWAY, "text/html", page, "")
    }
}

/// A model, its faults and its clock, for a server and those who watch it. Clones share all three.
#[derive(Clone, Debug)]
pub struct Service {
    state: Arc<Mutex<State>>,
    front: &'static dyn Front,
    clock: SandboxClock,
    environment: Environment,
}

/// What a service guards.
#[derive(Debug)]
pub struct State {
    /// The exchange.
    pub model: Model,
    /// The faults to come, each planned under the path of the calls it is for, or under the method and the
    /// path where several have one.
    pub faults: Faults,
}

impl Service {
    /// A service of this model, behind its venue's front, as the main site.
    pub fn new(front: &'static dyn Front, model: Model, clock: SandboxClock) -> Self {
        let state = State {
            model,
            faults: Faults::default(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            front,
            clock,
            environment: Environment::default(),
        }
    }

    /// The same exchange as another of its sites, where only that site's keys are valid.
    #[must_use]
    pub fn at(&self, environment: Environment) -> Self {
        Self {
            environment,
            ..self.clone()
        }
    }

    /// The model and the faults; the server waits while this is held.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the model as it was between two calls at worst.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service's clock.
    pub fn clock(&self) -> &SandboxClock {
        &self.clock
    }

    /// Nothing when the caller is to see a broken connection.
    fn answer(&self, arrived: &Arrived<'_>) -> Option<Answer> {
        let now = self.clock.now();
        let State { model, faults } = &mut *self.lock();
        let claimed = self.front.claimed_key(arrived).map(KeyId::from);
        let caller = claimed.and_then(|key| model.key(&key)).map(|key| key.key);
        let operation = format!("{} {}", arrived.method, arrived.path);
        let fault = faults
            .next_for(&operation)
            .or_else(|| faults.next_for(arrived.path));
        let answer = match fault {
            None | Some(Fault::ReplyLost) => Some(self.front.respond(model, arrived, now)),
            Some(Fault::Throttled) => Some(self.front.throttled(model, arrived, now)),
            Some(Fault::ServerError) => Some(Answer::bad_gateway()),
            Some(Fault::Dropped) => None,
        };
        let (code, detail) = answer
            .as_ref()
            .map(|answer| (answer.code, answer.detail.clone()))
            .unwrap_or_default();
        let (method, path) = (arrived.method.to_owned(), arrived.path.to_owned());
        model.record(Call {
            at: now,
            method,
            path,
            caller,
            code,
            fault,
            detail,
        });
        answer.filter(|_| fault != Some(Fault::ReplyLost))
    }
}

/// Serves the venue until it is dropped.
pub async fn serve(listener: TcpListener, service: Service) {
    let router = Router::new().fallback(handle).with_state(service);
    // It accepts for ever; there is no result to look at.
    let _ = axum::serve(
        Breakable(listener),
        router.into_make_service_with_connect_info::<Peer>(),
    )
    .await;
}

async fn handle(
    Shared(service): Shared<Service>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let answer = service.answer(&Arrived {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        address: peer.address,
        environment: service.environment,
    });
    answer.and_then(response).unwrap_or_else(|| {
        peer.break_off();
        Response::default()
    })
}

/// Nothing for an answer that is no HTTP, which none is.
fn response(answer: Answer) -> Option<Response<Body>> {
    let mut response = Response::builder()
        .status(answer.status)
        .header(header::CONTENT_TYPE, answer.content_type);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).ok()
}
