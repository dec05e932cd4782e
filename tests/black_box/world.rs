//! What the tests share: the stand-ins with their seeds, a process of the function, and a rotation to drive
//! by hand.

mod leaks;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sandbox::fault::Fault;
use sandbox::function::{Environment, Failed, Function};
use sandbox::in_process::Power;
use sandbox::local::{Local, SECRET, SUB_ACCOUNT, Venue};
use sandbox::proxy::{self, Proxy};
use sandbox::secrets_manager::{
    self, PutSecretValue, RotateSecret, Rotation, Sensitive, UpdateSecretVersionStage,
};
use sandbox::venue::{self, Credential, Ips, KeyId, KeyTruth, Permissions, Settings};
use serde_json::{Value, json};

pub(crate) const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
pub(crate) const TOKEN: &str = "70000000-0000-4000-8000-000000000001";
pub(crate) const ROTATION_TOKEN: &str = "r0tation-t0ken-that-nobody-may-ever-see-in-a-log";

/// The functions for operations: an event goes to the one that performs it.
pub(crate) struct Operators {
    pub(crate) operations: Arc<Function>,
    pub(crate) emergency: Arc<Function>,
}

impl Operators {
    pub(crate) fn output(&self) -> Vec<String> {
        [&self.operations, &self.emergency]
            .into_iter()
            .flat_map(|function| function.output())
            .collect()
    }

    /// Their lines that are JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let output = self.output().into_iter();
        output
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
    }
}

pub(crate) async fn ask(operators: &Operators, event: Value) -> Value {
    let function = match event["operation"].as_str() {
        Some("break_glass" | "rollback" | "abandon") => &operators.emergency,
        _ => &operators.operations,
    };
    function
        .invoke(&event)
        .await
        .unwrap_or_else(|failed| panic!("{event}: {failed}"))
}

/// A pass over all secrets.
pub(crate) async fn maintain(operators: &Operators) -> Value {
    ask(operators, json!({"operation": "maintain"})).await
}

/// A person's order about the current key, which is leaked.
pub(crate) fn break_glass() -> Value {
    json!({"operation": "break_glass", "secret": SECRET, "reason": "seen in a log", "incident": "INC-7"})
}

/// What an answer found.
pub(crate) fn findings(answer: &Value) -> &[Value] {
    answer["findings"].as_array().unwrap()
}

/// The codes of an answer's findings.
pub(crate) fn codes(answer: &Value) -> Vec<&str> {
    findings(answer)
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// A world that has to have kept every secret to itself when a test is done with it.
pub(crate) struct World {
    pub(crate) local: Local,
    pub(crate) function: Arc<Function>,
    /// Every process there was, that one among them.
    processes: Mutex<Vec<Arc<Function>>>,
    rotation_tokens: Mutex<BTreeSet<String>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::at(Venue::Bybit).await
    }

    /// At another venue.
    pub(crate) async fn at(venue: Venue) -> Self {
        Self::at_with(venue, |environment| environment).await
    }

    /// With other variables in the function's environment.
    pub(crate) async fn start_with(change: impl FnOnce(Environment) -> Environment) -> Self {
        Self::at_with(Venue::Bybit, change).await
    }

    /// The same at another venue.
    pub(crate) async fn at_with(venue: Venue, change: impl FnOnce(Environment) -> Environment) -> Self {
        let local = Local::start(venue, 0, 0).await.unwrap();
        let environment = change(local.environment());
        Self::of(local, &environment).await
    }

    /// With a proxy between the function's process and the stand-ins.
    pub(crate) async fn start_behind_proxy(plan: Option<(usize, proxy::Fault)>) -> (Self, Proxy) {
        let local = Local::start(Venue::Bybit, 0, 0).await.unwrap();
        let proxy = Proxy::start(&local, plan).await.unwrap();
        let world = Self::of(local, &proxy.environment()).await;
        proxy.may_kill(world.function.killer());
        (world, proxy)
    }

    async fn of(local: Local, environment: &Environment) -> Self {
        let function = start_function(environment).await;
        let rotation_tokens = Mutex::new(BTreeSet::from([ROTATION_TOKEN.to_owned()]));
        Self {
            local,
            processes: Mutex::new(vec![Arc::clone(&function)]),
            function,
            rotation_tokens,
        }
    }

    /// The name of the secret that the tests rotate.
    pub(crate) fn secret(&self) -> &'static str {
        self.local.stand_in.secret
    }

    /// One more process of the function.
    pub(crate) async fn process(&self, environment: &Environment) -> Arc<Function> {
        let process = start_function(environment).await;
        self.processes.lock().unwrap().push(Arc::clone(&process));
        process
    }

    /// The two functions for operations.
    pub(crate) async fn operators(&self) -> Operators {
        Operators {
            operations: self.process(&self.local.environment().operations()).await,
            emergency: self.process(&self.local.environment().emergency()).await,
        }
    }

    /// Asks for an operation, while Secrets Manager runs the rotation that it begins.
    pub(crate) async fn ask_beside_the_service(&self, operators: &Operators, event: Value) -> Value {
        let served = async {
            let mut served = BTreeSet::new();
            loop {
                if let Some(token) = self.open_version().filter(|token| served.insert(token.clone())) {
                    self.complete(&token).await;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            answer = ask(operators, event) => answer,
            () = served => unreachable!("the service has no end"),
        }
    }

    /// The version that a rotation is building.
    pub(crate) fn open_version(&self) -> Option<String> {
        let state = self.local.secrets_manager.lock();
        let secret = state.model.secret(self.secret())?;
        let pending = secret
            .holder("AWSPENDING")
            .filter(|pending| secret.holder("AWSCURRENT") != Some(pending));
        pending.map(str::to_owned)
    }

    /// Does something at Secrets Manager by hand.
    pub(crate) fn secrets_manager<T>(
        &self,
        act: impl FnOnce(&mut secrets_manager::Model, Timestamp) -> T,
    ) -> T {
        let mut state = self.local.secrets_manager.lock();
        let now = state.clock.now();
        act(&mut state.model, now)
    }

    /// Does something at the venue by hand.
    pub(crate) fn venue<T>(&self, act: impl FnOnce(&mut venue::Model, Timestamp) -> T) -> T {
        let now = self.local.clock.now();
        act(&mut self.local.venue.lock().model, now)
    }

    /// Plans a fault for the next call of one of Secrets Manager's operations that none is planned for.
    pub(crate) fn plan(&self, operation: &str, fault: Fault) {
        self.local.secrets_manager.lock().faults.plan(operation, fault);
    }

    /// Makes a key of the sub-account.
    pub(crate) fn key_by_hand(&self, note: &str, ips: Ips, powers: &[Power<'_>]) -> Credential {
        let settings = Settings {
            note: note.to_owned(),
            read_only: false,
            ips,
            permissions: Permissions::of(powers),
        };
        self.venue(|model, now| model.create_key_by_hand(SUB_ACCOUNT, settings, now))
            .unwrap()
    }

    /// Deletes the current key.
    pub(crate) fn delete_current(&self) {
        let key = KeyId::from(&*self.current_key());
        self.venue(|model, now| model.delete_key_by_hand(&key, now))
            .unwrap();
    }

    /// Opens a rotation as Secrets Manager does: AWSPENDING on a version without a value. The tests invoke
    /// the steps.
    pub(crate) fn open_rotation(&self, token: &str) {
        let request = RotateSecret {
            secret_id: self.secret().into(),
            client_request_token: Some(token.into()),
            ..RotateSecret::default()
        };
        let opened = self.secrets_manager(|model, now| {
            model.rotate_secret(&request, now).unwrap();
            let rotation = model.secret(self.secret()).unwrap().rotation();
            rotation
                .and_then(Rotation::rotation_token)
                .map(|token| token.expose().to_owned())
        });
        self.rotation_tokens.lock().unwrap().extend(opened);
    }

    /// Puts a value as AWSCURRENT by hand.
    pub(crate) fn overwrite(&self, value: &str) {
        self.put("0b000000-0000-4000-8000-00000000000b", value, "AWSCURRENT");
    }

    /// Puts a value by hand, with a label.
    pub(crate) fn put(&self, version: &str, value: &str, label: &str) {
        self.put_in(self.secret(), version, value, &[label]);
    }

    /// The same in any secret, with any labels.
    pub(crate) fn put_in(&self, secret: &str, version: &str, value: &str, labels: &[&str]) {
        let request = PutSecretValue {
            secret_id: secret.into(),
            client_request_token: Some(version.into()),
            secret_string: Some(Sensitive::new(value)),
            version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
            ..PutSecretValue::default()
        };
        self.secrets_manager(|model, now| model.put_secret_value(&request, now))
            .unwrap();
    }

    /// Puts the master's value by hand.
    pub(crate) fn put_master(&self, value: &Value) {
        let version = "0a000000-0000-4000-8000-00000000000a";
        self.put_in(
            self.local.stand_in.master_secret,
            version,
            &value.to_string(),
            &["AWSCURRENT"],
        );
    }

    /// Moves a label by hand.
    pub(crate) fn label(&self, label: &str, from: Option<&str>, to: Option<&str>) {
        let request = UpdateSecretVersionStage {
            secret_id: self.secret().into(),
            version_stage: label.into(),
            remove_from_version_id: from.map(str::to_owned),
            move_to_version_id: to.map(str::to_owned),
        };
        self.secrets_manager(|model, now| model.update_secret_version_stage(&request, now))
            .unwrap();
    }

    /// Puts a stamp that far back, as if that much time had passed.
    pub(crate) fn backdate(&self, kind: &str, hours: i64) {
        let labels = self.secrets_manager(|model, _| model.secret(self.secret()).unwrap().labels().clone());
        let (label, version) = labels.iter().find(|(label, _)| label.starts_with(kind)).unwrap();
        self.label(label, Some(version), None);
        let then = Timestamp::now() - SignedDuration::from_hours(hours);
        let stamp = format!("{kind}-{}-{}", then.strftime("%Y%m%dT%H%M%SZ"), &version[..8]);
        self.label(&stamp, None, Some(version));
    }

    /// The current document, changed.
    pub(crate) fn edit_current(&self, change: impl FnOnce(&mut Value)) {
        let mut value = self.current();
        change(&mut value);
        self.overwrite(&value.to_string());
    }

    pub(crate) fn event(&self, step: &str, token: &str) -> Value {
        json!({
            "Step": step, "SecretId": self.local.arn(self.secret()), "ClientRequestToken": token,
            "RotationToken": ROTATION_TOKEN,
        })
    }

    pub(crate) async fn invoke(&self, step: &str) -> Result<Value, Failed> {
        self.function.invoke(&self.event(step, TOKEN)).await
    }

    /// Invokes a step and returns the word it succeeded with.
    pub(crate) async fn succeed(&self, step: &str) -> String {
        let answer = self
            .invoke(step)
            .await
            .unwrap_or_else(|failed| panic!("{step}: {failed}\n{}", self.function.output().join("\n")));
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

    /// Invokes all four steps for any token.
    pub(crate) async fn complete(&self, token: &str) {
        for step in STEPS {
            self.function.invoke(&self.event(step, token)).await.unwrap();
        }
    }

    /// Invokes a step and returns the errorType and message it failed with.
    pub(crate) async fn fail(&self, step: &str) -> (String, String) {
        let failed = self.invoke(step).await.expect_err(step);
        (failed.error_type, failed.message)
    }

    pub(crate) fn current(&self) -> Value {
        self.local.value(self.secret(), "AWSCURRENT").unwrap()
    }

    /// The id of the key in it.
    pub(crate) fn current_key(&self) -> String {
        self.current()["api_key"].as_str().unwrap().to_owned()
    }

    pub(crate) fn labels(&self) -> Vec<(String, Vec<String>)> {
        let state = self.local.secrets_manager.lock();
        state
            .model
            .secret(self.secret())
            .unwrap()
            .versions_to_stages()
            .into_iter()
            .collect()
    }

    /// The keys of the sub-account, in the order they were made.
    pub(crate) fn keys(&self) -> Vec<KeyTruth> {
        let keys = self.local.venue.lock().model.keys();
        keys.into_iter().filter(|key| key.uid == SUB_ACCOUNT).collect()
    }

    pub(crate) fn live_keys(&self) -> Vec<KeyTruth> {
        let now = self.local.clock.now();
        self.keys().into_iter().filter(|key| key.alive(now)).collect()
    }

    /// How many calls were made since this was last asked: to Secrets Manager, and to the venue.
    pub(crate) fn calls(&self) -> (usize, usize) {
        let store = self.local.secrets_manager.lock().model.take_calls();
        let venue = self.local.venue.lock().model.take_calls();
        (store.len(), venue.len())
    }

    /// The audit lines so far, of all processes.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let lines: Vec<String> = self
            .processes
            .lock()
            .unwrap()
            .iter()
            .flat_map(|process| process.output())
            .collect();
        let lines = lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["type"] == "audit").collect()
    }
}

async fn start_function(environment: &Environment) -> Arc<Function> {
    let binary = Path::new(env!("CARGO_BIN_EXE_exchange-key-rotation"));
    Arc::new(Function::start(binary, environment, false).await.unwrap())
}
