//! The stand-ins behind TLS, as AWS and exchanges are: two addresses more, with a certificate that the peers
//! are told to trust.

use std::error::Error;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::peer::WORKSPACE;
use crate::function::Environment;

const HOST: &str = "127.0.0.1";

/// Who answers for both stand-ins, and how to trust it. RSA of 2,048 bits throughout, with one certificate
/// between root and leaf, as Secrets Manager's endpoints have it.
#[derive(Clone)]
pub(super) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivatePkcs8KeyDer<'static>>,
    root: CertificateDer<'static>,
    /// The system's bundle, and the root: a client has as much to read as ever.
    bundle: PathBuf,
}

impl Identity {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        let root = CertifiedIssuer::self_signed(authority("bench root"), rsa()?)?;
        let between = CertifiedIssuer::signed_by(authority("bench intermediate"), rsa()?, &root)?;
        let key = rsa()?;
        let mut leaf = CertificateParams::new(vec![HOST.to_owned()])?;
        leaf.distinguished_name.push(DnType::CommonName, HOST);
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = leaf.signed_by(&key, &between)?;
        let bundle = target().join("bench-roots.pem");
        let system = openssl_probe::probe()
            .cert_file
            .map(fs::read_to_string)
            .transpose()?
            .unwrap_or_default();
        fs::write(&bundle, system + "\n" + &root.pem())?;
        Ok(Self {
            chain: vec![leaf.der().clone(), between.der().clone()],
            key: Arc::new(PrivatePkcs8KeyDer::from(key.serialize_der())),
            root: root.der().clone(),
            bundle,
        })
    }

    /// What makes any peer trust it.
    fn trusted_by(&self, environment: Environment) -> Environment {
        let bundle = self.bundle.display().to_string();
        environment
            .with("SSL_CERT_FILE", bundle.clone())
            .with("AWS_CA_BUNDLE", bundle)
    }

    fn acceptor(&self) -> Result<TlsAcceptor, Box<dyn Error>> {
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()?;
        Ok(TlsAcceptor::from(Arc::new(
            config
                .with_no_client_auth()
                .with_single_cert(self.chain.clone(), key)?,
        )))
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority
}

fn rsa() -> Result<KeyPair, rcgen::Error> {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(WORKSPACE).join("target"), PathBuf::from)
}

/// Both stand-ins behind TLS; it ends when this is dropped.
pub(super) struct Front {
    secrets_manager: SocketAddr,
    venue: SocketAddr,
    identity: Identity,
    _servers: JoinSet<()>,
}

impl Front {
    pub(super) async fn start(
        identity: &Identity,
        services: [SocketAddr; 2],
    ) -> Result<Self, Box<dyn Error>> {
        let mut servers = JoinSet::new();
        let mut addresses = services;
        for address in &mut addresses {
            let listener = TcpListener::bind((HOST, 0)).await?;
            let service = std::mem::replace(address, listener.local_addr()?);
            servers.spawn(serve(listener, identity.acceptor()?, service));
        }
        let [secrets_manager, venue] = addresses;
        Ok(Self {
            secrets_manager,
            venue,
            identity: identity.clone(),
            _servers: servers,
        })
    }

    /// A connection of a client that knows this root and no other.
    pub(super) async fn connect(&self) -> Result<TlsStream<TcpStream>, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.identity.root.clone())?;
        let config = ClientConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()?;
        let connector = TlsConnector::from(Arc::new(
            config.with_root_certificates(roots).with_no_client_auth(),
        ));
        let stream = TcpStream::connect(self.secrets_manager).await?;
        stream.set_nodelay(true)?;
        Ok(connector.connect(ServerName::try_from(HOST)?, stream).await?)
    }

    /// The same environment, with these addresses.
    pub(super) fn environment(&self, plain: Environment) -> Environment {
        let environment = plain
            .with(
                "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                format!("https://{}", self.secrets_manager),
            )
            .with("BYBIT_BASE_URL", format!("https://{}", self.venue));
        self.identity.trusted_by(environment)
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, service: SocketAddr) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            // A connection that fails is closed, which is all that either end has to know.
            let _ = carry(client, &acceptor, service).await;
        });
    }
}

async fn carry(client: TcpStream, acceptor: &TlsAcceptor, service: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(service).await?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
