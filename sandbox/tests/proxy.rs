//! The proxy: what a client sees of each fault, and whether the service has done what was asked.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::time::{Duration, Instant};

use sandbox::local::{Local, Venue};
use sandbox::proxy::{Effect, Fault, Proxy, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Whether what a client saw is what was to be seen.
type Seen = fn(&str) -> bool;

const LATER: Duration = Duration::from_millis(200);

/// What a client sees who asks for Bybit's time, until the connection is closed.
async fn ask(proxy: &Proxy) -> String {
    let variables = proxy.environment();
    let (_, url) = variables
        .variables()
        .iter()
        .find(|(name, _)| name == "BYBIT_BASE_URL")
        .unwrap();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    stream
        .write_all(b"GET /v5/market/time?a=b HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut seen = String::new();
    stream.read_to_string(&mut seen).await.unwrap();
    seen
}

#[tokio::test]
async fn each_fault_is_what_its_name_says() {
    let whole =
        |seen: &str| seen.starts_with("HTTP/1.1 200 ") && seen.ends_with('}') && seen.contains("timeSecond");
    let nothing = |seen: &str| seen.is_empty();
    let half = |seen: &str| seen.contains("\r\n\r\n{") && !seen.ends_with('}');
    let page = |seen: &str| seen.starts_with("HTTP/1.1 200 ") && seen.contains("<html>");
    let unavailable = |seen: &str| seen.starts_with("HTTP/1.1 503 ");
    let cases: [(Fault, Seen, usize); 11] = [
        (Fault::Killed(Effect::None), nothing, 0),
        (Fault::Killed(Effect::Done), nothing, 1),
        (Fault::Dropped(Effect::None), nothing, 0),
        (Fault::Dropped(Effect::Done), nothing, 1),
        (Fault::Truncated, half, 1),
        (Fault::Delayed(Effect::None, LATER), whole, 1),
        (Fault::Delayed(Effect::Done, LATER), whole, 1),
        (Fault::Replaced(Effect::None, Reply::Page), page, 0),
        (Fault::Replaced(Effect::Done, Reply::Page), page, 1),
        (Fault::Replaced(Effect::None, Reply::Unavailable), unavailable, 0),
        (Fault::Replaced(Effect::Done, Reply::Unavailable), unavailable, 1),
    ];
    for (fault, expected, effects) in cases {
        let local = Local::start(Venue::Bybit, 0, 0).await.unwrap();
        let proxy = Proxy::start(&local, Some((1, fault))).await.unwrap();
        assert!(whole(&ask(&proxy).await), "{fault:?}: the request before");
        local.venue.lock().model.take_calls();
        let began = Instant::now();
        let seen = ask(&proxy).await;
        assert!(expected(&seen), "{fault:?}: {seen}");
        assert_eq!(
            began.elapsed() >= LATER,
            matches!(fault, Fault::Delayed(..)),
            "{fault:?}"
        );
        assert_eq!(local.venue.lock().model.take_calls().len(), effects, "{fault:?}");
        assert!(whole(&ask(&proxy).await), "{fault:?}: the request after");
        assert_eq!(proxy.arrived(), ["GET /v5/market/time"; 3]);
    }
}

#[tokio::test]
async fn a_request_that_is_held_back_takes_effect_though_its_sender_has_gone() {
    let local = Local::start(Venue::Bybit, 0, 0).await.unwrap();
    let proxy = Proxy::start(&local, Some((0, Fault::Delayed(Effect::None, LATER))))
        .await
        .unwrap();
    tokio::time::timeout(LATER / 4, ask(&proxy)).await.unwrap_err();
    assert!(local.venue.lock().model.take_calls().is_empty());
    proxy.at_rest().await;
    assert_eq!(local.venue.lock().model.take_calls().len(), 1);
}
