//! Where calls go to: the exchanges' hosts, an endpoint of AWS, a proxy.

use std::collections::BTreeMap;
use std::net::IpAddr;

use reqwest::Url;

use super::ConfigError;
use crate::exchange::EXCHANGES;

pub(super) fn base_urls(
    read: impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<&'static str, Url>, ConfigError> {
    let set = EXCHANGES
        .iter()
        .filter_map(|exchange| Some((exchange, read(exchange.base_url)?)));
    set.map(|(exchange, url)| Ok((exchange.name, base_url(exchange.base_url, &url)?)))
        .collect()
}

pub(crate) fn base_url(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let wrong = |problem: &str| ConfigError {
        name,
        problem: problem.into(),
    };
    let url = Url::parse(text)
        .map_err(|_| wrong("is not a URL: it has to be like https://host or https://host:port"))?;
    // The standard reads `https:/host` and `https:host` like `https://host`: a person has misspelt something.
    if !text.to_lowercase().starts_with(&format!("{}://", url.scheme()))
        && matches!(url.scheme(), "http" | "https")
    {
        return Err(wrong(
            "has not two slashes behind its scheme: it has to be like https://host or https://host:port",
        ));
    }
    let host = url.host_str().ok_or_else(|| wrong("names no host"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err(wrong(
                "is plain http to another machine: key secrets are signed with and read over it, so use \
                 https",
            ));
        }
        _ => return Err(wrong("is neither https nor, for this machine alone, http")),
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("holds more than scheme, host, port and path"));
    }
    Ok(url)
}

/// Whether a URL's host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A proxy that the HTTP stack does not understand is passed over in silence, and the calls go nowhere.
pub(super) fn proxies_can_be_used(read: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        let Some(text) = read(name) else { continue };
        // Without a scheme it is taken for http.
        let with_scheme = if text.contains("://") {
            text
        } else {
            format!("http://{text}")
        };
        let is_good = Url::parse(&with_scheme).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !is_good {
            return Err(ConfigError::new(
                name,
                "is no proxy that can be used: it has to be like http://proxy.example:3128",
            ));
        }
    }
    Ok(())
}
