//! Who is calling: signature, clock, key, address.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;

use super::credential::{Credential, KeyId};
use super::key::Seen;
use super::model::{Environment, Model};
use super::refusal::Refusal;

/// What a signed request says about its caller, and where it came from.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// `X-BAPI-API-KEY`.
    pub key: &'a str,
    /// `X-BAPI-TIMESTAMP`, in milliseconds.
    pub timestamp: &'a str,
    /// `X-BAPI-RECV-WINDOW`, in milliseconds; 5000 if absent.
    pub recv_window: Option<&'a str>,
    /// `X-BAPI-SIGN`.
    pub signature: &'a str,
    /// The raw query string of a GET, the raw body of a POST.
    pub payload: &'a [u8],
    /// The caller's address.
    pub address: IpAddr,
    /// The site that the request was sent to.
    pub environment: Environment,
}

impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("key", &self.key)
            .field("timestamp", &self.timestamp)
            .field("address", &self.address)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// `docs/v5/guide`: `X-BAPI-RECV-WINDOW` defaults to this many milliseconds.
const DEFAULT_RECV_WINDOW: i64 = 5_000;
/// How far ahead of the server's a timestamp may be, in milliseconds.
const MAX_LEAD: i64 = 1_000;

impl Model {
    /// Checks a request's caller, and returns the key to call the endpoints with. Unverified: the order of
    /// the checks where several would fail.
    pub fn authenticate(&self, request: &SignedRequest<'_>, now: Timestamp) -> Result<KeyId, Refusal> {
        let window = request.recv_window.unwrap_or_default();
        let signed = |Credential { key, secret }: &Credential| {
            secret.sign(request.timestamp, key, window, request.payload) == request.signature
        };
        self.authenticate_where(signed, request, now)
    }

    /// The same for a caller in this process, which shows its secret instead of a signature: whoever holds
    /// the key's secret could have signed, and nobody else.
    pub fn authenticate_by_secret(
        &self,
        secret: &str,
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<KeyId, Refusal> {
        self.authenticate_where(|credential| credential.secret.expose() == secret, request, now)
    }

    fn authenticate_where(
        &self,
        proven: impl FnOnce(&Credential) -> bool,
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<KeyId, Refusal> {
        within_window(request, now)?;
        let name = KeyId::from(request.key);
        let is_demo = request.environment == Environment::Demo;
        if self.knobs.wrong_host || self.knobs.wrong_demo_host && is_demo {
            return Err(Refusal::invalid_key("this host knows no such key"));
        }
        let (key, account) = self.key_and_account(&name)?;
        if account.environment != request.environment {
            return Err(Refusal::invalid_key(format!(
                "the key belongs to {:?}",
                account.environment
            )));
        }
        match key.seen(now, self.knobs.new_key_delay, self.knobs.deletion_delay) {
            Seen::NotYet => return Err(self.not_known_yet()),
            Seen::NoMore => return Err(Refusal::invalid_key("the key is deleted")),
            Seen::Yes => {}
        }
        let in_force = self.in_force(key, now);
        if in_force
            .expires_at(account.password_changed_at)
            .is_some_and(|expiry| expiry <= now)
        {
            return Err(Refusal::expired());
        }
        if !proven(&key.credential) {
            let window = request.recv_window.unwrap_or_default();
            let payload = String::from_utf8_lossy(request.payload);
            return Err(Refusal::signature(&format!(
                "{}{name}{window}{payload}",
                request.timestamp
            )));
        }
        if account.banned {
            return Err(Refusal::banned());
        }
        if !in_force.settings.ips.admits(request.address) {
            return Err(Refusal::address(format!(
                "{} is not on the key's list",
                request.address
            )));
        }
        Ok(name)
    }

    fn not_known_yet(&self) -> Refusal {
        let why = "the key is not known everywhere yet";
        match self.knobs.new_key_ret_code {
            10_007 => Refusal::new(10_007, "User not logged in.", why),
            ret_code => Refusal::unverified(ret_code, why),
        }
    }
}

/// `docs/v5/guide`: server time − `recv_window` <= timestamp < server time + 1000.
fn within_window(request: &SignedRequest<'_>, now: Timestamp) -> Result<(), Refusal> {
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| Refusal::parameter("a time header is no number"))
    };
    let timestamp = number(request.timestamp)?;
    let window = request.recv_window.map_or(Ok(DEFAULT_RECV_WINDOW), number)?;
    let server = now.as_millisecond();
    let age = server.saturating_sub(timestamp);
    if age <= window && age > -MAX_LEAD {
        Ok(())
    } else {
        Err(Refusal::clock(timestamp, server, window))
    }
}
