//! From an HTTP request to the model and back, without the network.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::SignedRequest;
use super::credential::KeyId;
use super::edit::{UpdateApi, UpdateSubApi};
use super::inspect::SubApikeys;
use super::issue::CreateSubApi;
use super::model::{Environment, Model, Uid};
use super::permissions::Requested;
use super::rate::{Endpoint, Rate};
use super::refusal::Refusal;
use super::remove::DeleteSubApi;
use super::replies;

/// A request as it came in.
pub(super) struct Arrived<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) address: IpAddr,
    pub(super) environment: Environment,
}

/// What goes back, and what the log says of it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) rate: Option<Rate>,
    pub(super) ret_code: Option<i64>,
    pub(super) detail: String,
}

const MARKET_TIME: &str = "/v5/market/time";

/// Answers a request. Failures are HTTP 200 with a code in the envelope, as at the venue, but for a path that
/// isn't there and a request that isn't signed.
pub(super) fn respond(model: &mut Model, arrived: &Arrived<'_>, now: Timestamp) -> Answer {
    if (arrived.method, arrived.path) == ("GET", MARKET_TIME) {
        let result = replies::server_time(model.server_time(now));
        return Answer::envelope(0, "OK", &result, None, String::new(), now);
    }
    let Some(endpoint) = Endpoint::of(arrived.method, arrived.path) else {
        return Answer::plain(
            StatusCode::NOT_FOUND,
            "text/plain",
            "404 page not found",
            "there is no such path",
        );
    };
    let Some(request) = arrived.signed() else {
        return Answer::plain(
            StatusCode::UNAUTHORIZED,
            "text/plain",
            "",
            "the request is not signed",
        );
    };
    let caller = match model.authenticate(&request, now) {
        Ok(caller) => caller,
        Err(refusal) => return Answer::refusal(refusal, None, now),
    };
    let outcome = call(model, endpoint, &caller, arrived, now);
    let rate = model.rate(&caller, endpoint, now);
    match outcome {
        // The key endpoints' samples have an empty message, not "OK".
        Ok((result, detail)) => Answer::envelope(0, "", &result, rate, detail, now),
        Err(refusal) => Answer::refusal(refusal, rate, now),
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
        Endpoint::CreateSubApi => {
            let key = model.create_sub_api(caller, body::<CreateBody>(arrived.body)?.into(), now)?;
            let detail = format!("issued {}, note {:?}", key.credential.key, key.note);
            Ok((replies::created(&key), detail))
        }
        Endpoint::SubApikeys => {
            let page = model.sub_apikeys(caller, &page_asked_for(arrived.query)?, now)?;
            Ok((replies::page(&page), format!("listed {} keys", page.keys.len())))
        }
        Endpoint::QueryApi => Ok((replies::own(&model.query_api(caller, now)?), String::new())),
        Endpoint::UpdateSubApi => {
            let key = model.update_sub_api(caller, &body::<UpdateSubBody>(arrived.body)?.into(), now)?;
            Ok((replies::updated(&key), format!("edited {}", key.key)))
        }
        Endpoint::DeleteSubApi => {
            let request: DeleteSubApi = body::<DeleteSubBody>(arrived.body)?.into();
            model.delete_sub_api(caller, &request, now)?;
            Ok((
                json!({}),
                format!("deleted {}", request.key.as_ref().unwrap_or(caller)),
            ))
        }
        Endpoint::UpdateApi => {
            let key = model.update_api(caller, &body::<UpdateBody>(arrived.body)?.into(), now)?;
            Ok((replies::updated(&key), format!("edited {}", key.key)))
        }
        Endpoint::DeleteApi => {
            model.delete_api(caller, now)?;
            Ok((json!({}), format!("deleted {caller}")))
        }
    }
}

impl Arrived<'_> {
    /// The caller's key as it names it, if there is such a key.
    pub(super) fn claimed_key(&self, model: &Model) -> Option<KeyId> {
        model
            .key(&KeyId::from(self.header("x-bapi-api-key")?))
            .map(|key| key.key)
    }

    fn signed(&self) -> Option<SignedRequest<'_>> {
        Some(SignedRequest {
            key: self.header("x-bapi-api-key")?,
            timestamp: self.header("x-bapi-timestamp")?,
            recv_window: self.header("x-bapi-recv-window"),
            signature: self.header("x-bapi-sign")?,
            payload: if self.method == "GET" {
                self.query.as_bytes()
            } else {
                self.body
            },
            address: self.address,
            environment: self.environment,
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Answer {
    /// The venue's own words for "not now", as a planned fault.
    pub(super) fn throttled(path: &str, now: Timestamp) -> Self {
        let limit = ["GET", "POST"]
            .iter()
            .find_map(|method| Endpoint::of(method, path))
            .map_or(10, Endpoint::limit);
        let rate = Rate {
            limit,
            left: 0,
            resets_at: now + SignedDuration::from_secs(1),
        };
        Self::refusal(Refusal::rate_limit(), Some(rate), now)
    }

    /// What a proxy in front of the venue says when the venue does not answer.
    pub(super) fn bad_gateway() -> Self {
        let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad \
                    Gateway</h1></body>\n</html>\n";
        Self::plain(StatusCode::BAD_GATEWAY, "text/html", page, "")
    }

    fn refusal(refusal: Refusal, rate: Option<Rate>, now: Timestamp) -> Self {
        Self::envelope(
            refusal.ret_code,
            &refusal.ret_msg,
            &json!({}),
            rate,
            refusal.why,
            now,
        )
    }

    fn envelope(
        ret_code: i64,
        ret_msg: &str,
        result: &Value,
        rate: Option<Rate>,
        detail: String,
        now: Timestamp,
    ) -> Self {
        let time = now.as_millisecond();
        let body =
            json!({"retCode": ret_code, "retMsg": ret_msg, "result": result, "retExtInfo": {}, "time": time})
                .to_string();
        let content_type = "application/json; charset=utf-8";
        Self {
            status: StatusCode::OK,
            content_type,
            body,
            rate,
            ret_code: Some(ret_code),
            detail,
        }
    }

    fn plain(status: StatusCode, content_type: &'static str, body: &str, detail: &str) -> Self {
        Self {
            status,
            content_type,
            body: body.to_owned(),
            rate: None,
            ret_code: None,
            detail: detail.to_owned(),
        }
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

impl From<CreateBody> for CreateSubApi {
    fn from(body: CreateBody) -> Self {
        let CreateBody {
            sub_uid,
            note,
            read_only,
            ips,
            permissions,
        } = body;
        Self {
            sub_uid,
            note,
            read_only: read_only.0,
            ips,
            permissions,
        }
    }
}

impl From<UpdateSubBody> for UpdateSubApi {
    fn from(body: UpdateSubBody) -> Self {
        let UpdateSubBody {
            key,
            read_only,
            ips,
            permissions,
        } = body;
        Self {
            key: key.as_deref().map(KeyId::from),
            read_only: read_only.map(|flag| flag.0),
            ips,
            permissions,
        }
    }
}

impl From<UpdateBody> for UpdateApi {
    fn from(body: UpdateBody) -> Self {
        let UpdateBody {
            read_only,
            ips,
            permissions,
        } = body;
        Self {
            read_only: read_only.map(|flag| flag.0),
            ips: ips.map(|ips| ips.to_string()),
            permissions,
        }
    }
}

impl From<DeleteSubBody> for DeleteSubApi {
    fn from(body: DeleteSubBody) -> Self {
        Self {
            key: body.key.as_deref().map(KeyId::from),
        }
    }
}

/// An empty body counts as `{}`: clients differ in what they send where there is nothing to say.
fn body<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Refusal::parameter(error.to_string()))
}

/// None of the values that a page is asked for with needs percent-encoding.
fn page_asked_for(query: &str) -> Result<SubApikeys, Refusal> {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let no_number = |_| Refusal::parameter("subMemberId and limit are numbers");
    let sub_uid = value("subMemberId").ok_or_else(|| Refusal::parameter("subMemberId is missing"))?;
    Ok(SubApikeys {
        sub_uid: sub_uid.parse().map_err(no_number)?,
        limit: value("limit").map(str::parse).transpose().map_err(no_number)?,
        cursor: value("cursor").map(str::to_owned),
    })
}
