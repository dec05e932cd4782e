//! A world to rotate in: both models, one clock, and the means to run the rotation code and to change things
//! by hand.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{self, Answer, HolderCache};
use protocol::rotation::{Caller, Done, RotationSettings, Step, StepRequest};
use protocol::task::Task;
use secrecy::SecretString;

use super::call::{Fault, Operation};
use super::invocation::{Failure, Invocation, Start};
use super::setup::{FUNCTION_ADDRESS, FUNCTION_ARN, MASTER, OTHER_SUB, PARENT, SUB, Setup, filled_in};
use super::silence::Log;
use super::state::{Shared, State};
use crate::bybit::{self, Environment, KeyId, Uid};
use crate::function::{EMERGENCY_ARN, OPERATIONS_ARN};
use crate::invariants::Actor;
use crate::secrets_manager::{self, RotateSecret, RotationSeed, SecretValue, Seed, Sensitive};

/// The version that is current when a world begins.
const FIRST: &str = "00000000-0000-4000-8000-000000000001";

/// See the [module](super).
#[derive(Debug)]
pub struct World {
    pub(super) state: Shared,
    pub(super) log: Log,
    pub(super) listener: tracing::Dispatch,
    secret: SecretId,
    master_arn: String,
    document: String,
    first_key: bybit::Credential,
    master_key: bybit::Credential,
    /// What the process for operations keeps from one to the next.
    kept: Arc<HolderCache>,
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
    kms_key: Option<String>,
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
        let mut bybit = bybit::Model::new(setup.seed, setup.bybit);
        let mut secrets = secrets_manager::Model::new(setup.seed, setup.secrets_manager);
        bybit.add_parent_account(PARENT, Environment::Mainnet);
        for sub in [SUB, OTHER_SUB] {
            bybit
                .add_sub_account(PARENT, sub)
                .expect("the parent was just added");
        }
        let first_key = bybit
            .create_key_by_hand(SUB, setup.key, setup.now)
            .expect("the account was just added");
        let master_key = bybit
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
                let value = filled_in(document, &master_key, PARENT, "");
                secrets
                    .seed(seed(MASTER, value), setup.now)
                    .expect("the first secret has a free name")
            }
            None => {
                "arn:aws:secretsmanager:us-east-1:123456789012:secret:masters/bybit/parent-AbCdEf".to_owned()
            }
        };
        let value = filled_in(&setup.document, &first_key, SUB, &master_arn);
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
                bybit,
                setup.now,
                FUNCTION_ADDRESS,
                setup.seed,
            )),
            listener: log.listener(),
            log,
            secret: SecretId::parse(&arn).expect("an ARN of the model's is one"),
            master_arn,
            document: setup.document,
            first_key,
            master_key,
            kept: Arc::default(),
            function_arn: FUNCTION_ARN.to_owned(),
            settings: RotationSettings { egress: setup.egress },
            timeout: SignedDuration::from_mins(15),
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
    pub fn add_secret(&self, name: &str, document: &str, key: &bybit::Credential, account: Uid) -> SecretId {
        let value = filled_in(document, key, account, &self.master_arn);
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

    /// The master's secret.
    pub fn master_arn(&self) -> &str {
        &self.master_arn
    }

    /// The key that is in the secret at the beginning.
    pub fn first_credential(&self) -> &bybit::Credential {
        &self.first_key
    }

    /// A document with what only the world knows filled in, as [`Setup`] has them.
    pub fn filled_in(&self, document: &str, key: &bybit::Credential, account: Uid) -> String {
        filled_in(document, key, account, &self.master_arn)
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

    // Running the rotation code.

    /// Begins a rotation as Secrets Manager does, and answers its token.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn begin_rotation(&self) -> VersionId {
        self.try_begin_rotation()
            .expect("Secrets Manager begins a rotation")
    }

    /// Begins a rotation, unless Secrets Manager refuses.
    ///
    /// # Errors
    /// What Secrets Manager says.
    pub fn try_begin_rotation(&self) -> Result<VersionId, secrets_manager::Error> {
        self.try_begin_rotation_of(&self.secret)
    }

    /// The same for any secret.
    ///
    /// # Errors
    /// What Secrets Manager says.
    pub fn try_begin_rotation_of(&self, secret: &SecretId) -> Result<VersionId, secrets_manager::Error> {
        let request = RotateSecret {
            secret_id: secret.as_str().to_owned(),
            ..RotateSecret::default()
        };
        let begun = self.secrets_manager(|model, now| model.rotate_secret(&request, now))?;
        Ok(VersionId::new(begun.version_id.unwrap_or_default()))
    }

    /// Begins the service's dry run of a secret, and gives the one invocation that it makes; nothing where it
    /// refuses or has nothing to test.
    pub fn begin_dry_run_of(&self, secret: &SecretId) -> Option<StepRequest> {
        let request = RotateSecret {
            secret_id: secret.as_str().to_owned(),
            rotate_immediately: Some(false),
            ..RotateSecret::default()
        };
        let begun = self
            .secrets_manager(|model, now| model.rotate_secret(&request, now))
            .ok()?;
        Some(self.request_of(secret, Step::Test, &VersionId::new(begun.version_id?)))
    }

    /// One invocation of the function for a step, by the faults that were planned.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(&self, step: Step, token: &VersionId) -> Result<Done, Failure> {
        self.start(self.request(step, token)).finish()
    }

    /// The steps in their order, until one fails: one pass of a rotation, or a replay of it.
    ///
    /// # Errors
    /// The failure of the step that failed.
    pub fn pass(&self, token: &VersionId) -> Result<(), Failure> {
        Step::ALL
            .into_iter()
            .try_for_each(|step| self.run(step, token).map(drop))
    }

    /// A whole rotation, driven by the service's own scheduler, without a replay. Answers its token.
    ///
    /// # Errors
    /// The failure of the step that failed.
    pub fn rotate(&self) -> Result<VersionId, Failure> {
        let token = self.begin_rotation();
        while let Some(result) = self.run_due() {
            result?;
        }
        Ok(token)
    }

    /// The invocation that the service's scheduler asks for now, if it does.
    pub fn run_due(&self) -> Option<Result<Done, Failure>> {
        let due = self.secrets_manager(secrets_manager::Model::due_invocation)?;
        let step = Step::ALL
            .into_iter()
            .find(|step| step.as_str() == due.step.as_str())?;
        let mut request = self.request(step, &VersionId::new(due.token.clone()));
        request.secret = SecretId::parse(&due.secret_arn).ok()?;
        let result = self.start(request).finish();
        self.secrets_manager(|model, now| model.invocation_finished(&due, result.is_ok(), now));
        Some(result)
    }

    /// An invocation to be driven by hand.
    pub fn start(&self, request: StepRequest) -> Invocation {
        if let Some(token) = &request.rotation_token {
            self.state
                .lock()
                .rotation_tokens
                .insert(secrecy::ExposeSecret::expose_secret(token).to_owned());
        }
        let (secret, token) = (
            request.secret.as_str().to_owned(),
            request.token.as_str().to_owned(),
        );
        let start = self.starts(
            &self.function_arn,
            Task::Step(request.step),
            secret,
            token,
            false,
            &request,
        );
        Invocation::step(&self.state, start, self.settings.clone(), request)
    }

    /// An operation to be driven by hand.
    pub fn start_operation(&self, request: operations::OperationRequest) -> Invocation<Answer> {
        let secret = match &request {
            operations::OperationRequest::Abandon { secret }
            | operations::OperationRequest::Rollback { secret, .. }
            | operations::OperationRequest::BreakGlass { secret, .. }
            | operations::OperationRequest::Plan { secret } => secret.as_str().to_owned(),
            operations::OperationRequest::Maintain { .. } | operations::OperationRequest::Audit { .. } => {
                String::new()
            }
        };
        let revokes_first = matches!(
            &request,
            operations::OperationRequest::BreakGlass {
                mode: operations::Mode::RevokeFirst,
                ..
            }
        );
        let task = Task::Operation(request.operation());
        let (function, other) = match request.operation().duty() {
            operations::Duty::Operations => (OPERATIONS_ARN, EMERGENCY_ARN),
            operations::Duty::Emergency => (EMERGENCY_ARN, OPERATIONS_ARN),
        };
        let start = self.starts(function, task, secret, String::new(), revokes_first, &request);
        let settings = operations::OperationSettings {
            egress: self.settings.egress.clone(),
            rotation_function: self.function_arn.clone(),
            other_function: other.to_owned(),
            grace: self.grace,
            adoption_grace: self.adoption_grace,
            kms_key: self.kms_key.clone(),
        };
        Invocation::operation(&self.state, start, settings, Arc::clone(&self.kept), request)
    }

    /// One invocation of the function for operations, by the faults that were planned.
    ///
    /// # Panics
    /// When its process ends: only a planned crash does that.
    pub fn operate(&self, request: operations::OperationRequest) -> Answer {
        self.start_operation(request)
            .finish()
            .expect("an operation answers")
    }

    /// The same, while Secrets Manager runs whatever rotation is due.
    ///
    /// # Panics
    /// As [`World::operate`].
    pub fn operate_beside_the_service(&self, request: operations::OperationRequest) -> Answer {
        let operation = self.start_operation(request);
        operation
            .finish_beside(|| while self.run_due().is_some() {})
            .expect("an operation answers")
    }

    /// One pass over all secrets.
    ///
    /// # Panics
    /// As [`World::operate`].
    pub fn maintain(&self) -> Answer {
        self.operate(operations::OperationRequest::Maintain {
            shard: operations::Shard::ALL,
            secrets: Vec::new(),
            moved: false,
            dry_run: false,
        })
    }

    fn starts(
        &self,
        function: &str,
        task: Task,
        secret: String,
        token: String,
        revokes_first: bool,
        request: &impl fmt::Debug,
    ) -> Start {
        let mut state = self.state.lock();
        state.invocations += 1;
        // As long as the ids that Lambda gives.
        let request_id = format!("00000000-0000-4000-8000-request{:05}", state.invocations);
        let caller = Caller {
            function_arn: function.to_owned(),
            request_id: request_id.clone(),
        };
        if state.listening {
            state.say(&format!("{request:?} {caller:?}"));
        }
        let egress = self
            .settings
            .egress
            .iter()
            .map(|address| address.as_str().to_owned())
            .collect();
        let length = |grace| SignedDuration::try_from(grace).unwrap_or(SignedDuration::MAX);
        let (grace, adoption_grace) = (length(self.grace), length(self.adoption_grace));
        let ends = state.now + self.timeout;
        let actor = Actor {
            request_id,
            secret,
            task,
            token,
            ends,
            egress,
            grace,
            adoption_grace,
            revokes_first,
        };
        Start {
            actor,
            caller,
            listener: self.listener.clone(),
        }
    }

    /// What Secrets Manager would send for a step of the secret, with the RotationToken of its open rotation.
    pub fn request(&self, step: Step, token: &VersionId) -> StepRequest {
        self.request_of(&self.secret, step, token)
    }

    /// The same for any secret.
    pub fn request_of(&self, secret: &SecretId, step: Step, token: &VersionId) -> StepRequest {
        let state = self.state.lock();
        let rotation = state
            .secrets_manager
            .secret(secret.as_str())
            .and_then(secrets_manager::Secret::rotation);
        let rotation_token = rotation.and_then(secrets_manager::Rotation::rotation_token);
        let rotation_token = rotation_token.map(|token| SecretString::from(token.expose()));
        StepRequest {
            step,
            secret: secret.clone(),
            token: token.clone(),
            rotation_token,
        }
    }

    /// Plans a fault for the so-manieth next call of an operation, counted from 1.
    pub fn plan(&self, operation: Operation, occurrence: usize, fault: Fault) {
        self.state.lock().plan.add(Some(operation), occurrence, fault);
    }

    /// Plans a fault for the so-manieth next call of any operation, counted from 1.
    pub fn plan_at(&self, occurrence: usize, fault: Fault) {
        self.state.lock().plan.add(None, occurrence, fault);
    }

    /// Whether every planned fault has happened.
    pub fn plan_is_done(&self) -> bool {
        self.state.lock().plan.is_empty()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
