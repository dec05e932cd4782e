//! Any bytes as the venue's reply.

use std::collections::BTreeSet;
use std::fmt::Debug;

use exchange_key_rotation::exchange::bybit::BybitWire;
use exchange_key_rotation::exchange::kit::answer::{Answer, KeyPage, ServerTime, understood};
use protocol::ports::{IssuedKey, KeyState, Whose};
use protocol::secret::{AccountId, Addresses, KeyId};
use sandbox::in_process::silence::heard;
use sandbox::leak::found;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;

use crate::json::{field, fields, string};
use crate::text::{filled_in, headed};

/// Stands for `<secret>`.
const SECRET: &str = "zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO";
/// Stands for `<key>`.
const KEY: &str = "AbCdEfGhIjKlMnOpQr";
/// Our time when the reply came: 2026-03-01T12:00:00Z in milliseconds.
const NOW: i64 = 1_772_366_400_000;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// The codes that say that a credential is bad. Source: Bybit's error codes.
const REJECTIONS: [i64; 5] = [-2015, 10_003, 10_004, 10_007, 33_004];

/// A reply is understood as an answer where it has the documented form, and as an error of a class that it
/// gives a reason for otherwise, to whichever call it comes; neither says what is secret in it. The first
/// line of the bytes is the HTTP status, the rest is the reply's body.
///
/// # Panics
/// Where that does not hold.
pub fn reply(bytes: &[u8]) {
    let (words, body) = headed(bytes);
    let status = words
        .first()
        .and_then(|status| status.parse().ok())
        .unwrap_or(200);
    let body = filled_in(body, &[("<secret>", SECRET), ("<key>", KEY)]);
    let reply = Reply {
        status,
        body: &body,
        envelope: std::str::from_utf8(&body).ok().and_then(envelope),
    };
    if let Some(state) = reply.as_answer_to::<KeyState>() {
        reply.is_own_key(&state);
    }
    if let Some(page) = reply.as_answer_to::<KeyPage>() {
        reply.is_page(&page);
    }
    if let Some(issued) = reply.as_answer_to::<IssuedKey>() {
        reply.is_created(&issued);
    }
    // update-sub-api and delete-sub-api.
    reply.as_answer_to::<()>();
    if let Some(time) = reply.as_answer_to::<ServerTime>() {
        let offset = time.ahead_of(NOW);
        let there = reply.envelope.as_ref().and_then(|envelope| envelope.time);
        let expected = there
            .and_then(|time| time.checked_sub(NOW))
            .filter(|offset| (-DAY..=DAY).contains(offset));
        assert_eq!(offset, expected, "a clock is set by a time of {there:?}");
    }
}

struct Reply<'a> {
    status: u16,
    body: &'a [u8],
    envelope: Option<Envelope<'a>>,
}

/// The documented form of any reply.
struct Envelope<'a> {
    code: i64,
    result: Option<&'a str>,
    time: Option<i64>,
}

fn envelope(body: &str) -> Option<Envelope<'_>> {
    let fields = fields(body)?;
    let number = |name| field(&fields, name).and_then(|raw| raw.parse().ok());
    Some(Envelope {
        code: number("retCode")?,
        result: field(&fields, "result"),
        time: number("time"),
    })
}

impl Reply<'_> {
    fn as_answer_to<A: Answer<BybitWire> + Debug>(&self) -> Option<A> {
        let (answer, logged) = heard(|| understood::<BybitWire, A>(self.status, self.body, NOW));
        let (said, answer) = match answer {
            Ok(answer) => {
                let code = self.envelope.as_ref().map(|envelope| envelope.code);
                assert_eq!(code, Some(0), "an answer out of what is no success");
                assert!(
                    (200..300).contains(&self.status),
                    "an answer out of HTTP {}",
                    self.status
                );
                (format!("{answer:?} {answer:#?}"), Some(answer))
            }
            Err(failed) => {
                let debugged = format!("{failed:?}");
                let error = failed.error(Whose::Master);
                if error.class.is_rejection() {
                    let code = self.envelope.as_ref().map(|envelope| envelope.code);
                    let documented =
                        code.is_some_and(|code| REJECTIONS.contains(&code)) || self.status == 401;
                    assert!(documented, "a credential is called bad without a reason: {error}");
                }
                (format!("{debugged} {error} {error:?} {error:#?}"), None)
            }
        };
        let secrets = found([SECRET, KEY], &format!("{said} {logged}"));
        assert!(secrets.is_empty(), "{secrets:?} was said: {said} {logged}");
        answer
    }

    fn result(&self) -> Vec<(String, &str)> {
        let result = self
            .envelope
            .as_ref()
            .and_then(|envelope| envelope.result)
            .and_then(fields);
        result.expect("an answer has a result, which is an object")
    }

    fn is_own_key(&self, state: &KeyState) {
        let own = self.result();
        let user_id = field(&own, "userID").expect("the key's account");
        let user_id = string(user_id).unwrap_or_else(|| user_id.to_owned());
        let number: u64 = user_id.parse().expect("an account has a number");
        let account = state.account.named().map(AccountId::as_str);
        assert_eq!(account, Some(number.to_string().as_str()));
        let is_master = field(&own, "isMaster").is_some_and(|raw| raw == "true");
        assert_eq!(state.is_master, is_master);
        is_described(&own, state.powers.forbidden().is_empty());
    }

    fn is_page(&self, page: &KeyPage) {
        let result = self.result();
        let keys = field(&result, "result").expect("the list of keys");
        let keys: Option<Vec<&RawValue>> = serde_json::from_str(keys).expect("a list");
        let keys = keys.unwrap_or_default();
        let has_id = |raw: &&&RawValue| id_of(raw).is_some();
        let keys: Vec<&&RawValue> = keys.iter().filter(has_id).collect();
        assert_eq!(keys.len(), page.list.keys.len(), "keys were lost or made up");
        let time = self
            .envelope
            .as_ref()
            .and_then(|envelope| envelope.time)
            .expect("the time of the list");
        assert_eq!(page.list.as_of.as_millisecond(), time);
        for (raw, key) in keys.iter().zip(&page.list.keys) {
            assert_eq!(id_of(raw).as_deref(), Some(key.key_id.expose()));
            if key.powers.unknown == ["permissions that cannot be read"] {
                // One in a form that is not documented: it is left alone.
                assert!(!key.expired && key.addresses == Addresses::Any && key.marker.is_none());
                assert_eq!(key.created_at, page.list.as_of);
                continue;
            }
            let listed = fields(raw.get()).expect("a key that is read is an object");
            assert_eq!(field(&listed, "status") == Some("2"), key.expired);
            is_described(&listed, key.powers.forbidden().is_empty());
        }
    }

    fn is_created(&self, issued: &IssuedKey) {
        let created = self.result();
        let text = |name| {
            field(&created, name)
                .and_then(string)
                .expect("a key has both halves")
        };
        let (key, secret) = (text("apiKey"), text("secret"));
        assert_eq!(issued.credential.key_id.expose(), key);
        assert!(
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "no header can hold this key id"
        );
        assert_eq!(issued.credential.secret.expose_secret(), secret);
        assert!(
            !secret.is_empty() && secret.trim() == secret,
            "no value can hold this secret"
        );
    }
}

/// The id of a key in a list, where it has one that can be used.
fn id_of(raw: &RawValue) -> Option<String> {
    let listed = fields(raw.get())?;
    field(&listed, "apiKey")
        .and_then(string)
        .filter(|id| KeyId::parse(id).is_ok())
}

/// What query-api and sub-apikeys both say of a key.
fn is_described(key: &[(String, &str)], harmless: bool) {
    let read_only = field(key, "readOnly").expect("whether it only reads");
    assert!(
        ["0", "1", "true", "false"].contains(&read_only),
        "readOnly is {read_only}"
    );
    let groups = fields(field(key, "permissions").expect("its permissions")).expect("groups of permissions");
    let names: BTreeSet<&String> = groups.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names.len(),
        groups.len(),
        "one of two groups of one name was lost"
    );
    let values = |raw| {
        serde_json::from_str::<Option<Vec<String>>>(raw)
            .expect("a group is a list of words")
            .unwrap_or_default()
    };
    let moves_funds = groups
        .iter()
        .any(|(name, raw)| name == "Wallet" && !values(raw).is_empty());
    assert!(
        !(moves_funds && harmless),
        "a key that moves funds passes for one that does not"
    );
}
