//! One signed call: sent, understood, and repeated where that is safe.

use std::marker::PhantomData;
use std::time::Duration;

use jiff::Timestamp;
use protocol::name::{Environment, VenueId};
use protocol::ports::{ErrorClass, Signer, VenueError, Whose};
use reqwest::header::HeaderMap;
use reqwest::header::HeaderValue;
use reqwest::{Request, Url};

use super::answer::{Answer, Repeat, ServerTime, understood};
use super::call::{Call, Draft, Unmade};
use super::clock::Clock;
use super::http::{Http, NoReply};
use super::wire::{Site, Unsigned, Wire};
use super::writes::Writes;
use crate::exchange::Outside;
use crate::time::InvocationTime;

/// Each call is made this often at most.
const ATTEMPTS: u32 = 4;
/// The first pause; each next one is twice as long, and half of each is chance. What the exchange asks for
/// comes on top.
const PAUSE: Duration = Duration::from_millis(250);
/// A longer wait than this is left to the next invocation.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// With less than this left, nothing more is sent.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// The way to one host of an exchange, within one invocation.
#[derive(Debug)]
pub(in crate::exchange) struct Line<W> {
    id: VenueId,
    base: Url,
    /// What every call of a site that shares its host bears.
    site_header: Option<(&'static str, &'static str)>,
    clock: Clock,
    writes: Writes,
    http: Http,
    time: InvocationTime,
    wire: PhantomData<W>,
}

/// Why an attempt failed, and how long to wait before the next where one may follow.
struct FailedAttempt {
    error: VenueError,
    pause: Option<Duration>,
}

impl<W: Wire> Line<W> {
    /// The way to an environment's own host, or to what the configuration has in its stead.
    ///
    /// # Errors
    /// The exchange has no such environment, in words for the operator.
    pub(super) fn to(environment: &Environment, id: &VenueId, outside: &Outside<'_>) -> Result<Self, String> {
        let &(_, own, site_header) = site::<W>(environment)?;
        let base = match outside.base_url {
            Some(base) => base.clone(),
            None => {
                Url::parse(own).map_err(|error| format!("{}'s own host cannot be read: {error}", W::NAME))?
            }
        };
        Ok(Self {
            id: id.clone(),
            site_header,
            clock: outside.shared.clocks.of(&base),
            writes: outside.shared.writes.clone(),
            base,
            http: outside.shared.http.clone(),
            time: outside.time,
            wire: PhantomData,
        })
    }

    pub(super) fn id(&self) -> &VenueId {
        &self.id
    }

    /// Makes a call, signed.
    pub(super) async fn call<A: Answer<W>>(&self, signer: &Signer, draft: Draft) -> Result<A, VenueError> {
        let call = draft.map_err(|unmade| self.unmade(signer.whose, unmade))?;
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
            if pause + W::WINDOW > self.time.left() {
                return Err(error);
            }
            tracing::info!(%error, attempt, "a call to {} is repeated", W::NAME);
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

    async fn attempt<A: Answer<W>>(&self, signer: &Signer, call: &Call) -> Result<A, FailedAttempt> {
        let whose = signer.whose;
        if call.body.is_some() {
            self.writes
                .turn(&self.base, &signer.credential.key_id, W::WRITE_SPACING)
                .await;
        }
        let not_sent = |class, say| FailedAttempt {
            error: VenueError { class, whose, say },
            pause: None,
        };
        // That may have taken a while, and a process that was frozen meanwhile does nothing more.
        if self.time.left() < LAST_MOMENT {
            let say = format!("too little time is left for another call to {}", W::NAME);
            return Err(not_sent(ErrorClass::Busy, say));
        }
        let request = self
            .signed(signer, call, self.clock.now())
            .map_err(|lack| not_sent(ErrorClass::Fault, format!("{} {lack}", W::NAME)))?;
        let reply = self.http.send(request, self.patience()).await;
        let reply = reply.map_err(|no_reply| {
            let (class, say) = match no_reply {
                NoReply::NotSent(why) => (
                    ErrorClass::Busy,
                    format!("{} could not be reached: {why}", W::NAME),
                ),
                NoReply::Broken(why) => (
                    ErrorClass::UnknownOutcome,
                    format!("no answer came from {}: {why}", W::NAME),
                ),
            };
            FailedAttempt {
                error: VenueError { class, whose, say },
                pause: Some(Duration::ZERO),
            }
        })?;
        understood::<W, A>(reply.status, &reply.body, self.clock.now()).map_err(|failed| {
            let pause = match failed.repeat {
                Repeat::Never => None,
                Repeat::Soon => Some(Duration::ZERO),
                Repeat::WhenTold => self.until(takes_calls_at::<W>(&reply.headers)),
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

    /// How long to wait where the exchange says when it takes calls again; `None` where that is too long.
    fn until(&self, at: Option<i64>) -> Option<Duration> {
        let wait = at.map_or(0, |at| at.saturating_sub(self.clock.now())).max(0);
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
        (wait <= LONGEST_PAUSE).then_some(wait)
    }

    /// A call as it is sent, signed for a time in milliseconds by the exchange's clock.
    ///
    /// # Errors
    /// What the credential lacks.
    pub(in crate::exchange) fn signed(
        &self,
        signer: &Signer,
        call: &Call,
        at: i64,
    ) -> Result<Request, &'static str> {
        let mut url = self.url(call.path);
        for (name, value) in call.query.iter().filter(|(_, value)| !value.is_empty()) {
            url.query_pairs_mut().append_pair(name, value);
        }
        let unsigned = Unsigned {
            method: if call.body.is_some() { "POST" } else { "GET" },
            path: call.path,
            query: url.query().unwrap_or_default(),
            body: call.body.as_ref().map_or("", |body| body.as_str()),
        };
        let signature = W::sign(&unsigned, &signer.credential, at)?;
        let client = self.http.client();
        let request = match &call.body {
            Some(body) => client
                .post(url)
                .header("Content-Type", "application/json")
                .body(body.to_string()),
            None => client.get(url),
        };
        let request = self
            .site_header
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        let unsendable = "cannot be sent a character of the credential that no header takes";
        let mut request = request.build().map_err(|_| unsendable)?;
        for (name, value) in signature {
            let mut value = HeaderValue::try_from(value).map_err(|_| unsendable)?;
            value.set_sensitive(true);
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{path}"));
        url
    }

    /// Learns how far the host's clock is from ours.
    async fn synchronise(&self, whose: Whose) -> Result<(), VenueError> {
        let before = Timestamp::now();
        let request = Request::new(reqwest::Method::GET, self.url(W::SERVER_TIME));
        let reply = self.http.send(request, self.patience()).await;
        let after = Timestamp::now();
        let clock = |problem: &str| VenueError {
            class: ErrorClass::Clock,
            whose,
            say: format!("the clocks disagree, and {}'s time {problem}", W::NAME),
        };
        let reply = reply.map_err(|_| clock("could not be read"))?;
        let time: ServerTime = understood::<W, _>(reply.status, &reply.body, before.as_millisecond())
            .map_err(|_| clock("makes no sense"))?;
        let middle = i64::midpoint(before.as_millisecond(), after.as_millisecond());
        let offset = time.ahead_of(middle).ok_or_else(|| clock("makes no sense"))?;
        tracing::warn!(
            offset_ms = offset,
            "this machine's clock and {name}'s disagree: going by {name}'s",
            name = W::NAME
        );
        self.clock.set_ahead(offset);
        Ok(())
    }

    /// What a call comes to that cannot be made.
    pub(super) fn unmade(&self, whose: Whose, unmade: Unmade) -> VenueError {
        let (class, say) = match unmade {
            Unmade::Account(account) => (ErrorClass::Refused, format!("the `subaccount` is not {account}")),
            Unmade::Fault(problem) => (ErrorClass::Fault, format!("{}: {problem}", self.id)),
        };
        VenueError { class, whose, say }
    }
}

/// Where an environment's keys are known.
///
/// # Errors
/// Nowhere, in words for the operator.
pub(in crate::exchange) fn site<W: Wire>(environment: &Environment) -> Result<&'static Site, String> {
    let named = |name: &str| W::SITES.iter().find(|(known, ..)| *known == name);
    if let Some(site) = named(&environment.to_string()) {
        return Ok(site);
    }
    Err(match environment {
        Environment::Testnet if named("demo").is_some() => format!(
            "{} has no test network: write `demo` as `environment` for its demo trading",
            W::NAME
        ),
        other => {
            let others = ["mainnet", "testnet", "demo"];
            let sites = W::SITES
                .iter()
                .map(|(name, ..)| *name)
                .filter(|name| !others.contains(name));
            format!(
                "{} has no site `{other}` that this function knows: {}",
                W::NAME,
                sites.collect::<Vec<_>>().join(", ")
            )
        }
    })
}

/// When the exchange takes calls again, in milliseconds of its clock, where a reply says so.
fn takes_calls_at<W: Wire>(headers: &HeaderMap) -> Option<i64> {
    headers.get(W::TAKES_CALLS_AT?)?.to_str().ok()?.parse().ok()
}

fn jittered(pause: Duration) -> Duration {
    pause / 2 + pause.mul_f64(fastrand::f64() / 2.0)
}
