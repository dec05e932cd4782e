//! Why no answer came from a host, in words that name what to look at.

use std::error::Error;
use std::io;

use rustls::Error as TlsError;

/// What went wrong on the way to a host and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Nobody knows the host's address.
    NoAddress,
    /// The host answers, and takes no connection at that port.
    Refused,
    /// No route leads there.
    Unreachable,
    /// The host did not answer the first packet in time.
    ConnectTimeout,
    /// The host's certificate is not one that is trusted.
    Certificate,
    /// TLS was not agreed on for another reason.
    Handshake,
    /// The connection was there, and no answer came in time.
    NoAnswer,
    /// The connection broke.
    Broken,
}

/// Says why a request to a host was not answered. It quotes nothing of the request.
pub(crate) fn why_unreached(host: &str, error: &reqwest::Error) -> String {
    match cause(error) {
        Cause::NoAddress => {
            format!("DNS has no address for {host}: check the name, and that the VPC resolves it")
        }
        Cause::Refused => format!("{host} refused the connection: check host and port"),
        Cause::Unreachable => format!("no route leads to {host}: {WAY_OUT}"),
        Cause::ConnectTimeout => format!("the connection to {host} was not answered in time: {WAY_OUT}"),
        Cause::Certificate => {
            format!(
                "the certificate of {host} is not trusted: check the host, and the roots that SSL_CERT_FILE \
                 names"
            )
        }
        Cause::Handshake => format!("TLS with {host} failed: check that it speaks TLS at that port"),
        Cause::NoAnswer => format!("{host} did not answer in time"),
        Cause::Broken => format!("the connection to {host} broke"),
    }
}

/// What a function in a VPC needs.
const WAY_OUT: &str = "in a VPC the subnets need a NAT gateway, or for Secrets Manager a VPC endpoint, and \
                       the security groups have to let port 443 out";

fn cause(error: &reqwest::Error) -> Cause {
    let mut source = Some(error as &(dyn Error + 'static));
    let mut found = None;
    while let Some(error) = source {
        found = of_one(error).or(found);
        source = error.source();
    }
    match found {
        Some(cause) => cause,
        None if error.is_timeout() && error.is_connect() => Cause::ConnectTimeout,
        None if error.is_timeout() => Cause::NoAnswer,
        None => Cause::Broken,
    }
}

/// What one error of the chain says, where it says anything.
fn of_one(error: &(dyn Error + 'static)) -> Option<Cause> {
    if let Some(tls) = error.downcast_ref::<TlsError>() {
        return Some(of_tls(tls));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // What it wraps is not among its sources.
        if let Some(found) = error.get_ref().and_then(|inner| of_one(inner)) {
            return Some(found);
        }
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(Cause::Refused),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some(Cause::Unreachable),
            _ => None,
        };
    }
    // The HTTP stack has no type of its own for it.
    error
        .to_string()
        .starts_with("dns error")
        .then_some(Cause::NoAddress)
}

fn of_tls(error: &TlsError) -> Cause {
    if matches!(
        error,
        TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented
    ) {
        Cause::Certificate
    } else {
        Cause::Handshake
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::CertificateError;
    use tokio::net::TcpListener;

    use super::*;
    use crate::tls;

    async fn said_of(url: &str) -> String {
        let tls = tls::without_roots().unwrap();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy();
        let client = client
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_millis(400))
            .build()
            .unwrap();
        why_unreached("the-host", &client.get(url).send().await.unwrap_err())
    }

    #[tokio::test]
    async fn each_cause_is_told_apart() {
        let closed = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let said = said_of(&format!("http://{closed}/")).await;
        assert!(said.starts_with("the-host refused the connection"), "{said}");

        let said = said_of("http://nobody.invalid/").await;
        assert!(said.starts_with("DNS has no address for the-host"), "{said}");

        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let said = said_of(&format!("http://{}/", silent.local_addr().unwrap())).await;
        assert_eq!(said, "the-host did not answer in time");

        let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = rude.local_addr().unwrap();
        let hang_up = async {
            let (connection, _) = rude.accept().await.unwrap();
            connection.readable().await.unwrap();
        };
        let url = format!("http://{address}/");
        let (said, ()) = tokio::join!(said_of(&url), hang_up);
        assert!(said.starts_with("the connection to the-host broke"), "{said}");
    }

    #[tokio::test]
    async fn a_host_without_tls_is_told_from_one_whose_certificate_is_not_trusted() {
        let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = plain.local_addr().unwrap();
        let answer = async {
            let (connection, _) = plain.accept().await.unwrap();
            connection.writable().await.unwrap();
            connection.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let url = format!("https://{address}/");
        let (said, ()) = tokio::join!(said_of(&url), answer);
        assert!(said.starts_with("TLS with the-host failed"), "{said}");
        assert_eq!(
            of_tls(&TlsError::InvalidCertificate(CertificateError::UnknownIssuer)),
            Cause::Certificate
        );
    }
}
