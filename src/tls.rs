//! What every TLS connection is made with: the system's roots, read once for all clients, since reading them is most of a start.

use std::io;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

/// The configuration. Certificates are verified against the system's roots, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
pub(crate) fn config() -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates().certs);
    if roots.is_empty() {
        return Err(io::Error::other("the system has no root certificates"));
    }
    let config = ClientConfig::builder_with_provider(default_provider().into()).with_safe_default_protocol_versions();
    Ok(config.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth())
}

/// The system's bundle alone where it has one: the directory beside it holds the same certificates again, one by one.
fn certificates() -> CertificateResult {
    let named = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().any(|name| std::env::var_os(name).is_some());
    let bundle = (!named).then(|| openssl_probe::probe().cert_file).flatten();
    let found = bundle.map(|file| load_certs_from_paths(Some(&file), None)).filter(|found| !found.certs.is_empty());
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
