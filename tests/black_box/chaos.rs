//! A rotation of which any one request goes wrong, in any way: its process is killed, or lives and sees what
//! a network or a gateway made of the answer. New processes repeat the rotation, as Secrets Manager does.
//! Then the stand-ins are asked what is true.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::secret::KeyId as Shown;
use sandbox::function::{Failed, Function, LAMBDA_ARN};
use sandbox::in_process::{SPOT, TRADES};
use sandbox::local::SECRET;
use sandbox::proxy::{Effect, Fault, Proxy, Reply};
use sandbox::secrets_manager::{Operation, Outcome};
use sandbox::venue::{Ips, KeyId, KeyTruth, Permissions, Settings};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::world::{STEPS, TOKEN, World};

/// After a fault, a rotation may take this many repetitions.
const MOST_REPETITIONS: usize = 2;
/// So many histories of one test run at a time: each mostly waits.
const AT_ONCE: usize = 24;
/// Long enough to be no matter.
const AMPLE: SignedDuration = SignedDuration::from_mins(5);
const EFFECTS: [Effect; 2] = [Effect::None, Effect::Done];

#[tokio::test]
async fn a_rotation_killed_at_any_request_is_completed_by_the_next_process() {
    at_every_request(EFFECTS.map(Fault::Killed)).await;
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_request_costs_no_key_and_leaves_none() {
    at_every_request([
        Fault::Dropped(Effect::None),
        Fault::Dropped(Effect::Done),
        Fault::Truncated,
    ])
    .await;
}

#[tokio::test]
async fn what_the_service_did_not_say_is_never_taken_for_its_answer() {
    at_every_request(replaced(&[Reply::Page, Reply::OtherJson, Reply::EmptyEnvelope])).await;
}

#[tokio::test]
async fn a_gateway_that_refuses_any_request_is_outlived() {
    at_every_request(replaced(&[Reply::Forbidden, Reply::TooMany])).await;
}

#[tokio::test]
async fn a_gateway_that_fails_at_any_request_is_outlived() {
    let without_effect =
        [Reply::ServerError, Reply::Unavailable].map(|reply| Fault::Replaced(Effect::None, reply));
    at_every_request(replaced(&[Reply::BadGateway]).into_iter().chain(without_effect)).await;
}

#[tokio::test]
async fn a_request_that_outlasts_its_invocation_does_no_harm_whenever_it_acts() {
    let mut histories = Histories::default();
    for (at, step) in requests_of_a_clean_rotation().await.into_iter().enumerate() {
        // createSecret issues nothing in less than eight seconds; the others need little more than their last
        // moment.
        let deadline = SignedDuration::from_millis(if step == STEPS[0] { 9_500 } else { 2_500 });
        let deadlines = STEPS.map(|other| if other == step { deadline } else { AMPLE });
        for effect in EFFECTS {
            let fault = Fault::Delayed(effect, Duration::try_from(deadline).unwrap());
            histories.add(async move {
                let history = History::begin(Some((at, fault))).await;
                // The process is up before its time begins to count.
                history.world.function.invoke(&Value::Null).await.unwrap_err();
                history.alone(deadlines).await;
            });
        }
    }
    histories.end(AT_ONCE).await;
}

#[tokio::test]
async fn two_processes_at_once_complete_one_rotation_between_them() {
    let mut histories = Histories::default();
    for _ in 0..AT_ONCE {
        histories.add(async { History::begin(None).await.beside_another().await });
    }
    histories.end(AT_ONCE).await;
}

#[tokio::test]
async fn of_two_processes_at_once_one_may_be_killed_at_any_request() {
    let requests = requests_of_a_clean_rotation().await.len();
    let mut histories = Histories::default();
    for at in 0..requests {
        for effect in EFFECTS {
            histories.add(async move {
                History::begin(Some((at, Fault::Killed(effect))))
                    .await
                    .beside_another()
                    .await;
            });
        }
    }
    histories.end(AT_ONCE).await;
}

#[tokio::test]
async fn a_process_may_be_overtaken_at_any_request_by_a_whole_rotation() {
    let requests = requests_of_a_clean_rotation().await.len();
    let mut histories = Histories::default();
    for at in 0..requests {
        for effect in EFFECTS {
            let fault = Fault::Delayed(effect, Duration::from_millis(1_500));
            histories.add(async move { History::begin(Some((at, fault))).await.overtaken().await });
        }
    }
    histories.end(AT_ONCE).await;
}

fn replaced(replies: &[Reply]) -> Vec<Fault> {
    replies
        .iter()
        .flat_map(|reply| EFFECTS.map(|effect| Fault::Replaced(effect, *reply)))
        .collect()
}

async fn at_every_request(faults: impl IntoIterator<Item = Fault>) {
    let requests = requests_of_a_clean_rotation().await.len();
    let mut histories = Histories::default();
    for fault in faults {
        for at in 0..requests {
            histories.add(async move { History::begin(Some((at, fault))).await.alone([AMPLE; 4]).await });
        }
    }
    histories.end(AT_ONCE).await;
}

/// For each request of a rotation in which nothing goes wrong, the step that makes it.
async fn requests_of_a_clean_rotation() -> Vec<&'static str> {
    let history = History::begin(None).await;
    let mut steps = Vec::new();
    for step in STEPS {
        history.step(&history.world.function, step, AMPLE).await.unwrap();
        steps.resize(history.proxy.arrived().len(), step);
    }
    history.must_have_kept_every_promise().await;
    assert!(steps.contains(&STEPS[3]), "the requests were seen");
    steps
}

/// A rotation, and the one request of its first process that goes wrong, if one does.
struct History {
    world: World,
    proxy: Proxy,
    plan: Option<(usize, Fault)>,
    /// Whether another process works beside it.
    beside: bool,
    /// Every key but those of the token, as it was before.
    others: Vec<KeyTruth>,
    base: String,
}

impl History {
    async fn begin(plan: Option<(usize, Fault)>) -> Self {
        let (world, proxy) = World::start_behind_proxy(plan).await;
        let elsewhere = Marker::new(
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:another",
            &VersionId::new(TOKEN),
            7,
        );
        for note in ["a bot of the desk".to_owned(), elsewhere.to_string()] {
            world.key_by_hand(&note, Ips::only([[203, 0, 113, 9].into()]), &[SPOT]);
        }
        world.open_rotation(TOKEN);
        let others = world.local.venue.lock().model.keys();
        let base = world
            .labels()
            .into_iter()
            .find(|(_, labels)| labels.contains(&"AWSCURRENT".to_owned()))
            .unwrap()
            .0;
        Self {
            world,
            proxy,
            plan,
            beside: false,
            others,
            base,
        }
    }

    /// To its end, with one process at a time. `deadlines` are those of the first.
    async fn alone(self, deadlines: [SignedDuration; 4]) {
        self.until_it_is_done(&self.world.function, deadlines).await;
        assert!(
            self.plan.is_some_and(|(at, _)| at < self.proxy.arrived().len()),
            "{self}: the request did not come"
        );
        self.must_have_kept_every_promise().await;
    }

    /// To its end, with another process that is invoked with every step at the same time.
    async fn beside_another(mut self) {
        self.beside = true;
        let another = self.world.process(&self.world.local.environment()).await;
        tokio::join!(
            self.until_it_is_done(&self.world.function, [AMPLE; 4]),
            self.until_it_is_done(&another, [AMPLE; 4])
        );
        self.must_have_kept_every_promise().await;
    }

    /// To its end, with another process that begins while the first waits for the answer that is late.
    async fn overtaken(mut self) {
        self.beside = true;
        let (at, _) = self.plan.unwrap();
        let another = async {
            let come = async {
                while self.proxy.arrived().len() <= at {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            tokio::time::timeout(Duration::from_mins(1), come)
                .await
                .expect("the request comes");
            let another = self.world.process(&self.world.local.environment()).await;
            self.until_it_is_done(&another, [AMPLE; 4]).await;
        };
        tokio::join!(self.until_it_is_done(&self.world.function, [AMPLE; 4]), another);
        self.must_have_kept_every_promise().await;
    }

    /// The steps by one process; where one fails, all of them again by a new one.
    async fn until_it_is_done(&self, first: &Arc<Function>, mut deadlines: [SignedDuration; 4]) {
        let (mut process, mut failures) = (Arc::clone(first), Vec::new());
        while let Err(failed) = self.pass(&process, deadlines).await {
            process.kill().await;
            self.current_must_be_alive();
            failures.push(failed);
            assert!(failures.len() <= MOST_REPETITIONS, "{self}: {failures:?}");
            process = self.world.process(&self.world.local.environment()).await;
            deadlines = [AMPLE; 4];
        }
        process.kill().await;
    }

    async fn pass(&self, process: &Function, deadlines: [SignedDuration; 4]) -> Result<(), Failed> {
        for (step, deadline) in STEPS.into_iter().zip(deadlines) {
            let result = self.step(process, step, deadline).await;
            self.current_must_be_alive();
            result?;
        }
        Ok(())
    }

    /// One invocation. Lambda kills a process that is not done by its deadline.
    async fn step(&self, process: &Function, step: &str, deadline: SignedDuration) -> Result<Value, Failed> {
        let event = self.world.event(step, TOKEN).to_string().into_bytes();
        let invocation = process.invoke_raw(event, Timestamp::now() + deadline, LAMBDA_ARN);
        match tokio::time::timeout(Duration::try_from(deadline).unwrap(), invocation).await {
            Ok(result) => result,
            Err(_) => Err(Failed {
                error_type: "Sandbox.Timedout".into(),
                message: step.into(),
            }),
        }
    }

    fn current_must_be_alive(&self) {
        let key = self.key_of(&self.world.current());
        assert!(
            key.alive(self.world.local.clock.now()),
            "{self}: AWSCURRENT names a dead key"
        );
    }

    fn key_of(&self, value: &Value) -> KeyTruth {
        let key = KeyId::from(value["api_key"].as_str().unwrap());
        self.world.local.venue.lock().model.key(&key).unwrap()
    }

    /// The invariants, read off the stand-ins.
    async fn must_have_kept_every_promise(&self) {
        self.proxy.at_rest().await;
        self.current_must_be_alive();
        let value = self.world.current();
        assert_eq!(
            value["rotation"]["token"], TOKEN,
            "{self}: the rotation is not over"
        );
        let current = self.key_of(&value);
        self.the_labels_must_be_those_of_a_plain_rotation();
        self.the_keys_must_be_those_of_a_plain_rotation(&current);
        self.what_was_audited_must_be_true(&current);
        let issued = self.world.said().matches(r#""outcome":"issued""#).count();
        assert!(
            issued <= 1,
            "{self}: {issued} runs claim that theirs is the key that was stored"
        );

        // The key may do just what it was to do, from where it was to.
        let Settings {
            read_only,
            ips,
            permissions,
            ..
        } = current.settings;
        let expected = Permissions::of(&[TRADES, ("Derivatives", &["DerivativesTrade"]), SPOT]);
        assert_eq!((read_only, permissions), (false, expected), "{self}");
        assert_eq!(
            ips,
            Ips::only([[127, 0, 0, 1].into(), [203, 0, 113, 7].into()]),
            "{self}"
        );
    }

    fn the_labels_must_be_those_of_a_plain_rotation(&self) {
        let labels = self.world.labels();
        assert_eq!(labels.len(), 2, "{self}: {labels:?}");
        for (version, labels) in labels {
            let (stamps, plain): (Vec<_>, Vec<_>) = labels
                .iter()
                .map(String::as_str)
                .partition(|label| label.starts_with("REPLACED-"));
            if version == TOKEN {
                // Secrets Manager takes AWSPENDING off once finishSecret has succeeded.
                assert_eq!(
                    (plain, stamps.len()),
                    (vec!["AWSCURRENT", "AWSPENDING"], 0),
                    "{self}"
                );
                continue;
            }
            assert_eq!((&version, plain), (&self.base, vec!["AWSPREVIOUS"]), "{self}");
            assert!(
                stamps.iter().all(|stamp| stamp.ends_with(&version[..8])),
                "{self}: {stamps:?}"
            );
            // Two runs that finish at once may each add a stamp, and so may a request that comes late: the
            // latest counts.
            let may_be_two = self.beside || matches!(self.plan, Some((_, Fault::Delayed(Effect::None, _))));
            assert!(
                stamps.len() == 1 || may_be_two && stamps.len() == 2,
                "{self}: {stamps:?}"
            );
        }
    }

    fn the_keys_must_be_those_of_a_plain_rotation(&self, current: &KeyTruth) {
        let keys = self.world.local.venue.lock().model.keys();
        let ours = Marker::new(&self.world.local.arn(SECRET), &VersionId::new(TOKEN), 0);
        let of_token = |key: &&KeyTruth| {
            Marker::parse(&key.settings.note).is_some_and(|marker| marker.same_token(&ours))
        };
        // Among them the replaced key, the master key, and those of nobody here.
        let others: Vec<KeyTruth> = keys.iter().filter(|key| !of_token(key)).cloned().collect();
        assert_eq!(
            others, self.others,
            "{self}: a key that is not the token's was touched"
        );
        let now = self.world.local.clock.now();
        let alive = keys.iter().filter(of_token).filter(|key| key.alive(now));
        // What a process issued after another had stored its value is revoked by that process alone, or by
        // nobody once the rotation is over.
        let stored_at = self.stored_at();
        let killed = self.beside && matches!(self.plan, Some((_, Fault::Killed(_))));
        let lost = |key: &&KeyTruth| killed && key.created_at > stored_at;
        let alive: BTreeSet<&str> = alive
            .filter(|key| !lost(key))
            .map(|key| key.key.as_str())
            .collect();
        assert_eq!(
            alive,
            BTreeSet::from([current.key.as_str()]),
            "{self}: the token's keys that are alive"
        );
    }

    /// When the token got its value.
    fn stored_at(&self) -> Timestamp {
        let calls = self.world.local.secrets_manager.lock().model.calls().to_vec();
        let stored = calls
            .iter()
            .find(|call| call.operation == Operation::PutSecretValue && call.outcome == Outcome::Done);
        stored.unwrap().at
    }

    /// What an audit line says is done is done.
    fn what_was_audited_must_be_true(&self, current: &KeyTruth) {
        let now = self.world.local.clock.now();
        let keys = self.world.local.venue.lock().model.keys();
        let fingerprint = |key: &KeyTruth| Shown::parse(key.key.as_str()).unwrap().fingerprint();
        let labels = self.world.labels();
        for line in self.world.audit().iter().filter(|line| line["outcome"] == "done") {
            let key = keys.iter().find(|key| line["key"] == fingerprint(key));
            let label = || (line["version"].as_str().unwrap(), line["label"].as_str().unwrap());
            let is_true = match line["action"].as_str().unwrap() {
                "issue_key" => key.is_some_and(|key| line["marker"] == key.settings.note),
                "revoke_key" => key.is_some_and(|key| !key.alive(now)),
                "put_value" | "move_current" => key == Some(current),
                "add_label" => labels.iter().any(|(version, labels)| {
                    let (on, label) = label();
                    version == on && labels.iter().any(|held| held == label)
                }),
                _ => false,
            };
            assert!(is_true, "{self}: {line}");
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((at, fault)) = self.plan else {
            return f.write_str("nothing goes wrong");
        };
        let arrived = self.proxy.arrived();
        write!(
            f,
            "{fault:?} at request {at} ({})",
            arrived.get(at).map_or("none", String::as_str)
        )
    }
}

/// Histories that have nothing to do with each other.
#[derive(Default)]
struct Histories(Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Histories {
    fn add(&mut self, history: impl Future<Output = ()> + Send + 'static) {
        self.0.push(Box::pin(history));
    }

    /// Runs all of them, so many at a time, and tells of every one that went wrong.
    async fn end(self, at_once: usize) {
        let (mut waiting, mut running, mut failed) = (self.0.into_iter(), JoinSet::new(), 0);
        loop {
            while running.len() < at_once
                && let Some(history) = waiting.next()
            {
                running.spawn(history);
            }
            match running.join_next().await {
                Some(ended) => failed += usize::from(ended.is_err()),
                None => break,
            }
        }
        assert_eq!(failed, 0, "histories that went wrong; each is told above");
    }
}
