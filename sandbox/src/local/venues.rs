//! The venues that the small world can have, one of them at a time: their stand-ins, and what their accounts
//! and secrets look like.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::in_process::kind::{PLAIN, PLAIN_COARSE, VenueKind};
use crate::venue::{Credential, Front, Profile, Uid};
use crate::{bybit, okx};

/// The one list of venues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Venue {
    /// Bybit.
    #[default]
    Bybit,
    /// OKX.
    Okx,
}

/// A venue of the list.
#[derive(Debug)]
pub struct StandIn {
    /// What people call it.
    pub title: &'static str,
    /// What it does.
    pub profile: &'static Profile,
    /// The kind that simulations play in its place.
    pub kind: &'static VenueKind,
    /// How it looks on the wire.
    pub front: &'static dyn Front,
    /// Where it listens unless told otherwise.
    pub port: u16,
    /// The variable of the function that has its address.
    pub base_url: &'static str,
    /// What its replies call a code.
    pub code: &'static str,
    /// The secret to rotate.
    pub secret: &'static str,
    /// The master credential's secret.
    pub master_secret: &'static str,
    /// A secret with an open rotation of the token that the files in `events/` name.
    pub events_secret: &'static str,
    /// The sub-account of each of the two, as the venue's calls name it.
    pub accounts: [(Uid, &'static str); 2],
    /// What `serve` calls the first of them.
    pub account_variable: &'static str,
    /// The note of a key that was made by hand.
    pub note: &'static str,
    /// What such a key may do, as the venue says it.
    pub grants: &'static [(&'static str, &'static [&'static str])],
    /// The same in the words of a policy.
    pub words: &'static [&'static str],
}

impl Venue {
    /// What there is to know of it.
    pub fn stand_in(self) -> &'static StandIn {
        match self {
            Self::Bybit => &BYBIT,
            Self::Okx => &OKX,
        }
    }
}

impl StandIn {
    /// The stand-in for the exchange that secrets call so.
    pub fn of(exchange: &str) -> Option<&'static Self> {
        let mut all = Venue::value_variants().iter().map(|venue| venue.stand_in());
        all.find(|stand_in| stand_in.profile.name == exchange)
    }

    /// The sub-account whose key is rotated, as the venue's calls name it.
    pub fn account(&self) -> &'static str {
        self.accounts[0].1
    }

    /// What every value of a key says.
    pub fn value(&self, credential: &Credential) -> Value {
        let mut value = json!({
            "exchange": self.profile.name, "environment": "mainnet",
            "api_key": credential.key.as_str(), "api_secret": credential.secret.expose(),
        });
        if let Some(passphrase) = &credential.passphrase {
            value["passphrase"] = passphrase.expose().into();
        }
        value
    }
}

static BYBIT: StandIn = StandIn {
    title: "Bybit",
    profile: &bybit::PROFILE,
    kind: &PLAIN,
    front: &bybit::Bybit,
    port: 9312,
    base_url: "BYBIT_BASE_URL",
    code: "retCode",
    secret: super::SECRET,
    master_secret: super::MASTER_SECRET,
    events_secret: super::EVENTS_SECRET,
    accounts: [
        (super::SUB_ACCOUNT, "53888000"),
        (super::SUB_ACCOUNT + 1, "53888001"),
    ],
    account_variable: "SUB_UID",
    note: "made by hand",
    grants: &[
        ("ContractTrade", &["Order", "Position"]),
        ("Spot", &["SpotTrade"]),
    ],
    words: &["derivatives", "read", "spot"],
};

static OKX: StandIn = StandIn {
    title: "OKX",
    profile: &okx::PROFILE,
    kind: &PLAIN_COARSE,
    front: &okx::Okx,
    port: 9313,
    base_url: "OKX_BASE_URL",
    code: "code",
    secret: "prod/okx/main",
    master_secret: "prod/okx/master",
    events_secret: "prod/okx/events",
    accounts: [(super::SUB_ACCOUNT, "desk01"), (super::SUB_ACCOUNT + 1, "desk02")],
    account_variable: "SUB_ACCOUNT",
    note: "madebyhand",
    grants: &[("perm", &["read_only", "trade"])],
    words: &["read", "trade"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_venues_differ_in_all_that_could_be_mixed_up() {
        let all: Vec<&StandIn> = Venue::value_variants()
            .iter()
            .map(|venue| venue.stand_in())
            .collect();
        for (at, one) in all.iter().enumerate() {
            let name = one.profile.name;
            assert_eq!(one.title.to_lowercase(), name);
            assert_eq!(one.base_url, format!("{}_BASE_URL", name.to_uppercase()));
            for (secret, end) in [
                (one.secret, "main"),
                (one.master_secret, "master"),
                (one.events_secret, "events"),
            ] {
                assert_eq!(secret, format!("prod/{name}/{end}"));
            }
            assert!(all[..at].iter().all(|other| other.port != one.port));
        }
    }
}
