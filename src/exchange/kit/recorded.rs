//! Requests, byte for byte, beside the table that was recorded of them: what is signed, and what is sent.

use std::fmt::Write as _;

use jiff::Timestamp;
use lambda_runtime::Context;
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::{Environment, SecretName};
use protocol::ports::{Grant, KeyToRevoke, ListedKey, Powers, Signer, Whose};
use protocol::secret::{Addresses, Credential, KeyForm, KeyId, Permissions};
use reqwest::Request;

use super::call::Call;
use super::line::{Line, site};
use super::venue::{Keys, VenueOf};
use super::wire::Wire;
use crate::exchange::{Outside, Shared};
use crate::time::InvocationTime;

/// 2023-11-14T22:13:20Z.
const AT: i64 = 1_700_000_000_000;

/// An exchange in an environment.
pub(in crate::exchange) fn opened<W: Keys>(exchange: &str, environment: &str) -> VenueOf<W> {
    let id = SecretName::new("anything")
        .venue(Some(exchange), Some(environment))
        .expect("a venue");
    let shared = Shared::new(crate::tls::config().expect("a TLS configuration")).expect("a client");
    let outside = Outside {
        base_url: None,
        shared: &shared,
        time: InvocationTime::of(&Context::default(), Timestamp::now()),
    };
    VenueOf::new(&id, &outside).expect("an environment")
}

pub(in crate::exchange) fn key() -> KeyId {
    KeyId::parse("testkey").expect("a key id")
}

/// That key, as a list has it.
pub(in crate::exchange) fn listed(powers: Powers) -> ListedKey {
    ListedKey {
        key_id: key(),
        marker: None,
        powers,
        addresses: Addresses::Any,
        created_at: Timestamp::UNIX_EPOCH,
        expired: false,
        kind: None,
    }
}

pub(in crate::exchange) fn to_revoke(key_id: &KeyId) -> KeyToRevoke<'_> {
    KeyToRevoke {
        key_id,
        marker: None,
        passphrase: None,
        listed_since: None,
    }
}

pub(in crate::exchange) fn signer(whose: Whose, passphrase: Option<&str>) -> Signer {
    Signer {
        whose,
        credential: Credential {
            key_id: key(),
            secret: "testsecret".into(),
            passphrase: passphrase.map(Into::into),
        },
    }
}

pub(in crate::exchange) fn marker(exchange: &str) -> Marker {
    let arn = format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/{exchange}/main-AbCdEf");
    Marker::new(&arn, &VersionId::new("11111111-2222-3333-4444-555555555555"), 7)
}

pub(in crate::exchange) fn permissions(words: &[&str]) -> Permissions {
    words
        .iter()
        .map(|word| word.parse().expect("a permission"))
        .collect()
}

pub(in crate::exchange) fn grant(words: &[&str], addresses: &Addresses) -> Grant {
    Grant {
        permissions: permissions(words),
        addresses: addresses.clone(),
        form: KeyForm::Hmac,
    }
}

pub(in crate::exchange) fn only(addresses: &[&str]) -> Addresses {
    let addresses = addresses.iter().map(|ip| ip.parse().expect("an address"));
    Addresses::Only(addresses.collect())
}

/// Each environment has a name of its own, and a host or a header of its own.
pub(in crate::exchange) fn sites_differ<W: Wire>() {
    for (at, (name, host, header)) in W::SITES.iter().enumerate() {
        let mut earlier = W::SITES[..at].iter();
        assert!(
            !earlier.any(|(other, where_else, told_by)| {
                other == name || (where_else, told_by) == (host, header)
            }),
            "{name} is there twice"
        );
    }
    let named = |name: &str| site::<W>(&Environment::Site(name.into()));
    let unknown = named("xx").expect_err("no site");
    let of_words = |name: &str| ["mainnet", "testnet", "demo"].contains(&name);
    for (name, ..) in W::SITES.iter().filter(|(name, ..)| !of_words(name)) {
        assert!(named(name).is_ok() && unknown.contains(name), "{unknown}");
    }
}

/// A request as the table has it.
pub(in crate::exchange) fn told<W: Wire>(what: &str, line: &Line<W>, signer: &Signer, call: &Call) -> String {
    let request = line.signed(signer, call, AT).expect("a request");
    in_text(what, &request)
}

fn in_text(what: &str, request: &Request) -> String {
    let mut text = format!("# {what}\n{} {}\n", request.method(), request.url());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "{name}: {}", value.to_str().expect("a header of text"));
    }
    if let Some(body) = request.body().and_then(|body| body.as_bytes()) {
        let _ = writeln!(text, "{}", std::str::from_utf8(body).expect("a body of text"));
    }
    text + "\n"
}
