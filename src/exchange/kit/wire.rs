//! What one exchange's calls look like.

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use protocol::secret::Credential;
use reqwest::header::HeaderMap;

use super::codes::{Code, Status};

/// One exchange's signature, codes and replies. Pure: it has no clock and no socket.
pub trait Wire: Debug + Send + Sync + 'static {
    /// The exchange's name, as it writes it.
    const NAME: &'static str;
    /// The environment variable whose URL replaces the exchange's own hosts.
    const BASE_URL: &'static str;
    /// What its replies call an error code.
    const CODE: &'static str;
    /// What its error codes mean.
    const CODES: &'static [Code];
    /// What an HTTP status means beside a body that is not the exchange's, where it has a meaning of its own
    /// there. The first that fits counts.
    const STATUSES: &'static [Status];
    /// How long after its timestamp a request may take effect.
    const WINDOW: Duration;
    /// The least time between two writes of one master credential, where the exchange takes no more.
    const WRITE_SPACING: Duration;
    /// The path at which anybody may ask its time.
    const SERVER_TIME: &'static str;

    /// The headers that authenticate a request, for a time in milliseconds by the exchange's clock.
    ///
    /// # Errors
    /// What the credential lacks for that, in words for the operator.
    fn sign(
        request: &Unsigned<'_>,
        credential: &Credential,
        at: i64,
    ) -> Result<Vec<(&'static str, String)>, &'static str>;

    /// What the body of a reply says; `None` where it is none of the exchange's.
    fn verdict(body: &str) -> Option<Verdict<'_>>;

    /// The server's time in milliseconds, as the answer at [`SERVER_TIME`](Self::SERVER_TIME) has it: in its
    /// result, or beside that.
    fn server_time(result: &str, beside: Option<i64>) -> Option<i64>;

    /// When the exchange takes calls again, in milliseconds of its clock, where a reply says so.
    fn takes_calls_at(headers: &HeaderMap) -> Option<i64>;
}

/// A request before it is signed.
#[derive(Debug)]
pub struct Unsigned<'a> {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The exchange's own path, without that of a gateway before it.
    pub path: &'a str,
    /// As it is sent, without the question mark.
    pub query: &'a str,
    /// Empty for a GET.
    pub body: &'a str,
}

/// What the body of a reply says.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// It was done.
    Good {
        /// The result, as JSON.
        result: &'a str,
        /// The server's time in milliseconds, where it is beside the result.
        time: Option<i64>,
    },
    /// A definite no.
    No {
        /// Its code.
        code: Cow<'a, str>,
        /// The exchange's own words.
        message: Cow<'a, str>,
    },
}
