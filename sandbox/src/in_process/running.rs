//! The rotation code and the operations, run in a world, by the faults that were planned.

use std::fmt;
use std::sync::Arc;

use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{self, Answer};
use protocol::rotation::{Caller, Done, Step, StepRequest};
use protocol::task::Task;
use secrecy::SecretString;

use super::call::{Fault, Operation};
use super::gate::Gate;
use super::invocation::{Failure, Invocation, Start};
use super::port::Port;
use super::venue::InProcessVenues;
use super::world::World;
use crate::function::{EMERGENCY_ARN, OPERATIONS_ARN};
use crate::invariants::Actor;
use crate::secrets_manager::{self, RotateSecret};

impl World {
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
        self.run_all_due()?;
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

    /// All that the service's scheduler asks for now, until it asks for nothing or a step fails.
    ///
    /// # Errors
    /// The failure of the step that failed.
    pub fn run_all_due(&self) -> Result<(), Failure> {
        while let Some(result) = self.run_due() {
            result?;
        }
        Ok(())
    }

    /// A whole rotation of any secret, step by step. Answers its token.
    ///
    /// # Errors
    /// The failure of the step that failed.
    ///
    /// # Panics
    /// When Secrets Manager refuses.
    pub fn rotate_secret(&self, secret: &SecretId) -> Result<VersionId, Failure> {
        let token = self
            .try_begin_rotation_of(secret)
            .expect("Secrets Manager begins a rotation");
        for step in Step::ALL {
            self.start(self.request_of(secret, step, &token)).finish()?;
        }
        Ok(token)
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

    /// The venue as the rotation code has it in createSecret, for callers of its own: nothing holds up their
    /// calls.
    pub fn venues(&self) -> InProcessVenues {
        let (task, none) = (Task::Step(Step::Create), String::new);
        let start = self.starts(&self.function_arn, task, none(), none(), false, &"venues");
        InProcessVenues::new(Port {
            state: self.state.clone(),
            gate: Gate::open(),
            actor: Arc::new(start.actor),
        })
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

    /// The same for several of them.
    pub fn plan_all(&self, operation: Operation, occurrences: impl IntoIterator<Item = usize>, fault: Fault) {
        for occurrence in occurrences {
            self.plan(operation, occurrence, fault);
        }
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
