//! Where the story takes place: the stand-ins, the real binary in its three roles, and one clock for all of
//! them.

use std::cell::Cell;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::moved_clock::MovedClock;
use crate::function::{EMERGENCY_ARN, Environment, Function, OPERATIONS_ARN};
use crate::local::{Local, SUB_ACCOUNT, Venue};
use crate::report;
use crate::scheduler::{next_step, wait_until_due};
use crate::secrets_manager::{PutSecretValue, RotateSecret, Sensitive};
use crate::venue::{KeyId, KeyTruth};

/// Why the story ended before its end.
pub(super) type Broken = Box<dyn std::error::Error>;

/// An operation is given this long.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);

pub(super) struct Stage {
    pub(super) local: Local,
    binary: PathBuf,
    clock: MovedClock,
    ahead: SignedDuration,
    echo: bool,
    functions: Functions,
}

/// The three functions of a stack.
struct Functions {
    rotation: Function,
    operations: Function,
    emergency: Function,
}

impl Stage {
    pub(super) async fn set(venue: Venue, binary: PathBuf, echo: bool) -> Result<Self, Broken> {
        let clock = MovedClock::build().await?;
        let local = Local::start(venue, 0, 0).await?;
        // The secret of the events' files belongs to another play.
        {
            let mut state = local.secrets_manager.lock();
            let now = state.clock.now();
            state.model.knobs_mut().replays = 0;
            let request = crate::secrets_manager::DeleteSecret {
                secret_id: local.stand_in.events_secret.into(),
                force_delete_without_recovery: true,
                ..Default::default()
            };
            state.model.delete_secret(&request, now)?;
        }
        let ahead = SignedDuration::ZERO;
        let functions = Functions::start(&binary, &clock, &local, ahead, echo).await?;
        Ok(Self {
            local,
            binary,
            clock,
            ahead,
            echo,
            functions,
        })
    }

    // Time.

    pub(super) fn now(&self) -> Timestamp {
        self.local.clock.now()
    }

    /// Lets time pass for everybody: the function's processes begin anew, as Lambda's do.
    pub(super) async fn later(&mut self, by: SignedDuration) -> Result<(), Broken> {
        self.local.clock.advance(by);
        self.ahead += by;
        self.functions =
            Functions::start(&self.binary, &self.clock, &self.local, self.ahead, self.echo).await?;
        Ok(())
    }

    // Secrets Manager and the function.

    /// Rotates as `aws secretsmanager rotate-secret` does, and waits until it is over.
    pub(super) async fn rotate(&self) -> Result<Vec<String>, Broken> {
        {
            let mut state = self.local.secrets_manager.lock();
            let now = state.clock.now();
            state.model.rotate_secret(
                &RotateSecret {
                    secret_id: self.local.stand_in.secret.into(),
                    ..RotateSecret::default()
                },
                now,
            )?;
        }
        self.run_what_is_due().await
    }

    /// The steps that Secrets Manager asks for, with what became of each.
    pub(super) async fn run_what_is_due(&self) -> Result<Vec<String>, Broken> {
        let mut steps = Vec::new();
        while self.is_rotating() {
            self.steps(&mut steps).await?;
            if self.is_rotating() {
                wait_until_due(&self.local).await;
            }
        }
        Ok(steps)
    }

    async fn steps(&self, done: &mut Vec<String>) -> Result<(), Broken> {
        while let Some(step) = next_step(&self.local, &self.functions.rotation).await {
            let name = step.invocation.step.as_str();
            match &step.outcome {
                Ok(answer) => done.push(format!("{name} {}", answer["outcome"].as_str().unwrap_or("done"))),
                Err(failed) => return Err(format!("{name} failed: {failed}").into()),
            }
        }
        Ok(())
    }

    fn is_rotating(&self) -> bool {
        let state = self.local.secrets_manager.lock();
        let secret = state.model.secret(self.local.stand_in.secret);
        secret.is_some_and(|secret| {
            secret
                .holder("AWSPENDING")
                .is_some_and(|pending| secret.holder("AWSCURRENT") != Some(pending))
        })
    }

    /// Asks the function that performs an operation, while Secrets Manager runs whatever rotation it is asked
    /// for.
    pub(super) async fn ask(&self, event: Value) -> Result<Value, Broken> {
        let deadline = self.now() + SignedDuration::from_mins(15);
        let done = Cell::new(false);
        let (function, arn) = match event["operation"].as_str() {
            Some("break_glass" | "rollback" | "abandon") => (&self.functions.emergency, EMERGENCY_ARN),
            _ => (&self.functions.operations, OPERATIONS_ARN),
        };
        let asking = async {
            let answer = function
                .invoke_raw(event.to_string().into_bytes(), deadline, arn)
                .await;
            done.set(true);
            answer
        };
        // A step that was begun is not left in the middle.
        let service = async {
            while !done.get() {
                wait_until_due(&self.local).await;
                self.steps(&mut Vec::new()).await?;
            }
            Ok::<(), Broken>(())
        };
        let both = async { tokio::join!(asking, service) };
        let (answer, served) = tokio::time::timeout(PATIENCE, both)
            .await
            .map_err(|_| "an operation did not answer")?;
        served?;
        Ok(answer?)
    }

    pub(super) async fn maintain(&self) -> Result<Value, Broken> {
        self.ask(json!({"operation": "maintain"})).await
    }

    // People.

    /// Puts a value as AWSCURRENT by hand, as infrastructure code does that carries one.
    pub(super) fn overwrite(&self, value: &Value) -> Result<(), Broken> {
        let mut state = self.local.secrets_manager.lock();
        let now = state.clock.now();
        let put = PutSecretValue {
            secret_id: self.local.stand_in.secret.into(),
            client_request_token: Some("0b000000-0000-4000-8000-00000000000b".into()),
            secret_string: Some(Sensitive::new(value.to_string())),
            ..PutSecretValue::default()
        };
        state.model.put_secret_value(&put, now)?;
        Ok(())
    }

    /// Somebody deletes a key at the exchange.
    pub(super) fn delete_key(&self, key: &str) -> Result<(), Broken> {
        let mut state = self.local.venue.lock();
        let now = self.local.clock.now();
        state
            .model
            .delete_key_by_hand(&KeyId::from(key), now)
            .map_err(|_| "there is no such key to delete")?;
        Ok(())
    }

    // What there is to see.

    /// The value under a label.
    pub(super) fn value(&self, label: &str) -> Value {
        self.local
            .value(self.local.stand_in.secret, label)
            .unwrap_or_default()
    }

    /// The key id under a label.
    pub(super) fn key(&self, label: &str) -> String {
        self.value(label)["api_key"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Whether a bot that still holds this key can trade.
    pub(super) fn trades(&self, key: &str) -> bool {
        let now = self.now();
        self.truth(key).is_some_and(|truth| truth.alive(now))
    }

    fn truth(&self, key: &str) -> Option<KeyTruth> {
        self.local.venue.lock().model.key(&KeyId::from(key))
    }

    pub(super) fn versions(&self) -> String {
        report::versions(&self.local, self.local.stand_in.secret)
    }

    pub(super) fn keys(&self) -> String {
        report::keys(&self.local, SUB_ACCOUNT)
    }

    /// All that the processes wrote since the clock was last moved.
    pub(super) fn output(&self) -> Vec<String> {
        let Functions {
            rotation,
            operations,
            emergency,
        } = &self.functions;
        [rotation, operations, emergency]
            .into_iter()
            .flat_map(Function::output)
            .collect()
    }
}

impl Functions {
    async fn start(
        binary: &std::path::Path,
        clock: &MovedClock,
        local: &Local,
        ahead: SignedDuration,
        echo: bool,
    ) -> Result<Self, Broken> {
        let environment: Environment = clock.ahead(local.environment(), ahead);
        Ok(Self {
            rotation: Function::start(binary, &environment, echo).await?,
            operations: Function::start(binary, &environment.clone().operations(), echo).await?,
            emergency: Function::start(binary, &environment.emergency(), echo).await?,
        })
    }
}
