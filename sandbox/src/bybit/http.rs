//! The HTTP front.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, Method, Response, Uri, header};
use tokio::net::TcpListener;

use super::calls::Call;
use super::model::{Environment, Model};
use super::rate::Rate;
use super::wire::{Answer, Arrived, respond};
use crate::clock::SandboxClock;
use crate::connection::{Breakable, Peer};
use crate::fault::{Fault, Faults};

/// A model, its faults and its clock, for a server and those who watch it. Clones share all three.
#[derive(Clone, Debug)]
pub struct Service {
    state: Arc<Mutex<State>>,
    clock: SandboxClock,
    environment: Environment,
}

/// What a service guards.
#[derive(Debug)]
pub struct State {
    /// The exchange.
    pub model: Model,
    /// The faults to come, each planned under the path of the calls it is for.
    pub faults: Faults,
}

impl Service {
    /// A service of this model, as the main site.
    pub fn new(model: Model, clock: SandboxClock) -> Self {
        let state = State {
            model,
            faults: Faults::default(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
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
        let caller = arrived.claimed_key(model);
        let fault = faults.next_for(arrived.path);
        let answer = match fault {
            None | Some(Fault::ReplyLost) => Some(respond(model, arrived, now)),
            Some(Fault::Throttled) => Some(Answer::throttled(arrived.path, now)),
            Some(Fault::ServerError) => Some(Answer::bad_gateway()),
            Some(Fault::Dropped) => None,
        };
        let (ret_code, detail) = answer
            .as_ref()
            .map(|answer| (answer.ret_code, answer.detail.clone()))
            .unwrap_or_default();
        let (method, path) = (arrived.method.to_owned(), arrived.path.to_owned());
        model.record(Call {
            at: now,
            method,
            path,
            caller,
            ret_code,
            fault,
            detail,
        });
        answer.filter(|_| fault != Some(Fault::ReplyLost))
    }
}

/// Serves the key endpoints until it is dropped.
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
    if let Some(Rate {
        limit,
        left,
        resets_at,
    }) = answer.rate
    {
        response = response
            .header("X-Bapi-Limit", limit)
            .header("X-Bapi-Limit-Status", left)
            .header("X-Bapi-Limit-Reset-Timestamp", resets_at.as_millisecond());
    }
    response.body(Body::from(answer.body)).ok()
}
