//! The SDK's client: what it takes from the environment, and the HTTP that it speaks.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::HttpRequest;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::config::{AccessKey, Aws};
use crate::reach::why_unreached;

/// The longest a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);

/// The client. Credentials come from the environment alone, where Lambda puts them: no file, role or metadata service is asked.
pub(crate) fn client(aws: &Aws, tls: ClientConfig) -> Result<Client, reqwest::Error> {
    // Unlike the exchanges' client it goes through a proxy that the environment names, as every AWS SDK does.
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).connect_timeout(CONNECT).redirect(Policy::none());
    let connector = SharedHttpConnector::new(Connector(http.build()?));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(Duration::from_secs(6))
        .operation_timeout(Duration::from_secs(20));
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts.build())
        .use_fips(aws.fips)
        .use_dual_stack(aws.dual_stack);
    config.set_region(aws.region.clone().map(Region::new));
    config.set_endpoint_url(aws.endpoint.clone());
    config.set_credentials_provider(aws.access_key.as_ref().map(credentials));
    Ok(Client::from_conf(config.build()))
}

fn credentials(key: &AccessKey) -> SharedCredentialsProvider {
    let (secret, token) = (key.secret.expose_secret(), key.session_token.as_ref().map(|token| token.expose_secret().to_owned()));
    SharedCredentialsProvider::new(Credentials::new(&key.id, secret, token, None, "Environment"))
}

/// The SDK's requests by the HTTP stack that the exchanges are called with: one stack starts faster than two, and is patched once.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&client, request).await })
    }
}

async fn exchange(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let request = request.try_into_http1x().map_err(|error| user(error.into()))?;
    let (parts, body) = request.into_parts();
    // Every request of Secrets Manager is JSON in memory.
    let body = body.bytes().ok_or_else(|| user("a body that is not in memory".into()))?.to_vec();
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, body)).map_err(|error| user(error.into()))?;
    let host = request.url().authority().to_owned();
    let failed = |error| failed(&host, error);
    let mut response = client.execute(request).await.map_err(failed)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = response.bytes().await.map_err(failed)?;
    let mut answer = http::Response::new(SdkBody::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}

/// Time-outs and broken connections are told apart from what is wrong with the request: the SDK repeats the former.
fn failed(host: &str, error: reqwest::Error) -> ConnectorError {
    if error.is_builder() {
        return ConnectorError::user(error.without_url().into());
    }
    let unreached = Box::new(Unreached(why_unreached(host, &error)));
    if error.is_timeout() { ConnectorError::timeout(unreached) } else { ConnectorError::io(unreached) }
}

/// Why Secrets Manager was not reached, in words.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Unreached(pub(super) String);
