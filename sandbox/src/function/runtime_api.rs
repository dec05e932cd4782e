//! The Lambda runtime API, as far as a function needs it. Source: AWS Lambda developer guide, "Using the
//! Lambda runtime API".

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};

/// An invocation that failed: what the function reported, or that it went away.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{error_type}: {message}")]
pub struct Failed {
    /// The fixed word.
    pub error_type: String,
    /// What happened, in the function's words.
    pub message: String,
}

/// Work to hand out, as raw bytes: what comes need not be JSON.
pub(super) struct Work {
    pub(super) payload: Vec<u8>,
    pub(super) deadline: Timestamp,
    pub(super) function_arn: String,
    pub(super) answer: oneshot::Sender<Result<Value, Failed>>,
}

/// A handle on the API; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct RuntimeApi {
    state: Arc<Mutex<Pending>>,
    work: Arc<Notify>,
}

#[derive(Default)]
struct Pending {
    queue: VecDeque<Work>,
    running: BTreeMap<String, oneshot::Sender<Result<Value, Failed>>>,
    init_error: Option<Failed>,
    reports: Vec<String>,
    first_asked: Option<Instant>,
}

impl RuntimeApi {
    pub(super) fn push(&self, work: Work) {
        self.lock().queue.push_back(work);
        self.work.notify_one();
    }

    /// The function is gone: nobody will answer what it took.
    pub(super) fn abandon(&self, failed: &Failed) {
        let mut state = self.lock();
        let reported = state.init_error.clone();
        let failed = reported.as_ref().unwrap_or(failed);
        for (_, answer) in std::mem::take(&mut state.running) {
            // The one who asked may be gone too.
            let _ = answer.send(Err(failed.clone()));
        }
        for work in state.queue.drain(..) {
            let _ = work.answer.send(Err(failed.clone()));
        }
    }

    /// All that the function has reported.
    pub(super) fn reports(&self) -> Vec<String> {
        self.lock().reports.clone()
    }

    /// When the function first asked for work.
    pub(super) fn first_asked(&self) -> Option<Instant> {
        self.lock().first_asked
    }

    fn reported(&self, headers: &HeaderMap, body: &[u8]) {
        self.lock()
            .reports
            .push(format!("{headers:?} {}", String::from_utf8_lossy(body)));
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn serve(listener: TcpListener, api: RuntimeApi) -> std::io::Result<()> {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(LARGEST_ANSWER))
        .with_state(api);
    axum::serve(listener, router).await
}

/// Source: AWS Lambda quotas, 6 MB for a synchronous response.
const LARGEST_ANSWER: usize = 6 * 1024 * 1024;

/// No two invocations have one request id, whichever processes they go to.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

async fn next(State(api): State<RuntimeApi>) -> Response {
    api.lock().first_asked.get_or_insert_with(Instant::now);
    let work = loop {
        let work = api.lock().queue.pop_front();
        match work {
            Some(work) => break work,
            None => api.work.notified().await,
        }
    };
    let id = format!(
        "{:08x}-0000-4000-8000-000000000000",
        NEXT_ID.fetch_add(1, Ordering::Relaxed)
    );
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", id.as_str()),
        (
            "lambda-runtime-deadline-ms",
            &work.deadline.as_millisecond().to_string(),
        ),
        ("lambda-runtime-invoked-function-arn", &work.function_arn),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    api.lock().running.insert(id, work.answer);
    (headers, work.payload).into_response()
}

async fn response(
    State(api): State<RuntimeApi>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    api.reported(&headers, &body);
    answer(
        &api,
        &id,
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null)),
    )
}

async fn error(
    State(api): State<RuntimeApi>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    api.reported(&headers, &body);
    answer(&api, &id, Err(failed(&body)))
}

async fn init_error(State(api): State<RuntimeApi>, headers: HeaderMap, body: Bytes) -> StatusCode {
    api.reported(&headers, &body);
    api.lock().init_error = Some(failed(&body));
    StatusCode::ACCEPTED
}

fn answer(api: &RuntimeApi, id: &str, outcome: Result<Value, Failed>) -> StatusCode {
    let Some(waiting) = api.lock().running.remove(id) else {
        return StatusCode::NOT_FOUND;
    };
    // Whoever asked may have stopped waiting; the function is told that all is well, as Lambda does.
    let _ = waiting.send(outcome);
    StatusCode::ACCEPTED
}

fn failed(body: &[u8]) -> Failed {
    let report: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
    Failed {
        error_type: text("errorType"),
        message: text("errorMessage"),
    }
}
