//! The exchanges, one module each: signing, calls, errors, permissions. The only place that knows HTTP.

pub mod bybit;
mod http;

use std::sync::Arc;

use protocol::name::VenueId;
use protocol::ports::{Venue, Venues};
use rustls::ClientConfig;

use self::bybit::{Bybit, Site};
use self::http::Http;
use crate::config::Config;
use crate::time::InvocationTime;

/// All exchanges, with the connections kept open to them.
#[derive(Clone, Debug)]
pub(crate) struct Exchanges {
    bybit: Arc<Site>,
    http: Http,
}

/// The exchanges within one invocation.
#[derive(Clone, Debug)]
pub(crate) struct WithinInvocation {
    exchanges: Exchanges,
    time: InvocationTime,
}

impl Exchanges {
    pub(crate) fn new(config: &Config, tls: ClientConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            bybit: Arc::new(Site::new(config.bybit_base_url.clone())),
            http: Http::new(tls)?,
        })
    }

    pub(crate) fn within(&self, time: InvocationTime) -> WithinInvocation {
        WithinInvocation {
            exchanges: self.clone(),
            time,
        }
    }
}

impl Venues for WithinInvocation {
    fn venue(&self, id: &VenueId) -> Result<Arc<dyn Venue>, String> {
        let Exchanges { bybit, http } = &self.exchanges;
        match id.exchange.as_str() {
            "bybit" => Ok(Arc::new(Bybit::new(id, bybit, http.clone(), self.time)?)),
            other => Err(format!(
                "the exchange `{}` is not supported: this function rotates keys of bybit",
                protocol::shown(other)
            )),
        }
    }
}
