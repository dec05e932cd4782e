//! What one exchange's calls look like.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::time::Duration;

use protocol::secret::Credential;
use serde_json::value::RawValue;

use super::codes::{Code, Status};

/// One exchange's signature, codes and replies. Pure: it has no clock and no socket.
pub trait Wire: Debug + Send + Sync + 'static {
    /// The exchange's name, as it writes it.
    const NAME: &'static str;
    /// The environment variable whose URL replaces the exchange's own hosts.
    const BASE_URL: &'static str;
    /// What its replies call an error code.
    const CODE: &'static str;
    /// The code that says that there was no error.
    const GOOD: &'static str;
    /// What its error codes mean.
    const CODES: &'static [Code];
    /// What an HTTP status means beside a body that is not the exchange's, where it has a meaning of its own
    /// there. The first that fits counts.
    const STATUSES: &'static [Status] = &[];
    /// Its environments and sites.
    const SITES: &'static [Site];
    /// How long after its timestamp a request may take effect.
    const WINDOW: Duration;
    /// The least time between two writes of one master credential, where the exchange takes no more.
    const WRITE_SPACING: Duration = Duration::ZERO;
    /// The path at which anybody may ask its time.
    const SERVER_TIME: &'static str;
    /// The header of a reply that says when it takes calls again, in milliseconds of its clock; if there is
    /// one.
    const TAKES_CALLS_AT: Option<&'static str> = None;

    /// The headers that authenticate a request, for a time in milliseconds by the exchange's clock.
    ///
    /// # Errors
    /// What the credential lacks for that, in words for the operator.
    fn sign(request: &Unsigned<'_>, credential: &Credential, at: i64) -> Result<Headers, &'static str>;

    /// What the body of a reply says; `None` where it is none of the exchange's.
    fn verdict(body: &str) -> Option<Verdict<'_>>;

    /// The server's time in milliseconds, as the answer at [`SERVER_TIME`](Self::SERVER_TIME) has it: in its
    /// result, or beside that.
    fn server_time(_result: &str, beside: Option<i64>) -> Option<i64> {
        beside
    }
}

/// An environment by its name in secrets, its host, and the header that tells a site which shares it.
pub type Site = (&'static str, &'static str, Option<(&'static str, &'static str)>);

/// The headers of a request by their names.
pub type Headers = Vec<(&'static str, String)>;

/// A request before it is signed. Never printed: its body may have a passphrase.
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

/// What the body of a reply says. Never printed: its result may have a key secret.
pub struct Verdict<'a> {
    /// [`GOOD`](Wire::GOOD) where it was done, and a definite no where it is any other.
    pub code: Cow<'a, str>,
    /// The exchange's own words.
    pub message: Cow<'a, str>,
    /// The result.
    pub result: Option<&'a RawValue>,
    /// The server's time in milliseconds, where it is beside the result.
    pub time: Option<i64>,
}

impl Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Debug for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdict").finish_non_exhaustive()
    }
}
