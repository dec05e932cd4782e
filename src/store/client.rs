//! The SDK's client: what its configuration resolves to, and the HTTP that it speaks.

use std::net::IpAddr;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::ProvideCredentials;
use aws_sdk_secretsmanager::config::http::HttpRequest;
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use thiserror::Error;

use crate::config::{ConfigError, aws_region, base_url, is_loopback};
use crate::reach::why_unreached;

/// The longest a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);
/// The longest a call may take. It is shorter than the SDK's own limit, which does not say which host was
/// silent.
const CALL: Duration = Duration::from_secs(5);

/// The HTTP client of the SDK. Unlike the exchanges' it goes through a proxy that the environment names, as
/// every AWS SDK does.
pub(crate) fn http(tls: &ClientConfig) -> Result<Http, reqwest::Error> {
    let builder = || {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .redirect(Policy::none());
        builder.connect_timeout(CONNECT).timeout(CALL)
    };
    Ok(Http {
        client: builder().build()?,
        near: builder().no_proxy().build()?,
    })
}

/// What [`http()`] makes.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    /// For plain HTTP, which goes to this machine and to those that give it credentials: a proxy has no
    /// business there.
    near: reqwest::Client,
}

/// The client, configured as the SDK resolves it: Region, endpoint and credentials come from the environment
/// first, where Lambda puts them, then from a profile, SSO, a container's or an instance's role.
///
/// # Errors
/// Names the variable where there is no Region, no credentials, or an endpoint that cannot be used.
pub(crate) async fn client(http: Http) -> Result<Client, ConfigError> {
    let connector = SharedHttpConnector::new(Connector(http));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(Duration::from_secs(6))
        .operation_timeout(Duration::from_secs(20));
    let resolved = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(timeouts.build())
        .load()
        .await;
    let Some(region) = resolved.region() else {
        let problem = "is missing, though Lambda sets it, and no profile names a Region: export it when you \
                       run the binary yourself";
        return Err(ConfigError::new("AWS_REGION", problem));
    };
    aws_region("AWS_REGION", region.as_ref())?;
    if let Some(endpoint) = resolved.endpoint_url() {
        base_url("AWS_ENDPOINT_URL", endpoint)?;
    }
    let credentials = match resolved.credentials_provider() {
        Some(provider) => provider.provide_credentials().await.is_ok(),
        None => false,
    };
    if !credentials {
        let problem = "and AWS_SECRET_ACCESS_KEY are missing, though Lambda sets them, and the profile, \
                       SSO, container and instance give no credentials either: `aws sts \
                       get-caller-identity` with the same environment shows why";
        return Err(ConfigError::new("AWS_ACCESS_KEY_ID", problem));
    }
    Ok(Client::new(&resolved))
}

/// The SDK's requests by the HTTP stack that the exchanges are called with: one stack starts faster than two,
/// and is patched once.
#[derive(Debug)]
struct Connector(Http);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&http, request).await })
    }
}

async fn exchange(http: &Http, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let request = request.try_into_http1x().map_err(|error| user(error.into()))?;
    let (parts, body) = request.into_parts();
    // Every request of Secrets Manager is JSON in memory.
    let body = body
        .bytes()
        .ok_or_else(|| user("a body that is not in memory".into()))?
        .to_vec();
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, body))
        .map_err(|error| user(error.into()))?;
    let host = request.url().authority().to_owned();
    if !may_be_asked(request.url()) {
        return Err(user(Box::new(Unreached(format!(
            "{host} is to be asked over plain http: name its endpoint with https"
        )))));
    }
    let client = if request.url().scheme() == "https" {
        &http.client
    } else {
        &http.near
    };
    let failed = |error| failed(&host, error);
    let mut response = client.execute(request).await.map_err(failed)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = response.bytes().await.map_err(failed)?;
    let mut answer = http::Response::new(SdkBody::from(body));
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}

/// Plain HTTP stays on this machine, but for the addresses at which AWS gives a container or an instance its
/// credentials.
fn may_be_asked(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let gives_credentials = match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(ip)) => ip.is_link_local(),
        // Source: the Amazon EC2 and EKS user guides: fd00:ec2::254 and fd00:ec2::23.
        Ok(IpAddr::V6(ip)) => ip.segments()[..2] == [0xfd00, 0x0ec2],
        Err(_) => false,
    };
    url.scheme() == "https" || is_loopback(host) || gives_credentials
}

/// Time-outs and broken connections are told apart from what is wrong with the request: the SDK repeats the
/// former.
fn failed(host: &str, error: reqwest::Error) -> ConnectorError {
    if error.is_builder() {
        return ConnectorError::user(error.without_url().into());
    }
    let unreached = Box::new(Unreached(why_unreached(host, &error)));
    if error.is_timeout() {
        ConnectorError::timeout(unreached)
    } else {
        ConnectorError::io(unreached)
    }
}

/// Why Secrets Manager was not reached, in words.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Unreached(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leaves_this_machine_for_credentials_alone() {
        let asked = |url: &str| may_be_asked(&url.parse().unwrap());
        for url in [
            "https://secretsmanager.eu-west-1.amazonaws.com/",
            "http://127.0.0.1:9311/",
            "http://[::1]:9311/",
            "http://169.254.170.2/v2/credentials",
            "http://169.254.169.254/latest",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(asked(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:4566/",
            "http://secretsmanager.eu-west-1.amazonaws.com/",
            "http://[fd00::1]/",
            "http://127.0.0.1.example/",
        ] {
            assert!(!asked(url), "{url}");
        }
    }
}
