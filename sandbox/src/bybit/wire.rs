//! From an HTTP request to the model and back, without the network.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::codes::said;
use super::replies;
use super::signature::{KEY, Signed};
use crate::venue::{
    Answer, Arrived, Changes, Endpoint, Front, IssueRequest, KeyId, ListRequest, Model, Rate, Refusal,
    Requested, Target, Uid,
};

/// Bybit on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Bybit;

const MARKET_TIME: &str = "/v5/market/time";

/// The signed endpoints.
const ROUTES: [(&str, &str, Endpoint); 7] = [
    ("POST", "/v5/user/create-sub-api", Endpoint::Issue),
    ("GET", "/v5/user/sub-apikeys", Endpoint::List),
    ("GET", "/v5/user/query-api", Endpoint::Inspect),
    ("POST", "/v5/user/update-sub-api", Endpoint::Edit),
    ("POST", "/v5/user/delete-sub-api", Endpoint::Remove),
    ("POST", "/v5/user/update-api", Endpoint::EditOwn),
    ("POST", "/v5/user/delete-api", Endpoint::RemoveOwn),
];

impl Front for Bybit {
    fn claimed_key<'a>(&self, arrived: &Arrived<'a>) -> Option<&'a str> {
        arrived.header(KEY)
    }

    /// Failures are HTTP 200 with a code in the envelope, as at the venue, but for a path that isn't there
    /// and a request that isn't signed.
    fn respond(&self, model: &mut Model, arrived: &Arrived<'_>, now: Timestamp) -> Answer {
        if (arrived.method, arrived.path) == ("GET", MARKET_TIME) {
            return envelope((0, "OK"), &replies::server_time(now), None, String::new(), now);
        }
        let route = ROUTES
            .iter()
            .find(|(method, path, _)| *method == arrived.method && *path == arrived.path);
        let Some((_, _, endpoint)) = route else {
            let status = StatusCode::NOT_FOUND;
            return Answer::plain(
                status,
                "text/plain",
                "404 page not found",
                "there is no such path",
            );
        };
        let Some(signed) = Signed::of(arrived) else {
            let status = StatusCode::UNAUTHORIZED;
            return Answer::plain(status, "text/plain", "", "the request is not signed");
        };
        let caller = match signed.authenticate(model, arrived, now) {
            Ok(caller) => caller,
            Err(no) => {
                let (code, words) = signed.said(&no, model, now);
                return envelope((code, &words), &json!({}), None, no.why, now);
            }
        };
        let outcome = call(model, *endpoint, &caller, arrived, now);
        let rate = model.rate(&caller, *endpoint, now);
        match outcome {
            // The key endpoints' samples have an empty message, not "OK".
            Ok((result, detail)) => envelope((0, ""), &result, rate, detail, now),
            Err(no) => refused(no, rate, now),
        }
    }

    fn throttled(&self, model: &Model, arrived: &Arrived<'_>, now: Timestamp) -> Answer {
        let route = ROUTES.iter().find(|(_, path, _)| *path == arrived.path);
        let rate = Rate {
            limit: route.map_or(10, |(_, _, endpoint)| (model.profile().limit)(*endpoint).calls),
            left: 0,
            resets_at: now + SignedDuration::from_secs(1),
        };
        refused(Refusal::rate_limit(), Some(rate), now)
    }
}

fn call(
    model: &mut Model,
    endpoint: Endpoint,
    caller: &KeyId,
    arrived: &Arrived<'_>,
    now: Timestamp,
) -> Result<(Value, String), Refusal> {
    match endpoint {
        Endpoint::Issue => {
            let key = model.issue(caller, body::<CreateBody>(arrived.body)?.into(), now)?;
            let detail = format!("issued {}, note {:?}", key.credential.key, key.settings.note);
            Ok((replies::created(&key), detail))
        }
        Endpoint::List => {
            let page = model.list(caller, &page_asked_for(arrived.query)?, now)?;
            let detail = format!("listed {} keys", page.keys.len());
            Ok((replies::page(&page, now), detail))
        }
        Endpoint::Inspect => Ok((replies::own(&model.inspect(caller, now)?, now), String::new())),
        Endpoint::Edit => {
            let (target, changes) = body::<UpdateSubBody>(arrived.body)?.edit();
            let key = model.edit(caller, &target, &changes, now)?;
            Ok((replies::updated(&key), format!("edited {}", key.key)))
        }
        Endpoint::Remove => {
            let named = body::<DeleteSubBody>(arrived.body)?.key;
            let target = target(named.as_deref());
            model.remove(caller, &target, now)?;
            let detail = format!("deleted {}", target.key.as_ref().unwrap_or(caller));
            Ok((json!({}), detail))
        }
        Endpoint::EditOwn => {
            let key = model.edit_own(caller, &body::<UpdateBody>(arrived.body)?.into(), now)?;
            Ok((replies::updated(&key), format!("edited {}", key.key)))
        }
        Endpoint::RemoveOwn => {
            model.remove_own(caller, now)?;
            Ok((json!({}), format!("deleted {caller}")))
        }
    }
}

fn refused(no: Refusal, rate: Option<Rate>, now: Timestamp) -> Answer {
    let (code, words) = said(&no);
    envelope((code, &words), &json!({}), rate, no.why, now)
}

fn envelope(
    (code, words): (i64, &str),
    result: &Value,
    rate: Option<Rate>,
    detail: String,
    now: Timestamp,
) -> Answer {
    let time = now.as_millisecond();
    let body = json!({"retCode": code, "retMsg": words, "result": result, "retExtInfo": {}, "time": time});
    let limits = rate.map(|rate| {
        [
            ("X-Bapi-Limit", rate.limit.to_string()),
            ("X-Bapi-Limit-Status", rate.left.to_string()),
            (
                "X-Bapi-Limit-Reset-Timestamp",
                rate.resets_at.as_millisecond().to_string(),
            ),
        ]
    });
    Answer {
        status: StatusCode::OK,
        content_type: "application/json; charset=utf-8",
        headers: limits.into_iter().flatten().collect(),
        body: body.to_string(),
        code: Some(code),
        detail,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateBody {
    #[serde(rename = "subuid")]
    sub_uid: Uid,
    note: Option<String>,
    read_only: Flag,
    ips: Option<String>,
    permissions: Requested,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateSubBody {
    #[serde(rename = "apikey")]
    key: Option<String>,
    read_only: Option<Flag>,
    ips: Option<String>,
    permissions: Option<Requested>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateBody {
    read_only: Option<Flag>,
    ips: Option<Value>,
    permissions: Option<Requested>,
}

#[derive(Deserialize)]
struct DeleteSubBody {
    #[serde(rename = "apikey")]
    key: Option<String>,
}

/// `readOnly` in requests: 0 or 1, never a boolean.
#[derive(Deserialize)]
#[serde(try_from = "u8")]
struct Flag(bool);

impl TryFrom<u8> for Flag {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self(false)),
            1 => Ok(Self(true)),
            _ => Err("readOnly is 0 or 1"),
        }
    }
}

impl From<CreateBody> for IssueRequest {
    fn from(body: CreateBody) -> Self {
        Self {
            account: body.sub_uid,
            note: body.note.unwrap_or_default(),
            read_only: body.read_only.0,
            addresses: body.ips.as_deref().map(addresses).unwrap_or_default(),
            permissions: body.permissions,
            passphrase: None,
            pair: false,
        }
    }
}

impl UpdateSubBody {
    fn edit(self) -> (Target, Changes) {
        let changes = Changes {
            note: None,
            read_only: self.read_only.map(|flag| flag.0),
            addresses: self.ips.as_deref().map(addresses),
            permissions: self.permissions,
        };
        (target(self.key.as_deref()), changes)
    }
}

impl From<UpdateBody> for Changes {
    /// Gone from the documentation in 2026: a master key's addresses can't be changed through the API.
    /// Unverified: whether naming them is refused, as here, or ignored.
    fn from(body: UpdateBody) -> Self {
        Self {
            note: None,
            read_only: body.read_only.map(|flag| flag.0),
            addresses: body.ips.map(|_| Vec::new()),
            permissions: body.permissions,
        }
    }
}

fn target(key: Option<&str>) -> Target {
    Target {
        account: None,
        key: key.map(KeyId::from),
        passphrase: None,
    }
}

/// `ips` in requests: a string with commas; absent or `*` means unbound. An empty string is read as absent:
/// the reading that a careless caller would regret, since nothing says that it is refused.
fn addresses(ips: &str) -> Vec<String> {
    match ips.trim() {
        "" | "*" => Vec::new(),
        list => list.split(',').map(str::to_owned).collect(),
    }
}

/// An empty body counts as `{}`: clients differ in what they send where there is nothing to say.
fn body<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Refusal::parameter(error.to_string()))
}

/// None of the values that a page is asked for with needs percent-encoding.
fn page_asked_for(query: &str) -> Result<ListRequest, Refusal> {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let no_number = |_| Refusal::parameter("subMemberId and limit are numbers");
    let sub_uid = value("subMemberId").ok_or_else(|| Refusal::parameter("subMemberId is missing"))?;
    Ok(ListRequest {
        account: sub_uid.parse().map_err(no_number)?,
        limit: value("limit").map(str::parse).transpose().map_err(no_number)?,
        cursor: value("cursor").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn empty_and_starred_addresses_mean_unbound() {
        for ips in ["*", "", " * "] {
            assert!(addresses(ips).is_empty(), "{ips:?}");
        }
        assert_eq!(addresses("203.0.113.7,198.51.100.1").len(), 2);
        assert_eq!(
            addresses("203.0.113.7,").len(),
            2,
            "the second is none, and refused"
        );
    }
}
