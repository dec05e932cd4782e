//! A list whose cursor comes again.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Context;
use protocol::name::SecretName;
use protocol::ports::{ErrorClass, Venues, Whose};
use protocol::secret::AccountId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::exchange::Exchanges;
use crate::exchange::kit::recorded::signer;
use crate::time::InvocationTime;

/// Answers every call with the same page; so often it was asked for one.
async fn the_same_page(listener: TcpListener, asked: Arc<AtomicUsize>) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 8_192];
        let length = stream.read(&mut request).await.expect("a request");
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        asked.fetch_add(usize::from(request.contains("/sub-apikeys")), Ordering::SeqCst);
        let body = format!(
            r#"{{"retCode":0,"retMsg":"","result":{{"result":[],"nextPageCursor":"again"}},"time":{}}}"#,
            Timestamp::now().as_millisecond()
        );
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
        let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.expect("it is read");
    }
}

#[tokio::test]
async fn a_cursor_that_comes_again_ends_the_list_at_its_first_repetition() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let asked = Arc::new(AtomicUsize::new(0));
    let server = tokio::spawn(the_same_page(listener, Arc::clone(&asked)));
    let var = |name: &str| (name == "BYBIT_BASE_URL").then(|| format!("http://{address}"));
    let config = Config::from_env(var).expect("a configuration");
    let tls = crate::tls::config().expect("a TLS configuration");
    let mut context = Context::default();
    let ends = Timestamp::now() + SignedDuration::from_mins(15);
    context.deadline = u64::try_from(ends.as_millisecond()).expect("a time after 1970");
    let venues = Exchanges::new(&config, tls)
        .expect("a client")
        .within(InvocationTime::of(&context, Timestamp::now()));
    let id = SecretName::new("anything")
        .venue(Some("bybit"), Some("mainnet"))
        .expect("a venue");
    let venue = venues.venue(&id).expect("an exchange");
    let master = signer(Whose::Master, None);
    let error = venue
        .list(&master, &AccountId::new("53888000"))
        .await
        .expect_err("it has no end");
    assert_eq!(error.class, ErrorClass::UnknownOutcome);
    assert!(error.say.contains("does not end"), "{}", error.say);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    server.abort();
}
