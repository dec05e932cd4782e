//! The exchanges, one module each, and what their calls have in common. The only place that knows HTTP.

pub mod bybit;
#[cfg(test)]
mod conformance;
pub mod kit;
pub mod okx;

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::name::VenueId;
use protocol::ports::{Venue, Venues};
use reqwest::Url;
use rustls::ClientConfig;
use rustls::crypto::SecureRandom;

use self::kit::clock::Clocks;
use self::kit::http::Http;
use self::kit::venue::{Keys, VenueOf};
use self::kit::writes::Writes;
use crate::config::Config;
use crate::time::InvocationTime;

/// The one list of exchanges.
pub(crate) const EXCHANGES: [Exchange; 2] = [bybit::EXCHANGE, okx::EXCHANGE];

/// An exchange that this function rotates keys of.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Its name in secrets, in small letters.
    pub(crate) name: &'static str,
    /// The environment variable whose URL replaces its own hosts, for tests and private gateways.
    pub(crate) base_url: &'static str,
    /// The exchange in one environment; or why there is none, in words for the operator.
    open: fn(&VenueId, &Outside<'_>) -> Opened,
}

impl Exchange {
    /// The exchange of this name.
    const fn of<W: Keys>(name: &'static str) -> Self {
        Self {
            name,
            base_url: W::BASE_URL,
            open: |id, outside| Ok(Arc::new(VenueOf::<W>::new(id, outside)?)),
        }
    }
}

type Opened = Result<Arc<dyn Venue>, String>;

/// What an exchange's module needs of the world around it.
pub(crate) struct Outside<'a> {
    /// Where its calls go in place of its own hosts.
    base_url: Option<&'a Url>,
    shared: &'a Shared,
    time: InvocationTime,
}

/// What the calls of all invocations share.
#[derive(Debug)]
struct Shared {
    clocks: Clocks,
    writes: Writes,
    http: Http,
    /// The operating system's randomness.
    random: &'static dyn SecureRandom,
}

/// All exchanges, with the connections kept open to them.
#[derive(Clone, Debug)]
pub(crate) struct Exchanges {
    base_urls: Arc<BTreeMap<&'static str, Url>>,
    shared: Arc<Shared>,
}

/// The exchanges within one invocation.
#[derive(Clone, Debug)]
pub(crate) struct WithinInvocation {
    exchanges: Exchanges,
    time: InvocationTime,
}

impl Shared {
    fn new(tls: ClientConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            clocks: Clocks::default(),
            writes: Writes::default(),
            random: tls.crypto_provider().secure_random,
            http: Http::new(tls)?,
        })
    }
}

impl Exchanges {
    pub(crate) fn new(config: &Config, tls: ClientConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            base_urls: Arc::new(config.base_urls.clone()),
            shared: Arc::new(Shared::new(tls)?),
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
    fn venue(&self, id: &VenueId) -> Opened {
        let Exchanges { base_urls, shared } = &self.exchanges;
        let Some(exchange) = EXCHANGES.iter().find(|known| known.name == id.exchange) else {
            return Err(format!(
                "the exchange `{}` is not supported: this function rotates keys of {}",
                protocol::shown(&id.exchange),
                EXCHANGES.map(|known| known.name).join(", ")
            ));
        };
        let outside = Outside {
            base_url: base_urls.get(exchange.name),
            shared,
            time: self.time,
        };
        (exchange.open)(id, &outside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// What a file says before its tests.
    fn said(path: &Path) -> String {
        let text = std::fs::read_to_string(path).unwrap();
        let program = text.split("#[cfg(test)]").next().unwrap_or_default();
        program.to_lowercase()
    }

    /// The sources in a folder, but for files of tests.
    fn sources_under(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources_under(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                found.push(path);
            }
        }
    }

    /// What a venue is asked and how it behaves is declared in its module: nothing else goes by its name.
    #[test]
    fn no_exchange_is_named_outside_its_module_and_the_one_list() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        for folder in ["src", "protocol/src"] {
            sources_under(&root.join(folder), &mut sources);
        }
        for Exchange { name, .. } in EXCHANGES {
            let own = root.join("src/exchange").join(name);
            let others = sources
                .iter()
                .filter(|path| !path.starts_with(&own) && **path != root.join("src/exchange/mod.rs"));
            for path in others {
                assert!(!said(path).contains(name), "{} names {name}", path.display());
            }
            assert!(
                sources.iter().any(|path| path.starts_with(&own)),
                "{name} has no module"
            );
        }
    }
}
