//! What OKX looks like on the wire, over the exchange that the core's tests play on.

mod auth;
mod http;
mod refusals;
mod wire;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::signature::sign;
use super::{Okx, PROFILE};
use crate::venue::tests::{HOME, OTHER_SUB, PARENT, STRANGERS_SUB, SUB, World};
use crate::venue::{
    Answer, Arrived, Credential, Environment, Front, Ips, KeyId, Knobs, Passphrase, Permissions, Settings,
};

const KEYS: &str = "/api/v5/users/subaccount/apikey";
const MODIFY: &str = "/api/v5/users/subaccount/modify-apikey";
const DELETE: &str = "/api/v5/users/subaccount/delete-apikey";
const CONFIG: &str = "/api/v5/account/config";
const TIME: &str = "/api/v5/public/time";

/// The exchange with its accounts' names, and a master key that is bound to home.
fn world() -> World {
    world_with(Knobs::default())
}

fn world_with(knobs: Knobs) -> World {
    let mut world = World::of(&PROFILE, knobs);
    for (uid, name) in [(SUB, "desk01"), (OTHER_SUB, "desk02"), (STRANGERS_SUB, "theirs1")] {
        world.model.name_account(uid, name).expect("the account is there");
    }
    world.master = master(&mut world, Ips::only([HOME]));
    world
}

fn master(world: &mut World, ips: Ips) -> Credential {
    let made = world.model.add_master_key(PARENT, ips, world.now);
    made.expect("the parent is there")
}

/// A key of the first sub-account, made by hand.
fn sub_key(world: &mut World) -> Credential {
    let settings = Settings {
        note: "byhand".to_owned(),
        read_only: false,
        ips: Ips::Any,
        permissions: Permissions::of(&[("perm", &["read_only", "trade"])]),
    };
    let made = world.model.create_key_by_hand(SUB, settings, world.now);
    made.expect("the account is there")
}

/// A request from home, signed by its headers unless a test takes one away.
struct Sent {
    method: &'static str,
    path: &'static str,
    query: String,
    body: String,
    headers: HeaderMap,
}

impl Sent {
    fn get(world: &World, by: &Credential, path: &'static str, query: &str) -> Self {
        Self::signed(world, by, "GET", path, query, "")
    }

    fn post(world: &World, by: &Credential, path: &'static str, body: &str) -> Self {
        Self::signed(world, by, "POST", path, "", body)
    }

    fn signed(
        world: &World,
        by: &Credential,
        method: &'static str,
        path: &'static str,
        query: &str,
        body: &str,
    ) -> Self {
        let mut sent = Self {
            method,
            path,
            query: query.to_owned(),
            body: body.to_owned(),
            headers: HeaderMap::new(),
        };
        let time = format!("{:.3}", world.now);
        let signature = sign(&by.secret, &time, &sent.arrived());
        let passphrase = by.passphrase.as_ref().map_or("", Passphrase::expose);
        for (name, text) in [
            ("Content-Type", "application/json"),
            ("OK-ACCESS-KEY", by.key.as_str()),
            ("OK-ACCESS-SIGN", &signature),
            ("OK-ACCESS-TIMESTAMP", &time),
            ("OK-ACCESS-PASSPHRASE", passphrase),
        ] {
            sent.headers
                .insert(name, HeaderValue::from_str(text).expect("plain text"));
        }
        sent
    }

    fn with(mut self, name: &'static str, text: &str) -> Self {
        self.headers
            .insert(name, HeaderValue::from_str(text).expect("plain text"));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    fn arrived(&self) -> Arrived<'_> {
        Arrived {
            method: self.method,
            path: self.path,
            query: &self.query,
            headers: &self.headers,
            body: self.body.as_bytes(),
            address: HOME,
            environment: Environment::Mainnet,
        }
    }

    fn answer(&self, world: &mut World) -> Answer {
        Okx.respond(&mut world.model, &self.arrived(), world.now)
    }

    /// What comes back if all is well: the one element of `data`.
    fn only(&self, world: &mut World) -> Value {
        let data = self.data(world);
        assert_eq!(data.as_array().map(Vec::len), Some(1), "{data}");
        data[0].clone()
    }

    fn data(&self, world: &mut World) -> Value {
        let answer = self.answer(world);
        let reply: Value = serde_json::from_str(&answer.body).expect("a reply is JSON");
        assert_eq!(answer.status, StatusCode::OK, "{reply}");
        assert_eq!(
            (&reply["code"], &reply["msg"]),
            (&json!("0"), &json!("")),
            "{reply}"
        );
        reply["data"].clone()
    }

    /// The status and the code of a refusal, which has words and the fields that it has to have.
    fn refused(&self, world: &mut World) -> (u16, String) {
        let answer = self.answer(world);
        let reply: Value = serde_json::from_str(&answer.body).expect("a reply is JSON");
        let code = reply["code"].as_str().expect("a code is text").to_owned();
        assert_ne!(code, "0", "{reply}");
        assert_eq!(answer.code.map(|code| code.to_string()), Some(code.clone()));
        let rejected = answer.status == StatusCode::UNAUTHORIZED;
        let expected = if rejected {
            json!({"code": code, "msg": reply["msg"]})
        } else {
            json!({"code": code, "data": [], "msg": reply["msg"]})
        };
        assert_eq!(reply, expected);
        assert!(reply["msg"].as_str().is_some_and(|words| !words.is_empty()));
        (answer.status.as_u16(), code)
    }
}

/// The body of a creation, changed.
fn create(change: impl FnOnce(&mut Value)) -> String {
    let mut body = json!({
        "subAcct": "desk01", "label": "rot1", "passphrase": "Aa1!aaaa", "perm": "read_only,trade",
        "ip": "203.0.113.7",
    });
    change(&mut body);
    body.to_string()
}

/// Calls as the master, a second after whatever was before.
fn asked(world: &mut World, path: &'static str, body: &str) -> Sent {
    world.now += SignedDuration::from_secs(1);
    let master = world.master.clone();
    Sent::post(world, &master, path, body)
}

/// The credential of a key that was created with this label.
fn created(world: &mut World, label: &str) -> Credential {
    let body = create(|body| body["label"] = label.into());
    let key = asked(world, KEYS, &body).only(world);
    let text = |name: &str| key[name].as_str().expect("it is text").to_owned();
    Credential {
        key: KeyId::from(text("apiKey").as_str()),
        secret: text("secretKey").as_str().into(),
        passphrase: Some(text("passphrase").as_str().into()),
    }
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
