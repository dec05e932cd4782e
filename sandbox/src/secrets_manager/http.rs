//! The HTTP front: what the AWS SDKs and the AWS CLI talk to.
//!
//! A request must be signed with [`ACCESS_KEY_ID`]; the signature itself is not checked, any secret access
//! key will do.

use std::io;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tokio::net::TcpListener;

use super::{Error, ErrorKind, Operation, Service, wire};
use crate::connection::{Breakable, Peer};
use crate::fault::Fault;

/// The only access key id that the stand-in knows.
pub const ACCESS_KEY_ID: &str = "AKIASANDBOX000000000";

const TARGET: &str = "x-amz-target";
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Answers calls until the listener fails.
///
/// # Errors
/// Those of the listener.
pub async fn serve(listener: TcpListener, service: Service) -> io::Result<()> {
    let router = Router::new().fallback(answer).with_state(service);
    axum::serve(
        Breakable(listener),
        router.into_make_service_with_connect_info::<Peer>(),
    )
    .await
}

async fn answer(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let mut response = match handle(&service, &headers, &body) {
        Answer::Reply(Ok(json)) => json_response(StatusCode::OK, json),
        Answer::Reply(Err(error)) => error_response(&error),
        Answer::ServerError => html_failure(),
        Answer::Nothing => {
            peer.break_off();
            Response::default()
        }
    };
    if let Ok(id) = HeaderValue::try_from(service.request_id()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// What the caller gets to see.
enum Answer {
    Reply(Result<String, Error>),
    ServerError,
    Nothing,
}

fn handle(service: &Service, headers: &HeaderMap, body: &[u8]) -> Answer {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let operation =
        match check_caller(header(AUTHORIZATION.as_str())).and_then(|()| wire::operation(header(TARGET))) {
            Ok(operation) => operation,
            Err(error) => return Answer::Reply(Err(error)),
        };
    let mut state = service.lock();
    let now = state.clock.now();
    let fault = state.faults.next_for(operation.as_str());
    let model = &mut state.model;
    match fault {
        Some(Fault::Dropped) => return Answer::Nothing,
        Some(Fault::Throttled) => {
            model.log_refused(operation, &wire::secret_id(body), ErrorKind::Throttling, now);
            return Answer::Reply(Err(Error::new(ErrorKind::Throttling, "Rate exceeded")));
        }
        Some(Fault::ServerError) => {
            model.log_refused(operation, &wire::secret_id(body), ErrorKind::InternalService, now);
            return Answer::ServerError;
        }
        Some(Fault::ReplyLost) | None => {}
    }
    let reply = wire::call(model, operation, body, now);
    drop(state);
    // Also where it was refused: a refusal may have taken a rotation up again.
    if matches!(operation, Operation::RotateSecret | Operation::RestoreSecret) {
        service.due().notify_one();
    }
    if fault == Some(Fault::ReplyLost) {
        Answer::Nothing
    } else {
        Answer::Reply(reply)
    }
}

fn check_caller(authorization: Option<&str>) -> Result<(), Error> {
    let credential = authorization
        .and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 "))
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, value)| value.split_once('/'));
    match credential {
        Some((ACCESS_KEY_ID, _)) => Ok(()),
        _ => Err(Error::new(
            ErrorKind::UnrecognizedClient,
            "The security token included in the request is invalid.",
        )),
    }
}

fn error_response(error: &Error) -> Response<Body> {
    let status = match error.kind {
        ErrorKind::InternalService => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = json_response(status, wire::error_body(error));
    response
        .headers_mut()
        .insert(ERROR_TYPE, HeaderValue::from_static(error.kind.as_str()));
    response
}

fn json_response(status: StatusCode, json: String) -> Response<Body> {
    response(status, "application/x-amz-json-1.1", json)
}

/// What a load balancer in front of a broken service says: nothing that the SDK could read as an exception.
fn html_failure() -> Response<Body> {
    let page = "<html><body><h1>500 Internal Server Error</h1></body></html>\n";
    response(StatusCode::INTERNAL_SERVER_ERROR, "text/html", page.to_owned())
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests;
