//! The promises that span several files of the model, on one small exchange.

mod auth;
mod edit;
mod expiry;
mod hand;
mod inspect;
mod issue;
mod other;
mod propagation;
mod rate;
mod remove;

use std::net::{IpAddr, Ipv4Addr};

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::bybit::PROFILE;

pub(crate) const PARENT: Uid = 24_617_703;
pub(crate) const SUB: Uid = 53_888_000;
pub(crate) const OTHER_SUB: Uid = 53_888_001;
const STRANGER: Uid = 90_000_000;
pub(crate) const STRANGERS_SUB: Uid = 90_000_001;
pub(crate) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
pub(crate) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Two parents with sub-accounts, a master key of the first, and a time that the test moves.
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) master: Credential,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Knobs::default())
    }

    pub(crate) fn with(knobs: Knobs) -> Self {
        Self::of(&PROFILE, knobs)
    }

    /// The same at another venue.
    pub(crate) fn of(profile: &'static Profile, knobs: Knobs) -> Self {
        let now = Timestamp::from_millisecond(1_700_000_000_000).expect("a time in 2023");
        let mut model = Model::new(1, profile, knobs);
        model.add_parent_account(PARENT, Environment::Mainnet);
        model.add_sub_account(PARENT, SUB).expect("the parent is there");
        model
            .add_sub_account(PARENT, OTHER_SUB)
            .expect("the parent is there");
        model.add_parent_account(STRANGER, Environment::Mainnet);
        model
            .add_sub_account(STRANGER, STRANGERS_SUB)
            .expect("the stranger is there");
        let master = model
            .add_master_key(PARENT, Ips::Any, now)
            .expect("the parent is there");
        Self { model, master, now }
    }

    fn wait(&mut self, time: SignedDuration) {
        self.now += time;
    }

    /// Issues, a second after whatever was before.
    pub(crate) fn create(&mut self, request: IssueRequest) -> Result<IssuedKey, Refusal> {
        self.wait(SignedDuration::from_secs(1));
        self.model.issue(&self.master.key, request, self.now)
    }

    pub(crate) fn created(&mut self, note: &str) -> IssuedKey {
        self.create(asking(note)).expect("the master may create")
    }

    /// A key of the account with these permissions, made by hand.
    pub(crate) fn by_hand(&mut self, uid: Uid, read_only: bool, grants: &[(&str, &[&str])]) -> Credential {
        let permissions = Permissions::of(grants);
        let settings = Settings {
            note: "by hand".to_owned(),
            read_only,
            ips: Ips::Any,
            permissions,
        };
        self.model
            .create_key_by_hand(uid, settings, self.now)
            .expect("the account is there")
    }

    fn list(&mut self) -> Vec<KeyId> {
        let request = ListRequest {
            account: SUB,
            ..ListRequest::default()
        };
        let page = self
            .model
            .list(&self.master.key, &request, self.now)
            .expect("the master may list");
        page.keys.into_iter().map(|key| key.key).collect()
    }

    fn delete(&mut self, key: &KeyId) -> Result<(), Refusal> {
        self.model
            .remove(&self.master.key, &Target::key(key.clone()), self.now)
    }

    fn settings(&self, key: &KeyId) -> Settings {
        self.model.key(key).expect("the key existed").settings
    }

    /// A signed call from home, now, for nothing in particular.
    pub(crate) fn try_key(&self, credential: &Credential) -> Result<KeyId, Refusal> {
        let claim = Claim {
            key: credential.key.as_str(),
            passphrase: credential.passphrase.as_ref().map(Passphrase::expose),
            signed_at: self.now.as_millisecond(),
            window: None,
            address: HOME,
            environment: Environment::Mainnet,
        };
        self.model
            .authenticate_by_secret(credential.secret.expose(), &claim, self.now)
    }
}

pub(crate) fn asking(note: &str) -> IssueRequest {
    IssueRequest {
        account: SUB,
        note: note.to_owned(),
        read_only: false,
        addresses: Vec::new(),
        permissions: requested(&[("Spot", &["SpotTrade"])]),
        passphrase: None,
        pair: false,
    }
}

pub(crate) fn requested(grants: &[(&str, &[&str])]) -> Requested {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    grants
        .iter()
        .map(|(group, values)| ((*group).to_owned(), owned(values)))
        .collect()
}

fn at(addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|address| (*address).to_owned()).collect()
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> Reason {
    outcome.expect_err("this has to be refused").reason
}
