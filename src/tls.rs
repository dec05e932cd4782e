//! What every TLS connection is made with: the system's roots, read once for all clients, since reading them
//! is most of a start.

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

use crate::config::ConfigError;

/// The configuration. Certificates are verified against the system's roots, or those that `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name.
///
/// # Errors
/// Where there are none, with the variable that says where they should be.
pub(crate) fn config() -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates().certs);
    if roots.is_empty() {
        let named = NAMES.into_iter().find(|name| std::env::var_os(name).is_some());
        let problem = match named {
            Some(_) => "names no file with certificates that can be read, and nothing else does",
            None => {
                "is not set, and the system has no root certificates where others have them: name a file \
                 with them"
            }
        };
        return Err(ConfigError::new(named.unwrap_or("SSL_CERT_FILE"), problem));
    }
    with_roots(roots).ok_or_else(|| ConfigError::new("SSL_CERT_FILE", "cannot be used: TLS cannot be set up"))
}

/// A configuration that trusts nobody: for a client that speaks plain HTTP to this machine alone.
pub(crate) fn without_roots() -> Option<ClientConfig> {
    with_roots(RootCertStore::empty())
}

fn with_roots(roots: RootCertStore) -> Option<ClientConfig> {
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .ok()?;
    Some(config.with_root_certificates(roots).with_no_client_auth())
}

/// What replaces the system's roots.
const NAMES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The system's bundle alone where it has one: the directory beside it holds the same certificates again, one
/// by one.
fn certificates() -> CertificateResult {
    let named = NAMES.into_iter().any(|name| std::env::var_os(name).is_some());
    let bundle = (!named).then(|| openssl_probe::probe().cert_file).flatten();
    let found = bundle
        .map(|file| load_certs_from_paths(Some(&file), None))
        .filter(|found| !found.certs.is_empty());
    found.unwrap_or_else(load_native_certs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_trusts_nobody_whom_the_system_does_not_trust() {
        let all = load_native_certs().certs;
        let used = certificates().certs;
        assert!(!used.is_empty() && used.iter().all(|certificate| all.contains(certificate)));
    }
}
