use std::net::SocketAddr;

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;
use crate::clock::SandboxClock;
use crate::fault::Fault;
use crate::venue::{Service, serve};

/// A server on loopback, gone at the end of the test.
struct Server {
    service: Service,
    address: SocketAddr,
    master: Credential,
    _task: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let World { mut model, .. } = world();
        let clock = SandboxClock::default();
        let here = Ips::only(["127.0.0.1".parse().expect("an address")]);
        let made = model.add_master_key(PARENT, here, clock.now());
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let service = Service::new(&Okx, model, clock);
        let mut task = JoinSet::new();
        task.spawn(serve(listener, service.clone()));
        Self {
            service,
            address,
            master: made.expect("the parent is there"),
            _task: task,
        }
    }

    fn plan(&self, path: &str, fault: Fault) {
        self.service.lock().faults.plan(path, fault);
    }

    async fn create(&self) -> String {
        self.send("POST", KEYS, "", &create(|_| ())).await
    }

    /// All that comes back before the connection closes: nothing, if it was broken off.
    async fn send(&self, method: &str, path: &str, query: &str, body: &str) -> String {
        let time = format!("{:.3}", Timestamp::now());
        let by = &self.master;
        let arrived = Arrived {
            method,
            path,
            query,
            headers: &HeaderMap::new(),
            body: body.as_bytes(),
            address: HOME,
            environment: Environment::Mainnet,
        };
        let (signature, mark) = (
            sign(&by.secret, &time, &arrived),
            if query.is_empty() { "" } else { "?" },
        );
        let passphrase = by.passphrase.as_ref().map_or("", Passphrase::expose);
        let request = format!(
            "{method} {path}{mark}{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
             application/json\r\nContent-Length: {}\r\nOK-ACCESS-KEY: {}\r\nOK-ACCESS-TIMESTAMP: \
             {time}\r\nOK-ACCESS-PASSPHRASE: {passphrase}\r\nOK-ACCESS-SIGN: {signature}\r\n\r\n{body}",
            body.len(),
            by.key,
        );
        let mut stream = TcpStream::connect(self.address)
            .await
            .expect("the server listens");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        let mut reply = Vec::new();
        // A reset is one way for a broken connection to look.
        let _ = stream.read_to_end(&mut reply).await;
        String::from_utf8(reply).expect("replies are text")
    }

    fn labels(&self) -> Vec<String> {
        let keys = self.service.lock().model.keys().into_iter();
        keys.filter(|key| key.uid == SUB)
            .map(|key| key.settings.note)
            .collect()
    }
}

#[tokio::test]
async fn a_signed_request_is_answered_over_http() {
    let server = Server::start().await;
    let reply = server.send("GET", CONFIG, "", "").await;
    assert!(
        reply.starts_with("HTTP/1.1 200 OK") && reply.contains(r#""code":"0""#),
        "{reply}"
    );
    assert!(server.create().await.contains(r#""code":"0""#));
    let listed = server.send("GET", KEYS, "subAcct=desk01", "").await;
    assert!(listed.contains(r#""label":"rot1""#), "{listed}");
    let again = server.create().await;
    assert!(
        again.starts_with("HTTP/1.1 429") && again.contains("50011"),
        "{again}"
    );
}

#[tokio::test]
async fn a_planned_fault_is_the_venues_own_or_the_networks() {
    for (fault, status, code, effect) in [
        (Fault::Throttled, "HTTP/1.1 429", r#""code":"50011""#, false),
        (Fault::ServerError, "HTTP/1.1 502", "<html>", false),
        (Fault::Dropped, "", "", false),
        (Fault::ReplyLost, "", "", true),
    ] {
        let server = Server::start().await;
        server.plan("POST /api/v5/users/subaccount/apikey", fault);
        let listed = server.send("GET", KEYS, "subAcct=desk01", "").await;
        assert!(
            listed.contains(r#""code":"0""#),
            "the fault is another call's: {listed}"
        );
        let reply = server.create().await;
        assert!(
            reply.starts_with(status) && reply.contains(code),
            "{fault:?}: {reply}"
        );
        assert_eq!(reply.is_empty(), status.is_empty());
        assert_eq!(!server.labels().is_empty(), effect, "{fault:?}");
    }
}

#[tokio::test]
async fn the_log_has_no_secrets_passphrases_and_signatures() {
    let server = Server::start().await;
    server.create().await;
    server.send("GET", CONFIG, "", "").await;
    let model = &mut server.service.lock().model;
    let calls = model.take_calls();
    assert_eq!(calls.len(), 2);
    let printed = format!("{calls:?}");
    assert!(printed.contains("rot1"), "{printed}");
    for key in model.keys() {
        let credential = model.credential(&key.key).expect("it exists");
        let passphrase = credential.passphrase.expect("it has one");
        assert!(!printed.contains(credential.secret.expose()));
        assert!(!printed.contains(passphrase.expose()));
    }
}
