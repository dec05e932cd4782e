//! What the tests share: the stand-ins with their seeds, a process of the function, and a rotation to drive by hand.

use std::path::Path;

use sandbox::bybit::KeyTruth;
use sandbox::function::{Environment, Failed, Function};
use sandbox::local::{Local, SECRET, SUB_ACCOUNT};
use sandbox::secrets_manager::{PutSecretValue, RotateSecret, Sensitive};
use serde_json::{Value, json};

pub(crate) const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
pub(crate) const TOKEN: &str = "70000000-0000-4000-8000-000000000001";
pub(crate) const ROTATION_TOKEN: &str = "r0tation-t0ken-that-nobody-may-ever-see-in-a-log";

pub(crate) struct World {
    pub(crate) local: Local,
    pub(crate) function: Function,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|environment| environment).await
    }

    /// With other variables in the function's environment.
    pub(crate) async fn start_with(change: impl FnOnce(Environment) -> Environment) -> Self {
        let local = Local::start(0, 0).await.unwrap();
        let function = start_function(&change(local.environment())).await;
        Self { local, function }
    }

    /// Opens a rotation as Secrets Manager does: AWSPENDING on a version without a value. The tests invoke the steps.
    pub(crate) fn open_rotation(&self, token: &str) {
        let mut state = self.local.secrets_manager.lock();
        let now = state.clock.now();
        let request =
            RotateSecret { secret_id: SECRET.into(), client_request_token: Some(token.into()), ..RotateSecret::default() };
        state.model.rotate_secret(&request, now).unwrap();
    }

    /// Puts a value as AWSCURRENT by hand.
    pub(crate) fn overwrite(&self, value: &str) {
        self.put("0b000000-0000-4000-8000-00000000000b", value, "AWSCURRENT");
    }

    /// Puts a value by hand, with a label.
    pub(crate) fn put(&self, version: &str, value: &str, label: &str) {
        let mut state = self.local.secrets_manager.lock();
        let now = state.clock.now();
        let request = PutSecretValue {
            secret_id: SECRET.into(),
            client_request_token: Some(version.into()),
            secret_string: Some(Sensitive::new(value)),
            version_stages: Some(vec![label.into()]),
            ..PutSecretValue::default()
        };
        state.model.put_secret_value(&request, now).unwrap();
    }

    /// The current document, changed.
    pub(crate) fn edit_current(&self, change: impl FnOnce(&mut Value)) {
        let mut value = self.current();
        change(&mut value);
        self.overwrite(&value.to_string());
    }

    pub(crate) fn event(&self, step: &str, token: &str) -> Value {
        json!({
            "Step": step, "SecretId": self.local.arn(SECRET), "ClientRequestToken": token, "RotationToken": ROTATION_TOKEN,
        })
    }

    pub(crate) async fn invoke(&self, step: &str) -> Result<Value, Failed> {
        self.function.invoke(&self.event(step, TOKEN)).await
    }

    /// Invokes a step and returns the word it succeeded with.
    pub(crate) async fn succeed(&self, step: &str) -> String {
        let answer =
            self.invoke(step).await.unwrap_or_else(|failed| panic!("{step}: {failed}\n{}", self.function.output().join("\n")));
        answer["outcome"].as_str().unwrap().to_owned()
    }

    /// Invokes all four steps; returns the words they succeeded with.
    pub(crate) async fn rotate(&self) -> Vec<String> {
        let mut words = Vec::new();
        for step in STEPS {
            words.push(self.succeed(step).await);
        }
        words
    }

    /// Invokes a step and returns the errorType and message it failed with.
    pub(crate) async fn fail(&self, step: &str) -> (String, String) {
        let failed = self.invoke(step).await.expect_err(step);
        (failed.error_type, failed.message)
    }

    pub(crate) fn current(&self) -> Value {
        self.local.value(SECRET, "AWSCURRENT").unwrap()
    }

    pub(crate) fn labels(&self) -> Vec<(String, Vec<String>)> {
        let state = self.local.secrets_manager.lock();
        state.model.secret(SECRET).unwrap().versions_to_stages().into_iter().collect()
    }

    /// The keys of the sub-account, in the order they were made.
    pub(crate) fn keys(&self) -> Vec<KeyTruth> {
        let keys = self.local.bybit.lock().model.keys();
        keys.into_iter().filter(|key| key.uid == SUB_ACCOUNT).collect()
    }

    pub(crate) fn live_keys(&self) -> Vec<KeyTruth> {
        let now = self.local.clock.now();
        self.keys().into_iter().filter(|key| key.alive(now)).collect()
    }

    /// How many calls were made since this was last asked: to Secrets Manager, and to Bybit.
    pub(crate) fn calls(&self) -> (usize, usize) {
        let store = self.local.secrets_manager.lock().model.take_calls();
        let venue = self.local.bybit.lock().model.take_calls();
        (store.len(), venue.len())
    }

    /// The audit lines so far.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let lines = self.function.output();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["type"] == "audit").collect()
    }
}

pub(crate) async fn start_function(environment: &Environment) -> Function {
    Function::start(Path::new(env!("CARGO_BIN_EXE_exchange-key-rotation")), environment, false).await.unwrap()
}
