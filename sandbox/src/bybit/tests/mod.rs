//! What Bybit looks like on the wire, over the exchange that the core's tests play on.

mod auth;
mod http;
mod wire;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use super::Bybit;
use super::signature::sign;
use crate::venue::tests::{DAY, HOME, PARENT, SUB, World, asking, requested};
use crate::venue::{Answer, Arrived, Credential, Environment, Front, IssueRequest, KeyId};

/// A request from home, signed unless a test takes that away.
struct Sent {
    method: &'static str,
    path: &'static str,
    query: String,
    body: String,
    headers: HeaderMap,
}

impl Sent {
    fn get(world: &World, by: &Credential, path: &'static str, query: &str) -> Self {
        let headers = signed(world, by, query);
        Self {
            method: "GET",
            path,
            query: query.to_owned(),
            body: String::new(),
            headers,
        }
    }

    fn post(world: &World, by: &Credential, path: &'static str, body: &str) -> Self {
        let headers = signed(world, by, body);
        Self {
            method: "POST",
            path,
            query: String::new(),
            body: body.to_owned(),
            headers,
        }
    }

    fn answer(&self, world: &mut World) -> Answer {
        let arrived = Arrived {
            method: self.method,
            path: self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.as_bytes(),
            address: HOME,
            environment: Environment::Mainnet,
        };
        Bybit.respond(&mut world.model, &arrived, world.now)
    }

    fn envelope(&self, world: &mut World) -> Value {
        let answer = self.answer(world);
        assert_eq!(answer.status, StatusCode::OK);
        serde_json::from_str(&answer.body).expect("an envelope is JSON")
    }
}

fn signed(world: &World, by: &Credential, payload: &str) -> HeaderMap {
    let timestamp = world.now.as_millisecond().to_string();
    let signature = sign(&by.secret, &timestamp, &by.key, "5000", payload.as_bytes());
    let value = |text: &str| HeaderValue::from_str(text).expect("plain text");
    let mut headers = HeaderMap::new();
    headers.insert("X-BAPI-API-KEY", value(by.key.as_str()));
    headers.insert("X-BAPI-TIMESTAMP", value(&timestamp));
    headers.insert("X-BAPI-RECV-WINDOW", value("5000"));
    headers.insert("X-BAPI-SIGN", value(&signature));
    headers
}

/// The code and the words of a reply.
fn said(reply: &Value) -> (i64, &str) {
    let code = reply["retCode"].as_i64().expect("a code is a number");
    (code, reply["retMsg"].as_str().expect("words are text"))
}
