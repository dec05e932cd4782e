//! One signed call: sent, understood, and repeated where that is safe.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use protocol::ports::{ErrorClass, Signer, VenueError, Whose};
use reqwest::{Request, Url};

use super::reply::{Answer, Repeat, ServerTime, understood};
use super::sign::sign;
use super::{Bybit, RECV_WINDOW, wire};
use crate::exchange::http::NoReply;

/// Each call is made this often at most.
const ATTEMPTS: u32 = 4;
/// The first pause; each next one is twice as long, and half of each is chance. What Bybit asks for comes on
/// top.
const PAUSE: Duration = Duration::from_millis(250);
/// A longer wait than this is left to the next invocation.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// With less than this left, nothing more is sent.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// A call to make.
pub(super) struct Call {
    path: &'static str,
    /// What a GET asks for.
    query: Vec<(&'static str, String)>,
    /// What a POST sends.
    body: Option<String>,
    /// Whether doing it twice is as good as doing it once.
    repeatable: bool,
}

impl Call {
    pub(super) fn read(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self {
            path,
            query,
            body: None,
            repeatable: true,
        }
    }

    pub(super) fn repeatable(path: &'static str, body: String) -> Self {
        Self {
            path,
            query: Vec::new(),
            body: Some(body),
            repeatable: true,
        }
    }

    /// A call that is repeated only where it is certain that nothing was done.
    pub(super) fn once(path: &'static str, body: String) -> Self {
        Self {
            path,
            query: Vec::new(),
            body: Some(body),
            repeatable: false,
        }
    }
}

/// Why an attempt failed, and how long to wait before the next where one may follow.
struct FailedAttempt {
    error: VenueError,
    pause: Option<Duration>,
}

impl Bybit {
    /// Makes a call, signed.
    pub(super) async fn call<A: Answer>(&self, signer: &Signer, call: Call) -> Result<A, VenueError> {
        let (mut synchronised, mut unsure) = (false, false);
        let mut attempt = 1;
        loop {
            let failed = match self.attempt(signer, &call).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let FailedAttempt { mut error, pause } = failed;
            let class = error.class;
            let again = match class {
                ErrorClass::Clock => !std::mem::replace(&mut synchronised, true),
                ErrorClass::Busy => true,
                ErrorClass::UnknownOutcome => call.repeatable,
                _ => false,
            };
            if unsure && call.body.is_some() {
                // An earlier attempt may have done what this one is refused.
                error.class = ErrorClass::UnknownOutcome;
            }
            unsure |= error.class == ErrorClass::UnknownOutcome;
            let Some(asked) = pause.filter(|_| again && attempt < ATTEMPTS) else {
                return Err(error);
            };
            let pause = asked + jittered(PAUSE * 2_u32.pow(attempt - 1));
            if pause + RECV_WINDOW > self.time.left() {
                return Err(error);
            }
            tracing::info!(%error, attempt, "a call to Bybit is repeated");
            if class == ErrorClass::Clock {
                self.synchronise(signer.whose).await?;
            } else {
                tokio::time::sleep(pause).await;
            }
            // A process that was frozen meanwhile does nothing more.
            if self.time.left() < LAST_MOMENT {
                return Err(error);
            }
            attempt += 1;
        }
    }

    async fn attempt<A: Answer>(&self, signer: &Signer, call: &Call) -> Result<A, FailedAttempt> {
        let whose = signer.whose;
        let reply = self
            .http
            .send(
                self.signed(signer, call, self.venue_now()),
                self.patience(),
                "X-Bapi-Limit-Reset-Timestamp",
            )
            .await;
        let reply = reply.map_err(|no_reply| {
            let (class, say) = match no_reply {
                NoReply::NotSent(why) => (ErrorClass::Busy, format!("Bybit could not be reached: {why}")),
                NoReply::Broken(why) => (
                    ErrorClass::UnknownOutcome,
                    format!("no answer came from Bybit: {why}"),
                ),
            };
            FailedAttempt {
                error: VenueError { class, whose, say },
                pause: Some(Duration::ZERO),
            }
        })?;
        understood(reply.status, &reply.body).map_err(|failed| {
            let pause = match failed.repeat {
                Repeat::Never => None,
                Repeat::Soon => Some(Duration::ZERO),
                Repeat::WhenTold => self.until(reply.retry_at),
            };
            FailedAttempt {
                error: failed.error(whose),
                pause,
            }
        })
    }

    /// What a request may take: all that is left but the moment it takes to answer.
    fn patience(&self) -> Duration {
        self.time.left().saturating_sub(LAST_MOMENT)
    }

    /// How long to wait where Bybit says when it takes calls again; `None` where that is too long.
    fn until(&self, retry_at: Option<i64>) -> Option<Duration> {
        let wait = retry_at
            .map_or(0, |at| at.saturating_sub(self.venue_now()))
            .max(0);
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
        (wait <= LONGEST_PAUSE).then_some(wait)
    }

    pub(super) fn signed(&self, signer: &Signer, call: &Call, timestamp: i64) -> Request {
        let mut url = self.url(call.path);
        for (name, value) in &call.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let payload = call.body.as_deref().or(url.query()).unwrap_or_default();
        let window = RECV_WINDOW.as_millis();
        let signature = sign(&signer.credential, timestamp, window, payload);
        let client = self.http.client();
        let request = match &call.body {
            Some(body) => client
                .post(url)
                .header("Content-Type", "application/json")
                .body(body.clone()),
            None => client.get(url),
        };
        let request = self
            .site_header
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        request
            .header("X-BAPI-API-KEY", signer.credential.key_id.expose())
            .header("X-BAPI-TIMESTAMP", timestamp)
            .header("X-BAPI-RECV-WINDOW", window.to_string())
            .header("X-BAPI-SIGN", signature)
            .build()
            // A key id is printable ASCII by its type, and the rest is ours: nothing here can fail to be a
            // header.
            .unwrap_or_else(|_| Request::new(reqwest::Method::GET, self.base.clone()))
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url
    }

    /// Learns how far Bybit's clock is from ours.
    async fn synchronise(&self, whose: Whose) -> Result<(), VenueError> {
        let before = Timestamp::now();
        let request = Request::new(reqwest::Method::GET, self.url(wire::SERVER_TIME));
        let reply = self.http.send(request, self.patience(), "").await;
        let after = Timestamp::now();
        let clock = |say: &str| VenueError {
            class: ErrorClass::Clock,
            whose,
            say: say.into(),
        };
        let reply = reply.map_err(|_| clock("the clocks disagree, and Bybit's time could not be read"))?;
        let time: ServerTime = understood(reply.status, &reply.body)
            .map_err(|_| clock("the clocks disagree, and Bybit's time makes no sense"))?;
        let middle = i64::midpoint(before.as_millisecond(), after.as_millisecond());
        let offset = time
            .ahead_of(middle)
            .ok_or_else(|| clock("the clocks disagree, and Bybit's time makes no sense"))?;
        tracing::warn!(
            offset_ms = offset,
            "this machine's clock and Bybit's disagree: going by Bybit's"
        );
        self.clock_offset.store(offset, Ordering::Relaxed);
        Ok(())
    }

    /// A list of keys with more pages than an account can fill.
    pub(super) fn endless(&self, whose: Whose) -> VenueError {
        let say = format!("{}: Bybit's list of keys does not end", self.id);
        VenueError {
            class: ErrorClass::UnknownOutcome,
            whose,
            say,
        }
    }

    /// A request that we should not have made.
    pub(super) fn fault(&self, whose: Whose, problem: &str) -> VenueError {
        VenueError {
            class: ErrorClass::Fault,
            whose,
            say: format!("{}: {problem}", self.id),
        }
    }
}

fn jittered(pause: Duration) -> Duration {
    pause / 2 + pause.mul_f64(fastrand::f64() / 2.0)
}
