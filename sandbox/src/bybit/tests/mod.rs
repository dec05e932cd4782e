//! The promises that span several files of the model, on one small exchange.

mod auth;
mod edit;
mod expiry;
mod hand;
mod http;
mod inspect;
mod issue;
mod propagation;
mod rate;
mod remove;
mod wire;

use std::net::{IpAddr, Ipv4Addr};

use jiff::{SignedDuration, Timestamp};

use super::*;

const PARENT: Uid = 24_617_703;
const SUB: Uid = 53_888_000;
const OTHER_SUB: Uid = 53_888_001;
const STRANGER: Uid = 90_000_000;
const STRANGERS_SUB: Uid = 90_000_001;
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Two parents with sub-accounts, a master key of the first, and a time that the test moves.
struct World {
    model: Model,
    master: Credential,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self::with(Knobs::default())
    }

    fn with(knobs: Knobs) -> Self {
        let now = Timestamp::from_millisecond(1_700_000_000_000).expect("a time in 2023");
        let mut model = Model::new(1, knobs);
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
    fn create(&mut self, request: CreateSubApi) -> Result<CreatedKey, Refusal> {
        self.wait(SignedDuration::from_secs(1));
        self.model.create_sub_api(&self.master.key, request, self.now)
    }

    fn created(&mut self, note: &str) -> CreatedKey {
        self.create(asking(note)).expect("the master may create")
    }

    /// A key of the account with these permissions, made by hand.
    fn by_hand(&mut self, uid: Uid, read_only: bool, grants: &[(&str, &[&str])]) -> Credential {
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
        let request = SubApikeys {
            sub_uid: SUB,
            ..SubApikeys::default()
        };
        let page = self
            .model
            .sub_apikeys(&self.master.key, &request, self.now)
            .expect("the master may list");
        page.keys.into_iter().map(|key| key.key).collect()
    }

    fn delete(&mut self, key: &KeyId) -> Result<(), Refusal> {
        self.model.delete_sub_api(
            &self.master.key,
            &DeleteSubApi {
                key: Some(key.clone()),
            },
            self.now,
        )
    }

    fn settings(&self, key: &KeyId) -> Settings {
        self.model.key(key).expect("the key existed").settings
    }

    /// A signed call from home, now, for nothing in particular.
    fn try_key(&self, credential: &Credential) -> Result<KeyId, Refusal> {
        let timestamp = self.now.as_millisecond().to_string();
        let signature = credential.secret.sign(&timestamp, &credential.key, "5000", b"");
        let request = SignedRequest {
            key: credential.key.as_str(),
            timestamp: &timestamp,
            recv_window: Some("5000"),
            signature: &signature,
            payload: b"",
            address: HOME,
            environment: Environment::Mainnet,
        };
        self.model.authenticate(&request, self.now)
    }
}

fn asking(note: &str) -> CreateSubApi {
    CreateSubApi {
        sub_uid: SUB,
        note: Some(note.to_owned()),
        read_only: false,
        ips: None,
        permissions: requested(&[("Spot", &["SpotTrade"])]),
    }
}

fn requested(grants: &[(&str, &[&str])]) -> Requested {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    grants
        .iter()
        .map(|(group, values)| ((*group).to_owned(), owned(values)))
        .collect()
}

fn ret_code<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> i64 {
    outcome.expect_err("this has to be refused").ret_code
}
