//! Any bytes as an exchange's reply.

mod bybit;
mod okx;

use std::fmt::Debug;

use exchange_key_rotation::exchange::kit::answer::{Answer, KeyPage, ServerTime, understood};
use exchange_key_rotation::exchange::kit::wire::Wire;
use protocol::ports::{IssuedKey, KeyState, ListedKey, Whose};
use protocol::secret::{Addresses, KeyId};
use sandbox::in_process::silence::heard;
use sandbox::leak::found;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;

use self::bybit::Bybit;
use self::okx::Okx;
use crate::json::{field, fields, string};
use crate::text::{filled_in, headed};

/// Stands for `<secret>`.
const SECRET: &str = "zqLxk9x1HNEzfPWEAEOuhikbC6vl5pQjBjMO";
/// Stands for `<key>`.
const KEY: &str = "AbCdEfGhIjKlMnOpQr";
/// Our time when the reply came: 2026-03-01T12:00:00Z in milliseconds.
const NOW: i64 = 1_772_366_400_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A Bybit reply is understood as an answer where it has the documented form, and as an error of a class that
/// it gives a reason for otherwise, to whichever call it comes; neither says what is secret in it. The first
/// line of the bytes is the HTTP status, the rest is the reply's body.
///
/// # Panics
/// Where that does not hold.
pub fn bybit_reply(bytes: &[u8]) {
    is_understood::<Bybit>(bytes);
}

/// The same for a reply of OKX.
///
/// # Panics
/// As [`bybit_reply`].
pub fn okx_reply(bytes: &[u8]) {
    is_understood::<Okx>(bytes);
}

/// The names of an object and the text of their values.
type Fields<'a> = [(String, &'a str)];

/// An exchange's replies as another reader than the function's own sees them.
trait Replies {
    /// The function's reader.
    type Wire: Wire;
    /// The code that says that there was no error.
    const GOOD: &'static str;
    /// The codes that say that a credential is bad.
    const REJECTIONS: &'static [&'static str];
    /// Whether HTTP's status 401 says so by itself.
    const REJECTS_BY_STATUS: bool;
    /// What the secret of a key that was issued is called.
    const SECRET: &'static str;

    /// The documented form of any reply.
    fn envelope(body: &str) -> Option<Envelope<'_>>;
    /// The one object in a result.
    fn object(result: &str) -> Option<Vec<(String, &str)>>;
    /// The keys of a list.
    fn keys(result: &str) -> Option<Vec<&RawValue>>;
    /// The server's time.
    fn time(envelope: &Envelope<'_>) -> Option<i64>;
    /// Whether a key says this of itself.
    fn is_own_key(own: &Fields<'_>, state: &KeyState);
    /// Whether a list says this of a key.
    fn is_listed(listed: &Fields<'_>, key: &ListedKey);
}

/// Around a reply.
struct Envelope<'a> {
    code: String,
    result: Option<&'a str>,
    /// When it was given, where it says so.
    time: Option<i64>,
}

fn is_understood<R: Replies>(bytes: &[u8])
where
    KeyState: Answer<R::Wire>,
    KeyPage: Answer<R::Wire>,
    IssuedKey: Answer<R::Wire>,
{
    let (words, body) = headed(bytes);
    let status = words
        .first()
        .and_then(|status| status.parse().ok())
        .unwrap_or(200);
    let body = filled_in(body, &[("<secret>", SECRET), ("<key>", KEY)]);
    let reply = Reply {
        status,
        body: &body,
        envelope: std::str::from_utf8(&body).ok().and_then(R::envelope),
    };
    if let Some(state) = reply.as_answer_to::<R, KeyState>() {
        R::is_own_key(&reply.object::<R>(), &state);
    }
    if let Some(page) = reply.as_answer_to::<R, KeyPage>() {
        reply.is_page::<R>(&page);
    }
    if let Some(issued) = reply.as_answer_to::<R, IssuedKey>() {
        reply.is_created::<R>(&issued);
    }
    // An edit and a deletion.
    reply.as_answer_to::<R, ()>();
    if let Some(time) = reply.as_answer_to::<R, ServerTime>() {
        let offset = time.ahead_of(NOW);
        let there = reply.envelope.as_ref().and_then(R::time);
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

impl Reply<'_> {
    fn as_answer_to<R: Replies, A: Answer<R::Wire> + Debug>(&self) -> Option<A> {
        let (answer, logged) = heard(|| understood::<R::Wire, A>(self.status, self.body, NOW));
        let code = self.envelope.as_ref().map(|envelope| envelope.code.as_str());
        let (said, answer) = match answer {
            Ok(answer) => {
                assert_eq!(code, Some(R::GOOD), "an answer out of what is no success");
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
                    let by_status = R::REJECTS_BY_STATUS && self.status == 401;
                    let documented = by_status || code.is_some_and(|code| R::REJECTIONS.contains(&code));
                    assert!(documented, "a credential is called bad without a reason: {error}");
                }
                (format!("{debugged} {error} {error:?} {error:#?}"), None)
            }
        };
        let secrets = found([SECRET, KEY], &format!("{said} {logged}"));
        assert!(secrets.is_empty(), "{secrets:?} was said: {said} {logged}");
        answer
    }

    fn result(&self) -> &str {
        let result = self.envelope.as_ref().and_then(|envelope| envelope.result);
        result.expect("an answer has a result")
    }

    fn object<R: Replies>(&self) -> Vec<(String, &str)> {
        R::object(self.result()).expect("the result is one object")
    }

    fn is_page<R: Replies>(&self, page: &KeyPage) {
        let keys = R::keys(self.result()).expect("a list of keys");
        let keys: Vec<&RawValue> = keys.into_iter().filter(|raw| id_of(raw).is_some()).collect();
        assert_eq!(keys.len(), page.list.keys.len(), "keys were lost or made up");
        let told = self.envelope.as_ref().and_then(|envelope| envelope.time);
        assert_eq!(page.list.as_of.as_millisecond(), told.unwrap_or(NOW));
        for (raw, key) in keys.iter().zip(&page.list.keys) {
            assert_eq!(id_of(raw).as_deref(), Some(key.key_id.expose()));
            if key.powers.unknown == ["permissions that cannot be read"] {
                // One in a form that is not documented: it is left alone.
                assert!(!key.expired && key.addresses == Addresses::Any && key.marker.is_none());
                assert_eq!(key.created_at, page.list.as_of);
                continue;
            }
            let listed = fields(raw.get()).expect("a key that is read is an object");
            R::is_listed(&listed, key);
        }
    }

    fn is_created<R: Replies>(&self, issued: &IssuedKey) {
        let created = self.object::<R>();
        let text = |name| {
            field(&created, name)
                .and_then(string)
                .expect("a key has both halves")
        };
        let (key, secret) = (text("apiKey"), text(R::SECRET));
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
