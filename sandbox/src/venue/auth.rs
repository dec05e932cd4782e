//! Who is calling: clock, key, signature, passphrase, address.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;

use super::credential::{Credential, KeyId};
use super::key::Seen;
use super::model::{Environment, Model};
use super::refusal::{Reason, Refusal};

/// What a request says about its caller, and where it came from.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    /// The caller's key id.
    pub key: &'a str,
    /// The passphrase, where the venue has one.
    pub passphrase: Option<&'a str>,
    /// When it was signed, in milliseconds since 1970.
    pub signed_at: i64,
    /// How old it may be, in milliseconds, if it says so.
    pub window: Option<i64>,
    /// The caller's address.
    pub address: IpAddr,
    /// The site that the request was sent to.
    pub environment: Environment,
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("key", &self.key)
            .field("signed_at", &self.signed_at)
            .field("address", &self.address)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Checks a request's caller, and returns the key to make the calls with. Whether it was signed with a
    /// credential is asked of the front. Unverified: the order of the checks where several would fail.
    pub fn authenticate(
        &self,
        claim: &Claim<'_>,
        signed_with: impl FnOnce(&Credential) -> bool,
        now: Timestamp,
    ) -> Result<KeyId, Refusal> {
        self.within_window(claim, now)?;
        let name = KeyId::from(claim.key);
        let is_demo = claim.environment == Environment::Demo;
        if self.knobs.wrong_host || self.knobs.wrong_demo_host && is_demo {
            return Err(self.invalid_key("this host knows no such key"));
        }
        let (key, account) = self.key_and_account(&name)?;
        if account.environment != claim.environment {
            let why = format!("the key belongs to {:?}", account.environment);
            return Err(Refusal::new(Reason::WrongEnvironment, why));
        }
        match key.seen(now, self.knobs.new_key_delay, self.knobs.deletion_delay) {
            Seen::NotYet => {
                let why = "the key is not known everywhere yet";
                return Err(Refusal::new(self.knobs.new_key_reason, why));
            }
            Seen::NoMore => return Err(self.invalid_key("the key is deleted")),
            Seen::Yes => {}
        }
        let in_force = self.in_force(key, now);
        if self
            .expires_at(in_force, account.password_changed_at)
            .is_some_and(|expiry| expiry <= now)
        {
            return Err(Refusal::new(Reason::Expired, "the key has expired"));
        }
        if !signed_with(&key.credential) {
            return Err(Refusal::new(Reason::Signature, "the signature does not match"));
        }
        if let Some(passphrase) = &key.credential.passphrase
            && claim.passphrase != Some(passphrase.expose())
        {
            return Err(Refusal::new(Reason::Passphrase, "the passphrase is another"));
        }
        if account.banned {
            return Err(Refusal::new(Reason::Banned, "the account is banned"));
        }
        if !in_force.settings.ips.admits(claim.address) {
            let why = format!("{} is not on the key's list", claim.address);
            return Err(Refusal::new(Reason::Address, why));
        }
        Ok(name)
    }

    /// The same for a caller in this process, which shows its secret instead of a signature: whoever holds
    /// the key's secret could have signed, and nobody else.
    pub fn authenticate_by_secret(
        &self,
        secret: &str,
        claim: &Claim<'_>,
        now: Timestamp,
    ) -> Result<KeyId, Refusal> {
        self.authenticate(claim, |credential| credential.secret.expose() == secret, now)
    }

    fn within_window(&self, claim: &Claim<'_>, now: Timestamp) -> Result<(), Refusal> {
        let window = self.profile.window;
        let age = now.as_millisecond().saturating_sub(claim.signed_at);
        if age <= claim.window.unwrap_or(window.behind) && age > -window.ahead {
            Ok(())
        } else {
            Err(Refusal::new(
                Reason::Clock,
                format!("{} ms off", age.saturating_neg()),
            ))
        }
    }
}
