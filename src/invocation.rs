//! One invocation: from the event that came to the answer or the error that is reported.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use protocol::operations::{self, Duty, HolderCache};
use protocol::ports::Ports;
use protocol::rotation::{self, Caller, Done, RotationSettings, Step};
use protocol::{Error, ErrorType};
use rustls::ClientConfig;
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;

use crate::audit::AuditLog;
use crate::config::{Config, Purpose};
use crate::exchange::Exchanges;
use crate::store::SecretsManager;
use crate::time::InvocationTime;
use crate::{event, operation};

/// What a process keeps from one invocation to the next.
#[derive(Debug)]
pub(crate) struct Function {
    role: Role,
    secrets_manager: aws_sdk_secretsmanager::Client,
    exchanges: Exchanges,
    audit: AuditLog,
    started: Timestamp,
}

/// What this function is for, with what it needs for that.
#[derive(Debug)]
enum Role {
    /// The steps of rotations.
    Rotation(RotationSettings),
    /// The operations of a duty.
    Operations(Duty, operations::OperationSettings, HolderCache),
}

/// The answer to an event that was understood. Secrets Manager ignores it; people read it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// To a step that succeeded.
    Step {
        /// Which.
        step: Step,
        /// Of which secret, masked.
        secret: String,
        /// The version that the rotation builds.
        version: String,
        /// What was done.
        outcome: Done,
    },
    /// To an operation, however it went.
    Operation(operations::Answer),
}

/// The error of a failed invocation, as it is reported.
#[derive(Debug)]
pub(crate) struct Failure(Error);

impl From<Failure> for Diagnostic {
    fn from(Failure(error): Failure) -> Self {
        Self {
            error_type: error.error_type.as_str().into(),
            error_message: format!("{error} (see {})", error.error_type.runbook()),
        }
    }
}

impl Function {
    pub(crate) fn new(
        config: &Config,
        secrets_manager: aws_sdk_secretsmanager::Client,
        tls: ClientConfig,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            role: match &config.purpose {
                Purpose::Rotation => Role::Rotation(RotationSettings {
                    egress: config.egress.clone(),
                }),
                Purpose::Operations {
                    duty,
                    rotation,
                    other,
                } => {
                    let settings = operations::OperationSettings {
                        egress: config.egress.clone(),
                        rotation_function: rotation.clone(),
                        other_function: other.clone(),
                        grace: config.grace,
                        adoption_grace: config.adoption_grace,
                        kms_key: config.kms_key.clone(),
                    };
                    Role::Operations(*duty, settings, HolderCache::default())
                }
            },
            secrets_manager,
            exchanges: Exchanges::new(config, tls)?,
            audit: AuditLog::new(),
            started: Timestamp::now(),
        })
    }

    /// Handles one event. A fault of ours is an error like any other: the process lives on.
    pub(crate) async fn invoke(&self, event: LambdaEvent<Value>) -> Result<Answer, Failure> {
        let (payload, context) = event.into_parts();
        let request_id = context.request_id.clone();
        // Large, since it holds whatever any step or operation keeps.
        caught(&request_id, Box::pin(self.handle(payload, context)))
            .await
            .map_err(Failure)
    }

    async fn handle(&self, payload: Value, context: Context) -> Result<Answer, Error> {
        let time = InvocationTime::of(&context, self.started);
        let caller = Caller {
            function_arn: context.invoked_function_arn,
            request_id: context.request_id,
        };
        let store = SecretsManager::new(&self.secrets_manager, time);
        let venues = self.exchanges.within(time);
        let ports = Ports {
            store: &store,
            venues: &venues,
            time: &time,
            journal: &self.audit,
        };
        let logged = |error: &Error| log(error, &caller.request_id);
        match &self.role {
            Role::Rotation(settings) => {
                let request = event::parse(payload).inspect_err(logged)?;
                let secret = request.secret.name().to_string();
                let span = tracing::info_span!(
                    "rotation",
                    step = %request.step,
                    secret,
                    version = %request.token,
                    request_id = caller.request_id
                );
                async {
                    tracing::info!("begin");
                    let outcome = rotation::rotate(ports, &caller, settings, &request)
                        .await
                        .inspect_err(logged)?;
                    tracing::info!(?outcome, "done");
                    Ok(Answer::Step {
                        step: request.step,
                        secret,
                        version: request.token.to_string(),
                        outcome,
                    })
                }
                .instrument(span.clone())
                .await
            }
            Role::Operations(duty, settings, kept) => {
                let request = operation::read(&payload, *duty).inspect_err(logged)?;
                let span = tracing::info_span!(
                    "operation",
                    operation = %request.operation(),
                    request_id = caller.request_id
                );
                async {
                    let answer = operations::operate(ports, &store, &caller, settings, kept, &request).await;
                    self.audit.answered(
                        &answer,
                        payload.get("shard").and_then(Value::as_str),
                        request.order(),
                    );
                    Ok(Answer::Operation(answer))
                }
                .instrument(span.clone())
                .await
            }
        }
    }
}

fn log(error: &Error, request_id: &str) {
    tracing::error!(error_type = %error.error_type, %request_id, "{error}");
}

/// What a future gives, where a panic in it is an error that says no more than where to look.
async fn caught<T>(request_id: &str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        let problem =
            format!("a fault of this function; the log lines of request {request_id} name the place");
        Err(Error::new(ErrorType::Internal, problem))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_repeats_nothing_of_its_message() {
        let work = caught("r-1", async { panic!("a-value-that-could-be-a-secret") });
        let result: Result<(), Error> = work.now_or_never().unwrap();
        let error = result.unwrap_err();
        assert_eq!(error.error_type, ErrorType::Internal);
        assert!(
            error.to_string().contains("r-1") && !error.to_string().contains("secret"),
            "{error}"
        );
    }
}
