//! A world to rotate in: both models, one clock, and what it began with.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{self, HolderCache};
use protocol::rotation::RotationSettings;

use super::kind::VenueKind;
use super::setup::{FUNCTION_ADDRESS, FUNCTION_ARN, MASTER, OTHER_SUB, PARENT, SUB, Setup, filled_in};
use super::silence::Log;
use super::state::{Shared, State};
use crate::secrets_manager::{self, RotationSeed, SecretValue, Seed, Sensitive};
use crate::venue::{self, Environment, KeyId, Uid};

/// The version that is current when a world begins.
const FIRST: &str = "00000000-0000-4000-8000-000000000001";

/// See the [module](super).
#[derive(Debug)]
pub struct World {
    pub(super) state: Shared,
    pub(super) log: Log,
    pub(super) listener: tracing::Dispatch,
    pub(super) secret: SecretId,
    kind: &'static VenueKind,
    master_arn: String,
    document: String,
    first_key: venue::Credential,
    master_key: venue::Credential,
    /// What the process for operations keeps from one to the next.
    pub(super) kept: Arc<HolderCache>,
    /// The ARN under which the function is invoked.
    pub function_arn: String,
    /// What the function is configured with.
    pub settings: RotationSettings,
    /// How long an invocation may live.
    pub timeout: SignedDuration,
    /// How long a replaced key stays alive.
    pub grace: Duration,
    /// The same for a key that was made by hand.
    pub adoption_grace: Duration,
    pub(super) kms_key: Option<String>,
}

impl World {
    /// A world with the usual beginning.
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    /// A world that begins like this.
    ///
    /// # Panics
    /// When the setup names what no Secrets Manager would take.
    pub fn with(setup: Setup) -> Self {
        let kind = setup.kind;
        let mut venue = venue::Model::new(setup.seed, kind.profile, setup.venue);
        let mut secrets = secrets_manager::Model::new(setup.seed, setup.secrets_manager);
        venue.add_parent_account(PARENT, Environment::Mainnet);
        for sub in [SUB, OTHER_SUB] {
            let added = if setup.demo {
                venue.add_demo_account(PARENT, sub)
            } else {
                venue.add_sub_account(PARENT, sub)
            };
            added
                .and_then(|()| venue.name_account(sub, &kind.account(sub)))
                .expect("the parent was just added");
        }
        let first_key = venue
            .create_key_by_hand(SUB, setup.key, setup.now)
            .expect("the account was just added");
        let master_key = venue
            .create_key_by_hand(PARENT, setup.master_key, setup.now)
            .expect("the account was just added");

        let seed = |name: &str, value: String| Seed {
            name: name.to_owned(),
            value: Some(SecretValue::Text(Sensitive::new(value))).filter(|_| !name.is_empty()),
            version_id: Some(FIRST.to_owned()),
            ..Seed::default()
        };
        let master_arn = match &setup.master_document {
            Some(document) => {
                let value = filled_in(document, kind, &master_key, PARENT, "");
                secrets
                    .seed(seed(MASTER, value), setup.now)
                    .expect("the first secret has a free name")
            }
            None => {
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:masters/bybit/parent-AbCdEf".to_owned()
            }
        };
        let value = filled_in(&setup.document, kind, &first_key, SUB, &master_arn);
        let rotation = RotationSeed {
            lambda_arn: Some(FUNCTION_ARN.to_owned()),
            rules: None,
        };
        let rotated = Seed {
            rotation: Some(rotation),
            ..seed(&setup.name, value)
        };
        let arn = secrets
            .seed(rotated, setup.now)
            .expect("the setup names a secret that can be");

        let log = Log::default();
        Self {
            state: Shared::new(State::new(
                secrets,
                venue,
                kind,
                setup.now,
                FUNCTION_ADDRESS,
                setup.seed,
            )),
            listener: log.listener(),
            log,
            secret: SecretId::parse(&arn).expect("an ARN of the model's is one"),
            kind,
            master_arn,
            document: setup.document,
            first_key,
            master_key,
            kept: Arc::default(),
            function_arn: FUNCTION_ARN.to_owned(),
            settings: RotationSettings { egress: setup.egress },
            timeout: kind.timeout,
            grace: setup.grace,
            adoption_grace: operations::OperationSettings::ADOPTION_GRACE,
            kms_key: setup.kms_key,
        }
    }

    /// A world of its own that begins where this one is.
    #[must_use]
    pub fn fork(&self) -> Self {
        let log = Log::default();
        self.with_state(self.state.lock().clone(), log.listener(), log)
    }

    /// A world of its own that begins where this one is, without the invocations that are under way in it,
    /// and that keeps nothing of what is said.
    #[must_use]
    pub fn quiet_fork(&self) -> Self {
        let state = self.state.lock().without_what_was_said();
        self.with_state(state, tracing::Dispatch::none(), Log::default())
    }

    /// Keeps the calls that are made from now on, as a world does that is no quiet fork.
    pub fn note_calls(&self) {
        self.state.lock().noting = true;
    }

    fn with_state(&self, state: State, listener: tracing::Dispatch, log: Log) -> Self {
        Self {
            state: Shared::new(state),
            listener,
            log,
            secret: self.secret.clone(),
            kind: self.kind,
            master_arn: self.master_arn.clone(),
            document: self.document.clone(),
            first_key: self.first_key.clone(),
            master_key: self.master_key.clone(),
            kept: Arc::default(),
            function_arn: self.function_arn.clone(),
            settings: self.settings.clone(),
            timeout: self.timeout,
            grace: self.grace,
            adoption_grace: self.adoption_grace,
            kms_key: self.kms_key.clone(),
        }
    }

    /// One more secret that the function rotates, with this key in it.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn add_secret(&self, name: &str, document: &str, key: &venue::Credential, account: Uid) -> SecretId {
        let value = self.filled_in(document, key, account);
        let seed = Seed {
            name: name.to_owned(),
            value: Some(SecretValue::from_text(value)),
            version_id: Some(FIRST.to_owned()),
            rotation: Some(RotationSeed {
                lambda_arn: Some(self.function_arn.clone()),
                rules: None,
            }),
            ..Seed::default()
        };
        let arn = self
            .secrets_manager(|model, now| model.seed(seed, now))
            .expect("the name is free");
        SecretId::parse(&arn).expect("an ARN of the model's is one")
    }

    /// The same with the usual value, and a key of the secret's sub-account.
    ///
    /// # Panics
    /// When the name is taken.
    pub fn add_secret_of(&self, name: &str, key: &venue::Credential) -> SecretId {
        self.add_secret(name, self.text_of_setup(), key, SUB)
    }

    /// The master's secret.
    ///
    /// # Panics
    /// Never: its ARN is one.
    pub fn master(&self) -> SecretId {
        SecretId::parse(&self.master_arn).expect("an ARN of the model's is one")
    }

    /// Its ARN.
    pub fn master_arn(&self) -> &str {
        &self.master_arn
    }

    /// The key that is in the secret at the beginning.
    pub fn first_credential(&self) -> &venue::Credential {
        &self.first_key
    }

    /// A document with what only the world knows filled in, as [`Setup`] has them.
    pub fn filled_in(&self, document: &str, key: &venue::Credential, account: Uid) -> String {
        filled_in(document, self.kind(), key, account, &self.master_arn)
    }

    /// What kind of venue it has.
    pub fn kind(&self) -> &'static VenueKind {
        self.kind
    }

    /// The document of the usual beginning, to be filled in.
    pub fn text_of_setup(&self) -> &str {
        &self.document
    }

    /// The secret that is rotated.
    pub fn secret(&self) -> &SecretId {
        &self.secret
    }

    /// The version that is current at the beginning.
    pub fn first_version(&self) -> VersionId {
        VersionId::new(FIRST)
    }

    /// The key that is current at the beginning.
    pub fn first_key(&self) -> &KeyId {
        &self.first_key.key
    }

    /// The master key.
    pub fn master_key(&self) -> &KeyId {
        &self.master_key.key
    }

    /// The next of the world's random numbers.
    pub fn chance(&self) -> u64 {
        self.state.lock().random.next()
    }

    // Time.

    /// The true time.
    pub fn now(&self) -> Timestamp {
        self.state.lock().now
    }

    /// Lets time pass.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.state.lock();
        let then = state.now + by;
        state.advance_to(then);
    }

    /// Sets the function's clock this much ahead of everybody else's.
    pub fn set_function_ahead(&self, by: SignedDuration) {
        self.state.lock().function_ahead = by;
    }

    /// Lets every round of calls take so long, where an invocation is driven to its end: time stands still
    /// otherwise.
    pub fn set_round_trip(&self, takes: SignedDuration) {
        self.state.lock().round_trip = takes;
    }

    /// Has two calls to a venue keep this distance, and two of one master credential that.
    pub fn set_spacing(&self, of_the_venue: Duration, of_a_master: Duration) {
        self.state.lock().spacing = [of_the_venue, of_a_master];
    }

    /// Lets the function's calls come from another address.
    pub fn set_function_address(&self, address: std::net::IpAddr) {
        self.state.lock().address = address;
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
