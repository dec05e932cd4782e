//! From an HTTP request to the model and back, without the network.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::codes::{METHOD, code, parameter, said};
use super::replies;
use super::requests::Asked;
use super::signature::{KEY, authenticate};
use crate::venue::{Answer, Arrived, Endpoint, Front, KeyId, ListedKey, Model, Refusal};

/// OKX on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Okx;

const TIME: &str = "/api/v5/public/time";

/// The signed endpoints.
const ROUTES: [(&str, &str, Endpoint); 5] = [
    ("POST", "/api/v5/users/subaccount/apikey", Endpoint::Issue),
    ("GET", "/api/v5/users/subaccount/apikey", Endpoint::List),
    ("POST", "/api/v5/users/subaccount/modify-apikey", Endpoint::Edit),
    ("POST", "/api/v5/users/subaccount/delete-apikey", Endpoint::Remove),
    ("GET", "/api/v5/account/config", Endpoint::Inspect),
];

impl Front for Okx {
    fn claimed_key<'a>(&self, arrived: &Arrived<'a>) -> Option<&'a str> {
        arrived.header(KEY)
    }

    fn respond(&self, model: &mut Model, arrived: &Arrived<'_>, now: Timestamp) -> Answer {
        if (arrived.method, arrived.path) == ("GET", TIME) {
            return good(&[replies::server_time(now)], String::new());
        }
        let mut routes = ROUTES
            .iter()
            .filter(|(_, path, _)| *path == arrived.path)
            .peekable();
        if routes.peek().is_none() && arrived.path != TIME {
            let status = StatusCode::NOT_FOUND;
            return Answer::plain(
                status,
                "text/plain",
                "404 page not found",
                "there is no such path",
            );
        }
        let Some((_, _, endpoint)) = routes.find(|(method, ..)| *method == arrived.method) else {
            return refused(&parameter(METHOD, "the path has another method"));
        };
        let caller = match authenticate(model, arrived, now) {
            Ok(caller) => caller,
            Err(no) => return rejected(&no),
        };
        match call(model, *endpoint, &caller, arrived, now) {
            Ok((data, detail)) => good(&data, detail),
            Err(no) => refused(&no),
        }
    }

    fn throttled(&self, _: &Model, _: &Arrived<'_>, _: Timestamp) -> Answer {
        refused(&Refusal::rate_limit())
    }
}

fn call(
    model: &mut Model,
    endpoint: Endpoint,
    caller: &KeyId,
    arrived: &Arrived<'_>,
    now: Timestamp,
) -> Result<(Vec<Value>, String), Refusal> {
    // Limits and authority come before sense.
    let asked =
        Asked::of(endpoint, arrived, model).map_err(|no| model.turn_away(caller, endpoint, no, now))?;
    match asked {
        Asked::Inspect => Ok((vec![replies::own(&model.inspect(caller, now)?)], String::new())),
        Asked::List(request, one) => {
            let page = model.list(caller, &request, now)?;
            let shown = |key: &&ListedKey| one.as_deref().is_none_or(|one| key.key.as_str() == one);
            let keys: Vec<Value> = page.keys.iter().filter(shown).map(replies::listed).collect();
            let detail = format!("listed {} keys", keys.len());
            Ok((keys, detail))
        }
        Asked::Issue(account, request) => {
            let key = model.issue(caller, request, now)?;
            let detail = format!("issued {}, label {:?}", key.credential.key, key.settings.note);
            Ok((vec![replies::created(&account, &key, now)], detail))
        }
        Asked::Edit(account, target, changes) => {
            let key = model.edit(caller, &target, &changes, now)?;
            let detail = format!("edited {}", key.key);
            Ok((vec![replies::edited(&account, &key)], detail))
        }
        Asked::Remove(account, target) => {
            model.remove(caller, &target, now)?;
            let detail = format!("deleted {}", target.key.as_ref().unwrap_or(caller));
            Ok((vec![replies::deleted(&account)], detail))
        }
    }
}

fn good(data: &[Value], detail: String) -> Answer {
    answer(
        StatusCode::OK,
        0,
        &json!({"code": "0", "data": data, "msg": ""}),
        detail,
    )
}

/// A refusal of a caller: no `data` is there, in replies that people have published.
fn rejected(no: &Refusal) -> Answer {
    let code = code(no);
    let (status, words) = said(code);
    answer(
        status,
        code,
        &json!({"code": code.to_string(), "msg": words}),
        no.why.clone(),
    )
}

fn refused(no: &Refusal) -> Answer {
    let code = code(no);
    let (status, words) = said(code);
    let body = json!({"code": code.to_string(), "data": [], "msg": words});
    answer(status, code, &body, no.why.clone())
}

fn answer(status: StatusCode, code: i64, body: &Value, detail: String) -> Answer {
    Answer {
        status,
        content_type: "application/json",
        headers: Vec::new(),
        body: body.to_string(),
        code: Some(code),
        detail,
    }
}
