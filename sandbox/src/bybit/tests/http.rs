use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;
use crate::clock::SandboxClock;
use crate::fault::Fault;
use crate::venue::{Ips, KeySecret, Service, serve};

/// A server on loopback, gone at the end of the test.
struct Server {
    service: Service,
    address: SocketAddr,
    master: Credential,
    task: JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let World { mut model, .. } = World::new();
        let clock = SandboxClock::default();
        let master = model
            .add_master_key(PARENT, Ips::Any, clock.now())
            .expect("the parent is there");
        Self::of(Service::new(&Bybit, model, clock), master).await
    }

    async fn of(service: Service, master: Credential) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(serve(listener, service.clone()));
        Self {
            service,
            address,
            master,
            task,
        }
    }

    fn plan(&self, path: &str, fault: Fault) {
        self.service.lock().faults.plan(path, fault);
    }

    async fn get(&self, by: &Credential, path: &str) -> String {
        self.send("GET", by, path, "").await
    }

    async fn create(&self, note: &str) -> String {
        let body = format!(
            r#"{{"subuid":{SUB},"note":"{note}","readOnly":0,"permissions":{{"Spot":["SpotTrade"]}}}}"#
        );
        self.send("POST", &self.master, "/v5/user/create-sub-api", &body)
            .await
    }

    /// All that comes back before the connection closes: nothing, if it was broken off.
    async fn send(&self, method: &str, by: &Credential, path: &str, body: &str) -> String {
        let timestamp = self.service.clock().now().as_millisecond().to_string();
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let payload = if method == "GET" { query } else { body };
        let signature = sign(&by.secret, &timestamp, &by.key, "5000", payload.as_bytes());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \
             {}\r\nX-BAPI-API-KEY: {}\r\nX-BAPI-TIMESTAMP: {timestamp}\r\nX-BAPI-RECV-WINDOW: \
             5000\r\nX-BAPI-SIGN: {signature}\r\n\r\n{body}",
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

    fn notes(&self) -> Vec<String> {
        let keys = self.service.lock().model.keys();
        keys.into_iter()
            .filter(|key| key.uid == SUB)
            .map(|key| key.settings.note)
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_signed_request_is_answered_with_rate_headers() {
    let server = Server::start().await;
    let reply = server.get(&server.master, "/v5/user/query-api").await;
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert!(reply.contains(r#""retCode":0"#), "{reply}");
    let headers = reply.to_lowercase();
    for header in [
        "x-bapi-limit: 10",
        "x-bapi-limit-status: 9",
        "x-bapi-limit-reset-timestamp: ",
    ] {
        assert!(headers.contains(header), "{header} in {reply}");
    }
}

#[tokio::test]
async fn a_query_string_is_signed_as_it_is_sent() {
    let server = Server::start().await;
    let reply = server
        .get(
            &server.master,
            &format!("/v5/user/sub-apikeys?subMemberId={SUB}&limit=3"),
        )
        .await;
    assert!(reply.contains(r#""retCode":0"#), "{reply}");
}

#[tokio::test]
async fn the_callers_address_is_the_peers() {
    let server = Server::start().await;
    let now = server.service.clock().now();
    let ips = |ip: &str| Ips::only([ip.parse().expect("an address")]);
    let (here, elsewhere) = {
        let model = &mut server.service.lock().model;
        let mut key = |ip: &str| {
            model
                .add_master_key(PARENT, ips(ip), now)
                .expect("the parent is there")
        };
        (key("127.0.0.1"), key("203.0.113.7"))
    };
    assert!(
        server
            .get(&here, "/v5/user/query-api")
            .await
            .contains(r#""retCode":0"#)
    );
    assert!(
        server
            .get(&elsewhere, "/v5/user/query-api")
            .await
            .contains(r#""retCode":10010"#)
    );
}

#[tokio::test]
async fn a_dropped_request_breaks_the_connection_and_has_no_effect() {
    let server = Server::start().await;
    server.plan("/v5/user/create-sub-api", Fault::Dropped);
    assert_eq!(server.create("1").await, "");
    assert_eq!(server.notes(), Vec::<String>::new());
    assert!(
        server.create("2").await.contains(r#""retCode":0"#),
        "the next one gets through"
    );
}

#[tokio::test]
async fn a_lost_reply_breaks_the_connection_after_the_effect() {
    let server = Server::start().await;
    server.plan("/v5/user/create-sub-api", Fault::ReplyLost);
    assert_eq!(server.create("1").await, "");
    assert_eq!(server.notes(), ["1"]);
}

#[tokio::test]
async fn a_throttled_request_gets_the_venues_words_and_a_time_to_come_back() {
    let server = Server::start().await;
    server.plan("/v5/user/create-sub-api", Fault::Throttled);
    let reply = server.create("1").await;
    assert!(
        reply.starts_with("HTTP/1.1 200 OK") && reply.contains(r#""retCode":10006"#),
        "{reply}"
    );
    assert!(reply.to_lowercase().contains("x-bapi-limit-status: 0"), "{reply}");
    assert_eq!(server.notes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_error_is_a_page_from_a_proxy() {
    let server = Server::start().await;
    server.plan("/v5/user/create-sub-api", Fault::ServerError);
    let reply = server.create("1").await;
    assert!(
        reply.starts_with("HTTP/1.1 502") && reply.contains("<html>"),
        "{reply}"
    );
    assert_eq!(server.notes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_fault_waits_for_a_call_of_its_path() {
    let server = Server::start().await;
    server.plan("/v5/user/create-sub-api", Fault::ServerError);
    assert!(
        server
            .get(&server.master, "/v5/user/query-api")
            .await
            .contains(r#""retCode":0"#)
    );
    assert!(server.create("1").await.starts_with("HTTP/1.1 502"));
}

#[tokio::test]
async fn a_moved_clock_is_the_servers_clock() {
    let server = Server::start().await;
    server.service.clock().advance(91 * DAY);
    assert!(
        server
            .get(&server.master, "/v5/user/query-api")
            .await
            .contains(r#""retCode":33004"#)
    );
}

#[tokio::test]
async fn another_site_of_the_same_exchange_takes_other_keys() {
    let server = Server::start().await;
    let testnet = Server::of(server.service.at(Environment::Testnet), server.master.clone()).await;
    assert!(
        testnet
            .get(&server.master, "/v5/user/query-api")
            .await
            .contains(r#""retCode":10003"#)
    );
    let key = {
        let (mut state, now) = (server.service.lock(), server.service.clock().now());
        state.model.add_parent_account(77, Environment::Testnet);
        state
            .model
            .add_master_key(77, Ips::Any, now)
            .expect("the parent is there")
    };
    assert!(
        testnet
            .get(&key, "/v5/user/query-api")
            .await
            .contains(r#""retCode":0"#)
    );
    assert!(
        server
            .get(&key, "/v5/user/query-api")
            .await
            .contains(r#""retCode":10003"#)
    );
}

#[tokio::test]
async fn the_log_has_every_call_once_without_secrets_and_signatures() {
    let server = Server::start().await;
    server.plan("/v5/user/query-api", Fault::Dropped);
    server.create("rot-1").await;
    server.get(&server.master, "/v5/user/query-api").await;
    server
        .get(
            &Credential {
                secret: KeySecret::from("wrong"),
                ..server.master.clone()
            },
            "/v5/user/query-api",
        )
        .await;
    server
        .get(
            &Credential {
                key: KeyId::from("who"),
                ..server.master.clone()
            },
            "/v5/user/query-api",
        )
        .await;
    server.get(&server.master, "/v5/nothing").await;

    let model = &mut server.service.lock().model;
    let calls = model.take_calls();
    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.path.as_str(), call.caller.is_some(), call.code, call.fault))
        .collect();
    assert_eq!(
        told,
        [
            ("/v5/user/create-sub-api", true, Some(0), None),
            ("/v5/user/query-api", true, None, Some(Fault::Dropped)),
            ("/v5/user/query-api", true, Some(10_004), None),
            ("/v5/user/query-api", false, Some(10_003), None),
            ("/v5/nothing", true, None, None),
        ]
    );
    assert!(calls[0].detail.contains("rot-1"), "{:?}", calls[0]);
    assert!(!format!("{calls:?}").contains(server.master.secret.expose()));
    assert_eq!(model.take_calls(), []);
}
