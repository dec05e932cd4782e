//! One HTTPS client for all exchanges: no redirects, no proxies, bounded times and sizes, and nothing of it
//! in any log.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Request};
use rustls::ClientConfig;
use zeroize::Zeroizing;

use crate::reach::why_unreached;

/// The longest a connection may take to open.
const CONNECT: Duration = Duration::from_secs(3);
/// The longest a request may take, its connection included.
const REQUEST: Duration = Duration::from_secs(10);
/// More than the longest reply that any call here has: a page of keys.
const LARGEST_REPLY: usize = 1 << 20;

/// The client.
#[derive(Clone, Debug)]
pub(in crate::exchange) struct Http {
    client: Client,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    /// No connection was made, for this reason: the request was not sent.
    NotSent(String),
    /// It was sent, or may have been.
    Broken(String),
}

impl Http {
    pub(in crate::exchange) fn new(tls: ClientConfig) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT)
            // A redirect would carry a signed request to a host nobody chose.
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("exchange-key-rotation/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request and reads its reply, within ten seconds and within what is left.
    pub(super) async fn send(&self, mut request: Request, left: Duration) -> Result<Reply, NoReply> {
        *request.timeout_mut() = Some(REQUEST.min(left));
        let host = request.url().authority().to_owned();
        let broken = |error: reqwest::Error| NoReply::Broken(why_unreached(&host, &error));
        let sent = self.client.execute(request).await;
        let not_sent = |error| {
            if reqwest::Error::is_connect(&error) {
                NoReply::NotSent(why_unreached(&host, &error))
            } else {
                broken(error)
            }
        };
        let mut response = sent.map_err(not_sent)?;
        let headers = std::mem::take(response.headers_mut());
        let mut body = Zeroizing::new(Vec::with_capacity(16 * 1024));
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > LARGEST_REPLY {
                return Err(NoReply::Broken(format!("{host} sent more than any answer has")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status: response.status().as_u16(),
            headers,
            body,
        })
    }
}
